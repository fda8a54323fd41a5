"""Rule `candidates`: the galaxies that redshift and magnification let through, before any image is looked at."""

from clumpscope.images.selection import select_galaxies
from clumpscope.inputs import read_galaxies
from clumpscope.lensing import read_lens
from clumpscope.logs import job_log
from clumpscope.tables import write_table

with job_log(snakemake) as log:
    params = snakemake.params
    galaxies = read_galaxies(snakemake.input.galaxies)
    lens = read_lens(params.lens)
    mu = None if params.lens["kind"] == "none" else lens.galaxy_magnification(galaxies)
    candidates = select_galaxies(galaxies, mu, params.filters, **params.settings)
    log.info("%d of %d galaxies may be measured", candidates["selected"].sum(), len(galaxies))
    write_table(candidates, snakemake.output[0])
