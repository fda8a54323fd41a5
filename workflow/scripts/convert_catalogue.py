"""Rule `catalogue`: a public galaxy catalogue in the columns of this project."""

import sys

from clumpscope.catalogues import read_catalogue
from clumpscope.logs import job_log
from clumpscope.tables import write_table

with job_log(snakemake) as log:
    given = {"redshifts": snakemake.input.redshifts} if snakemake.input.get("redshifts") else {}
    table, told = read_catalogue(snakemake.input.galaxies, **{**snakemake.params.layout, **given})
    for line in told:
        log.info("%s", line)
    print(told[-1], file=sys.stderr)
    write_table(table, snakemake.output[0])
