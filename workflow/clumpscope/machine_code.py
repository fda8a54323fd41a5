"""Loops as machine code, kept on disk until any of the library's loops changes.

numba keeps what it compiled and looks whether the file of a function has changed, but not whether one has whose functions
it calls, which are part of its machine code. Here every file of loops counts: those named ``compiled.py``, and those in
folders named ``compiled``. numba believes its files; here each ends with its checksum, and what a disk damaged is compiled anew.
"""

import hashlib
import io
import pickle
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import caching

__all__ = ["compiled", "load", "loaded"]

_FUNCTIONS: dict[str, Any] = {}
"""Compiled functions by name."""


@cache
def _loops() -> str:
    """SHA-256 of all files of loops."""
    folder, digest = Path(__file__).resolve().parent, hashlib.sha256()
    for path in sorted([*folder.rglob("compiled.py"), *folder.rglob("compiled/*.py")]):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


class _OfLoops:
    def get_source_stamp(self) -> str:
        """What machine code is of."""
        return _loops()


class GivenFolder(_OfLoops, caching.UserProvidedCacheLocator):
    """Machine code in ``NUMBA_CACHE_DIR``."""


class BesideSource(_OfLoops, caching.InTreeCacheLocator):
    """Machine code beside its source."""


class UsersCache(_OfLoops, caching.UserWideCacheLocator):
    """Machine code in the user's cache folder."""


_PLACES = ",".join(
    f"{place.__module__}.{place.__qualname__}" for place in (GivenFolder, BesideSource, UsersCache)
)


class _Checked(caching.IndexDataCacheFile):
    """Machine code of one function, in files that end with their CRC-32: readers of pickles do not look behind their ends."""

    @contextmanager
    def _open_for_write(self, path: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        yield content
        with super()._open_for_write(path) as file:
            file.write(content.getvalue() + _checksum(content.getvalue()))

    def _load_index(self) -> dict:
        return super()._load_index() if _is_whole(self._index_path) else {}

    def _load_data(self, name: str) -> tuple:
        if not _is_whole(self._data_path(name)):
            raise OSError(f"{name} is damaged")  # for numba, as if it were not there
        return super()._load_data(name)


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "little")


def _is_whole(path: str) -> bool:
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        return False
    return content[-4:] == _checksum(content[:-4])


def compiled(fastmath: set[str]) -> Callable[[Callable], Callable]:
    """Compile functions with numba.

    The machine code is kept in ``NUMBA_CACHE_DIR``, beside the source or, in a read-only installation, in the user's cache
    folder. Where none can be written (a container without a home), every process compiles anew: a few seconds.

    Parameters
    ----------
    fastmath : set of str
        LLVM's freedoms with floating-point numbers.
    """
    options = {"nogil": True, "fastmath": fastmath, "error_model": "numpy"}

    def of_function(function: Callable) -> Callable:
        everyone = numba.config.CACHE_LOCATOR_CLASSES  # type: ignore[attr-defined]
        numba.config.CACHE_LOCATOR_CLASSES = _PLACES  # type: ignore[attr-defined]
        try:
            dispatcher = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # numba: "no locator available"
            return numba.njit(**options)(function)
        finally:
            numba.config.CACHE_LOCATOR_CLASSES = everyone  # type: ignore[attr-defined]
        kept = dispatcher._cache
        kept._cache_file = _Checked(
            kept._cache_path, kept._impl.filename_base, kept._impl.locator.get_source_stamp()
        )
        _FUNCTIONS[f"{function.__module__}.{function.__qualname__}"] = dispatcher
        return dispatcher

    return of_function


def loaded() -> bytes:
    """What machine code this process has loaded: names and signatures, for `load`."""
    return pickle.dumps(
        {name: function.signatures for name, function in _FUNCTIONS.items() if function.signatures}
    )


def load(code: bytes) -> None:
    """Load machine code that another process of the same library had: read from the disk here, not by every fork."""
    for name, signatures in pickle.loads(code).items():
        function = _FUNCTIONS[name]
        for signature in signatures:
            if signature not in function.signatures:
                function.compile(signature)
