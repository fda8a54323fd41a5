"""Which state of this package's code wrote a product, from which seed, and from what."""

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .files import replacing
from .logs import Job, current_job
from .origin import origin_of

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

__all__ = [
    "ORIGIN_IN_LOG",
    "code_digest",
    "drawn_from",
    "header",
    "headline",
    "made_by",
    "picture_metadata",
    "write_fits",
]

_log = logging.getLogger("clumpscope")

_seed: ContextVar[int | None] = ContextVar("_seed", default=None)
ORIGIN_IN_LOG = "made from"
"""How the line of a job's log begins that tells the whole of what headers have digests of."""

_told: ContextVar[tuple[Job, str] | None] = ContextVar("_told", default=None)


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


def header() -> dict[str, str]:
    """Entries that every product's header has: ``CREATOR`` and, of a job of the workflow, ``MADEFROM`` (see `clumpscope.origin`).

    The job's log says in full what they are digests of.
    """
    creator, job, told = made_by(), current_job(), _told.get()
    if job is None:
        return {"CREATOR": creator}
    if told is None or told[0] is not job:
        origin = origin_of(job)
        settings, inputs = origin.digests
        told = job, f"settings {settings}, inputs {inputs}"
        _told.set(told)
        _log.info("%s %s", ORIGIN_IN_LOG, json.dumps([creator, *origin], default=str))
    return {"CREATOR": creator, "MADEFROM": told[1]}


def headline(mark: str) -> str:
    """The same as a comment, the first line of a text."""
    return f"{mark} {'; '.join(header().values())}\n"


def picture_metadata(ending: str) -> dict[str, str | None]:
    """The same for PNG (``.png``) and PDF (``.pdf``) files, without the dates and versions of others, which would change the bytes."""
    # Pictures that no job of a workflow made, such as those of this project's pages, say nothing.
    made = header() if current_job() else {}
    creator, made_from = made.get("CREATOR"), made.get("MADEFROM")
    if ending == ".pdf":
        return {"CreationDate": None, "Creator": creator, "Keywords": made_from, "Producer": None}
    return {"Software": creator, "Comment": made_from}


def write_fits(hdus: "HDUList", path: str | os.PathLike) -> None:
    """Write a product of images, whose first header says what made it, from what."""
    hdus[0].header.update(header())
    with replacing(path) as temporary:
        hdus.writeto(temporary)
