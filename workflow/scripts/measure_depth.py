"""Rule `depth`: depth of one filter from empty apertures, and the noise of its pixels."""

from clumpscope.config import IMAGE_MAPS
from clumpscope.images.depth import measure_depth
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.psf import read_psf
from clumpscope.logs import job_log
from clumpscope.made_by import drawn_from

with job_log(snakemake), drawn_from(snakemake.params.seed):
    files = {key: snakemake.input[key] for key in IMAGE_MAPS if snakemake.input.get(key)}
    mosaic = open_mosaic(**files, **snakemake.params.image, name=snakemake.wildcards.filter)
    psf = read_psf(snakemake.input.psf)
    depth = measure_depth(mosaic, psf, seed=snakemake.params.seed, **snakemake.params.settings)
    depth.write(snakemake.output[0])
