"""Cutouts of mosaics around galaxies, in nJy, and their FITS product."""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from ..errors import InputError
from ..files import no_image
from ..made_by import write_fits

__all__ = ["MARGIN_ARCSEC", "Cutout", "cutout_reader", "galaxy_footprint", "read_cutouts", "write_cutouts"]

# Room around a galaxy: the fit boxes of its outermost clumps, and sky.
MARGIN_ARCSEC = 1.0


@dataclass(frozen=True)
class Cutout:
    """A rectangle of a mosaic.

    Attributes
    ----------
    data, error : (ny, nx) float arrays
        Flux and its standard deviation per pixel [nJy]; NaN where there is no good pixel.
    wcs : astropy.wcs.WCS
        Celestial WCS of the cutout.
    x0, y0 : int
        Zero-based mosaic pixel of the cutout's pixel (0, 0); negative when it hangs over the edge.
    pixel_scale_arcsec : float
        Pixel side [arcsec].
    filter : str
        Name of the filter.
    """

    data: np.ndarray
    error: np.ndarray
    wcs: WCS
    x0: int
    y0: int
    pixel_scale_arcsec: float
    filter: str = ""


def galaxy_footprint(path: str | os.PathLike, galaxy: str, cutout: Cutout) -> np.ndarray:
    """Pixels of a cutout that a segmentation map gives to a galaxy.

    Parameters
    ----------
    path : path-like
        FITS map of integers; its WCS places it, or without one it is on the pixels of the cutout's mosaic.
    galaxy : str
        Its number in the map.
    cutout : Cutout
        Whose pixels are asked for.

    Returns
    -------
    (ny, nx) bool array
        By nearest pixel; False outside the map.

    Raises
    ------
    InputError
        If the galaxy's id is not a number, or the map has none of its pixels in the cutout.
    """
    rows, columns = np.indices(cutout.data.shape)
    try:
        number = int(galaxy)
    except ValueError:
        raise InputError(f"galaxy {galaxy}", "an id that is not a number", f"a value of {path}") from None
    with fits.open(path, memmap=True) as hdus:
        hdu = next((hdu for hdu in hdus if hdu.is_image and len(hdu.shape) == 2), None)
        if hdu is None:
            raise InputError(str(path), no_image(hdus), "a segmentation map")
        wcs = WCS(hdu.header)
        x, y = columns + cutout.x0, rows + cutout.y0
        if wcs.has_celestial:
            x, y = wcs.all_world2pix(*cutout.wcs.all_pix2world(columns, rows, 0), 0)
        x, y = np.rint(x).astype(int), np.rint(y).astype(int)
        height, width = hdu.shape
        on_map = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        footprint = np.zeros(cutout.data.shape, dtype=bool)
        footprint[on_map] = hdu.data[y[on_map], x[on_map]] == number
    if not footprint.any():
        raise InputError(
            str(path), f"no pixel of value {number} around galaxy {galaxy}", "a map with its pixels",
            "Give it pixels, or put the galaxy on selection.reject.",
        )  # fmt: skip
    return footprint


def write_cutouts(
    path: str | os.PathLike, cutouts: Mapping[str, Cutout], galaxy: str, redshift: float, filter_ref: str
) -> None:
    """Write one galaxy's cutouts, HDUs SCI_<F> and ERR_<F> [nJy].

    Parameters
    ----------
    path : path-like
        FITS product.
    cutouts : mapping of str to Cutout
        By filter.
    galaxy : str
        Identifier, to GALAXY of the primary header.
    redshift : float
        To Z.
    filter_ref : str
        To FILTREF.
    """
    primary = fits.PrimaryHDU()
    primary.header["GALAXY"] = (str(galaxy), "identifier of the galaxy")
    primary.header["Z"] = (float(redshift), "redshift")
    primary.header["FILTREF"] = (filter_ref, "filter of detection and shape")
    hdus = fits.HDUList([primary])
    for name, cutout in cutouts.items():
        for kind, plane in (("SCI", cutout.data), ("ERR", cutout.error)):
            hdu = fits.ImageHDU(plane.astype(np.float32), cutout.wcs.to_header(), name=f"{kind}_{name}")
            hdu.header["BUNIT"] = "nJy"
            hdu.header["FILTER"] = name
            hdu.header["PIXSCALE"] = (cutout.pixel_scale_arcsec, "[arcsec] pixel side")
            hdu.header["X0"] = (cutout.x0, "zero-based mosaic x of pixel (0, 0)")
            hdu.header["Y0"] = (cutout.y0, "zero-based mosaic y of pixel (0, 0)")
            hdus.append(hdu)
    write_fits(hdus, path)


def read_cutouts(
    path: str | os.PathLike, choose: Callable[[list[str]], Collection[str]] | None = None
) -> tuple[dict[str, Cutout], dict]:
    """Read what `write_cutouts` wrote.

    Parameters
    ----------
    path : path-like
    choose : callable, optional
        Gives those of the filters there are that are to be read; all without it.

    Returns
    -------
    cutouts : dict of str to Cutout
        By filter, in the order written.
    meta : dict
        ``galaxy`` (str), ``z`` (float), ``filter_ref`` (str).
    """
    cutouts = {}
    with fits.open(path, memmap=False) as hdus:
        head = hdus[0].header
        meta = {"galaxy": head["GALAXY"], "z": head["Z"], "filter_ref": head["FILTREF"]}
        images = {hdu.header["FILTER"]: hdu for hdu in hdus[1:] if hdu.name.startswith("SCI_")}
        wanted = images if choose is None else choose(list(images))
        for name, hdu in images.items():
            if name in wanted:
                cutouts[name] = _cutout(hdu.header, hdu.data, hdus[f"ERR_{name}"].data, name)
    return cutouts, meta


def cutout_reader(path: str | os.PathLike) -> Callable[[str], Cutout | None]:
    """Reader of the cutout of one filter, None where there is none; the others cost no time and memory.

    Parameters
    ----------
    path : path-like
        Of `write_cutouts`; it must not change afterwards.
    """
    with fits.open(path) as hdus:
        places = {hdu.name: (hdu.fileinfo()["hdrLoc"], hdu.fileinfo()["datLoc"]) for hdu in hdus}

    def read(name: str) -> Cutout | None:
        if f"SCI_{name}" not in places:
            return None
        with open(path, "rb") as file:
            file.seek(places[f"SCI_{name}"][0])
            header = fits.Header.fromfile(file)
            shape = header["NAXIS2"], header["NAXIS1"]

            def plane(kind: str) -> np.ndarray:
                file.seek(places[f"{kind}_{name}"][1])
                return np.fromfile(file, ">f4", shape[0] * shape[1]).reshape(shape)

            return _cutout(header, plane("SCI"), plane("ERR"), name)

    return read


def _cutout(header: fits.Header, data: np.ndarray, error: np.ndarray, name: str) -> Cutout:
    return Cutout(
        data.astype(float), error.astype(float), WCS(header),
        header["X0"], header["Y0"], header["PIXSCALE"], name,
    )  # fmt: skip


def galaxy_pixels(
    cutout: Cutout, galaxy: "Mapping", segmentation: str | os.PathLike | None = None
) -> np.ndarray:
    """Pixels of a cutout that belong to its galaxy: those of a segmentation map, else those within its radius.

    Where circles of selected galaxies overlap, a pixel is of the one whose centre is nearest, in units of its radius, so that
    no clump is measured twice.

    Parameters
    ----------
    cutout : Cutout
    galaxy : mapping
        id, ra, dec [deg], radius_arcsec; neighbours, (ra, dec, radius_arcsec) of galaxies whose circles overlap.
    segmentation : path-like, optional
        Segmentation map.

    Returns
    -------
    (ny, nx) bool array
    """
    if segmentation is not None:
        return galaxy_footprint(segmentation, galaxy["id"], cutout)
    rows, columns = np.indices(cutout.data.shape)

    def distance(ra: float, dec: float, radius_arcsec: float) -> np.ndarray:
        x, y = cutout.wcs.world_to_pixel_values(ra, dec)
        return np.hypot(columns - x, rows - y) * cutout.pixel_scale_arcsec / radius_arcsec

    own = distance(*(galaxy[key] for key in ("ra", "dec", "radius_arcsec")))
    inside = own <= 1.0
    for neighbour in galaxy.get("neighbours", ()):
        inside &= own <= distance(*neighbour)
    return inside
