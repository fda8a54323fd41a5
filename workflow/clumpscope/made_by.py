"""Which state of this package's code wrote a product, and from which seed."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .files import replacing

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

__all__ = ["code_digest", "drawn_from", "made_by", "write_fits"]

_seed: ContextVar[int | None] = ContextVar("_seed", default=None)


@cache
def code_digest() -> str:
    """SHA-256 of the package's modules: two states of the code that differ have different ones, with or without commits."""
    folder, digest = Path(__file__).resolve().parent, hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Products that are written meanwhile hang on random numbers: their headers say from which seed."""
    before = _seed.set(seed)
    try:
        yield
    finally:
        _seed.reset(before)


def made_by() -> str:
    """Version and code, and the seed of what was drawn from one, in one line for headers."""
    seed = _seed.get()
    return f"clumpscope {__version__}, code {code_digest()[:12]}" + ("" if seed is None else f", seed {seed}")


def write_fits(hdus: "HDUList", path: str | os.PathLike) -> None:
    """Write a product of images, whose first header says what made it (card CREATOR)."""
    hdus[0].header["CREATOR"] = made_by()
    with replacing(path) as temporary:
        hdus.writeto(temporary)
