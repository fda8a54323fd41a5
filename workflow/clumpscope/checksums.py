"""SHA-256 of files that may be large: each is read once, whoever asks, as long as its size and time of change stay."""

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path

__all__ = ["sha256_of"]

KEPT = Path(".snakemake/checksums")
"""A small file for each one that was read. Only where Snakemake works: other folders are left as they are."""


def sha256_of(path: str | os.PathLike) -> str:
    """SHA-256 of a file, 64 hexadecimal digits.

    Of several jobs that ask for the same file at once one reads it, and the others wait: the kernel frees the lock of a job that dies.
    """
    place, status = os.path.realpath(path), os.stat(path)
    state = f"{status.st_size} {status.st_mtime_ns} "
    try:
        KEPT.mkdir(exist_ok=True)
        kept = (KEPT / hashlib.sha256(place.encode()).hexdigest()[:16]).open("a+")
    except OSError:
        return _read(place)  # no run here, or a disk that is full or may only be read
    with kept:
        with suppress(OSError):  # file systems without locks: some files are read twice
            fcntl.flock(kept, fcntl.LOCK_EX)
        kept.seek(0)
        known = kept.read()
        if known.startswith(state) and len(known) == len(state) + 64:
            return known[-64:]
        digest = _read(place)
        with suppress(OSError):
            kept.truncate(0)
            kept.write(state + digest)
            kept.flush()
    return digest


def _read(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
