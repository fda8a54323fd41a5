"""Rule `published`: our masses, ages and mass-to-light ratios beside the published ones."""

from clumpscope.logs import job_log
from clumpscope.population.published import Stack, compare_published, compare_stacks, fit_published_stack
from clumpscope.sed.inference.grid import grid_ages_yr
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    inputs, params = snakemake.input, snakemake.params
    catalogue = read_table(inputs.catalogue)
    z = float(catalogue["z"][0])
    own = Stack(*(read_table(inputs[name]) for name in ("stack_photometry", "stack", "stack_fit")))
    ages = grid_ages_yr(z, params.universe_age_limit)
    theirs = fit_published_stack(z, inputs.library, ages, params.mass_filter)
    ssp, published = read_table(inputs.ssp), read_table(inputs.photometry)
    write_table(compare_published(catalogue, ssp, own, published, theirs), snakemake.output.table)
    write_table(compare_stacks(own.photometry, theirs.photometry), snakemake.output.stack)
