"""Finding stars for the PSF on the half-light radius - magnitude plane (F22 section 2.3)."""

from collections.abc import Iterator

import numpy as np
import scipy
from astropy.table import Table

from ..errors import InputError
from .centring import core_centroid
from .mosaic import Mosaic
from .profiles import encircled_sums
from .sky import sky_statistics

__all__ = ["find_stars", "star_candidates"]

_BLOCK_PX = 2048
_RADIUS_STEP_PX = 0.5
_AB_ZERO_NJY = 31.4
# Width of the window of half-light radii in which point sources pile up, in dex.
_LOCUS_DEX = 0.06


def find_stars(
    mosaic: Mosaic, aperture_arcsec: float = 0.4, n_min: int = 3, **options: float | None
) -> Table:
    """Isolated, unsaturated point sources of a mosaic.

    Parameters
    ----------
    mosaic, aperture_arcsec, n_min, **options
        Of `star_candidates`.

    Returns
    -------
    Table
        Of `star_candidates`.

    Raises
    ------
    InputError
        If fewer than `n_min` stars are found.
    """
    side = 2 * _half_side(mosaic, aperture_arcsec) + 1
    if side > min(mosaic.shape):
        raise InputError(
            mosaic.path, f"{mosaic.shape[1]} x {mosaic.shape[0]} pixels", f"at least {side} a side to look for stars",
            "Give a ready PSF for this filter.",
        )  # fmt: skip
    table = star_candidates(mosaic, aperture_arcsec=aperture_arcsec, n_min=n_min, **options)
    n_stars = int((table["status"] == "star").sum())
    if n_stars < n_min:
        raise InputError(
            mosaic.path, f"{n_stars} usable stars among {len(table)} candidates in {mosaic.name}", f"at least {n_min}",
            "Give a ready PSF (`psf` of the image) or a list of `stars`, which may hold a single one.",
        )  # fmt: skip
    return table


def _half_side(mosaic: Mosaic, aperture_arcsec: float) -> int:
    """Half the side of the stamp on which a candidate is measured [px]."""
    return int(np.ceil(1.5 * aperture_arcsec / mosaic.pixel_scale_arcsec)) + 1


def star_candidates(
    mosaic: Mosaic,
    snr_min: float = 50.0,
    r_half_max_px: float = 3.0,
    mag_bright: float | None = None,
    mag_faint: float | None = None,
    aperture_arcsec: float = 0.4,
    isolation_arcsec: float = 1.0,
    n_min: int = 3,
    n_max: int = 30,
) -> Table:
    """Point sources of a mosaic, and what else looked like one, however few they are.

    Parameters
    ----------
    mosaic : Mosaic
        Read in blocks.
    snr_min : float
        Lowest signal-to-noise of the flux in the aperture.
    r_half_max_px : float
        Largest half-light radius of a candidate [px] (F22: 3).
    mag_bright, mag_faint : float, optional
        AB magnitudes between which stars are taken (F22: 25 and 27; default no limits, since
        saturation shows itself as a larger half-light radius, as missing pixels or as a plateau).
    aperture_arcsec : float
        Radius in which the flux is measured.
    isolation_arcsec : float
        No other peak higher than 10 % of the star's may be nearer.
    n_min, n_max : int
        Fewest stars that make a locus, and how many of the brightest are taken.

    Returns
    -------
    Table
        Every candidate, brightest first: ra, dec [deg], x, y [pix], mag_ab, r_half_px, snr, and
        ``status``: star, spare (good, beyond `n_max`), saturated, neighbour, extended, sharp
        (smaller than point sources), faint or bright.
    """
    scale = mosaic.pixel_scale_arcsec
    half = _half_side(mosaic, aperture_arcsec)
    rows = [
        row
        for block in _blocks(mosaic.shape, half)
        for row in _candidates(mosaic, block, half, aperture_arcsec)
    ]
    names = ["x", "y", "peak", "flux", "snr", "r_half_px", "saturated"]
    table = Table(rows=rows or None, names=names, dtype=[*[float] * 6, bool])
    table.sort(["flux", "x", "y"], reverse=True)
    table["mag_ab"] = _AB_ZERO_NJY - 2.5 * np.log10(np.maximum(table["flux"], 1e-30))
    table["ra"], table["dec"] = mosaic.wcs.all_pix2world(table["x"], table["y"], 0)
    table["status"] = (
        _classify(
            table, isolation_arcsec / scale, snr_min, r_half_max_px, mag_bright, mag_faint, n_min, n_max
        )
        if len(table)
        else np.empty(0, "U9")
    )
    table = table[table["status"] != "double"]
    return table["ra", "dec", "x", "y", "mag_ab", "r_half_px", "snr", "status"]


def _blocks(shape: tuple[int, int], margin: int) -> Iterator[tuple[slice, slice]]:
    """Yield overlapping rectangles whose inner parts tile the mosaic."""
    for y in range(0, shape[0], _BLOCK_PX):
        for x in range(0, shape[1], _BLOCK_PX):
            yield (
                slice(max(0, y - margin), min(shape[0], y + _BLOCK_PX + margin)),
                slice(max(0, x - margin), min(shape[1], x + _BLOCK_PX + margin)),
            )


def _candidates(mosaic: Mosaic, block: tuple[slice, slice], half: int, aperture_arcsec: float) -> list[tuple]:
    """Measure the peaks of one block that have a whole stamp in it."""
    data, error = mosaic.read(*block)
    level, sigma = sky_statistics(data)
    if not np.isfinite(sigma):
        return []
    filled = np.where(np.isfinite(data), data - level, -np.inf)
    # Smoothing over 3x3 pixels joins the noise peaks of one source; of bright smooth light they are none.
    finite = np.where(np.isfinite(filled), filled, 0.0)
    smooth = scipy.ndimage.uniform_filter(finite, 3)
    around = scipy.ndimage.uniform_filter(finite, 2 * int(aperture_arcsec / mosaic.pixel_scale_arcsec) + 1)
    peaks = (smooth == scipy.ndimage.maximum_filter(smooth, 5)) & (smooth - around > 10.0 * sigma)
    size_y, size_x = data.shape
    found = []
    for y, x in np.argwhere(peaks):
        if not (half <= y < size_y - half and half <= x < size_x - half):
            continue
        stamp = np.s_[y - half : y + half + 1, x - half : x + half + 1]
        measured = _measure(data[stamp], error[stamp], aperture_arcsec / mosaic.pixel_scale_arcsec)
        found.append((block[1].start + x + measured[0], block[0].start + y + measured[1], *measured[2:]))
    return found


def _measure(data: np.ndarray, error: np.ndarray, aperture_px: float) -> tuple:
    """Offset from the middle pixel, peak, flux, S/N, half-light radius and saturation of a stamp."""
    half = data.shape[0] // 2
    rows, columns = np.indices(data.shape) - half
    radius = np.hypot(rows, columns)
    good = np.isfinite(data)
    core = data[radius <= 2.5]
    # Missing, or cut off at one level; four pixels may share the peak of a star in the middle of them.
    saturated = not np.isfinite(core).all() or np.count_nonzero(core == core.max()) > 4
    sky = sky_statistics(data[radius > aperture_px])[0]
    light = np.where(good, data - (sky if np.isfinite(sky) else 0.0), 0.0)
    x, y = core_centroid(light, half, half)
    if not np.isfinite(x + y):
        x = y = half
        saturated = True
    radii = np.arange(_RADIUS_STEP_PX, aperture_px + _RADIUS_STEP_PX, _RADIUS_STEP_PX)
    curve = np.concatenate([[0.0], encircled_sums(light, radii, x, y)])
    flux = float(np.interp(aperture_px, np.concatenate([[0.0], radii]), curve))
    beyond = int(np.argmax(curve >= flux / 2)) if flux > 0 else 0
    r_half = np.nan
    if beyond > 0:
        fraction = (flux / 2 - curve[beyond - 1]) / (curve[beyond] - curve[beyond - 1])
        # Light grows as radius squared inside a step.
        inner, outer = (beyond - 1) * _RADIUS_STEP_PX, beyond * _RADIUS_STEP_PX
        r_half = float(np.sqrt(inner**2 + fraction * (outer**2 - inner**2)))
    noise = float(np.sqrt(np.nansum(error[radius <= aperture_px] ** 2)))
    return x - half, y - half, float(light[half, half]), flux, flux / noise, r_half, saturated


def _classify(table, isolation_px, snr_min, r_half_max_px, mag_bright, mag_faint, n_min, n_max) -> np.ndarray:
    status = np.full(len(table), "star", dtype="U9")
    tree = scipy.spatial.cKDTree(np.column_stack([table["x"], table["y"]]))
    peak = np.asarray(table["peak"])
    crowded = np.zeros(len(table), dtype=bool)
    for first, second in tree.query_pairs(isolation_px):
        # Overlapping blocks list a source twice, at nearly the same place.
        same = np.hypot(*(tree.data[first] - tree.data[second])) < 1.0
        if same:
            status[max(first, second)] = "double"
            continue
        crowded[first] |= peak[second] > 0.1 * peak[first]
        crowded[second] |= peak[first] > 0.1 * peak[second]
    double = status == "double"
    r_half = np.asarray(table["r_half_px"])
    status[np.asarray(table["snr"]) < snr_min] = "faint"
    if mag_faint is not None:
        status[np.asarray(table["mag_ab"]) > mag_faint] = "faint"
    if mag_bright is not None:
        status[np.asarray(table["mag_ab"]) < mag_bright] = "bright"
    status[crowded] = "neighbour"
    status[np.asarray(table["saturated"], dtype=bool)] = "saturated"
    status[~(r_half <= r_half_max_px) & (status == "star")] = "extended"
    status[double] = "double"
    low, high = _locus(r_half[status == "star"], n_min)
    status[(status == "star") & (r_half > high)] = "extended"
    status[(status == "star") & (r_half < low)] = "sharp"
    stars = np.flatnonzero(status == "star")
    status[stars[n_max:]] = "spare"
    return status


def _locus(r_half: np.ndarray, n_min: int) -> tuple[float, float]:
    """Range of half-light radii of the point sources: the smallest radius where sources pile up."""
    if r_half.size == 0:
        return 0.0, np.inf
    logs = np.sort(np.log10(r_half))
    counts = np.searchsorted(logs, logs + _LOCUS_DEX, side="right") - np.arange(logs.size)
    first = int(np.argmax(counts >= max(n_min, 0.5 * counts.max())))
    if counts[first] < n_min:
        return 0.0, np.inf
    inside = logs[(logs >= logs[first]) & (logs <= logs[first] + _LOCUS_DEX)]
    centre = np.median(inside)
    return 10 ** (centre - _LOCUS_DEX), 10 ** (centre + _LOCUS_DEX)
