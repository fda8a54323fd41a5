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


def draw_galaxy(
    path: str | os.PathLike, title: str, cutout: Cutout, mu: np.ndarray, plane: SourcePlane, clumps: Table, model: LensModel,
    z_source: float,
) -> None:  # fmt: skip
    """Picture of the galaxy in the image plane, its magnification, and itself in the source plane.

    Critical lines are drawn over the first two; clumps are marked everywhere, the barycentre with a cross.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 3.6), layout="constrained")
    image_axes, mu_axes, source_axes = figure.subplots(1, 3)
    ny, nx = cutout.data.shape
    extent = np.array([-0.5, nx - 0.5, -0.5, ny - 0.5]) * cutout.pixel_scale_arcsec
    finite = cutout.data[np.isfinite(cutout.data)]
    low, high = np.percentile(finite, [5.0, 99.7]) if finite.size else (0.0, 1.0)
    x = (np.asarray(clumps["x"]) - cutout.x0) * cutout.pixel_scale_arcsec
    y = (np.asarray(clumps["y"]) - cutout.y0) * cutout.pixel_scale_arcsec
    shown = {"origin": "lower", "extent": extent}
    image_axes.imshow(cutout.data, vmin=low, vmax=high, cmap="gray_r", **shown)
    shape = np.log10(np.clip(np.abs(mu), 1.0, 100.0))
    drawn = mu_axes.imshow(shape, vmin=0.0, vmax=2.0, cmap="viridis", **shown)
    figure.colorbar(drawn, ax=mu_axes, label="log$_{10}$ |$\\mu$|", shrink=0.85)
    for axes, colour in ((image_axes, "tab:red"), (mu_axes, "white")):
        axes.scatter(x, y, s=25, facecolors="none", edgecolors=colour, linewidths=0.8)
        if (mu > 0).any() and (mu < 0).any():
            axes.contour(
                np.sign(mu), levels=[0.0], colors=colour, linewidths=0.8, origin="lower", extent=extent
            )
        axes.set_xlabel("arcsec")
    image_axes.set_title(f"{title}, z = {z_source:.3f}", fontsize=9)
    mu_axes.set_title("magnification", fontsize=9)
    rows, columns = plane.image.shape
    cell = abs(plane.wcs.wcs.cdelt[1]) * 3600.0
    left, bottom = (0.5 - np.array(plane.wcs.wcs.crpix)) * cell
    finite = plane.image[np.isfinite(plane.image)]
    low, high = np.percentile(finite, [5.0, 99.7]) if finite.size else (0.0, 1.0)
    source_axes.imshow(
        plane.image, origin="lower", vmin=low, vmax=high, cmap="gray_r",
        extent=(left, left + columns * cell, bottom, bottom + rows * cell),
    )  # fmt: skip
    sx, sy = model.source_position(clumps["ra"], clumps["dec"], z_source)
    source_axes.scatter(sx, sy, s=25, facecolors="none", edgecolors="tab:red", linewidths=0.8)
    source_axes.plot(plane.x, plane.y, "+", color="tab:blue", markersize=9)
    source_axes.set_title("source plane", fontsize=9)
    source_axes.set_xlabel("arcsec from the model's reference, West")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, metadata={"Software": None})
