"""Rule `magnify`: magnification of one galaxy's clumps, and the galaxy in its source plane."""

from clumpscope.images.cutouts import galaxy_pixels, read_cutouts
from clumpscope.lensing import read_lens
from clumpscope.lensing.clumps import products
from clumpscope.logs import job_log
from clumpscope.made_by import drawn_from
from clumpscope.tables import read_table, write_table

with job_log(snakemake), drawn_from(snakemake.params.seed):
    output, n_samples, seed = snakemake.output, snakemake.params.n_samples, snakemake.params.seed
    model, *others = (read_lens(lens) for lens in [snakemake.params.lens, *snakemake.params.others])
    clumps = read_table(snakemake.input.photometry)
    cutouts, meta = read_cutouts(snakemake.input.cutouts)
    cutout, z = cutouts[meta["filter_ref"]], meta["z"]
    galaxy = snakemake.params.galaxy
    member = galaxy_pixels(cutout, galaxy, snakemake.input.get("segmentation") or None)
    table, plane = products.lens_galaxy(
        model, clumps, cutout, member, z, n_samples, seed, snakemake.params.redshifts, others,
        snakemake.params.systematic, (galaxy["ra"], galaxy["dec"]) if snakemake.params.has_centre else None,
    )  # fmt: skip
    mu = products.magnification_map(model, cutout, z)
    products.draw_galaxy(output.picture, meta["galaxy"], cutout, mu, plane, clumps, model, z)
    products.write_source_plane(output.source_plane, plane, table, z)
    products.write_map(output.map, mu, cutout)
    write_table(table, output.table)
