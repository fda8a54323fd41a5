"""Whether a given PSF can be that of its image where no stars tell: nothing real is sharper than the PSF, and what is nearly as sharp follows it from filter to filter.

A circular Gaussian on a plane is fitted to compact sources (knots, clumps, galaxies), and the same Gaussian to the PSF as it
looks at that place within a pixel: what pixels, wings and the circle around the source do to widths they do to both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy
from astropy.table import Table

from ..gaussian import FWHM_OF_SIGMA
from .centring import pixels_of, shifted
from .mosaic import Mosaic
from .psf import PSF, diffraction_fwhm

__all__ = ["compact_sources", "doubts_of_compact", "judge_psfs", "unlike_images"]

Array = np.ndarray
# Candidates that are looked at and fitted, and the contrast to their surroundings, over the noise, from which they are.
_LOOKED_AT, _FITTED, _CONTRAST = 200, 40, 10.0
# Radius of the circle that is fitted: arcsec and px at least, and FWHM of the PSF.
_RADIUS_ARCSEC, _RADIUS_PX, _RADIUS_FWHM = 0.2, 3.0, 1.25
# Signal-to-noise of a peak that counts, scatter of what a fit leaves, over the peak, and the share of the telescope's FWHM below which nothing is a source.
_PEAK_SNR, _LEFT, _ARTEFACT = 30.0, 0.1, 0.8
# Standard deviations, of drizzled pixels whose noise is correlated: twice that of white noise.
_SIGMA, _CORRELATED = 3.0, 2.0
# Sources that are enough, and fewest; squared width over the PSF's, less one, that none can have: PSFs vary over a field by 20 % in width.
_ENOUGH, _FEWEST, _TOO_SHARP = 3, 2, -0.25
# Filters in which a source tells how widths follow PSFs, the ratio of squared widths of PSFs there, and the source's own squared width over that of
# the broadest PSF up to which it does.
_FILTERS, _LEVER, _OWN = 3, 2.0, 0.7
# Slope of squared widths with the PSFs' below which images have one PSF (1 and 0 are expected), and how well widths are comparable.
_FOLLOWS, _COMPARABLE = 0.6, 0.05
_SAME_ARCSEC = 0.1


def compact_sources(mosaic: Mosaic, psf: PSF, candidates: Table) -> Table:
    """Widths of the most peaked sources of an image, and of the PSF at their places.

    Parameters
    ----------
    mosaic : Mosaic
    psf : PSF
        As it is given for this image.
    candidates : Table
        Of `clumpscope.images.stars.star_candidates`: stars or not.

    Returns
    -------
    Table
        One row a source: ra, dec [deg], squared FWHM of the source, its error, and that of the PSF [arcsec^2].
    """
    scale, fwhm_px = mosaic.pixel_scale_arcsec, psf.sampling_px
    radius = max(_RADIUS_ARCSEC / scale, _RADIUS_PX, _RADIUS_FWHM * fwhm_px)
    half = int(np.ceil(radius)) + 2
    distance = np.hypot(*(np.indices((2 * half + 1,) * 2) - half))
    start = (fwhm_px / FWHM_OF_SIGMA) ** 2
    brightness = np.nan_to_num(np.asarray(candidates["mag_ab"] + 5.0 * np.log10(candidates["r_half_px"])), nan=99.0)  # fmt: skip
    peaked = []
    for index in np.argsort(brightness, kind="stable")[:_LOOKED_AT].tolist():
        x, y = (int(np.rint(candidates[axis][index])) for axis in ("x", "y"))
        cutout = mosaic.cutout_pixels(x, y, half)
        if np.isfinite(cutout.data).all() and np.isfinite(cutout.error).all():
            around = np.median(cutout.data[np.abs(distance - radius) < 1.0])
            contrast = (cutout.data[distance < 1.5].mean() - around) / np.median(cutout.error)
            peaked.append((-contrast, index, x, y, cutout))
    smallest = _ARTEFACT * np.hypot(diffraction_fwhm(mosaic.name) if mosaic.name else 0.0, scale)
    rows = []
    for contrast, index, x, y, cutout in sorted(peaked, key=lambda one: one[:2])[:_FITTED]:
        if -contrast < _CONTRAST:
            break
        place = candidates["x"][index] - x + half, candidates["y"][index] - y + half
        found = _gaussian(cutout.data, cutout.error, place, radius, start)
        fwhm = FWHM_OF_SIGMA * np.sqrt(found.variance) * scale
        if found.snr < _PEAK_SNR or found.left > _LEFT or fwhm < smallest:
            continue
        phase = found.x - round(found.x), found.y - round(found.y)
        point = _on_pixels(psf, half, *phase)
        own = _gaussian(point, np.full(point.shape, point.max()), (half + phase[0], half + phase[1]), radius, start)  # fmt: skip
        squared = (FWHM_OF_SIGMA * scale) ** 2 * np.array([found.variance, _CORRELATED * found.error, own.variance])  # fmt: skip
        rows.append((*mosaic.wcs.all_pix2world(x + found.x - half, y + found.y - half, 0), *squared))
    names = ["ra", "dec", "squared_arcsec2", "error_arcsec2", "psf_arcsec2"]
    return Table(rows=rows or None, names=names, dtype=[float] * len(names))


@dataclass(frozen=True)
class _Fit:
    """A circular Gaussian on a plane: place [px], variance and its error by white noise [px^2], signal-to-noise of the peak, scatter of what is left over the peak."""

    x: float
    y: float
    variance: float
    error: float
    snr: float
    left: float


def _gaussian(data: Array, error: Array, place: tuple[float, float], radius: float, variance: float) -> _Fit:
    """Fit of the pixels within a radius; amplitudes are solved exactly for every trial shape (variable projection)."""
    x, y = np.meshgrid(
        *(np.arange(size) - middle for size, middle in zip(data.shape[::-1], place, strict=True))
    )
    near = np.hypot(x, y) <= radius
    x, y, values, weight = x[near], y[near], data[near], 1.0 / error[near]

    def terms(shape: Array) -> Array:
        bump = np.exp(-0.5 * ((x - shape[0]) ** 2 + (y - shape[1]) ** 2) / np.exp(shape[2]))
        return np.stack([bump, np.ones(x.size), x, y], axis=1) * weight[:, None]

    def residual(shape: Array) -> Array:
        design = terms(shape)
        return values * weight - design @ np.linalg.lstsq(design, values * weight, rcond=None)[0]

    middle = np.log(variance)
    bounds = [-1.5, -1.5, np.log(0.1)], [1.5, 1.5, middle + np.log(30.0)]
    best = scipy.optimize.least_squares(residual, [0.0, 0.0, middle], bounds=bounds)
    design = terms(best.x)
    amplitude = np.linalg.lstsq(design, values * weight, rcond=None)[0][0]
    noise = np.sqrt(np.linalg.pinv(design.T @ design)[0, 0])
    log_error = np.sqrt(np.linalg.pinv(best.jac.T @ best.jac)[2, 2])
    left = float(np.std(best.fun / weight) / amplitude) if amplitude > 0 else np.inf
    size = float(np.exp(best.x[2]))
    return _Fit(place[0] + best.x[0], place[1] + best.x[1], size, size * log_error, amplitude / noise, left)


def _on_pixels(psf: PSF, half: int, dx: float, dy: float) -> Array:
    """A point source on a stamp, off its middle by (dx, dy) px."""
    point = (
        shifted(psf.kernel, dx, dy)
        if psf.oversampling == 1.0
        else pixels_of(psf.fine, psf.oversampling, dx, dy)
    )
    spare = point.shape[0] // 2 - half
    return point[spare:-spare, spare:-spare] if spare > 0 else np.pad(point, -spare)


def judge_psfs(psfs: Mapping[str, PSF]) -> tuple[dict[str, PSF], list[str]]:
    """PSFs with a note on what compact sources tell of each that stars did not test, and the doubts of all, for terminal and report.

    Parameters
    ----------
    psfs : mapping of str to PSF
        Filter -> its PSF.

    Returns
    -------
    psfs : dict of str to PSF
    doubts : list of str
    """
    judged, doubts, compact = dict(psfs), [], {}
    for name, psf in psfs.items():
        if psf.compact is None:
            continue
        compact[name] = psf.compact
        doubt, note = doubts_of_compact(psf.compact)
        judged[name] = replace(psf, notes=(*psf.notes, doubt or note))
        if doubt:
            doubts.append(f"PSF of {name}: {doubt}")
    if together := unlike_images(compact):
        doubts.append(together)
    return judged, doubts


def doubts_of_compact(sources: Table) -> tuple[str, str]:
    """What compact sources tell of the PSF of one filter.

    Parameters
    ----------
    sources : Table
        Of `compact_sources`.

    Returns
    -------
    doubt, note : str
        One of them is empty: why it cannot be the PSF of its image, or how much of that was tested.
    """
    if len(sources) < _FEWEST:
        return "", "was not tested: no stars, no compact source"
    ratio = np.asarray(sources["squared_arcsec2"] / sources["psf_arcsec2"])
    most = ratio + _SIGMA * np.asarray(sources["error_arcsec2"] / sources["psf_arcsec2"])
    # One or two may be flaws of the image.
    order = np.argsort(most)[: min(_ENOUGH, len(sources))]
    last = order[-1]
    if most[last] - 1.0 < _TOO_SHARP:
        seen, given = (float(np.sqrt(sources[name][last])) for name in ("squared_arcsec2", "psf_arcsec2"))
        return (
            f"{len(order)} sources are sharper than it, with FWHM of {seen:.3f} arcsec and less where it has {given:.3f}: "
            "nothing behind a telescope is: is it the PSF of this image?"
        ), ""
    broad = np.sqrt(max(most[last] / (1.0 + _TOO_SHARP), 1.0)) - 1.0
    return "", f"not tested on stars, for want of them; by {len(sources)} compact sources at most {broad:.0%} too broad"  # fmt: skip


def unlike_images(sources: Mapping[str, Table]) -> str:
    """What compact sources tell of the PSFs of all filters together.

    Parameters
    ----------
    sources : mapping of str to Table
        Filter -> of `compact_sources`.

    Returns
    -------
    str
        A doubt, where the same sources are as broad in all filters though the PSFs are not: images that were smoothed to one PSF. Else empty.
    """
    slopes, errors = np.array([*_slopes(sources)]).reshape(-1, 2).T
    if not slopes.size:
        return ""
    middle = float(np.median(slopes))
    spread = 1.4826 * float(np.median(np.abs(slopes - middle)))
    if middle + _SIGMA * max(float(np.median(errors)), spread) / np.sqrt(slopes.size) > _FOLLOWS:
        return ""
    return (
        f"PSFs of {', '.join(sources)}: compact sources ({slopes.size} of the field) are nearly as broad behind narrow ones as behind broad ones "
        f"(squared widths grow by {middle:.2f} of what the PSFs' do): were the images smoothed to one PSF? Then give its file as `psf` of all of them"
    )


def _slopes(sources: Mapping[str, Table]) -> Iterator[tuple[float, float]]:
    """Slope of squared widths with the PSFs', and its error, of every source that several filters show."""
    every = [(name, row) for name, table in sources.items() for row in table]
    # Those of the broadest PSFs first: the others are seen in more detail there, and more of them.
    every.sort(key=lambda one: -one[1]["psf_arcsec2"])
    left = np.ones(len(every), dtype=bool)
    if not every:
        return
    names = np.array([name for name, _ in every])
    values = np.array([[*row] for _, row in every])
    north = values[:, 1] * 3600.0
    east = values[:, 0] * np.cos(np.deg2rad(values[:, 1])) * 3600.0
    for first in range(len(every)):
        if not left[first]:
            continue
        same = left & (np.hypot(east - east[first], north - north[first]) < _SAME_ARCSEC)
        left &= ~same
        rows = np.flatnonzero(same)
        rows = rows[np.unique(names[rows], return_index=True)[1]]
        seen, error, own = values[rows, 2:].T
        broadest = int(np.argmax(own))
        if (
            len(rows) < _FILTERS
            or own.max() < _LEVER * own.min()
            or seen[broadest] > (1.0 + _OWN) * own.max()
        ):
            continue
        weight = 1.0 / (error**2 + (_COMPARABLE * seen) ** 2)
        away = own - np.average(own, weights=weight)
        total = float((weight * away**2).sum())
        yield float((weight * away * seen).sum()) / total, 1.0 / np.sqrt(total)
