"""Edits of the pages, written into the table that the configuration names: whole, checked, and what others wrote kept."""

import csv
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from ..errors import InputError
from ..files import replacing
from ..images.edits import CLUMP_ACTIONS
from ..inputs import read_edits
from ..tables import read_table, write_table

__all__ = ["COLUMNS", "measured_again", "read_rows", "save_edits"]

COLUMNS = ("galaxy", "action", "ra", "dec", "ra_to", "dec_to", "comment", "who", "when")
_PLACES = ("ra", "dec", "ra_to", "dec_to")
_LONGEST = 10_000
_SAME_DEG = 2e-8
_FIELD_JOBS = (
    "select", "clumps", "stack", "completeness", "error_model", "catalogue", "population", "truth", "multiple_images", "host_table",
    "inspection",
)  # fmt: skip

Row = dict[str, Any]


def read_rows(path: str | os.PathLike) -> list[Row]:
    """Rows of a table of edits, with all of `COLUMNS`: text, numbers [deg], or None. A file that is not there yet has none."""
    if not Path(path).exists():
        return []
    return [_row({name: row[name] for name in row.colnames}) for row in read_table(path)]


def _row(cells: Mapping[str, Any]) -> Row:
    row: Row = {}
    for name in COLUMNS:
        cell = cells.get(name)
        if cell is None or np.ma.is_masked(cell) or str(cell).strip().lower() in ("", "nan"):
            row[name] = None
        elif name in _PLACES:
            row[name] = float(cell)
        else:
            # One line, so that every reader of tables reads it.
            row[name] = re.sub(r"\s+", " ", str(cell)).strip()[:_LONGEST]
    return row


def _same(row: Row, other: Row) -> bool:
    def alike(name: str) -> bool:
        first, second = row[name], other[name]
        if name in _PLACES and first is not None and second is not None:
            return abs(first - second) < _SAME_DEG
        return first == second

    return all(map(alike, COLUMNS))


def save_edits(
    path: str | os.PathLike,
    galaxies: Table,
    add: Sequence[Mapping[str, Any]],
    drop: Sequence[Mapping[str, Any]],
    radius_arcsec: float = np.nan,
) -> list[Row]:
    """Add rows to a table of edits, and take rows away; what else is in it stays.

    Parameters
    ----------
    path : path-like
        The table, ending in ``.csv`` or ``.ecsv``.
    galaxies : Table
        Galaxies that may be named: id, ra, dec; optional radius_arcsec.
    add, drop : sequence of mappings
        Rows; those that are there already, or are gone, change nothing.
    radius_arcsec : float
        As in `clumpscope.inputs.read_edits`.

    Returns
    -------
    list of dict
        All rows as they are now.

    Raises
    ------
    InputError
        If the rows cannot be used; the table is then as it was.
    """
    path = Path(path)
    rows = read_rows(path)
    for row in map(_row, drop):
        rows = [other for other in rows if not _same(row, other)]
    for row in map(_row, add):
        rows += [] if any(_same(row, other) for other in rows) else [row]
    with replacing(path) as temporary:
        _write(temporary, rows)
        try:
            read_edits(str(temporary), galaxies, radius_arcsec)
        except InputError as error:
            where = error.where.replace(str(temporary), str(path))
            raise InputError(where, error.found, error.expected, error.remedy) from None
    return rows


def _write(path: Path, rows: Sequence[Row]) -> None:
    if path.suffix.lower() == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for row in rows:
                cells = (row[name] for name in COLUMNS)
                writer.writerow("" if c is None else f"{c:.8f}" if isinstance(c, float) else c for c in cells)
    elif path.suffix.lower() == ".ecsv":
        columns = {
            name: np.array([np.nan if row[name] is None else row[name] for row in rows], float)
            if name in _PLACES
            else np.array([row[name] or "" for row in rows], str)
            for name in COLUMNS
        }
        table = Table(columns)
        for name in _PLACES:
            table[name].unit = "deg"
        write_table(table, path)
    else:
        raise InputError(
            str(path),
            f"ending {path.suffix!r}",
            ".csv or .ecsv",
            "Name such a file as the field's key `edits`.",
        )


def measured_again(
    results: str | os.PathLike, field: str, rows: Iterable[Mapping[str, Any]]
) -> tuple[list[str], float]:
    """Galaxies that rows have measured again, and how long that took last time.

    Returns
    -------
    galaxies : list of str
    seconds : float
        Of one core, with what is made of the whole field; 0 where nothing is measured again.
    """
    galaxies = sorted({str(row["galaxy"]) for row in rows if row["action"] in (*CLUMP_ACTIONS, "reject")})
    if not galaxies:
        return [], 0.0
    base = Path(results) / field / "benchmarks"
    files = [path for name in galaxies for path in (base / "galaxies" / name).glob("*.tsv")]
    files += [path for name in galaxies for path in base.glob(f"sed/*/{name}/*.tsv")]
    files += [base / f"{name}.tsv" for name in _FIELD_JOBS]
    files += [*base.glob("sed_table_*.tsv"), *base.glob("sed_sheets_*.tsv"), *base.glob("figures/*.tsv")]
    return galaxies, sum(map(_seconds, files))


def _seconds(path: Path) -> float:
    try:
        return float(path.read_text().splitlines()[1].split("\t")[0])
    except (OSError, IndexError, ValueError):
        return 0.0  # a job that has not run yet has no time
