"""A mixture of Student t distributions, fitted to weighted points: the sampler's map of the modes."""

import numpy as np
from scipy.special import gammaln

__all__ = ["Mixture", "fit_mixture"]

# Tails heavy enough to cover what a Gaussian mixture misses, light enough to waste few draws.
_NU = 8.0


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
        self._stack = self._inverse.reshape(-1, n_dim).T
        self._offset = np.einsum("kij,kj->ki", self._inverse, means).ravel()

    def distances(self, y: np.ndarray) -> np.ndarray:
        """Squared Mahalanobis distances (n, n_components) of the points y (n, n_dim)."""
        white = y @ self._stack - self._offset
        return (white.reshape(len(y), *self.means.shape) ** 2).sum(axis=2)

    def log_components(self, y: np.ndarray) -> np.ndarray:
        """Log of weight times density of each component, (n, n_components)."""
        return self._norm - 0.5 * (_NU + y.shape[1]) * np.log1p(self.distances(y) / _NU)

    def log_density(self, y: np.ndarray) -> np.ndarray:
        """Log density (n,) at the points y (n, n_dim)."""
        parts = self.log_components(y)
        peak = parts.max(axis=1)
        return peak + np.log(np.exp(parts - peak[:, None]).sum(axis=1))

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
    for _ in range(n_iterations):
        distance = mixture.distances(y)
        parts = mixture._norm - 0.5 * (_NU + n_dim) * np.log1p(distance / _NU)
        share = np.exp(parts - parts.max(axis=1, keepdims=True))
        share *= (p / share.sum(axis=1))[:, None]
        count = share.sum(axis=0)
        keep = count * effective > n_dim
        if not keep.any():
            break
        share, count = share[:, keep], count[keep]
        pull = share * (_NU + n_dim) / (_NU + distance[:, keep])
        means = (pull.T @ y) / pull.sum(axis=0)[:, None]
        scales = np.empty((len(count), n_dim, n_dim))
        for j, mean in enumerate(means):
            offset = y - mean
            scales[j] = (offset.T @ (offset * pull[:, j : j + 1]) + floor) / (count[j] + prior_count)
        mixture = Mixture(count / count.sum(), means, scales)
    return mixture
