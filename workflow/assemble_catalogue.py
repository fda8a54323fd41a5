"""Rule `catalogue`: one row a clump from all stages."""

from clumpscope.logs import job_log
from clumpscope.population.catalogue import assemble
from clumpscope.sed.store import read_posterior
from clumpscope.tables import read_table, write_table

with job_log(snakemake.log[0]):
    inputs = snakemake.input
    samples = {
        clump: posterior.samples
        for path in inputs.get("samples", [])
        for clump, posterior in read_posterior(path).items()
    }
    catalogue = assemble(
        read_table(inputs.galaxies),
        [read_table(path) for path in inputs.photometry],
        [read_table(path) for path in inputs.magnification],
        read_table(inputs.sed),
        samples,
        psf=read_table(inputs.psf) if inputs.get("psf") else None,
        hosts=read_table(inputs.hosts) if inputs.get("hosts") else None,
        seed=snakemake.params.seed,
    )
    write_table(catalogue, snakemake.output.table, fits=True)
