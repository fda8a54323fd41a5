"""Fits of clumps: shape, flux and local background in one image (C25 section 3.5; science of Messa et al. 2019)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from astropy.table import Table
from scipy.cluster.hierarchy import fcluster, linkage

from ..errors import InputError
from ..flags import bit
from .model import SpectralPSF, check_kernel, covariance_of, shape_of
from .solve import Optimum, minimise

__all__ = ["fit_clumps", "render_clumps"]

Array = np.ndarray
_MIN_SIGMA_PX = 0.4
_SIZE_STEPS_PX = np.array([0.4, 0.55, 0.7, 0.85, 1.0, 1.2, 1.5, 1.9, 2.4, 3.0, 4.0])
# chi-squared rise of a one-sided 97.5 % limit on one parameter.
_LIMIT_RISE = 4.0


@dataclass
class _Clump:
    """State of one clump while an image is fitted."""

    x: float
    y: float
    start: tuple[float, float]
    covariance: Array = field(default_factory=lambda: np.zeros(3))
    flux: float = 0.0
    background: float = np.nan
    chi2: float = np.nan
    limit_px: float = np.nan
    errors: dict[str, float] = field(default_factory=dict)
    flags: int = 0
    converged: bool = False


@dataclass(frozen=True)
class _Box:
    """Good pixels around a group: their indices, weights and noise correlation."""

    rows: Array
    columns: Array
    good: Array
    weight: Array
    plane: Array
    correlation: Array | None


def _groups(x: Array, y: Array, distance_px: float) -> list[Array]:
    """Clumps linked by separations below `distance_px`, each group sorted."""
    if len(x) == 1:
        return [np.array([0])]
    labels = fcluster(linkage(np.column_stack([x, y]), "single"), np.nextafter(distance_px, 0), "distance")
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _make_box(error: Array, clumps: Sequence[_Clump], size: int, rho: Array | None) -> _Box | None:
    half = size // 2
    left = round(min(c.start[0] for c in clumps)) - half
    right = round(max(c.start[0] for c in clumps)) + half
    low = round(min(c.start[1] for c in clumps)) - half
    high = round(max(c.start[1] for c in clumps)) + half
    rows = np.arange(max(low, 0), min(high, error.shape[0] - 1) + 1)
    columns = np.arange(max(left, 0), min(right, error.shape[1] - 1) + 1)
    if rows.size == 0 or columns.size == 0:
        return None
    good = np.isfinite(error[np.ix_(rows, columns)])
    if not good.all() or rows.size < high - low + 1 or columns.size < right - left + 1:
        for clump in clumps:
            clump.flags |= bit("edge")
    yy, xx = np.meshgrid(rows, columns, indexing="ij")
    yy, xx = yy[good], xx[good]
    if yy.size == 0:
        return None
    plane = np.column_stack([np.ones(yy.size), xx - xx.mean(), yy - yy.mean()])
    correlation = None
    if rho is not None:
        reach = rho.shape[0] // 2
        dy, dx = yy[:, None] - yy[None, :], xx[:, None] - xx[None, :]
        inside = (np.abs(dy) <= reach) & (np.abs(dx) <= reach)
        correlation = np.where(
            inside, rho[np.clip(dy, -reach, reach) + reach, np.clip(dx, -reach, reach) + reach], 0.0
        )
    return _Box(rows, columns, good, 1.0 / error[np.ix_(rows, columns)][good], plane, correlation)


def _model(box: _Box, psf: SpectralPSF, covariances: Array | None, n: int):
    """Build theta -> (design, derivatives); theta is (x, y) a source, with its covariance where that is free."""
    per_source = 2 if covariances is not None else 5
    weight = box.weight[:, None]
    linear_plane = box.plane * weight

    def model(theta: Array):
        design = np.empty((box.weight.size, n + 3))
        design[:, n:] = linear_plane
        slopes = []
        for k in range(n):
            own = theta[k * per_source : (k + 1) * per_source]
            covariance = covariances[k] if covariances is not None else own[2:]
            parts = psf.images(own[0], own[1], covariance, box.columns, box.rows, 1 + per_source)
            # d(image)/d(position of the source) has the sign the factors of `images` give.
            good = parts[:, box.good] * box.weight
            design[:, k] = good[0]
            slopes.append(good[1:].T)

        def derivatives(linear: Array) -> Array:
            return np.concatenate([slopes[k] * linear[k] for k in range(n)], axis=1)

        return design, derivatives

    return model


def _projector(starts: Array, max_shift: float, max_sigma: float, per_source: int):
    def project(theta: Array) -> Array:
        theta = theta.copy().reshape(-1, per_source)
        theta[:, :2] = np.clip(theta[:, :2], starts - max_shift, starts + max_shift)
        if per_source == 5:
            for own in theta:
                matrix = np.array([[own[2], own[4]], [own[4], own[3]]])
                if not np.isfinite(matrix).all():
                    continue
                values, vectors = np.linalg.eigh(matrix)
                if values[0] < 0.0 or values[1] > max_sigma**2:
                    matrix = (vectors * np.clip(values, 0.0, max_sigma**2)) @ vectors.T
                    own[2:] = matrix[0, 0], matrix[1, 1], matrix[0, 1]
        return theta.ravel()

    return project


def _parameter_covariance(optimum: Optimum, box: _Box) -> Array:
    """Covariance of (linear, theta), with the pixels' correlated noise (sandwich)."""
    full = np.concatenate([optimum.design, optimum.jacobian], axis=1)
    inverse = np.linalg.pinv(full, rcond=1e-8)
    if box.correlation is None:
        return inverse @ inverse.T
    return inverse @ box.correlation @ inverse.T


def _noise_inflation(optimum: Optimum, box: _Box) -> float:
    """How much a difference of chi-squared between models is inflated by the noise's correlation."""
    if box.correlation is None:
        return 1.0
    q, _ = np.linalg.qr(np.concatenate([optimum.design, optimum.jacobian], axis=1))
    return max(float(np.einsum("ij,ik,kj->", q, box.correlation, q)) / q.shape[1], 1e-3)


def _size_limit(
    clump: _Clump, box: _Box, psf: SpectralPSF, data: Array, chi2: float, inflation: float
) -> float:
    """Circular sigma at which chi-squared has risen by the limit above the point source's, everything linear free."""
    best = chi2
    for sigma in _SIZE_STEPS_PX:
        parts = psf.images(clump.x, clump.y, np.array([sigma**2, sigma**2, 0.0]), box.columns, box.rows, 1)
        design = np.column_stack([parts[0][box.good], box.plane]) * box.weight[:, None]
        linear = np.linalg.lstsq(design, data, rcond=None)[0]
        here = float(np.sum((data - design @ linear) ** 2))
        best = min(best, here)
        if here - best > _LIMIT_RISE * inflation:
            return float(sigma)
    return float(_SIZE_STEPS_PX[-1])


def _store(group: list[_Clump], optimum: Optimum, box: _Box, forced: bool, point: bool, max_shift: float,
           max_sigma: float, error_scale: float) -> None:  # fmt: skip
    n = len(group)
    per_source = 2 if forced or point else 5
    covariance = _parameter_covariance(optimum, box) * error_scale**2
    sigma = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    for k, clump in enumerate(group):
        own = optimum.theta[k * per_source : (k + 1) * per_source]
        clump.x, clump.y = own[:2]
        clump.flux = optimum.linear[k]
        clump.background = optimum.linear[n]
        clump.chi2 = optimum.chi2
        clump.converged = optimum.converged
        place = n + 3 + k * per_source
        clump.errors = {"flux": sigma[k], "background": sigma[n], "x": sigma[place], "y": sigma[place + 1]}
        clump.flags &= ~bit("at_bound")
        if np.any(np.abs(own[:2] - clump.start) >= max_shift - 1e-9):
            clump.flags |= bit("at_bound")
        if per_source == 5:
            clump.covariance = own[2:].copy()
            major, minor, theta = shape_of(own[2:])
            if major >= max_sigma - 1e-6:
                clump.flags |= bit("at_bound")
            cos, sin = np.cos(np.deg2rad(theta)), np.sin(np.deg2rad(theta))
            part = covariance[place + 2 : place + 5, place + 2 : place + 5]
            along = np.array([cos**2, sin**2, 2 * cos * sin])
            across = np.array([sin**2, cos**2, -2 * cos * sin])
            turn = np.array([-sin * cos, sin * cos, cos**2 - sin**2]) / max(major**2 - minor**2, 1e-6)
            # Var(sigma) = Var(sigma^2) / (2 sigma)^2, finite where an axis has no width.
            for name, direction, axis in (("sigma_x_px", along, major), ("sigma_y_px", across, minor)):
                spread = np.sqrt(max(direction @ part @ direction, 0.0))
                clump.errors[name] = min(spread / (2.0 * axis) if axis > 0 else np.inf, np.sqrt(spread))
            clump.errors["theta_deg"] = min(np.rad2deg(np.sqrt(max(turn @ part @ turn, 0.0))), 90.0)


def _fit_group(
    image: Array, error: Array, psf: SpectralPSF, group: list[_Clump], size: int, shapes: Array | None, point: bool,
    max_shift: float, resolved_rise: float, rho: Array | None, error_scale: float,
) -> None:  # fmt: skip
    n = len(group)
    box = _make_box(error, group, size, rho)
    forced = shapes is not None
    per_source = 2 if forced or point else 5
    if box is None or box.weight.size < n * (per_source + 1) + 3 + 2:
        for clump in group:
            clump.flags |= bit("few_pixels")
        return
    data = image[np.ix_(box.rows, box.columns)][box.good] * box.weight
    starts = np.array([c.start for c in group])
    max_sigma = size / 2.0
    flat = np.zeros((n, 3)) if not forced else shapes
    positions = np.array([[c.x, c.y] for c in group])
    first = minimise(
        positions.ravel(), data, _model(box, psf, flat, n),
        _projector(starts, max_shift, max_sigma, 2), np.ones(2 * n),
    )  # fmt: skip
    if forced or point:
        for k, clump in enumerate(group):
            clump.covariance = flat[k]
        _store(group, first, box, forced, point, max_shift, max_sigma, error_scale)
        return
    optimum = None
    for width in (0.6, 1.5):
        theta = np.column_stack([first.theta.reshape(n, 2), np.tile([width**2, width**2, 0.0], (n, 1))])
        trial = minimise(
            theta.ravel(), data, _model(box, psf, None, n),
            _projector(starts, max_shift, max_sigma, 5), np.ones(5 * n),
        )  # fmt: skip
        if optimum is None or trial.chi2 < optimum.chi2 - 1e-6:
            optimum = trial
    _store(group, optimum, box, forced, point, max_shift, max_sigma, error_scale)
    inflation = _noise_inflation(optimum, box) * error_scale**2
    _decide(
        group,
        optimum,
        first,
        box,
        psf,
        data,
        inflation,
        resolved_rise,
        starts,
        max_shift,
        max_sigma,
        error_scale,
    )


def _decide(group, optimum, first, box, psf, data, inflation, resolved_rise, starts, max_shift, max_sigma,
            error_scale) -> None:  # fmt: skip
    """Resolved or point source, clump by clump: does chi-squared need the size?"""
    n = len(group)
    theta = optimum.theta.reshape(n, 5)
    unresolved = []
    for k in range(n):
        if n == 1:
            rise = first.chi2 - optimum.chi2
        else:
            shrunk = theta.copy()
            shrunk[k, 2:] = 0.0
            covariances = shrunk[:, 2:]
            rise = minimise(
                shrunk[:, :2].ravel(), data, _model(box, psf, covariances, n),
                _projector(starts, max_shift, max_sigma, 2), np.ones(2 * n),
            ).chi2 - optimum.chi2  # fmt: skip
        if rise < resolved_rise * inflation:
            unresolved.append(k)
    if not unresolved:
        return
    # Sizes that the data do not ask for are taken out, and the fluxes solved without them.
    free = [clump.flux for clump in group]
    theta[unresolved, 2:] = 0.0
    final = minimise(
        theta[:, :2].ravel(), data, _model(box, psf, theta[:, 2:].copy(), n),
        _projector(starts, max_shift, max_sigma, 2), np.ones(2 * n),
    )  # fmt: skip
    kept = {k: (group[k].covariance, dict(group[k].errors)) for k in range(n) if k not in unresolved}
    _store(group, final, box, True, False, max_shift, max_sigma, error_scale)
    for k, clump in enumerate(group):
        if k in kept:
            clump.covariance = kept[k][0]
            clump.errors = {**kept[k][1], **clump.errors}
            continue
        clump.covariance = np.zeros(3)
        clump.flags |= bit("unresolved")
        # The flux with a free size tells what the choice of a point source may be wrong by.
        clump.errors["flux"] = float(np.hypot(clump.errors["flux"], clump.flux - free[k]))
        others = np.delete(np.arange(n), k)
        rest = data - final.design[:, others] @ final.linear[others]
        clump.limit_px = _size_limit(clump, box, psf, rest, final.chi2, inflation)
        clump.errors |= {
            "sigma_x_px": clump.limit_px / 2,
            "sigma_y_px": clump.limit_px / 2,
            "theta_deg": 90.0,
        }


def _stamp(
    clump: _Clump, psf: SpectralPSF, shape: tuple[int, int], half: int
) -> tuple[tuple[slice, slice], Array] | None:
    rows = np.arange(max(round(clump.y) - half, 0), min(round(clump.y) + half, shape[0] - 1) + 1)
    columns = np.arange(max(round(clump.x) - half, 0), min(round(clump.x) + half, shape[1] - 1) + 1)
    if rows.size == 0 or columns.size == 0:
        return None
    part = psf.images(clump.x, clump.y, clump.covariance, columns, rows, 1)[0] * clump.flux
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)), part


def _add(image: Array, clump: _Clump, psf: SpectralPSF, half: int, sign: float) -> None:
    stamp = _stamp(clump, psf, image.shape, half)
    if stamp is not None and np.isfinite(clump.flux):
        image[stamp[0]] += sign * stamp[1]


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
    min_sigma_px: float = _MIN_SIGMA_PX,
    resolved_chi2: float = 9.0,
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
        sigma_x_px, sigma_y_px, theta_deg of every clump: fixed, for forced fits in further filters.
    model : {"gaussian", "point"}
        ``point`` fits point sources (F22 section 2.4).
    joint_distance_px, joint_box : float, int
        Clumps closer than this are fitted together, on boxes of this side (C25: 4 px, 13).
    max_shift_px : float, optional
        How far the centre may move; default 2 px, and 1 px in forced fits (C25).
    min_sigma_px : float
        Axes below are not resolved (C25: 0.4 px).
    resolved_chi2 : float
        Rise of chi-squared (in units of its noise) by which a size must improve on a point source.
    rho : (m, m) array, optional
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
        One row a clump: x, y, sigma_x_px >= sigma_y_px, theta_deg, flux, flux_err, background, their errors
        (x_err, ..., theta_deg_err, background_err), sigma_limit_px (97.5 % upper limit where unresolved), snr,
        chi2, flags. A clump that cannot be fitted has NaN and a flag.

    Raises
    ------
    InputError
        If arrays do not fit each other, or the PSF is not a centred kernel of unit sum.
    """
    image, error = np.asarray(image, dtype=float), np.asarray(error, dtype=float)
    kernel = check_kernel(psf)
    if image.shape != error.shape or image.ndim != 2:
        raise InputError("image and error", f"shapes {image.shape} and {error.shape}", "two equal 2-D arrays")
    x, y = np.atleast_1d(np.asarray(x, dtype=float)), np.atleast_1d(np.asarray(y, dtype=float))
    if x.shape != y.shape or (shape is not None and len(shape) != x.size):
        raise InputError(
            "x, y and shape", f"lengths {x.size}, {y.size}, {len(shape) if shape else '-'}", "one a clump"
        )
    if method not in ("projection", "lmfit"):
        raise InputError("fit.method", repr(method), "'projection' or 'lmfit'")
    if max_shift_px is None:
        max_shift_px = 1.0 if shape is not None else 2.0
    good = np.isfinite(image) & np.isfinite(error) & (error > 0)
    error = np.where(good, error, np.nan)
    image = np.where(good, image, 0.0)
    clumps = [_Clump(cx, cy, (cx, cy)) for cx, cy in zip(x, y, strict=True)]
    ny, nx = image.shape
    inside = []
    for index, clump in enumerate(clumps):
        row, column = round(clump.y), round(clump.x)
        if not (0 <= row < ny and 0 <= column < nx):
            clump.flags |= bit("edge", "few_pixels")
            continue
        if not good[row, column]:
            clump.flags |= bit("saturated")
        inside.append(index)
    groups = []
    if inside:
        local = _groups(x[inside], y[inside], joint_distance_px)
        groups = [[inside[i] for i in group] for group in local]
    for group in groups:
        if len(group) > 1:
            for index in group:
                clumps[index].flags |= bit("blended")
    covariances = None
    if shape is not None:
        covariances = covariance_of(shape["sigma_x_px"], shape["sigma_y_px"], shape["theta_deg"])
        # A clump without a shape is measured as a point source.
        covariances = np.nan_to_num(np.asarray(covariances, dtype=float))
    if method == "lmfit":
        from .reference import fit_group
    spans = [max(np.ptp(x[g]), np.ptp(y[g])) if len(g) > 1 else 0.0 for g in groups]
    extent = int(np.ceil(max([box, joint_box + max(spans, default=0.0)]))) + 4
    spectral = SpectralPSF(kernel, extent)
    # Brightest first: their light is the largest error of the others' first fits.
    height = [max(image[round(clumps[i].y), round(clumps[i].x)] for i in group) for group in groups]
    order = np.argsort(height)[::-1]
    residual = image.copy()
    # A clump without neighbours in reach of its box is done after one sweep.
    reach = (box if len(clumps) == 1 else joint_box) / 2.0 + 10.0
    alone = [
        all(
            np.hypot(x[i] - x[j], y[i] - y[j]) > reach
            for i in group for j in inside if j not in group
        )
        for group in groups
    ]  # fmt: skip
    for sweep in range(n_sweeps):
        for place in order:
            if sweep and alone[place]:
                continue
            members = [clumps[i] for i in groups[place]]
            for clump in members:
                _add(residual, clump, spectral, extent, +1.0)
            size = box if len(members) == 1 else joint_box
            own = covariances[groups[place]] if covariances is not None else None
            if method == "lmfit":
                fit_group(residual, error, kernel, members, size, own, max_shift_px)
            else:
                _fit_group(
                    residual, error, spectral, members, size, own, model == "point", max_shift_px, resolved_chi2,
                    rho, error_scale,
                )  # fmt: skip
            for clump in members:
                _add(residual, clump, spectral, extent, -1.0)
    return _table(clumps, min_sigma_px, shape)


def _table(clumps: Sequence[_Clump], min_sigma_px: float, shape: Table | None) -> Table:
    rows = []
    for index, clump in enumerate(clumps):
        failed = clump.flags & bit("few_pixels")
        if not failed and not clump.converged:
            clump.flags |= bit("fit_failed")
        if shape is not None:
            major, minor, theta = (
                float(shape[name][index]) for name in ("sigma_x_px", "sigma_y_px", "theta_deg")
            )
        else:
            major, minor, theta = (float(value) for value in shape_of(clump.covariance))
            if not failed and major < min_sigma_px:
                clump.flags |= bit("unresolved")
        missing = np.nan
        error = {name: clump.errors.get(name, missing) for name in
                 ("x", "y", "sigma_x_px", "sigma_y_px", "theta_deg", "flux", "background")}  # fmt: skip
        flux = missing if failed else clump.flux
        rows.append(
            {
                "x": missing if failed else clump.x, "y": missing if failed else clump.y,
                "sigma_x_px": missing if failed else major, "sigma_y_px": missing if failed else minor,
                "theta_deg": missing if failed else theta,
                "flux": flux, "flux_err": error["flux"], "background": clump.background,
                **{f"{name}_err": error[name] for name in ("x", "y", "sigma_x_px", "sigma_y_px", "theta_deg", "background")},
                "sigma_limit_px": clump.limit_px, "snr": flux / error["flux"] if error["flux"] else missing,
                "chi2": clump.chi2, "flags": clump.flags,
            }
        )  # fmt: skip
    if not rows:
        return _table([_Clump(0.0, 0.0, (0.0, 0.0))], min_sigma_px, None)[:0]
    return Table(rows)


def render_clumps(fitted: Table, psf: Array, shape: tuple[int, int], half: int = 24) -> Array:
    """Image of the fitted clumps without their backgrounds.

    Parameters
    ----------
    fitted : Table
        Of `fit_clumps`.
    psf : (n, n) array
        The same kernel.
    shape : (int, int)
        Of the image.
    half : int
        Half size of the stamp drawn of each clump [px].
    """
    spectral = SpectralPSF(check_kernel(psf), half + 2)
    image = np.zeros(shape)
    for row in fitted:
        if np.isfinite(row["flux"]):
            covariance = np.nan_to_num(covariance_of(row["sigma_x_px"], row["sigma_y_px"], row["theta_deg"]))
            clump = _Clump(row["x"], row["y"], (row["x"], row["y"]), covariance, row["flux"])
            _add(image, clump, spectral, half, 1.0)
    return image
