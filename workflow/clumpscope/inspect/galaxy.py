"""What the page of one galaxy shows, from that galaxy's products alone."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from PIL import Image

from ..files import replacing
from ..filters import get_filter
from ..flags import FLAGS, describe
from ..images.cutouts import Cutout, read_cutouts
from ..tables import read_table
from .pages import number, write_page, write_script
from .pixels import Packer, binned

__all__ = ["GalaxyProducts", "colour_filters", "colour_scales", "lupton", "write_galaxy"]

Array = np.ndarray
_MOST_PIXELS = 1_000_000
"""Pixels of all filters that a page shows: it stays below 3 MB. Filters other than the reference one are binned until they fit."""
_LARGEST_MU = 1000.0
_THUMBNAIL_PX = 96
_SCALES = ("sigma_x_px", "sigma_y_px", "theta_deg", "sigma_limit_px")


@dataclass(frozen=True)
class GalaxyProducts:
    """Products of one galaxy; those after the detection are missing where it has too few clumps to be measured.

    Attributes
    ----------
    cutouts, clumps, segmentation : path-like
        Of the rules `cutout` and `detect`.
    photometry, residuals : path-like, optional
        Of the rule `fit`.
    magnification_map : path-like, optional
        Of the rule `magnify`.
    pictures : sequence of (str, path-like)
        Further pictures to show below, with what they show.
    """

    cutouts: str | os.PathLike
    clumps: str | os.PathLike
    segmentation: str | os.PathLike
    photometry: str | os.PathLike | None = None
    residuals: str | os.PathLike | None = None
    magnification_map: str | os.PathLike | None = None
    pictures: Sequence[tuple[str, str | os.PathLike]] = ()


def write_galaxy(
    page: str | os.PathLike,
    data: str | os.PathLike,
    thumbnail: str | os.PathLike,
    field: str,
    galaxy: Mapping[str, Any],
    products: GalaxyProducts,
    pivots: Mapping[str, float],
) -> None:
    """Write a galaxy's page, the script with its data, and its thumbnail.

    Parameters
    ----------
    page, data, thumbnail : path-like
        HTML, JavaScript and JPEG.
    field : str
        Name of the field.
    galaxy : mapping
        Its row of the selection: id, system, filter_ref, ra, dec [deg], z, z_lo, z_hi, radius_arcsec, edits.
    products : GalaxyProducts
    pivots : mapping of str to float
        Pivot wavelengths [Angstrom] of the field's filters.
    """
    cutouts, meta = read_cutouts(products.cutouts)
    reference = cutouts[meta["filter_ref"]]
    names = sorted(cutouts, key=lambda name: (pivots[name], name))
    colours = colour_scales([cutouts[name] for name in colour_filters(names)], reference)
    packer = Packer()
    clumps = read_table(products.clumps)
    fitted = read_table(products.photometry) if products.photometry else None
    content = {
        "field": field,
        **{key: galaxy[key] for key in ("id", "system", "ra", "dec", "z", "z_lo", "z_hi", "radius_arcsec")},
        "reference": reference.filter,
        "size": [reference.data.shape[1], reference.data.shape[0]],
        "pixel_scale": number(reference.pixel_scale_arcsec),
        "sky": _tangent_plane(reference.wcs, reference.data.shape),
        "filters": _filters(packer, cutouts, names, reference, products.residuals, pivots),
        "colours": [{"name": name, "scale": number(scale)} for name, scale in colours],
        "clumps": _clumps(clumps, fitted, reference, names),
        "flags": {flag.name: flag.text for flag in FLAGS.values()},
        "outlines": _outlines(products.segmentation),
        "edits": galaxy["edits"],
        "pictures": [
            {"text": text, "path": Path(os.path.relpath(path, Path(page).parent)).as_posix()}
            for text, path in products.pictures
        ],
        "measured": fitted is not None,
        **_lens(packer, products.magnification_map),
    }
    write_script(data, galaxy=content, pixels=packer.text())
    _write_thumbnail(thumbnail, [(cutouts[name], scale) for name, scale in colours], reference)
    write_page(page, "galaxy.html.j2", {"field": field, "galaxy": galaxy["id"]})


def colour_filters(names: Sequence[str]) -> list[str]:
    """Red, green and blue of filters in rising order of wavelength: broad ones where there are three.

    One step inside where there are many, since the ends of the range are often the shallowest.
    """
    broad = [name for name in names if get_filter(name).kind == "broad"]
    inside = broad if len(broad) > 2 else list(names)
    inside = inside[1:-1] if len(inside) > 5 else inside
    return [inside[-1], inside[len(inside) // 2], inside[0]]


def colour_scales(cutouts: Sequence[Cutout], reference: Cutout) -> list[tuple[str, float]]:
    """Filters with the factors that make the brightest twentieth of the pixels grey on average, so that differences of colour show.

    The second one's is one over its noise. No factor brings more than three times its share of noise into the picture.
    """
    planes = [_on_reference(cutout, reference) for cutout in cutouts]
    noise = [_noise(cutout) for cutout in cutouts]
    good = np.isfinite(planes).all(axis=0)
    if not good.any():
        return [(cutout.filter, 1.0 / own) for cutout, own in zip(cutouts, noise, strict=True)]
    mean = np.sum([plane / own for plane, own in zip(planes, noise, strict=True)], axis=0)
    bright = good & (mean >= np.quantile(mean[good], 0.95))
    light = [max(float(plane[bright].mean()), own) for plane, own in zip(planes, noise, strict=True)]
    scales = [light[1] / noise[1] / own for own in light]
    return [
        (cutout.filter, min(scale, 3.0 / own))
        for cutout, scale, own in zip(cutouts, scales, noise, strict=True)
    ]


def _noise(cutout: Cutout) -> float:
    return float(np.nanmedian(cutout.error)) if np.isfinite(cutout.error).any() else 1.0


def _on_reference(cutout: Cutout, reference: Cutout, step: int = 1) -> Array:
    """A cutout on every `step`-th pixel of the reference filter, by nearest pixel."""
    y, x = np.indices(reference.data.shape)[:, step // 2 :: step, step // 2 :: step]
    a, b, c, d, e, f = _affine(reference, cutout, 1)
    u, v = np.rint(a * x + c * y + e).astype(int), np.rint(b * x + d * y + f).astype(int)
    ny, nx = cutout.data.shape
    inside = (u >= 0) & (u < nx) & (v >= 0) & (v < ny)
    return np.where(inside, cutout.data[np.clip(v, 0, ny - 1), np.clip(u, 0, nx - 1)], np.nan)


def _tangent_plane(wcs: WCS, shape: tuple[int, int]) -> dict[str, Any]:
    """The plane that touches the sky at the image's middle: its place [deg], and the matrix from pixels [px] to (east, north) [arcsec].

    Scripts go from pixels to the sky and back by it. Over a galaxy's cutout it holds to a milliarcsecond.
    """
    x, y = 0.5 * (shape[1] - 1), 0.5 * (shape[0] - 1)
    step = 0.5 * max(shape)
    ra, dec = wcs.all_pix2world([x, x + step, x - step, x, x], [y, y, y, y + step, y - step], 0)
    east, north = _offsets(ra, dec, ra[0], dec[0])
    matrix = [[(own[1] - own[2]) / (2 * step), (own[3] - own[4]) / (2 * step)] for own in (east, north)]
    return {"ra": float(ra[0]), "dec": float(dec[0]), "x": x, "y": y, "matrix": matrix}


def _offsets(ra: Array, dec: Array, ra0: float, dec0: float) -> tuple[Array, Array]:
    """Gnomonic projection [arcsec], east and north of a place [deg]."""
    a, d, d0 = np.deg2rad(np.asarray(ra) - ra0), np.deg2rad(dec), np.deg2rad(dec0)
    cosine = np.sin(d0) * np.sin(d) + np.cos(d0) * np.cos(d) * np.cos(a)
    east = np.cos(d) * np.sin(a) / cosine
    north = (np.cos(d0) * np.sin(d) - np.sin(d0) * np.cos(d) * np.cos(a)) / cosine
    return np.rad2deg(east) * 3600.0, np.rad2deg(north) * 3600.0


def _filters(
    packer: Packer, cutouts: Mapping[str, Cutout], names: Sequence[str], reference: Cutout,
    residuals: str | os.PathLike | None, pivots: Mapping[str, float],
) -> list[dict[str, Any]]:  # fmt: skip
    """Every filter: what is left and the clumps (their sum is the image), or the image alone; and where its pixels are."""
    others = sum(cutouts[name].data.size for name in names if name != reference.filter)
    room = max(_MOST_PIXELS - reference.data.size, _MOST_PIXELS // 4)
    n_others = max(int(np.ceil(np.sqrt(others / room))), 1)
    n_reference = max(int(np.ceil(np.sqrt(reference.data.size / _MOST_PIXELS))), 1)
    models = {}
    if residuals is not None:
        with fits.open(residuals, memmap=False) as hdus:
            models = {name: hdus[f"MODEL_{name}"].data for name in names if f"MODEL_{name}" in hdus}
    filters = []
    for name in names:
        cutout, n = cutouts[name], n_reference if name == reference.filter else n_others
        noise = _noise(cutout)
        image = binned(cutout.data, n)
        one = {
            "name": name,
            "um": number(pivots[name] / 1e4, 4),
            "noise": number(noise / n),
            "affine": _affine(reference, cutout, n),
            "size": [image.shape[1], image.shape[0]],
            "binned": n,
        }
        if name in models:
            model = binned(models[name], n)
            one |= {"model": packer.add(model, noise / n), "rest": packer.add(image - model, noise / n)}
        else:
            one["data"] = packer.add(image, noise / n)
        filters.append(one)
    return filters


def _affine(reference: Cutout, cutout: Cutout, n: int) -> list[float]:
    """a, b, c, d, e, f: pixel (x, y) of the reference filter is (a x + c y + e, b x + d y + f) of another's n-fold binned one."""
    ny, nx = reference.data.shape
    x, y = np.array([0.0, nx - 1.0, 0.0]), np.array([0.0, 0.0, ny - 1.0])
    own = np.array(cutout.wcs.all_world2pix(*reference.wcs.all_pix2world(x, y, 0), 0))
    own = (own + 0.5) / n - 0.5
    along_x, along_y = (own[:, 1] - own[:, 0]) / max(nx - 1, 1), (own[:, 2] - own[:, 0]) / max(ny - 1, 1)
    return [number(value, 9) for value in (*along_x, *along_y, *own[:, 0])]


def _clumps(
    clumps: Table, fitted: Table | None, reference: Cutout, names: Sequence[str]
) -> list[dict[str, Any]]:
    """Detected clumps, with what was fitted. Places are in pixels of the reference cutout, and on the sky as detected."""
    own = {} if fitted is None else {str(row["id"]): row for row in fitted}
    found = []
    for row in clumps:
        clump = {
            "id": str(row["id"]),
            "name": str(row["id"]).removeprefix(f"{row['galaxy']}_"),
            "x": number(row["x"] - reference.x0, 7),
            "y": number(row["y"] - reference.y0, 7),
            "ra": float(row["ra"]),
            "dec": float(row["dec"]),
            "snr": number(row["snr"], 3),
            "flags": describe(row["flags"]),
        }
        if clump["id"] in own:
            fit = own[clump["id"]]
            clump |= {
                "fit_x": number(fit["x"] - reference.x0, 7),
                "fit_y": number(fit["y"] - reference.y0, 7),
                "snr": number(fit["snr"], 3),
                "flags": describe(fit["flags"]),
                **{key: number(fit[key], 4) for key in _SCALES if key in fit.colnames},
            }
            for key, column in (("flux", "flux_{}_njy"), ("error", "flux_{}_err_njy")):
                columns = [column.format(name) for name in names]
                clump[key] = [number(fit[c], 4) if c in fit.colnames else None for c in columns]
        found.append(clump)
    return found


def _outlines(segmentation: str | os.PathLike) -> list[list[list[float]]]:
    """Lines around the pixels of each clump."""
    # Part of matplotlib, without the rest of it.
    from contourpy import contour_generator

    with fits.open(segmentation, memmap=False) as hdus:
        labels = hdus[0].data
    lines = []
    for label in range(1, int(labels.max(initial=0)) + 1):
        rows, columns = np.nonzero(labels == label)
        if rows.size == 0:
            continue
        y0, x0 = rows.min() - 1, columns.min() - 1
        part = np.zeros((np.ptp(rows) + 3, np.ptp(columns) + 3))
        part[rows - y0, columns - x0] = 1.0
        for line in contour_generator(z=part).lines(0.5):
            lines.append(np.round(line + np.array([x0, y0]), 1).ravel().tolist())
    return lines


def _lens(packer: Packer, path: str | os.PathLike | None) -> dict[str, Any]:
    """Magnification and critical lines, where they are known and not one everywhere."""
    if path is None:
        return {}
    from contourpy import contour_generator

    with fits.open(path, memmap=False) as hdus:
        mu = hdus[0].data.astype(float)
    if not np.isfinite(mu).any() or np.nanmax(np.abs(mu - 1.0)) < 1e-3:
        return {}
    with np.errstate(divide="ignore"):
        inverse = np.ma.masked_invalid(1.0 / mu)
    lines = [np.round(line, 1).ravel().tolist() for line in contour_generator(z=inverse).lines(0.0)]
    n = max(int(np.ceil(np.sqrt(mu.size / (_MOST_PIXELS / 16)))), 1)
    size = np.clip(np.abs(mu), 1.0 / _LARGEST_MU, _LARGEST_MU)
    # Logarithms are averaged: one pixel on a critical line is no bright block.
    shown = np.exp(binned(np.log(size), n))
    plane = {"size": [shown.shape[1], shown.shape[0]], "binned": n, **packer.add(shown, 1.0)}
    return {"critical": lines, "magnification": plane}


def lupton(red: Array, green: Array, blue: Array, softening: float = 3.0, white: float = 100.0) -> Array:
    """Colours that keep their hue however bright (Lupton et al. 2004), shape (ny, nx, 3), uint8.

    Parameters
    ----------
    red, green, blue : (ny, nx) arrays
        In units of their noise.
    softening : float
        Where the scale goes from linear to logarithmic.
    white : float
        Mean of the three that is shown at full brightness.
    """
    planes = np.nan_to_num(np.stack([red, green, blue], axis=-1))
    mean = np.maximum(planes.mean(axis=-1, keepdims=True), 1e-9)
    shown = planes * np.arcsinh(mean / softening) / np.arcsinh(white / softening) / mean
    # Colours that are too bright are dimmed as a whole, not clipped to another hue.
    shown = shown / np.maximum(shown.max(axis=-1, keepdims=True), 1.0)
    return (255.0 * np.clip(shown, 0.0, 1.0)).astype(np.uint8)


def _write_thumbnail(
    path: str | os.PathLike, colours: Sequence[tuple[Cutout, float]], reference: Cutout
) -> None:
    """Write a small picture in colours, the right way up as the cutout is."""
    step = max(1, max(reference.data.shape) // _THUMBNAIL_PX)
    red, green, blue = (scale * _on_reference(cutout, reference, step) for cutout, scale in colours)
    mean = np.mean([red, green, blue], axis=0)
    white = float(np.nanpercentile(mean, 99.5)) if np.isfinite(mean).any() else 0.0
    image = Image.fromarray(lupton(red, green, blue, white=max(white, 10.0))[::-1])
    with replacing(path) as temporary:
        image.save(temporary, quality=85)
