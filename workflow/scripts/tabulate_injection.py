"""Rule `completeness`: completeness, limits and recovery of all injected clumps of a field."""

from pathlib import Path

from clumpscope.injection.products import injection_tables
from clumpscope.logs import job_log
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    injected, conditions = (
        [read_table(path) for path in paths]
        for paths in (snakemake.input.injected, snakemake.input.conditions)
    )
    tables = injection_tables(
        injected, conditions, snakemake.params.completeness, snakemake.params.min_broad_bands
    )
    for path in snakemake.output:
        write_table(tables[Path(path).stem], path)
