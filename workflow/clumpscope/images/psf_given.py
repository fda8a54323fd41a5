"""Point-spread functions that a user gives, and whether they can be a telescope's."""

import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from .psf import PSF, diffraction_fwhm, normalise_psf, too_broad
from .psf_files import read_given

__all__ = ["blemishes", "given_psf", "load_psf"]


_log = logging.getLogger(__name__)
# Light at a PSF's border, this far out at least, and beyond a few FWHM, over its peak: real ones (F22's, grizli's, PSFEx's) have 0.0003 and 0.025.
_BORDER_ARCSEC, _HIGHEST_BORDER, _FAR_FWHM, _HIGHEST_FAR = 0.4, 0.002, 3.0, 0.06


def load_psf(
    path: str | os.PathLike,
    pixel_scale_arcsec: float,
    name: str | None = None,
    radius_arcsec: float = 0.4,
    max_radius_arcsec: float = 2.0,
    oversampling: float | None = None,
    has_pixel: bool | None = None,
) -> PSF:
    """Read a given PSF: an image or a PSFEx table in a FITS file, or a ``.npy`` array.

    Parameters
    ----------
    path : path-like
        What is taken of a file with several arrays: see `clumpscope.images.psf_files`.
    pixel_scale_arcsec : float
        Pixel side of the mosaic [arcsec]. The PSF must be on these pixels, or on finer ones.
    name : str, optional
        Filter; then a PSF narrower than the diffraction limit is refused as a wrong pixel scale, and one much broader
        is warned of.
    radius_arcsec, max_radius_arcsec : float
        As in `normalise_psf`.
    oversampling : float, optional
        Samples a pixel side of the mosaic; default what the file says, else 1.
    has_pixel : bool, optional
        As in `normalise_psf`; default what the kind of file says.

    Raises
    ------
    InputError
        If the file is missing or unreadable, holds no source, ends before the normalisation radius, is on coarser
        pixels, or leaves open whether it contains the pixel.
    """
    path = Path(path)
    where = f"{path} ({name})" if name else str(path)
    psf = given_psf(
        path, pixel_scale_arcsec, where, name, radius_arcsec, max_radius_arcsec, oversampling, has_pixel
    )
    for note in psf.notes:
        _log.warning("%s: %s", where, note)
    return psf


def given_psf(
    path: Path,
    pixel_scale_arcsec: float,
    where: str,
    name: str | None,
    radius_arcsec: float,
    max_radius_arcsec: float,
    oversampling: float | None = None,
    has_pixel: bool | None = None,
) -> PSF:
    """Do what `load_psf` does, without logging; `where` is for messages."""
    given = read_given(path, pixel_scale_arcsec, where, oversampling, has_pixel)
    psf = normalise_psf(
        given.image, pixel_scale_arcsec, where, radius_arcsec, max_radius_arcsec, oversampling=given.oversampling,
        has_pixel=given.has_pixel,
    )  # fmt: skip
    psf = replace(psf, notes=(*psf.notes, *given.notes, *blemishes(psf)))
    if name is not None:
        limit = diffraction_fwhm(name)
        if psf.fwhm_arcsec < 0.8 * np.hypot(limit, pixel_scale_arcsec):
            raise InputError(
                where, f"a FWHM of {psf.fwhm_arcsec:.3f} arcsec at {pixel_scale_arcsec:.5g} arcsec a pixel",
                f"no less than the diffraction limit of {limit:.3f} arcsec, seen in pixels", "Its pixel scale must be another.",
            )  # fmt: skip
        psf = replace(psf, notes=(*psf.notes, *too_broad(psf, name)))
    return psf


def blemishes(psf: PSF) -> tuple[str, ...]:
    """What to say of a PSF that holds more than a point source; nothing of others."""
    image, step = psf.fine, psf.pixel_scale_arcsec / psf.oversampling
    peak, middle = float(image.max()), len(image) // 2
    told = []
    level = float(np.median(np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]]))) / peak
    if middle * step > _BORDER_ARCSEC and abs(level) > _HIGHEST_BORDER:
        told.append(
            f"{level:.1%} of its peak at its border: is the sky in it? Take it off: it counts as light of the PSF"
        )
    rows, columns = np.indices(image.shape) - middle
    far = np.hypot(rows, columns) * step > _FAR_FWHM * psf.fwhm_arcsec
    if far.any() and (highest := float(image[far].max()) / peak) > _HIGHEST_FAR:
        told.append(
            f"a pixel of {highest:.0%} of its peak beyond {_FAR_FWHM:g} FWHM: is another source in it?"
        )
    return tuple(told)
