"""Data, clumps and what is left of a galaxy in every filter: a FITS file, and a picture to judge by."""

import os
from collections.abc import Mapping

import numpy as np
from astropy.io import fits
from astropy.table import Table

from ..images.cutouts import Cutout
from ..images.psf import PSF
from ..made_by import write_fits
from ..montage import GREY, TWO_SIDED, Montage, coloured
from .host import running_median

__all__ = ["draw_residuals", "read_fitted", "write_residuals"]

# Of a fit, what its models are drawn from.
_DRAWN = ("x", "y", "moments", "flux")
_PER_ROW = 4
# What is left is shown to this many standard deviations.
_SIGMAS = 5.0
_MARK = "#d62728"
# Sides of the panels of the reference filter and of all filters, and from a filter to the next.
_LARGE_PX, _SMALL_PX = 630, 160
_STEP_PX = 3 * (_SMALL_PX + 4) + 14


def write_residuals(
    path: str | os.PathLike,
    cutouts: Mapping[str, Cutout],
    models: Mapping[str, np.ndarray],
    fitted: Mapping[str, Table],
) -> None:
    """Write HDUs DATA_<F>, MODEL_<F>, RESID_<F> [nJy] with the cutouts' WCS, and a table CLUMPS of what the models are drawn from.

    Parameters
    ----------
    path : path-like
        FITS product.
    cutouts : mapping of str to Cutout
    models : mapping of str to (ny, nx) array
        Clumps only; the local backgrounds stay in the residual, as the galaxy's diffuse light.
    fitted : mapping of str to Table
        Of `clumpscope.photometry.galaxy.measure_galaxy`, by filter.
    """
    hdus = fits.HDUList([fits.PrimaryHDU()])
    for name, model in models.items():
        cutout = cutouts[name]
        header = cutout.wcs.to_header()
        for kind, plane in (("DATA", cutout.data), ("MODEL", model), ("RESID", cutout.data - model)):
            hdu = fits.ImageHDU(plane.astype(np.float32), header, name=f"{kind}_{name}")
            hdu.header["BUNIT"] = "nJy"
            hdu.header["PIXSCALE"] = (cutout.pixel_scale_arcsec, "[arcsec] pixel side")
            hdus.append(hdu)
    rows = {name: np.concatenate([table[name] for table in fitted.values()]) for name in _DRAWN}
    filters = np.repeat(list(fitted), [len(table) for table in fitted.values()])
    hdu = fits.BinTableHDU(Table({"filter": filters, **rows}), name="CLUMPS")
    # Also those without clumps.
    hdu.header["FILTERS"] = " ".join(fitted)
    hdus.append(hdu)
    write_fits(hdus, path)


def read_fitted(path: str | os.PathLike) -> dict[str, Table]:
    """What the models of `write_residuals` are drawn from: x, y, moments and flux of the clumps, by filter."""
    with fits.open(path) as hdus:
        rows, names = hdus["CLUMPS"].data, hdus["CLUMPS"].header["FILTERS"].split()
        filters = np.asarray(rows["filter"])
        columns = {name: np.asarray(rows[name], dtype=float) for name in _DRAWN}
    return {name: Table({key: column[filters == name] for key, column in columns.items()}) for name in names}


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
    names = list(models)
    first = [name for name in names if len(table) and name == table["filter_ref"][0]]
    n_rows = -(-len(names) // _PER_ROW)
    top_of_rows = 34 + len(first) * (_LARGE_PX + 30)
    montage = Montage(_PER_ROW * _STEP_PX + 16, top_of_rows + n_rows * (_SMALL_PX + 32) + 8)
    montage.text(16, 8, title, 18)
    for name in first:
        filled = _draw_filter(montage, name, cutouts, models, psfs, table, 16, 58, _LARGE_PX, named=True)
        ticks = [(0.5 + 0.1 * step, f"{step:g}") for step in (-5, -2.5, 0, 2.5, 5)]
        montage.colour_bar(TWO_SIDED, filled + 16, 58, _LARGE_PX, ticks, "sigma")
    for index, name in enumerate(names):
        row, column = divmod(index, _PER_ROW)
        left, top = 16 + column * _STEP_PX, top_of_rows + row * (_SMALL_PX + 32) + 24
        _draw_filter(montage, name, cutouts, models, psfs, table, left, top, _SMALL_PX, named=False)
    montage.save(path)


def _draw_filter(
    montage: Montage, name: str, cutouts: Mapping[str, Cutout], models: Mapping[str, np.ndarray],
    psfs: Mapping[str, PSF], table: Table, left: int, top: int, side: int, named: bool,
) -> int:  # fmt: skip
    """Three panels of one filter, around its clumps; return where the last one ends."""
    cutout, fwhm = cutouts[name], psfs[name].sampling_px
    x, y = cutout.wcs.world_to_pixel_values(table["ra"], table["dec"])
    part = _around(x, y, cutout.data.shape, margin=4.0 * fwhm)
    data, model, error = cutout.data[part], models[name][part], cutout.error[part]
    rest = data - model
    level = np.nanmedian(error) if np.isfinite(error).any() else 1.0
    top_flux = max(np.nanpercentile(data, 99.7), 5.0 * level) if np.isfinite(data).any() else 5.0 * level
    low, high = np.arcsinh(-2.0), np.arcsinh(top_flux / level)
    x, y = x - part[1].start, y - part[0].start
    shown = {
        name: coloured(np.arcsinh(data / level), low, high, GREY),
        "clumps": coloured(np.arcsinh(model / level), low, high, GREY),
        "left over": coloured(
            (rest - running_median(rest, 2 * int(fwhm) + 1)) / error, -_SIGMAS, _SIGMAS, TWO_SIDED
        ),
    }
    for label, colours in shown.items():
        panel = montage.panel(colours, left, top, side)
        montage.text(left, top - 5, label, 16 if label == name else 12, "ls")
        if label != "clumps":
            panel.rings(x, y, 9.0 if named else 4.0, _MARK)
        if label == name and named:
            panel.scale_bar(1.0 / cutout.pixel_scale_arcsec, '"')
            # The galaxy's name is in the title already.
            words = [str(clump["id"]).removeprefix(f"{clump['galaxy']}_") for clump in table]
            panel.names(x, y, words, [_MARK] * len(words), 17)
        left += side + 4
    return left


def _around(x: np.ndarray, y: np.ndarray, shape: tuple[int, int], margin: float) -> tuple[slice, slice]:
    """Square part of an image that holds all places and a margin; the whole image where there are none."""
    inside = (x > -0.5) & (x < shape[1] - 0.5) & (y > -0.5) & (y < shape[0] - 0.5)
    if not inside.any():
        return slice(0, shape[0]), slice(0, shape[1])
    x, y = x[inside], y[inside]
    half = 0.5 * max(np.ptp(x), np.ptp(y)) + margin
    starts = [max(round(0.5 * (axis.min() + axis.max()) - half), 0) for axis in (y, x)]
    rows, columns = (
        slice(start, min(start + round(2 * half) + 1, size))
        for start, size in zip(starts, shape, strict=True)
    )
    return rows, columns
