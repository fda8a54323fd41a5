"""The relations of a twin's population, recovered from many draws by estimators of their own."""

import numpy as np
import pytest
from clumpscope.cosmology import age_of_universe_yr
from clumpscope.mock.population import (
    Recipe,
    draw_ages,
    draw_hosts,
    draw_masses,
    draw_radii,
    draw_redshifts,
)

SEEDS = np.random.SeedSequence().entropy % 10**6  # drawn anew in every run
RNG = [np.random.default_rng([SEEDS, k]) for k in range(8)]


@pytest.mark.parametrize("slope", [-2.0, -1.6, -1.0])
def test_masses_are_a_power_law(slope):
    recipe = Recipe(mass_slope=slope, mass_gradient=0.0)
    # One galaxy of very many clumps has one lowest mass; the law ends two decades above.
    n = 20000
    log_mass = draw_masses(RNG[0], 10.0, np.zeros(n), recipe)
    low = log_mass.min()
    # Kolmogorov-Smirnov distance to the integral of M^slope; 1.95 / sqrt(n) is exceeded once in 1000.
    share = np.sort(10 ** (log_mass - low))
    if slope == -1:
        expected = np.log(share) / np.log(100)
    else:
        expected = (share ** (slope + 1) - 1) / (100 ** (slope + 1) - 1)
    assert np.abs(expected - (np.arange(n) + 0.5) / n).max() < 1.95 / np.sqrt(n) + 1e-3
    # The mean is what was asked: the scatter of the mean of n heavy-tailed masses is below 5 %.
    assert np.log10((10**log_mass).sum()) == pytest.approx(10.0, abs=0.05)


def test_slope_of_pooled_galaxies_by_hills_estimator():
    recipe = Recipe(mass_gradient=0.0)
    hosts = draw_hosts(RNG[1], 3000, 15000, recipe)
    masses = [
        draw_masses(RNG[1], total, np.zeros(n), recipe)
        for total, n in zip(hosts["log_mass_clumps"], hosts["n_clumps"], strict=True)
    ]
    # Above every galaxy's lowest mass, and below every galaxy's highest, the sum of the laws is one law.
    lowest = [
        m - np.log10(n * 2 * np.log(10) / 0.99)
        for m, n in zip(hosts["log_mass_clumps"], hosts["n_clumps"], strict=True)
    ]
    low, high = np.quantile(lowest, 0.98), np.quantile(lowest, 0.02) + 2.0
    pooled = np.concatenate(masses)
    pooled = pooled[(pooled > low) & (pooled < high)]
    # A truncated Pareto law of index -1 in ln M has the mean excess 1 - w e^-w / (1 - e^-w), w its width.
    width = (high - low) * np.log(10)
    excess = (pooled - low) * np.log(10)
    mean = 1 - width * np.exp(-width) / -np.expm1(-width)
    assert excess.mean() == pytest.approx(mean, abs=4 * excess.std() / np.sqrt(excess.size) + 0.02)


def test_clump_fraction_falls_with_host_mass_as_asked():
    recipe = Recipe(fraction_slope=-0.5, fraction_scatter_dex=0.15)
    hosts = draw_hosts(RNG[2], 4000, 20000, recipe)
    fraction = hosts["log_mass_clumps"] - hosts["log_mass"]
    slope, norm = np.polyfit(hosts["log_mass"] - 9.5, fraction, 1)
    # Error of the slope: 0.15 / (0.5 sqrt(4000)) = 0.005; of the norm half of that.
    assert slope == pytest.approx(-0.5, abs=0.02)
    assert norm == pytest.approx(recipe.fraction_log_norm, abs=0.01)
    assert hosts["n_clumps"].sum() == 20000 and hosts["n_clumps"].min() >= 2
    drawn = [
        np.log10((10 ** draw_masses(RNG[2], total, np.ones(n), recipe)).sum())
        for total, n in zip(hosts["log_mass_clumps"], hosts["n_clumps"], strict=True)
    ]
    # The clumps of a few draws scatter about the mean of the law, by 0.25 dex or so, whatever the mass.
    assert np.polyfit(hosts["log_mass"], drawn - hosts["log_mass"], 1)[0] == pytest.approx(-0.5, abs=0.04)


def test_gradients_are_straight_lines_in_distance():
    recipe = Recipe(mass_gradient=-0.2, age_gradient=-0.15, mass_slope=-1.0)
    mass, age, distance = [], [], []
    for _ in range(1500):
        d = RNG[3].uniform(0, 3.6, 5)
        mass += list(draw_masses(RNG[3], 8.0, d, recipe))
        age += [p.log_age_mw_yr for p in draw_ages(RNG[3], 2.0, d, recipe)]
        distance += list(d)
    # Masses of a galaxy move against each other about a mean that shifts with the distances drawn.
    inner = np.array(distance) - np.repeat(np.array(distance).reshape(-1, 5).mean(axis=1), 5)
    slopes = np.polyfit(inner, mass, 1)[0], np.polyfit(distance, age, 1)[0]
    # Errors: scatter (0.58 and 0.8 dex) over the distances' (1.0 kpc) and root 7500: 0.007 and 0.009 dex / kpc.
    assert slopes[0] == pytest.approx(-0.2, abs=0.028)
    assert slopes[1] == pytest.approx(-0.15, abs=0.036)


def test_populations_stay_within_the_age_of_the_universe():
    recipe = Recipe(age_gradient=-0.3)
    for z in (0.9, 3.0, 6.2):
        drawn = draw_ages(RNG[4], z, RNG[4].uniform(0, 6, 400), recipe)
        ages = np.array([population.log_age_yr for population in drawn])
        assert ages.min() > 6.0 and ages.max() <= np.log10(age_of_universe_yr(z))
        assert all(0 <= p.a_v <= 2 and -4 <= p.log_u <= -1 and -2 < p.log_z_zsun < 0.4 for p in drawn)


def test_surface_density_evolves_as_asked():
    recipe = Recipe(log_sigma_mass=2.8, sigma_slope=1.5, sigma_scatter_dex=0.4)
    z = draw_redshifts(RNG[5], 4000)
    assert z.min() > 0.7 and z.max() < 6.5 and 1.9 < np.median(z) < 2.5
    log_mass = RNG[5].uniform(6, 9, z.size)
    radius = np.array([draw_radii(RNG[5], m, each, recipe) for m, each in zip(log_mass, z, strict=True)])
    density = log_mass - np.log10(2 * np.pi * radius**2)
    slope, middle = np.polyfit(np.log10((1 + z) / 3), density, 1)
    # Errors: 0.4 / (0.11 sqrt(4000)) = 0.06 and 0.4 / sqrt(4000) = 0.006.
    assert slope == pytest.approx(1.5, abs=0.24)
    assert middle == pytest.approx(2.8, abs=0.025)
    assert np.corrcoef(density, log_mass)[0, 1] == pytest.approx(0.0, abs=0.07)
