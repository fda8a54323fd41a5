"""Robust level and scatter of the sky between the sources."""

import numpy as np

__all__ = ["sky_statistics"]


def sky_statistics(values: np.ndarray, n_sigma: float = 3.0, n_iterations: int = 20) -> tuple[float, float]:
    """Level and Gaussian-equivalent scatter of pixels most of which are sky.

    Parameters
    ----------
    values : array
        Pixel values of any shape; non-finite ones are ignored.
    n_sigma : float
        Values farther than this from the median are clipped, again and again until none is.
    n_iterations : int
        Limit of the clipping loop.

    Returns
    -------
    level, sigma : float
        Median, and the median minus the 15.87 % quantile: the side that positive sources do not
        touch. NaN for both when nothing is finite.
    """
    kept = np.asarray(values, dtype=float)
    kept = kept[np.isfinite(kept)]
    if kept.size == 0:
        return np.nan, np.nan
    for _ in range(n_iterations):
        low, level = np.quantile(kept, [0.158655, 0.5])
        sigma = level - low
        inside = np.abs(kept - level) <= n_sigma * sigma
        if inside.all() or sigma == 0.0:
            break
        kept = kept[inside]
    low, level = np.quantile(kept, [0.158655, 0.5])
    return float(level), float((level - low) * _CLIPPED_GAUSSIAN if n_sigma == 3.0 else level - low)


# A Gaussian clipped at 3 sigma has its 15.87 % quantile at -0.9935 sigma.
_CLIPPED_GAUSSIAN = 1.0 / 0.9935
