"""Logistic regression against known truths and a general optimiser."""

import numpy as np
import pytest
from clumpscope.errors import InputError
from clumpscope.injection.logistic import fit_logistic
from scipy import optimize, special

TRUE = np.array([1.5, 10.0, -15.0, -1.0])


def sample(n, seed):
    rng = np.random.default_rng(seed)
    variables = np.column_stack([rng.uniform(-0.5, 1.5, n), rng.uniform(0, 0.3, n), rng.uniform(0, 1, n)])
    return variables, rng.random(n) < special.expit(TRUE[0] + variables @ TRUE[1:])


def test_known_coefficients_and_limits_are_recovered_within_their_errors():
    pulls, level_pulls = [], []
    others = np.array([[0.1, 0.5]])
    truth = (special.logit(0.8) - TRUE[0] - others @ TRUE[2:]) / TRUE[1]
    for seed in range(60):
        fit = fit_logistic(*sample(1500, seed))
        pulls.append((fit.coefficients - TRUE) / np.sqrt(np.diag(fit.covariance)))
        value, error = fit.level(0.8, others)
        level_pulls.append((value - truth) / error)
    pulls = np.array(pulls)
    assert np.abs(pulls.mean(axis=0)).max() < 0.45
    assert np.all((pulls.std(axis=0) > 0.75) & (pulls.std(axis=0) < 1.25))
    assert abs(np.mean(level_pulls)) < 0.45 and 0.75 < np.std(level_pulls) < 1.25


def test_it_is_the_maximum_of_the_likelihood():
    variables, found = sample(400, 3)
    design = np.column_stack([np.ones(400), variables])

    def loss(b):
        return np.sum(np.logaddexp(0, design @ b) - found * (design @ b)) + np.sum(b[1:] ** 2) / 2 / 50**2

    best = optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-6}).x
    np.testing.assert_allclose(fit_logistic(variables, found).coefficients, best, rtol=2e-3, atol=2e-3)


def test_levels_invert_probabilities():
    fit = fit_logistic(*sample(500, 4))
    others = np.random.default_rng(1).uniform(0, 0.4, (7, 2))
    for probability in (0.1, 0.5, 0.9):
        value, _ = fit.level(probability, others)
        np.testing.assert_allclose(fit.probability(np.column_stack([value, others])), probability)


def test_a_sharp_step_stays_finite_and_lies_between_the_two_sides():
    flux = np.linspace(-1, 1, 40)[:, None]
    fit = fit_logistic(flux, flux[:, 0] > 0.2)
    (value,), (error,) = fit.level(0.5, np.empty((1, 0)))
    assert 0.1 < value < 0.3 and np.isfinite(error)


def test_nothing_found_has_no_level_and_no_clump_is_refused():
    fit = fit_logistic(np.linspace(0, 1, 20)[:, None], np.linspace(0, 1, 20) < 0.5)
    assert np.isnan(fit.level(0.5, np.empty((1, 0)))).all()
    with pytest.raises(InputError, match="no injected clump"):
        fit_logistic(np.empty((0, 1)), np.empty(0))
