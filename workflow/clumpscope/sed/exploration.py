"""From a sweep of the prior to weighted points in every mode of a posterior.

Population Monte Carlo: a mixture is fitted to the weighted points, new points are drawn from it, and
all points are re-weighted against everything drawn so far (the deterministic mixture of Owen & Zhou
2000), tempered as long as too few points carry the weight. Modes keep their right weights, since every
weight is posterior over known density.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .climbing import CLIMBING_STEPS, basins, climb
from .proposal import Mixture, fit_mixture

__all__ = ["Exploration", "effective_size", "explore", "worth_keeping"]

LogProb = Callable[[np.ndarray], np.ndarray]

# The share of a proposal that covers the whole prior, whatever the points say.
_DEFENCE = 0.05
_MOST_COMPONENTS = 16


@dataclass(frozen=True, eq=False)
class Exploration:
    """Weighted points of a posterior, and a mixture that resembles it.

    Attributes
    ----------
    y : (n, n_dim) array
        Points.
    log_prob : (n,) array
        Log posterior density, not normalised.
    weights : (n,) array
        Importance weights, adding up to 1.
    mixture : Mixture
        Fitted to the points.
    efficiency : float
        Effective over drawn points of the last mixture.
    n_calls : int
        Evaluations of the posterior, the sweep not counted.
    """

    y: np.ndarray
    log_prob: np.ndarray
    weights: np.ndarray
    mixture: Mixture
    efficiency: float
    n_calls: int

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Points (n, n_dim) resampled by weight (systematically, in random order)."""
        edges = np.cumsum(self.weights)
        position = (np.arange(n) + rng.random()) / n * edges[-1]
        index = np.minimum(np.searchsorted(edges, position, side="right"), len(edges) - 1)
        return self.y[rng.permutation(index)]


def worth_keeping(log_weights: np.ndarray, n_most: int = 2048, depth: float = 25.0) -> tuple[np.ndarray, int]:
    """Points of a sweep that carry weight, and the number of points they stand for.

    Where more than `n_most` points lie within `depth` of the largest log weight, a shorter beginning of
    the sweep is enough; where fewer do, the best `n_most` are kept, for a tempered start.

    Parameters
    ----------
    log_weights : (n,) array
        Log of posterior over prior density, in the order of the sweep.

    Returns
    -------
    index : (k,) int array
    n_drawn : int
        Length of the beginning of the sweep that was searched.
    """
    near = log_weights > log_weights.max() - depth
    if near.sum() > n_most:
        n_drawn = int(np.flatnonzero(near)[n_most - 1]) + 1
        return np.flatnonzero(near[:n_drawn]), n_drawn
    n_best = min(n_most, len(log_weights))
    return np.sort(np.argpartition(-log_weights, n_best - 1)[:n_best]), len(log_weights)


def effective_size(log_weights: np.ndarray) -> float:
    """Effective sample size (sum w)^2 / sum w^2."""
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights**2).sum())


def _temperature(log_weights: np.ndarray, least: float) -> float:
    """Largest exponent <= 1 of the weights at which their effective size is at least `least`."""
    if effective_size(log_weights) >= least:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective_size(middle * log_weights) >= least else (low, middle)
    return low


def _fit(y: np.ndarray, log_weights: np.ndarray, rng: np.random.Generator, n_points: int = 2000) -> Mixture:
    weights = np.exp(log_weights - log_weights.max())
    heavy = weights > 1e-5
    y, weights = y[heavy], weights[heavy]
    if len(y) > n_points:
        # Enough points fix the mixture; more would only cost time.
        count = rng.multinomial(n_points, weights / weights.sum())
        y, weights = y[count > 0], count[count > 0].astype(float)
    effective = weights.sum() ** 2 / (weights**2).sum()
    n_components = int(np.clip(effective / (4.0 * y.shape[1]), 1, _MOST_COMPONENTS))
    return fit_mixture(y, weights, n_components, rng).with_defence(_DEFENCE)


def explore(
    log_prob: LogProb,
    y: np.ndarray,
    log_prob_y: np.ndarray,
    n_drawn: int,
    rng: np.random.Generator,
    n_batch: int = 1536,
    max_rounds: int = 14,
    good: float = 0.4,
) -> Exploration:
    """Find the modes and their weights.

    Parameters
    ----------
    log_prob : callable
        Log posterior density (n,) at points (n, n_dim), in coordinates whose prior is near a unit Gaussian.
    y, log_prob_y : (n, n_dim) and (n,) arrays
        The points of a sweep drawn from the unit Gaussian that carry weight, and their log_prob.
    n_drawn : int
        How many points that sweep had.
    rng : numpy.random.Generator
    n_batch : int
        Points drawn in each round.
    max_rounds : int
        Most rounds.
    good : float
        Efficiency of a mixture at which to stop.
    """
    n_dim = y.shape[1]
    normal = -0.5 * n_dim * np.log(2.0 * np.pi)
    least = 60.0 * n_dim
    log_drawn = np.log(n_drawn) + normal - 0.5 * (y**2).sum(axis=1)
    log_weights = log_prob_y - log_drawn
    groups = basins(y, log_weights)
    start = groups.ravel()
    walkers, _ = climb(log_prob, y[start], log_prob_y[start], rng)
    # One component for each basin to begin with, so that a narrow one with few walkers is not merged away.
    centres = walkers.reshape(*groups.shape, n_dim).mean(axis=1)
    mixture = fit_mixture(walkers, np.ones(len(start)), len(groups), rng, centres=centres).with_defence(
        _DEFENCE
    )
    mixtures: list[Mixture] = []
    efficiencies: list[float] = []
    for _ in range(max_rounds):
        new = mixture.draw(n_batch, rng)
        new_log_prob = log_prob(new)
        density = mixture.log_density(new)
        drawn = np.logaddexp(np.log(n_drawn) + normal - 0.5 * (new**2).sum(axis=1), np.log(n_batch) + density)
        for earlier in mixtures:
            drawn = np.logaddexp(drawn, np.log(n_batch) + earlier.log_density(new))
        log_drawn = np.logaddexp(log_drawn, np.log(n_batch) + mixture.log_density(y))
        mixtures.append(mixture)
        y, log_prob_y = np.concatenate([y, new]), np.concatenate([log_prob_y, new_log_prob])
        log_drawn = np.concatenate([log_drawn, drawn])
        log_weights = log_prob_y - log_drawn
        temperature = _temperature(log_weights, least)
        mixture = _fit(y, temperature * log_weights, rng)
        efficiencies.append(effective_size(new_log_prob - density) / n_batch)
        settled = len(efficiencies) > 3 and efficiencies[-1] < 1.1 * max(efficiencies[:-1])
        if temperature == 1.0 and (efficiencies[-1] > good or settled):
            break
    weights = np.exp(log_weights - log_weights.max())
    return Exploration(
        y=y,
        log_prob=log_prob_y,
        weights=weights / weights.sum(),
        mixture=mixture,
        efficiency=efficiencies[-1],
        n_calls=n_batch * len(mixtures) + len(start) * CLIMBING_STEPS,
    )
