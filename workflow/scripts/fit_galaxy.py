"""Rule `fit`: shapes of a galaxy's clumps in its reference filter, their fluxes in all filters."""

from pathlib import Path

from clumpscope.images.cutouts import read_cutouts
from clumpscope.images.depth import read_depth
from clumpscope.images.psf_local import local_psfs
from clumpscope.logs import job_log
from clumpscope.photometry.galaxy import draw_clumps, measure_galaxy
from clumpscope.photometry.residuals import draw_residuals, write_residuals
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    cutouts, meta = read_cutouts(snakemake.input.cutouts)
    psfs = local_psfs(snakemake.input.psfs, cutouts[meta["filter_ref"]])
    noise = {Path(path).stem: read_depth(path).noise for path in snakemake.input.depths}
    clumps = read_table(snakemake.input.clumps)
    table, fits = measure_galaxy(
        cutouts, psfs, clumps, meta["filter_ref"], list(psfs), noise, **snakemake.params.settings
    )
    models = draw_clumps(fits, cutouts, psfs)
    table["z"] = meta["z"]
    title = f"{meta['galaxy']}, z = {meta['z']:.3f}"
    draw_residuals(snakemake.output.picture, cutouts, models, psfs, table, title)
    write_residuals(snakemake.output.residuals, cutouts, models, fits)
    write_table(table, snakemake.output.photometry)
