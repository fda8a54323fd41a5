"""Rule `figure`: draw one figure, as PDF, PNG and the table of what is drawn."""

from clumpscope.figures.products import load_products
from clumpscope.figures.registry import draw_figure
from clumpscope.figures.save import save
from clumpscope.logs import job_log

with job_log(snakemake):
    products = load_products(snakemake.params.products)
    figure, table = draw_figure(snakemake.wildcards.figure, products, snakemake.params.settings)
    save(figure, table, snakemake.output.pdf)
