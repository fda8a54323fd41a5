"""Rule `inspection`: the index of a field's galaxies, its catalogue page, and cards of clumps."""

from pathlib import Path

from clumpscope.inspect.field import write_field
from clumpscope.logs import job_log

with job_log(snakemake):
    given, params = snakemake.input, snakemake.params
    detections = {Path(path).parent.name: path for path in given.detections}
    write_field(
        Path(snakemake.output.index).parent, snakemake.wildcards.field, given.catalogue, given.selection, given.samples,
        given.get("edits"), detections or None, params.min_broad_bands, params.poor_fit,
    )  # fmt: skip
