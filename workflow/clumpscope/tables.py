"""Reading the user's tables strictly, writing ours completely and reproducibly."""

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from astropy.table import MaskedColumn, Table

from .columns import describe_columns
from .errors import InputError
from .files import replacing
from .made_by import header

__all__ = [
    "numbers",
    "read_table",
    "require_columns",
    "require_finite",
    "require_unique",
    "values_by_id",
    "write_table",
]

_ROWS = "clumpscope_rows"
"""Entry of an ECSV's header with the number of rows, by which a file that was cut off is known."""

_ORIGIN = ("CREATOR", "MADEFROM")
"""Entries of the headers of ECSV and FITS that name the program, and what a table is made from."""

_NAMES = {"id": str, "galaxy": str, "system": str}
"""Columns that name something, whose ``001`` or ``1e5`` are no numbers."""

_FORMATS = {
    ".ecsv": "ascii.ecsv",
    ".csv": "ascii.csv",
    **dict.fromkeys((".fits", ".fit"), "fits"),
    **dict.fromkeys((".txt", ".dat", ".cat", ".tbl"), "ascii"),
}


def read_table(path: str | os.PathLike, columns: Iterable[str] = ()) -> Table:
    """Read an ECSV, FITS, CSV or plain ASCII table.

    Parameters
    ----------
    path : path-like
        The ending tells the format.
    columns : iterable of str
        Columns that must be there.

    Raises
    ------
    InputError
        If the file is missing, of unknown format, unreadable, or lacks a column.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(str(path), "no such file", "a table", "Correct the path in the configuration.")
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise InputError(str(path), f"ending {path.suffix!r}", f"one of {', '.join(_FORMATS)}")
    if kind in ("ascii.ecsv", "fits"):
        _parse_headers_in_c()
    try:
        if kind == "ascii.csv":
            # Spreadsheets begin their CSV files with a byte-order mark, which is no part of the first name.
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            table = Table.read(lines, format=kind, comment="#", converters=_NAMES) if lines else Table()
        else:
            table = Table.read(path, format=kind, **({"converters": _NAMES} if kind == "ascii" else {}))
    # A damaged header of an ECSV breaks astropy's reader in as many ways as it has lines.
    except (ValueError, OSError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise InputError(str(path), f"unreadable content ({error})", f"a table in {kind} format") from error
    ours = _check_whole(table, path)
    for name in table.colnames:
        if table[name].dtype.kind == "S":
            table[name] = np.char.decode(np.asarray(table[name]), "utf-8")
        elif ours and isinstance(table[name], MaskedColumn) and table[name].dtype.kind == "U":
            # astropy takes the empty words that it wrote itself for missing ones.
            table[name] = table[name].filled("")
    require_columns(table, columns, str(path))
    return table


@cache
def _parse_headers_in_c() -> None:
    """Have astropy parse the YAML in headers of ECSV and FITS by libyaml, where it is there.

    astropy takes its loader by this name whenever it reads a header, and adds what is its own to it.
    """
    import yaml
    from astropy.io.misc import yaml as of_astropy

    if not yaml.__with_libyaml__:
        return

    class AstropyLoader(yaml.CSafeLoader):
        yaml_constructors = of_astropy.AstropyLoader.yaml_constructors

        def __init__(self, stream: str) -> None:
            # libyaml refuses directives that it does not know, as the first line of an ECSV is one.
            super().__init__(stream[stream.index("\n") :] if stream.startswith("%ECSV") else stream)

    of_astropy.AstropyLoader = AstropyLoader


def _check_whole(table: Table, path: Path) -> bool:
    """Take out what `write_table` put into the header, and refuse one of our own ECSV files that lacks its end; whether it is ours.

    Tables of others do not say how long they are.
    """
    for entry in _ORIGIN:
        table.meta.pop(entry, None)
    rows = table.meta.pop(_ROWS, None) if path.suffix.lower() == ".ecsv" else None
    if rows is None:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        whole = file.read() == b"\n"
    if len(table) != rows or not whole:
        raise InputError(
            str(path),
            f"{len(table)} rows" + ("" if whole else ", the last of them cut off"),
            f"the {rows} rows of its header's {_ROWS}",
            "Delete the file, and the next run makes it anew; if you changed its rows, change the number too.",
        )
    return True


def numbers(table: Table, name: str) -> np.ndarray:
    """(n,) floats of a column; NaN where masked, and everywhere when the column is missing."""
    if name not in table.colnames:
        return np.full(len(table), np.nan)
    return np.ma.asarray(table[name], dtype=float).filled(np.nan)


def values_by_id(paths: Iterable[str | os.PathLike], column: str) -> dict[str, float]:
    """Finite values of one column by id, out of several tables."""
    tables = [read_table(path, ["id", column]) for path in paths]
    rows = ((str(row["id"]), float(row[column])) for table in tables for row in table)
    return {name: value for name, value in rows if np.isfinite(value)}


def require_columns(table: Table, columns: Iterable[str], where: str) -> None:
    """Raise `InputError` naming the first missing column."""
    for name in columns:
        if name not in table.colnames:
            raise InputError(where, f"columns {', '.join(table.colnames)}", f"a column {name!r}")


def require_finite(
    table: Table, column: str, where: str, low: float = -np.inf, high: float = np.inf, optional: bool = False
) -> None:
    """Raise `InputError` naming the first row whose cell is not a number inside [low, high], or empty if `optional`."""
    if np.isinf([low, high]).all():
        expected = "a finite number"
    elif np.isinf(high):
        expected = "a number above 0" if 0.0 < low < 1e-300 else f"a number from {low:g} on"
    else:
        expected = f"a number from {low:g} to {high:g}"
    cells = np.ma.asarray(table[column])
    if cells.ndim > 1:
        raise InputError(f"{where}, column {column!r}", f"{cells.shape[1]} values a row", "one number a row")
    masked = np.ma.getmaskarray(cells)
    for row, cell in enumerate(np.ma.getdata(cells)):
        if optional and (masked[row] or str(cell).strip().lower() in ("", "nan")):
            continue
        try:
            good = not masked[row] and np.isfinite(float(cell)) and low <= float(cell) <= high
        except (TypeError, ValueError):
            good = False
        if not good:
            name = f" (id {table['id'][row]})" if "id" in table.colnames else ""
            found = "an empty cell" if masked[row] else repr(str(cell))
            raise InputError(f"{where}, column {column!r}, row {row + 1}{name}", found, expected)


def require_unique(table: Table, column: str, where: str) -> None:
    """Raise `InputError` naming the first repeated value and its two rows."""
    seen: dict[str, int] = {}
    for row, value in enumerate(table[column]):
        key = str(value)
        if key in seen:
            raise InputError(
                f"{where}, column {column!r}, row {row + 1}",
                f"{key!r}, as in row {seen[key] + 1}",
                "unique values",
            )
        seen[key] = row


def write_table(table: Table, path: str | os.PathLike, fits: bool = False) -> None:
    """Write a product table as ECSV with units and descriptions, the same bytes for the same content.

    Parameters
    ----------
    table : astropy.table.Table
        Its columns get unit, description and UCD from `clumpscope.columns` where known.
    path : path-like
        The product, ending in ``.ecsv`` or ``.fits``.
    fits : bool
        Also write the same table as FITS beside an ECSV, before it: other products are made from the ECSV.
    """
    path = Path(path)
    for target in [path.with_suffix(".fits"), path] if fits else [path]:
        described = describe_columns(table)
        described.meta.update(header())
        if target.suffix == ".fits":
            # FITS has no unit for logarithms; the description says what the logarithm is of.
            for name in described.colnames:
                if str(described[name].unit).startswith("dex("):
                    described[name].unit = None
        else:
            described.meta[_ROWS] = len(described)
        with replacing(target) as temporary:
            described.write(temporary, format=_FORMATS[target.suffix], overwrite=True)
