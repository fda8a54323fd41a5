"""Rule `inspection_page`: the page of one galaxy."""

from clumpscope.inspect.galaxy import GalaxyProducts, write_galaxy
from clumpscope.logs import job_log

with job_log(snakemake):
    given, output = snakemake.input, snakemake.output
    later = {key: given.get(key) for key in ("photometry", "residuals", "magnification_map")}
    products = GalaxyProducts(
        given.cutouts, given.clumps, given.segmentation, **{key: path for key, path in later.items() if path},
        pictures=[(text, given[key]) for key, text in snakemake.params.pictures.items() if given.get(key)],
    )  # fmt: skip
    write_galaxy(
        output.page, output.data, output.thumbnail, snakemake.wildcards.field, snakemake.params.galaxy, products,
        snakemake.params.pivots,
    )  # fmt: skip
