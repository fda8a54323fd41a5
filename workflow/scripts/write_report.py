"""Rule `report`: one page with everything the run found."""

from clumpscope.logs import job_log
from clumpscope.report import FieldInputs, build

with job_log(snakemake):
    fields = [FieldInputs(**inputs) for inputs in snakemake.params.fields]
    build(fields, snakemake.input.provenance, snakemake.output[0])
