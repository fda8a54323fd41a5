"""Medians with errors, correlations, straight lines."""

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr

__all__ = [
    "Correlation",
    "Line",
    "Median",
    "clustered_variance",
    "correlation",
    "fit_line",
    "median",
    "share_below",
    "share_interval",
]


@dataclass(frozen=True)
class Median:
    """A median, its 68 % confidence interval, and the spread of the sample.

    Attributes
    ----------
    value, err_lo, err_hi : float
        NaN without values; the errors also below three values.
    p16, p84 : float
        Percentiles of the sample.
    n : int
        Finite values.
    """

    value: float
    err_lo: float
    err_hi: float
    p16: float
    p84: float
    n: int


@dataclass(frozen=True)
class Correlation:
    """Pearson's r, the two-sided probability p of so large an r by chance, and the number of pairs."""

    r: float
    p: float
    n: int


@dataclass(frozen=True)
class Line:
    """y = intercept + slope x by least squares; the slope's error is that of the scatter about it, within and between galaxies."""

    slope: float
    slope_err: float
    intercept: float
    n: int


def median(values: np.ndarray, owner: np.ndarray | None = None) -> Median:
    """Median of the finite values, its interval from order statistics.

    Parameters
    ----------
    values : (n,) array
    owner : (n,) array, optional
        Galaxy of each value: values of one galaxy have errors in common, of its magnification and its own.

    Notes
    -----
    The number of values below the true median is binomial with p = 1/2 whatever their distribution, so the values
    at the ranks of its 16 and 84 % enclose the true median with a probability of at least 68 %. Values that come in
    galaxies count as fewer, by what the variance of that number between galaxies exceeds the binomial one (Woodruff 1952,
    J. Am. Stat. Assoc. 47, 635; Kish 1965). Nothing is drawn at random.
    """
    values = np.asarray(values, float)
    known = np.isfinite(values)
    order = np.argsort(values[known], kind="stable")
    values, owner = values[known][order], None if owner is None else np.asarray(owner)[known][order]
    n = values.size
    if n == 0:
        return Median(np.nan, np.nan, np.nan, np.nan, np.nan, 0)
    middle = float(np.median(values))
    p16, p84 = (float(p) for p in np.percentile(values, [16.0, 84.0]))
    if n < 3:
        return Median(middle, np.nan, np.nan, p16, p84, n)
    effective = n if owner is None else _independent(values < middle, owner)
    # P(the median lies below the k-th smallest value) = P(Binomial(n, 1/2) < k) has to be at most 16 %.
    quantile = np.searchsorted(bdtr(np.arange(effective + 1), effective, 0.5), 0.16)
    rank = max(int(quantile * n / effective), 1)
    return Median(middle, middle - float(values[rank - 1]), float(values[n - rank]) - middle, p16, p84, n)


def share_below(values: np.ndarray, upper_limit: np.ndarray, threshold: float) -> float:
    """Share of values below a threshold, where some are known as upper limits only.

    Parameters
    ----------
    values : (n,) array
        Values and limits; NaN is left out.
    upper_limit : (n,) bool array
        True where the value is below what stands there.
    threshold : float

    Returns
    -------
    float
        NaN without values, and where the least of all is a limit above the threshold: nothing tells where it is.

    Notes
    -----
    A limit below the threshold counts as below. One above it does not tell: it counts as what lies below it does, by the
    estimator of Kaplan & Meier (1958, J. Am. Stat. Assoc. 53, 457), mirrored for upper limits (Feigelson & Nelson 1985, ApJ 293,
    192). Without limits this is the plain share.
    """
    values, upper_limit = np.asarray(values, float), np.asarray(upper_limit, bool)
    known = np.isfinite(values)
    values, upper_limit = values[known], upper_limit[known]
    unknown = upper_limit & (values > threshold)
    if not values.size or (unknown.any() and not (values[~unknown] < values[unknown].min()).any()):
        return np.nan
    above, n_equal = np.unique(values[~upper_limit & (values >= threshold)], return_counts=True)
    n_up_to = np.searchsorted(np.sort(values), above, side="right")
    return float(np.prod(1.0 - n_equal / n_up_to))


def share_interval(share: float, n: int) -> tuple[float, float]:
    """68 % interval of a share of n independent values (Wilson 1927, J. Am. Stat. Assoc. 22, 209); NaN without values."""
    if not n or not np.isfinite(share):
        return np.nan, np.nan
    middle, half = (
        (share + 0.5 / n) / (1.0 + 1.0 / n),
        np.sqrt(share * (1.0 - share) / n + 0.25 / n**2) / (1.0 + 1.0 / n),
    )
    return float(middle - half), float(middle + half)


def clustered_variance(excess: np.ndarray, owner: np.ndarray) -> float:
    """Variance of a mean whose values scatter together within galaxies: that of sums over galaxies (Kish 1965).

    Parameters
    ----------
    excess : (n,) array
        Values over their mean.
    owner : (n,) array
        Galaxy of each.

    Returns
    -------
    float
        NaN with fewer than two galaxies.
    """
    _, group = np.unique(owner, return_inverse=True)
    sums, n_groups = np.bincount(group, excess), int(group.max()) + 1
    if n_groups < 2:
        return np.nan
    return float(n_groups / (n_groups - 1) * np.sum(sums**2) / excess.size**2)


def _independent(below: np.ndarray, owner: np.ndarray) -> int:
    """Number of independent values whose share below a point varies as much as that of these, at most all of them."""
    variance = clustered_variance(below - below.mean(), owner)
    if np.isnan(variance):
        return below.size
    n_groups = np.unique(owner).size
    return int(
        np.clip(
            round(below.mean() * (1 - below.mean()) / max(variance, 1e-30)),
            min(n_groups, below.size, 3),
            below.size,
        )
    )


def _pairs(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, float), np.asarray(y, float)
    good = np.isfinite(x) & np.isfinite(y)
    return x[good], y[good]


def correlation(x: np.ndarray, y: np.ndarray) -> Correlation:
    """Pearson's correlation of the finite pairs; NaN below three pairs or without variation."""
    x, y = _pairs(x, y)
    if x.size < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(np.nan, np.nan, int(x.size))
    from scipy.stats import (
        pearsonr,
    )  # takes half a second to import, which figures of medians need not wait for

    r, p = pearsonr(x, y)
    return Correlation(float(r), float(p), int(x.size))


def fit_line(x: np.ndarray, y: np.ndarray, owner: np.ndarray | None = None) -> Line:
    """Straight line through the finite pairs; NaN below three pairs or without variation in x.

    Parameters
    ----------
    x, y : (n,) arrays
    owner : (n,) array, optional
        Galaxy of each pair. Then the error holds when a galaxy's pairs scatter together (its mass, its magnification): that of
        sums over galaxies (Liang & Zeger 1986, Biometrika 73, 13, with the usual factor for few of them). It is not
        below that of independent pairs.
    """
    good = np.isfinite(np.asarray(x, float)) & np.isfinite(np.asarray(y, float))
    x, y = _pairs(x, y)
    if x.size < 3 or np.ptp(x) == 0:
        return Line(np.nan, np.nan, np.nan, int(x.size))
    away, off = x - x.mean(), y - y.mean()
    power = np.sum(away**2)
    slope = float(np.sum(away * off) / power)
    rest = off - slope * away
    error = float(np.sqrt(np.sum(rest**2) / (x.size - 2) / power))
    if owner is not None:
        _, group = np.unique(np.asarray(owner)[good], return_inverse=True)
        n, n_groups = x.size, int(group.max()) + 1
        if n_groups > 2:
            sums = np.bincount(group, away * rest)
            factor = n_groups / (n_groups - 1) * (n - 1) / (n - 2)
            error = max(error, float(np.sqrt(factor * np.sum(sums**2)) / power))
    return Line(slope, error, float(y.mean() - slope * x.mean()), int(x.size))
