"""Magnification over a field, with critical lines, caustics and clumps."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from .columns import with_columns
from .settings import Settings
from .style import PAGE_INCH, PALETTE, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw", "draw_critical_lines"]

_WIDTH = PAGE_INCH
_LARGEST_MU = 100.0
_TICKS = (1, 2, 5, 10, 20, 50, 100)
_LINES = {"tangential": PALETTE[1], "radial": PALETTE[4]}
# Told apart where colours are not.
_STYLES = {"tangential": "-", "radial": (0, (5, 1.5))}


def draw_critical_lines(
    axes: "Axes", lines: Table, place: Callable, colours: Mapping[str, str], width: float
) -> None:
    """Draw the lines of a table of critical lines.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    lines : Table
        line, kind, ra, dec [deg].
    place : callable
        Gives the axes' coordinates at ra, dec.
    colours : mapping of str to str
        By kind, of those that are drawn.
    width : float
        Of the lines [pt].
    """
    number, kind = np.asarray(lines["line"]), np.asarray(lines["kind"]).astype(str)
    for name, colour in colours.items():
        label = f"{name} critical line"
        for one in dict.fromkeys(number[kind == name]):
            own = lines[number == one]
            axes.plot(*place(own["ra"], own["dec"]), color=colour, lw=width, ls=_STYLES[name], label=label)
            label = None


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the map; products: ``lens_map`` (path), ``critical_lines``, ``catalogue``."""
    from matplotlib.colors import LogNorm

    catalogue, lines = products["catalogue"], products["critical_lines"]
    data = with_columns(catalogue, ["id", "galaxy", "ra", "dec", "z", "mu"])
    if not products["lens_map"]:
        figure = new_figure(_WIDTH, 0.7 * _WIDTH)
        empty(figure.subplots(), "no map")
        return figure, data
    with fits.open(products["lens_map"][0]) as hdus:
        mu, wcs, z_source = np.asarray(hdus[0].data, float), WCS(hdus[0].header), hdus[0].header["ZSOURCE"]
    ny, nx = mu.shape
    figure = new_figure(_WIDTH, _WIDTH * float(np.clip(0.82 * ny / nx, 0.4, 1.4)) + 0.75)
    figure.set_layout_engine("compressed")  # room for the labels of a map whose sides are given
    axes = figure.subplots()
    scale = float(wcs.proj_plane_pixel_scales()[1].to_value("arcsec"))

    def place(ra, dec):
        """East and North [arcsec] of the middle of the map."""
        column, row = wcs.world_to_pixel_values(np.asarray(ra, float), np.asarray(dec, float))
        return -(column - 0.5 * (nx - 1)) * scale, (row - 0.5 * (ny - 1)) * scale

    extent = (0.5 * nx * scale, -0.5 * nx * scale, -0.5 * ny * scale, 0.5 * ny * scale)
    drawn = axes.imshow(np.clip(np.abs(mu), 1.0, _LARGEST_MU), origin="lower", extent=extent, cmap="Blues",
                        norm=LogNorm(1.0, _LARGEST_MU), interpolation="nearest")  # fmt: skip
    bar = figure.colorbar(drawn, ax=axes, pad=0.02, fraction=0.05, aspect=30, extend="max")
    bar.set_ticks(_TICKS, labels=[str(tick) for tick in _TICKS])
    bar.minorticks_off()
    bar.set_label(rf"$|\mu|$ of sources at $z = {z_source:g}$")
    draw_critical_lines(axes, lines, place, _LINES, 0.9)
    number, label = np.asarray(lines["line"]), "caustic"
    for one in dict.fromkeys(number[np.isfinite(np.asarray(lines["source_ra"], float))]):
        own = lines[number == one]
        axes.plot(*place(own["source_ra"], own["source_dec"]), color=PALETTE[2], lw=0.9, ls="--", label=label)
        label = None
    if len(catalogue):
        x, y = place(catalogue["ra"], catalogue["dec"])
        axes.scatter(x, y, s=13, facecolors=PALETTE[5], edgecolors="black",
                     lw=0.45, zorder=3, rasterized=True, label="clumps of all redshifts")  # fmt: skip
    else:
        empty(axes, "no clumps")
    axes.set(
        xlim=extent[:2],
        ylim=extent[2:],
        xlabel=r"$\Delta$ RA [arcsec]",
        ylabel=r"$\Delta$ Dec [arcsec]",
        aspect="equal",
    )
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside upper center", ncols=4)
    data["z_source"] = np.full(len(data), z_source)
    return figure, data
