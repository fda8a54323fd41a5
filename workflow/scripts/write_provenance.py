"""Rule `provenance`: versions, configuration, checksums of the inputs, seed, and what is in doubt about the settings."""

from clumpscope.checking import doubts_of_settings
from clumpscope.files import without_folders
from clumpscope.logs import job_log
from clumpscope.report import provenance, write_provenance

with job_log(snakemake):
    params = snakemake.params
    record = provenance(params.config, params.settings, snakemake.input)
    record["doubts"] = {
        name: [without_folders(text) for text in doubts_of_settings(name, field, params.settings[name])]
        for name, field in params.fields.items()
    }
    write_provenance(record, snakemake.output[0])
