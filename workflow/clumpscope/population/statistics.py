"""Medians with errors, correlations, straight lines."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, linregress, pearsonr

__all__ = ["Correlation", "Line", "Median", "correlation", "fit_line", "median"]


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
    """y = intercept + slope x by least squares, with the errors that the scatter about it gives."""

    slope: float
    slope_err: float
    intercept: float
    n: int


def median(values: np.ndarray) -> Median:
    """Median of the finite values, its interval from order statistics.

    Notes
    -----
    The number of values below the true median is binomial with p = 1/2 whatever their distribution, so the values
    at the ranks of its 16 and 84 % enclose the true median with a probability of at least 68 %. Nothing is drawn
    at random.
    """
    values = np.sort(np.asarray(values, float)[np.isfinite(values)])
    n = values.size
    if n == 0:
        return Median(*[np.nan] * 5, 0)
    middle = float(np.median(values))
    p16, p84 = (float(p) for p in np.percentile(values, [16.0, 84.0]))
    if n < 3:
        return Median(middle, np.nan, np.nan, p16, p84, n)
    # P(the median lies below the k-th smallest value) = P(Binomial(n, 1/2) < k) has to be at most 16 %.
    rank = max(int(binom.ppf(0.16, n, 0.5)), 1)
    return Median(middle, middle - float(values[rank - 1]), float(values[n - rank]) - middle, p16, p84, n)


def _pairs(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, float), np.asarray(y, float)
    good = np.isfinite(x) & np.isfinite(y)
    return x[good], y[good]


def correlation(x: np.ndarray, y: np.ndarray) -> Correlation:
    """Pearson's correlation of the finite pairs; NaN below three pairs or without variation."""
    x, y = _pairs(x, y)
    if x.size < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(np.nan, np.nan, int(x.size))
    r, p = pearsonr(x, y)
    return Correlation(float(r), float(p), int(x.size))


def fit_line(x: np.ndarray, y: np.ndarray) -> Line:
    """Straight line through the finite pairs; NaN below three pairs or without variation in x."""
    x, y = _pairs(x, y)
    if x.size < 3 or np.ptp(x) == 0:
        return Line(np.nan, np.nan, np.nan, int(x.size))
    fit = linregress(x, y)
    return Line(float(fit.slope), float(fit.stderr), float(fit.intercept), int(x.size))
