"""A mixture of Student t distributions, fitted to weighted points: the sampler's map of the modes."""

import numpy as np
from scipy.special import gammaln

__all__ = ["Mixture", "fit_mixture"]

# Tails heavy enough to cover what a Gaussian mixture misses, light enough to waste few draws.
_NU = 8.0

# Mean log likelihood of a point to be gained by an iteration that is worth its time.
_GAIN = 1e-3


class Mixture:
    """Mixture of multivariate t distributions with 8 degrees of freedom.

    Parameters
    ----------
    weights : (n_components,) array
        Adding up to 1.
    means : (n_components, n_dim) array
    scales : (n_components, n_dim, n_dim) array
        Positive-definite scale matrices.
    """

    def __init__(self, weights: np.ndarray, means: np.ndarray, scales: np.ndarray) -> None:
        self.weights, self.means, self.scales = weights, means, scales
        self._roots = np.linalg.cholesky(scales)
        self._inverse = np.linalg.inv(self._roots)
        n_dim = means.shape[1]
        self._norm = (
            np.log(weights)
            + gammaln(0.5 * (_NU + n_dim))
            - gammaln(0.5 * _NU)
            - 0.5 * n_dim * np.log(np.pi * _NU)
            - np.log(np.diagonal(self._roots, axis1=1, axis2=2)).sum(axis=1)
        )
        # One matrix product whitens all points for all components at once.
        self._stack = self._inverse.reshape(-1, n_dim)
        self._offset = np.einsum("kij,kj->ki", self._inverse, means).reshape(-1, 1)

    def distances(self, y: np.ndarray) -> np.ndarray:
        """Squared Mahalanobis distances (n_components, n) of the points y (n, n_dim)."""
        # Points run along the last axis, where sums over components and dimensions are fast.
        white = self._stack @ y.T - self._offset
        white *= white
        return white.reshape(*self.means.shape, len(y)).sum(axis=1)

    def log_components(self, distances: np.ndarray) -> np.ndarray:
        """Log of weight times density of each component at the given distances, (n_components, n)."""
        power = 0.5 * (_NU + self.means.shape[1])
        return self._norm[:, None] - power * np.log(1.0 + distances / _NU)

    def log_density(self, y: np.ndarray) -> np.ndarray:
        """Log density (n,) at the points y (n, n_dim)."""
        parts = self.log_components(self.distances(y))
        peak = parts.max(axis=0)
        return peak + np.log(np.exp(parts - peak).sum(axis=0))

    def draw(self, n: int, rng: np.random.Generator | np.random.RandomState) -> np.ndarray:
        """Points (n, n_dim) drawn from the mixture."""
        component = rng.choice(len(self.weights), size=n, p=self.weights)
        z = rng.standard_normal((n, self.means.shape[1]))
        z /= np.sqrt(rng.chisquare(_NU, size=n) / _NU)[:, None]
        return self.means[component] + np.einsum("nij,nj->ni", self._roots[component], z)

    def with_defence(self, share: float) -> "Mixture":
        """The mixture with a unit Gaussian's worth of probability `share` spread over the whole prior."""
        n_dim = self.means.shape[1]
        return Mixture(
            np.append(self.weights * (1.0 - share), share),
            np.concatenate([self.means, np.zeros((1, n_dim))]),
            np.concatenate([self.scales, np.eye(n_dim)[None]]),
        )


def _seeds(y: np.ndarray, p: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Points far apart, k-means++ fashion, among points already whitened."""
    chosen = [rng.choice(len(y), p=p)]
    nearest = ((y - y[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(n - 1):
        share = p * nearest
        if share.sum() <= 0:
            break
        chosen.append(rng.choice(len(y), p=share / share.sum()))
        nearest = np.minimum(nearest, ((y - y[chosen[-1]]) ** 2).sum(axis=1))
    return np.array(chosen)


def fit_mixture(
    y: np.ndarray,
    weights: np.ndarray,
    n_components: int,
    rng: np.random.Generator,
    n_iterations: int = 25,
    centres: np.ndarray | None = None,
) -> Mixture:
    """Mixture fitted to weighted points by expectation-maximisation.

    Parameters
    ----------
    y : (n, n_dim) array
        Points; more than n_dim of them distinct.
    weights : (n,) array
        Non-negative weights, of any sum.
    n_components : int
        Largest number of components; those left without points are dropped.
    rng : numpy.random.Generator
        Chooses the starting centres.
    n_iterations : int
        Most iterations.
    centres : (n_centres, n_dim) array, optional
        Starting centres, instead of `n_components` chosen ones.
    """
    n_dim = y.shape[1]
    p = weights / weights.sum()
    centre = p @ y
    # The covariance of all points, kept from vanishing, is the unit in which components may shrink.
    spread = (y - centre).T @ ((y - centre) * p[:, None]) + 1e-10 * np.eye(n_dim)
    effective = 1.0 / (p**2).sum()
    if centres is None:
        white = np.linalg.solve(np.linalg.cholesky(spread), (y - centre).T).T
        centres = y[_seeds(white, p, n_components, rng)]
    k = len(centres)
    mixture = Mixture(np.full(k, 1.0 / k), centres, np.repeat(spread[None] / k ** (2.0 / n_dim), k, axis=0))
    # A few points' worth of a narrow version of the whole keeps the matrices well conditioned.
    prior_count = (n_dim + 1.0) / effective
    floor = prior_count * spread / k ** (2.0 / n_dim)
    # Second moments of all points, taken about their centre to keep their digits.
    offset = y - centre
    moments = np.einsum("ni,nj->nij", offset, offset).reshape(len(y), -1)
    likelihood = -np.inf
    for _ in range(n_iterations):
        distances = mixture.distances(y)
        parts = mixture.log_components(distances)
        peak = parts.max(axis=0)
        share = np.exp(parts - peak)
        total = share.sum(axis=0)
        before, likelihood = likelihood, p @ (peak + np.log(total))
        if likelihood - before < _GAIN:
            break
        share *= p / total
        count = share.sum(axis=1)
        keep = count * effective > n_dim
        if not keep.any():
            break
        share, count = share[keep], count[keep]
        pull = share * (_NU + n_dim) / (_NU + distances[keep])
        pulled = pull.sum(axis=1)
        shift = (pull @ offset) / pulled[:, None]
        scatter = (pull @ moments).reshape(-1, n_dim, n_dim)
        scatter -= pulled[:, None, None] * shift[:, :, None] * shift[:, None, :]
        scales = (scatter + floor) / (count + prior_count)[:, None, None]
        mixture = Mixture(count / count.sum(), centre + shift, scales)
    return mixture
