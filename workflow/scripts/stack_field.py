"""Rule `stack`: stacks of a field's unresolved clumps, and the sizes that they exclude."""

from pathlib import Path

from clumpscope.images.cutouts import cutout_reader
from clumpscope.images.psf import read_psf
from clumpscope.logs import job_log
from clumpscope.made_by import drawn_from
from clumpscope.photometry.stack_field import draw_stacks, stack_field, write_stacks
from clumpscope.tables import read_table, write_table

with job_log(snakemake), drawn_from(snakemake.params.seed):
    inputs = snakemake.input
    galaxies = (
        (cutout_reader(cutouts), read_table(photometry))
        for cutouts, photometry in zip(inputs.cutouts, inputs.photometry, strict=True)
    )
    psfs = {Path(path).stem: read_psf(path) for path in inputs.psfs}
    table, profiles, stacks = stack_field(galaxies, psfs, snakemake.params.seed)
    write_table(table, snakemake.output.table)
    write_table(profiles, snakemake.output.profiles)
    write_stacks(stacks, psfs, snakemake.output.images)
    draw_stacks(
        snakemake.output.picture, table, profiles, stacks, f"{snakemake.wildcards.field}: unresolved clumps"
    )
