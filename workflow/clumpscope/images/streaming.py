"""Compressed mosaics, read once from beginning to end: what a run needs of them, without the whole.

gzip knows no places: to read a rectangle means to decompress all that is before it. So one pass takes every rectangle
that will be asked for out of the stream, and writes it where it would be in the unpacked file. The rest stays a hole,
which takes no room on the disk and reads as zeros, without weight.
"""

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, NamedTuple

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from ..errors import InputError
from ..files import open_packed, replacing
from .photons import binning

__all__ = ["ForwardPlane", "Rectangle", "copy_rectangles", "find_packed_plane", "rectangles_around"]

Rectangle = tuple[slice, slice]
"""Rows and columns."""

_RECORD = 2880
_BAND_BYTES = 8 << 20
# Rows before a request that may still be asked for: the sky around a rectangle.
_BACK_ROWS = 256
_DAMAGED = (EOFError, zlib.error, OSError, ValueError, KeyError)


class _Unit(NamedTuple):
    """Header, its bytes, and the size of what follows it in a FITS file."""

    header: fits.Header
    raw: bytes
    size: int

    @property
    def shape(self) -> tuple[int, int] | None:
        """Rows and columns of a plain 2-D image, else None."""
        image = self.header.get("XTENSION", "IMAGE").strip() == "IMAGE" and self.header["NAXIS"] == 2
        return (self.header["NAXIS2"], self.header["NAXIS1"]) if image and self.size else None

    @property
    def padding(self) -> int:
        return -self.size % _RECORD


def _units(stream: IO[bytes]) -> Iterator[_Unit]:
    """Headers of a stream, one after the other; the caller reads what is between them."""
    while record := stream.read(_RECORD):
        raw = record
        while not any(record[at : at + 80].rstrip() == b"END" for at in range(0, len(record), 80)):
            record = stream.read(_RECORD)
            if not record:
                raise EOFError("it ends inside a header")
            raw += record
        header = fits.Header.fromstring(raw.decode("ascii"))
        axes = [header[f"NAXIS{axis}"] for axis in range(1, header["NAXIS"] + 1)]
        values = header.get("GCOUNT", 1) * (header.get("PCOUNT", 0) + int(np.prod(axes))) if axes else 0
        yield _Unit(header, raw, abs(header["BITPIX"]) // 8 * values)


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError(f"{size - len(data)} bytes are missing")
    return data


def _skip(stream: IO[bytes], size: int) -> None:
    for start in range(0, size, _BAND_BYTES):
        _read(stream, min(_BAND_BYTES, size - start))


def _damaged(path: str | os.PathLike, error: Exception) -> InputError:
    return InputError(str(path), f"a damaged file ({error})", "a whole compressed FITS file", "Get it again.")


class ForwardPlane:
    """One 2-D image of a compressed file, whose rows are asked for in rising order.

    Parameters
    ----------
    path : path-like
    hdu : int
    header : fits.Header
    shape : (int, int)

    Notes
    -----
    Rows long before the last request are forgotten: memory holds one band.
    """

    array = None

    def __init__(self, path: str | os.PathLike, hdu: int, header: fits.Header, shape: tuple[int, int]):
        self.path, self.hdu, self.shape = str(path), hdu, shape
        self._scale, self._zero = header.get("BSCALE", 1.0), header.get("BZERO", 0.0)
        self._blank = header.get("BLANK")
        kind = "f" if header["BITPIX"] < 0 else "u" if header["BITPIX"] == 8 else "i"
        self._type = np.dtype(f">{kind}{abs(header['BITPIX']) // 8}")
        self._stream = open_packed(path)
        for index, unit in enumerate(_units(self._stream)):
            if index == hdu:
                break
            _skip(self._stream, unit.size + unit.padding)
        self._first, self._rows = 0, np.empty((0, shape[1]), self._type)

    def read(self, rows: slice, columns: slice) -> np.ndarray:
        """Values of a rectangle as float."""
        if rows.start < self._first:
            raise ValueError(f"row {rows.start} of {self.path} is past: a stream is read forward")
        width = self.shape[1] * self._type.itemsize
        keep, have = max(self._first, rows.start - _BACK_ROWS), self._first + len(self._rows)
        try:
            if keep > have:
                _skip(self._stream, (keep - have) * width)
                self._first, self._rows, have = keep, self._rows[:0], keep
            if rows.stop > have:
                kept = self._rows[keep - self._first :]
                band = np.empty((rows.stop - keep, self.shape[1]), self._type)
                band[: len(kept)] = kept
                for at in range(len(kept), len(band), 64):
                    part = band[at : at + 64]
                    part[...] = np.frombuffer(_read(self._stream, len(part) * width), self._type).reshape(
                        part.shape
                    )
                self._first, self._rows = keep, band
        except _DAMAGED as error:
            raise _damaged(self.path, error) from error
        values = self._rows[rows.start - self._first : rows.stop - self._first, columns]
        found = values.astype(float) * self._scale + self._zero
        if self._blank is not None and self._type.kind != "f":
            found[values == self._blank] = np.nan
        return found


def find_packed_plane(
    path: str | os.PathLike, extension: str, taken: tuple[str, int] | None = None
) -> tuple[int, fits.Header, fits.Header]:
    """Find a 2-D image of a compressed file: the named extension, else the first one.

    Parameters
    ----------
    path : path-like
    extension : str
        Its name. A primary image is taken without a look at what comes after it.
    taken : (str, int), optional
        Path and number of an image that is not meant.

    Returns
    -------
    hdu : int
    header, primary : fits.Header
        Of the image, and of the file.

    Raises
    ------
    InputError
        If the file is damaged, or has no (further) 2-D image.
    """
    first, primary = None, fits.Header()
    try:
        with open_packed(path) as stream:
            for index, unit in enumerate(_units(stream)):
                primary = unit.header if index == 0 else primary
                if unit.shape and (taken is None or taken != (str(path), index)):
                    if index == 0 or unit.header.get("EXTNAME", "").strip().upper() == extension:
                        return index, unit.header, primary
                    first = first or (index, unit.header)
                _skip(stream, unit.size + unit.padding)
    except _DAMAGED as error:
        raise _damaged(path, error) from error
    if first is None:
        raise InputError(str(path), "no 2-D image" if taken is None else "no further 2-D image",
                         f"a FITS image, or an extension {extension}")  # fmt: skip
    return *first, primary


def rectangles_around(
    wcs: WCS, shape: tuple[int, int], ra: Sequence[float], dec: Sequence[float], half_px: Sequence[float]
) -> list[Rectangle]:
    """Squares around positions, as far as they are on an image.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
    shape : (int, int)
        Of the image.
    ra, dec : (n,) sequences of float
        [deg]
    half_px : (n,) sequence of float
        Half a side [pix].
    """
    x, y = wcs.all_world2pix(np.asarray(ra, float), np.asarray(dec, float), 0, quiet=True)
    found = []
    for centre_x, centre_y, half in zip(x, y, np.ceil(half_px), strict=True):
        if not np.isfinite(centre_x + centre_y):
            continue
        rows, columns = (
            slice(max(0, int(centre - half)), min(size, int(centre + half) + 2))
            for centre, size in ((centre_y, shape[0]), (centre_x, shape[1]))
        )
        if rows.start < rows.stop and columns.start < columns.stop:
            found.append((rows, columns))
    return found


def copy_rectangles(
    source: str | os.PathLike,
    path: str | os.PathLike,
    rectangles: Iterable[Rectangle],
    shape: tuple[int, int],
) -> None:
    """Unpack rectangles of a compressed FITS file's images in one pass; everything else is left a hole.

    Parameters
    ----------
    source : path-like
        Ending in .gz, .bz2 or .xz.
    path : path-like
        What to write: the unpacked file, with zeros where no rectangle is.
    rectangles : iterable of (slice, slice)
        Rows and columns of an image of `shape`; of images binned by a whole number, the pixels that hold them.
        Whatever else the file has is copied whole.
    shape : (int, int)

    Raises
    ------
    InputError
        If the file is damaged.
    """
    rectangles = list(rectangles)
    with open_packed(source) as stream, replacing(path) as temporary, temporary.open("wb") as whole:
        try:
            for unit in _units(stream):
                whole.write(unit.raw)
                begin = whole.tell()
                scaled = _scaled(rectangles, shape, unit.shape, source)
                if scaled is None:
                    for start in range(0, unit.size, _BAND_BYTES):
                        whole.write(_read(stream, min(_BAND_BYTES, unit.size - start)))
                else:
                    _copy_plane(stream, whole, unit, scaled)
                _read(stream, unit.padding)
                whole.truncate(begin + unit.size + unit.padding)
                whole.seek(0, os.SEEK_END)
        except _DAMAGED as error:
            if getattr(error, "errno", None) is not None:  # such as a full disk
                raise
            raise _damaged(source, error) from error


def _scaled(rectangles, shape, own, where) -> list[Rectangle] | None:
    """Rectangles on the pixels of an image; None where it is no image, or not on these pixels."""
    if own is None:
        return None
    try:
        by = binning(shape, own, str(where))
    except InputError:
        return None
    return [
        (
            slice(rows.start // by, min(own[0], -(-rows.stop // by))),
            slice(columns.start // by, min(own[1], -(-columns.stop // by))),
        )
        for rows, columns in rectangles
    ]


def _copy_plane(stream: IO[bytes], whole: IO[bytes], unit: _Unit, rectangles: list[Rectangle]) -> None:
    n_rows, n_columns = unit.shape
    item = abs(unit.header["BITPIX"]) // 8
    begin, width = whole.tell(), n_columns * item
    step = max(1, _BAND_BYTES // width)
    for first in range(0, n_rows, step):
        last = min(n_rows, first + step)
        band = memoryview(_read(stream, (last - first) * width))
        for rows, columns in rectangles:
            for row in range(max(first, rows.start), min(last, rows.stop)):
                at = (row - first) * width
                whole.seek(begin + row * width + columns.start * item)
                whole.write(band[at + columns.start * item : at + columns.stop * item])
