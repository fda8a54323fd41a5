"""Whether products are still what their jobs wrote: sizes and checksums kept beside Snakemake's own records.

A disk, a copy that broke off or an editor may change a product behind Snakemake's back, which looks at times alone.
"""

import json
import os
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

from .files import replacing

__all__ = ["damaged", "record"]

RECORD = Path(".snakemake/products.json")
"""Product -> size [bytes], time of its last change [ns] and CRC-32."""

_NO_PRODUCTS = {"logs", "benchmarks", "downloads", "unpacked", "progress.txt"}
# Larger ones, such as mosaics, are known by their sizes.
_LARGE_BYTES = 1 << 24
# Snakemake notes the end of a job after its files are written; clocks of file systems are coarse.
_SLACK_S = 2.0


def _products(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NO_PRODUCTS and not name.startswith(".")]
        for name in names:
            path = Path(parent) / name
            if name not in _NO_PRODUCTS and not path.is_symlink():
                yield path


def _checksum(path: Path) -> int:
    if path.stat().st_size > _LARGE_BYTES:
        return 0
    return zlib.crc32(path.read_bytes())


def _recorded() -> dict[str, list[int]]:
    try:
        return json.loads(RECORD.read_text())
    except (OSError, ValueError):
        return {}


def record(folder: str | os.PathLike) -> None:
    """Note sizes and checksums of all products below a folder; those that did not change since are not read again."""
    before, now = _recorded(), {}
    for path in sorted(_products(Path(folder))):
        state = path.stat()
        known = before.get(str(path), [None, None])
        if known[:2] != [state.st_size, state.st_mtime_ns]:
            known = [state.st_size, state.st_mtime_ns, _checksum(path)]
        now[str(path)] = known
    try:
        with replacing(RECORD) as temporary:
            temporary.write_text(json.dumps(now))
    except OSError:
        pass  # a full disk, or one that may only be read, is told by the jobs


def damaged() -> list[Path]:
    """Products that changed since they were recorded, otherwise than by a job of Snakemake's.

    Returns
    -------
    list of Path
        Those that exist; what is missing Snakemake finds itself, but for a file of a product that is a folder: then the folder.
    """
    found: dict[Path, None] = {}
    for name, (size, changed_ns, checksum) in _recorded().items():
        path = Path(name)
        try:
            state = path.stat()
            if state.st_size == size and _checksum(path) == checksum:
                continue
            product = _product_of(path)
            bad = state.st_mtime_ns == changed_ns or state.st_mtime > _made_at(str(product)) + _SLACK_S
        except OSError:
            product = _product_of(path)
            bad = product != path and _made_at(str(product)) < RECORD.stat().st_mtime
        if bad:
            found[product] = None
    return [*found]


def _product_of(path: Path) -> Path:
    """A file itself, or the folder that is a job's output as a whole: Snakemake marks those."""
    return next((folder for folder in path.parents if (folder / ".snakemake_timestamp").exists()), path)


def _made_at(product: str) -> float:
    """When the last job that makes a product ended [s]; minus infinity where Snakemake's record is missing."""
    name, folder = urlsafe_b64encode(product.encode()).decode(), RECORD.parent / "metadata"
    # Names that are too long for a file system are split into folders.
    longest = os.pathconf(folder, "PC_NAME_MAX") - 1 if folder.is_dir() else 254
    parts = [name[start : start + longest] for start in range(0, len(name), longest)]
    try:
        return float(
            json.loads(folder.joinpath(*("@" + part for part in parts[:-1]), parts[-1]).read_text())[
                "endtime"
            ]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return -float("inf")
