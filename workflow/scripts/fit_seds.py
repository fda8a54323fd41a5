"""Rule `sed`: posteriors of one batch of clumps with one star-formation history."""

from functools import lru_cache

import numpy as np
from astropy.table import vstack
from clumpscope.logs import job_log
from clumpscope.made_by import drawn_from
from clumpscope.reddening import dereddening_factors
from clumpscope.sed.inference.mixture import fitter_of
from clumpscope.sed.inference.posterior import percentile_table
from clumpscope.sed.inference.settings import FitSettings
from clumpscope.sed.products.columns_photometry import (
    aperture_factors,
    only_filters,
    table_common,
    table_photometry,
)
from clumpscope.sed.products.store import fit_or_reuse
from clumpscope.tables import read_table, write_table

with job_log(snakemake) as log, drawn_from(snakemake.params.seed):
    options, size = dict(snakemake.params.settings), snakemake.params.clumps_per_job
    first = int(snakemake.wildcards.batch.partition("_")[2]) * size
    clumps = vstack([read_table(path) for path in snakemake.input.photometry], metadata_conflicts="silent")
    clumps = clumps[first : first + size]
    if snakemake.params.filters:
        clumps = only_filters(clumps, snakemake.params.filters)
    flux, error, filters = table_photometry(clumps)
    common = table_common(clumps, filters)
    psfs = read_table(snakemake.input.psfs) if snakemake.input.psfs else None
    factors = dereddening_factors(filters, snakemake.params.reddening) * aperture_factors(filters, psfs)
    if options["limits"] == "paper" and "mag_limit_ab" not in options:
        depth = read_table(snakemake.input.depth)
        limits = dict(zip(depth["filter"], depth["mag_limit_ab"], strict=True))
        # Of fluxes as they were observed.
        options["mag_limit_ab"] = {
            name: limits[name] - 2.5 * np.log10(factor) for name, factor in zip(filters, factors, strict=True)
        }
    settings = FitSettings(
        sfh=snakemake.wildcards.sfh.partition("_in_")[0], seed=snakemake.params.seed, **options
    )
    redshifts = snakemake.params.redshifts
    # Clumps of a galaxy follow each other, and so do the galaxy's images.
    fitter = lru_cache(maxsize=1)(
        lambda equally_probable, z: fitter_of(filters, equally_probable, z, settings, snakemake.input.library)
    )
    posteriors = fit_or_reuse(
        (fitter(tuple(redshifts[str(clump["galaxy"])]), float(clump["z"])) for clump in clumps),
        flux * factors,
        error * factors,
        clumps["id"],
        snakemake.output.samples,
        log.info,
        common_njy=None if common is None else common * factors[:, None],
    )
    write_table(percentile_table(posteriors), snakemake.output.table)
