"""Writing files so that a killed job or a full disk never leaves half a product behind; opening compressed ones."""

import bz2
import fcntl
import gzip
import lzma
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

__all__ = ["PACKED_ENDINGS", "attend", "no_image", "open_packed", "replacing", "sweep", "without_folders"]

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
PACKED_ENDINGS = tuple(_OPENERS)
"""How the names of compressed files end, of which no part can be read alone."""


_UNFINISHED = ".writing-"


def no_image(hdus: Iterable) -> str:
    """What an open FITS file has in place of an image of two dimensions, for messages."""
    shapes = [" x ".join(map(str, reversed(hdu.shape))) for hdu in hdus if hdu.is_image and hdu.shape]
    return f"no 2-D image, but {' and '.join(shapes)} pixels" if shapes else "no 2-D image"


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


def open_packed(path: str | os.PathLike) -> IO[bytes]:
    """Open a file whose name ends in .gz, .bz2 or .xz; what is read of it is decompressed."""
    return _OPENERS[Path(path).suffix.lower()](path)


def sweep(folder: str | os.PathLike) -> None:
    """Remove what writers that were killed left in a folder and below, when no writer is at work."""
    for parent, folders, _ in os.walk(os.fspath(folder)):
        for name in [name for name in folders if name.startswith(_UNFINISHED)]:
            folders.remove(name)
            shutil.rmtree(Path(parent) / name)


def attend(folder: str | os.PathLike) -> tuple[int | None, bool]:
    """Be known to be at work in a folder for as long as the process lives, however it ends.

    Parameters
    ----------
    folder : path-like
        Made when missing.

    Returns
    -------
    presence : int or None
        Descriptor of a file: closing it ends the presence. None where the file system knows no locks, or is read-only.
    alone : bool
        Whether nobody else was at work here.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        presence = os.open(Path(folder) / "attended", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        fcntl.flock(presence, fcntl.LOCK_SH)
    except OSError:
        return None, False
    return presence, alone


def without_folders(text: str) -> str:
    """The text with absolute paths cut to their last part: where a file lies says nothing about what it is."""
    return re.sub(r"(?<![\w.:/])/(?:[^/\s]+/)+", "", text)
