"""Mosaics in nJy, opened lazily and read in rectangles."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales

from ..errors import InputError
from ..files import PACKED_ENDINGS, no_image
from .cutouts import MARGIN_ARCSEC, Cutout
from .photons import binning, electrons_per_njy_s, photon_variance
from .sky import sky_statistics
from .streaming import ForwardPlane, find_packed_plane
from .units import njy_per_unit

__all__ = ["Mosaic", "cut_galaxy", "open_mosaic"]

_ARCSEC_PER_DEG = 3600.0
_SR_PER_ARCSEC2 = (np.pi / 180.0 / 3600.0) ** 2
# Where an image without a WCS is put on the sky: its pixel-grid centre. Far from RA = 0, where RA wraps.
_REFERENCE = (180.0, 0.0)
# Cards that may stand in the primary header alone.
_INHERITED = (
    "BUNIT", "PHOTFNU", "OPHOTFNU", "PHOTMJSR", "PIXAR_SR", "PHOTSCAL", "FILTER", "FILTER1", "FILTER2", "PUPIL",
)  # fmt: skip
# Pixels beyond the cutout on every side that tell the sky's scatter when there is no error map.
_SKY_MARGIN_PX = 100
# Pixels around a position in which some data means that it is covered.
_NEAR_PX = 5
# Rows that are looked at together.
_STRIP_PX = 256


@dataclass(frozen=True)
class _Plane:
    """One 2-D image of a FITS file, or an array, of which rectangles are read."""

    path: str
    hdu: int
    shape: tuple[int, int]
    array: np.ndarray | None = None

    def read(self, rows: slice, columns: slice) -> np.ndarray:
        if self.array is not None:
            return np.asarray(self.array[rows, columns], dtype=float)
        with fits.open(self.path) as hdus:
            hdu = hdus[self.hdu]
            plain = not isinstance(hdu, fits.CompImageHDU) and not {"BSCALE", "BZERO", "BLANK"} & {
                *hdu.header
            }
            # Both read the rectangle alone: plain images from memory maps, others, row by row, as sections.
            return np.array((hdu.data if plain else hdu.section)[rows, columns], dtype=float)

    def any_positive(self) -> bool:
        """Whether any pixel is a positive number; as few rows are read as tell."""
        rows = (slice(row, row + _STRIP_PX) for row in range(0, self.shape[0], _STRIP_PX))
        return any(bool(np.any(self.read(strip, slice(0, self.shape[1])) > 0.0)) for strip in rows)


@dataclass(frozen=True)
class Mosaic:
    """A science image with its errors, read in rectangles, in nJy.

    Attributes
    ----------
    name : str
        Name of the filter, for messages and products.
    shape : (int, int)
        Rows and columns.
    wcs : astropy.wcs.WCS
        Celestial WCS.
    pixel_scale_arcsec : float
        Pixel side [arcsec].
    njy_per_unit : float
        What the pixel values of the science image are multiplied by.
    error_kind : str
        ``err`` (standard deviations), ``wht`` (inverse variances) or ``none``.
    path : str
        The science file.
    header : dict
        Cards of the science image.
    """

    name: str
    shape: tuple[int, int]
    wcs: WCS
    pixel_scale_arcsec: float
    njy_per_unit: float
    error_kind: str
    path: str
    header: Mapping
    science_plane: _Plane
    error_plane: _Plane | None
    exposure_plane: _Plane | None = None

    def read(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray]:
        """Flux and error of a rectangle.

        Parameters
        ----------
        rows, columns : slice
            Inside the mosaic, step 1.

        Returns
        -------
        data, error : (ny, nx) float arrays
            [nJy]; both NaN where the science value is not finite or the error is not positive, and,
            without a map, where the science value is exactly zero.

        Notes
        -----
        Without an error or weight map the error is one number, the robust scatter of the sky in
        the rectangle and 100 pixels around it: the sources' own photon noise is not in it. With an
        exposure map that noise is added to the weights'; where no time was spent there is no good pixel.
        """
        sigma = self._sky_sigma(rows, columns) if self.error_plane is None else None
        data = self.science_plane.read(rows, columns) * self.njy_per_unit
        if self.error_plane is None:
            data[self._uncovered(data)] = np.nan
            error = np.full(data.shape, sigma)
        else:
            plane = self.error_plane.read(rows, columns)
            with np.errstate(divide="ignore", invalid="ignore"):
                error = plane if self.error_kind == "err" else 1.0 / np.sqrt(plane)
                error = error * self.njy_per_unit
            if self.exposure_plane is not None:
                error = np.sqrt(error**2 + photon_variance(data, self._electrons_per_njy(rows, columns)))
        bad = ~(np.isfinite(data) & np.isfinite(error) & (error > 0))
        data[bad] = np.nan
        error[bad] = np.nan
        return data, error

    def _uncovered(self, data: np.ndarray) -> np.ndarray:
        """Pixels that no exposure covers, which mosaics without a map mark by exact zeros."""
        zero = data == 0.0
        if self.header.get("BITPIX", -32) < 0 or {"BSCALE", "BZERO"} & {*self.header}:
            return zero
        from scipy.ndimage import (
            binary_opening,  # counts may be zero: single pixels of whole numbers are measured
        )

        return binary_opening(zero, np.ones((5, 5), dtype=bool))

    def _electrons_per_njy(self, rows: slice, columns: slice) -> np.ndarray:
        plane = self.exposure_plane
        factor = binning(self.shape, plane.shape, plane.path)
        row, column = (
            np.minimum(np.arange(part.start, part.stop) // factor, size - 1)
            for part, size in zip((rows, columns), plane.shape, strict=True)
        )
        seconds = plane.read(slice(row[0], row[-1] + 1), slice(column[0], column[-1] + 1))
        electrons = electrons_per_njy_s(self.header, self.name, self._where)
        return electrons * np.maximum(seconds[np.ix_(row - row[0], column - column[0])], 0.0)

    def _sky_sigma(self, rows: slice, columns: slice) -> float:
        around = [
            slice(max(0, part.start - _SKY_MARGIN_PX), min(size, part.stop + _SKY_MARGIN_PX))
            for part, size in zip((rows, columns), self.shape, strict=True)
        ]
        values = self.science_plane.read(*around)
        return sky_statistics(values[~self._uncovered(values)])[1] * self.njy_per_unit

    @property
    def largest_radius_arcsec(self) -> float:
        """Radius of the largest PSF that the mosaic can hold [arcsec], 2 at most."""
        return min(2.0, (min(self.shape) - 1) // 2 * self.pixel_scale_arcsec)

    def has_light(self) -> bool:
        """Whether any pixel of the science image is a number other than zero; as few rows are read as tell."""
        n_y, n_x = self.shape
        for row in range(0, n_y, _STRIP_PX):
            strip = self.science_plane.read(slice(row, row + _STRIP_PX), slice(0, n_x))
            if np.any(np.isfinite(strip) & (strip != 0.0)):
                return True
        return False

    def contains(self, ra: float, dec: float) -> bool:
        """Whether a position [deg] falls on a pixel of the mosaic."""
        x, y = self.wcs.all_world2pix(ra, dec, 0)
        return bool(-0.5 <= x < self.shape[1] - 0.5 and -0.5 <= y < self.shape[0] - 0.5)

    def covers(self, ra: float, dec: float) -> bool:
        """Whether there is any data within a few pixels of a position [deg]; the error map is not asked."""
        if not self.contains(ra, dec):
            return False
        x, y = (int(np.rint(value)) for value in self.wcs.all_world2pix(ra, dec, 0))
        rows, columns = (slice(max(0, middle - _NEAR_PX), middle + _NEAR_PX + 1) for middle in (y, x))
        values = self.science_plane.read(rows, columns)
        return bool((np.isfinite(values) & (values != 0.0)).any())

    def cutout(self, ra: float, dec: float, size_arcsec: float) -> Cutout:
        """Square cutout around a position.

        Parameters
        ----------
        ra, dec : float
            Centre [deg]; it falls on the middle pixel.
        size_arcsec : float
            Side, rounded up to an odd number of pixels.

        Raises
        ------
        InputError
            If no pixel of the mosaic is inside.
        """
        x, y = self.wcs.all_world2pix(ra, dec, 0)
        if not (np.isfinite(x) and np.isfinite(y)):
            raise InputError(
                self._where, f"position ra={ra}, dec={dec}", "a position that this WCS can project"
            )
        half = int(np.ceil((size_arcsec / self.pixel_scale_arcsec - 1.0) / 2.0 - 1e-9))
        return self.cutout_pixels(int(np.rint(x)), int(np.rint(y)), half)

    def cutout_pixels(self, x: int, y: int, half_size: int) -> Cutout:
        """Cutout of ``2 half_size + 1`` pixels a side around pixel (x, y); NaN outside the mosaic.

        Raises
        ------
        InputError
            If no pixel of the mosaic is inside.
        """
        size = 2 * half_size + 1
        x0, y0 = x - half_size, y - half_size
        rows = slice(max(0, y0), min(self.shape[0], y0 + size))
        columns = slice(max(0, x0), min(self.shape[1], x0 + size))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            raise InputError(
                self._where,
                f"a cutout around pixel x={x}, y={y} of an image of {self.shape[1]} x {self.shape[0]} pixels",
                "a position that the image covers",
            )
        data = np.full((size, size), np.nan)
        error = np.full((size, size), np.nan)
        inside = np.s_[rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0]
        data[inside], error[inside] = self.read(rows, columns)
        wcs = self.wcs.deepcopy()
        wcs.wcs.crpix = self.wcs.wcs.crpix - [x0, y0]
        wcs.pixel_shape = (size, size)
        return Cutout(data, error, wcs, x0, y0, self.pixel_scale_arcsec, self.name)

    @property
    def _where(self) -> str:
        return f"{self.path} ({self.name})" if self.name else self.path


def open_mosaic(
    sci: str | os.PathLike,
    err: str | os.PathLike | None = None,
    wht: str | os.PathLike | None = None,
    exp: str | os.PathLike | None = None,
    unit: str | None = None,
    pixel_scale: float | None = None,
    name: str = "",
    reference: tuple[float, float] | None = None,
    forward: bool = False,
) -> Mosaic:
    """Open a science image and its error or weight map.

    Parameters
    ----------
    sci : path-like
        FITS file (plain, gzipped or tile-compressed): the 2-D extension SCI, else the first 2-D image.
    err, wht : path-like, optional
        Standard deviations (extension ERR or first 2-D image), in the unit of `sci`; or inverse
        variances (extension WHT). Not both. They may name the same file as `sci`.
    exp : path-like, optional
        Exposure time [s], on the pixels of `sci` or on larger ones, such as grizli's: the sources' photon noise, which
        `wht` must not contain, is added (`clumpscope.images.photons`).
    unit : str, optional
        Unit of the pixel values, such as ``10 nJy`` or ``MJy/sr``; else BUNIT or PHOTFNU of the header.
    pixel_scale : float, optional
        Pixel side [arcsec], for an image without a WCS; with a WCS, it is checked against it.
    name : str
        Filter name, for messages.
    reference : (float, float), optional
        RA and Dec [deg] of the centre of an image that has no WCS (default 180, 0: then positions
        mean offsets only). Images of one field that share it are taken as aligned on their centres.
    forward : bool
        Whether rectangles will be asked for from the first row to the last: compressed files are then read as
        streams, instead of whole.

    Returns
    -------
    Mosaic

    Raises
    ------
    InputError
        If a file is missing or not an image, shapes differ, there is no unit, no WCS and no
        `pixel_scale`, the pixels are not square, or `pixel_scale` contradicts the WCS.
    """
    if err is not None and wht is not None:
        raise InputError(f"{sci} ({name})", "both an error and a weight map", "one of them")
    if exp is not None and wht is None:
        raise InputError(f"{sci} ({name})", "an exposure map without a weight map", "`wht` beside `exp`")
    science, header = _find_plane(sci, "SCI", forward=forward)
    wcs, scale = celestial(header, science.shape, pixel_scale, reference or _REFERENCE, str(sci))
    kind = "err" if err is not None else "wht" if wht is not None else "none"
    plane = None
    if kind != "none":
        path = err if err is not None else wht
        plane, _ = _find_plane(path, kind.upper(), other_than=science, forward=forward)
        if plane.shape != science.shape:
            raise InputError(
                str(path), f"{kind} of {plane.shape[1]} x {plane.shape[0]} pixels",
                f"{science.shape[1]} x {science.shape[0]}, as {sci}",
            )  # fmt: skip
    factor = njy_per_unit(unit, header, scale**2 * _SR_PER_ARCSEC2, str(sci))
    exposure = None
    if exp is not None:
        exposure, _ = _find_plane(exp, "EXP", other_than=science, forward=forward)
        binning(science.shape, exposure.shape, str(exp))
        electrons_per_njy_s(header, name, str(sci))
    return Mosaic(
        name, science.shape, wcs, scale, factor, kind, str(sci), dict(header), science, plane, exposure
    )


def _find_plane(
    path: str | os.PathLike, extension: str, other_than: _Plane | None = None, forward: bool = False
):
    """Find the named 2-D extension, else the first 2-D image that is not `other_than`; also its header."""
    path = Path(path)
    if not path.exists():
        raise InputError(str(path), "no such file", "a FITS image", "Correct the path in the configuration.")
    # A gzipped file is read whole once: seeking in it would decompress it for every rectangle.
    whole = path.suffix.lower() in PACKED_ENDINGS
    if whole and forward:
        taken = (other_than.path, other_than.hdu) if other_than is not None else None
        index, header, primary = find_packed_plane(path, extension, taken)
        _inherit(header, primary)
        return ForwardPlane(path, index, header, (header["NAXIS2"], header["NAXIS1"])), header
    try:
        with fits.open(path, memmap=False if whole else None) as hdus:
            images = [
                index
                for index, hdu in enumerate(hdus)
                if hdu.is_image and len(hdu.shape) == 2 and not _same(path, index, other_than)
            ]
            named = [index for index in images if hdus[index].name == extension]
            if not images:
                raise InputError(str(path), no_image(hdus) if other_than is None else "no further 2-D image",
                                 f"a FITS image, or an extension {extension}")  # fmt: skip
            index = (named or images)[0]
            header = hdus[index].header.copy()
            _inherit(header, hdus[0].header)
            array = np.array(hdus[index].data) if whole else None
            hdus[index].section[-1:, -1:]  # fails where the file ends too early
            return _Plane(str(path), index, tuple(hdus[index].shape), array), header
    except (OSError, EOFError, TypeError) as error:
        raise InputError(
            str(path), f"a file that cannot be read ({error})", "a whole FITS image", "Download or copy it again."
        ) from error  # fmt: skip


def _inherit(header: fits.Header, primary: fits.Header) -> None:
    for card in _INHERITED:
        if card not in header and card in primary:
            header[card] = primary[card]


def _same(path: Path, index: int, plane: _Plane | None) -> bool:
    return plane is not None and plane.hdu == index and Path(plane.path).samefile(path)


def celestial(header, shape, pixel_scale, reference, where) -> tuple[WCS, float]:
    """Celestial WCS and pixel scale [arcsec], made from `pixel_scale` when the header has none."""
    try:
        wcs = WCS(header, naxis=2)
        wcs.wcs.set()
        celestial = wcs.has_celestial
    except ValueError as error:  # wcslib's own errors among them
        raise InputError(
            where, f"a WCS that cannot be used ({' '.join(str(error).split())})", "CTYPE, CRVAL, CRPIX and CD of both axes",
            "Copy the header of the mosaic anew.",
        ) from error  # fmt: skip
    if not celestial:
        if pixel_scale is None:
            raise InputError(
                where, "no celestial WCS", "CTYPE, CRVAL, CRPIX and CD in the header",
                "Or give `pixel_scale` [arcsec] (and the centre as `reference: [ra, dec]`) in the config.",
            )  # fmt: skip
        if not 0 < pixel_scale < np.inf:
            raise InputError(where, f"pixel_scale {pixel_scale}", "a positive number [arcsec]")
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval = reference
        wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
        wcs.wcs.cdelt = [-pixel_scale / _ARCSEC_PER_DEG, pixel_scale / _ARCSEC_PER_DEG]
        return wcs, float(pixel_scale)
    if (wcs.wcs.lng, wcs.wcs.lngtyp) != (0, "RA"):
        raise InputError(where, f"a WCS of {', '.join(wcs.wcs.ctype)}", "right ascension, then declination")
    if wcs.wcs.radesys.strip().upper().startswith("FK4"):
        raise InputError(where, f"places in the frame {wcs.wcs.radesys.strip()} (B1950)", "ICRS, or FK5 of J2000",
                         "Reproject the image: B1950 is half a degree off.")  # fmt: skip
    if wcs.sip is not None:
        raise InputError(where, "a WCS with distortion (SIP)", "a drizzled mosaic without distortion")
    sides = proj_plane_pixel_scales(wcs) * _ARCSEC_PER_DEG
    if not (np.isfinite(sides).all() and (sides > 0.0).all()):
        raise InputError(
            where,
            f"pixels of {sides[0]:g} x {sides[1]:g} arcsec",
            "pixels of some size",
            "Correct CD or CDELT.",
        )
    area = abs(float(np.linalg.det(wcs.pixel_scale_matrix))) * _ARCSEC_PER_DEG**2
    if area < 0.5 * sides[0] * sides[1]:
        raise InputError(
            where, "a WCS whose axes are not at right angles", "square pixels", "Correct the matrix CD."
        )
    scale = float(np.sqrt(sides[0] * sides[1]))
    if abs(sides[0] / sides[1] - 1.0) > 0.01:
        raise InputError(where, f"pixels of {sides[0]:.5g} x {sides[1]:.5g} arcsec", "square pixels")
    if pixel_scale is not None and abs(pixel_scale / scale - 1.0) > 0.01:
        raise InputError(
            where, f"pixel_scale {pixel_scale} in the configuration", f"{scale:.5g} arcsec, as the WCS says",
            "Leave `pixel_scale` out for images with a WCS.",
        )  # fmt: skip
    return wcs, scale


def cut_galaxy(
    mosaics: Mapping[str, Mosaic], galaxy: str, ra: float, dec: float, radius_arcsec: float, filter_ref: str
) -> dict[str, Cutout]:
    """Cut one galaxy, with one arcsecond around it, out of every mosaic that covers it.

    Parameters
    ----------
    mosaics : mapping of str to Mosaic
        By filter.
    galaxy : str
        Identifier, for messages.
    ra, dec : float
        Its centre [deg].
    radius_arcsec : float
        Its radius.
    filter_ref : str
        Its reference filter.

    Returns
    -------
    dict of str to Cutout
        Filters whose mosaic does not reach the galaxy are left out.

    Raises
    ------
    InputError
        If the reference filter's mosaic does not.
    """
    cutouts = {}
    for name, mosaic in mosaics.items():
        try:
            cutouts[name] = mosaic.cutout(ra, dec, 2.0 * (radius_arcsec + MARGIN_ARCSEC))
        except InputError as error:
            if name == filter_ref:
                raise InputError(
                    f"galaxy {galaxy} at ra={ra:.6f}, dec={dec:.6f}", f"no overlap with {error.where}",
                    f"a galaxy that the image of its reference filter {filter_ref} covers",
                    "Correct the position or the image, or put the galaxy on selection.reject.",
                ) from error  # fmt: skip
    return cutouts
