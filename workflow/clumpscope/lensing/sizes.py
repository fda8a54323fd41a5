"""Intrinsic sizes of clumps, their limits and classes (C25 sections 3.8 and 5.1)."""

from typing import NamedTuple

import numpy as np
from astropy.table import Table

from ..cosmology import pc_per_arcsec

__all__ = ["HALF_LIGHT", "IntrinsicSizes", "intrinsic_sizes"]

Array = np.ndarray
# Half-light radius of a circular Gaussian in its standard deviation (C25 section 3.8).
HALF_LIGHT = np.sqrt(2.0 * np.log(2.0))


class IntrinsicSizes(NamedTuple):
    """Sizes in the source plane.

    Attributes
    ----------
    r_eff_pc : (n,) array
        Effective radius, or its upper limit; NaN where there is no shape.
    draws_pc : (n, n_draws) array
        Its distribution from the errors of fit and magnification.
    limit : (n,) bool array
        True where r_eff_pc is an upper limit.
    kind : (n,) str array
        unresolved, compact, extended, or unknown where there is no shape.
    """

    r_eff_pc: Array
    draws_pc: Array
    limit: Array
    kind: Array


def intrinsic_sizes(
    shapes: Table,
    mu: Array,
    mu_t: Array,
    mu_draws: Array,
    mu_t_draws: Array,
    normal_draws: Array,
    redshift: Array,
    pixel_scale_arcsec: Array,
    psf_fwhm_arcsec: Array,
    min_sigma_px: float = 0.4,
) -> IntrinsicSizes:
    """Effective radius of every clump in its source plane.

    Parameters
    ----------
    shapes : Table
        sigma_x_px >= sigma_y_px (standard deviations, deconvolved) and their ``_err``; optional sigma_limit_px, the
        upper limit of the fit where it found no size.
    mu, mu_t : (n,) arrays
        Magnification and its tangential factor.
    mu_draws, mu_t_draws : (n, n_draws) arrays
        Draws of their distributions.
    normal_draws : (n, n_draws) array
        Standard normal numbers, for the error of the fit.
    redshift, pixel_scale_arcsec, psf_fwhm_arcsec : (n,) arrays
        Scale and PSF are those of the reference filter.
    min_sigma_px : float
        Smallest resolved standard deviation (C25: 0.4 px).

    Notes
    -----
    Both axes resolved: R = sqrt(2 ln 2) sqrt(sigma_x sigma_y) / sqrt(mu). One: sqrt(2 ln 2) sigma / mu_t of the
    resolved axis. None: the upper limit sqrt(2 ln 2) sigma / mu_t with
    sigma = 0.4 px, or the fit's own limit where that is larger. Compact clumps have a deconvolved FWHM not
    larger than the PSF's. The fit's error enters as a log-normal factor.
    """
    major, minor, major_err, minor_err = (
        np.asarray(shapes[name], float)
        for name in ("sigma_x_px", "sigma_y_px", "sigma_x_px_err", "sigma_y_px_err")
    )
    resolved = (major >= min_sigma_px).astype(int) + (minor >= min_sigma_px).astype(int)
    both, one = resolved == 2, resolved == 1
    limit = np.full(major.shape, min_sigma_px)
    if "sigma_limit_px" in shapes.colnames:
        # At low signal-to-noise the data exclude less than C25's 0.4 px.
        limit = np.fmax(limit, np.asarray(shapes["sigma_limit_px"], float))
    missing = ~np.isfinite(major * minor)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = [
            np.where(np.isfinite(e / s), e / s, 0.0) for e, s in ((major_err, major), (minor_err, minor))
        ]
    sigma = np.where(both, np.sqrt(np.abs(major * minor)), np.where(one, major, limit))
    # An error as large as the size itself says "unknown", not "spread over decades".
    error = np.minimum(np.where(both, 0.5 * np.hypot(*relative), np.where(one, relative[0], 0.0)), 1.0)
    unit = HALF_LIGHT * pixel_scale_arcsec * pc_per_arcsec(np.asarray(redshift, float))
    radius = unit * sigma / np.where(both, np.sqrt(mu), mu_t)
    stretch = np.where(both[:, None], np.sqrt(mu_draws), mu_t_draws)
    draws = (unit * sigma)[:, None] * np.exp(error[:, None] * normal_draws) / stretch
    width = 2.0 * HALF_LIGHT * sigma * pixel_scale_arcsec
    kind = np.where(resolved == 0, "unresolved", np.where(width <= psf_fwhm_arcsec, "compact", "extended"))
    radius[missing], draws[missing] = np.nan, np.nan
    return IntrinsicSizes(radius, draws, resolved == 0, np.where(missing, "unknown", kind))
