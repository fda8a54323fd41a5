"""Rule `catalogue`: one row a clump from all stages."""

from clumpscope.logs import job_log
from clumpscope.made_by import drawn_from
from clumpscope.population.catalogue import assemble
from clumpscope.population.hosts import intrinsic_hosts
from clumpscope.sed.products.store import read_posterior
from clumpscope.tables import read_table, write_table

with job_log(snakemake), drawn_from(snakemake.params.seed):
    inputs = snakemake.input
    samples = {
        clump: posterior.samples
        for path in inputs.get("samples", [])
        for clump, posterior in read_posterior(path).items()
    }
    galaxies = read_table(inputs.galaxies)
    hosts = None
    if inputs.get("hosts"):
        hosts = intrinsic_hosts(
            read_table(inputs.hosts), galaxies, snakemake.params.host_sfh, snakemake.params.poor_fit
        )
    catalogue = assemble(
        galaxies,
        [read_table(path) for path in inputs.photometry],
        [read_table(path) for path in inputs.magnification],
        read_table(inputs.sed),
        samples,
        psf=read_table(inputs.psf) if inputs.get("psf") else None,
        hosts=hosts,
        min_sigma_px=snakemake.params.min_sigma_px,
        sizes_by=snakemake.params.sizes["sizes"],
        ellipticity=snakemake.params.sizes["ellipticity"],
        profiles=snakemake.params.profiles,
        seed=snakemake.params.seed,
    )
    write_table(catalogue, snakemake.output.table, fits=True)
