"""Rule `sed_sheets`: the fits of all clumps of a field, on pages to leaf through."""

from clumpscope.logs import job_log
from clumpscope.sed.products.sheets import save_sheets
from clumpscope.sed.products.store import read_posterior
from clumpscope.tables import values_by_id

with job_log(snakemake):
    posteriors = (p for path in snakemake.input.samples for p in read_posterior(path).values())
    save_sheets(posteriors, snakemake.output[0], values_by_id(snakemake.input.magnification, "mu"))
