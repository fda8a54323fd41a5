"""Rule `clump_table`: a published table of clumps as catalogue, galaxies and hosts."""

from clumpscope.logs import job_log
from clumpscope.population.clump_tables import read_clump_table
from clumpscope.tables import write_table

with job_log(snakemake):
    catalogue, galaxies, hosts = read_clump_table(snakemake.input[0], snakemake.params.columns)
    write_table(catalogue, snakemake.output.table, fits=True)
    write_table(galaxies, snakemake.output.galaxies)
    write_table(hosts, snakemake.output.hosts)
