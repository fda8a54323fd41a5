"""Photon noise of sources, which weight maps of sky and read-out noise leave out (such as grizli's)."""

from collections.abc import Mapping

import numpy as np
import scipy

from ..errors import InputError
from ..filters import get_filter

__all__ = ["binning", "electrons_per_njy_s", "photon_variance"]

# Electrons per DN of NIRCam's two channels (JWST User Documentation, NIRCam Detector Performance).
_GAIN = {"sw": 2.05, "lw": 1.82}
_NJY_PER_MJY, _NJY_PER_JY = 1e15, 1e9
# Side of the mean that stands for the light of a pixel: by itself a pixel high by chance would seem noisier.
_MEAN_PX = 3


def electrons_per_njy_s(header: Mapping, name: str, where: str) -> float:
    """Electrons that a source of 1 nJy frees in a second.

    Parameters
    ----------
    header : mapping
        FITS header. JWST: PHOTMJSR [MJy/sr per DN/s], PIXAR_SR [sr], and PHOTSCAL, a factor put on the data since; HST:
        OPHOTFNU [Jy per electron/s].
    name : str
        Filter, which tells the gain of NIRCam's channel.
    where : str
        Place named in the error.

    Raises
    ------
    InputError
        If the header does not have these cards.
    """
    if "PHOTMJSR" in header and "PIXAR_SR" in header:
        gain = _GAIN.get(get_filter(name, where).channel, 1.0)
        return gain / (_NJY_PER_MJY * header["PIXAR_SR"] * header["PHOTMJSR"] * header.get("PHOTSCAL", 1.0))
    if "OPHOTFNU" in header and "PHOTMJSR" not in header:
        return 1.0 / (_NJY_PER_JY * header["OPHOTFNU"])
    raise InputError(
        where, "no card PHOTMJSR with PIXAR_SR (JWST), nor OPHOTFNU (HST), which tell electrons from nJy",
        "these cards beside an exposure map", "Leave `exp` out, or give an `err` map that holds the photon noise.",
    )  # fmt: skip


def binning(shape: tuple[int, int], binned: tuple[int, int], where: str) -> int:
    """Pixels of an image to a side of one pixel of its exposure map.

    Raises
    ------
    InputError
        If it is not one whole number along both sides.
    """
    factor = max(1, round(shape[0] / binned[0]))
    if not all(
        size // factor <= count <= -(-size // factor) for size, count in zip(shape, binned, strict=True)
    ):
        raise InputError(
            where, f"exp of {binned[1]} x {binned[0]} pixels",
            f"{shape[1]} x {shape[0]}, as the science image, or that divided by a whole number",
        )  # fmt: skip
    return factor


def photon_variance(data: np.ndarray, electrons_per_njy: np.ndarray) -> np.ndarray:
    """Variance [nJy^2] of the light of sources, by their mean in 3x3 pixels.

    Parameters
    ----------
    data : (ny, nx) array
        [nJy], with the sky taken off; NaN where there is no good pixel.
    electrons_per_njy : (ny, nx) array
        Electrons in the whole exposure; where there are none, the variance is not finite.
    """
    good = np.isfinite(data)
    share = scipy.ndimage.uniform_filter(good.astype(float), _MEAN_PX, mode="nearest")
    mean = scipy.ndimage.uniform_filter(np.where(good, data, 0.0), _MEAN_PX, mode="nearest") / np.maximum(
        share, 1e-6
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.maximum(mean, 0.0) / electrons_per_njy
