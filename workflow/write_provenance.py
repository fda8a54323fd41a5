"""Rule `provenance`: versions, configuration, checksums of the inputs, seed."""

from clumpscope.logs import job_log
from clumpscope.report import provenance, write_provenance

with job_log(snakemake.log[0]):
    write_provenance(
        provenance(snakemake.params.config, snakemake.params.settings, snakemake.input), snakemake.output[0]
    )
