"""Rule `cutout`: cut one galaxy out of every mosaic, in nJy."""

from clumpscope.images.cutouts import write_cutouts
from clumpscope.images.mosaic import cut_galaxy, open_mosaic
from clumpscope.logs import job_log

with job_log(snakemake):
    galaxy = snakemake.params.galaxy
    mosaics = {band: open_mosaic(**options, name=band) for band, options in snakemake.params.images.items()}
    cutouts = cut_galaxy(
        mosaics, galaxy["id"], galaxy["ra"], galaxy["dec"], galaxy["radius_arcsec"], galaxy["filter_ref"]
    )
    write_cutouts(snakemake.output[0], cutouts, galaxy["id"], galaxy["z"], galaxy["filter_ref"])
