"""Rule `inspection_files`: what all inspection pages share."""

from clumpscope.inspect.pages import copy_static
from clumpscope.logs import job_log

with job_log(snakemake):
    copy_static(snakemake.output[0])
