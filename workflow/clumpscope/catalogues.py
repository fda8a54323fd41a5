"""Public galaxy catalogues in the columns of this project: names, units, redshifts, selection flags.

Each format is one `Layout`; a configuration may change any part of it, or describe a catalogue of its own (`columns`).
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Column, Table

from .errors import InputError
from .filters import resolve_filter
from .tables import read_table

__all__ = ["LAYOUTS", "Layout", "read_catalogue"]


@dataclass(frozen=True)
class Layout:
    """How a catalogue is laid out; names of columns are compared without regard to case.

    Attributes
    ----------
    columns : mapping of str to tuple of str
        Our column -> the names it has there, of which the first that is found is taken: id, ra, dec; z_spec, z_phot,
        z_lo, z_hi (16 and 84 % points of z_phot); system, radius_arcsec.
    flux, error : str
        Columns of fluxes and errors, ``<F>`` standing for the filter; empty for a catalogue without.
    unit : str
        Unit of fluxes whose columns do not state theirs.
    cuts : mapping of str to number or mapping
        Column -> the value, or ``{min, max}``, that rows need to be kept.
    id_prefix : str
        Column whose first letter stands before the id.
    """

    columns: Mapping[str, tuple[str, ...]]
    flux: str = ""
    error: str = ""
    unit: str = ""
    cuts: Mapping[str, Any] = field(default_factory=dict)
    id_prefix: str = ""


_PLACE = {"id": ("id", "number"), "ra": ("ra", "alpha_j2000"), "dec": ("dec", "delta_j2000")}
_EAZY = {"z_spec": ("z_spec", "zspec"), "z_phot": ("z_phot", "z_ml"), "z_lo": ("z160",), "z_hi": ("z840",)}

# Least share of a catalogue's ids in its table of redshifts, and distance [arcsec] of rows of one id beyond which they are of two sources.
_IN_COMMON, _APART_ARCSEC = 0.5, 0.3

LAYOUTS = {
    # UNCOVER and MegaScience, DR3 (Weaver et al. 2024, Suess et al. 2024); the SPS catalogue (Wang et al. 2024) may be its `redshifts`.
    "super": Layout(
        {**_PLACE, "z_spec": ("z_spec",), "z_phot": ("z_50", "z_phot"), "z_lo": ("z_16", "z160"), "z_hi": ("z_84", "z840")},
        "f_<F>", "e_<F>", "10 nJy",
        {"use_phot": 1, "flag_star": 0, "flag_artifact": 0, "flag_nearbcg": 0},
    ),
    # DAWN JWST Archive: fix_phot, with eazypy.zout as `redshifts`; fluxes of 0.5 arcsec apertures scaled to total ones.
    "dja": Layout({**_PLACE, **_EAZY}, "<F>_tot_1", "<F>_etot_1", "uJy"),
    # MUSE redshifts of lensing clusters (Richard et al. 2021); confidence 1 is a guess.
    "muse": Layout(
        {**_PLACE, "id": ("iden", "id"), "z_spec": ("z",), "system": ("mul",)}, cuts={"zconf": {"min": 2}},
        id_prefix="idfrom",
    ),
    "canucs": Layout(
        {**_PLACE, **_EAZY}, "flux_<F>", "fluxerr_<F>", "nJy", {"use_phot": 1, "flag_star": 0},
    ),
    "columns": Layout({}),
}  # fmt: skip
"""Formats by their name in configurations."""


def read_catalogue(
    path: str | os.PathLike, format: str, redshifts: str | os.PathLike | None = None, **changes: Any
) -> tuple[Table, list[str]]:
    """Read a public catalogue into our columns.

    Parameters
    ----------
    path : path-like
        The catalogue.
    format : str
        One of `LAYOUTS`.
    redshifts : path-like, optional
        A second table with the redshifts, of the same ids. Rows that are not in it have the spectroscopic redshift of the catalogue
        or none.
    **changes
        What is otherwise than in the layout: ``columns`` (our name -> theirs), ``flux``, ``error``, ``flux_unit``,
        ``cuts`` (added to the layout's; null takes one away). ``dereddened`` is for whoever uses the fluxes.

    Returns
    -------
    table : Table
        id, ra, dec, z (z_spec, else z_phot), z_lo, z_hi, z_spec, and f_<filter>, e_<filter> in nJy, with NaN where
        there is no measurement.
    told : list of str
        What was taken for what, and how many rows each cut took away.

    Raises
    ------
    InputError
        If a column is missing, a unit is not one of flux or contradicts the configuration, no row is left, or the second table has ids
        twice, less than half of the catalogue's, or at other places.
    """
    base, where = LAYOUTS[format], str(path)
    layout = Layout(
        {**base.columns, **{name: (text,) for name, text in changes.get("columns", {}).items()}},
        changes.get("flux", base.flux), changes.get("error", base.error), base.unit,
        {name: cut for name, cut in {**base.cuts, **changes.get("cuts", {})}.items() if cut is not None},
        base.id_prefix,
    )  # fmt: skip
    raw = read_table(path)
    names = _Names(raw, layout, where, [f"catalogue.columns.{name}" for name in changes.get("columns", {})])
    table, told = Table({"id": _ids(names, layout)}), []
    for name in ("ra", "dec"):
        table[name] = _degrees(names.required(name), where)
    if redshifts is None:
        _add_redshifts(table, names, np.arange(len(table)))
    else:
        beside = _Names(read_table(redshifts), layout, str(redshifts))
        rows = _rows_of(table, beside, layout, where)
        _add_redshifts(table, beside, rows, names)
        if lost := np.sum(rows < 0):
            told.append(f"{redshifts}: no row for {lost} of {len(table)} ids of {where}")
    for name in ("system", "radius_arcsec"):
        column = names.get(name)
        if column is not None:
            table[name] = [_system(text) for text in column] if name == "system" else column
    told += _add_fluxes(table, raw, layout, changes.get("flux_unit"), where)
    keep = np.ones(len(raw), dtype=bool)
    for column, cut in layout.cuts.items():
        good = _passes(names.named(column, f"the cut catalogue.cuts.{column}"), cut)
        told.append(f"{where}: {np.sum(keep & ~good)} rows are left out by {column} ({_said(cut)})")
        keep &= good
    known = np.isfinite(table["z"])
    told.append(f"{where}: {np.sum(keep & ~known)} rows are left out because they have no redshift")
    table = table[keep & known]
    if len(table) == 0:
        raise InputError(where, f"{len(raw)} rows, of which none is left", "galaxies", "; ".join(told))
    told.append(
        f"{where}: {len(table)} of {len(raw)} rows are kept, {np.sum(table['z_spec'] > 0)} with z_spec"
    )
    return table, told


class _Names:
    """The columns of a catalogue by our names."""

    def __init__(self, table: Table, layout: Layout, where: str, changed: Sequence[str] = ()):
        self.table, self.layout, self.where, self.changed = table, layout, where, changed
        self.lower = {name.lower(): name for name in table.colnames}

    def get(self, name: str) -> Column | None:
        found = [text for text in self.layout.columns.get(name, (name,)) if text.lower() in self.lower]
        if not found and f"catalogue.columns.{name}" in self.changed:
            return self.named(self.layout.columns[name][0], f"catalogue.columns.{name}")
        return self.table[self.lower[found[0].lower()]] if found else None

    def required(self, name: str) -> Column:
        column = self.get(name)
        if column is None:
            tried = self.layout.columns.get(name, (name,))
            raise InputError(
                self.where, f"columns {', '.join(self.table.colnames[:40])}", f"a column {' or '.join(map(repr, tried))}",
                f"Name the one that holds {name} in `catalogue.columns`.",
            )  # fmt: skip
        return column

    def named(self, text: str, what: str) -> Column:
        if text.lower() not in self.lower:
            raise InputError(
                self.where, f"no column {text!r}, which {what} names",
                f"one of {', '.join(self.table.colnames[:40])}",
                "Take the cut away with null." if "cuts" in what else "",
            )  # fmt: skip
        return self.table[self.lower[text.lower()]]


def _numbers(column: Column) -> np.ndarray:
    try:
        return np.ma.filled(np.ma.asarray(column).astype(float), np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"column {column.name!r}", f"cells that are no numbers ({error})", "numbers"
        ) from error


def _ids(names: _Names, layout: Layout) -> list[str]:
    ids = [
        str(int(value)) if isinstance(value, np.floating) else str(value) for value in names.required("id")
    ]
    prefix = names.lower.get(layout.id_prefix)
    return [f"{str(p)[:1]}{i}" for p, i in zip(names.table[prefix], ids, strict=True)] if prefix else ids


def _degrees(column: Column, where: str) -> np.ndarray:
    unit = u.deg if column.unit is None else column.unit
    if not unit.is_equivalent(u.deg):
        raise InputError(f"{where}, column {column.name!r}", f"the unit {unit}", "degrees")
    return _numbers(column) * unit.to(u.deg)


def _rows_of(table: Table, beside: _Names, layout: Layout, where: str) -> np.ndarray:
    """Row of each id in a second table; -1 where it is not. Another catalogue's table is refused."""
    ids = _ids(beside, layout)
    place = {name: row for row, name in enumerate(ids)}
    if len(place) < len(ids):
        names, counts = np.unique(ids, return_counts=True)
        raise InputError(
            f"{beside.where}, column 'id'", f"{np.sum(counts > 1)} ids more than once (first: {names[counts > 1][0]})",
            "one row an id", "Give the table that belongs to the catalogue.",
        )  # fmt: skip
    rows = np.array([place.get(str(name), -1) for name in table["id"]])
    found = rows >= 0
    if found.mean() < _IN_COMMON:
        raise InputError(
            beside.where, f"{found.sum()} of the {len(table)} ids of {where}", "most of them",
            "Give the redshifts that belong to the catalogue, of the same release.",
        )  # fmt: skip
    ra, dec = beside.get("ra"), beside.get("dec")
    if ra is not None and dec is not None:
        north = _degrees(dec, beside.where)[rows[found]] - table["dec"][found]
        east = (_degrees(ra, beside.where)[rows[found]] - table["ra"][found] + 180.0) % 360.0 - 180.0
        apart = 3600.0 * np.hypot(east * np.cos(np.deg2rad(table["dec"][found])), north)
        if not (middle := float(np.nanmedian(apart))) < _APART_ARCSEC:
            raise InputError(
                beside.where, f"rows that lie {middle:.3g} arcsec (median) from those with the same ids in {where}", "the same places",
                "Ids differ from release to release: give the table of the same one.",
            )  # fmt: skip
    return rows


def _add_redshifts(table: Table, names: _Names, rows: np.ndarray, photometry: _Names | None = None) -> None:
    """Add z, z_lo, z_hi and z_spec: the spectroscopic redshift, else the photometric one with its 68 % interval.

    Spectroscopic ones that a second table does not have are those of the photometric catalogue.
    """
    missing, values = np.full(len(table), np.nan), {}
    for name in ("z_spec", "z_phot", "z_lo", "z_hi"):
        column = names.get(name)
        values[name] = missing if column is None else np.append(_numbers(column), np.nan)[rows]
        values[name] = np.where(values[name] > 0, values[name], np.nan)  # -1, -99, 0: none
    if np.isnan(values["z_spec"]).all() and np.isnan(values["z_phot"]).all():
        names.required("z_spec" if names.get("z_phot") is None else "z_phot")
    also = None if photometry is None else photometry.get("z_spec")
    if also is not None:
        given = _numbers(also)
        values["z_spec"] = np.where(np.isnan(values["z_spec"]) & (given > 0), given, values["z_spec"])
    secure = np.isfinite(values["z_spec"])
    table["z"] = np.where(secure, values["z_spec"], values["z_phot"])
    for name in ("z_lo", "z_hi"):
        table[name] = np.where(secure, np.nan, values[name])
    table["z_spec"] = values["z_spec"]


def _system(text: object) -> str:
    """The system of a multiple image: 12 of 12.3."""
    text = str(text).strip()
    return "" if text.lower() in ("", "--", "none", "nan", "-") else text.partition(".")[0]


def _add_fluxes(table: Table, raw: Table, layout: Layout, unit: str | None, where: str) -> list[str]:
    if not layout.flux:
        return []
    pattern, told = re.compile(re.escape(layout.flux).replace("<F>", "(.+)"), re.IGNORECASE), []
    lower = {name.lower(): name for name in raw.colnames}
    for name in raw.colnames:
        match = pattern.fullmatch(name)
        error = lower.get(layout.error.lower().replace("<f>", match[1].lower())) if match else None
        if error is None or error == name:
            continue
        try:
            band, how = resolve_filter(match[1], f"{where}, column {name!r}")
        except InputError as problem:
            told.append(f"{problem} The column is left out.")
            continue
        if f"f_{band}" in table.colnames:
            raise InputError(f"{where}, column {name!r}", f"a second column of {band}", "one column a filter")
        factors = [_njy(raw[key], unit, layout.unit, f"{where}, column {key!r}") for key in (name, error)]
        flux, sigma = (_numbers(raw[key]) * by for key, by in zip((name, error), factors, strict=True))
        good = np.isfinite(flux) & (sigma > 0)
        table[f"f_{band}"], table[f"e_{band}"] = np.where(good, flux, np.nan), np.where(good, sigma, np.nan)
        told.append(
            f"{where}: {name} is taken as {band} ({how.rsplit(' (', 1)[-1]}, in units of {factors[0]:g} nJy"
        )
    if not any(name.startswith("f_") for name in table.colnames):
        raise InputError(
            where, f"columns {', '.join(raw.colnames[:40])}", f"fluxes {layout.flux} with errors {layout.error}",
            "Name them in `catalogue.flux` and `catalogue.error`, or set `flux` to '' for none.",
        )  # fmt: skip
    return told


def _njy(column: Column, stated: str | None, usual: str, where: str) -> float:
    """Factor from a column's unit to nJy: what the column says, else the configuration, else the format."""
    said = str(column.unit) if column.unit else ""
    if not (said or stated or usual):
        raise InputError(where, "no unit", "a unit of flux", "State `catalogue.flux_unit`, such as '10 nJy'.")
    factors = []
    for text in filter(None, (said, stated)) if said or stated else (usual,):
        try:
            factors.append(float(u.Unit(text).to(u.nJy)))
        except (ValueError, TypeError, u.UnitConversionError) as error:
            raise InputError(
                where, f"the unit {text!r}", "a unit of flux density, such as '10 nJy' or 'uJy'"
            ) from error
    if not np.allclose(factors, factors[0]):
        raise InputError(where, f"the unit {said!r}", f"{stated!r}, as `catalogue.flux_unit` says")
    return factors[0]


def _passes(column: Column, cut: Any) -> np.ndarray:
    values = _numbers(column)
    if not isinstance(cut, Mapping):
        return values == float(cut)
    return (values >= cut.get("min", -np.inf)) & (values <= cut.get("max", np.inf))


def _said(cut: Any) -> str:
    if not isinstance(cut, Mapping):
        return f"kept: {cut:g}"
    return "kept: " + " and ".join(
        f"{'>=' if key == 'min' else '<='} {value:g}" for key, value in cut.items()
    )
