"""Rule `host`: fit the photometry of a batch of host galaxies with one star-formation history."""

import numpy as np
from astropy.table import vstack
from clumpscope.inputs import read_galaxies
from clumpscope.logs import job_log
from clumpscope.made_by import drawn_from
from clumpscope.reddening import dereddening_factors
from clumpscope.sed.inference.settings import FitSettings
from clumpscope.sed.products.columns_photometry import aperture_factors
from clumpscope.sed.products.hosts import fit_hosts, host_percentiles
from clumpscope.sed.products.smooth_light import clumps_apart, smooth_light, with_clumps
from clumpscope.tables import read_table, write_table

with job_log(snakemake) as log, drawn_from(snakemake.params.seed):
    inputs, params, sfh = snakemake.input, snakemake.params, snakemake.wildcards.sfh
    first = int(snakemake.wildcards.batch) * params.galaxies_per_job
    selected = read_table(inputs.selected)[first : first + params.galaxies_per_job]
    catalogue = read_galaxies(inputs.galaxies)
    galaxies = catalogue[np.isin(catalogue["id"], selected["id"])]
    filters = [name[2:] for name in galaxies.colnames if name.startswith("f_")]
    for name, factor in zip(filters, dereddening_factors(filters, params.reddening), strict=True):
        for column in (f"f_{name}", f"e_{name}"):
            galaxies[column] = galaxies[column] * factor

    apart = {}
    if inputs.sed:
        fits = vstack([read_table(path) for path in inputs.sed], metadata_conflicts="silent")
        psfs = read_table(inputs.psf)
        names = [str(name) for name in psfs["filter"]]
        factors = dereddening_factors(names, params.clump_reddening) * aperture_factors(names, psfs)
        for photometry, magnification in zip(inputs.photometry, inputs.magnification, strict=True):
            clumps = read_table(photometry)
            apart[str(clumps["galaxy"][0])] = clumps_apart(clumps, read_table(magnification), fits)
        galaxies = smooth_light(galaxies, apart, dict(zip(names, factors, strict=True)))

    settings = FitSettings(sfh=sfh, seed=params.seed, **params.settings)
    posteriors = fit_hosts(galaxies, settings, inputs.library, snakemake.output.samples, log.info)
    mu = dict(zip((str(name) for name in selected["id"]), selected["mu"], strict=True))
    whole = [
        with_clumps(one, apart[one.id], float(mu[one.id]), params.seed) if one.id in apart else one
        for one in posteriors
    ]
    counts = np.array([len(apart.get(one.id, ())) for one in whole])
    write_table(host_percentiles(whole, sfh, counts), snakemake.output.table)
