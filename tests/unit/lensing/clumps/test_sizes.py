"""Intrinsic sizes: three cases, their errors, their classes."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.cosmology import pc_per_arcsec
from clumpscope.gaussian import HALF_LIGHT_OF_SIGMA
from clumpscope.lensing.clumps.sizes import axis_sizes, round_sizes


def sizes_of(major, minor, mu=4.0, mu_t=3.0, error=0.0):
    shapes = Table({"sigma_x_px": [major], "sigma_y_px": [minor],
                    "sigma_x_px_err": [error], "sigma_y_px_err": [error]})  # fmt: skip
    normal = np.random.default_rng(1).normal(size=(1, 4000))
    one = np.ones((1, 4000))
    return axis_sizes(shapes, np.array([mu]), np.array([mu_t]), mu * one, mu_t * one, normal,
                           np.array([2.0]), np.array([0.02]), np.array([0.058]))  # fmt: skip


def test_three_cases_of_the_effective_radius():
    unit = HALF_LIGHT_OF_SIGMA * 0.02 * pc_per_arcsec(2.0)
    assert sizes_of(2.0, 0.5).r_eff_pc[0] == pytest.approx(unit * 1.0 / 2.0)
    assert sizes_of(2.0, 0.3).r_eff_pc[0] == pytest.approx(unit * 2.0 / 3.0)
    point = sizes_of(0.2, 0.1)
    assert point.r_eff_pc[0] == pytest.approx(unit * 0.4 / 3.0) and point.limit[0]
    assert [sizes_of(*axes).kind[0] for axes in ((0.2, 0.1), (0.7, 0.6), (4.0, 3.0), (np.nan, np.nan))] == [
        "unresolved", "compact", "extended", "unknown",
    ]  # fmt: skip


def test_error_of_the_fit_enters_the_radius():
    # Two independent axes: d ln R = 0.5 sqrt(2) 0.1; those of a round clump are one number.
    for minor, expected in ((1.999, 0.0707), (2.0, 0.1)):
        draws = sizes_of(2.0, minor, error=0.2).draws_pc[0]
        assert np.std(np.log(draws)) == pytest.approx(expected, rel=0.05)


def test_half_light_radius_of_a_gaussian():
    radius = np.hypot(*np.random.default_rng(2).normal(size=(2, 400_000)))
    assert np.median(radius) == pytest.approx(HALF_LIGHT_OF_SIGMA, rel=3e-3)


def test_a_long_clump_of_unresolved_width_is_extended():
    assert sizes_of(4.0, 0.0).kind[0] == "extended"


def test_asymmetric_magnification_reaches_the_radius():
    mu = np.random.default_rng(4).lognormal(np.log(6.0), 0.4, size=(1, 20000))
    shapes = Table({name: [2.0] for name in ("sigma_x_px", "sigma_y_px")})
    shapes["sigma_x_px_err"] = shapes["sigma_y_px_err"] = [0.0]
    result = axis_sizes(shapes, np.array([6.0]), np.array([6.0]), mu, mu, np.zeros_like(mu),
                             np.array([2.0]), np.array([0.02]), np.array([0.058]))  # fmt: skip
    low, high = np.percentile(result.draws_pc[0], [16, 84]) / result.r_eff_pc[0]
    assert low == pytest.approx(np.exp(-0.2), rel=0.02) and high == pytest.approx(np.exp(0.2), rel=0.02)


def test_errors_without_bounds_or_numbers_stay_finite():
    for error in (np.inf, np.nan, 1e9):
        draws = sizes_of(2.0, 2.0, error=error).draws_pc
        assert np.isfinite(draws).all() and np.std(np.log(draws)) <= 1.05


def test_sizes_know_of_wings_and_limits_grow_by_their_scatter():
    rng, n = np.random.default_rng(5), 2000
    moments = np.array([[4.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
    shapes = Table({
        "moments_px2": moments, "moments_covariance_px4": np.tile(0.01 * np.eye(3), (2, 1, 1)),
        "sigma_x_px": [2.0, 0.0], "sigma_limit_px": [np.nan, 0.5], "pixel_scale_arcsec": [0.02, 0.02],
        "profile_size_ratio": [[1.2, 1.5]] * 2,
    })  # fmt: skip
    lens = Table({name: [1.0, 1.0] for name in ("mu_t", "mu_r")} | {"stretch_deg": [0.0, 0.0]})
    for name in ("mu_t", "mu_r"):
        lens[f"{name}_samples"] = np.ones((2, 3))
    draws = np.zeros((2, n), dtype=int), rng.uniform(size=(2, n)), rng.normal(size=(2, n))
    others = np.array([2.0, 2.0]), np.array([0.058, 0.058])
    plain = round_sizes(shapes, lens, *draws, *others)
    winged = round_sizes(
        shapes, lens, *draws, *others, profiles={"gaussian": 0.7, "plummer": 0.2, "eff": 0.1}
    )
    unit = HALF_LIGHT_OF_SIGMA * 0.02 * pc_per_arcsec(2.0)
    assert winged.r_eff_pc[0] == plain.r_eff_pc[0] == pytest.approx(2.0 * unit, rel=0.02)
    assert list(winged.limit) == [False, True]
    scatter = np.sqrt(0.2 * 0.2**2 + 0.1 * 0.5**2)
    assert winged.r_eff_pc[1] == pytest.approx(plain.r_eff_pc[1] * np.exp(scatter))
    ratio = winged.draws_pc[0] / plain.draws_pc[0]
    for value, share in ((1.0, 0.7), (1.2, 0.2), (1.5, 0.1)):
        assert np.mean(np.isclose(ratio, value)) == pytest.approx(share, abs=0.03)
