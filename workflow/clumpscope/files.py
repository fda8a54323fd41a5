"""Writing files so that a killed job or a full disk never leaves half a product behind."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing"]


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
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        temporary = Path(folder) / path.name
        yield temporary
        os.replace(temporary, path)
