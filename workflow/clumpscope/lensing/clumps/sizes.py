"""Intrinsic sizes of clumps, their limits and classes (C25 sections 3.8 and 5.1)."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from astropy.table import Table

from ...cosmology import pc_per_arcsec
from ...gaussian import FWHM_OF_SIGMA, HALF_LIGHT_OF_SIGMA
from ...wings import profile_factors, profile_scatter, winged_profiles
from .intrinsic_size import SourceVariance, draw_sizes, size_limit, source_variance

__all__ = ["IntrinsicSizes", "axis_sizes", "round_sizes"]

Array = np.ndarray
# s^2 over its error from which a clump has a size.
_SEEN = 3.0
# Percentile of the limits from the lens's realisations: one standard deviation above their median.
_OF_LENSES = 84.0


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


def round_sizes(
    shapes: Table,
    lens: Table,
    picked: Array,
    uniform_draws: Array,
    profile_draws: Array,
    redshift: Array,
    psf_fwhm_arcsec: Array,
    min_sigma_px: float = 0.4,
    ellipticity: float = 0.1,
    profiles: Mapping[str, float] | None = None,
) -> IntrinsicSizes:
    """Effective radius of the nearly round source that a clump's second moments and the lens agree on.

    Parameters
    ----------
    shapes : Table
        moments_px2, moments_covariance_px4, sigma_limit_px, pixel_scale_arcsec, and profile_size_ratio where clumps may
        have wings, of `clumpscope.photometry.galaxy.measure_galaxy`.
    lens : Table
        mu_t, mu_r, their ``_samples`` (n, n_samples), and stretch_deg, of `clumpscope.lensing.clumps.magnification.magnify_clumps`.
    picked : (n, n_draws) int array
        Which of the lens's samples each draw takes.
    uniform_draws, profile_draws : (n, n_draws) arrays
        Random numbers between 0 and 1, for the errors of the moments; standard normal ones, for the profile.
    redshift, psf_fwhm_arcsec : (n,) arrays
        The PSF's is that of the reference filter.
    min_sigma_px : float
        Smallest resolved standard deviation (C25: 0.4 px).
    ellipticity : float
        Of `clumpscope.lensing.clumps.intrinsic_size.source_variance`.
    profiles : mapping of str to float, optional
        Share of the clumps that have each profile of `clumpscope.photometry.profiles`; all are Gaussians without it.

    Notes
    -----
    The value is the median of the draws, whose prior is uniform in the logarithm of the size. It is an upper limit
    (97.5 %) where s^2 is not three times its error, or the longer axis in the image below `min_sigma_px`: the larger of that of
    the moments, that of the fit (`sigma_limit_px`), and C25's, of `min_sigma_px` along mu_t; of the lens's realisations one that is larger than
    84 % of them, and larger by the scatter of the profiles. Draws have the size of each profile as often as clumps have that. Classes are those of
    `axis_sizes`, of the round Gaussian of the same area in the image.
    """
    moments, covariance = (
        np.asarray(shapes[name], dtype=float) for name in ("moments_px2", "moments_covariance_px4")
    )
    mu_t, mu_r, stretch = (np.asarray(lens[name], dtype=float) for name in ("mu_t", "mu_r", "stretch_deg"))
    best = source_variance(moments, covariance, mu_t, mu_r, stretch, ellipticity)
    each_t, each_r = (np.asarray(lens[f"{name}_samples"], dtype=float) for name in ("mu_t", "mu_r"))
    each = source_variance(
        moments[:, None], covariance[:, None], each_t, each_r, stretch[:, None], ellipticity
    )
    drawn = draw_sizes(
        SourceVariance(*(np.take_along_axis(part, picked, axis=1) for part in each)), uniform_draws
    )
    sigma = np.median(drawn, axis=1)
    longest = np.maximum(mu_t, mu_r)
    with np.errstate(invalid="ignore"):
        limit = ~((best.value > _SEEN * best.error) & (sigma * longest >= min_sigma_px))
    shares = profiles or {"gaussian": 1.0}
    winged = winged_profiles(shares)
    ratios = np.ones((len(shapes), 0))
    if winged:
        ratios = np.asarray(shapes["profile_size_ratio"], dtype=float)
    in_image = np.asarray(shapes["sigma_limit_px"], dtype=float)

    def bound(variance: SourceVariance, mu_t: Array, mu_r: Array, in_image: Array) -> Array:
        stretch = np.sqrt(0.5 * (mu_t**2 + mu_r**2))
        return np.fmax(np.fmax(size_limit(variance), in_image / stretch), min_sigma_px / mu_t)

    # A limit has to hold whichever realisation of the lens is true, and for light with wings.
    bounds = np.fmax(
        bound(best, mu_t, mu_r, in_image),
        np.percentile(bound(each, each_t, each_r, in_image[:, None]), _OF_LENSES, axis=1),
    )
    scatter = profile_scatter(dict(zip(winged, ratios.T, strict=True)), shares)
    sigma = np.where(limit, bounds * np.exp(scatter), sigma)
    drawn = np.where(limit[:, None], sigma[:, None], drawn)
    # Where the fit excludes no size there is no limit either (`size_undetermined`).
    missing = ~np.isfinite(np.asarray(shapes["sigma_x_px"], dtype=float)) | ~np.isfinite(sigma)
    scale = np.asarray(shapes["pixel_scale_arcsec"], dtype=float)
    unit = HALF_LIGHT_OF_SIGMA * scale * pc_per_arcsec(np.asarray(redshift, float))
    by_profile = profile_factors(ratios, shares, profile_draws)
    drawn = unit[:, None] * drawn * np.where(limit[:, None], 1.0, by_profile)
    width = FWHM_OF_SIGMA * sigma * np.sqrt(mu_t * mu_r) * scale
    kind = np.where(limit, "unresolved", np.where(width <= psf_fwhm_arcsec, "compact", "extended"))
    drawn[missing] = np.nan
    return IntrinsicSizes(
        np.where(missing, np.nan, unit * sigma), drawn, limit, np.where(missing, "unknown", kind)
    )


def axis_sizes(
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
    """Effective radius from the axes that are resolved, by the formulas of C25 section 3.8.

    Parameters
    ----------
    shapes : Table
        sigma_x_px >= sigma_y_px (standard deviations, deconvolved) and their ``_err``; optional sigma_limit_px, the
        upper limit of the fit where it found no size; infinite where it excludes none.
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
    missing = ~np.isfinite(major * minor) | ((resolved == 0) & np.isinf(limit))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = [
            np.where(np.isfinite(e / s), e / s, 0.0) for e, s in ((major_err, major), (minor_err, minor))
        ]
    sigma = np.where(both, np.sqrt(np.abs(major * minor)), np.where(one, major, limit))
    # An error as large as the size itself says "unknown", not "spread over decades".
    # A round clump's axes are one number, with one error.
    together = np.where(major == minor, relative[0], 0.5 * np.hypot(*relative))
    error = np.minimum(np.where(both, together, np.where(one, relative[0], 0.0)), 1.0)
    unit = HALF_LIGHT_OF_SIGMA * pixel_scale_arcsec * pc_per_arcsec(np.asarray(redshift, float))
    radius = unit * sigma / np.where(both, np.sqrt(mu), mu_t)
    stretch = np.where(both[:, None], np.sqrt(mu_draws), mu_t_draws)
    draws = (unit * sigma)[:, None] * np.exp(error[:, None] * normal_draws) / stretch
    width = FWHM_OF_SIGMA * sigma * pixel_scale_arcsec
    kind = np.where(resolved == 0, "unresolved", np.where(width <= psf_fwhm_arcsec, "compact", "extended"))
    radius[missing], draws[missing] = np.nan, np.nan
    return IntrinsicSizes(radius, draws, resolved == 0, np.where(missing, "unknown", kind))
