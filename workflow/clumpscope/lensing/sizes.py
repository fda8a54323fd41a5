"""Intrinsic sizes of clumps, their limits and classes (C25 sections 3.8 and 5.1)."""

import numpy as np
from astropy.table import Table

from ..cosmology import pc_per_arcsec

__all__ = ["HALF_LIGHT", "intrinsic_sizes"]

# Half-light radius of a circular Gaussian in its standard deviation (C25 section 3.8).
HALF_LIGHT = np.sqrt(2.0 * np.log(2.0))
_FWHM = 2.0 * HALF_LIGHT


def intrinsic_sizes(
    shapes: Table,
    magnification: Table,
    redshift: np.ndarray,
    pixel_scale_arcsec: np.ndarray,
    psf_fwhm_arcsec: np.ndarray,
    min_sigma_px: float = 0.4,
) -> Table:
    """Effective radius of every clump in its source plane.

    Parameters
    ----------
    shapes : Table
        sigma_x_px, sigma_y_px (standard deviations, deconvolved) and their ``_err``.
    magnification : Table
        mu, mu_t, mu_samples, mu_t_samples of the same rows.
    redshift, pixel_scale_arcsec, psf_fwhm_arcsec : (n,) arrays
        Of each clump; scale and PSF are those of the reference filter.
    min_sigma_px : float
        Smallest resolved standard deviation (C25: 0.4 px).

    Returns
    -------
    Table
        r_eff_pc with _err_lo and _err_hi, r_eff_limit (bool), class.

    Notes
    -----
    Both axes resolved: R = sqrt(2 ln 2) sqrt(sigma_x sigma_y) / sqrt(mu). One: sqrt(2 ln 2) sigma / mu_t of the
    resolved axis. None: the upper limit sqrt(2 ln 2) 0.4 px / mu_t. Errors combine, in the logarithm, those of the
    fit and the scatter of the magnification's samples. Compact clumps have a deconvolved FWHM not larger than the PSF's.
    """
    major, minor = (np.asarray(shapes[name], float) for name in ("sigma_x_px", "sigma_y_px"))
    relative = []
    for name, sigma in (("sigma_x_px_err", major), ("sigma_y_px_err", minor)):
        with np.errstate(divide="ignore", invalid="ignore"):
            relative.append(np.nan_to_num(np.asarray(shapes[name], float) / sigma, posinf=0.0, neginf=0.0))
    resolved = (major >= min_sigma_px).astype(int) + (minor >= min_sigma_px).astype(int)
    both, one = resolved == 2, resolved == 1
    sigma = np.where(both, np.sqrt(np.abs(major * minor)), np.where(one, major, min_sigma_px))
    error = np.where(both, 0.5 * np.hypot(*relative), np.where(one, relative[0], 0.0))
    mu, mu_t = (np.asarray(magnification[name], float) for name in ("mu", "mu_t"))
    stretch = np.where(both, np.sqrt(mu), mu_t)
    samples = np.where(
        both[:, None],
        np.sqrt(np.asarray(magnification["mu_samples"], float)),
        np.asarray(magnification["mu_t_samples"], float),
    )
    unit = HALF_LIGHT * pixel_scale_arcsec * pc_per_arcsec(np.asarray(redshift, float))
    radius = unit * sigma / stretch
    low, high = np.percentile(np.log(stretch)[:, None] - np.log(samples), [16.0, 84.0], axis=1)
    # Normal errors of the fit and the magnification's percentiles add in quadrature in log R.
    below, above = np.hypot(error, np.minimum(low, 0.0)), np.hypot(error, np.maximum(high, 0.0))
    limit = resolved == 0
    width = _FWHM * np.sqrt(np.abs(major * minor)) * pixel_scale_arcsec
    kind = np.where(limit, "unresolved", np.where(width <= psf_fwhm_arcsec, "compact", "extended"))
    missing = ~np.isfinite(major * minor)
    return Table(
        {
            "r_eff_pc": np.where(missing, np.nan, radius),
            "r_eff_pc_err_lo": np.where(limit | missing, np.nan, radius * -np.expm1(-below)),
            "r_eff_pc_err_hi": np.where(limit | missing, np.nan, radius * np.expm1(above)),
            "r_eff_limit": limit,
            "class": np.where(missing, "unknown", kind),
        }
    )
