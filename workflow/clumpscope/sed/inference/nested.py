"""Nested sampling, for the posteriors that the ensembles cannot settle."""

import numpy as np
from scipy.special import ndtri

from .exploration import LogProb, effective_size
from .sampler import Chains, from_weights

__all__ = ["run_nested"]


def run_nested(
    log_prob: LogProb,
    n_dim: int,
    rng: np.random.Generator,
    n_live: int = 1000,
    n_effective: float = 4000.0,
    max_calls: int = 400_000,
    n_draws: int = 4000,
) -> Chains:
    """Draw from a posterior by importance nested sampling (nautilus, Lange 2023).

    Parameters
    ----------
    log_prob : callable
        Log posterior density (n,) at points (n, n_dim), in coordinates whose prior is near a unit Gaussian.
    n_dim : int
    rng : numpy.random.Generator
    n_live, n_effective, max_calls : int
        Live points, effective sample size to reach, and most evaluations.
    n_draws : int
        Draws to return.
    """
    from nautilus import Sampler  # scikit-learn, which only this fallback needs

    def prior(u: np.ndarray) -> np.ndarray:
        return ndtri(np.clip(u, 1e-12, 1.0 - 1e-12))

    def log_ratio(y: np.ndarray) -> np.ndarray:
        return log_prob(y) + 0.5 * (y**2).sum(axis=1) + 0.5 * n_dim * np.log(2.0 * np.pi)

    sampler = Sampler(
        prior,
        log_ratio,
        n_dim=n_dim,
        n_live=n_live,
        n_networks=1,  # an ensemble of networks costs minutes and saves a second of model calls
        vectorized=True,
        pass_dict=False,
        seed=int(rng.integers(2**31)),
    )
    finished = sampler.run(n_eff=n_effective, n_like_max=max_calls, discard_exploration=True, verbose=False)
    points, log_weights, _ = sampler.posterior()
    weights = np.exp(log_weights - log_weights.max())
    converged = bool(finished) and effective_size(log_weights) >= 0.5 * n_effective
    return from_weights(points, weights, n_draws, rng, "nautilus", converged, int(sampler.n_like))
