import itertools

import numpy as np
import pytest
from clumpscope.sed import load_library
from clumpscope.sed.models.compiled import (
    BURST,
    CONSTANT,
    DOUBLE_POWER_LAW,
    EXPONENTIAL,
    _exponentials,
    _logarithms,
    fill_weights,
    log_fraction_younger,
)
from scipy.integrate import quad

AGE_YR = load_library("bc03").age_yr


def weights_of(shape, age, tau=1.0, alpha=1.0, beta=1.0):
    weights = np.empty(len(AGE_YR))
    used = fill_weights(weights, AGE_YR, shape, age, tau, alpha, beta)
    assert (weights[used:] == 0.0).all()
    return weights


def test_exponentials_and_logarithms_of_many():
    x = np.concatenate([[0.0, -1e-300, 0.2], -np.geomspace(1e-12, 690.0, 3000)])
    found, bits = np.empty(len(x)), np.empty(len(x), np.int64)
    _exponentials(x, found, bits)
    np.testing.assert_allclose(found, np.exp(x), rtol=1e-13)
    _exponentials(np.full(len(x), -1e5), found, bits)
    assert (found < 1e-300).all()
    x = np.concatenate([[1.0, np.sqrt(0.5), np.sqrt(2.0)], np.geomspace(1e-300, 1e300, 3000)])
    _logarithms(x, found, bits)
    np.testing.assert_allclose(found, np.log(x), rtol=1e-13, atol=1e-15)


def test_weights_of_nothing_are_not_numbers():
    for history in ((np.nan, 1e8, 1.0, 1.0), (1e8, np.nan, 1.0, 1.0), (1e8, 1e8, 1.0, np.nan)):
        for shape in (EXPONENTIAL, DOUBLE_POWER_LAW):
            weights = np.empty(len(AGE_YR))
            fill_weights(weights, AGE_YR, shape, *history)
            assert np.isnan(weights).all()


CASES = [
    (BURST, 3.3e8, 1.0),
    (CONSTANT, 1e6, 1.0),
    (CONSTANT, 1.234e9, 1.0),
    (EXPONENTIAL, 1e6, 1e10),
    (EXPONENTIAL, 1e10, 1e6),
    (EXPONENTIAL, 2.7e8, 1e8),
    (EXPONENTIAL, 1.3e10, 3e9),
    (DOUBLE_POWER_LAW, 5e9, 1e9),
]


@pytest.mark.parametrize(("shape", "age", "tau"), CASES)
def test_mass_is_conserved(shape, age, tau):
    weights = weights_of(shape, age, tau, 2.0, 0.7)
    assert weights.sum() == pytest.approx(1.0, rel=1e-12)
    assert (weights >= 0.0).all()


@pytest.mark.parametrize("age", [1e6, 3.7e7, 1e9, 1.29e10])
@pytest.mark.parametrize("tau", [1e6, 1e7, 1e9, 1e10, 1e14])
def test_mean_age_of_exponentials(age, tau):
    # int a exp((a - age) / tau) da / int exp((a - age) / tau) da = age / (1 - exp(-age / tau)) - tau
    x = age / tau
    expected = age / -np.expm1(-x) - tau if x > 1e-3 else age * (0.5 + x / 12.0)
    assert weights_of(EXPONENTIAL, age, tau) @ AGE_YR == pytest.approx(expected, rel=1e-7)


def test_mean_age_of_constant_and_burst():
    assert weights_of(CONSTANT, 4.2e8) @ AGE_YR == pytest.approx(2.1e8, rel=1e-12)
    assert weights_of(BURST, 4.2e8) @ AGE_YR == pytest.approx(4.2e8, rel=1e-12)


def _rate(t, tau, alpha, beta):
    return 1.0 / ((t / tau) ** alpha + (t / tau) ** -beta)


@pytest.mark.parametrize(
    ("age", "tau", "alpha", "beta"),
    [
        (1e9, 3e8, 1.0, 1.0),
        (1e10, 1e9, 5.0, 0.5),
        (5e9, 4.9e9, 0.3, 20.0),
        (3e9, 1e7, 2.0, 2.0),
        (1e8, 1e9, 50.0, 3.0),
    ],
)
def test_double_power_law_against_adaptive_quadrature(age, tau, alpha, beta):
    breaks = sorted(
        {t for t in (*np.geomspace(1e-4, 1e4, 17) * tau, 0.9 * tau, tau, 1.1 * tau) if 0 < t < age}
    )
    edges = [0.0, *breaks, age]

    def integral(function):
        return sum(quad(function, a, b, epsrel=1e-10, limit=200)[0] for a, b in itertools.pairwise(edges))

    total = integral(lambda t: _rate(t, tau, alpha, beta))
    mean_age = integral(lambda t: (age - t) * _rate(t, tau, alpha, beta)) / total
    assert weights_of(DOUBLE_POWER_LAW, age, tau, alpha, beta) @ AGE_YR == pytest.approx(mean_age, rel=1e-5)
    recent = 1e7
    younger = quad(lambda t: _rate(t, tau, alpha, beta), age - recent, age, epsrel=1e-10)[0] / total
    found = np.exp(log_fraction_younger(AGE_YR, DOUBLE_POWER_LAW, age, tau, alpha, beta, recent))
    assert found == pytest.approx(younger, rel=1e-4)


def test_extreme_double_power_laws_stay_finite():
    for alpha in (0.01, 1.0, 1000.0):
        for beta in (0.01, 1.0, 1000.0):
            for age in (1e6, 1e8, 1.3e10):
                for tau in (1e6, 1e8, 1e10):
                    weights = weights_of(DOUBLE_POWER_LAW, age, tau, alpha, beta)
                    assert weights.sum() == pytest.approx(1.0, rel=1e-9) and (weights >= -1e-15).all()


def test_a_narrow_peak_is_a_burst():
    # alpha = beta = 1000: all stars form within 0.1 % of tau.
    narrow = weights_of(DOUBLE_POWER_LAW, 2e9, 5e8, 1000.0, 1000.0)
    assert narrow @ AGE_YR == pytest.approx(1.5e9, rel=1e-5)


@pytest.mark.parametrize(("age", "tau"), [(1e9, 1e8), (1e7, 1e6), (2e9, 1e10), (1e10, 1e6)])
def test_recent_fraction_of_exponentials(age, tau):
    recent = 5e6
    # In logarithms, since the last case is exp(-9995).
    expected = -(age - recent) / tau + np.log(-np.expm1(-recent / tau)) - np.log(-np.expm1(-age / tau))
    assert log_fraction_younger(AGE_YR, EXPONENTIAL, age, tau, 1.0, 1.0, recent) == pytest.approx(
        expected, rel=1e-10
    )
    assert log_fraction_younger(AGE_YR, EXPONENTIAL, recent / 2, tau, 1.0, 1.0, recent) == 0.0


def test_recent_fraction_of_other_shapes():
    assert log_fraction_younger(AGE_YR, CONSTANT, 1e8, 1.0, 1.0, 1.0, 1e7) == pytest.approx(np.log(0.1))
    assert log_fraction_younger(AGE_YR, BURST, 1e8, 1.0, 1.0, 1.0, 1e7) == -np.inf
