"""The text of Lenstool's posterior samples: a line '#name' for every column of bayes.dat, then the numbers."""

from pathlib import Path

import numpy as np

from ...errors import InputError

__all__ = ["read_samples"]


def read_samples(path: Path) -> tuple[list[str], np.ndarray]:
    """Read the columns' names and the (n_samples, n_columns) numbers.

    Raises
    ------
    InputError
        Missing file, or broken lines; a last one that is half written is left out.
    """
    if not path.is_file():
        raise InputError(str(path), "no such file", "posterior samples (bayes.dat)", "Correct the path.")
    columns: list[str] = []
    rows: list[str] = []
    for line in path.read_text(errors="replace").splitlines():
        if not line.startswith("#"):
            rows += [line] if line.strip() else []
        elif not rows:  # chains that were put together repeat the names further down
            columns.append(line.lstrip("#").strip())
    if not rows:
        raise InputError(str(path), "no samples", "rows of numbers below the '#' lines")
    if not columns:
        raise InputError(str(path), "no line '#name'", "one for every column, above the numbers")
    lengths = [len(row.split()) for row in rows]
    if len(rows) > 1 and lengths[-1] < len(columns):
        rows.pop()  # a run that was stopped leaves its last row half written
        lengths.pop()
    for number, length in enumerate(lengths, start=1):
        if length != len(columns):
            raise InputError(
                f"{path}, sample {number}", f"{length} numbers", f"{len(columns)}, one per '#' line"
            )
    try:
        table = np.loadtxt([row.replace("D", "e") for row in rows], ndmin=2)  # D: Fortran's exponent
    except ValueError as error:
        raise InputError(str(path), f"a word that is no number ({error})", "numbers") from None
    if not np.isfinite(table).all():
        sample, column = np.argwhere(~np.isfinite(table))[0]
        raise InputError(
            f"{path}, sample {sample + 1}", f"{columns[column]} {table[sample, column]}", "finite numbers"
        )
    return columns, table
