"""Rule `cutout`: cut one galaxy out of every mosaic, in nJy."""

from clumpscope.images.mosaic import open_mosaic, write_cutouts
from clumpscope.logs import job_log

with job_log(snakemake.log[0]):
    galaxy = snakemake.params.galaxy
    mosaics = {band: open_mosaic(**options, name=band) for band, options in snakemake.params.images.items()}
    write_cutouts(snakemake.output[0], mosaics, galaxy)
