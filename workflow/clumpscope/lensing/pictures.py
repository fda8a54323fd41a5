"""The picture of one galaxy: its image, its magnification, its source."""

import os
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..cosmology import pc_per_arcsec
from ..images.cutouts import Cutout
from ..pictures import save_picture
from .model import LensModel
from .source_plane import SourcePlane

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["cutout_centre", "draw_galaxy"]

Array = np.ndarray
_LARGEST_MU = 100.0
_TICKS = (1, 2, 5, 10, 20, 50, 100)
_BARS_KPC = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


def _grey(axes: "Axes", image: Array, extent: tuple[float, float, float, float]) -> None:
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, [5.0, 99.7]) if finite.size else (0.0, 1.0)
    axes.imshow(image, origin="lower", vmin=low, vmax=high, cmap="gray_r", extent=extent)


def _magnification(
    figure: "Figure", axes: "Axes", mu: Array, extent: tuple[float, float, float, float]
) -> None:
    from matplotlib.colors import LogNorm

    shown = np.clip(np.abs(mu), 1.0, _LARGEST_MU)
    drawn = axes.imshow(shown, origin="lower", norm=LogNorm(1.0, _LARGEST_MU), cmap="viridis", extent=extent)
    bar = figure.colorbar(drawn, ax=axes, label=r"$|\mu|$", shrink=0.85)
    bar.set_ticks(_TICKS, labels=[str(tick) for tick in _TICKS])


def _compass(axes: "Axes", cutout: Cutout) -> None:
    """Arrows to North and East in the lower right corner."""
    ra, dec = cutout_centre(cutout)
    step = 1.0 / 3600.0
    x, y = cutout.wcs.world_to_pixel_values(
        [ra, ra, ra + step / np.cos(np.deg2rad(dec))], [dec, dec + step, dec]
    )
    for name, dx, dy in zip("NE", x[1:] - x[0], y[1:] - y[0], strict=True):
        length = np.hypot(dx, dy) / 0.12
        axes.annotate(name, (0.82, 0.18), (0.82 + dx / length, 0.18 + dy / length), xycoords="axes fraction",
                      ha="center", va="center", fontsize=8, arrowprops={"arrowstyle": "<-", "shrinkA": 0.0})  # fmt: skip


def _scale_bar(axes: "Axes", extent: tuple[float, float, float, float], z_source: float) -> None:
    """A bar of a round number of kpc, about a quarter of the panel."""
    left, right, bottom, top = extent
    arcsec_per_kpc = 1e3 / float(pc_per_arcsec(z_source))
    most = 0.35 * (right - left) / arcsec_per_kpc
    kpc = max((bar for bar in _BARS_KPC if bar < most), default=_BARS_KPC[0])
    x, y = left + 0.06 * (right - left), bottom + 0.06 * (top - bottom)
    axes.plot([x, x + kpc * arcsec_per_kpc], [y, y], color="black", lw=1.6, solid_capstyle="butt")
    axes.text(x, y + 0.02 * (top - bottom), f"{kpc:g} kpc", fontsize=8, va="bottom")


def cutout_centre(cutout: Cutout) -> tuple[float, float]:
    """RA and Dec [deg] of the middle of a cutout."""
    ny, nx = cutout.data.shape
    return tuple(float(v) for v in cutout.wcs.pixel_to_world_values(0.5 * (nx - 1), 0.5 * (ny - 1)))


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
    from matplotlib.figure import Figure

    model = model.about(*cutout_centre(cutout))
    figure = Figure(figsize=(10.5, 3.6), layout="constrained")
    image_axes, mu_axes, source_axes = figure.subplots(1, 3)
    ny, nx = cutout.data.shape
    scale = cutout.pixel_scale_arcsec
    extent = (-0.5 * scale, (nx - 0.5) * scale, -0.5 * scale, (ny - 0.5) * scale)
    x, y = ((np.asarray(clumps[name]) - zero) * scale for name, zero in (("x", cutout.x0), ("y", cutout.y0)))
    _grey(image_axes, cutout.data, extent)
    _magnification(figure, mu_axes, mu, extent)
    with np.errstate(divide="ignore"):
        inverse = 1.0 / mu
    for axes, colour in ((image_axes, "tab:red"), (mu_axes, "white")):
        axes.scatter(x, y, s=25, facecolors="none", edgecolors=colour, linewidths=0.8)
        if (inverse > 0).any() and (inverse < 0).any():
            axes.contour(inverse, levels=[0.0], colors=colour, linewidths=0.8, origin="lower", extent=extent)
        axes.set_xlabel("arcsec")
    image_axes.set_title(f"{title}, z = {z_source:.3f}, {cutout.filter}".rstrip(", "), fontsize=9)
    _compass(image_axes, cutout)
    mu_axes.set_title("magnification", fontsize=9)
    _grey(source_axes, plane.image, plane.extent)
    if model.traces:
        source_axes.scatter(*model.source_position(clumps["ra"], clumps["dec"], z_source), s=25, facecolors="none",
                            edgecolors="tab:red", linewidths=0.8)  # fmt: skip
    source_axes.plot(plane.x, plane.y, "+", color="tab:blue", markersize=9)
    _scale_bar(source_axes, plane.extent, z_source)
    source_axes.set_title("source plane; +: barycentre of light", fontsize=9)
    source_axes.set(xlabel="West of the reference [arcsec]", ylabel="North [arcsec]")
    save_picture(figure, path)
