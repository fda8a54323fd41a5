"""Pictures of lenses: a galaxy and its source, the field's magnification, multiple images traced back."""

import os
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..files import replacing
from ..images.cutouts import Cutout
from .critical import critical_lines
from .model import LensModel
from .source_plane import SourcePlane

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["cutout_centre", "draw_field", "draw_galaxy", "draw_systems"]

Array = np.ndarray
_LARGEST_MU = 100.0


def _save(figure: "Figure", path: str | os.PathLike) -> None:
    with replacing(path) as temporary:
        figure.savefig(
            temporary, dpi=110, metadata={"Software": None} if str(path).endswith(".png") else None
        )


def _grey(axes: "Axes", image: Array, extent: tuple[float, float, float, float]) -> None:
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, [5.0, 99.7]) if finite.size else (0.0, 1.0)
    axes.imshow(image, origin="lower", vmin=low, vmax=high, cmap="gray_r", extent=extent)


def _magnification(
    figure: "Figure", axes: "Axes", mu: Array, extent: tuple[float, float, float, float]
) -> None:
    shown = np.log10(np.clip(np.abs(mu), 1.0, _LARGEST_MU))
    drawn = axes.imshow(
        shown, origin="lower", vmin=0.0, vmax=np.log10(_LARGEST_MU), cmap="viridis", extent=extent
    )
    figure.colorbar(drawn, ax=axes, label=r"$\log_{10}\,|\mu|$", shrink=0.85)


def cutout_centre(cutout: Cutout) -> tuple[float, float]:
    """RA and Dec [deg] of the middle of a cutout."""
    ny, nx = cutout.data.shape
    return tuple(float(v) for v in cutout.wcs.pixel_to_world_values(0.5 * (nx - 1), 0.5 * (ny - 1)))


def draw_galaxy(
    path: str | os.PathLike, title: str, cutout: Cutout, mu: Array, plane: SourcePlane, clumps: Table, model: LensModel,
    z_source: float,
) -> None:  # fmt: skip
    """Picture of a galaxy in the image plane, of its magnification, and of itself in the source plane.

    Critical lines are drawn over the first two; clumps are marked everywhere, the barycentre with a cross.

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
    image_axes.set_title(f"{title}, z = {z_source:.3f}", fontsize=9)
    mu_axes.set_title("magnification", fontsize=9)
    _grey(source_axes, plane.image, plane.extent)
    if model.traces:
        source_axes.scatter(*model.source_position(clumps["ra"], clumps["dec"], z_source), s=25, facecolors="none",
                            edgecolors="tab:red", linewidths=0.8)  # fmt: skip
    source_axes.plot(plane.x, plane.y, "+", color="tab:blue", markersize=9)
    source_axes.set_title("source plane", fontsize=9)
    source_axes.set_xlabel("arcsec from the model's reference, West")
    _save(figure, path)


def draw_field(
    path: str | os.PathLike, model: LensModel, positions: Table, z_source: float, n_pixels: int = 300
) -> None:
    """Magnification map over a field, with critical lines, caustics and the positions of galaxies or clumps.

    Parameters
    ----------
    path : path-like
        Ending in .png or .pdf.
    model : LensModel
        The lens.
    positions : Table
        ra, dec [deg]; they set the size of the field.
    z_source : float
        Source redshift of the map.
    n_pixels : int
        Pixels of the map along its side.
    """
    from matplotlib.figure import Figure

    x, y = model.offsets(positions["ra"], positions["dec"])
    half = 0.55 * max(np.ptp(x), np.ptp(y), 10.0) + 2.0
    middle = 0.5 * (x.min() + x.max()), 0.5 * (y.min() + y.max())
    box = (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half)
    step = 2.0 * half / n_pixels
    axis = (np.arange(n_pixels) + 0.5) * step
    grid = model.sky(*np.meshgrid(box[0] + axis, box[2] + axis))
    figure = Figure(figsize=(6.4, 5.4), layout="constrained")
    axes = figure.subplots()
    _magnification(figure, axes, model.magnification(*grid, z_source)[0], box)
    for line in critical_lines(model, z_source, box, step):
        axes.plot(line.x, line.y, color="white", lw=0.9 if line.kind == "tangential" else 0.5)
        axes.plot(line.source_x, line.source_y, color="tab:orange", lw=0.5)
    axes.scatter(x, y, s=12, facecolors="none", edgecolors="tab:red", linewidths=0.8)
    axes.set(xlim=box[:2], ylim=box[2:], xlabel="arcsec West of the model's reference", ylabel="arcsec North")
    axes.set_title(f"magnification for z = {z_source:g}; critical lines white, caustics orange", fontsize=9)
    _save(figure, path)


def draw_systems(path: str | os.PathLike, table: Table) -> None:
    """Multiple images traced back: where each lies in the source plane, and what the magnifications make of its flux.

    Parameters
    ----------
    path : path-like
        Ending in .png or .pdf.
    table : Table
        Of `systems.compare_systems`; with intrinsic fluxes a third panel shows their ratios.
    """
    from matplotlib.figure import Figure

    intrinsic = [name for name in table.colnames if name.startswith("intrinsic_")]
    n_panels = 3 if intrinsic else 2
    figure = Figure(figsize=(4.2 * n_panels, 4.0), layout="constrained")
    panels = figure.subplots(1, n_panels)
    map_axes, rms_axes = panels[:2]
    systems = list(dict.fromkeys(table["system"]))
    rms = []
    for number, system in enumerate(systems):
        own, colour = table[table["system"] == system], f"C{number % 10}"
        rms.append(float(own["rms_arcsec"][0]))
        map_axes.errorbar(own["offset_x_arcsec"], own["offset_y_arcsec"], xerr=own["offset_x_arcsec_err"],
                          yerr=own["offset_y_arcsec_err"], fmt="o", ms=3, lw=0.6, color=colour)  # fmt: skip
        for name in intrinsic:
            # The mean in the logarithm is that of no image in particular.
            ratio = np.log10(own[name]) - np.nanmean(np.log10(own[name]))
            mu = np.abs(own["mu"])
            error = np.array([own["mu_err_hi"], own["mu_err_lo"]]) / mu / np.log(10.0)
            panels[2].errorbar(mu, ratio, yerr=error, fmt="o", ms=3, lw=0.6, color=colour)
    map_axes.axhline(0.0, color="0.7", lw=0.5, zorder=0)
    map_axes.axvline(0.0, color="0.7", lw=0.5, zorder=0)
    map_axes.set(
        xlabel="offset West [arcsec]", ylabel="offset North [arcsec]", aspect="equal", adjustable="datalim"
    )
    map_axes.set_title("images in the source plane, from their system's mean", fontsize=9)
    rms_axes.bar(range(len(systems)), rms, color=[f"C{number % 10}" for number in range(len(systems))])
    if systems:
        median = float(np.median(rms))
        rms_axes.axhline(median, color="black", lw=0.8, ls="--", label=f'median {median:.3f}"')
        rms_axes.legend(frameon=False, fontsize=8)
    rms_axes.set_xticks(range(len(systems)), systems, rotation=90, fontsize=7)
    rms_axes.set(xlabel="system", ylabel="rms in the source plane [arcsec]")
    if intrinsic:
        panels[2].axhline(0.0, color="0.7", lw=0.5, zorder=0)
        panels[2].set(xscale="log", xlabel=r"$|\mu|$", ylabel="intrinsic, over its system's mean [dex]")
        panels[2].set_title(", ".join(name.removeprefix("intrinsic_") for name in intrinsic), fontsize=9)
    _save(figure, path)
