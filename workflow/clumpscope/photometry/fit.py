"""Fits of clumps: shape, flux and local background in one image (C25 section 3.5)."""

from functools import lru_cache

import numpy as np
from astropy.table import Table

from ..errors import InputError
from ..flags import bit
from .boxes import group_clumps, make_box
from .model import SpectralPSF, check_kernel, covariance_of, shape_of

__all__ = ["fit_clumps", "render_clumps"]

Array = np.ndarray
# Clumps of a group are drawn inside this many pixels, and taken off other clumps' boxes inside the second.
_REACH_PX, _STAMP_PX = 12, 24
_SHAPE = ("sigma_x_px", "sigma_y_px", "theta_deg")
_COLUMNS = ("x", "y", *_SHAPE, "flux", "flux_err", "background", "x_err", "y_err", "sigma_x_px_err", "sigma_y_px_err",
            "theta_deg_err", "background_err", "sigma_limit_px", "snr", "chi2")  # fmt: skip


def fit_clumps(
    image: Array,
    error: Array,
    psf: Array,
    x: Array,
    y: Array,
    box: int = 9,
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
    method: str = "projection",
) -> Table:
    """Fit every clump of an image: elliptical Gaussian times PSF on a plane of background.

    Parameters
    ----------
    image, error : (ny, nx) arrays
        Data and standard deviations in one unit; NaN where there is no good pixel.
    psf : (n, n) array
        PSF on the same pixels, containing the pixel: odd n, centred, unit sum (inside the radius that fluxes are meant
        for; wings beyond it may add to the sum).
    x, y : (n_clumps,) arrays
        Zero-based positions [px].
    box : int
        Side of the fit's box [px] (C25: 9).
    shape : Table, optional
        sigma_x_px, sigma_y_px, theta_deg of every clump: fixed, for forced fits in further filters. A clump without
        a shape (NaN) is measured as a point source.
    model : {"gaussian", "point"}
        ``point`` fits point sources (F22 section 2.4).
    joint_distance_px, joint_box : float, int
        Clumps closer than this are fitted together, on boxes of this side (C25: 4 px, 13).
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
    method : {"projection", "lmfit"}
        ``lmfit`` is the readable, slow reference of `clumpscope.photometry.reference`.

    Returns
    -------
    Table
        One row a clump: x, y, sigma_x_px >= sigma_y_px, theta_deg, flux, flux_err, background (at the clump), their
        errors (x_err, ..., theta_deg_err, background_err), sigma_limit_px (97.5 % upper limit where unresolved), snr,
        chi2, flags. A clump that cannot be fitted has NaN and a flag.

    Raises
    ------
    InputError
        If arrays do not fit each other, or the PSF is not a centred kernel of unit sum.
    """
    from .evidence import Rules  # numba takes half a second to import

    image, error = np.asarray(image, dtype=float), np.asarray(error, dtype=float)
    kernel = check_kernel(psf)
    if image.shape != error.shape or image.ndim != 2:
        raise InputError("image and error", f"shapes {image.shape} and {error.shape}", "two equal 2-D arrays")
    x, y = np.atleast_1d(np.asarray(x, dtype=float)), np.atleast_1d(np.asarray(y, dtype=float))
    if x.shape != y.shape or (shape is not None and len(shape) != x.size):
        raise InputError("x, y and shape", f"lengths {x.size}, {y.size}, {len(shape) if shape is not None else '-'}",
                         "one a clump")  # fmt: skip
    if method not in ("projection", "lmfit"):
        raise InputError("fit.method", repr(method), "'projection' or 'lmfit'")
    if max_shift_px is None:
        max_shift_px = 1.0 if shape is not None else 2.0
    covariance = np.zeros((x.size, 3))
    if shape is not None:
        covariance = np.nan_to_num(covariance_of(*(np.asarray(shape[name], dtype=float) for name in _SHAPE)))
    rules = Rules(
        max_shift_px, resolved_chi2, elliptical_chi2, np.ones((1, 1)) if rho is None else rho, error_scale
    )
    scene = _Scene(image, error, kernel, x, y, covariance, rules)
    scene.free = shape is None and model == "gaussian"
    scene.box, scene.joint_box, scene.method = box, joint_box, method
    scene.fit(group_clumps(x[scene.inside], y[scene.inside], joint_distance_px), n_sweeps)
    return scene.table(shape, min_sigma_px)


class _Scene:
    """All clumps of an image while they are fitted."""

    free: bool
    box: int
    joint_box: int
    method: str

    def __init__(self, image, error, kernel, x, y, covariance, rules) -> None:
        good = np.isfinite(image) & np.isfinite(error) & (error > 0)
        self.weight = np.zeros(image.shape)
        self.weight[good] = 1.0 / error[good]
        self.image = np.where(good, image, 0.0)
        self.kernel, self.rules = kernel, rules
        self.start = np.column_stack([x, y])
        self.theta = np.column_stack([x, y, covariance])
        self.values = {name: np.full(x.size, np.nan) for name in _COLUMNS}
        self.flags = np.zeros(x.size, dtype=np.int64)
        rows, columns = np.rint(np.nan_to_num([y, x], nan=-1.0, posinf=-1.0, neginf=-1.0)).astype(int)
        inside = (rows >= 0) & (rows < image.shape[0]) & (columns >= 0) & (columns < image.shape[1])
        self.flags[~inside] |= bit("edge", "few_pixels")
        self.inside = np.flatnonzero(inside)
        self.flags[self.inside[~good[rows[inside], columns[inside]]]] |= bit("saturated")
        self.spectral = lru_cache(lambda extent: SpectralPSF(kernel, extent))

    def fit(self, groups: list[Array], n_sweeps: int) -> None:
        from .compiled import add_source

        groups = [self.inside[group] for group in groups]
        for group in groups:
            if len(group) > 1:
                self.flags[group] |= bit("blended")
        # Brightest first: their light is the largest error of the others' first fits.
        rows, columns = np.rint(self.start[:, ::-1]).astype(int).T if self.inside.size else (None, None)
        groups.sort(key=lambda group: (-self.image[rows[group], columns[group]].max(), group[0]))
        lonely = self._lonely(groups)
        stamp = self.spectral(_STAMP_PX).arrays
        for sweep in range(n_sweeps):
            for group, alone in zip(groups, lonely, strict=True):
                if sweep and alone:
                    continue
                if sweep:
                    for k in group:
                        add_source(self.image, *stamp, self.theta[k], self.values["flux"][k], _STAMP_PX)
                self._fit_group(group, last=alone or sweep == n_sweeps - 1)
                for k in group if not alone else ():
                    add_source(self.image, *stamp, self.theta[k], -self.values["flux"][k], _STAMP_PX)

    def _lonely(self, groups: list[Array]) -> list[bool]:
        """Whether a group has no light of others in its box: one fit is enough."""
        from scipy.spatial import cKDTree

        owner = np.concatenate(
            [np.full(len(group), i) for i, group in enumerate(groups)] or [np.zeros(0, int)]
        )
        places = self.start[np.concatenate(groups)] if groups else np.zeros((0, 2))
        near = _STAMP_PX + max(self.box, self.joint_box) / 2.0
        alone = np.ones(len(groups), dtype=bool)
        for i, j in cKDTree(places).query_pairs(near) if len(places) else ():
            if owner[i] != owner[j]:
                alone[owner[[i, j]]] = False
        return list(alone)

    def _fit_group(self, group: Array, last: bool) -> None:
        """Fit one group on the image as it is, and keep the result."""
        if self.method == "lmfit":
            from .reference import fit_group
        else:
            from .evidence import fit_group

        single = len(group) == 1
        size = self.box if single else self.joint_box
        box = make_box(self.weight, *self.start[group].T, size)
        n_parameters = 3 + len(group) * (6 if self.free else 3)
        if box.n_good < n_parameters + 2:
            self.flags[group] |= bit("few_pixels") | (bit("edge") if box.cut else 0)
            self.values["flux"][group] = 0.0
            return
        reach = size // 2 + 1 if single else max(_REACH_PX, size // 2 + 1)
        spectral = self.spectral(reach + int(np.ceil(self.rules.max_shift_px)))
        fitted = fit_group(spectral, box, box.of(self.image), self.start[group], self.theta[group], reach, self.rules,
                           self.free)  # fmt: skip
        self.theta[group] = fitted.theta
        self.values["flux"][group] = fitted.flux
        if not last:
            return
        self.values["background"][group] = fitted.background
        self.values["sigma_limit_px"][group] = fitted.limit_px
        self.values["chi2"][group] = fitted.chi2
        for name, values in fitted.errors.items():
            self.values[f"{name}_err"][group] = values
        flags = np.where(fitted.resolved | (not self.free), 0, bit("unresolved"))
        flags |= np.where(np.isinf(fitted.limit_px), bit("size_undetermined"), 0)
        away = np.abs(fitted.theta[:, :2] - self.start[group]).max(axis=1)
        wide = self.free & (shape_of(fitted.theta[:, 2:])[0] >= fitted.max_sigma_px - 1e-6)
        flags |= np.where((away >= self.rules.max_shift_px - 1e-9) | wide, bit("at_bound"), 0)
        if box.cut:
            flags |= bit("edge")
        if not fitted.converged:
            flags |= bit("fit_failed")
        self.flags[group] |= flags

    def table(self, shape: Table | None, min_sigma_px: float) -> Table:
        """The result; a clump without a fit has NaN everywhere."""
        values = self.values
        values["x"], values["y"] = self.theta[:, 0].copy(), self.theta[:, 1].copy()
        for place, name in enumerate(_SHAPE):
            if shape is None:
                values[name] = np.array(shape_of(self.theta[:, 2:])[place], dtype=float)
            else:
                values[name] = np.array(shape[name], dtype=float)
        lost = (self.flags & bit("few_pixels")) != 0
        if shape is None:
            self.flags[~lost & (values["sigma_x_px"] < min_sigma_px)] |= bit("unresolved")
        for name in _COLUMNS:
            values[name][lost] = np.nan
        positive = values["flux_err"] > 0
        values["snr"][positive] = values["flux"][positive] / values["flux_err"][positive]
        return Table({**{name: values[name] for name in _COLUMNS}, "flags": self.flags})


def render_clumps(fitted: Table, psf: Array, shape: tuple[int, int]) -> Array:
    """Image of fitted clumps without their backgrounds.

    Parameters
    ----------
    fitted : Table
        Of `fit_clumps`.
    psf : (n, n) array
        The same kernel.
    shape : (int, int)
        Of the image.
    """
    from .compiled import add_source

    arrays = SpectralPSF(check_kernel(psf), _STAMP_PX).arrays
    image = np.zeros(shape)
    covariance = np.nan_to_num(covariance_of(*(np.asarray(fitted[name], dtype=float) for name in _SHAPE)))
    theta = np.column_stack([fitted["x"], fitted["y"], covariance])
    for source, flux in zip(theta, fitted["flux"], strict=True):
        if np.isfinite(flux):
            add_source(image, *arrays, source, flux, _STAMP_PX)
    return image
