"""Rule `sed`: posteriors of one batch of clumps with one star-formation history."""

from clumpscope.logs import job_log
from clumpscope.reddening import dereddening_factors
from clumpscope.sed.inference.fit import Fitter
from clumpscope.sed.inference.mixture import RedshiftMixture
from clumpscope.sed.inference.posterior import percentile_table
from clumpscope.sed.inference.settings import FitSettings
from clumpscope.sed.products.columns_photometry import only_filters, table_common, table_photometry
from clumpscope.sed.products.store import fit_or_reuse
from clumpscope.tables import read_table, write_table

with job_log(snakemake.log[0]) as log:
    options, size = dict(snakemake.params.settings), snakemake.params.clumps_per_job
    first = int(snakemake.wildcards.batch) * size
    clumps = read_table(snakemake.input.photometry)[first : first + size]
    if snakemake.params.filters:
        clumps = only_filters(clumps, snakemake.params.filters)
    flux, error, filters = table_photometry(clumps)
    common = table_common(clumps, filters)
    factors = dereddening_factors(filters, snakemake.params.reddening)
    library = snakemake.input.library
    if options["limits"] == "paper" and "mag_limit_ab" not in options:
        depth = read_table(snakemake.input.depth)
        options["mag_limit_ab"] = dict(zip(depth["filter"], depth["mag_limit_ab"], strict=True))
    settings = FitSettings(
        sfh=snakemake.wildcards.sfh.partition("_in_")[0], seed=snakemake.params.seed, **options
    )
    fitter = RedshiftMixture(
        [Fitter(filters, z, settings, library) for z in snakemake.params.redshifts], float(clumps["z"][0])
    )
    if len(fitter.fitters) == 1:  # a redshift without an error
        (fitter,) = fitter.fitters
    posteriors = fit_or_reuse(
        fitter,
        flux * factors,
        error * factors,
        clumps["id"],
        snakemake.output.samples,
        log.info,
        common_njy=None if common is None else common * factors[:, None],
    )
    write_table(percentile_table(posteriors), snakemake.output.table)
