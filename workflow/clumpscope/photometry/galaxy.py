"""All clumps of a galaxy in all filters: shapes from the reference filter, forced fluxes everywhere (C25 section 3.5)."""

from collections.abc import Mapping, Sequence

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS

from ..flags import bit, has
from ..gaussian import FWHM_OF_SIGMA
from ..images.cutouts import Cutout
from ..images.psf import PSF
from ..wings import profile_interval, profile_scatter, winged_profiles
from .fit import fit_clumps, render_clumps
from .model import moments_of

__all__ = ["draw_clumps", "measure_galaxy", "transform_shapes"]


def transform_shapes(shapes: Table, old: WCS, new: WCS) -> Table:
    """Express ellipses of one pixel grid in another, by the grids' scale and rotation.

    Parameters
    ----------
    shapes : Table
        moments (or sigma_x_px, sigma_y_px, theta_deg), and moments_covariance if known, on the pixels of `old`.
    old, new : astropy.wcs.WCS
        Celestial WCS of the two grids.

    Returns
    -------
    Table
        moments, and moments_covariance, on the pixels of `new`.
    """
    linear = _turn_of_moments(old, new)
    table = Table({"moments": moments_of(shapes) @ linear.T})
    if "moments_covariance" in shapes.colnames:
        table["moments_covariance"] = linear @ np.asarray(shapes["moments_covariance"]) @ linear.T
    return table


def _turn_of_moments(old: WCS, new: WCS) -> np.ndarray:
    """Matrix (3, 3) that takes (S_xx, S_yy, S_xy) from the pixels of one grid to those of another."""
    (a, b), (c, d) = np.linalg.solve(new.pixel_scale_matrix, old.pixel_scale_matrix)
    return np.array([[a * a, b * b, 2 * a * b], [c * c, d * d, 2 * c * d], [a * c, b * d, a * d + b * c]])


def _directions(covariance: np.ndarray) -> np.ndarray:
    """Errors of moments in independent directions, (n, 3, 3): the product with its own transpose is the covariance."""
    variance, axes = np.linalg.eigh(covariance)
    return axes * np.sqrt(np.maximum(variance, 0.0))[:, None, :]


def _core_error(psf: PSF) -> float:
    """Error of the variance of a PSF's core [px^2]."""
    return (psf.sampling_px / FWHM_OF_SIGMA) ** 2 * psf.core_variance_error


def measure_galaxy(
    cutouts: Mapping[str, Cutout],
    psfs: Mapping[str, PSF],
    clumps: Table,
    filter_ref: str,
    filters: list[str],
    noise: Mapping[str, tuple[np.ndarray, float]] | None = None,
    profiles: Mapping[str, float] | None = None,
    **options: object,
) -> tuple[Table, dict[str, Table]]:
    """Fit shapes in the reference filter and force them on the others.

    Parameters
    ----------
    cutouts : mapping of str to Cutout
        By filter; a filter may be missing where its mosaic does not reach the galaxy.
    psfs : mapping of str to PSF
        By filter, on the same pixels.
    clumps : Table
        id, galaxy, ra, dec [deg], flags.
    filter_ref : str
        Filter of the shapes.
    filters : list of str
        All filters, in the order of the columns.
    noise : mapping, optional
        Filter -> (autocorrelation of the noise, true scatter over the error map's).
    profiles : mapping of str to float, optional
        Share of the clumps that have each profile of `clumpscope.photometry.profiles`: what fluxes and sizes would be with
        these goes into their errors. Without it all are Gaussians.
    **options
        Of `fit_clumps`.

    Returns
    -------
    table : Table
        One row a clump; sigma_x_px and sigma_y_px are zero where it is unresolved, with the upper limit in
        sigma_limit_px. Fluxes [nJy] are those inside the PSF's normalisation radius (0.4 arcsec), since the kernel
        has unit sum there. Their errors contain the PSF's own, independent between filters: that of stars (`PSF.flux_error`), or what
        the scatter of the PSF's width (`PSF.core_variance_error`) does to this clump's forced flux, where that is more, and
        the root mean square of what other profiles would change; flux_<F>_err_lo_njy and flux_<F>_err_hi_njy are the ends of
        the 68 % interval of the fluxes with all profiles.
        flux_<F>_common_njy (n, 4) are the parts of the errors that a clump's filters have in common, so that the covariance
        of two filters is their product: three of the shape, one of the profile. moments_px2 and moments_covariance_px4 are
        the second moments as the data of the reference filter have them, not bound to be those of an ellipse;
        profile_size_ratio (n, n_winged), where clumps may have wings, is the half-light radius with each profile of
        `winged_profiles` over that of the Gaussian.
    fits : dict of str to Table
        Of `fit_clumps`, by the filters that there are cutouts of.
    """

    def fit(
        name: str,
        ra: np.ndarray,
        dec: np.ndarray,
        shape: Table | None,
        winged: Mapping[str, np.ndarray] | Sequence[str],
    ) -> Table:
        cutout = cutouts[name]
        x, y = cutout.wcs.world_to_pixel_values(ra, dec)
        rho, scale = noise[name] if noise is not None else (None, 1.0)
        return fit_clumps(
            cutout.data,
            cutout.error,
            psfs[name].fine,
            x,
            y,
            shape=shape,
            rho=rho,
            error_scale=scale,
            psf_oversampling=psfs[name].oversampling,
            winged=winged,
            **options,
        )

    table = clumps["id", "galaxy", "ra", "dec"].copy()
    reference = cutouts[filter_ref]
    shares = profiles or {"gaussian": 1.0}
    winged = winged_profiles(shares)
    fitted = fit(filter_ref, clumps["ra"], clumps["dec"], None, winged)
    flags = np.asarray(clumps["flags"], dtype=np.int64) | np.asarray(fitted["flags"], dtype=np.int64)
    measured = np.isfinite(fitted["x"])
    # A clump without a fit keeps its detected place, so that its row stays readable.
    ra, dec = reference.wcs.pixel_to_world_values(fitted["x"], fitted["y"])
    ra, dec = np.where(measured, ra, clumps["ra"]), np.where(measured, dec, clumps["dec"])
    x, y = reference.wcs.world_to_pixel_values(ra, dec)
    table["ra"], table["dec"] = ra, dec
    table["x"], table["y"] = x + reference.x0, y + reference.y0
    table["filter_ref"] = filter_ref
    table["pixel_scale_arcsec"] = reference.pixel_scale_arcsec
    for name in ("sigma_x_px", "sigma_x_px_err", "sigma_y_px", "sigma_y_px_err", "theta_deg", "theta_deg_err",
                 "sigma_limit_px", "snr"):  # fmt: skip
        table[name] = fitted[name]
    # The best moments of an unresolved clump belong to its flux in every filter, but say nothing by themselves.
    unresolved = has(fitted["flags"], "unresolved")
    for name in ("sigma_x_px", "sigma_y_px", "theta_deg"):
        table[name][unresolved & measured] = 0.0
    table["moments_px2"] = fitted["free_moments"]
    # What is below zero is no clump with a size.
    negative = has(fitted["flags"], "negative")
    for name in ("sigma_x_px", "sigma_x_px_err", "sigma_y_px", "sigma_y_px_err", "theta_deg", "theta_deg_err", "moments_px2"):  # fmt: skip
        table[name][negative] = np.nan
    table["sigma_limit_px"][negative] = np.inf
    # A PSF of another width adds as much to both axes.
    core = _core_error(psfs[filter_ref])
    by_core = core**2 * np.outer([1.0, 1.0, 0.0], [1.0, 1.0, 0.0])
    table["moments_covariance_px4"] = np.asarray(fitted["free_moments_covariance"]) + by_core
    directions = _directions(np.nan_to_num(np.asarray(fitted["moments_covariance"])))

    if winged:
        table["profile_size_ratio"] = np.column_stack([fitted[f"winged_size_{one}"] for one in winged])
    fits = {}
    for name in filters:
        flux, error, below, above = (f"flux_{name}{end}_njy" for end in ("", "_err", "_err_lo", "_err_hi"))
        if name not in cutouts:
            table[flux], table[error], table[below], table[above] = (np.nan,) * 4
            table[f"flux_{name}_common_njy"] = np.full((len(table), 4), np.nan)
            flags |= bit("no_coverage")
            continue
        here, by_width = fitted, 0.0
        if name != filter_ref:
            scale = reference.pixel_scale_arcsec / cutouts[name].pixel_scale_arcsec
            sizes = {one: np.asarray(fitted[f"winged_size_{one}"]) for one in winged}
            shapes = transform_shapes(fitted, reference.wcs, cutouts[name].wcs)
            here = fit(name, ra, dec, shapes, sizes)
            # Where PSFs are broader than the field's they are so in all filters: the shape has taken the reference's part.
            width = _core_error(psfs[name]) - scale**2 * core
            by_width = np.abs(here["flux_by_moments"] @ [width, width, 0.0])
        # The error of a flux that could not be measured is as unknown as the flux.
        lost = ~np.isfinite(here["flux"]) | ~measured
        flags[lost & measured] |= bit("no_coverage")
        flags |= np.asarray(here["flags"], dtype=np.int64) & bit("poor_model", "host_dominated")
        table[flux] = np.where(lost, np.nan, here["flux"])
        turn = _turn_of_moments(reference.wcs, cutouts[name].wcs)
        by_shape = np.einsum("ni,ij,njk->nk", here["flux_by_moments"], turn, directions)
        ratios = {one: np.asarray(here[f"winged_{one}"]) for one in winged}
        common = np.column_stack([by_shape, profile_scatter(ratios, shares) * table[flux]])
        table[f"flux_{name}_common_njy"] = np.where(lost[:, None], np.nan, common)
        # Stars show it beside a plane; beside a host, whose modes take light at the foot of a clump, a wrong width does more.
        by_psf = np.maximum(psfs[name].flux_error * np.abs(table[flux]), by_width)
        own = np.hypot(here["flux_err"], by_psf)
        table[error] = np.where(lost, np.nan, np.hypot(own, common[:, 3]))
        table[below], table[above] = profile_interval(
            np.asarray(table[flux]), np.where(lost, np.nan, own), ratios, shares
        )
        if psfs[name].undersampled:
            flags[~lost] |= bit("undersampled_psf")
        fits[name] = here
    table["flags"] = flags
    return table, fits


def draw_clumps(
    fits: Mapping[str, Table], cutouts: Mapping[str, Cutout], psfs: Mapping[str, PSF]
) -> dict[str, np.ndarray]:
    """Images (ny, nx) of fitted clumps on every cutout [nJy], by filter.

    Parameters
    ----------
    fits : mapping of str to Table
        Of `measure_galaxy`, or some of their rows.
    cutouts, psfs : mappings by filter
    """
    return {
        name: render_clumps(fit, psfs[name].fine, cutouts[name].data.shape, psfs[name].oversampling)
        for name, fit in fits.items()
    }
