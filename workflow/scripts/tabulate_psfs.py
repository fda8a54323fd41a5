"""Rule `psf_table`: what was measured on the PSFs, as table and picture; whether they can be those of their images."""

from pathlib import Path

from clumpscope.images.pictures import draw_psfs
from clumpscope.images.psf import psf_table, read_psf
from clumpscope.images.psf_compact import judge_psfs
from clumpscope.logs import in_doubt, job_log
from clumpscope.pictures import save_picture
from clumpscope.tables import write_table

with job_log(snakemake):
    psfs, doubts = judge_psfs({Path(path).stem: read_psf(path) for path in snakemake.input})
    for text in doubts:
        in_doubt(text)
    save_picture(draw_psfs(psfs), snakemake.output.picture)
    table = psf_table(psfs)
    table.meta["doubts"] = doubts
    write_table(table, snakemake.output.table)
