"""Fits of clumps: shape, flux and local background in one image (C25 section 3.5)."""

from collections.abc import Mapping, Sequence

import numpy as np
from astropy.table import Table

from ..errors import InputError
from ..flags import bit, has
from ..gaussian import FWHM_OF_SIGMA
from .model import Kernel, check_kernel, main_variances, moments_of, shape_of

__all__ = ["fit_clumps", "render_clumps"]

Array = np.ndarray
_STAMP_PX = 24
# As large as PSFs are kept.
_LARGEST_BOX = 2 * _STAMP_PX + 1
_LOW_SNR = 3.0
_SHAPE = ("sigma_x_px", "sigma_y_px", "theta_deg")
# Variance of a round clump, over that of the PSF's core, below which it does not go.
_LEAST_VARIANCE = -0.5
_COLUMNS = ("x", "y", *_SHAPE, "flux", "flux_err", "background", "x_err", "y_err", "sigma_x_px_err", "sigma_y_px_err",
            "theta_deg_err", "background_err", "sigma_limit_px", "snr", "chi2", "n_dof")  # fmt: skip


def fit_clumps(
    image: Array,
    error: Array,
    psf: Array,
    x: Array,
    y: Array,
    box: int | str = 9,
    shape: Table | None = None,
    *,
    model: str = "gaussian",
    joint_distance_px: float = 4.0,
    joint_box: int = 13,
    max_shift_px: float | None = None,
    min_sigma_px: float = 0.4,
    resolved_chi2: float = 4.0,
    elliptical_chi2: float = 6.0,
    rho: Array | None = None,
    error_scale: float = 1.0,
    n_sweeps: int = 3,
    host_fwhm: float = 4.0,
    method: str = "projection",
    psf_oversampling: float = 1.0,
    winged: Mapping[str, Array] | Sequence[str] = (),
) -> Table:
    """Fit every clump of an image: elliptical Gaussian times PSF on a plane of background.

    Parameters
    ----------
    image, error : (ny, nx) arrays
        Data and standard deviations in one unit; NaN, or masked, where there is no good pixel.
    psf : (n, n) array
        PSF on the same pixels, containing the pixel: odd n, centred, unit sum (inside the radius that fluxes are meant
        for; wings beyond it may add to the sum). A kernel with `psf_oversampling` samples a pixel side has the square of
        that as its sum: its samples are values of pixels that sit there.
    x, y : (n_clumps,) arrays
        Zero-based positions [px].
    box : int or "adaptive"
        Side of the fit's box [px] (C25: 9). ``adaptive``: 1.5 FWHM of the clump, as seen through the PSF, to each
        side (31 px at most), as long as clump and plane describe the pixels within their noise.
    shape : Table, optional
        Shape of every clump, fixed, for forced fits in further filters: sigma_x_px, sigma_y_px, theta_deg; or, as this
        function returns them, the columns moments and moments_covariance, whose errors go into those of the fluxes. A
        clump without a shape (NaN) is measured as a point source. Places are free where the signal-to-noise at the given place exceeds 3.
    model : {"gaussian", "point"}
        ``point`` fits point sources (F22 section 2.4).
    joint_distance_px, joint_box : float, int
        Clumps closer than this, or than the FWHM of the PSF, are fitted together, on boxes of this side (C25: 4 px, 13).
    max_shift_px : float, optional
        How far the centre may move along x and y; default 2 px (F22), and 1 px in forced fits (C25).
    min_sigma_px : float
        Axes below are not resolved (C25: 0.4 px).
    resolved_chi2, elliptical_chi2 : float
        Fall of chi-squared (over its noise) by which a round clump must improve on a point source, and an elliptical
        clump on a round one.
    rho : (r, r) array, optional
        Autocorrelation of the pixels' noise by lag, of `clumpscope.images.depth`; without it the noise is white.
    error_scale : float
        True scatter of the pixels over `error`.
    n_sweeps : int
        Times that all clumps are fitted, each with the others' current models taken off.
    host_fwhm : float
        Side [FWHM of the PSF] of the box in which the smooth light under a clump is modelled, `clumpscope.photometry.host`,
        where there is any; 0: the plane alone (C25).
    method : {"projection", "lmfit"}
        ``lmfit`` is the readable, slow reference of `clumpscope.photometry.reference`.
    psf_oversampling : float
        Samples of the kernel a pixel side. Kernels narrower than 2 px on whole pixels bias fluxes: they have
        to be oversampled.
    winged : sequence of str, or mapping of str to (n_clumps,) array
        Profiles of `clumpscope.photometry.profiles` that the clumps may have. In forced fits with the half-light radii that
        they would have then, over those of the Gaussians that they are.

    Returns
    -------
    Table
        One row a clump: x, y, sigma_x_px >= sigma_y_px, theta_deg, flux, flux_err, background (at the clump), their
        errors (x_err, ..., theta_deg_err, background_err), sigma_limit_px (97.5 % upper limit where unresolved), snr,
        chi2 and n_dof (of the box's residuals), moments (S_xx, S_yy, S_xy [px^2]), moments_covariance (3 x 3 [px^4]), flags. An unresolved clump is round;
        its moments, which may be below zero, are the best that belong to its flux. A clump that cannot be fitted has NaN
        and a flag. ``winged_<profile>``: what the flux would be with that profile, over what it is;
        ``winged_size_<profile>``, of free shapes: the half-light radius.

    Raises
    ------
    InputError
        If arrays do not fit each other, or the PSF is not a centred kernel of unit sum.
    """
    from .evidence import Rules  # numba takes half a second to import
    from .noise import Correlation
    from .other_profiles import flux_ratios, free_ratios
    from .scene import build_scene
    from .sweep import Sweep

    # Masked pixels are not good ones.
    image, error = (np.ma.filled(np.ma.asarray(plane, dtype=float), np.nan) for plane in (image, error))
    kernel = Kernel.of(check_kernel(psf, psf_oversampling), psf_oversampling)
    if image.shape != error.shape or image.ndim != 2:
        raise InputError("image and error", f"shapes {image.shape} and {error.shape}", "two equal 2-D arrays")
    x, y = np.atleast_1d(np.asarray(x, dtype=float)), np.atleast_1d(np.asarray(y, dtype=float))
    if x.shape != y.shape or (shape is not None and len(shape) != x.size):
        raise InputError("x, y and shape", f"lengths {x.size}, {y.size}, {len(shape) if shape is not None else '-'}",
                         "one a clump")  # fmt: skip
    if method not in ("projection", "lmfit"):
        raise InputError("fit.method", repr(method), "'projection' or 'lmfit'")
    if method == "lmfit" and psf_oversampling != round(psf_oversampling):
        raise InputError("psf_oversampling", f"{psf_oversampling:g}", "a whole number for fit.method lmfit")
    for key, side in (("fit.box", box), ("fit.joint_box", joint_box)):
        if side != "adaptive" and not (side % 2 == 1 and 5 <= side <= _LARGEST_BOX):
            raise InputError(key, f"a side of {side} px", f"an odd number from 5 to {_LARGEST_BOX}")
    if max_shift_px is None:
        max_shift_px = 1.0 if shape is not None else 2.0
    least_variance = _LEAST_VARIANCE * (kernel.fwhm_px / FWHM_OF_SIGMA) ** 2
    moments, moments_covariance = np.zeros((x.size, 3)), np.zeros((x.size, 3, 3))
    if shape is not None:
        moments = np.nan_to_num(moments_of(shape))
        # What fits behind the PSF of the other filter may be too narrow for this one.
        moments[:, :2] += np.maximum(least_variance - main_variances(moments)[1], 0.0)[:, None]
        if "moments_covariance" in shape.colnames:
            moments_covariance = np.nan_to_num(np.asarray(shape["moments_covariance"], dtype=float))
    rules = Rules(
        max_shift_px,
        least_variance,
        resolved_chi2,
        elliptical_chi2,
        Correlation.of(np.ones((1, 1)) if rho is None else rho),
        error_scale,
    )
    free_shape = shape is None and model == "gaussian"

    scene = build_scene(
        image, error, kernel, x, y, moments, n_free=6 if free_shape else 3,
        # Within one FWHM, fits of one clump after the other do not settle, and their errors know nothing of each other.
        distance_px=max(joint_distance_px, kernel.fwhm_px), box=box, joint_box=joint_box, host_fwhm=host_fwhm,
        correlation=rules.correlation, error_scale=error_scale,
    )  # fmt: skip
    swept = Sweep(scene, moments, moments_covariance, rules, free_shape, method, n_sweeps)
    table = _table(swept, shape, min_sigma_px)
    if isinstance(winged, Mapping):
        for name, ratio in flux_ratios(swept, winged).items():
            table[f"winged_{name}"] = ratio
    else:
        for name, fits in free_ratios(swept, winged).items():
            table[f"winged_size_{name}"], table[f"winged_{name}"] = fits
    return table


def _table(swept, shape: Table | None, min_sigma_px: float) -> Table:
    """The result; a clump without a fit has NaN everywhere."""
    values, flags = swept.values, swept.flags
    values["x"], values["y"] = swept.theta[:, 0].copy(), swept.theta[:, 1].copy()
    for name, axis in zip(_SHAPE, shape_of(swept.theta[:, 2:]), strict=True):
        values[name] = axis
    lost = has(flags, ["few_pixels", "fit_failed"])
    if shape is None:
        small = ~lost & (values["sigma_x_px"] < min_sigma_px)
        flags[small] |= bit("unresolved")
        # Seen to have a size, but one below the smallest that counts.
        small &= np.isnan(values["sigma_limit_px"])
        values["sigma_limit_px"][small] = (values["sigma_x_px"] + 2.0 * values["sigma_x_px_err"])[small]
    for value in values.values():
        value[lost] = np.nan
    values["flux_err"] = np.hypot(values["flux_err"], swept.by_host)
    positive = values["flux_err"] > 0
    values["snr"] = np.full(len(flags), np.nan)
    values["snr"][positive] = values["flux"][positive] / values["flux_err"][positive]
    if shape is None:
        flags[values["snr"] < _LOW_SNR] |= bit("low_snr")
        # What is drawn keeps the shape that was fitted, but nobody's light has it.
        flags[values["flux"] < 0.0] |= bit("negative", "size_undetermined")
    moments = np.where(lost[:, None], np.nan, swept.theta[:, 2:])
    columns = {name: values[name] for name in _COLUMNS} | {
        "moments": moments,
        "moments_covariance": swept.moments_covariance,
        "flux_by_moments": swept.by_moments,
    }
    if shape is None:
        for name, value in zip(("free_moments", "free_moments_covariance"), swept.likelihood, strict=True):
            value[lost] = np.nan
            columns[name] = value
    return Table({**columns, "flags": flags})


def render_clumps(fitted: Table, psf: Array, shape: tuple[int, int], psf_oversampling: float = 1.0) -> Array:
    """Image of fitted clumps without their backgrounds.

    Parameters
    ----------
    fitted : Table
        Of `fit_clumps`.
    psf : (n, n) array
        The same kernel.
    shape : (int, int)
        Of the image.
    psf_oversampling : float
        Samples of the kernel a pixel side.
    """
    from .compiled import add_source

    arrays = Kernel.of(check_kernel(psf, psf_oversampling), psf_oversampling).spectral(_STAMP_PX).arrays
    image = np.zeros(shape)
    theta = np.column_stack([fitted["x"], fitted["y"], np.nan_to_num(moments_of(fitted))])
    for source, flux in zip(theta, fitted["flux"], strict=True):
        if np.isfinite(flux):
            add_source(image, *arrays, source, flux, _STAMP_PX)
    return image
