"""Which state of this package's code wrote a product."""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .files import replacing

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

__all__ = ["code_digest", "made_by", "write_fits"]


@cache
def code_digest() -> str:
    """SHA-256 of the package's modules: two states of the code that differ have different ones, with or without commits."""
    folder, digest = Path(__file__).resolve().parent, hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def made_by() -> str:
    """Version and code, in one line for headers."""
    return f"clumpscope {__version__}, code {code_digest()[:12]}"


def write_fits(hdus: "HDUList", path: str | os.PathLike) -> None:
    """Write a product of images, whose first header says what made it (card CREATOR)."""
    hdus[0].header["CREATOR"] = made_by()
    with replacing(path) as temporary:
        hdus.writeto(temporary)
