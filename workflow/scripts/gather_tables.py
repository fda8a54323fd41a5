"""Rules `sed_table` and `host_table`: the tables of all batches in one."""

from astropy.table import vstack
from clumpscope.logs import job_log
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    write_table(vstack([read_table(path) for path in snakemake.input.tables]), snakemake.output[0])
