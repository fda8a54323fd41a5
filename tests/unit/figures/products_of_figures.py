"""Products of made-up fields, as figures get them."""

import numpy as np
from astropy.io import fits
from astropy.table import Table, vstack
from astropy.wcs import WCS
from clumpscope.injection.products import injection_tables
from clumpscope.population.products import population_tables
from clumpscope.population.truth import summarise_truth
from unit.injection.injected_samples import injected_sample
from unit.population.synthetic_population import make_field, percentiles

NOISE_NJY = 0.2
CLUSTER_FILTERS = ("F090W", "F150W", "F200W", "F277W")


def imaging_products(folder, n_galaxies=20, seed=3):
    """Every product of an imaging field; residual files are written below `folder`."""
    field = make_field(n_galaxies=n_galaxies, seed=seed)
    catalogue = field.catalogue()
    hosts = []
    for number, sfh in enumerate(("exp_free", "const")):
        table = field.hosts.copy()
        table["sfh"] = sfh
        table["log_mass_p50"] += 0.1 * number
        hosts.append(table)
    products = {
        "catalogue": catalogue,
        "sed_all": field.sed,
        "hosts": vstack(hosts),
        "galaxies": field.galaxies,
        "population": population_tables(catalogue, field.hosts, field.galaxies),
        "residuals": [write_residuals(folder, catalogue, name, seed) for name in field.galaxies["id"][:8]],
    }
    conditions = Table({name: [1.0] for name in ("flux_njy", "depth_ratio", "width", "host_over_noise")})
    products["injection"] = injection_tables([injected_sample(600)], [conditions])
    products["truth"] = truth_table(catalogue[: min(len(catalogue), 12)])
    products["truth_summary"] = summarise_truth(products["truth"], len(catalogue))
    return products


def truth_table(catalogue):
    n = len(catalogue)
    columns = {
        "id": catalogue["id"],
        "status": np.full(n, "detected", dtype="U30"),
        "snr_ref": np.full(n, 30.0),
    }
    columns["size_limit"] = np.zeros(n, bool)
    columns["flags"] = np.zeros(n, np.int64)
    for name in ("flux_njy", "r_eff_pc", "mu", "log_mass", "log_age_mw_yr"):
        columns[f"true_{name}"] = columns[f"measured_{name}"] = np.linspace(5.0, 9.0, n)
    return Table(columns)


def write_residuals(folder, catalogue, galaxy, seed, shape=(40, 50)):
    """Residuals of one galaxy: noise of known width, one bright pixel in the data of every filter."""
    rng = np.random.default_rng(seed)
    own = catalogue[np.asarray(catalogue["galaxy"], str) == galaxy]
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [float(np.mean(own["ra"])), float(np.mean(own["dec"]))] if len(own) else [3.58, -30.4]
    wcs.wcs.crpix, wcs.wcs.cdelt = [25.0, 20.0], [-0.04 / 3600, 0.04 / 3600]
    hdus = fits.HDUList([fits.PrimaryHDU()])
    for name in ("F444W", "F090W", "F150W", "F200W"):
        residual = rng.normal(0.0, NOISE_NJY, shape)
        model = np.zeros(shape)
        model[20, 25] = 30.0
        for kind, plane in (("DATA", residual + model), ("MODEL", model), ("RESID", residual)):
            hdu = fits.ImageHDU(plane.astype(np.float32), wcs.to_header(), name=f"{kind}_{name}")
            hdu.header["PIXSCALE"] = 0.04
            hdus.append(hdu)
    path = folder / galaxy / "residuals.fits"
    path.parent.mkdir(parents=True, exist_ok=True)
    hdus.writeto(path, overwrite=True)
    return path


def cluster_products(n=40, seed=4):
    """Every product of a photometry field: clusters without shapes, at one redshift."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"SC_{k:03d}" for k in range(n)], dtype="U8")
    log_mass, log_age = rng.normal(6.4, 0.4, n), rng.normal(9.3, 0.3, n)
    catalogue = {"id": ids, "galaxy": np.full(n, "clusters"), "z": np.full(n, 0.39), "mu": np.ones(n)}
    for name in CLUSTER_FILTERS:
        catalogue |= {f"flux_{name}_njy": rng.uniform(8, 12, n), f"flux_{name}_err_njy": np.full(n, 0.5)}
    posterior = {
        **percentiles("log_mass", log_mass, 0.1),
        **percentiles("log_age_mw_yr", log_age, 0.2),
        **percentiles("a_v", rng.uniform(0, 1, n), 0.1),
        **percentiles("log_z_zsun", rng.normal(-0.7, 0.3, n), 0.1),
    }
    catalogue |= {**posterior, "n_bands_snr3": np.full(n, 4), "flags": np.zeros(n, np.int64)}
    ssp = Table(
        {
            "id": ids,
            **posterior,
            "best_log_mass": log_mass + 0.3,
            "best_log_age_yr": log_age,
            "best_log_z_zsun": -0.5 + 0 * log_age,
        }
    )
    order = rng.permutation(n)  # tables need not be in the order of the catalogue
    ages, metallicities = (grid.ravel() for grid in np.meshgrid(np.arange(1, 6) * 1e9, [0.02, 0.2, 1.0]))
    chi2 = 3.0 + ((ages / 1e9 - 2) / 0.5) ** 2 + 40 * np.log10(metallicities / 0.2) ** 2
    stack = Table(
        {
            "galaxy": np.full(15, "clusters"),
            "age_yr": ages,
            "z_zsun": metallicities,
            "chi2": chi2,
            "significance": np.sqrt(chi2 - 3),
        }
    )
    catalogue = Table(catalogue)
    return {
        "catalogue": catalogue,
        "sed_all": {"ssp": ssp[order], "exp_free": Table({"id": ids, **posterior})},
        "published": Table(
            {
                "id": ids[order],
                "published_log_mass": log_mass[order],
                "published_log_mass_err": np.full(n, 0.05),
            }
        ),
        "population": population_tables(catalogue),
        "ssp_stack": stack,
    }
