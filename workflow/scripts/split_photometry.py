"""Rule `split_photometry`: the sources of one galaxy of a photometry field, in the form the fits give."""

from clumpscope.inputs import galaxy_photometry, read_photometry
from clumpscope.logs import job_log
from clumpscope.tables import write_table

with job_log(snakemake):
    sources = read_photometry(snakemake.input.photometry, snakemake.params.redshift)
    table = galaxy_photometry(sources, snakemake.wildcards.galaxy, snakemake.wildcards.field)
    write_table(table, snakemake.output[0])
