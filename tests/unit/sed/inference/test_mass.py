from itertools import pairwise

import numpy as np
import pytest
from clumpscope.sed.inference.mass import best_mass, draw_mass, log_mass_integral
from scipy.integrate import quad
from scipy.stats import kstest


def chi2(mass, a, b, c):
    return c - 2 * b * mass + a * mass**2


# S/N of the template from strongly negative data, through none, to very high; and limits that cut the peak.
CASES = [
    (s, limits)
    for s in (-4.0, 0.0, 0.3, 2.0, 5.0, 8.0, 9.0, 30.0, 1000.0)
    for limits in [(4.0, 13.0), (7.0, 13.0), (4.0, 7.001), (6.9, 7.1), (7.4, 9.0), (4.0, 6.8)]
]


@pytest.mark.parametrize(("s", "limits"), CASES)
def test_integral_over_log_mass(s, limits):
    # The template of one solar mass has S/N s when the mass is 1e7.
    root = max(abs(s), 1.0) / 1e7
    a, b, c = root**2, s * root, s**2 + 3.0
    peak = np.clip(b / a, 10 ** limits[0], 10 ** limits[1]) if b > 0 else 10 ** limits[0]
    least = chi2(peak, a, b, c)

    def likelihood(log_mass):
        return np.exp(-0.5 * (chi2(10**log_mass, a, b, c) - least))

    width = 12.0 / max(abs(s), 1.0)
    points = np.unique(np.clip(np.log10(peak) + width * np.linspace(-1, 1, 41), *limits))
    edges = np.unique(np.concatenate([[limits[0]], points, [limits[1]]]))
    truth = sum(quad(likelihood, low, high, epsabs=0)[0] for low, high in pairwise(edges))
    expected = np.log(truth / (limits[1] - limits[0])) - 0.5 * least
    found = log_mass_integral(np.array([a]), np.array([b]), c, limits)[0]
    assert found == pytest.approx(expected, abs=2e-5)


def test_template_without_flux_gives_the_chi2_of_no_model():
    found = log_mass_integral(np.zeros(1), np.zeros(1), 7.0, (4.0, 13.0))
    assert found[0] == pytest.approx(-3.5, abs=1e-9)


@pytest.mark.parametrize("s", [-2.0, 0.0, 3.0, 20.0, 500.0])
def test_draws_follow_the_conditional_distribution(s):
    limits, n = (5.0, 9.0), 20_000
    root = max(abs(s), 1.0) / 1e7
    a, b = np.full(n, root**2), np.full(n, s * root)
    draws = draw_mass(a, b, limits, np.random.default_rng(2))
    grid = np.linspace(*limits, 400_001)
    log_density = b[0] * 10**grid - 0.5 * a[0] * 10 ** (2 * grid)
    density = np.exp(log_density - log_density.max())
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    assert kstest(draws, lambda x: np.interp(x, grid, cumulative / cumulative[-1])).pvalue > 1e-3


def test_best_mass_is_the_least_squares_solution_within_limits():
    rng = np.random.default_rng(0)
    template, data, sigma = rng.random(9) * 1e-7, 5.0 + rng.random(9), 0.5 + rng.random(9)
    a, b, c = ((template / sigma) ** 2).sum(), (template * data / sigma**2).sum(), ((data / sigma) ** 2).sum()
    solution = np.linalg.lstsq((template / sigma)[:, None], data / sigma, rcond=None)
    log_mass, least = best_mass(np.array([a]), np.array([b]), c, (4.0, 13.0))
    assert 10 ** log_mass[0] == pytest.approx(solution[0][0])
    assert least[0] == pytest.approx(solution[1][0])
    assert best_mass(np.array([a]), np.array([b]), c, (4.0, 6.0))[0][0] == 6.0


def test_masses_far_outside_the_limits_are_improbable_not_an_error():
    # S/N of a million at a mass a thousand times below the limit.
    root = np.array([1e6 / 1e2])
    found = log_mass_integral(root**2, 1e6 * root, 1e12, (5.0, 13.0))
    assert found[0] == pytest.approx(-0.5 * chi2(1e5, root[0] ** 2, 1e6 * root[0], 1e12), rel=1e-6)
