import itertools

import numpy as np
import pytest
from clumpscope.sed.inference.mean_age import MeanAge
from clumpscope.sed.inference.priors import make_priors
from clumpscope.sed.models.compiled import SHAPES, mean_ages
from scipy.integrate import quad

EXPONENTIAL = ("log_age_yr", "a_v", "log_tau_yr")
DOUBLE_POWER_LAW = (*EXPONENTIAL, "log_alpha", "log_beta")


def coordinates(names, fixed=None):
    free = tuple(name for name in names if name not in (fixed or {}))
    return MeanAge(make_priors(free, 1.5, "log"), fixed or {})


def mean_age(shape, tau, alpha, beta, age):
    return mean_ages(SHAPES[shape], *(np.array([value]) for value in (tau, alpha, beta, age)))[0][0]


@pytest.mark.parametrize(("age", "tau"), [(1e9, 1e8), (1e7, 1e10), (2e9, 3e9), (1e10, 1e6)])
def test_mean_age_of_an_exponential_against_quadrature(age, tau):
    # Over ages: the rate at age a is exp(a / tau), relative to that at the onset.
    edge = max(0.0, age - 50.0 * tau)
    mass = quad(lambda a: np.exp((a - age) / tau), edge, age)[0]
    first = quad(lambda a: a * np.exp((a - age) / tau), edge, age)[0]
    assert mean_age("exponential", tau, 1.0, 1.0, age) == pytest.approx(first / mass, rel=1e-7)


@pytest.mark.parametrize(
    ("age", "tau", "alpha", "beta"),
    [(1e9, 3e8, 1.0, 1.0), (1e9, 3e8, 2.0, 0.1), (5e9, 4.9e9, 0.3, 20.0), (1e8, 1e9, 5.0, 3.0)],
)
def test_mean_age_of_two_power_laws_against_quadrature(age, tau, alpha, beta):
    def rate(t):
        return (t / tau) ** (beta if t < tau else -alpha)

    edges = [0.0, min(tau, age), age]
    mass, first = (
        sum(quad(lambda t, f=f: f(t) * rate(t), *pair, epsrel=1e-11)[0] for pair in itertools.pairwise(edges))
        for f in (lambda t: 1.0, lambda t: age - t)
    )
    assert mean_age("double_power_law", tau, alpha, beta, age) == pytest.approx(first / mass, rel=1e-7)


@pytest.mark.parametrize(
    ("names", "fixed"),
    [(EXPONENTIAL, None), (DOUBLE_POWER_LAW, None), (DOUBLE_POWER_LAW, {"log_beta": 0.3, "log_alpha": 1.0})],
)
def test_there_and_back(names, fixed):
    mean = coordinates(names, fixed)
    n_dim, column = mean.priors.n_dim, mean.priors.names.index("log_age_yr")
    y = np.random.default_rng(0).standard_normal((4000, n_dim))
    v = mean.forward(y)
    back, log_ratio = mean.inverse(v)
    np.testing.assert_allclose(back, y, atol=1e-7)
    step = 1e-5 * np.eye(n_dim)[column]
    numeric = (mean.forward(y + step) - mean.forward(y - step))[:, column] / 2e-5
    np.testing.assert_allclose(-log_ratio, np.log(numeric), atol=1e-3)


def test_a_probability_keeps_its_sum():
    # Points drawn from a broad Gaussian in the coordinates, weighted by the prior over it, have the prior's mean.
    mean, rng = coordinates(DOUBLE_POWER_LAW), np.random.default_rng(1)
    v = 2.0 * rng.standard_normal((400_000, mean.priors.n_dim))
    y, log_ratio = mean.inverse(v)
    log_weight = -0.5 * (y**2).sum(axis=1) + log_ratio + 0.125 * (v**2).sum(axis=1) + v.shape[1] * np.log(2.0)
    weight = np.exp(log_weight)
    assert weight.mean() == pytest.approx(1.0, abs=0.05)
    np.testing.assert_allclose(weight @ y / weight.sum(), 0.0, atol=0.06)
    np.testing.assert_allclose(weight @ y**2 / weight.sum(), 1.0, atol=0.08)


def test_no_probability_where_no_age_has_the_mean():
    # A rate that rises as t^1000 makes all stars young, whatever the onset.
    mean = coordinates(DOUBLE_POWER_LAW)
    v = np.zeros((1, mean.priors.n_dim))
    v[0, [mean.priors.names.index(name) for name in ("log_age_yr", "log_tau_yr", "log_beta")]] = 2.0, 6.0, 6.0
    y, log_ratio = mean.inverse(v)
    assert log_ratio[0] == -np.inf and np.isfinite(y).all()
