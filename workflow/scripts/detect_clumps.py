"""Rule `detect`: find the clumps of one galaxy, and apply a person's corrections."""

from astropy.table import Table
from clumpscope.images.coadd import coadd_cutouts
from clumpscope.images.cutouts import galaxy_pixels, read_cutouts
from clumpscope.images.depth import read_depth
from clumpscope.images.detection import detect_clumps, write_segmentation
from clumpscope.images.pictures import draw_detection
from clumpscope.images.psf_local import local_psfs
from clumpscope.logs import job_log
from clumpscope.tables import write_table

with job_log(snakemake):
    galaxy = snakemake.params.galaxy
    settings = dict(snakemake.params.settings)
    cutouts = read_cutouts(snakemake.input.cutouts)[0]
    cutout = coadd_cutouts(cutouts, galaxy["filter_ref"], settings.pop("stack"))
    depth = read_depth(snakemake.input.depth)
    (psf,) = local_psfs([snakemake.input.psf], cutout).values()
    detection = detect_clumps(
        cutout,
        galaxy["id"],
        galaxy["ra"],
        galaxy["dec"],
        galaxy["radius_arcsec"],
        psf.fwhm_arcsec,
        rho=depth.rho,
        error_scale=depth.error_scale,
        footprint=galaxy_pixels(cutout, galaxy, snakemake.input.get("segmentation") or None),
        edits=Table(galaxy["edits"]) if galaxy["edits"] else None,
        **settings,
    )
    title = f'{galaxy["id"]}, z = {galaxy["z"]:.3f}, at {galaxy["ra"]:.6f} {galaxy["dec"]:+.6f}; names: offset from there [0.01"]'
    draw_detection(snakemake.output.picture, detection, cutout, title)
    write_segmentation(snakemake.output.segmentation, detection, cutout)
    write_table(detection.table, snakemake.output.clumps)
