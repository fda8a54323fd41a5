"""A published table of clumps as the catalogue that statistics and figures take."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table

from ..errors import InputError
from ..flags import bit, describe
from ..tables import read_table, require_finite, require_unique
from .catalogue import duplicate_images

__all__ = ["COLUMNS", "REQUIRED", "doubts_of_clump_table", "read_clump_table"]

COLUMNS = {
    "z": "", "mu": "", "log_mass": "Msun", "log_age_mw_yr": "yr", "log_sfr10": "Msun/yr", "a_v": "mag", "log_z_zsun": "",
    "m_v_ab": "mag", "r_eff_pc": "pc", "distance_kpc": "kpc", "host_log_mass": "Msun", "host_log_sfr100": "Msun/yr",
}  # fmt: skip
"""Numbers that a table can bring, and their units; those of logarithms without the dex."""

_POSSIBLE = {
    "log_mass": (-2.0, 14.0), "log_age_mw_yr": (3.0, 10.3), "log_sfr10": (-30.0, 6.0), "a_v": (-5.0, 20.0), "log_z_zsun": (-5.0, 2.0), "m_v_ab": (-35.0, 5.0),
    "mu": (0.0, 1e6), "r_eff_pc": (0.0, 1e5), "distance_kpc": (0.0, 1e3), "host_log_mass": (-2.0, 14.0), "host_log_sfr100": (-30.0, 6.0),
}  # fmt: skip
"""Values that clumps can have, in our units. What lies beyond stands for a missing value (-99, 1e-99, 9999); a column that
mostly does is another quantity, or in another unit."""

_WORDS = ("id", "galaxy", "system", "class", "r_eff_limit", "central")
REQUIRED = ("galaxy", "z", "log_mass")
"""What it cannot do without."""

_POSTERIORS = ("log_mass", "log_age_mw_yr", "log_sfr10", "a_v", "log_z_zsun")
_SIDED = ("m_v_ab", "r_eff_pc", "distance_kpc", "mu")
_TRUE = ("true", "t", "yes", "y", "1", "1.0")


def read_clump_table(path: str, columns: Mapping[str, str | Mapping[str, Any]]) -> tuple[Table, Table, Table]:
    """Read a table and bring it into our columns and units.

    Parameters
    ----------
    path : str
        ECSV, FITS, CSV or plain ASCII.
    columns : mapping
        Our name -> the table's, or a mapping: column; optional unit (else that of the column, else ours), err (both sides),
        err_lo, err_hi. Names: `COLUMNS`, id, galaxy, system, class, r_eff_limit, central. Logarithms are taken of what
        has a unit without dex. What no clump can have (-99) is missing (`doubts_of_clump_table` tells).

    Returns
    -------
    catalogue : Table
        One row a clump, as `clumpscope.population.catalogue.assemble` gives it, with what the table has; surface densities
        of clumps with mass and size. Errors that are not given are zero.
    galaxies : Table
        id, z, system, mu (1: hosts are intrinsic).
    hosts : Table
        Galaxies whose mass is given: id, percentiles of log_mass and log_sfr100.

    Raises
    ------
    InputError
        A column that is needed, or named, and not there; a cell that is not a number; a unit that does not fit; a galaxy with
        several redshifts or masses.
    """
    table, wanted = _opened(path, columns)
    n = len(table)
    words = {
        name: np.array([str(v).strip() for v in table[wanted[name]["column"]]])
        for name in _WORDS
        if name in wanted
    }
    out: dict[str, Any] = {
        "id": words.get("id", np.array([str(k + 1) for k in range(n)])),
        "galaxy": words["galaxy"],
    }
    out["system"] = words.get("system", out["galaxy"])
    require_unique(Table({"id": out["id"]}), "id", path)
    values = {name: _known(table, path, name, wanted[name]) for name in COLUMNS if name in wanted}
    require_finite(table, wanted["z"]["column"], path, 0.0, 20.0)
    values.setdefault("mu", (np.ones(n), np.zeros(n), np.zeros(n)))
    for name in ("z", *_SIDED, "host_log_mass", "host_log_sfr100"):
        if name in values:
            out[name], below, above = values[name]
            if name in _SIDED:
                out |= {f"{name}_err_lo": below, f"{name}_err_hi": above}
    limit = _flags(words.get("r_eff_limit"), n)
    if "r_eff_pc" in values:
        out["r_eff_limit"] = limit
    if "central" in words:
        out["central"] = _flags(words["central"], n)
    if "class" in words:
        out["class"] = words["class"]
    for name in _POSTERIORS:
        if name in values:
            out |= _percentiles(name, *values[name])
    if "r_eff_pc" in values:
        _add_densities(out, values)
    flags = np.zeros(n, dtype=np.int64)
    if "system" in words:
        flags |= np.where(
            duplicate_images(out["galaxy"], out["system"], np.ones(n)), bit("duplicate_image"), 0
        )
    if "r_eff_pc" in values:
        flags |= np.where(limit, bit("unresolved"), 0)
    if "host_log_mass" in values:
        flags |= np.where(np.isfinite(out["host_log_mass"]), 0, bit("no_host"))
    out["flags"] = flags
    out["flag_names"] = [" ".join(describe(mask)) for mask in flags]
    galaxies, hosts = _galaxies(out, values, path)
    return Table(out), galaxies, hosts


def doubts_of_clump_table(
    path: str, columns: Mapping[str, str | Mapping[str, Any]], redshift_bins: Sequence[float]
) -> list[str]:
    """What can be used but is unlikely to be meant: cells that no clump can have, and redshifts beyond all bins.

    Parameters
    ----------
    path, columns
        As in `read_clump_table`.
    redshift_bins : sequence of float
        Edges of the bins of statistics.
    """
    table, wanted = _opened(path, columns)
    doubts = []
    for name in (name for name in _POSSIBLE if name in wanted):
        beyond = np.flatnonzero(_beyond(name, _numbers(table, path, name, wanted[name])[0]))
        if beyond.size:
            low, high = _POSSIBLE[name]
            unit = (
                f" dex({COLUMNS[name]})"
                if _is_logarithm(name) and COLUMNS[name]
                else f" {COLUMNS[name]}".rstrip()
            )
            doubts.append(
                f"{path}, column {wanted[name]['column']!r}: {beyond.size} of {len(table)} cells are taken as missing, the first in row {beyond[0] + 1} "
                f"({table[wanted[name]['column']][beyond[0]]}): {name} lies between {low:g} and {high:g}{unit}"
            )
    redshift = _numbers(table, path, "z", wanted["z"])[0]
    outside = (redshift < redshift_bins[0]) | (redshift >= redshift_bins[-1])
    if outside.all():
        doubts.append(
            f"{path}, column {wanted['z']['column']!r}: all redshifts ({redshift.min():g} to {redshift.max():g}) are outside population.redshift_bins "
            f"({redshift_bins[0]:g} to {redshift_bins[-1]:g}), so that figures by redshift stay empty"
        )
    return doubts


def _beyond(name: str, value: np.ndarray) -> np.ndarray:
    """Where a value is none that a clump can have."""
    if name not in _POSSIBLE:
        return np.zeros(value.shape, dtype=bool)
    low, high = _POSSIBLE[name]
    return (value < low) | (value > high)


def _opened(path: str, columns: Mapping[str, str | Mapping[str, Any]]) -> tuple[Table, dict[str, dict]]:
    """The table, and by our names its columns, which are there."""
    wanted = {
        name: {"column": entry} if isinstance(entry, str) else dict(entry) for name, entry in columns.items()
    }
    for name in REQUIRED:
        if name not in wanted:
            raise InputError(
                "configuration key clumps.columns", f"no {name!r}", f"columns for {', '.join(REQUIRED)}"
            )
    table = read_table(path)
    if not len(table):
        raise InputError(path, "no rows", "at least one clump")
    for name, entry in wanted.items():
        for key in ("column", "err", "err_lo", "err_hi"):
            if key in entry and entry[key] not in table.colnames:
                near = difflib.get_close_matches(entry[key], table.colnames, n=1)
                raise InputError(
                    f"configuration key clumps.columns.{name}", f"{entry[key]!r}, which {path} does not have",
                    f"one of {', '.join(table.colnames)}", f"Did you mean {near[0]!r}?" if near else "",
                )  # fmt: skip
    return table, wanted


def _known(
    table: Table, path: str, name: str, entry: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `_numbers`, without what no clump can have; errors of logarithms that are as wide as their range are none."""
    value, below, above = _numbers(table, path, name, entry)
    if _is_logarithm(name):
        below, above = (np.where(side < np.ptp(_POSSIBLE[name]), side, 0.0) for side in (below, above))
    beyond = _beyond(name, value)
    if beyond.sum() > 0.5 * np.isfinite(value).sum():
        row, (low, high) = np.argmax(beyond), _POSSIBLE[name]
        raise InputError(
            f"{path}, column {entry['column']!r}, row {row + 1}", f"{value[row]:.4g} as {name}", f"a number from {low:g} to {high:g}",
            f"State the column's unit as `unit` beside `column`: {COLUMNS[name] or 'none'} for the number itself, dex for a logarithm.",
        )  # fmt: skip
    return np.where(beyond, np.nan, value), below, above


def _is_logarithm(name: str) -> bool:
    return name.removeprefix("host_").startswith("log_")


def _numbers(
    table: Table, path: str, name: str, entry: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values of one of our columns with their errors below and above, in our unit; NaN where a cell is empty."""
    column, where = entry["column"], f"{path}, column {entry['column']!r}"
    cells = {}
    for key in ("column", "err", "err_lo", "err_hi"):
        if key in entry:
            require_finite(table, entry[key], path, optional=True)
            found = np.ma.asarray(table[entry[key]])
            if found.dtype.kind in "OUS":
                found = np.ma.masked_where(np.char.strip(np.ma.getdata(found).astype(str)) == "", found)
            cells[key] = np.asarray(np.ma.filled(found.astype(float), np.nan))
    value = cells["column"]
    below, above = (
        np.abs(np.nan_to_num(cells.get(side, cells.get("err", np.zeros(len(value))))))
        for side in ("err_lo", "err_hi")
    )
    text = str(entry.get("unit", table[column].unit or "")).strip()
    logarithm = _is_logarithm(name)
    is_log = logarithm and (text == "" or text.startswith("dex"))
    inside = text.removeprefix("dex").strip("() ") if text.startswith("dex") else text
    try:
        factor = 1.0 if not inside else float(u.Unit(inside).to(u.Unit(COLUMNS[name])))
    except (ValueError, TypeError, u.UnitsError) as error:
        expected = f"a unit of {COLUMNS[name] or 'no dimension'}" + (", or dex of it" if logarithm else "")
        raise InputError(
            where, f"the unit {text!r}", expected, "Give it as `unit` beside `column`."
        ) from error
    if is_log:
        return value + np.log10(factor), below, above
    value, below, above = factor * value, factor * below, factor * above
    if not logarithm:
        return value, below, above
    with np.errstate(divide="ignore", invalid="ignore"):
        good = value > 0
        scale = np.where(good, 1.0 / (np.log(10.0) * value), np.nan)
        return (
            np.where(good, np.log10(np.where(good, value, 1.0)), np.nan),
            np.nan_to_num(below * scale),
            np.nan_to_num(above * scale),
        )


def _flags(words: np.ndarray | None, n: int) -> np.ndarray:
    """Truth in whatever words a table has it; false where it has none."""
    return np.zeros(n, dtype=bool) if words is None else np.isin(np.char.lower(words), _TRUE)


def _percentiles(name: str, value: np.ndarray, below: np.ndarray, above: np.ndarray) -> dict[str, np.ndarray]:
    return {f"{name}_p16": value - below, f"{name}_p50": value, f"{name}_p84": value + above}


def _add_densities(out: dict, values: Mapping[str, tuple]) -> None:
    """Surface densities inside the effective radius, M / (2 pi R^2); errors of mass and size in quadrature."""
    radius, r_below, r_above = values["r_eff_pc"]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_area = np.log10(2.0 * np.pi * np.where(radius > 0, radius, np.nan) ** 2)
        # A larger radius makes a lower density.
        sides = [2.0 * np.nan_to_num(side / radius, posinf=0.0) / np.log(10.0) for side in (r_above, r_below)]
    for name, density, shift in (("log_mass", "log_sigma_mass", 0.0), ("log_sfr10", "log_sigma_sfr", 6.0)):
        if name in values:
            value, below, above = values[name]
            errors = np.hypot(below, sides[0]), np.hypot(above, sides[1])
            out |= _percentiles(density, value - log_area + shift, *errors)


def _galaxies(out: Mapping[str, Any], values: Mapping[str, tuple], path: str) -> tuple[Table, Table]:
    """One row a galaxy, and its mass and rate where given; each has one value a galaxy."""
    rows, hosts = [], []
    for name in dict.fromkeys(str(one) for one in out["galaxy"]):
        own = out["galaxy"] == name
        single = {}
        for key in ("z", "host_log_mass", "host_log_sfr100"):
            found = np.unique(out[key][own & np.isfinite(out[key])]) if key in out else np.empty(0)
            if found.size > 1:
                raise InputError(
                    f"{path}, galaxy {name!r}",
                    f"{key} {', '.join(f'{v:g}' for v in found[:4])}",
                    "one value a galaxy",
                )
            single[key] = float(found[0]) if found.size else np.nan
        rows.append({"id": name, "z": single["z"], "system": str(out["system"][own][0]), "mu": 1.0})
        if np.isfinite(single["host_log_mass"]):
            first = int(np.flatnonzero(own & np.isfinite(out["host_log_mass"]))[0])
            host: dict[str, Any] = {"id": name}
            for key, ours in (("host_log_mass", "log_mass"), ("host_log_sfr100", "log_sfr100")):
                below, above = (values[key][k][first] for k in (1, 2)) if key in values else (0.0, 0.0)
                host |= {
                    f"{ours}_p16": single[key] - below,
                    f"{ours}_p50": single[key],
                    f"{ours}_p84": single[key] + above,
                }
            hosts.append(host)
    names = ["id", *(f"{name}_p{p}" for name in ("log_mass", "log_sfr100") for p in (16, 50, 84))]
    kinds = [str, *[float] * 6]
    return Table(rows), Table(hosts) if hosts else Table(names=names, dtype=kinds)
