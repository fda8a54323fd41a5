"""Rule `downloads_list`: what a configuration downloads, how large it is, and what is there."""

from clumpscope.cached_files import list_downloads
from clumpscope.logs import job_log

with job_log(snakemake):
    print(list_downloads(snakemake.params.entries, snakemake.params.cache, snakemake.params.offline))
