"""Rule `download`: fetch one input of a field."""

import sys

from clumpscope.cached_files import fetch
from clumpscope.logs import job_log

with job_log(snakemake) as log:

    def tell(message: str) -> None:
        """Progress is for whoever waits, not for the log alone."""
        log.info("%s", message)
        print(message, file=sys.stderr, flush=True)

    address, checksum = snakemake.params.source
    fetch(address, snakemake.output[0], snakemake.params.cache, snakemake.params.offline, checksum, tell)
