"""The host's light under the clumps, where a plane in a small box cannot follow it."""

import numpy as np
from scipy import ndimage

__all__ = ["host_light", "running_median"]

Array = np.ndarray
# Standard deviations of a pixel below which the host is none.
_SEEN = 3.0
# Share of a box's pixels above the noise below which its median is not: half, and some room for errors that vary.
_ALMOST_HALF = 0.4
# Pixels whose boxes are sorted at a time.
_AT_A_TIME = 4096


def host_light(left: Array, error: Array, x: Array, y: Array, side: int, reach: int) -> Array:
    """Running median of an image without its clumps, as far as it exceeds the noise of pixels.

    Parameters
    ----------
    left : (ny, nx) array
        Image minus the clumps; NaN where there is no good pixel.
    error : (ny, nx) array
        Standard deviations; NaN where there is no good pixel.
    x, y : (n,) arrays
        Positions of the clumps [px].
    side : int
        Odd side of the median's box [px].
    reach : int
        Pixels farther than this from all clumps along x or y are left out: zero.

    Returns
    -------
    (ny, nx) array
        Zero on sky, where the median is within three standard deviations of a pixel: there the plane of a fit suffices,
        and the median would only add its noise. Taking off three standard deviations, instead of cutting there, leaves
        no step; the constant goes into the plane.
    """
    host = np.zeros(left.shape)
    good = np.isfinite(left) & np.isfinite(error)
    inside = (x >= -0.5) & (x < left.shape[1] - 0.5) & (y >= -0.5) & (y < left.shape[0] - 0.5)
    near = np.zeros(left.shape, dtype=bool)
    near[np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)] = True
    near = ndimage.maximum_filter(near, 2 * reach + 1) & good
    # Where the median is above the noise, so are half of the pixels; that is quickly counted.
    bright = np.where(good, left > _SEEN * np.nan_to_num(error), 0.5)
    near &= ndimage.uniform_filter(bright.astype(np.float32), side, mode="nearest") > _ALMOST_HALF
    if not near.any():
        return host
    padded = np.pad(_filled(left, good), side // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    rows, columns = np.nonzero(near)
    for k in range(0, rows.size, _AT_A_TIME):
        part = rows[k : k + _AT_A_TIME], columns[k : k + _AT_A_TIME]
        median = np.median(windows[part].reshape(len(part[0]), -1), axis=1)
        host[part] = np.maximum(median - _SEEN * error[part], 0.0)
    return host


def running_median(image: Array, side: int) -> Array:
    """Median of an image, in boxes of odd `side`, everywhere; pixels that are NaN take their nearest good neighbour's value."""
    good = np.isfinite(image)
    if not good.any():
        return np.zeros(image.shape)
    return ndimage.median_filter(_filled(image, good), side, mode="nearest")


def _filled(image: Array, good: Array) -> Array:
    """The image with its bad pixels at the values of their nearest good neighbours."""
    nearest = ndimage.distance_transform_edt(~good, return_distances=False, return_indices=True)
    return image[tuple(nearest)]
