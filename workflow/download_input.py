"""Rule `download`: fetch one input of a field."""

from clumpscope.download import download
from clumpscope.logs import job_log

with job_log(snakemake.log[0]):
    url, checksum = snakemake.params.source
    download(url, snakemake.output[0], checksum)
