"""Rule `sed_picture`: one clump's photometry, best fit and residuals, and the corner plot of its posterior."""

from clumpscope.errors import InputError
from clumpscope.logs import job_log
from clumpscope.sed.products.picture import save_pictures
from clumpscope.sed.products.store import read_posterior
from clumpscope.tables import values_by_id

with job_log(snakemake):
    posteriors = {}
    for path in snakemake.input.samples:
        posteriors |= read_posterior(path)
    mu = values_by_id([snakemake.input.magnification], "mu")
    clump = snakemake.wildcards.clump
    if clump not in posteriors:
        raise InputError(
            f"clump of galaxy {snakemake.wildcards.galaxy}", repr(clump), f"one of {', '.join(posteriors)}"
        )
    save_pictures(posteriors[clump], snakemake.output[0], snakemake.input.library, mu.get(clump))
