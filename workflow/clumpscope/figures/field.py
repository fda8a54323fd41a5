"""The field in colour, with its clumps and the critical lines of its lens (F22 Fig. 1)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import with_columns
from .composite import composite
from .lens_field import draw_critical_lines
from .settings import Settings
from .style import PAGE_INCH, PALETTE, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_LINES = {"tangential": PALETTE[1], "radial": PALETTE[5]}
_MOST_NAMES = 40  # galaxies whose names can still be read


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the field; products: ``field_picture`` (path), ``catalogue``, ``critical_lines`` where there is a lens."""
    catalogue = products["catalogue"]
    data = with_columns(catalogue, ["id", "galaxy", "ra", "dec", "z"])
    if not products["field_picture"]:
        figure = new_figure(PAGE_INCH, 0.7 * PAGE_INCH)
        empty(figure.subplots(), "no picture")
        return figure, data
    picture = composite(products["field_picture"][0], balanced=True)
    ny, nx = picture.rgb.shape[:2]
    scale = picture.pixel_scale_arcsec
    figure = new_figure(PAGE_INCH, PAGE_INCH * float(np.clip(0.92 * ny / nx, 0.4, 1.3)) + 0.5)
    axes = figure.subplots()

    def place(ra, dec):
        """Offsets to the West and to the top [arcsec] of the middle of the picture."""
        column, row = picture.wcs.world_to_pixel_values(np.asarray(ra, float), np.asarray(dec, float))
        return (column - 0.5 * (nx - 1)) * scale, (row - 0.5 * (ny - 1)) * scale

    extent = 0.5 * scale * np.array([-nx, nx, -ny, ny])
    axes.imshow(picture.rgb, origin="lower", extent=tuple(extent), interpolation="nearest")
    if "critical_lines" in products:
        draw_critical_lines(axes, products["critical_lines"], place, _LINES, 0.7)
    owner = np.asarray(catalogue["galaxy"], str)
    x, y = place(catalogue["ra"], catalogue["dec"])
    axes.scatter(x, y, s=9, facecolors="none", edgecolors="white", lw=0.4, label="clumps", rasterized=True)
    galaxies = np.unique(owner)
    if len(galaxies) <= _MOST_NAMES:
        for galaxy in galaxies:
            own = owner == galaxy
            axes.annotate(
                galaxy, (float(np.mean(x[own])), float(np.max(y[own]))), (0, 3), textcoords="offset points",
                color="white", fontsize=5.5, ha="center",
            )  # fmt: skip
    axes.set(
        xlim=extent[:2], ylim=extent[2:], xlabel="arcsec", ylabel="arcsec", aspect="equal", facecolor="black"
    )
    axes.set_title(f"red, green, blue: {', '.join(picture.filters)}", fontsize=7.5)
    # White circles would not be seen beside the picture.
    legend = figure.legend(loc="outside lower center", ncols=3)
    legend.legend_handles[-1].set(edgecolor="0.4")
    return figure, data
