"""Rule `correct_errors`: a galaxy's photometry with the errors that injected clumps ask for."""

from clumpscope.injection.error_model import correct_errors
from clumpscope.logs import job_log
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    photometry, conditions, model = (
        read_table(snakemake.input[key]) for key in ("photometry", "conditions", "model")
    )
    write_table(correct_errors(photometry, conditions, model), snakemake.output[0])
