"""Noise of a mock field cut from a user's real empty sky."""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..images.mosaic import open_mosaic

__all__ = ["RealSky", "read_sky"]

_LEAST_SHARE = 0.2  # of an image's pixels that must be sky
_SCALE_TOLERANCE = 0.02
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class RealSky:
    """An image of empty sky.

    Attributes
    ----------
    values : (ny, nx) float32 array
        [nJy], of zero median; NaN where there were sources.
    sigma_njy : float
        Robust standard deviation of a pixel.
    """

    values: np.ndarray
    sigma_njy: float

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """An (n, n) field of this sky, (float32): copies of the image, turned and rolled at random.

        Each copy fills what those before it left open: holes of sources are patched with sky from elsewhere, so the
        noise keeps its correlation but across the patches' rims. What many copies do not fill is white noise.
        """
        field = np.full((n, n), np.nan, dtype=np.float32)
        repeats = [int(np.ceil(n / side)) for side in sorted(self.values.shape)[:1] * 2]
        for _ in range(_MOST_COPIES):
            open_pixels = np.isnan(field)
            if not open_pixels.any():
                break
            copy = np.rot90(self.values, rng.integers(4))
            copy = copy[:, ::-1] if rng.integers(2) else copy
            copy = np.roll(copy, [int(rng.integers(side)) for side in copy.shape], axis=(0, 1))
            field[open_pixels] = np.tile(copy, repeats)[:n, :n][open_pixels]
        left = np.isnan(field)
        field[left] = self.sigma_njy * rng.standard_normal(int(left.sum()), dtype=np.float32)
        return field


_MOST_COPIES = 12


def read_sky(path: str, name: str, pixel_scale_arcsec: float) -> RealSky:
    """Read an image of empty sky, NaN at sources.

    Parameters
    ----------
    path : str
        FITS image with a WCS and a unit.
    name : str
        Filter.
    pixel_scale_arcsec : float
        Of the mock's mosaic.

    Raises
    ------
    InputError
        If its pixels have another size, or too few of them are sky.
    """
    mosaic = open_mosaic(path, name=name)
    if abs(mosaic.pixel_scale_arcsec / pixel_scale_arcsec - 1) > _SCALE_TOLERANCE:
        raise InputError(
            path, f"pixels of {mosaic.pixel_scale_arcsec:.4f} arcsec",
            f"{pixel_scale_arcsec} arcsec, those of the mock's {name}",
            "Resampling would correlate the noise anew: give sky drizzled to these pixels.",
        )  # fmt: skip
    values, _ = mosaic.read(slice(0, mosaic.shape[0]), slice(0, mosaic.shape[1]))
    good = np.isfinite(values) & (values != 0)
    if good.mean() < _LEAST_SHARE:
        raise InputError(
            path, f"sky in {100 * good.mean():.0f} % of the pixels", f"at least {100 * _LEAST_SHARE:.0f} %",
            "NaN and zero are taken as masked sources and missing data.",
        )  # fmt: skip
    values = np.where(good, values - np.median(values[good]), np.nan)
    return RealSky(values.astype(np.float32), float(_MAD_TO_SIGMA * np.median(np.abs(values[good]))))
