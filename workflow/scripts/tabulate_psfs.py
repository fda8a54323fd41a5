"""Rule `psf_table`: what was measured on the PSFs, as table and picture."""

from pathlib import Path

from clumpscope.images.pictures import draw_psfs
from clumpscope.images.psf import psf_table, read_psf
from clumpscope.logs import job_log
from clumpscope.pictures import save_picture
from clumpscope.tables import write_table

with job_log(snakemake):
    psfs = {Path(path).stem: read_psf(path) for path in snakemake.input}
    save_picture(draw_psfs(psfs), snakemake.output.picture)
    write_table(psf_table(psfs), snakemake.output.table)
