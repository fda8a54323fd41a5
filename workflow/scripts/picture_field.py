"""Rule `field_picture`: the field in three broad filters, in pixels that a page can show."""

import numpy as np
from clumpscope.images.cutouts import write_cutouts
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.overview import overview
from clumpscope.logs import job_log
from clumpscope.tables import read_table

with job_log(snakemake):
    galaxies = read_table(snakemake.input.galaxies)
    planes = {}
    for band, options in snakemake.params.images.items():
        planes[band] = overview(open_mosaic(**options, name=band), galaxies["ra"], galaxies["dec"])
    z = float(np.median(galaxies["z"]))
    write_cutouts(snakemake.output[0], planes, snakemake.wildcards.field, z, next(iter(planes)))
