"""Rule `unpack`: what is needed of a compressed image, in a file that can be read in parts."""

from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.needed import needed_rectangles
from clumpscope.images.streaming import copy_rectangles
from clumpscope.logs import job_log
from clumpscope.tables import read_table

with job_log(snakemake) as log:
    inputs, params = snakemake.input, snakemake.params
    mosaic = open_mosaic(inputs.sci, **params.image, name=params.band, forward=True)
    galaxies = read_table(inputs.candidates, ["ra", "dec", "radius_arcsec", "selected"])
    rectangles = needed_rectangles(
        mosaic, galaxies[galaxies["selected"]], read_table(inputs.stars, ["ra", "dec"]), params.seed,
        params.psf_radius, params.has_errors,
    )  # fmt: skip
    copy_rectangles(inputs.image, snakemake.output[0], rectangles, mosaic.shape)
    log.info("%d rectangles of %d x %d pixels", len(rectangles), mosaic.shape[1], mosaic.shape[0])
