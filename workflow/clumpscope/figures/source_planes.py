"""Galaxies as they are: the reference filter traced to the source plane, with their clumps (C25 section 4.5)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from ..cosmology import pc_per_arcsec
from .settings import Settings
from .style import PAGE_INCH, PALETTE, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_N_COLUMNS = 3
_MARGIN, _LEAST_ARCSEC = 1.5, 0.25  # side of the pictures: in the extent of the clumps, and the least
_BARS_KPC = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_BRIGHTEST = 99.7  # percentile of the surface brightness that is drawn black


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the galaxies with the most clumps; products: ``source_planes`` (paths), ``catalogue``."""
    known = {str(name) for name in products["catalogue"]["id"]}
    planes = []
    for path in map(Path, products["source_planes"]):
        with fits.open(path) as hdus:
            image, header = np.asarray(hdus[0].data, float), hdus[0].header
            clumps = Table(hdus["CLUMPS"].data)
        clumps["id"] = np.asarray(clumps["id"]).astype(str)
        clumps = clumps[[name.strip() in known for name in clumps["id"]]]
        if len(clumps) and np.isfinite(image).any() and np.isfinite(clumps["source_ra"]).any():
            planes.append((path.parent.name, image, header, clumps))
    planes.sort(key=lambda plane: (-len(plane[3]), plane[0]))
    planes = planes[: settings.gallery_galaxies]
    n_rows = max(-(-len(planes) // _N_COLUMNS), 1)
    cell = PAGE_INCH / _N_COLUMNS
    figure = new_figure(PAGE_INCH, n_rows * cell + 0.25)
    panels = figure.subplots(n_rows, _N_COLUMNS, squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    if not planes:
        empty(panels[_N_COLUMNS // 2], "no galaxies")
    else:
        _draw_compass(panels[0])
    rows: list[tuple] = []
    for panel, (galaxy, image, header, clumps) in zip(panels, planes, strict=False):
        _draw_galaxy(panel, galaxy, image, header, clumps)
        rows += [
            (galaxy, header["ZSOURCE"], *row["id", "source_ra", "source_dec", "central"]) for row in clumps
        ]
    labels = dict(
        pair[::-1] for panel in panels for pair in zip(*panel.get_legend_handles_labels(), strict=True)
    )
    if labels:
        figure.legend(
            labels.values(), labels, loc="outside upper center", ncols=len(labels), handletextpad=0.2
        )
    names = ["galaxy", "z", "id", "source_ra", "source_dec", "central"]
    return figure, Table(rows=rows or None, names=names, dtype=["U64", float, "U64", float, float, bool])


def _draw_compass(panel: "Axes") -> None:
    """North and East, which are up and to the left in every panel."""
    for name, (x, y) in {"N": (0.93, 0.24), "E": (0.75, 0.06)}.items():
        arrow = {"arrowstyle": "<-", "lw": 0.8, "shrinkA": 0.0, "shrinkB": 0.0}
        panel.annotate(name, (0.93, 0.06), (x, y), xycoords="axes fraction", ha="center", va="center", fontsize=6.5,
                       arrowprops=arrow)  # fmt: skip


def _draw_galaxy(panel: "Axes", galaxy: str, image: np.ndarray, header: fits.Header, clumps: Table) -> None:
    wcs = WCS(header)
    scale = float(wcs.proj_plane_pixel_scales()[1].to_value("arcsec"))
    brightest = np.nanpercentile(image, _BRIGHTEST)
    noise = max(1.4826 * np.nanmedian(np.abs(image - np.nanmedian(image))), 1e-3 * abs(brightest), 1e-12)
    panel.imshow(np.arcsinh(image / (2.0 * noise)), origin="lower", cmap="gray_r", interpolation="nearest",
                 vmin=np.arcsinh(-0.5), vmax=np.arcsinh(max(brightest / (2.0 * noise), 1.0)))  # fmt: skip
    x, y = wcs.world_to_pixel_values(clumps["source_ra"], clumps["source_dec"])
    central = np.asarray(clumps["central"], bool)
    for chosen, colour, label in ((~central, PALETTE[1], "clump"), (central, PALETTE[3], "central clump")):
        panel.scatter(x[chosen], y[chosen], s=26, facecolors="none", edgecolors=colour, lw=0.9, label=label)
    centre = []
    if "RA_BARY" in header:
        centre = wcs.world_to_pixel_values(header["RA_BARY"], header["DEC_BARY"])
        panel.plot(*centre, "+", color=PALETTE[4], ms=7, mew=1.0, label="barycentre of light")
    x, y = (
        (np.append(values, value) for values, value in zip((x, y), centre, strict=True))
        if len(centre)
        else (x, y)
    )
    side = max(_MARGIN * max(np.ptp(x), np.ptp(y)), _LEAST_ARCSEC / scale)
    left, bottom = 0.5 * (x.min() + x.max() - side), 0.5 * (y.min() + y.max() - side)
    panel.set(xlim=(left, left + side), ylim=(bottom, bottom + side))
    pixels_per_kpc = 1e3 / float(pc_per_arcsec(header["ZSOURCE"])) / scale
    bar = max([kpc for kpc in _BARS_KPC if kpc * pixels_per_kpc < 0.45 * side] or _BARS_KPC[:1])
    end = left + 0.06 * side + bar * pixels_per_kpc
    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.0}
    panel.text(left + 0.06 * side, bottom + 0.1 * side, f"{bar:g} kpc", fontsize=6.5, va="bottom", bbox=paper)
    panel.plot(
        [left + 0.06 * side, end], [bottom + 0.06 * side] * 2, color="black", lw=1.4, solid_capstyle="butt"
    )
    panel.text(0.04, 0.96, f"{galaxy}\n$z = {header['ZSOURCE']:.2f}$", transform=panel.transAxes, va="top", fontsize=7,
               bbox=paper)  # fmt: skip
