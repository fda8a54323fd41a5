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
    pulls, level_pulls, lapses = [], [], []
    others = np.array([[0.1, 0.5]])
    truth = (special.logit(0.8) - TRUE[0] - others @ TRUE[2:]) / TRUE[1]
    for seed in range(60):
        fit = fit_logistic(*sample(1500, seed))
        pulls.append((fit.coefficients - TRUE) / np.sqrt(np.diag(fit.covariance)[:4]))
        value, error = fit.level(0.8, others)
        level_pulls.append((value - truth) / error)
        lapses.append(fit.lapse)
    pulls = np.array(pulls)
    assert np.abs(pulls.mean(axis=0)).max() < 0.45
    assert np.all((pulls.std(axis=0) > 0.75) & (pulls.std(axis=0) < 1.25))
    assert abs(np.mean(level_pulls)) < 0.45 and 0.75 < np.std(level_pulls) < 1.25
    assert np.mean(lapses) < 0.005


def test_lapses_do_not_flatten_the_slope():
    fits = []
    for seed in range(30):
        variables, found = sample(1500, seed)
        found &= np.random.default_rng(seed + 100).random(len(found)) > 0.05
        fits.append(fit_logistic(variables, found))
    assert np.mean([fit.lapse for fit in fits]) == pytest.approx(0.05, abs=0.01)
    assert np.mean([fit.coefficients[1] for fit in fits]) == pytest.approx(TRUE[1], rel=0.08)
    others = np.array([[0.1, 0.5]])
    truth = (special.logit(0.8 / 0.95) - TRUE[0] - others[0] @ TRUE[2:]) / TRUE[1]
    values, errors = np.array([fit.level(0.8, others) for fit in fits])[:, :, 0].T
    assert (
        np.mean(values) == pytest.approx(truth, abs=0.02) and 0.7 < np.std((values - truth) / errors) < 1.35
    )
    assert np.isnan(fits[0].level(0.98, others)).all()


def test_it_is_the_maximum_of_the_posterior():
    variables, found = sample(400, 3)
    found[np.argmax(variables[:, 0])] = False
    design = np.column_stack([np.ones(400), variables])

    def loss(theta):
        chance = (1 - theta[4]) * special.expit(design @ theta[:4])
        return -np.sum(np.log(np.where(found, chance, 1 - chance))) + np.sum(theta[1:4] ** 2) / 2 / 50**2

    fit = fit_logistic(variables, found)
    theta = np.append(fit.coefficients, fit.lapse)
    assert fit.lapse > 0
    best = optimize.minimize(
        loss, theta, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 20_000}
    )
    assert loss(theta) - best.fun < 1e-3


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
