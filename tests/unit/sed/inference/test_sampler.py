"""Posteriors with known answers, sampled from the sweep on: narrow, bent, bounded, with several modes."""

import numpy as np
import pytest
from clumpscope.sed.inference.climbing import climb
from clumpscope.sed.inference.exploration import Exploration, effective_size, explore, worth_keeping
from clumpscope.sed.inference.nested import run_nested
from clumpscope.sed.inference.proposal import Mixture, fit_mixture
from clumpscope.sed.inference.sampler import from_weights, run_ensembles
from scipy.special import ndtri
from scipy.stats import multivariate_normal, multivariate_t, norm, qmc, truncnorm, wasserstein_distance

N_SWEEP = 1 << 15


def explored(log_prob, n_dim, seed=0):
    y = ndtri(qmc.Sobol(n_dim, rng=np.random.default_rng(9)).random(N_SWEEP))
    log_prob_y = log_prob(y)
    kept, n_drawn = worth_keeping(log_prob_y + 0.5 * (y**2).sum(1))
    return explore(log_prob, y[kept], log_prob_y[kept], n_drawn, np.random.default_rng(seed))


def sampled(log_prob, n_dim, seed=0):
    return run_ensembles(log_prob, explored(log_prob, n_dim, seed), np.random.default_rng(seed + 1))


def weighted(log_prob, n_dim, seed=0):
    """What is taken of a posterior whose weights can be trusted."""
    found = explored(log_prob, n_dim, seed)
    assert found.settled
    return from_weights(found.y, found.weights, 4000, np.random.default_rng(seed + 1), "importance")


BOTH = pytest.mark.parametrize("draw", [sampled, weighted])


def gaussians(*parts):
    """Log density of a mixture (weight, mean, sigma) of isotropic Gaussians."""

    def log_prob(y):
        terms = [np.log(w) + norm.logpdf(y, mean, sigma).sum(axis=1) for w, mean, sigma in parts]
        return np.logaddexp.reduce(terms, axis=0)

    return log_prob


def distances(draws, truth):
    return [wasserstein_distance(draws[:, k], truth[:, k]) / truth[:, k].std() for k in range(truth.shape[1])]


@BOTH
def test_correlated_gaussian(draw):
    rng = np.random.default_rng(4)
    root = 0.15 * rng.standard_normal((5, 5))
    covariance = root @ root.T
    mean = np.array([1.0, -1.0, 0.5, 0.0, -0.5])
    chains = draw(multivariate_normal(mean, covariance).logpdf, 5)
    assert chains.converged
    assert chains.rhat < 1.01
    truth = rng.multivariate_normal(mean, covariance, 40_000)
    assert max(distances(chains.y, truth)) < 0.1
    np.testing.assert_allclose(np.cov(chains.y.T), covariance, atol=0.1 * np.diag(covariance).max())


@BOTH
@pytest.mark.parametrize("weight", [0.5, 0.9, 0.97])
def test_two_modes_have_their_weights(draw, weight):
    chains = draw(gaussians((weight, 1.0, 0.08), (1 - weight, -1.0, 0.12)), 5)
    assert chains.converged
    assert chains.n_stuck <= 2  # of 512; in fourteen runs two in all rested in a tail, and moved nothing
    found = (chains.y[:, 0] > 0).mean()
    # Four standard errors of the share at the effective size that the sampler claims.
    assert found == pytest.approx(weight, abs=4 * np.sqrt(weight * (1 - weight) / chains.n_effective))
    for mode, share, sigma in [(chains.y[:, 0] > 0, weight, 0.08), (chains.y[:, 0] < 0, 1 - weight, 0.12)]:
        tolerance = 4 / np.sqrt(2 * share * chains.n_effective)
        np.testing.assert_allclose(chains.y[mode].std(axis=0), sigma, rtol=tolerance)


@BOTH
def test_three_modes_of_different_size_and_shape(draw):
    parts = [(0.5, 1.2, 0.1), (0.3, -1.0, 0.15), (0.2, np.array([1.5, -1.5, 0, 0, 0]), 0.3)]
    chains = draw(gaussians(*parts), 5)
    assert chains.converged
    rng = np.random.default_rng(0)
    choice = rng.choice(3, size=40_000, p=[0.5, 0.3, 0.2])
    mean = np.stack([np.broadcast_to(part[1], 5) for part in parts])
    sigma = np.array([part[2] for part in parts])
    truth = mean[choice] + sigma[choice, None] * rng.standard_normal((40_000, 5))
    assert max(distances(chains.y, truth)) < 0.1


@BOTH
def test_truncated_and_unconstrained_parameters(draw):
    # In y, a likelihood step at zero in the first parameter; the second is not constrained at all.
    def log_prob(y):
        inside = np.where(y[:, 0] > 0, 0.0, -np.inf)
        return inside + norm.logpdf(y[:, 0]) + norm.logpdf(y[:, 1]) + norm.logpdf(y[:, 2], 1.0, 0.05)

    chains = draw(log_prob, 3)
    assert chains.converged
    assert chains.y[:, 0].min() > 0
    rng = np.random.default_rng(0)
    truth = np.stack(
        [
            truncnorm.rvs(0, np.inf, size=40_000, random_state=rng),
            rng.standard_normal(40_000),
            rng.normal(1.0, 0.05, 40_000),
        ],
        axis=1,
    )
    assert max(distances(chains.y, truth)) < 0.1


@BOTH
def test_bent_posterior(draw):
    # A parabola 0.05 wide under a unit Gaussian: the age-tau kind of degeneracy.
    def log_prob(y):
        return norm.logpdf(y).sum(axis=1) + norm.logpdf(y[:, 1], y[:, 0] ** 2 - 1.0, 0.05)

    chains = draw(log_prob, 3)
    rng = np.random.default_rng(0)
    wide = 1.5 * rng.standard_normal((4_000_000, 1))
    curve = np.concatenate([wide, wide**2 - 1.0 + 0.05 * rng.standard_normal(wide.shape)], axis=1)
    accept = np.exp(norm.logpdf(curve).sum(axis=1) - norm.logpdf(wide[:, 0], 0, 1.5) - 1.0)
    truth = curve[rng.random(len(wide)) < 0.5 * accept]
    assert 0.5 * accept.max() < 1
    assert chains.converged
    assert max(distances(chains.y[:, :2], truth[:40_000])) < 0.1


def test_a_thin_tail_that_the_exploration_left_out_is_found():
    """A broad mode and a thin bent one, whose tail neither the starting points nor the mixture know."""

    def log_prob(y):
        bend = y[:, 1] - 0.35 * y[:, 0] ** 2
        thin = (
            norm.logpdf(y[:, 0]) + norm.logpdf(bend, 0.0, 0.1) + norm.logpdf(y[:, 2:], 0.0, 0.3).sum(axis=1)
        )
        broad = norm.logpdf(y, [4.0, 0.0, 0.0, 0.0, 0.0], 1.0).sum(axis=1)
        return np.logaddexp(np.log(2 / 3) + broad, np.log(1 / 3) + thin)

    def started(efficiency, seed):
        rng = np.random.default_rng(seed)
        y = rng.normal([4.0, 0.0, 0.0, 0.0, 0.0], size=(4000, 5))
        thin = 0.3 * rng.standard_normal((1333, 5))
        thin[:, 0] /= 0.3
        thin[:, 1] = 0.35 * thin[:, 0] ** 2 + thin[:, 1] / 3.0
        y[:1333] = thin
        y = y[(np.arange(4000) >= 1333) | (y[:, 0] > -0.7)]
        mixture = fit_mixture(y, np.ones(len(y)), 16, rng).with_defence(0.05)
        weights = np.full(len(y), 1.0 / len(y))
        return run_ensembles(log_prob, Exploration(y, log_prob(y), weights, mixture, efficiency, 0), rng)

    truth = norm.cdf(-0.7) / 3.0
    first, second = (
        np.mean([(started(efficiency, seed).y[:, 0] < -0.7).mean() for seed in range(4)])
        for efficiency in (1.0, 0.1)
    )
    # From a sweep that covers the prior, weighted points find more of it than starting points without it do.
    weighted_share = np.mean([(weighted(log_prob, 5, seed).y[:, 0] < -0.7).mean() for seed in range(4)])
    assert 0.65 * truth < weighted_share < 1.1 * truth
    # Four shares of 0.08, of 2000 effective draws each, are known to 0.003.
    assert first < 0.6 * truth  # what a single run makes of it, converged or not
    assert 0.65 * truth < second < 1.1 * truth


def test_same_seed_same_draws_and_other_seed_others():
    log_prob = gaussians((0.6, 1.0, 0.2), (0.4, -1.0, 0.2))
    first, again, other = sampled(log_prob, 3, 1), sampled(log_prob, 3, 1), sampled(log_prob, 3, 2)
    assert np.array_equal(first.y, again.y)
    assert not np.array_equal(first.y[:100], other.y[:100])


def test_global_random_state_is_left_alone():  # it is what emcee uses unless told otherwise
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    sampled(gaussians((1.0, 0.0, 0.5)), 2)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_what_cannot_be_sampled_is_not_called_converged():
    # A density that changes from call to call has no posterior: agreement between ensembles is impossible.
    state = {"calls": 0}

    def log_prob(y):
        state["calls"] += 1
        return -0.5 * ((y - 3.0 * np.sin(state["calls"])) ** 2).sum(axis=1) / 0.01**2

    chains = run_ensembles(
        log_prob, explored(gaussians((1.0, 0.0, 0.1)), 2), np.random.default_rng(0), max_steps=(60, 90)
    )
    assert not chains.converged


def test_nested_fallback_agrees_with_the_ensembles():
    log_prob = gaussians((0.7, 0.8, 0.15), (0.3, -0.8, 0.15))
    nested = run_nested(log_prob, 2, np.random.default_rng(0), n_live=300, n_effective=2000)
    assert nested.converged
    assert nested.sampler == "nautilus"
    assert max(distances(sampled(log_prob, 2).y, nested.y)) < 0.1


def test_weights_find_modes_that_one_point_in_a_million_hits():
    # sigma = 0.03 in five dimensions: no point of the sweep is within 2 sigma of the mode.
    exploration = explored(gaussians((1.0, 1.0, 0.03)), 5)
    mean = exploration.weights @ exploration.y
    np.testing.assert_allclose(mean, 1.0, atol=0.01)
    assert exploration.efficiency > 0.3


def test_a_broad_posterior_uses_a_shorter_sweep():
    kept, n_drawn = worth_keeping(np.zeros(50_000), n_most=4096)
    assert len(kept) == n_drawn == 4096
    narrow = -np.arange(50_000.0)
    kept, n_drawn = worth_keeping(narrow, n_most=4096)
    assert n_drawn == 50_000
    assert len(kept) == 4096


def test_walkers_climb_into_a_narrow_mode_and_rest_in_a_broad_one():
    log_prob = gaussians((0.5, 0.0, 0.5), (0.5, 1.5, 0.02))
    rng = np.random.default_rng(0)
    broad = 0.5 * rng.standard_normal((12, 4))
    near = 1.5 + 0.06 * rng.standard_normal((12, 4))
    y, height, n_calls = climb(log_prob, broad, log_prob(broad), rng, 12)
    assert n_calls <= 12 * 8  # of 24 steps
    both = np.concatenate([broad, near])
    y, height, n_calls = climb(log_prob, both, log_prob(both), rng, 12)
    np.testing.assert_array_equal(height, log_prob(y))
    assert height[:12].mean() < log_prob(broad).mean() + 1.0
    assert height[12:].mean() > log_prob(near).mean() + 5.0
    assert n_calls < 24 * 24


def test_a_last_round_is_as_large_as_it_takes():
    # The walkers' mixture is a poor proposal; that fitted to its points is nearly perfect.
    found = explored(multivariate_normal(np.zeros(4), 0.3).logpdf, 4)
    assert found.settled and found.efficiency > 0.7
    assert len(found.y) * found.efficiency == pytest.approx(2500, rel=0.15)


def test_effective_size():
    assert effective_size(np.zeros(10)) == pytest.approx(10.0)
    assert effective_size(np.array([0.0, -1e3, -1e3])) == pytest.approx(1.0)


def test_mixture_density_and_draws():
    rng = np.random.default_rng(0)
    weights, means = np.array([0.3, 0.7]), np.array([[0.0, 1.0], [3.0, -1.0]])
    scales = np.array([[[1.0, 0.5], [0.5, 2.0]], [[0.2, 0.0], [0.0, 0.1]]])
    mixture = Mixture(weights, means, scales)
    y = rng.normal(size=(50, 2))
    expected = sum(
        w * multivariate_t(m, s, df=8).pdf(y) for w, m, s in zip(weights, means, scales, strict=True)
    )
    np.testing.assert_allclose(mixture.log_density(y), np.log(expected), rtol=1e-10)
    draws = mixture.draw(100_000, rng)
    np.testing.assert_allclose(draws.mean(axis=0), weights @ means, atol=0.02)
    # The covariance of a t distribution is nu / (nu - 2) times its scale matrix.
    within = np.einsum("k,kij->ij", weights, scales) * 8 / 6
    offset = means - weights @ means
    np.testing.assert_allclose(np.cov(draws.T), within + (offset.T * weights) @ offset, atol=0.05)


def test_mixture_fit_recovers_weighted_components():
    rng = np.random.default_rng(0)
    y = np.concatenate([rng.normal(0, 1, (4000, 3)), rng.normal(6, 0.5, (4000, 3))])
    weights = np.repeat([0.2, 0.8], 4000)
    mixture = fit_mixture(y, weights, 2, rng)
    order = np.argsort(mixture.means[:, 0])
    np.testing.assert_allclose(mixture.weights[order], [0.2, 0.8], atol=0.02)
    np.testing.assert_allclose(mixture.means[order], [[0, 0, 0], [6, 6, 6]], atol=0.1)
