"""Rule `packed_stars`: stars of a compressed mosaic for its PSF, found in one pass."""

from clumpscope.config import IMAGE_MAPS
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.stars import find_stars, star_candidates
from clumpscope.logs import job_log
from clumpscope.tables import write_table

with job_log(snakemake):
    files = {key: snakemake.input[key] for key in IMAGE_MAPS if snakemake.input.get(key)}
    mosaic = open_mosaic(**files, **snakemake.params.image, name=snakemake.wildcards.filter, forward=True)
    find = star_candidates if snakemake.params.psf_is_given else find_stars
    write_table(find(mosaic), snakemake.output[0])
