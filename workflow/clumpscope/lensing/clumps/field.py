"""The lens over a whole field, for one source redshift: magnification map, critical lines and caustics."""

from typing import NamedTuple

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS

from ..models.model import LensModel
from .critical import critical_lines

__all__ = ["FieldMap", "map_field"]

Array = np.ndarray
# Room around the galaxies, in the extent of the field, and the least [arcsec].
_MARGIN, _LEAST_ARCSEC, _NO_GALAXIES_ARCSEC = 0.08, 3.0, 30.0


class FieldMap(NamedTuple):
    """A lens over a field.

    Attributes
    ----------
    mu : (ny, nx) array
        Signed magnification.
    wcs : astropy.wcs.WCS
        Celestial: North up, East to the left.
    z_source : float
        Redshift of the sources it holds for.
    lines : Table
        kind (tangential or radial), line (number), ra, dec [deg] along every critical line, source_ra, source_dec of
        its caustic; NaN for a model without deflections.
    """

    mu: Array
    wcs: WCS
    z_source: float
    lines: Table


def map_field(model: LensModel, galaxies: Table, n_pixels: int = 500) -> FieldMap:
    """Magnification and critical lines over the field of some galaxies.

    Parameters
    ----------
    model : LensModel
        The lens.
    galaxies : Table
        ra, dec [deg], z. The map holds for the median redshift of those behind the lens, to two digits; for the
        redshift that the model itself is restricted to, where it is (`LensModel.z_only`).
        Without any the field is that of the model's reference, and the redshift one beyond the lens.
    n_pixels : int
        Pixels along the longer side; critical lines smaller than a pixel are missed.
    """
    redshifts = np.asarray(galaxies["z"], dtype=float)
    behind = redshifts[redshifts > model.z_lens]
    z_source = model.z_only or (round(float(np.median(behind)), 2) if behind.size else model.z_lens + 1.0)
    x, y = model.offsets(galaxies["ra"], galaxies["dec"]) if len(galaxies) else np.zeros((2, 1))
    margin = max(_MARGIN * max(np.ptp(x), np.ptp(y)), _LEAST_ARCSEC if len(galaxies) else _NO_GALAXIES_ARCSEC)
    width, height = np.ptp(x) + 2.0 * margin, np.ptp(y) + 2.0 * margin
    step = max(width, height) / n_pixels
    nx, ny = int(np.ceil(width / step)), int(np.ceil(height / step))
    left, bottom = x.min() - margin, y.min() - margin
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [float(v) for v in model.sky(left + 0.5 * nx * step, bottom + 0.5 * ny * step)]
    wcs.wcs.crpix, wcs.wcs.cdelt = [0.5 * (nx + 1), 0.5 * (ny + 1)], [-step / 3600.0, step / 3600.0]
    rows, columns = np.indices((ny, nx))
    ra, dec = wcs.pixel_to_world_values(columns, rows)
    mu = model.magnification(ra, dec, z_source)[0]
    box = (left, left + nx * step, bottom, bottom + ny * step)
    parts = []
    for number, line in enumerate(critical_lines(model, z_source, box, step)):
        ra, dec = model.sky(line.x, line.y)
        source_ra, source_dec = model.sky(line.source_x, line.source_y)
        parts += list(
            zip([line.kind] * len(ra), [number] * len(ra), ra, dec, source_ra, source_dec, strict=True)
        )
    names = ("kind", "line", "ra", "dec", "source_ra", "source_dec")
    lines = Table(rows=parts or None, names=names, dtype=["U10", int, float, float, float, float])
    return FieldMap(mu, wcs, z_source, lines)
