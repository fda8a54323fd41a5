"""Flux densities in nJy, from whatever a user keeps them in: units, masked cells, text."""

import numpy as np
from astropy.table import Table

from .errors import InputError
from .tables import require_columns

__all__ = ["as_njy", "table_fluxes"]


def as_njy(values: object, where: str = "fluxes") -> np.ndarray:
    """Numbers in nJy, as float.

    Parameters
    ----------
    values : array-like
        Numbers in nJy, or a Quantity or column with a unit of flux density. Masked values become NaN.
    where : str
        Names them in error messages.

    Raises
    ------
    InputError
        If the unit is not one of flux density, or a cell is not a number.
    """
    unit = getattr(values, "unit", None)
    cells = np.ma.asarray(values)
    # A column that is empty throughout is read as text.
    if cells.dtype.kind in "OUS" and np.ma.getmaskarray(cells).all():
        return np.full(cells.shape, np.nan)
    try:
        numbers = np.ma.filled(cells.astype(float), np.nan)
    except (TypeError, ValueError):
        row, text = _first_text(cells)
        raise InputError(f"{where}, row {row + 1}", repr(text), "a number, or an empty cell") from None
    if not unit or str(unit) == "nJy":
        return numbers
    from astropy import units  # seldom needed, slow to import

    try:
        return numbers * units.Unit(unit).to(units.nJy)
    except (ValueError, TypeError, units.UnitConversionError):
        raise InputError(where, f"the unit {str(unit)!r}", "nJy, or a unit of flux density") from None


def _first_text(cells: np.ma.MaskedArray) -> tuple[int, str]:
    """Row and content of the first cell that is not a number."""
    for row in np.flatnonzero(~np.ma.getmaskarray(cells)):
        try:
            float(cells.flat[row])
        except (TypeError, ValueError):
            return int(row), str(cells.flat[row])
    return 0, f"values of type {cells.dtype}"


def table_fluxes(table: Table, flux: str, error: str, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes and errors of one filter, checked.

    Parameters
    ----------
    table : astropy.table.Table
        With a column ``id``.
    flux, error : str
        Names of the two columns: in nJy unless they have a unit; empty or NaN where there is no measurement.
    where : str
        Names the table in error messages.

    Returns
    -------
    flux_njy, error_njy : (n,) arrays
        NaN where empty.

    Raises
    ------
    InputError
        If a column is missing, a cell is not a number, or the error of a flux is not positive.
    """
    require_columns(table, [flux, error], where)
    values, errors = (as_njy(table[name], f"{where}, column {name!r}") for name in (flux, error))
    wrong = np.flatnonzero(np.isfinite(values) & (errors <= 0))
    if wrong.size:
        raise InputError(
            f"{where}, column {error!r}, row {wrong[0] + 1} (id {table['id'][wrong[0]]})",
            f"{errors[wrong[0]]:g} nJy",
            "a positive error",
            "Leave flux and error empty where there is no measurement.",
        )
    return values, errors
