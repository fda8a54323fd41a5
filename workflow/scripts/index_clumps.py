"""Rule `clumps`: which galaxies have enough clumps, and how many."""

import json
from pathlib import Path

from clumpscope.files import replacing
from clumpscope.images.selection import enough_clumps, require_clumps
from clumpscope.logs import job_log
from clumpscope.tables import read_table

with job_log(snakemake) as log:
    settings = snakemake.params.settings
    index = json.loads(Path(snakemake.input.index).read_text())
    counts = index["counts"]  # of a photometry field
    for path in snakemake.input.clumps:
        table = read_table(path)
        galaxy = Path(path).parent.name
        if enough_clumps(
            len(table), index["rows"][galaxy]["z"], settings["min_clumps"], settings["one_clump_redshift"]
        ):
            counts[galaxy] = len(table)
        else:
            log.info("%s has %d clumps, too few: left out", galaxy, len(table))
    require_clumps(counts, len(index["galaxies"]), f"field {snakemake.wildcards.field}")
    with replacing(snakemake.output.index) as temporary:
        temporary.write_text(json.dumps(counts, indent=1))
