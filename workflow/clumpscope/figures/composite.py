"""Colour pictures of galaxies out of their cutouts."""

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS

from ..cosmology import pc_per_arcsec
from ..filters import three_filters
from ..images.cutouts import Cutout, read_cutouts
from .style import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Composite", "composite", "draw_composite"]

_MARGIN, _LEAST_ARCSEC = 1.7, 1.2  # side of a picture: in the extent of the clumps, and the least
_SOFTENING = 8.0
_STRETCH = 12.0  # noise of the middle filter, at which the stretch turns from linear to logarithmic
_BARS_ARCSEC = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Composite(NamedTuple):
    """A colour picture.

    Attributes
    ----------
    rgb : (ny, nx, 3) uint8 array
    wcs : WCS
        Of its pixels.
    pixel_scale_arcsec : float
    filters : (str, str, str)
        Behind red, green and blue.
    galaxy : str
    z : float
    """

    rgb: np.ndarray
    wcs: WCS
    pixel_scale_arcsec: float
    filters: tuple[str, ...]
    galaxy: str
    z: float


def composite(path: str | os.PathLike, balanced: bool = False) -> Composite:
    """Colour picture of one galaxy after Lupton et al. (2004), on the finest pixels of its three filters.

    Parameters
    ----------
    path : path-like
        Of a galaxy's cutouts (`clumpscope.images.cutouts.write_cutouts`).
    balanced : bool
        Whether the median colour of what is bright is white; otherwise a flat spectrum is.
    """
    from astropy.visualization import make_lupton_rgb

    cutouts, meta = read_cutouts(path, three_filters)
    names = three_filters(list(cutouts))
    grid = min((cutouts[name] for name in names), key=lambda cutout: cutout.pixel_scale_arcsec)
    # Surface brightness in units of each band's own noise times the slope of a flat spectrum would hide colours:
    # one scale for all, that of the middle band.
    planes = [_on_grid(cutouts[name], grid) for name in names]
    noise = float(np.nanmedian(cutouts[names[1]].error)) / cutouts[names[1]].pixel_scale_arcsec ** 2
    noise = noise if np.isfinite(noise) and noise > 0 else 1.0
    planes = [np.nan_to_num(plane - np.nanmedian(plane)) for plane in planes]
    bright = np.min(planes, axis=0) > noise
    if balanced and bright.any():
        scale = [float(np.median(planes[1][bright]) / np.median(plane[bright])) for plane in planes]
        planes = [plane * factor for plane, factor in zip(planes, scale, strict=True)]
        # Else the sky had the colour of the band that is brightened most.
        noise *= max(scale)
    rgb = make_lupton_rgb(*planes, minimum=-1.0 * noise, stretch=_STRETCH * noise, Q=_SOFTENING)
    return Composite(rgb, grid.wcs, grid.pixel_scale_arcsec, names, str(meta["galaxy"]), float(meta["z"]))


def _on_grid(cutout: Cutout, grid: Cutout) -> np.ndarray:
    """Surface brightness of a cutout on the pixels of another, interpolated."""
    from scipy.ndimage import map_coordinates

    brightness = cutout.data / cutout.pixel_scale_arcsec**2
    if cutout is grid:
        return brightness
    rows, columns = np.indices(grid.data.shape)
    x, y = cutout.wcs.world_to_pixel_values(*grid.wcs.pixel_to_world_values(columns, rows))
    return map_coordinates(np.nan_to_num(brightness), (y, x), order=1, cval=0.0)


def draw_composite(axes: "Axes", picture: Composite, clumps: Table) -> float:
    """Show a picture around the clumps, with circles on them (that of the central one doubled), its name and a scale.

    Returns
    -------
    float
        Side of the part that is shown [arcsec].
    """
    axes.set_axis_off()
    axes.imshow(picture.rgb, origin="lower", interpolation="nearest")
    x, y = (np.asarray(one, float) for one in picture.wcs.world_to_pixel_values(clumps["ra"], clumps["dec"]))
    axes.scatter(x, y, s=20, facecolors="none", edgecolors="white", lw=0.6)
    if "central" in clumps.colnames:
        central = np.asarray(clumps["central"], bool)
        axes.scatter(x[central], y[central], s=46, facecolors="none", edgecolors=PALETTE[5], lw=0.7)
    scale, side = picture.pixel_scale_arcsec, max(picture.rgb.shape[:2])
    middle = 0.5 * np.array(picture.rgb.shape[1::-1])
    if len(x):
        side = max(_MARGIN * max(np.ptp(x), np.ptp(y)), _LEAST_ARCSEC / scale)
        middle = 0.5 * np.array([x.min() + x.max(), y.min() + y.max()])
    (left, bottom), (right, top) = middle - 0.5 * side, middle + 0.5 * side
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set_facecolor("black")
    fitting = [length for length in _BARS_ARCSEC if length / scale < 0.4 * side]
    bar = fitting[-1] if fitting else _BARS_ARCSEC[0]
    kpc = bar * float(pc_per_arcsec(picture.z)) / 1e3
    axes.plot(
        left + 0.05 * side + np.array([0.0, bar / scale]),
        [bottom + 0.05 * side] * 2,
        color="white",
        lw=1.4,
        solid_capstyle="butt",
    )
    words = {"transform": axes.transAxes, "color": "white", "fontsize": 6.5}
    axes.text(0.05, 0.08, f"{bar:g}\N{DOUBLE PRIME} ({kpc:.1f} kpc)", va="bottom", **words)
    axes.text(0.05, 0.96, f"{picture.galaxy}\n$z = {picture.z:.2f}$", va="top", **words)
    return float(side * scale)
