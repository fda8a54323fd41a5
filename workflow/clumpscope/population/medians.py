"""Medians of clump properties by redshift and by resolution class (C25 sections 4.4, 5.1, 5.3)."""

from collections.abc import Sequence

import numpy as np
from astropy.table import Table

from ..columns import column_info
from .bins import REDSHIFT_EDGES, Bin, edge_bins
from .sample import has_size
from .statistics import median

__all__ = ["CLASSES", "PROPERTIES", "property_medians", "surface_density_medians", "with_units"]

CLASSES = ("unresolved", "compact", "extended")

PROPERTIES = (
    "log_mass_p50",
    "log_age_mw_yr_p50",
    "log_sfr10_p50",
    "r_eff_pc",
    "a_v_p50",
    "log_z_zsun_p50",
    "log_sigma_mass_p50",
    "log_sigma_sfr_p50",
    "m_v_ab",
    "mu",
)
_NEED_SIZE = ("r_eff_pc", "log_sigma_mass_p50", "log_sigma_sfr_p50")
_NAMES = ["n", "median", "err_lo", "err_hi", "p16", "p84"]
_KINDS = [int, float, float, float, float, float]


def with_units(table: Table, name: str) -> Table:
    """Add the unit of every row's numbers, those of the column of the catalogue that `name` tells."""
    table["unit"] = np.array([getattr(column_info(str(one)), "unit", "") for one in table[name]], dtype="U24")
    return table


def _redshift_groups(clumps: Table, edges: Sequence[float]) -> list[Bin]:
    return [Bin(-np.inf, np.inf, np.ones(len(clumps), dtype=bool)), *edge_bins(clumps["z"], edges)]


def _cells(values: np.ndarray, owner: np.ndarray) -> tuple:
    found = median(values, owner)
    return found.n, found.value, found.err_lo, found.err_hi, found.p16, found.p84


def property_medians(clumps: Table, redshift_edges: Sequence[float] = REDSHIFT_EDGES) -> Table:
    """Medians of every property in every redshift bin, and over all redshifts.

    Parameters
    ----------
    clumps : Table
        Clumps that count. Sizes and densities use those whose size is measured.
    redshift_edges : sequence of float

    Returns
    -------
    Table
        property, z_low, z_high, n, median, err_lo, err_hi (68 % confidence), p16, p84 (of the sample), unit.
    """
    sized, rows, owner = has_size(clumps), [], np.asarray(clumps["galaxy"])
    for name in (name for name in PROPERTIES if name in clumps.colnames):
        values = np.asarray(clumps[name], float)
        for group in _redshift_groups(clumps, redshift_edges):
            chosen = group.rows & sized if name in _NEED_SIZE else group.rows
            rows.append((name, group.low, group.high, *_cells(values[chosen], owner[chosen])))
    table = Table(
        rows=rows or None,
        names=["property", "z_low", "z_high", *_NAMES],
        dtype=["U20", float, float, *_KINDS],
    )
    return with_units(table, "property")


def surface_density_medians(clumps: Table, redshift_edges: Sequence[float] = REDSHIFT_EDGES) -> Table:
    """Medians of the surface densities by resolution class and redshift.

    Parameters
    ----------
    clumps : Table
        Clumps that count.
    redshift_edges : sequence of float

    Returns
    -------
    Table
        quantity, class (or ``resolved``, compact and extended together), z_low, z_high, lower_limit (true for
        unresolved clumps, whose sizes are upper limits), n, median and errors, p16, p84, unit.
    """
    rows, owner = [], np.asarray(clumps["galaxy"])
    kind = (
        np.asarray(clumps["class"], dtype=str) if "class" in clumps.colnames else np.array([""] * len(clumps))
    )
    classes = {name: kind == name for name in CLASSES}
    classes["resolved"] = classes["compact"] | classes["extended"]
    for quantity in ("log_sigma_mass", "log_sigma_sfr"):
        if f"{quantity}_p50" not in clumps.colnames:
            continue
        values = np.asarray(clumps[f"{quantity}_p50"], float)
        for name, members in classes.items():
            for group in _redshift_groups(clumps, redshift_edges):
                limit = name == "unresolved"
                rows.append(
                    (
                        quantity,
                        name,
                        group.low,
                        group.high,
                        limit,
                        *_cells(values[members & group.rows], owner[members & group.rows]),
                    )
                )
    table = Table(
        rows=rows or None,
        names=["quantity", "class", "z_low", "z_high", "lower_limit", *_NAMES],
        dtype=["U16", "U10", float, float, bool, *_KINDS],
    )
    return with_units(table, "quantity")
