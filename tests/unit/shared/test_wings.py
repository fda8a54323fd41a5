"""Clumps with wings among others: sizes drawn as often with each profile as clumps have it."""

import numpy as np
import pytest
from clumpscope.photometry.profiles import PROFILES
from clumpscope.wings import profile_factors, profile_interval, profile_scatter, winged_profiles

SHARES = {"eff": 0.1, "gaussian": 0.7, "plummer": 0.2}


def test_scatter_over_shares():
    ratios = {"plummer": np.array([1.2, 1.0]), "eff": np.array([1.4, 0.5])}
    scatter = profile_scatter(ratios, {"gaussian": 6.0, "plummer": 3.0, "eff": 1.0})
    np.testing.assert_allclose(scatter, np.sqrt([0.3 * 0.04 + 0.1 * 0.16, 0.1 * 0.25]))


def test_profiles_are_in_the_order_of_their_wings():
    assert winged_profiles(SHARES) == ["plummer", "eff"]
    assert winged_profiles({"gaussian": 1.0, "eff": 0.0}) == []
    # None of those that fits know is left out.
    assert ["gaussian", *winged_profiles(dict.fromkeys(PROFILES, 1.0))] == list(PROFILES)


def test_factors_are_drawn_as_often_as_clumps_have_the_profile():
    normal = np.random.default_rng(1).normal(size=(2, 100_000))
    factors = profile_factors(np.array([[1.2, 1.5], [1.0, 0.9]]), SHARES, normal)
    for ratio, share in ((1.0, 0.7), (1.2, 0.2), (1.5, 0.1)):
        assert np.mean(factors[0] == ratio) == pytest.approx(share, abs=0.005)
    # The profile with the most light in its wings goes with the largest numbers.
    assert normal[0][factors[0] == 1.5].min() > normal[0][factors[0] == 1.2].max()
    assert (profile_factors(np.ones((2, 0)), {"gaussian": 1.0}, normal) == 1.0).all()


@pytest.mark.parametrize("error", [0.03, 0.1, 0.3])
def test_intervals_of_drawn_sizes_hold_those_of_a_mixture(error):
    """Log sizes of Gaussians with errors, and what clumps have: one error for all would hold 8 in 10 where the errors are small."""
    rng = np.random.default_rng()
    n, ratios = 4000, np.array([[1.25, 1.5]])
    profile = rng.choice(3, size=n, p=[0.7, 0.2, 0.1])
    true = rng.lognormal(sigma=0.5, size=n)
    measured = true / np.array([1.0, *ratios[0]])[profile] * rng.lognormal(sigma=error, size=n)
    draws = measured[:, None] * rng.lognormal(sigma=error, size=(n, 400))
    draws *= profile_factors(np.repeat(ratios, n, axis=0), SHARES, rng.normal(size=draws.shape))
    for inside, low, high in ((68.27, 0.65, 0.715), (95.45, 0.94, 0.968)):
        lo, hi = np.percentile(draws, [50 - inside / 2, 50 + inside / 2], axis=1)
        assert low < np.mean((lo < true) & (true < hi)) < high


@pytest.mark.parametrize("error", [0.003, 0.03, 0.3])
def test_intervals_of_fluxes_hold_those_of_a_mixture(error):
    """Fluxes of Gaussians with errors, and what clumps have; the root mean square holds more where errors are small."""
    rng = np.random.default_rng()
    n = 20000
    ratios = {"plummer": rng.uniform(1.05, 1.3, n), "eff": rng.uniform(1.2, 1.6, n)}
    profile = rng.choice(3, size=n, p=[0.7, 0.2, 0.1])
    measured = rng.uniform(5.0, 50.0, n)
    factor = np.choose(profile, [np.ones(n), ratios["plummer"], ratios["eff"]])
    true = measured * factor + rng.normal(size=n) * error * measured
    below, above = profile_interval(measured, error * measured, ratios, SHARES)
    assert np.mean((true >= measured - below) & (true <= measured + above)) == pytest.approx(
        0.6827, abs=0.015
    )
    assert np.mean(true < measured - below) == pytest.approx(0.1587, abs=0.012)
    wide = np.hypot(error, profile_scatter(ratios, SHARES)) * measured
    assert error > 0.1 or np.mean(np.abs(true - measured) < wide) > 0.75


def test_intervals_without_wings_are_the_error():
    below, above = profile_interval(
        np.array([5.0, np.nan, -1.0]), np.array([0.5, 0.5, 0.2]), {}, {"gaussian": 1.0}
    )
    np.testing.assert_allclose(below, [0.5, np.nan, 0.2], rtol=1e-9)
    np.testing.assert_allclose(above, [0.5, np.nan, 0.2], rtol=1e-9)
    # All clumps brighter than measured: the measured flux is the end of the interval.
    below, above = profile_interval(np.array([1.0]), np.array([0.01]), {"eff": np.array([1.5])}, {"eff": 1.0})
    assert below[0] == 0.0 and above[0] == pytest.approx(0.51, abs=1e-6)
