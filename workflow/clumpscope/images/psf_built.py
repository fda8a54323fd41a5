"""Point-spread functions built from stars of a mosaic."""

from dataclasses import replace

import numpy as np
from astropy.table import Table

from ..logs import in_doubt
from .centring import finer
from .mosaic import Mosaic
from .psf import PSF, normalise_psf, too_broad
from .psf_effective import CORE_PX, effective_core
from .stacking import Stamp, stack_residuals, stack_stars

__all__ = ["build_psf"]


# Samples a pixel side of PSFs built from undersampled stars: three for the narrowest, one to spare.
_OVERSAMPLING = 4
_FEW_STARS = 4


def build_psf(mosaic: Mosaic, stars: Table, radius_arcsec: float = 0.4, **stacking) -> PSF:
    """Stack stars of a mosaic into its PSF.

    Where pixels undersample them, the core is the effective PSF that all stars together define between pixels
    (`clumpscope.images.psf_effective`), the wings are the stack's.

    Parameters
    ----------
    mosaic : Mosaic
        One filter's image.
    stars : Table
        ``ra`` and ``dec`` [deg], of `clumpscope.images.stars.find_stars` or of the user.
    radius_arcsec : float
        Radius of unit sum (C25: 0.4).
    **stacking
        Options of `clumpscope.images.stacking.stack_stars`.

    Raises
    ------
    InputError
        If no star is usable, or the stamps are larger than the image.
    """
    stack = stack_stars(mosaic, stars, **stacking)
    psf = normalise_psf(
        stack.image, mosaic.pixel_scale_arcsec, mosaic.name or mosaic.path, radius_arcsec,
        source="stars", n_stars=int(stack.used.sum()),
    )  # fmt: skip
    question = "are its stars galaxies, or its image smoothed?"
    doubts = stack.broad + (too_broad(psf, mosaic.name, question) if mosaic.name else ())
    for text in doubts:
        in_doubt(f"PSF of {mosaic.name or mosaic.path}: {text}")
    if not psf.undersampled:
        return replace(psf, notes=(*psf.notes, *doubts))
    fine = _between_pixels(stack.stamps)
    psf = normalise_psf(
        fine, mosaic.pixel_scale_arcsec, mosaic.name or mosaic.path, radius_arcsec, source="stars",
        n_stars=psf.n_stars, oversampling=_OVERSAMPLING,
    )  # fmt: skip
    note = f"FWHM of {psf.sampling_px:.2f} px: fitted on {_OVERSAMPLING} samples a pixel side"
    if psf.n_stars < _FEW_STARS:
        note += f", of only {psf.n_stars} stars, between which it is nearly circular"
    return replace(psf, notes=(*psf.notes, *doubts, note))


def _between_pixels(stamps: list[Stamp]) -> np.ndarray:
    """Effective PSF of undersampled stars on a finer grid: its core fitted, its wings stacked."""
    core = effective_core(stamps)
    # Interpolated, undersampled stars would ring; what the core's profile leaves of them in the wings is small.
    fine = finer(stack_residuals(stamps, core), _OVERSAMPLING)
    axis = (np.arange(fine.shape[0]) - fine.shape[0] // 2) / _OVERSAMPLING
    dx, dy = (distance.ravel() for distance in np.meshgrid(axis, axis))
    # The core hands over in its outer third.
    share = np.clip(3.0 * np.hypot(dx, dy) / CORE_PX - 2.0, 0.0, 1.0)
    return core(dx, dy).reshape(fine.shape) + (np.sin(0.5 * np.pi * share) ** 2).reshape(fine.shape) * fine
