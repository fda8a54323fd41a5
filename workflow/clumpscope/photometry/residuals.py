"""Data, model and residual of a galaxy in every filter: a FITS file, and a picture to judge by."""

import os
from collections.abc import Mapping

import numpy as np
from astropy.io import fits
from astropy.table import Table

from ..files import replacing
from ..images.cutouts import Cutout
from ..pictures import save_picture

__all__ = ["draw_residuals", "write_residuals"]


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
    table: Table,
    title: str,
) -> None:
    """Picture: data, model and residual of every filter, one scale a filter, clumps marked on the data.

    Parameters
    ----------
    path : path-like
        PNG product.
    cutouts, models
        As in `write_residuals`.
    table : Table
        Clumps: id, galaxy, ra, dec [deg].
    title : str
    """
    from matplotlib.figure import Figure

    names = list(models)
    per_row = 4
    n_rows = max(-(-len(names) // per_row), 1)
    figure = Figure(figsize=(4.2 * per_row, 1.62 * n_rows + 0.4), layout="constrained")
    axes = np.atleast_2d(figure.subplots(n_rows, 3 * per_row, squeeze=False))
    for panel in axes.ravel():
        panel.set_axis_off()
    for index, name in enumerate(names):
        row, place = divmod(index, per_row)
        cutout = cutouts[name]
        level = np.nanmedian(cutout.error)
        top = max(np.nanpercentile(cutout.data, 99.7), 5.0 * level) if np.isfinite(cutout.data).any() else 1.0
        images = (cutout.data, models[name], cutout.data - models[name])
        for panel, image, label in zip(
            axes[row, 3 * place : 3 * place + 3], images, (name, "model", "residual"), strict=True
        ):
            panel.imshow(np.arcsinh(image / level), origin="lower", cmap="gray_r",
                         vmin=np.arcsinh(-2.0), vmax=np.arcsinh(top / level))  # fmt: skip
            panel.set_title(label, fontsize=7, pad=1.5)
        if len(table):
            x, y = cutout.wcs.world_to_pixel_values(table["ra"], table["dec"])
            marked = axes[row, 3 * place]
            marked.scatter(x, y, s=14, facecolors="none", edgecolors="tab:red", linewidths=0.5)
            for clump, x_clump, y_clump in zip(table, x, y, strict=True):
                # The galaxy's name is in the title already.
                label = str(clump["id"]).removeprefix(f"{clump['galaxy']}_")
                marked.annotate(label, (x_clump, y_clump), (2.5, 2.5), textcoords="offset points", fontsize=3.5,
                                color="tab:red", annotation_clip=True)  # fmt: skip
    figure.suptitle(title, fontsize=9)
    save_picture(figure, path, dpi=150)
