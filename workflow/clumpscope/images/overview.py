"""A whole field in pixels that a page can show."""

from collections.abc import Sequence

import numpy as np

from .cutouts import Cutout
from .mosaic import Mosaic

__all__ = ["overview"]

_MARGIN_ARCSEC = 3.0
_STRIP_PX = 512


def overview(mosaic: Mosaic, ra: Sequence[float], dec: Sequence[float], n_pixels: int = 1000) -> Cutout:
    """The part of a mosaic that holds some positions, summed over square blocks of its pixels.

    Parameters
    ----------
    mosaic : Mosaic
        Read in strips, so that a mosaic of any size fits into memory.
    ra, dec : sequence of float
        Positions to be seen [deg], 3 arcsec off the edge where the mosaic goes on.
    n_pixels : int
        Largest number of blocks a side; a block is never smaller than a pixel.

    Returns
    -------
    Cutout
        Flux [nJy] of each block, what bad pixels lack being that of the mean of the good ones, and its error; NaN where a
        block has no good pixel. `x0` and `y0` are those of the first block's first pixel.
    """
    x, y = mosaic.wcs.all_world2pix(np.asarray(ra, float), np.asarray(dec, float), 0)
    margin = _MARGIN_ARCSEC / mosaic.pixel_scale_arcsec
    (x0, x1), (y0, y1) = (
        (int(max(np.nanmin(place) - margin, 0)), int(min(np.nanmax(place) + margin, size - 1)) + 1)
        for place, size in ((x, mosaic.shape[1]), (y, mosaic.shape[0]))
    )
    side = -(-max(x1 - x0, y1 - y0) // n_pixels)
    columns, rows = (x1 - x0) // side, (y1 - y0) // side
    data, error = np.empty((rows, columns)), np.empty((rows, columns))
    step = max(_STRIP_PX // side, 1)
    for first in range(0, rows, step):
        last = min(first + step, rows)
        strip = mosaic.read(slice(y0 + first * side, y0 + last * side), slice(x0, x0 + columns * side))
        flux, sigma = (plane.reshape(last - first, side, columns, side) for plane in strip)
        good = np.isfinite(flux).sum(axis=(1, 3))
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(good > 0, side**2 / good, np.nan)
        data[first:last] = np.nansum(flux, axis=(1, 3)) * scale
        error[first:last] = np.sqrt(np.nansum(sigma**2, axis=(1, 3))) * scale
    wcs = mosaic.wcs.slice((slice(y0, y0 + rows * side, side), slice(x0, x0 + columns * side, side)))
    return Cutout(data, error, wcs, x0, y0, mosaic.pixel_scale_arcsec * side, mosaic.name)
