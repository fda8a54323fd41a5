"""Rule `inject`: put clumps of known flux, size and colours into one galaxy's images, and recover them."""

from pathlib import Path

from astropy.io import fits
from astropy.table import Table
from clumpscope.images.cutouts import galaxy_pixels, read_cutouts
from clumpscope.images.depth import read_depth
from clumpscope.images.psf_local import local_psfs
from clumpscope.injection.inject import clump_colours, clump_conditions, inject
from clumpscope.injection.target import Target
from clumpscope.logs import job_log
from clumpscope.made_by import drawn_from
from clumpscope.photometry.residuals import read_fitted
from clumpscope.tables import read_table, write_table

with job_log(snakemake), drawn_from(snakemake.params.seed):
    galaxy, settings = snakemake.params.galaxy, snakemake.params.settings
    cutouts, meta = read_cutouts(snakemake.input.cutouts)
    psfs = local_psfs(snakemake.input.psfs, cutouts[meta["filter_ref"]])
    depths = {Path(path).stem: read_depth(path) for path in snakemake.input.depths}
    member = galaxy_pixels(cutouts[meta["filter_ref"]], galaxy, snakemake.input.get("segmentation") or None)
    target = Target(
        galaxy["id"],
        galaxy["ra"],
        galaxy["dec"],
        galaxy["radius_arcsec"],
        meta["filter_ref"],
        cutouts,
        psfs,
        depths,
        member,
        footprint=member,
        edits=Table(galaxy["edits"]) if galaxy["edits"] else None,
        magnification=fits.getdata(snakemake.input.magnification),
        detection=snakemake.params.detection,
        fit=snakemake.params.fit,
    )
    photometry, clumps = read_table(snakemake.input.photometry), read_table(snakemake.input.clumps)
    fitted = read_fitted(snakemake.input.residuals)
    injected = inject(
        target,
        clumps,
        settings["clumps"],
        settings["flux_range"],
        settings["sigmas_px"],
        clump_colours(photometry, meta["filter_ref"], list(psfs)),
        settings["hard_share"],
        snakemake.params.seed,
        fitted,
    )
    write_table(injected, snakemake.output.injected)
    write_table(clump_conditions(target, photometry, fitted), snakemake.output.conditions)
