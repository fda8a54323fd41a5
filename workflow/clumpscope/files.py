"""Writing files so that a killed job or a full disk never leaves half a product behind; unpacking them."""

import bz2
import gzip
import lzma
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from .errors import InputError

__all__ = ["PACKED_ENDINGS", "replacing", "sweep", "unpack", "url_ending"]

_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
PACKED_ENDINGS = tuple(_OPENERS)
"""How the names of compressed files end, of which no part can be read alone."""


_UNFINISHED = ".writing-"


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it over `path` when the block ends well.

    Parameters
    ----------
    path : path-like
        The product to write. Its folder is made when missing.

    Yields
    ------
    pathlib.Path
        Where to write. It keeps the file name's endings, which many writers look at.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=_UNFINISHED) as folder:
        temporary = Path(folder) / path.name
        yield temporary
        os.replace(temporary, path)


def sweep(folder: str | os.PathLike) -> None:
    """Remove what writers that were killed left in a folder and below, when no writer is at work."""
    for parent, folders, _ in os.walk(folder):
        for name in [name for name in folders if name.startswith(_UNFINISHED)]:
            folders.remove(name)
            shutil.rmtree(Path(parent) / name)


def unpack(source: str | os.PathLike, path: str | os.PathLike) -> None:
    """Decompress a file, piece by piece.

    Parameters
    ----------
    source : path-like
        Ending in .gz, .bz2 or .xz.
    path : path-like
        What to write.

    Raises
    ------
    InputError
        If the file is damaged or cut off.
    """
    opener = _OPENERS[Path(source).suffix.lower()]
    try:
        with opener(source) as packed, replacing(path) as temporary, temporary.open("wb") as whole:
            shutil.copyfileobj(packed, whole, 1 << 20)
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        if getattr(error, "errno", None) is not None:  # such as a full disk
            raise
        raise InputError(
            str(source), f"a damaged file ({error})", "a whole compressed file", "Get it again."
        ) from error


def url_ending(url: str) -> str:
    """Ending of the file that a URL names, such as ``.fits.gz``, as part of a local path.

    Schedulers pass paths through shells, so that an ending with anything but letters and digits is left out.
    """
    ending = "".join(Path(urlsplit(url).path).suffixes[-2:])
    kept = re.search(r"(\.[A-Za-z0-9]+){1,2}\Z", ending)
    return kept[0] if kept else ""
