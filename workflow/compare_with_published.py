"""Rule `published`: our masses, ages and mass-to-light ratios beside the published ones."""

from clumpscope.logs import job_log
from clumpscope.population.published import compare_published
from clumpscope.tables import read_table, write_table

with job_log(snakemake.log[0]):
    inputs = snakemake.input
    tables = [read_table(inputs[name]) for name in ("catalogue", "ssp", "stack", "photometry")]
    write_table(compare_published(*tables), snakemake.output[0])
