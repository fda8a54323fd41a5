"""Clumps on top of a galaxy's diffuse light (C25 section 3.3)."""

import logging
import os
from dataclasses import dataclass

import numpy as np
import scipy
from astropy.io import fits
from astropy.table import Table

from ..flags import has
from ..gaussian import FWHM_OF_SIGMA
from ..made_by import write_fits
from .box_median import box_median
from .cutouts import Cutout
from .deblend import deblend
from .noise import aperture_inflation
from .sky import sky_statistics

__all__ = ["Detection", "detect_clumps", "write_segmentation"]

_log = logging.getLogger(__name__)
_COLUMNS = ("id", "galaxy", "ra", "dec", "x", "y", "flux_iso_njy", "snr", "flags")


@dataclass(frozen=True)
class Detection:
    """Clumps of one galaxy.

    Attributes
    ----------
    table : Table
        id, galaxy, ra, dec [deg], x, y [pixels of the mosaic], flux_iso_njy [nJy], snr, flags; brightest first.
    segmentation : (ny, nx) int array
        0, or 1 + row of the table; clumps added by hand have no pixels.
    image : (ny, nx) array
        The cutout without its smooth light [nJy].
    """

    table: Table
    segmentation: np.ndarray
    image: np.ndarray


def detect_clumps(
    cutout: Cutout,
    galaxy: str,
    ra: float,
    dec: float,
    radius_arcsec: float,
    fwhm_arcsec: float,
    threshold: float = 3.0,
    n_pixels: int = 4,
    deblend_contrast: float = 0.005,
    deblend_prominence: float = 2.0,
    smooth_fwhm: float = 0.3,
    background_fwhm: float = 5.0,
    rho: np.ndarray | None = None,
    error_scale: float = 1.0,
    footprint: np.ndarray | None = None,
    edits: Table | None = None,
    edit_tolerance_arcsec: float = 0.1,
) -> Detection:
    """Detect the clumps of one galaxy in its reference filter, then apply a person's corrections.

    Parameters
    ----------
    cutout : Cutout
        Of the reference filter.
    galaxy : str
        Identifier.
    ra, dec : float
        Centre of the galaxy [deg], origin of the clumps' names.
    radius_arcsec : float
        Clumps farther from the centre belong to something else.
    fwhm_arcsec : float
        FWHM of the PSF, the unit of the scales below.
    threshold : float
        Of the signal-to-noise per pixel of the smoothed image.
    n_pixels : int
        Fewest connected pixels above the threshold (C25: 4).
    deblend_contrast, deblend_prominence : float
        See `clumpscope.images.deblend.deblend` (C25: contrast 0.005).
    smooth_fwhm : float
        Standard deviation of the Gaussian that smooths the image before the threshold [FWHM].
    background_fwhm : float
        Side of the box whose median is the smooth light, taken off before [FWHM]; 0: nothing is taken off.
    rho : (n, n) array, optional
        Autocorrelation of the pixels' noise. None: the noise of the smoothed image is scaled to its
        own robust scatter over the cutout.
    error_scale : float
        True scatter of pixels over the error map's, of `clumpscope.images.depth`; used with `rho`.
    footprint : (ny, nx) bool array, optional
        The galaxy's pixels in a segmentation map; then it, not `radius_arcsec`, tells which clumps belong.
    edits : Table, optional
        galaxy, action, ra, dec, of `apply_edits`; rows of other galaxies are passed over.
    edit_tolerance_arcsec : float
        How near a clump has to be to a position to be the one that is to be removed.

    Returns
    -------
    Detection
        Empty where the cutout has no good pixel.

    Notes
    -----
    A clump's name is the galaxy's and its offset from the centre in units of 0.01 arcsec, such as
    ``A1_e052n007``: it does not change when other clumps are added or removed. ``snr`` is that of a point
    source at the peak (Gaussian matched filter), ``flux_iso_njy`` the sum of the clump's pixels above the threshold.
    """
    from .edits import apply_edits

    fwhm_px = fwhm_arcsec / cutout.pixel_scale_arcsec
    good = np.isfinite(cutout.data) & np.isfinite(cutout.error)
    if not good.any():
        _log.warning("galaxy %s: no good pixel in %s, no clump", galaxy, cutout.filter or "the cutout")
        image, matched = np.zeros((2, *cutout.data.shape))
        labels = np.zeros(cutout.data.shape, dtype=int)
        rows = _empty_rows()
    else:
        image = _without_smooth_light(cutout.data, good, background_fwhm * fwhm_px)
        error = np.where(good, cutout.error * error_scale, np.inf)
        smooth = _signal_to_noise(image, error, smooth_fwhm * fwhm_px, rho)
        sharp = _signal_to_noise(image, error, 2.0 / 3.0 * smooth_fwhm * fwhm_px, rho)
        matched = _signal_to_noise(image, error, fwhm_px / FWHM_OF_SIGMA, rho)
        peaks = deblend(sharp, _islands(smooth, threshold, n_pixels), deblend_contrast, deblend_prominence)
        rows, labels = _measure(cutout, peaks, image, sharp, matched)
        rows, labels = _members(cutout, rows, labels, (ra, dec), radius_arcsec, footprint)
    if edits is not None:
        mine = edits[[str(value) == str(galaxy) for value in edits["galaxy"]]]
        rows, labels = apply_edits(
            rows, labels, mine, cutout, str(galaxy), edit_tolerance_arcsec, fwhm_arcsec / 2.0
        )
        for index in np.flatnonzero(has(rows["flags"], "manual")):
            column, row = rows["x"][index] - cutout.x0, rows["y"][index] - cutout.y0
            rows["snr"][index] = matched[round(row), round(column)]
    order = np.lexsort((rows["y"], rows["x"], -rows["snr"]))
    rank = np.zeros(len(rows) + 1, dtype=int)
    rank[order + 1] = np.arange(1, len(rows) + 1)
    rows = rows[order]
    rows["galaxy"] = np.full(len(rows), str(galaxy), dtype=f"U{max(1, len(str(galaxy)))}")
    rows["id"] = np.array([_name(galaxy, ra, dec, row["ra"], row["dec"]) for row in rows], dtype=str)
    rows["flux_iso_njy"].unit = "nJy"
    return Detection(rows[list(_COLUMNS)], rank[labels], image)


def write_segmentation(path: str | os.PathLike, detection: Detection, cutout: Cutout) -> None:
    """Write the segmentation map with the cutout's WCS; its values are 1 + row of the clump table."""
    hdu = fits.PrimaryHDU(detection.segmentation.astype(np.int32), cutout.wcs.to_header())
    hdu.header["FILTER"] = cutout.filter
    hdu.header["X0"] = (cutout.x0, "zero-based mosaic x of pixel (0, 0)")
    hdu.header["Y0"] = (cutout.y0, "zero-based mosaic y of pixel (0, 0)")
    write_fits(fits.HDUList([hdu]), path)


def _without_smooth_light(data: np.ndarray, good: np.ndarray, box_px: float) -> np.ndarray:
    """Take off the median in a box; bad pixels become zero."""
    if box_px <= 0:
        return np.where(good, data, 0.0)
    # Bad pixels take their nearest good neighbour's value, so that they do not pull the median.
    nearest = scipy.ndimage.distance_transform_edt(~good, return_distances=False, return_indices=True)
    filled = data[tuple(nearest)]
    side = 2 * int(box_px / 2) + 1
    return np.where(good, data - box_median(filled, side), 0.0)


def _signal_to_noise(image, error, sigma_px, rho) -> np.ndarray:
    """Signal-to-noise of the image under a Gaussian."""
    half = max(1, int(np.ceil(3.0 * sigma_px)))
    offset = np.arange(-half, half + 1)
    line = np.exp(-(offset**2) / (2.0 * sigma_px**2))
    kernel = np.outer(line, line)
    weight = np.where(np.isfinite(error), 1.0 / error, 0.0)
    norm = np.sqrt((kernel**2).sum())
    ratio = scipy.ndimage.correlate1d(
        scipy.ndimage.correlate1d(image * weight, line, 0, mode="constant"), line, 1, mode="constant"
    )
    ratio /= norm
    if rho is not None:
        return ratio / aperture_inflation(kernel, rho)
    scatter = sky_statistics(ratio[weight > 0])[1]
    return ratio / scatter if scatter > 0 else ratio


def _islands(ratio: np.ndarray, threshold: float, n_pixels: int) -> np.ndarray:
    """Number the connected pixels above the threshold, corners too, without the small islands."""
    islands, n_islands = scipy.ndimage.label(ratio > threshold, np.ones((3, 3)))
    kept = np.bincount(islands.ravel(), minlength=n_islands + 1) >= n_pixels
    kept[0] = False
    return (np.cumsum(kept) * kept)[islands]


def _empty_rows() -> Table:
    names = ("ra", "dec", "x", "y", "flux_iso_njy", "snr", "flags")
    return Table([np.empty(0)] * 6 + [np.empty(0, dtype=int)], names=names)


def _measure(cutout, peaks, image, sharp, matched) -> tuple[Table, np.ndarray]:
    if peaks.x.size == 0:
        return _empty_rows(), peaks.labels
    x, y = np.array([_vertex(sharp, *peak) for peak in zip(peaks.x, peaks.y, strict=True)]).T
    ra, dec = cutout.wcs.all_pix2world(x, y, 0)
    flux = scipy.ndimage.sum(image, peaks.labels, np.arange(1, x.size + 1))
    # The smoother image peaks a pixel away at most.
    snr = scipy.ndimage.maximum_filter(matched, 3)[peaks.y, peaks.x]
    flags = np.zeros(x.size, dtype=int)
    columns = [ra, dec, x + cutout.x0, y + cutout.y0, flux, snr, flags]
    return Table(columns, names=_empty_rows().colnames), peaks.labels


def _vertex(image: np.ndarray, x: int, y: int) -> tuple[float, float]:
    """Vertex of the parabolas through a peak pixel and its neighbours."""

    def offset(before: float, middle: float, after: float) -> float:
        bend = 2.0 * middle - before - after
        return float(np.clip((after - before) / (2.0 * bend), -0.5, 0.5)) if bend > 0 else 0.0

    height, width = image.shape
    dx = offset(*image[y, x - 1 : x + 2]) if 0 < x < width - 1 else 0.0
    dy = offset(*image[y - 1 : y + 2, x]) if 0 < y < height - 1 else 0.0
    return x + dx, y + dy


def _members(cutout, rows, labels, centre, radius_arcsec, footprint) -> tuple[Table, np.ndarray]:
    """Keep the clumps of the galaxy."""
    x, y = rows["x"] - cutout.x0, rows["y"] - cutout.y0
    if footprint is not None:
        inside = footprint[np.rint(y).astype(int), np.rint(x).astype(int)]
    else:
        x_centre, y_centre = cutout.wcs.all_world2pix(*centre, 0)
        inside = np.hypot(x - x_centre, y - y_centre) * cutout.pixel_scale_arcsec <= radius_arcsec
    inside = np.asarray(inside, dtype=bool)
    number = np.zeros(len(rows) + 1, dtype=int)
    number[1:][inside] = np.arange(1, inside.sum() + 1)
    return rows[inside], number[labels]


def _name(galaxy: str, ra: float, dec: float, clump_ra: float, clump_dec: float) -> str:
    """Name of a clump: its galaxy and its offset in units of 0.01 arcsec."""
    east = ((clump_ra - ra + 180.0) % 360.0 - 180.0) * np.cos(np.deg2rad(dec)) * 3600.0
    north = (clump_dec - dec) * 3600.0
    parts = [
        f"{letters[0] if offset >= 0 else letters[1]}{abs(round(offset * 100)):03d}"
        for offset, letters in ((east, "ew"), (north, "ns"))
    ]
    return f"{galaxy}_{''.join(parts)}"
