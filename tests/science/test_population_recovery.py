"""Do population numbers hold their truth? Many surveys of galaxies with known relations, measured and selected."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.population.gradients import gradients
from clumpscope.population.hosts import host_correlations
from clumpscope.population.mass_function import power_law
from clumpscope.population.medians import surface_density_medians

N_SURVEYS, N_GALAXIES = 200, 60
GRADIENT, EVOLUTION, F_CL_SLOPE = -0.12, 0.4, -0.5  # dex / kpc, dex per unit redshift, dex / dex
MIDDLES = (1.1, 2.0, 3.0, 4.5)
# 200 surveys know a share of 68 % to 3.3 %: three of it, around the goal of 60 to 76 %.
LOW, HIGH = 0.58, 0.78


def survey(rng):
    """Clumps of galaxies whose magnification and host mass are wrong for all of a galaxy's clumps together."""
    z = rng.choice(MIDDLES, N_GALAXIES)
    host = rng.uniform(7.5, 10.5, N_GALAXIES)
    # What the lens, the host's fit and the galaxy's own nature do to all of its clumps [dex].
    shared = rng.normal(0, 0.25, N_GALAXIES)
    owner = np.repeat(np.arange(N_GALAXIES), 2 + rng.poisson(5, N_GALAXIES))
    n = owner.size
    distance = rng.exponential(1.0 + rng.uniform(0, 2, N_GALAXIES))[owner] * rng.uniform(0.2, 2.0, n)
    error = 10 ** rng.uniform(-1.3, -0.4, n)
    fraction = -1.5 + GRADIENT * distance + shared[owner] + rng.normal(0, 0.4, n) + error * rng.normal(size=n)
    sigma = 1.5 + EVOLUTION * z[owner] + shared[owner] + rng.normal(0, 0.5, n) + error * rng.normal(size=n)
    positions = Table({"galaxy": [f"G{k:03d}" for k in owner], "z": z[owner], "log_mass_host": host[owner],
                       "distance_kpc": distance, "log_mass_fraction": fraction, "log_age_mw_yr": fraction,
                       "log_sigma_mass": sigma})  # fmt: skip
    clumps = Table({"galaxy": positions["galaxy"], "z": z[owner], "log_sigma_mass_p50": sigma, "r_eff_limit": np.zeros(n, bool),
                    "r_eff_pc": np.ones(n), "class": ["compact"] * n})  # fmt: skip
    return positions, clumps, host


@pytest.fixture(scope="module")
def surveys():
    rng = np.random.default_rng(31)
    return [survey(rng) for _ in range(N_SURVEYS)]


def inside(truth, value, below, above):
    value, below, above = (np.asarray(a, dtype=float) for a in (value, below, above))
    return float(np.mean((truth >= value - below) & (truth <= value + above)))


def test_gradients_hold_their_slope(surveys):
    rows = []
    for positions, _, _ in surveys:
        slopes = gradients(positions)[1]
        rows.append(slopes[(slopes["quantity"] == "log_mass_fraction") & (slopes["by"] == "all")][0])
    value, error = (np.array([row[name] for row in rows]) for name in ("slope", "slope_err"))
    assert LOW < inside(GRADIENT, value, error, error) < HIGH
    assert np.median(value) == pytest.approx(GRADIENT, abs=4 * np.std(value) / np.sqrt(N_SURVEYS))


def test_densities_hold_their_evolution(surveys):
    held = []
    for _, clumps, _ in surveys:
        medians = surface_density_medians(clumps)
        chosen = medians[(medians["quantity"] == "log_sigma_mass") & (medians["class"] == "compact")]
        for middle in MIDDLES:
            row = chosen[
                (chosen["z_low"] <= middle) & (chosen["z_high"] > middle) & np.isfinite(chosen["z_low"])
            ][0]
            held.append(inside(1.5 + EVOLUTION * middle, row["median"], row["err_lo"], row["err_hi"]))
    # Ranks are whole numbers: intervals hold at least what they say.
    assert 0.62 < np.mean(held) < 0.82


def test_the_relation_of_clump_fraction_and_host_mass_holds_its_slope():
    rng, rows = np.random.default_rng(41), []
    for _ in range(N_SURVEYS):
        host = rng.uniform(7.5, 10.5, N_GALAXIES)
        missing = np.full(N_GALAXIES, np.nan)
        relations = Table({"log_mass_host": host + rng.normal(0, 0.15, N_GALAXIES), "log_ssfr": missing,
                           "log_f_cl": 3.5 + F_CL_SLOPE * host + rng.normal(0, 0.4, N_GALAXIES), "log_mass_max": missing,
                           "log_mass_central": missing})  # fmt: skip
        found = host_correlations(relations)
        rows.append(found[(found["x"] == "log_mass_host") & (found["y"] == "log_f_cl")][0])
    value, error = (np.array([row[name] for row in rows]) for name in ("slope", "slope_err"))
    assert LOW < inside(F_CL_SLOPE, value, error, error) < HIGH
    # Errors of the host's mass flatten by their share of its variance: 0.15^2 over 3^2 / 12.
    assert np.mean(value) / F_CL_SLOPE == pytest.approx(1 - 0.15**2 / (0.75 + 0.15**2), abs=0.03)


def test_the_mass_function_holds_its_slope():
    rng, value, error = np.random.default_rng(43), [], []
    for _ in range(N_SURVEYS):
        galaxy = rng.integers(N_GALAXIES, size=4000)
        mass = 4.5 + rng.exponential(1 / np.log(10), galaxy.size)
        mass += rng.normal(0, 0.15, N_GALAXIES)[galaxy] + rng.normal(0, 0.2, galaxy.size)
        # Half of the clumps of 10^6 Msun are found, the limit is where 95 % are.
        seen = rng.uniform(size=mass.size) < 1 / (1 + np.exp(-(mass - 6.0) / 0.1))
        fit = power_law(mass[seen], 6.3)
        value.append(fit.slope), error.append(fit.slope_err)
    assert LOW < inside(-1.0, value, error, error) < HIGH
