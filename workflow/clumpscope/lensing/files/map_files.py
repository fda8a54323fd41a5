"""One lensing map in a FITS file."""

from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, WcsError

from ...errors import InputError
from ...files import no_image

__all__ = ["LensMap", "open_map", "wcs_of"]

Array = np.ndarray


@dataclass(frozen=True)
class LensMap:
    """One map in a FITS file; only the pixels that are asked for are read.

    Attributes
    ----------
    path : str
    extension : int
    factor : float
        What its values are multiplied by.
    """

    path: str
    extension: int
    factor: float

    def values(self, row: Array, column: Array) -> Array:
        """Values at pixel positions, interpolated linearly; NaN outside the map or beside its missing pixels."""
        with fits.open(self.path) as hdus:
            data = _plane(hdus[self.extension])
            ny, nx = data.shape
            inside = (row >= 0.0) & (row <= ny - 1.0) & (column >= 0.0) & (column <= nx - 1.0)
            result = np.full(np.shape(row), np.nan)
            if not inside.any():
                return result
            y, x = row[inside], column[inside]
            y0, x0 = np.minimum(y.astype(int), ny - 2), np.minimum(x.astype(int), nx - 2)
            window = np.asarray(
                data[y0.min() : y0.max() + 2, x0.min() : x0.max() + 2], dtype=float
            )  # a copy: the file is closed below
            window[~np.isfinite(window)] = np.nan
        v, u = y - y0, x - x0
        y0, x0 = y0 - y0.min(), x0 - x0.min()
        below = (1.0 - u) * window[y0, x0] + u * window[y0, x0 + 1]
        above = (1.0 - u) * window[y0 + 1, x0] + u * window[y0 + 1, x0 + 1]
        result[inside] = self.factor * ((1.0 - v) * below + v * above)
        return result


def _plane(hdu: fits.ImageHDU) -> Array:
    """The two axes of an image that has others of one pixel."""
    return hdu.data.reshape(hdu.shape[-2:])


def open_map(path: str) -> tuple[int, fits.Header, tuple[int, int]]:
    """Extension, header and (ny, nx) of the first image in a FITS file; InputError where there is none that is whole."""
    try:
        with fits.open(path) as hdus:
            for number, hdu in enumerate(hdus):
                shape = tuple(hdu.shape) if hdu.is_image else ()
                if len(shape) > 1 and min(shape[-2:]) > 1 and set(shape[:-2]) <= {1}:
                    _plane(hdu)  # fails where the file ends too early
                    return number, hdu.header, shape[-2:]
            found = no_image(hdus)
    except (OSError, TypeError, ValueError) as error:
        raise InputError(path, f"a file that cannot be read ({error})", "a FITS map") from error
    raise InputError(path, found, "a lensing map")


def wcs_of(header: fits.Header, path: str) -> WCS | None:
    """The header's celestial WCS, None if it has none."""
    try:
        wcs = WCS(header, naxis=2)
        if not wcs.has_celestial:
            return None
        wcs.wcs_pix2world([[1.0, 1.0]], 1)
    except (ValueError, WcsError) as error:
        raise InputError(
            path, f"a WCS that cannot be used ({' '.join(str(error).split())})", "a celestial WCS"
        ) from error
    return wcs
