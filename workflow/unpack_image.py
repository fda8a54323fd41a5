"""Rule `unpack`: a compressed image as one that can be read in parts."""

from clumpscope.files import unpack
from clumpscope.logs import job_log

with job_log(snakemake.log[0]):
    unpack(snakemake.input[0], snakemake.output[0])
