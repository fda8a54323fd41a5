"""Data, clumps and what is left of a galaxy in every filter: a FITS file, and a picture to judge by."""

import os
from collections.abc import Mapping

import numpy as np
from astropy.io import fits
from astropy.table import Table

from ..files import replacing
from ..images.cutouts import Cutout
from ..images.psf import PSF
from ..pictures import save_picture
from .host import running_median

__all__ = ["draw_residuals", "write_residuals"]

_PER_ROW = 4
# What is left is shown to this many standard deviations.
_SIGMAS = 5.0


def write_residuals(
    path: str | os.PathLike, cutouts: Mapping[str, Cutout], models: Mapping[str, np.ndarray]
) -> None:
    """Write HDUs DATA_<F>, MODEL_<F>, RESID_<F> [nJy] with the cutouts' WCS.

    Parameters
    ----------
    path : path-like
        FITS product.
    cutouts : mapping of str to Cutout
    models : mapping of str to (ny, nx) array
        Clumps only; the local backgrounds stay in the residual, as the galaxy's diffuse light.
    """
    hdus = fits.HDUList([fits.PrimaryHDU()])
    for name, model in models.items():
        cutout = cutouts[name]
        for kind, plane in (("DATA", cutout.data), ("MODEL", model), ("RESID", cutout.data - model)):
            hdu = fits.ImageHDU(plane.astype(np.float32), cutout.wcs.to_header(), name=f"{kind}_{name}")
            hdu.header["BUNIT"] = "nJy"
            hdu.header["PIXSCALE"] = (cutout.pixel_scale_arcsec, "[arcsec] pixel side")
            hdus.append(hdu)
    with replacing(path) as temporary:
        hdus.writeto(temporary)


def draw_residuals(
    path: str | os.PathLike,
    cutouts: Mapping[str, Cutout],
    models: Mapping[str, np.ndarray],
    psfs: Mapping[str, PSF],
    table: Table,
    title: str,
) -> None:
    """Picture: data, clumps and what is left in every filter; large and with the clumps' names in the reference filter.

    What is left is shown in standard deviations, without the smooth light of the galaxy: the running median over two
    FWHM of the PSF.

    Parameters
    ----------
    path : path-like
        PNG product.
    cutouts, models
        As in `write_residuals`.
    psfs : mapping of str to PSF
        By filter, on the same pixels.
    table : Table
        Clumps: id, galaxy, ra, dec [deg], filter_ref.
    title : str
    """
    from matplotlib.figure import Figure

    names = list(models)
    first = [name for name in names if len(table) and name == table["filter_ref"][0]]
    n_rows = max(-(-len(names) // _PER_ROW), 1)
    heights = [3.2, n_rows] if first else [n_rows]
    figure = Figure(figsize=(4.2 * _PER_ROW, 1.62 * sum(heights) + 0.5), layout="constrained")
    parts = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))
    for name in first:
        panels = parts[0].subplots(1, 3)
        _draw_filter(panels, name, cutouts[name], models[name], psfs[name], table, named=True)
        parts[0].colorbar(panels[2].images[0], ax=panels[2], label="standard deviations", shrink=0.8)
    panels = parts[-1].subplots(n_rows, 3 * _PER_ROW, squeeze=False)
    for panel in panels.ravel():
        panel.set_axis_off()
    for name, three in zip(names, panels.reshape(-1, 3), strict=False):
        _draw_filter(three, name, cutouts[name], models[name], psfs[name], table, named=False)
    figure.suptitle(title, fontsize=9)
    save_picture(figure, path, dpi=150)


def _draw_filter(
    panels: np.ndarray, name: str, cutout: Cutout, model: np.ndarray, psf: PSF, table: Table, named: bool
) -> None:
    """Three panels of one filter, around its clumps."""
    from matplotlib.patheffects import withStroke

    fwhm = psf.sampling_px
    x, y = cutout.wcs.world_to_pixel_values(table["ra"], table["dec"])
    part = _around(x, y, cutout.data.shape, margin=4.0 * fwhm)
    data, model, error = cutout.data[part], model[part], cutout.error[part]
    left = data - model
    side = 2 * int(fwhm) + 1
    level = np.nanmedian(error) if np.isfinite(error).any() else 1.0
    top = max(np.nanpercentile(data, 99.7), 5.0 * level) if np.isfinite(data).any() else 5.0 * level
    for panel, image, label in zip(panels[:2], (data, model), (name, "clumps"), strict=True):
        panel.imshow(np.arcsinh(image / level), origin="lower", cmap="gray_r",
                     vmin=np.arcsinh(-2.0), vmax=np.arcsinh(top / level))  # fmt: skip
        panel.set_title(label, fontsize=7, pad=1.5)
    panels[2].imshow(
        (left - running_median(left, side)) / error,
        origin="lower",
        cmap="RdBu_r",
        vmin=-_SIGMAS,
        vmax=_SIGMAS,
    )
    panels[2].set_title("left over", fontsize=7, pad=1.5)
    x, y = x - part[1].start, y - part[0].start
    for panel in panels:
        panel.set_axis_off()
    for panel in panels[::2]:
        panel.scatter(x, y, s=90 if named else 12, facecolors="none", edgecolors="tab:red", linewidths=0.5)
    for clump, x_clump, y_clump in zip(table, x, y, strict=True) if named else ():
        # The galaxy's name is in the title already.
        label = str(clump["id"]).removeprefix(f"{clump['galaxy']}_")
        panels[0].annotate(label, (x_clump, y_clump), (5, 4), textcoords="offset points", fontsize=7, color="tab:red",
                           annotation_clip=True, path_effects=[withStroke(linewidth=1.5, foreground="white")])  # fmt: skip


def _around(x: np.ndarray, y: np.ndarray, shape: tuple[int, int], margin: float) -> tuple[slice, slice]:
    """Square part of an image that holds all places and a margin; the whole image where there are none."""
    inside = (x > -0.5) & (x < shape[1] - 0.5) & (y > -0.5) & (y < shape[0] - 0.5)
    if not inside.any():
        return slice(0, shape[0]), slice(0, shape[1])
    x, y = x[inside], y[inside]
    half = 0.5 * max(np.ptp(x), np.ptp(y)) + margin
    starts = [max(round(0.5 * (axis.min() + axis.max()) - half), 0) for axis in (y, x)]
    return tuple(
        slice(start, min(start + round(2 * half) + 1, size))
        for start, size in zip(starts, shape, strict=True)
    )
