"""Asymmetric errors of a best value from draws of its distribution, and draws from asymmetric errors."""

import numpy as np

__all__ = ["DEVIATE_84", "sided_draws", "sided_errors"]

DEVIATE_84 = 0.994458
"""Of the standard normal distribution at 84 %."""

_CONFIDENCE = 0.682689  # of one standard deviation on each side


def sided_errors(value: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper error: on each side of the value, the distance within which 68 % of that side's draws lie.

    Parameters
    ----------
    value : (n,) array
        Best values.
    draws : (n, n_draws) array
        Draws of their distributions; there may be none.

    Returns
    -------
    below, above : (n,) arrays
        Zero where no draw lies on that side, NaN where the value is.

    Notes
    -----
    "The 68 % confidence interval on each side of the best value" (C25 section 3.7). Where the value is the median these
    are its distances from the 16 and 84 % points. Where it is not (the best lens model often lies at the edge of
    its own posterior), those distances can vanish or be negative; this interval always holds the value and 68 % of all
    draws.
    """
    value, offset = np.asarray(value, dtype=float), np.asarray(draws, dtype=float)
    offset = offset - value[:, None]
    sides = []
    for sign in (-1.0, 1.0):
        distance = np.sort(np.where(sign * offset > 0.0, sign * offset, np.inf), axis=1)
        count = np.isfinite(distance).sum(axis=1)
        place = _CONFIDENCE * np.maximum(count - 1, 0)
        # A column more, so that a side without draws has something to look at.
        distance = np.append(distance, np.full((len(value), 1), np.inf), axis=1)
        low, high = (
            np.take_along_axis(distance, rounded(place).astype(int)[:, None], axis=1)[:, 0]
            for rounded in (np.floor, np.ceil)
        )
        part = place - np.floor(place)
        with np.errstate(invalid="ignore"):
            error = np.where(part > 0.0, (1.0 - part) * low + part * high, low)
        sides.append(np.where(np.isfinite(value), np.where(count > 0, error, 0.0), np.nan))
    return sides[0], sides[1]


def sided_draws(low: np.ndarray, middle: np.ndarray, high: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Draws of a split normal distribution, from its 16, 50 and 84 % points and standard normal draws."""
    deviate = normal / DEVIATE_84
    return middle + np.where(deviate < 0, middle - low, high - middle) * deviate
