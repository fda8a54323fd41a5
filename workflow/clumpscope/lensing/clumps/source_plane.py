"""The galaxy as it is: its image traced back to the source plane, and where its clumps lie in it (C25 section 4.5)."""

from dataclasses import dataclass

import numpy as np
import scipy
from astropy.table import Table
from astropy.wcs import WCS

from ...cosmology import pc_per_arcsec
from ...flags import has
from ...intervals import sided_errors
from ..models.model import LensModel

__all__ = ["SourcePlane", "galactocentric_distances", "off_centre", "own_light", "reconstruct"]

Array = np.ndarray
# Light-weighted positions that stand for the galaxy when its barycentre is traced with every realisation.
_MAX_TRACERS = 400
# Least signal-to-noise, a pixel and its neighbours on average, of light that is a galaxy's.
_MIN_SNR = 2.0
# Error of the barycentre that its light does not show, over the root mean square radius of the light.
_UNSEEN = 0.1
# Errors of the barycentre that it has to be away from a galaxy's position to be another's.
_OFF = 3.0
# Parts of a pixel, along a side, that are placed in the source plane one by one.
_MAX_PARTS = 8


@dataclass(frozen=True)
class SourcePlane:
    """A galaxy's reconstructed image.

    Attributes
    ----------
    image : (n, n) array
        Surface brightness [nJy / arcsec2]; NaN where no image pixel comes from.
    wcs : astropy.wcs.WCS
        Celestial, of the source plane as seen without the lens: North up, East to the left.
    extent : (float, float, float, float)
        Left, right, bottom and top edge of the image [arcsec] from the model's reference, x to the West.
    x, y : float
        Barycentre of light [arcsec] from the model's reference; NaN without light.
    flux_njy : float
        Flux that the galaxy would have without the lens [nJy]; of all its images together.
    tracers : (n_tracers, 3) array
        RA, Dec [deg] and weight of the image positions that define the barycentre.
    error_arcsec : float
        Standard deviation of the barycentre along each axis: of the pixels' noise, of how light is weighted, and of what is not seen.
    """

    image: Array
    wcs: WCS
    extent: tuple[float, float, float, float]
    x: float
    y: float
    flux_njy: float
    tracers: Array
    error_arcsec: float


def reconstruct(
    model: LensModel,
    data: Array,
    error: Array,
    wcs: WCS,
    pixel_scale_arcsec: float,
    z_source: float,
    member: Array,
    light: Array | None = None,
    n_cells: int = 120,
) -> SourcePlane:
    """Trace every pixel of a galaxy's image to the source plane; surface brightness is conserved.

    Parameters
    ----------
    model : LensModel
        The lens.
    data, error : (ny, nx) arrays
        Image of the reference filter [nJy / pixel], sky-subtracted; NaN is left out.
    wcs : astropy.wcs.WCS
        Of the image.
    pixel_scale_arcsec : float
        Its pixels' side.
    z_source : float
        Redshift of the galaxy.
    member : (ny, nx) bool array
        Pixels that belong to the galaxy.
    light : (ny, nx) bool array, optional
        Those of which the barycentre is, of `own_light`; all with signal without it.
    n_cells : int
        Most cells of the reconstruction along a side.

    Returns
    -------
    SourcePlane
        Empty if no pixel can be traced: no good pixel, outside the model, or a model without deflections.

    Notes
    -----
    The corners of the pixels are traced, so that every pixel is a quadrilateral in the source plane, with the
    surface brightness it has in the image. The barycentre weights each pixel with its flux there, brightness times
    area, so a highly magnified part does not pull it. Neither PSF nor noise is deconvolved.
    """
    use = member & np.isfinite(data) & np.isfinite(error)
    if not use.any() or not model.traces:
        return _nothing(model, pixel_scale_arcsec)
    rows, columns = np.nonzero(use)
    x, y = _corners(model, wcs, rows, columns, z_source)
    traced = np.isfinite(x + y).all(axis=0)
    if not traced.any():
        return _nothing(model, pixel_scale_arcsec)
    rows, columns, x, y = rows[traced], columns[traced], x[:, traced], y[:, traced]
    flux, noise = data[rows, columns], error[rows, columns]
    area = 0.5 * np.abs((x[2] - x[0]) * (y[3] - y[1]) - (x[3] - x[1]) * (y[2] - y[0]))
    brightness = flux / pixel_scale_arcsec**2
    ra, dec = wcs.pixel_to_world_values(columns, rows)
    lit = (flux > 0.0) & (flux > _MIN_SNR * noise if light is None else light[rows, columns])
    if not lit.any():
        lit = np.ones(lit.shape, dtype=bool)
    weight = np.maximum(brightness, 0.0) * area if (flux[lit] > 0.0).any() else np.ones_like(area)
    tracers = _tracers(ra[lit], dec[lit], weight[lit])
    image, extent = _place(x, y, area, brightness, n_cells)
    centre = _barycentre(model, tracers, z_source)
    middle_x, middle_y = (corners.mean(axis=0)[lit] for corners in (x, y))
    noise = (noise / pixel_scale_arcsec**2 * area)[lit]
    return SourcePlane(
        image,
        _frame(model, extent, image.shape[0]),
        extent,
        *centre,
        float((brightness * area).sum()),
        tracers,
        _barycentre_error(middle_x, middle_y, weight[lit], noise, area[lit]),
    )


def own_light(data: Array, error: Array, member: Array, x: Array, y: Array) -> Array:
    """Pixels of the light that hangs together with a galaxy's clumps or its place, (ny, nx).

    In strongly lensed galaxies other light inside the radius, such as that of cluster members, is traced far off: it would pull the
    barycentre.

    Parameters
    ----------
    data, error : (ny, nx) arrays
        Image, without the sky; NaN is no light.
    member : (ny, nx) bool array
        Pixels that may belong to the galaxy.
    x, y : (n,) arrays
        Places on the image that do [px].
    """
    significance = scipy.ndimage.uniform_filter(np.nan_to_num(data / error, posinf=0.0, neginf=0.0), 3)
    labels = scipy.ndimage.label(member & (significance > _MIN_SNR))[0]
    rows, columns = np.rint([y, x]).astype(int)
    inside = (rows >= 0) & (rows < labels.shape[0]) & (columns >= 0) & (columns < labels.shape[1])
    own = labels[rows[inside], columns[inside]]
    return np.isin(labels, own[own > 0])


def _nothing(model: LensModel, size: float) -> SourcePlane:
    extent = (-0.5 * size, 0.5 * size, -0.5 * size, 0.5 * size)
    frame = _frame(model, extent, 1)
    return SourcePlane(np.full((1, 1), np.nan), frame, extent, np.nan, np.nan, 0.0, np.empty((0, 3)), np.nan)


def _corners(model: LensModel, wcs: WCS, rows: Array, columns: Array, z: float) -> tuple[Array, Array]:
    """Source positions of the pixels' corners, in order around each pixel: two (4, n_pixels) arrays [arcsec]."""
    first_row, first_column = rows.min(), columns.min()
    grid_rows = np.arange(first_row, rows.max() + 2) - 0.5
    grid_columns = np.arange(first_column, columns.max() + 2) - 0.5
    ra, dec = wcs.pixel_to_world_values(*np.meshgrid(grid_columns, grid_rows))
    traced = model.source_position(ra, dec, z)
    j, i = rows - first_row, columns - first_column
    around = ((j, i), (j, i + 1), (j + 1, i + 1), (j + 1, i))
    x, y = (np.array([grid[corner] for corner in around]) for grid in traced)
    return x, y


def _barycentre_error(x: Array, y: Array, flux: Array, noise: Array, area: Array) -> float:
    """Standard deviation along each axis [arcsec] of the barycentre of pixels at x, y with these fluxes, their errors, and areas.

    Where the light is, weighted by its flux or by its area alone, are two definitions of a galaxy's centre; how far they are
    apart tells how lopsided it is.
    """
    x0, y0, other_x, other_y = (np.average(axis, weights=w) for w in (flux, area) for axis in (x, y))
    radius = np.hypot(x - x0, y - y0)
    variance = np.sum((radius * noise) ** 2) / flux.sum() ** 2
    variance += (x0 - other_x) ** 2 + (y0 - other_y) ** 2 + _UNSEEN**2 * np.average(radius**2, weights=flux)
    # Two axes share it.
    return float(np.sqrt(0.5 * variance))


def _tracers(ra: Array, dec: Array, weight: Array) -> Array:
    tracers = np.column_stack([ra, dec, weight])[weight > 0.0]
    if len(tracers) <= _MAX_TRACERS:
        return tracers
    # Equal steps in cumulative light keep the barycentre with few positions.
    light = np.cumsum(tracers[:, 2]) / tracers[:, 2].sum()
    picked = np.searchsorted(light, (np.arange(_MAX_TRACERS) + 0.5) / _MAX_TRACERS)
    return np.column_stack([tracers[picked, :2], np.ones(_MAX_TRACERS)])


def _place(
    x: Array, y: Array, area: Array, brightness: Array, n_cells: int
) -> tuple[Array, tuple[float, float, float, float]]:
    """Mean brightness in the cells of a square grid, and the grid's edges."""
    half = 0.5 * max(np.ptp(x), np.ptp(y))
    left, bottom = 0.5 * (x.min() + x.max()) - half, 0.5 * (y.min() + y.max()) - half
    # Cells no finer than the pixels are in the source plane.
    n_cells = max(min(n_cells, int(2.0 * half / np.sqrt(np.median(area)))), 1)
    cell = 2.0 * half / n_cells
    longest = np.percentile(np.hypot(x - np.roll(x, 1, axis=0), y - np.roll(y, 1, axis=0)), 99.0)
    # A pixel can be stretched over several cells: it is divided until its parts are smaller than a cell.
    n_parts = int(np.clip(np.ceil(1.5 * longest / cell), 2, _MAX_PARTS))
    total, light = np.zeros((n_cells, n_cells)), np.zeros((n_cells, n_cells))
    steps = (np.arange(n_parts) + 0.5) / n_parts
    for v in steps:
        for u in steps:
            weights = ((1.0 - u) * (1.0 - v), u * (1.0 - v), u * v, (1.0 - u) * v)
            px, py = np.tensordot(weights, x, 1), np.tensordot(weights, y, 1)
            column = np.clip(((px - left) / cell).astype(int), 0, n_cells - 1)
            row = np.clip(((py - bottom) / cell).astype(int), 0, n_cells - 1)
            np.add.at(total, (row, column), area)
            np.add.at(light, (row, column), area * brightness)
    with np.errstate(invalid="ignore"):
        image = light / total
    return image, (left, left + 2.0 * half, bottom, bottom + 2.0 * half)


def _frame(model: LensModel, extent: tuple[float, float, float, float], n_cells: int) -> WCS:
    left, right, bottom, top = extent
    frame = WCS(naxis=2)
    frame.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    frame.wcs.crval = [float(v) for v in model.sky(0.5 * (left + right), 0.5 * (bottom + top))]
    frame.wcs.cdelt = [-(right - left) / n_cells / 3600.0, (top - bottom) / n_cells / 3600.0]
    frame.wcs.crpix = [0.5 * (n_cells + 1)] * 2
    return frame


def _barycentre(model: LensModel, tracers: Array, z: float, sample: int | None = None) -> tuple[float, float]:
    x, y = model.source_position(tracers[:, 0], tracers[:, 1], z, sample)
    return float(np.average(x, weights=tracers[:, 2])), float(np.average(y, weights=tracers[:, 2]))


def off_centre(model: LensModel, plane: SourcePlane, position: tuple[float, float], z_source: float) -> float:
    """How far from a galaxy's position its light is, where most of what was taken for it lies elsewhere.

    Parameters
    ----------
    model, plane, z_source
        As in `galactocentric_distances`.
    position : (float, float)
        RA and Dec [deg] of the galaxy in its catalogue.

    Returns
    -------
    float
        Distance of the position from the barycentre of light in the source plane [arcsec], if more than half of the light lies
        nearer to its barycentre, and it is farther away than three errors of the barycentre: lopsided galaxies are no
        neighbours. Otherwise 0.
    """
    if len(plane.tracers) == 0:
        return 0.0
    (own_ra, own_dec), (ra, dec, light) = position, plane.tracers.T
    traced = np.array(model.source_position(np.append(ra, own_ra), np.append(dec, own_dec), z_source))
    distance = np.hypot(*(traced - [[plane.x], [plane.y]]))
    nearer = light[distance[:-1] < distance[-1]].sum() > 0.5 * light.sum()
    return float(distance[-1]) if nearer and distance[-1] > _OFF * plane.error_arcsec else 0.0


def galactocentric_distances(
    model: LensModel, plane: SourcePlane, table: Table, z_source: float, n_samples: int = 100
) -> Table:
    """Distance of every clump from the galaxy's barycentre of light.

    Parameters
    ----------
    model, z_source
        As in `reconstruct`.
    plane : SourcePlane
        The reconstruction.
    table : Table
        Clumps: ra, dec [deg], and flags, where they have any.
    n_samples : int
        Posterior realisations used for the errors.

    Returns
    -------
    Table
        distance_kpc with _err_lo and _err_hi, distance_samples_kpc (n_clumps, n), central (the nearest clump that was seen
        and fitted).
        NaN where the reconstruction is empty. Errors are those of the lens and of the barycentre.
    """
    n_clumps = len(table)
    central = np.zeros(n_clumps, dtype=bool)
    if len(plane.tracers) == 0:
        unknown = np.full((n_clumps, 1), np.nan)
        return _distance_table(unknown[:, 0], unknown, central)
    # Clumps and the positions that stand for the galaxy are traced together.
    ra = np.concatenate([np.asarray(table["ra"], float), plane.tracers[:, 0]])
    dec = np.concatenate([np.asarray(table["dec"], float), plane.tracers[:, 1]])

    def offsets(sample: int | None) -> Array:
        traced = np.array(model.source_position(ra, dec, z_source, sample))
        centre = np.average(traced[:, n_clumps:], axis=1, weights=plane.tracers[:, 2])
        return traced[:, :n_clumps] - centre[:, None]

    kpc_per_arcsec, here = pc_per_arcsec(z_source) / 1e3, offsets(None)
    best = np.hypot(*here) * kpc_per_arcsec
    samples = [offsets(sample) for sample in model.chosen_samples(n_samples)] or [here] * n_samples
    # Evenly through a Gaussian: on a spiral of golden angles, each turn as probable as the others.
    turn = np.arange(len(samples))
    radius = plane.error_arcsec * np.sqrt(-2.0 * np.log(1.0 - (turn + 0.5) / len(samples)))
    angle = np.pi * (3.0 - np.sqrt(5.0)) * turn
    shifts = np.array([radius * np.cos(angle), radius * np.sin(angle)]).T
    drawn = np.hypot(*np.moveaxis(np.array(samples) - shifts[:, :, None], 1, 0)) * kpc_per_arcsec
    # Noise and artefacts are no centres.
    flags = table["flags"] if "flags" in table.colnames else np.zeros(n_clumps, dtype=int)
    near = np.where(has(flags, ("few_pixels", "fit_failed", "low_snr")), np.nan, best)
    if np.isfinite(near).any():
        central[np.nanargmin(near)] = True
    return _distance_table(best, drawn.T, central)


def _distance_table(best: Array, samples: Array, central: Array) -> Table:
    below, above = sided_errors(best, samples)
    return Table(
        {
            "distance_kpc": best,
            "distance_kpc_err_lo": below,
            "distance_kpc_err_hi": above,
            "distance_samples_kpc": samples,
            "central": central,
        }
    )
