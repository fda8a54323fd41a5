"""Rule `build_ssp_fsps`: build a library of simple stellar populations from FSPS."""

from clumpscope.logs import job_log
from clumpscope.sed.library.build_fsps import main

with job_log(snakemake):
    main(["--out", snakemake.output[0]])
