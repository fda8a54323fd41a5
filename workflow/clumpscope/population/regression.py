"""Straight lines and correlations between true values, of which measured ones scatter with known errors in both axes."""

from dataclasses import dataclass

import numpy as np

__all__ = ["IntrinsicLine", "intrinsic_line"]

_FEWEST = 5
_MOST_STEPS = 2000
_SETTLED = 1e-6
_LONGEST = 1e3  # of strides, in steps
_LEAST = 1e-10  # variance of errors, in units of that of the values
_LEAST_SHARE = 0.05  # variance of true values over that of their errors: below it there is no line


@dataclass(frozen=True)
class IntrinsicLine:
    """y = intercept + slope x between true values, and their Pearson's r; NaN where the data do not tell.

    Attributes
    ----------
    slope, intercept, r : float
    n : int
        Pairs with values and errors.
    """

    slope: float
    intercept: float
    r: float
    n: int


def intrinsic_line(
    x: np.ndarray,
    y: np.ndarray,
    x_error: np.ndarray,
    y_error: np.ndarray,
    covariance: np.ndarray | float = 0.0,
) -> IntrinsicLine:
    """The line and the correlation that values would have without their errors.

    Parameters
    ----------
    x, y : (n,) arrays
        Measured values; pairs that are not finite are left out.
    x_error, y_error : (n,) arrays
        Standard deviations; what is not finite counts as none.
    covariance : (n,) array or float
        Of the errors of x and y: of what both are made of.

    Returns
    -------
    IntrinsicLine
        NaN with fewer than five pairs, or where errors are (nearly) all there is of the scatter of an axis.

    Notes
    -----
    True values are taken for draws from one two-dimensional Gaussian, whose mean and covariance are those of highest
    likelihood under every pair's own errors: extreme deconvolution with one component (Bovy, Hogg & Roweis 2011, Ann. Appl. Stat.
    5, 1657, equations 10 to 16), the linear regression of Kelly (2007, ApJ 665, 1489) without its prior. The slope is
    cov(x, y) / var(x), which least squares flatten by the errors of x.
    """
    x, y, x_error, y_error, covariance = np.broadcast_arrays(
        *(np.asarray(a, float) for a in (x, y, x_error, y_error, covariance))
    )
    known = np.isfinite(x) & np.isfinite(y)
    n = int(known.sum())
    nothing = IntrinsicLine(np.nan, np.nan, np.nan, n)
    if n < _FEWEST or np.ptp(x[known]) == 0 or np.ptp(y[known]) == 0:
        return nothing
    values = np.array([x[known], y[known]])
    # In units of the scatter, so that steps are small or not in both alike.
    middle, scale = values.mean(axis=1, keepdims=True), values.std(axis=1, keepdims=True)
    values = (values - middle) / scale
    sx, sy, sxy = (np.nan_to_num(a[known]) for a in (x_error, y_error, covariance))
    # A line without scatter or errors has no likelihood: none is known to better than this.
    noise = np.array(
        [(sx / scale[0]) ** 2 + _LEAST, (sy / scale[1]) ** 2 + _LEAST, sxy / (scale[0] * scale[1])]
    )
    # Errors in common are not larger than both allow.
    noise[2] = np.clip(noise[2], -0.999 * np.sqrt(noise[0] * noise[1]), 0.999 * np.sqrt(noise[0] * noise[1]))
    state = np.array([0.0, 0.0, 1.0, 1.0, np.mean(values[0] * values[1])])
    steps = 0
    while steps < _MOST_STEPS:
        first = _step(state, values, noise)
        second = _step(first, values, noise)
        steps += 2
        # Steps that fall off geometrically are summed (SQUAREM, Varadhan & Roland 2008), as long as that is a covariance.
        change, curve = first - state, (second - first) - (first - state)
        stretch = min(float(np.linalg.norm(change)) / max(float(np.linalg.norm(curve)), 1e-12), _LONGEST)
        ahead = state + 2.0 * stretch * change + stretch**2 * curve
        if stretch > 1.0 and ahead[2] > 0 and ahead[3] > 0 and ahead[4] ** 2 < ahead[2] * ahead[3]:
            better = _step(ahead, values, noise)
            if _log_likelihood(better, values, noise) >= _log_likelihood(second, values, noise):
                second = better
        moved = np.abs(second - state).max()
        state = second
        if moved < _SETTLED:
            break
    _, _, xx, yy, xy = state
    if xx < _LEAST_SHARE * noise[0].mean() or yy < _LEAST_SHARE * noise[1].mean():
        return nothing
    slope = float(xy / xx * scale[1, 0] / scale[0, 0])
    centre = middle[:, 0] + scale[:, 0] * state[:2]
    return IntrinsicLine(slope, float(centre[1] - slope * centre[0]), float(xy / np.sqrt(xx * yy)), n)


def _step(state: np.ndarray, values: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Mean and covariance (x, y, xx, yy, xy) after one step of expectation and maximisation."""
    mx, my, xx, yy, xy = state
    txx, tyy, txy = xx + noise[0], yy + noise[1], xy + noise[2]
    det = txx * tyy - txy**2
    dx, dy = values[0] - mx, values[1] - my
    # Weights V T^-1 of each pair, row by row.
    a, b = (xx * tyy - xy * txy) / det, (xy * txx - xx * txy) / det
    c, d = (xy * tyy - yy * txy) / det, (yy * txx - xy * txy) / det
    bx, by = mx + a * dx + b * dy, my + c * dx + d * dy
    # What stays unknown of each pair: V - V T^-1 V.
    ux, uy, uxy = xx - a * xx - b * xy, yy - c * xy - d * yy, xy - a * xy - b * yy
    mx, my = bx.mean(), by.mean()
    return np.array(
        [
            mx,
            my,
            np.mean((bx - mx) ** 2 + ux),
            np.mean((by - my) ** 2 + uy),
            np.mean((bx - mx) * (by - my) + uxy),
        ]
    )


def _log_likelihood(state: np.ndarray, values: np.ndarray, noise: np.ndarray) -> float:
    mx, my, xx, yy, xy = state
    txx, tyy, txy = xx + noise[0], yy + noise[1], xy + noise[2]
    det = txx * tyy - txy**2
    dx, dy = values[0] - mx, values[1] - my
    return float(-0.5 * np.sum(np.log(det) + (tyy * dx**2 - 2.0 * txy * dx * dy + txx * dy**2) / det))
