"""Rule `lens_field`: magnification, critical lines and caustics over the field."""

from clumpscope.lensing import read_lens
from clumpscope.lensing.clumps import products
from clumpscope.lensing.clumps.field import map_field
from clumpscope.logs import job_log
from clumpscope.tables import read_table, write_table

with job_log(snakemake) as log:
    field = map_field(read_lens(snakemake.params.lens), read_table(snakemake.input.galaxies))
    log.info("magnification for sources at z = %g", field.z_source)
    products.write_field_map(snakemake.output.map, field)
    write_table(field.lines, snakemake.output.lines)
