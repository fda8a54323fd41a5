"""Robust level and scatter of the sky between the sources."""

from bisect import bisect_left, bisect_right

import numpy as np
import scipy

__all__ = ["sky_map", "sky_plane", "sky_statistics"]

# A Gaussian clipped at 3 sigma has its 15.87 % quantile at -0.9935 sigma.
_CLIPPED_GAUSSIAN = 1.0 / 0.9935


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
    values = np.asarray(values, dtype=float)
    # Sorted once, what is kept is always a part of them, and its quantiles are next to each other.
    values = np.sort(values[np.isfinite(values)])
    if values.size == 0:
        return np.nan, np.nan
    first, last = 0, values.size
    for _ in range(n_iterations):
        low, level = _quantile(values, first, last, 0.158655), _quantile(values, first, last, 0.5)
        reach = n_sigma * (level - low)
        before = first, last
        if reach > 0.0:
            first = bisect_left(values, -reach, *before, key=lambda value: value - level)
            last = bisect_right(values, reach, *before, key=lambda value: value - level)
        if (first, last) == before:
            break
    low, level = _quantile(values, first, last, 0.158655), _quantile(values, first, last, 0.5)
    return float(level), float((level - low) * _CLIPPED_GAUSSIAN if n_sigma == 3.0 else level - low)


def _quantile(values: np.ndarray, first: int, last: int, share: float) -> float:
    """Quantile of a part of sorted values, interpolated as `numpy.quantile` does."""
    place = share * (last - first - 1)
    below = int(place)
    left, right = values[first + below], values[min(first + below + 1, last - 1)]
    fraction = place - below
    # Of two ways to write the same, the one that meets the nearer end exactly.
    if fraction < 0.5:
        return left + (right - left) * fraction
    return right - (right - left) * (1.0 - fraction)


def sky_map(data: np.ndarray, cell_px: int, min_fraction: float = 0.2) -> np.ndarray:
    """Smooth sky level: robust levels of square cells, filtered and interpolated.

    Parameters
    ----------
    data : (ny, nx) array
        Non-finite (or masked to NaN) pixels are left out.
    cell_px : int
        Side of the cells.
    min_fraction : float
        Cells with fewer good pixels take their neighbours' level.

    Returns
    -------
    (ny, nx) array
        Zero when no cell has enough good pixels.
    """
    n_y, n_x = (max(1, round(size / cell_px)) for size in data.shape)
    edges_y = np.linspace(0, data.shape[0], n_y + 1).round().astype(int)
    edges_x = np.linspace(0, data.shape[1], n_x + 1).round().astype(int)
    levels = np.full((n_y, n_x), np.nan)
    for row in range(n_y):
        for column in range(n_x):
            cell = data[edges_y[row] : edges_y[row + 1], edges_x[column] : edges_x[column + 1]]
            if np.isfinite(cell).mean() >= min_fraction:
                levels[row, column] = sky_statistics(cell)[0]
    known = np.isfinite(levels)
    if not known.any():
        return np.zeros(data.shape)
    nearest = scipy.ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    levels = scipy.ndimage.median_filter(levels[tuple(nearest)], 3, mode="nearest")
    centres_y = (edges_y[:-1] + edges_y[1:] - 1) / 2
    centres_x = (edges_x[:-1] + edges_x[1:] - 1) / 2
    return _tents(data.shape[0], centres_y) @ levels @ _tents(data.shape[1], centres_x).T


def sky_plane(data: np.ndarray, sky: np.ndarray, n_sigma: float = 2.5, n_iterations: int = 10) -> np.ndarray:
    """Plane through pixels most of which are sky.

    Parameters
    ----------
    data : (ny, nx) array
    sky : (ny, nx) bool array
        The pixels; those that are not finite are left out.
    n_sigma : float
        Pixels farther than this from the plane, in their robust scatter, are left out, again and again until none is.
    n_iterations : int
        Limit of the loop.

    Returns
    -------
    (ny, nx) array
        Zero where there are no pixels.
    """
    design = np.stack(
        [
            np.ones(data.shape),
            *(index / size - 0.5 for index, size in zip(np.indices(data.shape), data.shape, strict=True)),
        ],
        axis=-1,
    )
    good = sky & np.isfinite(data)
    plane, kept = np.zeros(data.shape), good
    for _ in range(n_iterations):
        if np.count_nonzero(kept) < design.shape[-1]:
            break
        plane = design @ np.linalg.lstsq(design[kept], data[kept], rcond=None)[0]
        level, sigma = sky_statistics((data - plane)[good])
        before, kept = kept, good & (np.abs(data - plane - level) <= n_sigma * sigma)
        if np.array_equal(kept, before):
            break
    return plane


def _tents(size: int, centres: np.ndarray) -> np.ndarray:
    """Weights of linear interpolation from the centres of cells to pixels, shape (size, n); constant beyond the outermost."""
    place = np.interp(np.arange(size), centres, np.arange(centres.size))
    return np.maximum(1.0 - np.abs(place[:, None] - np.arange(centres.size)), 0.0)
