"""Rule `multiple_images`: the images of every multiply imaged galaxy, and their clumps, compared in the source plane."""

from clumpscope.lensing import read_lens
from clumpscope.lensing.clumps.counterparts import counterparts
from clumpscope.lensing.clumps.systems import compare_systems
from clumpscope.logs import job_log
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    model, n_samples = read_lens(snakemake.params.lens), snakemake.params.n_samples
    images, catalogue = (read_table(snakemake.input[name]) for name in ("galaxies", "catalogue"))
    write_table(compare_systems(model, images, n_samples), snakemake.output.images)
    write_table(counterparts(model, catalogue, n_samples), snakemake.output.clumps)
