"""Rule `error_model`: how much wider than their errors injected fluxes of a field scatter."""

from astropy.table import vstack
from clumpscope.injection.error_model import draw_error_model, fit_error_model
from clumpscope.logs import job_log
from clumpscope.pictures import save_picture
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    injected = vstack([read_table(path) for path in snakemake.input.injected], metadata_conflicts="silent")
    model = fit_error_model(injected, snakemake.params.filters)
    save_picture(draw_error_model(model, injected), snakemake.output.picture)
    write_table(model, snakemake.output.table)
