"""Rule `host`: fit the total photometry of a batch of host galaxies with one star-formation history."""

import numpy as np
from clumpscope.inputs import read_galaxies
from clumpscope.logs import job_log
from clumpscope.made_by import drawn_from
from clumpscope.reddening import dereddening_factors
from clumpscope.sed.inference.posterior import percentile_table
from clumpscope.sed.inference.settings import FitSettings
from clumpscope.sed.products.hosts import fit_hosts
from clumpscope.tables import read_table, write_table

with job_log(snakemake) as log, drawn_from(snakemake.params.seed):
    size, sfh = snakemake.params.galaxies_per_job, snakemake.wildcards.sfh
    first = int(snakemake.wildcards.batch) * size
    ids = read_table(snakemake.input.selected)["id"][first : first + size]
    catalogue = read_galaxies(snakemake.input.galaxies)
    galaxies = catalogue[np.isin(catalogue["id"], ids)]
    filters = [name[2:] for name in galaxies.colnames if name.startswith("f_")]
    for name, factor in zip(filters, dereddening_factors(filters, snakemake.params.reddening), strict=True):
        for column in (f"f_{name}", f"e_{name}"):
            galaxies[column] = galaxies[column] * factor
    settings = FitSettings(sfh=sfh, seed=snakemake.params.seed, **snakemake.params.settings)
    posteriors = fit_hosts(galaxies, settings, snakemake.input.library, snakemake.output.samples, log.info)
    table = percentile_table(posteriors)
    table.add_column(sfh, name="sfh", index=1)
    write_table(table, snakemake.output.table)
