"""Files of given PSFs: which of their arrays is the PSF, how finely it is sampled, and whether it contains the pixel.

What the common tools write:

- plain images (F22, grizli) on the mosaic's pixels, which contain them; finer ones say by their pixel scale that they are;
- STPSF (WebbPSF): ``OVERSAMP`` and, with the detector's distortion, ``OVERDIST`` are surface brightness on a grid finer
  than the pixels (card ``PIXELSCL``), without the pixel; ``DET_SAMP`` and ``DET_DIST`` are those binned to pixels;
- its grids for photutils (``psf_grid``; a cube with the cards ``OVERSAMP`` and ``DET_YX0``): already convolved with the
  detector's pixel, an effective PSF in the sense of Anderson & King (2000);
- PSFEx (``.psf``: a table with a column ``PSF_MASK``): planes of a polynomial, of which the first is the constant term,
  with a sample every ``PSF_SAMP`` pixels of the image it was made on; they reproduce pixels, and so contain them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from ..errors import InputError
from ..files import no_image

__all__ = ["GivenPSF", "alike", "read_given"]

_SCALE_KEYS = ("PIXSCALE", "PIXELSCL", "PSF_PIX", "PIXSCL")
# Images of files that hold several; the last here wins: the oversampled ones, with the detector's distortion if there is.
_OVERSAMPLED = ("FINE", "OVERSAMP", "OVERDIST")


@dataclass(frozen=True)
class GivenPSF:
    """An array as it was read.

    Attributes
    ----------
    image : (ny, nx) array
    oversampling : float
        Samples a pixel side of the mosaic.
    has_pixel : bool
        Whether a sample is the value of a pixel that sits there; else it is a surface brightness.
    notes : tuple of str
    """

    image: np.ndarray
    oversampling: float
    has_pixel: bool
    notes: tuple[str, ...] = ()


def alike(scale: float, other: float) -> bool:
    """Whether two pixel scales are the same."""
    return abs(scale / other - 1.0) <= 0.01


def read_given(
    path: Path,
    pixel_scale_arcsec: float,
    where: str,
    oversampling: float | None = None,
    has_pixel: bool | None = None,
) -> GivenPSF:
    """Read a PSF's array and find out how it is sampled.

    Parameters
    ----------
    path : Path
        FITS or ``.npy``.
    pixel_scale_arcsec : float
        Of the mosaic [arcsec].
    where : str
        Name for messages.
    oversampling, has_pixel
        As the user says; else what the file says.

    Raises
    ------
    InputError
        If the file cannot be read, or it and the user leave its sampling open or contradict each other.
    """
    if not path.exists():
        raise InputError(where, "no such file", "a PSF", "Correct the path in the configuration.")
    notes: tuple[str, ...] = ()
    try:
        if path.suffix == ".npy":
            array, stated, pixel = np.load(path, allow_pickle=False), None, None
        else:
            with fits.open(path, memmap=False) as hdus:
                array, stated, pixel, notes = _of_fits(hdus, pixel_scale_arcsec, where)
        array = np.asarray(array, dtype=float)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            where, f"a file that cannot be read ({error})", "a FITS image or a .npy array"
        ) from error
    bad = int(np.size(array) - np.isfinite(array).sum())
    if 0 < bad < np.size(array):  # an image without a number has no source either, which is told later
        raise InputError(
            where, f"{bad} of {np.size(array)} pixels that are no numbers", "numbers alone",
            "Put 0, or what the wings are, where nothing is known.",
        )  # fmt: skip
    if stated is not None and oversampling is not None and not alike(stated, oversampling):
        raise InputError(
            where, f"psf_oversampling {oversampling:g}, but {stated:.4g} samples a pixel side by its header", "the same",
            "Correct the configuration, or leave psf_oversampling out.",
        )  # fmt: skip
    sampling = oversampling or stated or 1.0
    if alike(sampling, 1.0):
        sampling = 1.0
    if sampling < 1.0:
        raise InputError(
            where, f"a pixel scale of {pixel_scale_arcsec / sampling:.5g} arcsec in its header",
            f"{pixel_scale_arcsec:.5g} arcsec, as the image, or less",
            "Give a PSF on the pixels of the image or on finer ones.",
        )  # fmt: skip
    pixel = pixel if has_pixel is None else has_pixel
    if pixel is None and sampling > 1.0:
        raise InputError(
            where, f"{sampling:.4g} samples a pixel side of {pixel_scale_arcsec:.5g} arcsec, which may contain this pixel or not",
            "the key psf_has_pixel: true (an effective PSF, whose samples are values of pixels) or false (a surface "
            "brightness, to be integrated over pixels)", "State it beside `psf`, or give a PSF on the image's pixels.",
        )  # fmt: skip
    return GivenPSF(array[0] if array.ndim == 3 else array, sampling, pixel is not False, notes)


def _of_fits(hdus: fits.HDUList, pixel_scale_arcsec: float, where: str) -> tuple:
    """Array, samples a pixel side and whether it contains the pixel (None where unknown), and notes."""
    for hdu in hdus:
        if isinstance(hdu, fits.BinTableHDU) and "PSF_MASK" in hdu.columns.names:
            if "PSF_SAMP" not in hdu.header:
                raise InputError(where, "a PSFEx table without the card PSF_SAMP", "the sampling step [pix]")
            return hdu.data["PSF_MASK"][0], 1.0 / hdu.header["PSF_SAMP"], True, ()
    images = [hdu for hdu in hdus if hdu.is_image and len(hdu.shape) in (2, 3)]
    if not images:
        raise InputError(where, no_image(hdus), "a FITS image of the PSF")
    scales = [
        next((float(hdu.header[key]) for key in _SCALE_KEYS if key in hdu.header), None) for hdu in images
    ]
    by_name = {hdu.name: k for k, hdu in enumerate(images)}
    fine = next((by_name[name] for name in reversed(_OVERSAMPLED) if name in by_name), None)
    on_pixels = [k for k, scale in enumerate(scales) if scale and alike(scale, pixel_scale_arcsec)]
    chosen = fine if fine is not None else on_pixels[-1] if on_pixels else 0
    hdu, scale, notes = images[chosen], scales[chosen], ()
    stated = pixel_scale_arcsec / scale if scale else None
    pixel = hdu.header.get("HASPIXEL")
    if "DET_YX0" in hdu.header and len(hdu.shape) == 3:
        # The mean over the detector is the PSF of a mosaic of dithered exposures.
        return hdu.data.mean(axis=0), stated or float(hdu.header["OVERSAMP"]), True, ()
    if hdu.name.startswith("OVER"):
        pixel = False
        binned = [
            scale for hdu, scale in zip(images, scales, strict=True) if hdu.name.startswith("DET_") and scale
        ]
        if binned and not alike(binned[-1], pixel_scale_arcsec):
            notes = (
                f"integrated over the mosaic's pixels of {pixel_scale_arcsec:.3g} arcsec, not the detector's of "
                f"{binned[-1]:.3g}: what drizzling blurs is not in it",
            )
    elif stated is None and "PSF_SAMP" in hdu.header:
        stated, pixel = 1.0 / hdu.header["PSF_SAMP"], True
    return hdu.data, stated, pixel, notes
