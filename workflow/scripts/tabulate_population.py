"""Rule `population`: every population table of a field."""

from pathlib import Path

from clumpscope.logs import job_log
from clumpscope.population.products import population_tables
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    hosts, limits = snakemake.input.get("hosts"), snakemake.input.get("limits")
    tables = population_tables(
        read_table(snakemake.input.catalogue),
        read_table(hosts) if hosts else None,
        read_table(snakemake.input.galaxies),
        snakemake.params.host_sfh,
        clump_limits=read_table(limits) if limits else None,
        **snakemake.params.settings,
    )
    for path in snakemake.output.tables:
        write_table(tables[Path(path).stem], path)
