"""Has the posterior converged? Split R-hat, effective sample size, stuck walkers; the tail of importance weights.

Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021, Bayesian Analysis 16, 667); Vehtari, Simpson, Gelman, Yao & Gabry
(2024, JMLR 25, 72).
"""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri

__all__ = ["effective_sample_size", "pareto_shape", "split_rhat", "stuck_walkers"]


def _split(chains: np.ndarray) -> np.ndarray:
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def _plain_rhat(chains: np.ndarray) -> float:
    n = chains.shape[1]
    within = chains.var(axis=1, ddof=1).mean()
    if within == 0.0:
        return 1.0 if np.ptp(chains) == 0.0 else np.inf
    between = chains.mean(axis=1).var(ddof=1)
    return float(np.sqrt((n - 1) / n + between / within))


def _rank_normal(chains: np.ndarray) -> np.ndarray:
    # Rejected moves repeat values: ties share their mean rank.
    _, inverse, count = np.unique(chains, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - 0.5 * (count - 1))[inverse].reshape(chains.shape)
    return ndtri((rank - 0.375) / (chains.size + 0.25))


def split_rhat(chains: np.ndarray) -> float:
    """Rank-normalised split R-hat of one quantity, the larger of its bulk and folded values.

    Parameters
    ----------
    chains : (n_chains, n_draws) array
        Draws in the order of time.

    Returns
    -------
    float
        1 when the chains and their halves agree (Vehtari+2021 eq. 14).
    """
    chains = _split(np.asarray(chains, dtype=float))
    folded = np.abs(chains - np.median(chains))
    return max(_plain_rhat(_rank_normal(chains)), _plain_rhat(_rank_normal(folded)))


def effective_sample_size(chains: np.ndarray) -> np.ndarray:
    """Effective number of independent draws behind the bulk of each quantity.

    Parameters
    ----------
    chains : (n_chains, n_draws, n_quantities) array

    Returns
    -------
    (n_quantities,) array
        Of the ranks, so that monotonic transformations do not matter. Between-chain variance counts:
        chains that sit in different modes have a small size (Vehtari+2021 sections 3.2 and 4.1, with
        Geyer's initial monotone sequence).
    """
    chains = np.asarray(chains, dtype=float)
    x = _split(np.stack([_rank_normal(chains[:, :, k]) for k in range(chains.shape[2])], axis=2))
    m, n, _ = x.shape
    mean = x.mean(axis=1, keepdims=True)
    size = next_fast_len(2 * n)
    spectrum = rfft(x - mean, size, axis=1)
    covariance = irfft(np.abs(spectrum) ** 2, size, axis=1)[:, :n] / n
    covariance = covariance.mean(axis=0)
    within = covariance[0] * n / (n - 1)
    total = within * (n - 1) / n + (mean[:, 0].var(axis=0, ddof=1) if m > 1 else 0.0)
    sizes = np.full(x.shape[2], float(m * n))
    for k in np.flatnonzero(total > 0):
        rho = 1.0 - (within[k] - covariance[:, k] * n / (n - 1)) / total[k]
        rho[0] = 1.0
        pairs = rho[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
        negative = np.flatnonzero(pairs < 0)
        pairs = np.minimum.accumulate(pairs[: negative[0]] if negative.size else pairs)
        tau = max(2.0 * pairs.sum() - 1.0, 1.0 / np.log10(m * n))
        sizes[k] = m * n / tau
    return sizes


def stuck_walkers(accepted: np.ndarray, factor: float = 0.1) -> np.ndarray:
    """Which walkers moved less than `factor` times as often as the median walker, as an (n,) bool array."""
    accepted = np.asarray(accepted, dtype=float)
    return accepted < factor * np.median(accepted)


def pareto_shape(log_weights: np.ndarray) -> float:
    """Shape k of the generalised Pareto distribution of the largest importance weights.

    Moments of order 1 / k and higher do not exist: below 0.5 the variance of the weights is finite (Vehtari+2024 section 3).

    Parameters
    ----------
    log_weights : (n,) array
        More than 25.

    Returns
    -------
    float
        The empirical Bayes estimate of Zhang & Stephens (2009, Technometrics 51, 316), drawn to 0.5 as if by ten more points;
        infinite where the largest weights are all equal to each other but not to the rest.
    """
    n_tail = int(min(0.2 * len(log_weights), 3.0 * np.sqrt(len(log_weights))))
    largest = np.sort(np.partition(log_weights, -n_tail - 1)[-n_tail - 1 :])
    x = np.exp(largest - largest[-1])
    x = x[1:] - x[0]
    if x[0] <= 0.0:
        x = x[x > 0.0]
        if len(x) < 5:
            return 0.0 if not len(x) else np.inf
    n = len(x)
    n_grid = 30 + int(np.sqrt(n))
    theta = 1.0 / x[-1] + (1.0 - np.sqrt(n_grid / (np.arange(1, n_grid + 1) - 0.5))) / (
        3.0 * x[int(0.25 * n + 0.5) - 1]
    )
    k = np.log1p(-theta[:, None] * x).mean(axis=1)
    log_likelihood = n * (np.log(-theta / k) - k - 1.0)
    weight = np.exp(log_likelihood - log_likelihood.max())
    best = np.sum(weight * theta) / np.sum(weight)
    return float((n * np.log1p(-best * x).mean() + 10.0 * 0.5) / (n + 10.0))
