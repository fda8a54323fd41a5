"""What the lens stage leaves of one galaxy: table, magnification map, source plane, and their picture."""

import os

import numpy as np
from astropy.io import fits
from astropy.table import Table, hstack
from astropy.wcs import WCS

from ..files import replacing
from ..images.cutouts import Cutout
from .clumps import magnify_clumps
from .model import LensModel
from .pictures import cutout_centre, draw_galaxy
from .source_plane import SourcePlane, galactocentric_distances, reconstruct

__all__ = ["draw_galaxy", "lens_galaxy", "magnification_map", "write_map", "write_source_plane"]


def magnification_map(model: LensModel, cutout: Cutout, z_source: float) -> np.ndarray:
    """Signed magnification at every pixel of a cutout, shape (ny, nx)."""
    rows, columns = np.indices(cutout.data.shape)
    ra, dec = cutout.wcs.pixel_to_world_values(columns, rows)
    return model.magnification(ra, dec, z_source)[0]


def lens_galaxy(
    model: LensModel,
    clumps: Table,
    cutout: Cutout,
    member: np.ndarray,
    z_source: float,
    n_samples: int = 100,
    seed: int = 0,
) -> tuple[Table, SourcePlane]:
    """Magnification and place in the source plane of every clump of a galaxy.

    Parameters
    ----------
    model : LensModel
        The lens.
    clumps : Table
        The galaxy's photometry: x, y in pixels of the reference filter's mosaic, shapes.
    cutout : Cutout
        Of the reference filter.
    member : (ny, nx) bool array
        The cutout's pixels that belong to the galaxy.
    z_source : float
        Redshift of the galaxy.
    n_samples, seed : int
        As in `magnify_clumps`.

    Returns
    -------
    table : Table
        Columns of `magnify_clumps` and `galactocentric_distances`.
    plane : SourcePlane
    """
    model = model.about(*cutout_centre(cutout))
    local = clumps.copy()
    local["x"], local["y"] = clumps["x"] - cutout.x0, clumps["y"] - cutout.y0
    table = magnify_clumps(model, local, z_source, cutout.wcs, n_samples, seed)
    scale = cutout.pixel_scale_arcsec
    plane = reconstruct(model, cutout.data, cutout.error, cutout.wcs, scale, z_source, member)
    return hstack([table, galactocentric_distances(model, plane, clumps, z_source, n_samples)]), plane


def _write_image(path: str | os.PathLike, image: np.ndarray, wcs: WCS, unit: str) -> None:
    hdu = fits.PrimaryHDU(image.astype(np.float32), wcs.to_header())
    hdu.header["BUNIT"] = unit
    with replacing(path) as temporary:
        hdu.writeto(temporary)


def write_map(path: str | os.PathLike, mu: np.ndarray, cutout: Cutout) -> None:
    """Write a magnification map on the pixels of a cutout."""
    _write_image(path, mu, cutout.wcs, "")


def write_source_plane(path: str | os.PathLike, plane: SourcePlane) -> None:
    """Write a galaxy's image in the source plane."""
    _write_image(path, plane.image, plane.wcs, "nJy / arcsec2")
