"""What the lens stage leaves of a galaxy (table, magnification map, source plane, their picture) and of a field."""

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from astropy.io import fits
from astropy.table import Table, hstack
from astropy.wcs import WCS

from ...flags import bit
from ...images.cutouts import Cutout
from ...images.sky import sky_plane
from ...logs import in_doubt
from ...made_by import write_fits
from ..models.model import LensModel
from .field import FieldMap
from .magnification import magnify_clumps
from .pictures import cutout_centre, draw_galaxy
from .source_plane import SourcePlane, galactocentric_distances, off_centre, own_light, reconstruct
from .systematic import compare_models

__all__ = [
    "draw_galaxy",
    "lens_galaxy",
    "magnification_map",
    "write_field_map",
    "write_map",
    "write_source_plane",
]


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
    redshifts: Sequence[float] = (),
    others: Sequence[LensModel] = (),
    propagate: bool = False,
    position: tuple[float, float] | None = None,
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
        The cutout's pixels that belong to the galaxy; a plane through the others is its local sky.
    z_source : float
        Redshift of the galaxy.
    n_samples, seed, redshifts
        As in `magnify_clumps`; the source plane and distances in it are those of `z_source`.
    others, propagate
        Other models of the lens, and whether their scatter goes into the samples: `compare_models`.
    position : (float, float), optional
        RA and Dec [deg] of the galaxy in its catalogue, with which its centre of light is compared: where it is another's
        (flag ``off_centre``) the errors of distances take in how far the two are apart.

    Returns
    -------
    table : Table
        Columns of `magnify_clumps`, with `others` those of `compare_models`, and `galactocentric_distances`, and source_ra, source_dec [deg], NaN for a model
        without deflections.
    plane : SourcePlane
    """
    model = model.about(*cutout_centre(cutout))
    local = clumps.copy()
    local["x"], local["y"] = clumps["x"] - cutout.x0, clumps["y"] - cutout.y0
    table, *more = (
        magnify_clumps(lens, local, z_source, cutout.wcs, n_samples, seed, redshifts)
        for lens in (model, *(other.about(*cutout_centre(cutout)) for other in others))
    )
    table = compare_models(table, more, propagate)
    scale = cutout.pixel_scale_arcsec
    data = cutout.data - sky_plane(cutout.data, ~member)
    places = np.array([local["x"], local["y"]])
    if position is not None:
        places = np.column_stack([places, cutout.wcs.world_to_pixel_values(*position)])
    light = own_light(data, cutout.error, member, *places)
    plane = reconstruct(
        model, data, cutout.error, cutout.wcs, scale, z_source, member, light if light.any() else None
    )
    offset = 0.0 if position is None else off_centre(model, plane, position, z_source)
    if offset:
        # Either of the two may be the galaxy's centre; two axes share the offset.
        plane = replace(plane, error_arcsec=float(np.hypot(plane.error_arcsec, offset / np.sqrt(2.0))))
        table["flags"] |= bit("off_centre")
        in_doubt(
            f"galaxy {clumps['galaxy'][0]}: most light within its radius is about another place than its catalogue position "
            "(flag off_centre): is a neighbour taken for it? Distances from the centre are from there"
        )
    source = np.full((2, len(clumps)), np.nan)
    if model.traces:
        source = np.array(model.sky(*model.source_position(clumps["ra"], clumps["dec"], z_source)))
    table["source_ra"], table["source_dec"] = source
    return hstack([table, galactocentric_distances(model, plane, clumps, z_source, n_samples)]), plane


def _image(image: np.ndarray, wcs: WCS, unit: str) -> fits.PrimaryHDU:
    hdu = fits.PrimaryHDU(image.astype(np.float32), wcs.to_header())
    hdu.header["BUNIT"] = unit
    return hdu


def _write(path: str | os.PathLike, *hdus: fits.PrimaryHDU | fits.BinTableHDU) -> None:
    write_fits(fits.HDUList(list(hdus)), path)


def write_map(path: str | os.PathLike, mu: np.ndarray, cutout: Cutout) -> None:
    """Write a magnification map on the pixels of a cutout."""
    _write(path, _image(mu, cutout.wcs, ""))


def write_field_map(path: str | os.PathLike, field: FieldMap) -> None:
    """Write the magnification over a field; ``ZSOURCE`` is the redshift it holds for."""
    hdu = _image(field.mu, field.wcs, "")
    hdu.header["ZSOURCE"] = (field.z_source, "redshift of the sources")
    _write(path, hdu)


def write_source_plane(path: str | os.PathLike, plane: SourcePlane, table: Table, z_source: float) -> None:
    """Write a galaxy's image in the source plane, and a table CLUMPS of where its clumps lie in it.

    Parameters
    ----------
    path : path-like
    plane : SourcePlane
    table : Table
        Of `lens_galaxy`.
    z_source : float
        Redshift of the galaxy.
    """
    hdu = _image(plane.image, plane.wcs, "nJy / arcsec2")
    hdu.header["ZSOURCE"] = (z_source, "redshift of the galaxy")
    left, right, bottom, _ = plane.extent
    if np.isfinite(plane.x):
        cell = (right - left) / plane.image.shape[1]
        barycentre = plane.wcs.pixel_to_world_values(
            (plane.x - left) / cell - 0.5, (plane.y - bottom) / cell - 0.5
        )
        for key, value in zip(("RA_BARY", "DEC_BARY"), barycentre, strict=True):
            hdu.header[key] = (float(value), "[deg] barycentre of light")
    _write(path, hdu, fits.BinTableHDU(table["id", "source_ra", "source_dec", "central"], name="CLUMPS"))
