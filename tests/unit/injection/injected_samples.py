"""Tables as `inject` gives them, drawn from a known law of detection and known errors."""

import numpy as np
from astropy.table import Table
from scipy.special import expit

SLOPE, HALF = 12.0, 0.1  # completeness reaches 1/2 where log10 of flux over depth is HALF + 1.5 log10(width)
BIAS, ERROR_SCALE = 1.04, 1.5
DEPTH = {"F150W": 5.0, "F277W": 8.0}


def injected_sample(n=4000, seed=1):
    rng = np.random.default_rng(seed)
    table = Table({"id": [f"a_i{k:05d}" for k in range(n)], "galaxy": np.full(n, "a")})
    table["filter_ref"] = rng.choice(list(DEPTH), n)
    depth = np.array([DEPTH[name] for name in table["filter_ref"]])
    table["true_sigma_px"] = rng.choice([0.0, 2.0], n)
    table["width"] = np.where(table["true_sigma_px"] > 0, 2.0, 1.0)
    table["depth_ratio"] = 10 ** rng.uniform(-0.5, 1.5, n)
    table["host_over_noise"] = rng.exponential(2.0, n)
    table["placed"] = np.full(n, "light")
    table["environment"] = np.where(table["host_over_noise"] > 1, "host", "open")
    table["true_flux_njy"] = table["true_flux_F150W_njy"] = depth * table["depth_ratio"]
    chance = expit(SLOPE * (np.log10(table["depth_ratio"]) - HALF - 1.5 * np.log10(table["width"])))
    table["detected"] = rng.random(n) < chance
    error = depth / 5 * np.asarray(table["width"])
    table["flux_err_njy"] = table["flux_F150W_err_njy"] = error
    flux = BIAS * table["true_flux_njy"] + ERROR_SCALE * error * rng.normal(size=n)
    table["flux_njy"] = table["flux_F150W_njy"] = np.where(table["detected"], flux, np.nan)
    size = table["true_sigma_px"] * rng.normal(1.1, 0.05, n)
    table["sigma_px"] = np.where(table["detected"], size, np.nan)
    table["n_bands_snr3"] = np.where(table["depth_ratio"] > 2.0, 5, 3)
    table["flags"] = np.zeros(n, np.int64)
    return table
