"""Rule `build_ssp_bc03`: fetch the BC03 and Cloudy grids and condense them into the embedded library."""

from clumpscope.logs import job_log
from clumpscope.sed.library.build_bc03 import main

with job_log(snakemake):
    main(["--out", snakemake.output[0]])
