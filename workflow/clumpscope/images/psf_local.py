"""The PSF at one place of its field."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from .centring import pixels_of, stretched
from .cutouts import Cutout
from .psf import PSF, read_psf

__all__ = ["local_psf", "local_psfs"]


def local_psf(psf: PSF, ra: float, dec: float) -> PSF:
    """A PSF as it is at one place of its field: stretched to the width there.

    Parameters
    ----------
    psf : PSF
        With a `trend`, or without: then it is the same everywhere.
    ra, dec : float
        Place [deg].

    Returns
    -------
    PSF
        Of unit sum inside its radius of normalisation; without a trend of its own.
    """
    if psf.trend is None:
        return psf
    factor = float(np.sqrt(psf.trend.variance_ratio(ra, dec)))
    half = psf.fine.shape[0] // 2
    if psf.oversampling == 1.0:
        fine = stretched(psf.fine, factor)
    else:
        # Fine enough for splines, and too many samples for Fourier's sums.
        axis = half + np.arange(-half, half + 1) / factor
        fine = ndimage.map_coordinates(
            psf.fine, np.meshgrid(axis, axis, indexing="ij"), order=3, mode="nearest"
        )
    # Inside a circle with a soft rim, both hold the same.
    radius = psf.radius_arcsec / psf.pixel_scale_arcsec * psf.oversampling
    inside = np.clip(radius + 0.5 - np.hypot(*(np.indices(fine.shape) - half)), 0.0, 1.0)
    fine *= np.sum(inside * psf.fine) / np.sum(inside * fine)
    return replace(
        psf, kernel=fine if psf.oversampling == 1.0 else pixels_of(fine, psf.oversampling), fine=fine,
        fwhm_arcsec=psf.fwhm_arcsec * factor, aperture_correction=float(fine.sum()) / psf.oversampling**2, trend=None,
    )  # fmt: skip


def local_psfs(paths: Iterable[str | os.PathLike], cutout: Cutout) -> dict[str, PSF]:
    """PSFs of `PSF.write` as they are in the middle of a cutout, by filter: the names of the files."""
    ny, nx = cutout.data.shape
    ra, dec = cutout.wcs.pixel_to_world_values((nx - 1) / 2, (ny - 1) / 2)
    return {Path(path).stem: local_psf(read_psf(path), float(ra), float(dec)) for path in paths}
