"""Rule `magnify_sources`: magnification of a photometry field's sources, given by the table or by a lens model."""

from clumpscope.lensing import read_lens
from clumpscope.lensing.clumps.magnification import given_magnification, magnify_clumps
from clumpscope.lensing.clumps.systematic import compare_models
from clumpscope.logs import job_log
from clumpscope.made_by import drawn_from
from clumpscope.tables import read_table, write_table

with job_log(snakemake), drawn_from(snakemake.params.seed):
    sources = read_table(snakemake.input.photometry)
    options = {"n_samples": snakemake.params.n_samples, "seed": snakemake.params.seed}
    if "mu" in sources.colnames:
        table = given_magnification(sources, **options)
    else:
        z = float(sources["z"][0])
        table, *others = (
            magnify_clumps(read_lens(lens), sources, z, **options)
            for lens in [snakemake.params.lens, *snakemake.params.others]
        )
        table = compare_models(table, others, snakemake.params.systematic)
    write_table(table, snakemake.output.table)
