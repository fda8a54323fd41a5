"""Just-in-time compilation that also works where nothing can be written."""

from collections.abc import Callable

import numba

__all__ = ["compiled"]


def compiled(function: Callable) -> Callable:
    """Compile with numba, keeping the machine code on disk when a place for it can be found.

    The cache is beside the source or, in a read-only installation, in the user's cache folder. Where
    neither can be written (a container without a home), every process compiles anew: a few seconds.
    """
    options = {"nogil": True, "fastmath": {"contract", "reassoc", "nsz", "arcp"}, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba: "no locator available"
        return numba.njit(**options)(function)
