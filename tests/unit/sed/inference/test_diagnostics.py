import numpy as np
import pytest
from clumpscope.sed.inference.diagnostics import (
    effective_sample_size,
    pareto_shape,
    split_rhat,
    stuck_walkers,
)


def autoregressive(rho, shape, seed):
    rng = np.random.default_rng(seed)
    x = np.empty(shape)
    x[:, 0] = rng.standard_normal(shape[0])
    for t in range(1, shape[1]):
        x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(shape[0])
    return x


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_agrees_with_arviz(rho):
    from arviz_stats.base import array_stats

    x = autoregressive(rho, (4, 600), seed=3)
    x[0] += 0.3
    assert split_rhat(x) == pytest.approx(float(array_stats.rhat(x, method="rank")), rel=1e-6)
    assert effective_sample_size(x[:, :, None])[0] == pytest.approx(
        float(array_stats.ess(x, method="bulk")), rel=0.03
    )


@pytest.mark.parametrize("rho", [0.0, 0.7, 0.9])
def test_size_of_an_autoregressive_chain(rho):
    x = autoregressive(rho, (64, 400), seed=1)
    assert effective_sample_size(x[:, :, None])[0] == pytest.approx(x.size * (1 - rho) / (1 + rho), rel=0.15)


def test_chains_in_different_modes_are_seen():
    x = np.random.default_rng(0).standard_normal((2, 2000))
    assert split_rhat(x) < 1.005
    x[1] += 1.0
    assert split_rhat(x) > 1.1
    # Same centre, different width: only the folded statistic sees it.
    x = np.random.default_rng(0).standard_normal((2, 2000))
    x[1] *= 3.0
    assert split_rhat(x) > 1.1


def test_walkers_in_different_modes_have_a_small_size():
    x = np.random.default_rng(0).standard_normal((64, 100, 2))
    x[:32, :, 1] += 20.0
    size = effective_sample_size(x)
    assert size[0] > 4000
    assert size[1] < 200


def test_a_walker_that_never_moves_is_stuck():
    accepted = np.full(64, 40)
    accepted[[3, 7]] = [0, 2]
    assert np.flatnonzero(stuck_walkers(accepted)).tolist() == [3, 7]


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
def test_the_tail_of_weights_is_that_of_arviz(k):
    from arviz_stats.base import array_stats

    # Pareto weights of this shape, with a body that has none.
    weights = np.random.default_rng(7).uniform(size=20_000) ** -k + 5.0
    found = pareto_shape(np.log(weights))
    # It takes log likelihoods, whose weights are their inverse.
    assert found == pytest.approx(float(array_stats.psislw(-np.log(weights))[1]), rel=1e-6)
    assert found == pytest.approx(k, abs=0.15)


def test_weights_that_are_alike_have_no_tail():
    assert pareto_shape(np.zeros(1000)) < 0.1
    assert pareto_shape(np.random.default_rng(1).uniform(-0.1, 0.1, 1000)) < 0.1
