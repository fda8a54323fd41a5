"""Rule `population`: every population table of a field, and the numbers that a paper quotes."""

from pathlib import Path

from clumpscope.files import replacing
from clumpscope.logs import job_log
from clumpscope.population.numbers import as_latex, as_yaml, paper_numbers
from clumpscope.population.products import population_tables
from clumpscope.population.sample import population_sample
from clumpscope.tables import read_table, write_table

with job_log(snakemake.log[0]):
    galaxies, hosts = snakemake.input.galaxies, snakemake.input.get("hosts")
    limits = snakemake.input.get("limits")
    catalogue, settings = read_table(snakemake.input.catalogue), snakemake.params.settings
    tables = population_tables(
        catalogue,
        read_table(hosts) if hosts else None,
        read_table(galaxies),
        snakemake.params.host_sfh,
        clump_limits=read_table(limits) if limits else None,
        **settings,
    )
    for path in snakemake.output.tables:
        write_table(tables[Path(path).stem], path)
    numbers = paper_numbers(catalogue[population_sample(catalogue, settings["min_broad_bands"])], tables)
    for path, text in (
        (snakemake.output.yaml, as_yaml(numbers)),
        (snakemake.output.latex, as_latex(numbers)),
    ):
        with replacing(path) as temporary:
            temporary.write_text(text)
