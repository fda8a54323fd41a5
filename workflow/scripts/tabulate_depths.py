"""Rule `depth_table`: the depths of all filters, as table and picture."""

from pathlib import Path

from clumpscope.images.depth import depth_table, read_depth
from clumpscope.images.pictures import draw_depths
from clumpscope.logs import job_log
from clumpscope.pictures import save_picture
from clumpscope.tables import write_table

with job_log(snakemake):
    depths = {Path(path).stem: read_depth(path) for path in snakemake.input}
    save_picture(draw_depths(depths), snakemake.output.picture)
    write_table(depth_table(depths), snakemake.output.table)
