"""The galaxy as it is: its image traced back to the source plane, and where its clumps lie in it (C25 section 4.5)."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS

from ..cosmology import pc_per_arcsec
from .model import LensModel

__all__ = ["SourcePlane", "galactocentric_distances", "reconstruct"]

Array = np.ndarray
# Light-weighted positions that stand for the galaxy when its barycentre is traced with every realisation.
_MAX_TRACERS = 400
_MIN_SNR = 2.0


@dataclass(frozen=True)
class SourcePlane:
    """A galaxy's reconstructed image.

    Attributes
    ----------
    image : (n, n) array
        Surface brightness [nJy / arcsec2]; NaN where no image pixel comes from.
    wcs : astropy.wcs.WCS
        Celestial, of the source plane as seen without the lens.
    x, y : float
        Barycentre of light [arcsec] from the model's reference, x to the West.
    tracers : (n_tracers, 3) array
        RA, Dec [deg] and weight of the image positions that define the barycentre.
    """

    image: Array
    wcs: WCS
    x: float
    y: float
    tracers: Array


def _barycentre(model: LensModel, tracers: Array, z: float, sample: int | None = None) -> tuple[float, float]:
    if len(tracers) == 0:
        return np.nan, np.nan
    x, y = model.source_position(tracers[:, 0], tracers[:, 1], z, sample)
    return float(np.average(x, weights=tracers[:, 2])), float(np.average(y, weights=tracers[:, 2]))


def reconstruct(
    model: LensModel,
    data: Array,
    error: Array,
    wcs: WCS,
    pixel_scale_arcsec: float,
    z_source: float,
    member: Array,
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
    n_cells : int
        Most cells of the reconstruction along a side.

    Returns
    -------
    SourcePlane

    Notes
    -----
    The barycentre weights each pixel with its flux in the source plane, surface brightness times the area the
    pixel has there, so a highly magnified part does not pull it. Neither PSF nor noise is deconvolved.
    """
    use = member & np.isfinite(data) & np.isfinite(error)
    rows, columns = np.nonzero(use)
    ra, dec = wcs.pixel_to_world_values(columns, rows)
    x, y = model.source_position(ra, dec, z_source)
    mu = np.abs(model.magnification(ra, dec, z_source)[0])
    flux, noise = data[use], error[use]
    bright = flux > _MIN_SNR * noise
    if not bright.any():
        bright[:] = True
    weight = np.maximum(flux, 0.0)[bright] / mu[bright] + 1e-30
    tracers = np.column_stack([ra[bright], dec[bright], weight])
    if len(tracers) > _MAX_TRACERS:
        # Equal steps in cumulative light keep the barycentre with few positions.
        light = np.cumsum(weight) / weight.sum()
        picked = np.searchsorted(light, (np.arange(_MAX_TRACERS) + 0.5) / _MAX_TRACERS)
        tracers = np.column_stack([tracers[picked, :2], np.full(_MAX_TRACERS, 1.0)])
    centre = _barycentre(model, tracers, z_source)
    if not use.any():
        # Nothing to place: one empty cell, and distances that are not known.
        x = y = np.zeros(1)
    half = 1.05 * max(np.ptp(x), np.ptp(y), pixel_scale_arcsec) / 2.0
    middle_x, middle_y = (x.min() + x.max()) / 2.0, (y.min() + y.max()) / 2.0
    # Cells no finer than the image's pixels are in the source plane: finer ones would stay empty between them.
    footprint = pixel_scale_arcsec * np.sqrt(np.percentile(1.0 / mu, 90.0)) if mu.size else pixel_scale_arcsec
    n_cells = max(min(n_cells, int(2.0 * half / footprint)), 1)
    cell = 2.0 * half / n_cells
    if not use.any():
        x = y = np.empty(0)
    column = np.clip(((x - middle_x + half) / cell).astype(int), 0, n_cells - 1)
    row = np.clip(((y - middle_y + half) / cell).astype(int), 0, n_cells - 1)
    area = 1.0 / mu
    shape = (n_cells, n_cells)
    total, brightness = np.zeros(shape), np.zeros(shape)
    np.add.at(total, (row, column), area)
    np.add.at(brightness, (row, column), area * flux / pixel_scale_arcsec**2)
    with np.errstate(invalid="ignore"):
        image = brightness / total
    frame = WCS(naxis=2)
    frame.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    # x to the West is +x of the array: North up, East to the left.
    frame.wcs.crval = model.reference
    frame.wcs.cdelt = [-cell / 3600.0, cell / 3600.0]
    frame.wcs.crpix = [(half - middle_x) / cell + 0.5, (half - middle_y) / cell + 0.5]
    return SourcePlane(image, frame, centre[0], centre[1], tracers)


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
        Clumps: ra, dec [deg].
    n_samples : int
        Posterior realisations used for the errors.

    Returns
    -------
    Table
        distance_kpc with _err_lo and _err_hi, distance_samples_kpc (n_clumps, n), central (the nearest clump).
    """
    kpc = pc_per_arcsec(z_source) / 1e3
    ra, dec = np.asarray(table["ra"], float), np.asarray(table["dec"], float)

    def distance(sample: int | None) -> Array:
        x, y = model.source_position(ra, dec, z_source, sample)
        x0, y0 = _barycentre(model, plane.tracers, z_source, sample)
        return np.hypot(x - x0, y - y0) * kpc

    best = distance(None)
    chosen = np.unique(np.linspace(0, model.n_samples - 1, min(n_samples, model.n_samples)).astype(int))
    samples = np.array([distance(int(sample)) for sample in chosen]).T if len(chosen) else best[:, None]
    low, high = np.percentile(samples, [16.0, 84.0], axis=1)
    central = np.zeros(len(table), dtype=bool)
    if np.isfinite(best).any():
        central[np.nanargmin(best)] = True
    return Table(
        {
            "distance_kpc": best,
            "distance_kpc_err_lo": np.maximum(best - low, 0.0),
            "distance_kpc_err_hi": np.maximum(high - best, 0.0),
            "distance_samples_kpc": samples,
            "central": central,
        }
    )
