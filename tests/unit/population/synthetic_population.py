"""A made-up field with known truth: galaxies, clumps with a power-law mass function, lensed and measured with errors."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table
from clumpscope.cosmology import pc_per_arcsec
from clumpscope.flags import bit
from clumpscope.population.catalogue import assemble

FILTERS = ("F090W", "F115W", "F150W", "F200W", "F277W", "F356W", "F444W")
SFHS = ("exp_free", "exp_1Myr", "exp_10Myr", "exp_100Myr")
PIXEL_ARCSEC = 0.02
PSF_FWHM_ARCSEC = 0.06
MASS_SLOPE = -1.0  # of N(> M)
LOG_MASS_MIN = 5.5
FRACTION_SLOPE = -0.15  # dex per kpc: most massive clumps in the middle
MASS_ERROR, MU_ERROR = 0.15, 0.05  # dex
_HALF_LIGHT = np.sqrt(2 * np.log(2))


@dataclass
class Field:
    """Tables as the earlier stages write them, and the truth."""

    galaxies: Table
    photometry: Table
    magnification: Table
    sed: dict
    hosts: Table
    psf: Table
    truth: Table

    def catalogue(self, sfh="exp_free", **options):
        return assemble(
            self.galaxies,
            [self.photometry],
            [self.magnification],
            self.sed[sfh],
            {},
            psf=self.psf,
            sizes_by="paper",
            **options,
        )


def percentiles(name, middle, error):
    return {f"{name}_p{p}": middle + s * error for p, s in ((16, -1), (50, 0), (84, 1))}


def make_field(n_galaxies=60, seed=1, gradient=FRACTION_SLOPE, z_range=(0.8, 5.0), duplicates=True):
    """Draw a field; the number of clumps of a galaxy grows with its mass."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(*z_range, n_galaxies)
    host_mass = rng.uniform(7.5, 10.5, n_galaxies)
    galaxy_mu = np.exp(rng.normal(np.log(5), 0.6, n_galaxies))
    names = np.array([f"G{k:03d}" for k in range(n_galaxies)])
    systems = names.copy()
    if duplicates and n_galaxies > 3:
        systems[1], z[1], host_mass[1] = systems[0], z[0], host_mass[0]
    owner = np.repeat(np.arange(n_galaxies), 2 + rng.poisson(3 * (host_mass - 7)))
    n = owner.size
    distance = rng.exponential(2.0, n)
    mass = LOG_MASS_MIN + rng.exponential(1 / (-MASS_SLOPE * np.log(10)), n)
    if gradient is not None:
        mass = host_mass[owner] - 1.5 + gradient * distance + rng.normal(0, 0.3, n)
    age = rng.normal(7.5, 0.5, n)
    sfr = mass - age + rng.normal(0, 0.2, n)
    radius = 10 ** rng.normal(2.0, 0.35, n)
    mu = galaxy_mu[owner] * np.exp(rng.normal(0, 0.1, n))
    mu_t, mu_r = mu**0.7, mu**0.3
    scale = pc_per_arcsec(z[owner]) * PIXEL_ARCSEC
    sigma = radius * np.sqrt(mu) / _HALF_LIGHT / scale
    axis_ratio = rng.uniform(0.5, 1, n)
    m_v = -2.5 * (mass - 0.5 * (age - 8)) + rng.normal(0, 0.2, n) + 3.5
    ids = np.array([f"{names[g]}_{k:03d}" for k, g in enumerate(owner)])

    def observed(values, power):
        return values + power * np.log10(mu)

    measured = {
        "log_mass": observed(mass, 1) + rng.normal(0, MASS_ERROR, n),
        "log_mass_formed": observed(mass + 0.2, 1) + rng.normal(0, MASS_ERROR, n),
        "log_sfr10": observed(sfr, 1) + rng.normal(0, 0.2, n),
        "log_sfr100": observed(sfr - 0.3, 1) + rng.normal(0, 0.2, n),
        "m_v_ab": observed(m_v, -2.5),
        "log_age_yr": age + 0.3,
        "log_age_mw_yr": age + rng.normal(0, 0.2, n),
        "log_tau_yr": rng.uniform(6, 10, n),
        "a_v": np.abs(rng.normal(0.2, 0.3, n)),
        "log_z_zsun": rng.uniform(-1.5, 0.2, n),
        "log_u": rng.uniform(-3.5, -2, n),
    }
    sed = {}
    for number, sfh in enumerate(SFHS):
        columns = {"id": ids}
        for name, values in measured.items():
            shift = -0.3 if number in (1, 2) and "age" in name else 0.0
            columns |= percentiles(name, values + shift, 0.15)
        columns |= {
            "chi2": rng.chisquare(5, n),
            "n_bands": np.full(n, 7),
            "n_bands_snr3": rng.integers(3, 8, n),
        }
        columns |= {
            "rhat": np.full(n, 1.003),
            "n_effective": np.full(n, 900.0),
            "sampler": np.full(n, "emcee"),
        }
        columns["flags"] = np.where(columns["n_bands_snr3"] < 4, bit("few_bands"), 0)
        sed[sfh] = Table(columns)

    photometry = Table(
        {
            "id": ids, "galaxy": names[owner], "ra": 3.58 + rng.uniform(-0.01, 0.01, n),
            "dec": -30.4 + rng.uniform(-0.01, 0.01, n), "x": rng.uniform(0, 2000, n), "y": rng.uniform(0, 2000, n),
            "filter_ref": np.full(n, "F150W"), "pixel_scale_arcsec": np.full(n, PIXEL_ARCSEC),
            "sigma_x_px": sigma / np.sqrt(axis_ratio), "sigma_x_px_err": 0.05 * sigma,
            "sigma_y_px": sigma * np.sqrt(axis_ratio), "sigma_y_px_err": 0.05 * sigma,
            "theta_deg": rng.uniform(0, 180, n), "theta_deg_err": np.full(n, 5.0),
            "snr": 10 ** rng.uniform(0.7, 2, n), "flags": np.zeros(n, dtype=np.int64),
        }
    )  # fmt: skip
    for band in FILTERS:
        photometry[f"flux_{band}_njy"] = 10 ** rng.normal(1, 0.5, n)
        photometry[f"flux_{band}_err_njy"] = np.full(n, 1.0)
    photometry["flags"][sigma * np.sqrt(axis_ratio) < 0.4] |= bit("unresolved")

    magnification = Table({"id": ids})
    draws = np.exp(rng.normal(0, MU_ERROR * np.log(10), (n, 100)))
    for name, value, power in (("mu", mu, 1), ("mu_t", mu_t, 0.7), ("mu_r", mu_r, 0.3)):
        magnification[name] = value
        magnification[f"{name}_err_lo"] = value * (1 - 10 ** (-MU_ERROR * power))
        magnification[f"{name}_err_hi"] = value * (10 ** (MU_ERROR * power) - 1)
        magnification[f"{name}_samples"] = value[:, None] * draws**power
    magnification["flags"] = np.zeros(n, dtype=np.int64)
    magnification["distance_kpc"] = distance
    magnification["distance_kpc_err_lo"] = magnification["distance_kpc_err_hi"] = 0.1 * distance
    magnification["central"] = [
        distance[k] == distance[owner == owner[k]].min() for k in range(n)
    ]  # fmt: skip

    host_observed = host_mass + np.log10(galaxy_mu)
    ssfr = rng.normal(-8.5, 0.5, n_galaxies)
    hosts = Table(
        {
            "id": names,
            **percentiles("log_mass", host_observed, 0.1),
            **percentiles("log_sfr100", host_observed + ssfr, 0.15),
        }
    )
    galaxies = Table(
        {"id": names, "ra": rng.uniform(3.57, 3.6, n_galaxies), "dec": rng.uniform(-30.41, -30.39, n_galaxies),
         "z": z, "system": systems, "mu": galaxy_mu, "filter_ref": np.full(n_galaxies, "F150W")}
    )  # fmt: skip
    truth = Table(
        {"id": ids, "log_mass": mass, "log_age_mw_yr": age, "r_eff_pc": radius, "mu": mu, "distance_kpc": distance,
         "log_mass_host": host_mass[owner], "axis_ratio": axis_ratio}
    )  # fmt: skip
    psf = Table({"filter": FILTERS, "fwhm_arcsec": np.full(len(FILTERS), PSF_FWHM_ARCSEC)})
    return Field(galaxies, photometry, magnification, sed, hosts, psf, truth)
