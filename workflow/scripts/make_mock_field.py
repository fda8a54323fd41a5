"""Rule `mock_*`: make the inputs of a synthetic field."""

from clumpscope.logs import job_log
from clumpscope.made_by import drawn_from
from clumpscope.mock import make_field

with job_log(snakemake), drawn_from(snakemake.params.seed):
    params = snakemake.params
    make_field(
        params.folder,
        seed=params.seed,
        filters=params.filters,
        n_processes=snakemake.threads,
        **params.settings,
    )
