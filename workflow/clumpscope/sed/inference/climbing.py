"""Walkers that climb from a sweep into the modes near them, so that narrow ones are not overlooked.

A sweep seldom has a point inside a narrow mode, and a broad mode that it does hit hides the others.
Walkers spread over all the better points climb by Metropolis steps along the differences of their own
neighbours, a local form of differential evolution. Where they end says where the modes are and how wide,
not how much each weighs: `exploration` finds that by importance weights.
"""

from collections.abc import Callable

import numpy as np

__all__ = ["basins", "climb"]

# A basin whose walkers have not risen by this much, in the mean, over so many steps is where it belongs.
_RISE, _PAUSE = 0.5, 4


def _neighbours(y: np.ndarray, n: int) -> np.ndarray:
    """Indices (n_walkers, n) of the nearest other walkers."""
    square = (y**2).sum(axis=1)
    distance = square[:, None] + square - 2.0 * (y @ y.T)
    np.fill_diagonal(distance, np.inf)
    return np.argpartition(distance, n, axis=1)[:, :n]


def basins(y: np.ndarray, height: np.ndarray, n_basins: int = 32, n_each: int = 12) -> np.ndarray:
    """Starting points in every basin: points higher than their neighbours, and those neighbours.

    Parameters
    ----------
    y : (n, n_dim) array
        Points that cover the space, such as a sweep.
    height : (n,) array
        Log density at them, over that of the points themselves.
    n_basins : int
        Most basins; the highest are kept.
    n_each : int
        Points of each basin, its highest and that one's nearest.

    Returns
    -------
    (k, n_each) int array
        Indices into `y`, one row for each basin.
    """
    from scipy.spatial import cKDTree

    near = cKDTree(y).query(y, min(n_each, len(y)))[1]
    tops = np.flatnonzero((height[near] <= height[:, None]).all(axis=1))
    tops = tops[np.argsort(-height[tops], kind="stable")[:n_basins]]
    return near[tops]


def climb(
    log_prob: Callable[[np.ndarray], np.ndarray],
    y: np.ndarray,
    log_prob_y: np.ndarray,
    rng: np.random.Generator,
    n_each: int,
    n_steps: int = 24,
    n_neighbours: int = 12,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Move walkers uphill in their neighbourhoods, those of each basin as long as they rise.

    Parameters
    ----------
    log_prob : callable
        Log density (n,) at points (n, n_dim).
    y, log_prob_y : (n, n_dim) and (n,) arrays
        Starting points and their log density, basin by basin.
    rng : numpy.random.Generator
    n_each : int
        Walkers of a basin.
    n_steps : int
        Most steps; each costs an evaluation for every walker that still climbs.
    n_neighbours : int
        Neighbours whose differences are tried as steps.

    Returns
    -------
    y, log_prob_y : arrays as the input
        Where the walkers ended.
    n_calls : int
        Evaluations.
    """
    y, log_prob_y = y.copy(), log_prob_y.copy()
    n_dim, n_calls = y.shape[1], 0
    row, before = np.arange(len(y)), log_prob_y.reshape(-1, n_each).mean(axis=1)
    climbing = np.ones(len(before), dtype=bool)
    n_neighbours = min(n_neighbours, len(y) - 1)
    for step in range(n_steps):
        if step % _PAUSE == 0 and step > 0:
            height = log_prob_y.reshape(-1, n_each).mean(axis=1)
            # So is one that has come as high as the typical points of the highest mode, half a unit for each dimension
            # below its top, unless it arrived there faster than the way between them.
            level = height > log_prob_y.max() - 0.5 * n_dim
            climbing &= height - before > np.where(level, 0.5 * n_dim, _RISE)
            before, row = height, np.flatnonzero(np.repeat(climbing, n_each))
            if not len(row):
                break
        if step % 4 == 0:
            near = _neighbours(y, n_neighbours)
        n = len(row)
        first, second = (near[row, rng.integers(n_neighbours, size=n)] for _ in range(2))
        # Half of the steps are taken at any fraction of the usual length, for walkers far from their mode.
        length = 2.38 / np.sqrt(2.0 * n_dim) * np.where(rng.random(n) < 0.5, 1.0, rng.random(n))
        new = y[row] + length[:, None] * (y[first] - y[second]) + 1e-3 * rng.standard_normal((n, n_dim))
        log_prob_new = log_prob(new)
        n_calls += n
        better = np.log(rng.random(n)) < log_prob_new - log_prob_y[row]
        y[row[better]], log_prob_y[row[better]] = new[better], log_prob_new[better]
    return y, log_prob_y, n_calls
