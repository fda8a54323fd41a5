"""The picture of one galaxy: its image, its magnification, its source."""

import os

import numpy as np
from astropy.table import Table

from ...cosmology import pc_per_arcsec
from ...images.cutouts import Cutout
from ...montage import GREY, GROWING, Montage, Panel, coloured
from ..models.model import LensModel
from .source_plane import SourcePlane

__all__ = ["cutout_centre", "draw_galaxy"]

Array = np.ndarray
_LARGEST_MU = 100.0
_TICKS = (1, 2, 5, 10, 20, 50, 100)
_PANEL_PX, _TOP_PX = 380, 34
_MARK = "#d62728"


def _grey(montage: Montage, image: Array, left: int) -> Panel:
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, [5.0, 99.7]) if finite.size else (0.0, 1.0)
    return montage.panel(
        coloured(image, low, high if high > low else low + 1.0, GREY), left, _TOP_PX, _PANEL_PX
    )


def _compass(panel: Panel, cutout: Cutout) -> None:
    """Lines to North and East in the lower right corner."""
    ra, dec = cutout_centre(cutout)
    step = 1.0 / 3600.0
    x, y = cutout.wcs.world_to_pixel_values(
        [ra, ra, ra + step / np.cos(np.deg2rad(dec))], [dec, dec + step, dec]
    )
    middle = np.array([panel.left + panel.size[0] - 60.0, panel.top + panel.size[1] - 50.0])
    for name, dx, dy in zip("NE", x[1:] - x[0], y[1:] - y[0], strict=True):
        # Down is up on a montage.
        along = np.array([dx, -dy]) / np.hypot(dx, dy)
        panel.montage.stroke([middle, middle + 30 * along], 2.0, "black")
        x_text, y_text = middle + 40 * along
        panel.montage.text(x_text, y_text, name, 13, "mm", on_image=True)


def cutout_centre(cutout: Cutout) -> tuple[float, float]:
    """RA and Dec [deg] of the middle of a cutout."""
    ny, nx = cutout.data.shape
    ra, dec = cutout.wcs.pixel_to_world_values(0.5 * (nx - 1), 0.5 * (ny - 1))
    return float(ra), float(dec)


def draw_galaxy(
    path: str | os.PathLike, title: str, cutout: Cutout, mu: Array, plane: SourcePlane, clumps: Table, model: LensModel,
    z_source: float,
) -> None:  # fmt: skip
    """Picture of a galaxy in the image plane, of its magnification, and of itself in the source plane.

    Critical lines are drawn over the first two; clumps are marked everywhere, the barycentre with a cross. The source
    plane has North up and East to the left.

    Parameters
    ----------
    path : path-like
    title : str
        Of the galaxy.
    cutout : Cutout
        Of the reference filter.
    mu : (ny, nx) array
        Its magnification map.
    plane : SourcePlane
        Its reconstruction.
    clumps : Table
        ra, dec [deg], and x, y in pixels of the mosaic.
    model : LensModel
    z_source : float
    """
    model = model.about(*cutout_centre(cutout))
    montage = Montage(3 * _PANEL_PX + 110, _PANEL_PX + _TOP_PX + 10)
    lefts = 10, 20 + _PANEL_PX, 100 + 2 * _PANEL_PX
    shown = coloured(np.log(np.clip(np.abs(mu), 1.0, _LARGEST_MU)), 0.0, np.log(_LARGEST_MU), GROWING)
    light, magnified = (
        _grey(montage, cutout.data, lefts[0]),
        montage.panel(shown, lefts[1], _TOP_PX, _PANEL_PX),
    )
    with np.errstate(divide="ignore"):
        inverse = 1.0 / mu
    for panel, colour in ((light, _MARK), (magnified, "white")):
        panel.contour(inverse, colour)
        panel.rings(np.asarray(clumps["x"]) - cutout.x0, np.asarray(clumps["y"]) - cutout.y0, 5.0, colour)
    light.scale_bar(1.0 / cutout.pixel_scale_arcsec, '"')
    _compass(light, cutout)
    ticks = [(np.log(tick) / np.log(_LARGEST_MU), str(tick)) for tick in _TICKS]
    montage.colour_bar(GROWING, lefts[1] + _PANEL_PX + 10, _TOP_PX, _PANEL_PX, ticks, "")
    left, right, bottom, _ = plane.extent
    arcsec = (right - left) / plane.image.shape[1]
    source = _grey(montage, plane.image, lefts[2])

    def cells(x: Array, y: Array) -> tuple[Array, Array]:
        return (np.asarray(x) - left) / arcsec - 0.5, (np.asarray(y) - bottom) / arcsec - 0.5

    if model.traces:
        source.rings(*cells(*model.source_position(clumps["ra"], clumps["dec"], z_source)), 5.0, _MARK)
    source.cross(*cells(plane.x, plane.y), "#1f77b4")
    source.scale_bar(1e3 / float(pc_per_arcsec(z_source)) / arcsec, " kpc")
    titles = (
        f"{title}, z = {z_source:.3f}, {cutout.filter}".rstrip(", "),
        "magnification",
        "source plane, North up; +: barycentre of light",
    )
    for place, words in zip(lefts, titles, strict=True):
        montage.text(place, _TOP_PX - 8, words, 14, "ls")
    montage.save(path)
