"""From a sweep of the prior to weighted points in every mode of a posterior.

Population Monte Carlo: a mixture is fitted to the weighted points, new points are drawn from it, and
all points are re-weighted against everything drawn so far (the deterministic mixture of Owen & Zhou
2000), tempered as long as too few points carry the weight. Modes keep their right weights, since every
weight is posterior over known density. Once there are enough points, whose weights have no heavy tail, a larger
round from the mixture fitted to them is the posterior by itself: of points that a mixture was fitted to, those in
the tails weigh a little too little. Where its own weights have a heavy tail, it has found what the mixture lacks: its
points join the others for a few more such rounds. If none will do, the points are where ensembles start from.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .climbing import basins, climb
from .diagnostics import pareto_shape
from .proposal import Mixture, fit_mixture

__all__ = ["Exploration", "effective_size", "explore", "log_unit_gaussian", "resample", "worth_keeping"]

LogProb = Callable[[np.ndarray], np.ndarray]

# The share of a proposal that covers the whole prior, whatever the points say.
_DEFENCE = 0.05
_MOST_COMPONENTS = 16
# Iterations of the fit of a mixture: 25 take twice the time and make proposals a fiftieth more efficient.
_ITERATIONS = 10
# Shapes of the tail of weights up to which their variance is finite, and up to which means are reliable (Vehtari et al. 2024, JMLR 25, 72).
_FINITE_VARIANCE, _RELIABLE = 0.5, 0.7
# Effective points that the last round is made for, over those asked for; and the most points it has, over the same.
_LAST, _MOST_LAST = 1.25, 6.0
# Points of its beginning, which tell how many it takes, over the same.
_FIRST = 1.0
# Such rounds whose weights could not be trusted after which others go on.
_MOST_TRIES = 4


@dataclass(frozen=True, eq=False)
class Exploration:
    """Weighted points of a posterior, and a mixture that resembles it.

    Attributes
    ----------
    y : (n, n_dim) array
        Points: those of the last round where the weights can be trusted, else of all.
    log_prob : (n,) array
        Log posterior density, not normalised.
    weights : (n,) array
        Importance weights, adding up to 1.
    mixture : Mixture
        That of the last round where the weights can be trusted; else fitted to all points.
    efficiency : float
        Effective over drawn points of the last mixture.
    n_calls : int
        Evaluations of the posterior, the sweep not counted.
    settled : bool
        Whether the weights can be trusted: enough effective points, and no heavy tail.
    """

    y: np.ndarray
    log_prob: np.ndarray
    weights: np.ndarray
    mixture: Mixture
    efficiency: float
    n_calls: int
    settled: bool = False

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Points (n, n_dim) resampled by weight."""
        return self.y[resample(self.weights, n, rng)]


def resample(weights: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Indices (n,) of points drawn by weight: systematically, in random order."""
    edges = np.cumsum(weights)
    position = (np.arange(n) + rng.random()) / n * edges[-1]
    return rng.permutation(np.minimum(np.searchsorted(edges, position, side="right"), len(edges) - 1))


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


def log_unit_gaussian(y: np.ndarray) -> np.ndarray:
    """Log density (n,) of the unit Gaussian at points y (n, n_dim)."""
    return -0.5 * (y**2).sum(axis=1) - 0.5 * y.shape[1] * np.log(2.0 * np.pi)


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


def _fit(y: np.ndarray, log_weights: np.ndarray, rng: np.random.Generator, n_points: int = 3000) -> Mixture:
    weights = np.exp(log_weights - log_weights.max())
    heavy = weights > 1e-5
    y, weights = y[heavy], weights[heavy]
    if len(y) > n_points:
        # Enough points fix the mixture; more would only cost time.
        count = rng.multinomial(n_points, weights / weights.sum())
        y, weights = y[count > 0], count[count > 0].astype(float)
    effective = weights.sum() ** 2 / (weights**2).sum()
    n_components = int(np.clip(effective / (4.0 * y.shape[1]), 1, _MOST_COMPONENTS))
    return fit_mixture(y, weights, n_components, rng, _ITERATIONS).with_defence(_DEFENCE)


def explore(
    log_prob: LogProb,
    y: np.ndarray,
    log_prob_y: np.ndarray,
    n_drawn: int,
    rng: np.random.Generator,
    n_effective: float = 2000.0,
    log_sweep: LogProb = log_unit_gaussian,
    n_batch: int = 1536,
    max_rounds: int = 20,
) -> Exploration:
    """Find the modes and their weights.

    Parameters
    ----------
    log_prob : callable
        Log posterior density (n,) at points (n, n_dim), in coordinates whose prior has about the width of a unit Gaussian.
    y, log_prob_y : (n, n_dim) and (n,) arrays
        The points of a sweep that carry weight, and their log_prob.
    n_drawn : int
        How many points that sweep had.
    rng : numpy.random.Generator
    n_effective : float
        Effective size of all points to reach.
    log_sweep : callable
        Log density (n,) that the sweep was drawn from, at points (n, n_dim).
    n_batch : int
        Points drawn in the first round; each further one draws a tenth more.
    max_rounds : int
        Most rounds.
    """
    n_dim = y.shape[1]
    least = 60.0 * n_dim
    log_drawn = np.log(n_drawn) + log_sweep(y)
    groups = basins(y, log_prob_y - log_drawn)
    start = groups.ravel()
    walkers, _, n_calls = climb(log_prob, y[start], log_prob_y[start], rng, groups.shape[1])
    # One component for each basin to begin with, so that a narrow one with few walkers is not merged away.
    centres = walkers.reshape(*groups.shape, n_dim).mean(axis=1)
    mixture = fit_mixture(walkers, np.ones(len(start)), len(groups), rng, centres=centres).with_defence(
        _DEFENCE
    )
    drawn_from: list[tuple[Mixture, float]] = []
    n_tries, efficiency = 0, 1.0
    settled = ready = False
    for n_usual in (n_batch * 1.1 ** np.arange(max_rounds)).astype(int):
        new = mixture.draw(int(_FIRST * n_effective) if ready else n_usual, rng)
        new_log_prob, density = log_prob(new), mixture.log_density(new)
        if ready:
            # As many more as these tell that it takes.
            efficiency = effective_size(new_log_prob - density) / len(new)
            n_more = int(n_effective * min(_LAST / efficiency, _MOST_LAST)) - len(new)
            more = mixture.draw(max(n_more, 0), rng)
            new = np.concatenate([new, more])
            new_log_prob = np.concatenate([new_log_prob, log_prob(more)])
            density = np.concatenate([density, mixture.log_density(more)])
        n_new = len(new)
        n_calls += n_new
        new_weights = new_log_prob - density
        enough = effective_size(new_weights)
        efficiency = enough / n_new
        settled = ready and enough >= 0.5 * n_effective and pareto_shape(new_weights) < _RELIABLE
        if settled:
            y, log_prob_y, log_weights = new, new_log_prob, new_weights
            break
        n_tries += ready
        if n_tries == _MOST_TRIES:
            break
        drawn = np.logaddexp(np.log(n_drawn) + log_sweep(new), np.log(n_new) + density)
        for earlier, log_n in drawn_from:
            drawn = np.logaddexp(drawn, log_n + earlier.log_density(new))
        log_drawn = np.logaddexp(log_drawn, np.log(n_new) + mixture.log_density(y))
        drawn_from.append((mixture, np.log(n_new)))
        y, log_prob_y = np.concatenate([y, new]), np.concatenate([log_prob_y, new_log_prob])
        log_drawn = np.concatenate([log_drawn, drawn])
        log_weights = log_prob_y - log_drawn
        ready = effective_size(log_weights) >= n_effective and pareto_shape(log_weights) < _FINITE_VARIANCE
        mixture = _fit(y, log_weights if ready else _temperature(log_weights, least) * log_weights, rng)
    weights = np.exp(log_weights - log_weights.max())
    return Exploration(
        y=y,
        log_prob=log_prob_y,
        weights=weights / weights.sum(),
        mixture=mixture,
        efficiency=efficiency,
        n_calls=n_calls,
        settled=settled,
    )
