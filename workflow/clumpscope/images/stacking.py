"""Stacking stars into one image of a point source."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from astropy.table import Table

from ..errors import InputError
from ..tables import require_columns
from .centring import core_centroid, shifted
from .mosaic import Mosaic
from .profiles import encircled_sums
from .sky import sky_statistics

__all__ = ["Stack", "Stamp", "stack_residuals", "stack_stars"]

_CLIP_SIGMA = 4.0
_CORE_PX = 3.0
_STAR_SNR = 10.0  # of the core, below which there is no star to be seen
_FIT_ARCSEC = 0.4  # stars are matched to the stack inside this radius
# Share of its light that a point source has where others have half, below which, by three errors, it is none: half-light
# radii 1.3 times theirs and more.
_EXTENDED, _SIGMA = 0.35, 3.0


@dataclass(frozen=True)
class Stack:
    """A stack of stars.

    Attributes
    ----------
    image : (n, n) array
        The point source on the middle pixel, of unit flux scale.
    used : (n_stars,) bool array
        Which of the given stars went in.
    x, y : (n_stars,) arrays
        Mosaic positions [pix]; NaN for stars not used.
    stamps : list of Stamp
        Cutouts of the stars used, with their places and fluxes in units of the stack.
    broad : tuple of str
        Of every star that was left out since it is broader than the others: what is odd about it.
    """

    image: np.ndarray
    used: np.ndarray
    x: np.ndarray
    y: np.ndarray
    stamps: list["Stamp"]
    broad: tuple[str, ...] = ()


@dataclass
class Stamp:
    """Cutout of a star."""

    data: np.ndarray  # background-subtracted, 0 where bad
    good: np.ndarray
    noise: float
    x: float  # source on the stamp
    y: float
    flux: float = 1.0


def stack_stars(
    mosaic: Mosaic, stars: Table, size_arcsec: float = 2.0, n_iterations: int = 3, n_min: int = 1
) -> Stack:
    """Stack stars, each placed and scaled by a fit of the stack itself.

    Parameters
    ----------
    mosaic : Mosaic
        One filter's image.
    stars : Table
        ``ra`` and ``dec`` [deg]; where there is a ``status``, only its ``star`` rows.
    size_arcsec : float
        Side of the stack (F22: 2).
    n_iterations : int
        Rounds in which the stars' residuals, moved back to the centre, correct the stack. The first
        guess, a median of interpolated stars, is blurred; what is averaged later are only small
        residuals, so that the interpolation's blur does not stay.
    n_min : int
        Fewest usable stars.

    Raises
    ------
    InputError
        If fewer than `n_min` stars are usable, or the stack is larger than the image.

    Notes
    -----
    The sky of a star is the robust median in the ring outside the stamp; the faint wings there (for NIRCam about
    1e-5 of the peak beyond 1 arcsec) go with it, so that the curve of growth of the stack ends at its edge. Pixels more than 4 robust
    standard deviations from the median star are left out (from 4 stars on), and so are stars broader than the others.
    """
    require_columns(stars, ["ra", "dec"], "star list")
    half = int(np.ceil(size_arcsec / 2 / mosaic.pixel_scale_arcsec))
    outer = int(np.ceil(1.4 * half))
    if 2 * half + 1 > min(mosaic.shape):
        raise InputError(
            mosaic.path, f"an image of {mosaic.shape[1]} x {mosaic.shape[0]} pixels",
            f"at least the PSF's {2 * half + 1} pixels a side", "Give a ready PSF.",
        )  # fmt: skip
    chosen = (
        np.asarray(stars["status"]) == "star" if "status" in stars.colnames else np.ones(len(stars), bool)
    )
    stamps: dict[int, Stamp] = {}
    x_mosaic, y_mosaic = np.full((2, len(stars)), np.nan)
    for index in np.flatnonzero(chosen).tolist():
        if not mosaic.contains(stars["ra"][index], stars["dec"][index]):
            continue
        column, row = (
            int(np.rint(p)) for p in mosaic.wcs.all_world2pix(stars["ra"][index], stars["dec"][index], 0)
        )
        stamp = _cut(mosaic, column, row, half, outer)
        if stamp is not None:
            stamps[index] = stamp
            x_mosaic[index], y_mosaic[index] = column - half + stamp.x, row - half + stamp.y
    if len(stamps) < max(n_min, 1):
        raise InputError(
            mosaic.path, f"{len(stamps)} usable stars of {int(chosen.sum())} in {mosaic.name}", f"at least {n_min}",
            "Give stars that are seen on the image, neither saturated nor cut by its edge, or a ready PSF.",
        )  # fmt: skip
    fit_px = _FIT_ARCSEC / mosaic.pixel_scale_arcsec
    broad = []
    for index, share in _broader(stamps, fit_px).items():
        del stamps[index]
        x_mosaic[index] = y_mosaic[index] = np.nan
        broad.append(
            f"star at {float(stars['ra'][index]):.5f}, {float(stars['dec'][index]):+.5f} left out: {share:.0%} of its light lies "
            "where the others have half, so that it is a galaxy, or saturated"
        )
    image = _stack(list(stamps.values()), half, fit_px, n_iterations)
    used = np.isin(np.arange(len(stars)), list(stamps))
    return Stack(image, used, x_mosaic, y_mosaic, list(stamps.values()), tuple(broad))


def _broader(stamps: dict[int, Stamp], radius_px: float) -> dict[int, float]:
    """Stars that are broader than the others: share of the light that lies inside the others' half-light radius, by index."""
    radii = np.arange(0.5, radius_px + 0.25, 0.25)
    curves = {index: encircled_sums(stamp.data, radii, stamp.x, stamp.y) for index, stamp in stamps.items()}
    curves = {index: curve for index, curve in curves.items() if curve[-1] > 0}
    if len(curves) < 2:
        return {}
    halves = sorted(float(np.interp(0.5, curve / curve[-1], radii)) for curve in curves.values())
    # The narrower half of them: nothing is narrower than a point source.
    middle = float(np.median(halves[: (len(halves) + 1) // 2]))
    found = {}
    for index, curve in curves.items():
        share = float(np.interp(middle, radii, curve)) / curve[-1]
        noise = stamps[index].noise * np.sqrt(
            np.pi * ((1.0 - share) ** 2 * middle**2 + share**2 * (radius_px**2 - middle**2))
        )
        if share + _SIGMA * noise / curve[-1] < _EXTENDED:
            found[index] = share
    return found


def _cut(mosaic: Mosaic, column: int, row: int, half: int, outer: int) -> Stamp | None:
    """Background-subtracted stamp with its source's centre; None for an unusable star."""
    wide = mosaic.cutout_pixels(column, row, outer)
    rows, columns = np.indices(wide.data.shape) - outer
    ring = np.hypot(rows, columns) > half
    sky, noise = sky_statistics(wide.data[ring])
    inner = np.s_[outer - half : outer + half + 1, outer - half : outer + half + 1]
    data = wide.data[inner] - sky
    good = np.isfinite(data)
    if good.mean() < 0.5 or not np.isfinite(sky):
        return None
    data = np.where(good, data, 0.0)
    x, y = core_centroid(data, half, half, max_move_px=5.0)
    if not np.isfinite(x + y):
        return None
    core = np.hypot(*(np.indices(data.shape) - np.array([y, x])[:, None, None])) <= _CORE_PX
    if not good[core].all() or data[core].sum() < _STAR_SNR * noise * np.sqrt(core.sum()):
        return None
    return Stamp(data, good, noise, x, y)


def _stack(stamps: list[Stamp], half: int, fit_radius_px: float, n_iterations: int) -> np.ndarray:
    distance = np.hypot(*(np.indices((2 * half + 1, 2 * half + 1)) - half))
    inside = distance <= fit_radius_px
    for stamp in stamps:
        stamp.flux = float(shifted(stamp.data, half - stamp.x, half - stamp.y)[inside].sum())
    centred = np.array([shifted(s.data, half - s.x, half - s.y) / s.flux for s in stamps])
    image = np.median(centred, axis=0)
    weight = _weights(stamps)
    for _ in range(n_iterations):
        residuals = np.empty_like(centred)
        seen = np.empty(centred.shape, dtype=bool)
        for index, stamp in enumerate(stamps):
            model = _fit(image, stamp, half, fit_radius_px)
            residual = np.where(stamp.good, stamp.data / stamp.flux - model, 0.0)
            residuals[index], seen[index] = _centred(residual, stamp, half)
        image = image + _clipped_mean(residuals, seen, weight)
        image = image / image[inside].sum()
    return image


def stack_residuals(stamps: list[Stamp], model: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """Mean of what a model of the PSF leaves of stars, moved to the middle.

    Parameters
    ----------
    stamps : list of Stamp
        With the places and fluxes that the model gives them.
    model : callable
        Values of pixels at distances (n,), (n,) along x and y from the source.

    Returns
    -------
    (n, n) array
        In the model's unit.
    """
    shape = stamps[0].data.shape
    half = shape[0] // 2
    rows, columns = np.indices(shape)
    residuals, seen = np.empty((len(stamps), *shape)), np.empty((len(stamps), *shape), dtype=bool)
    for index, stamp in enumerate(stamps):
        drawn = model((columns - stamp.x).ravel(), (rows - stamp.y).ravel()).reshape(shape)
        residual = np.where(stamp.good, stamp.data / stamp.flux - drawn, 0.0)
        residuals[index], seen[index] = _centred(residual, stamp, half)
    return _clipped_mean(residuals, seen, _weights(stamps))


def _centred(residual: np.ndarray, stamp: Stamp, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Residual moved to the middle, and which of its pixels were seen."""
    move = (half - stamp.y, half - stamp.x)
    seen = scipy.ndimage.shift(stamp.good.astype(float), move, order=1, cval=0.0) > 0.999
    return shifted(residual, half - stamp.x, half - stamp.y), seen


def _weights(stamps: list[Stamp]) -> np.ndarray:
    """No star weighs more than twice the median one: the PSF differs from star to star by more than noise."""
    variance = np.array([(s.noise / s.flux) ** 2 for s in stamps])
    return 1.0 / (variance + np.median(variance))


def _fit(image: np.ndarray, stamp: Stamp, half: int, radius_px: float) -> np.ndarray:
    """Fit flux and place of the stack to a star (one linear step); return the model of unit flux."""
    model = shifted(image, stamp.x - half, stamp.y - half)
    slope_y, slope_x = np.gradient(model)
    rows, columns = np.indices(model.shape)
    near = (np.hypot(columns - stamp.x, rows - stamp.y) <= radius_px) & stamp.good
    design = np.stack([model[near], -slope_x[near], -slope_y[near]], axis=1)
    flux, move_x, move_y = np.linalg.lstsq(design, stamp.data[near], rcond=None)[0]
    if flux > 0:
        stamp.flux = float(flux)
        stamp.x += float(np.clip(move_x / flux, -0.3, 0.3))
        stamp.y += float(np.clip(move_y / flux, -0.3, 0.3))
    return shifted(image, stamp.x - half, stamp.y - half)


def _clipped_mean(planes: np.ndarray, seen: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted mean over the first axis without outliers and unseen pixels."""
    keep = seen.copy()
    if len(planes) >= 4:
        masked = np.where(seen, planes, np.nan)
        masked[:, ~seen.any(axis=0)] = 0.0
        middle = np.nanmedian(masked, axis=0)
        spread = 1.4826 * np.nanmedian(np.abs(masked - middle), axis=0)
        keep &= np.abs(planes - middle) <= _CLIP_SIGMA * np.maximum(spread, 1e-12)
    share = weight[:, None, None] * keep
    total = share.sum(axis=0)
    return np.divide((share * planes).sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
