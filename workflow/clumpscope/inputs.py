"""Tables that a user hands in, checked as they are read."""

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table

from .catalogues import read_catalogue
from .errors import InputError
from .filters import get_filter
from .fluxes import table_fluxes
from .tables import read_table, require_finite, require_unique

if TYPE_CHECKING:
    pass

__all__ = [
    "galaxy_photometry",
    "optional_numbers",
    "photometry_filters",
    "photometry_groups",
    "read_edits",
    "read_galaxies",
    "read_photometry",
    "read_stars",
    "require_unit",
]

# Ids name folders and wildcards of the workflow.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
# Radii of galaxies [arcsec] that are possible.
_RADII = (0.05, 60.0)
_BAND = re.compile(r"(?P<filter>[A-Za-z0-9]+)_njy")

# Fluxes and errors in filters, of whatever unit their names say.
_OTHER_FLUX = re.compile(r"(?P<filter>F\d{3}[A-Z]\w*?)(_err)?_(?P<unit>[a-zA-Z]?jy)", re.IGNORECASE)


def _check_ids(table: Table, column: str, where: str) -> None:
    if table[column].dtype.kind not in "USOiu":
        raise InputError(
            f"{where}, column {column!r}", f"values of type {table[column].dtype}", "text or whole numbers"
        )
    table[column] = [str(value) for value in table[column]]
    for row, value in enumerate(table[column]):
        if not _ID.fullmatch(value) or value.lower() in ("nan", "none", "null"):
            raise InputError(
                f"{where}, column {column!r}, row {row + 1}",
                repr(str(value)),
                "letters, digits and any of _ . + -",
            )


def _check_places(table: Table, where: str) -> None:
    """Refuse positions that are not on the sky, or in another unit than degrees."""
    for name, low, high in (("ra", 0.0, 360.0), ("dec", -90.0, 90.0)):
        require_unit(table, name, "deg", where)
        require_finite(table, name, where, low, high)


def require_unit(table: Table, column: str, unit: str, where: str) -> None:
    """Refuse a column that says to be in another unit; one that says nothing passes."""
    found = table[column].unit
    if found is not None and not str(found).lower().startswith(unit):
        raise InputError(
            f"{where}, column {column!r}", f"the unit {str(found)!r}", unit, "Convert the column."
        )


def optional_numbers(table: Table, column: str, where: str) -> np.ndarray:
    """Numbers of a column, NaN where a cell is empty; refuses text and infinite ones."""
    require_finite(table, column, where, optional=True)
    cells = np.ma.asarray(table[column])
    if cells.dtype.kind in "OUS":
        cells = np.ma.masked_where(np.ma.getdata(cells).astype(str) == "", cells)
    return np.ma.filled(cells.astype(float), np.nan)


def _require_rising(table: Table, columns: list[str], rows: np.ndarray, where: str) -> None:
    """Refuse a row of `rows` in which a number is smaller than the one in the column before."""
    values = [optional_numbers(table, name, where) for name in columns]
    for low, high, first, second in zip(values, values[1:], columns, columns[1:], strict=False):
        wrong = np.flatnonzero(rows & (low > high))
        if wrong.size:
            row = wrong[0]
            raise InputError(
                f"{where}, column {second!r}, row {row + 1} (id {table['id'][row]})",
                f"{high[row]:g}, less than {first} = {low[row]:g}",
                " <= ".join(columns),
                "Leave the ends of the interval empty where they are unknown.",
            )


def _check_fluxes(table: Table, flux: str, error: str, filter_name: str, path: str) -> None:
    """Refuse an unknown filter, a flux column alone, and fluxes without a positive error."""
    get_filter(filter_name, f"{path}, column {flux!r}")
    if error not in table.colnames:
        raise InputError(path, f"column {flux!r} alone", f"its error in a column {error!r}")
    values, errors = table_fluxes(table, flux, error, path)
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise InputError(
            f"{path}, column {flux!r}, row {infinite[0] + 1} (id {table['id'][infinite[0]]})",
            f"{values[infinite[0]]:g}", "a finite flux", "Leave it empty where there is no measurement.",
        )  # fmt: skip
    missing = np.flatnonzero(np.isfinite(values) & ~np.isfinite(errors))
    if missing.size:
        raise InputError(
            f"{path}, column {error!r}, row {missing[0] + 1} (id {table['id'][missing[0]]})",
            "no error of a flux",
            "a positive error",
            "Leave the flux empty too where there is no measurement.",
        )


def read_galaxies(path: str, layout: dict[str, Any] | None = None) -> Table:
    """Galaxy catalogue of an imaging field.

    Parameters
    ----------
    path : str
        The table.
    layout : dict, optional
        How a public catalogue is laid out: keywords of `clumpscope.catalogues.read_catalogue`.

    Returns
    -------
    astropy.table.Table
        With `id` as text; ra, dec in degrees.

    Raises
    ------
    InputError
        Missing column, repeated or unusable id, cell that is not a number, error not positive.
    """
    table = read_catalogue(path, **layout)[0] if layout else read_table(path, ["id", "ra", "dec", "z"])
    if len(table) == 0:
        raise InputError(path, "no rows", "at least one galaxy")
    _check_ids(table, "id", path)
    require_unique(table, "id", path)
    _check_places(table, path)
    require_finite(table, "z", path, 0.0, 20.0)
    for name in [name for name in ("z_lo", "z_hi", "mu") if name in table.colnames]:
        optional_numbers(table, name, path)
    if {"z_lo", "z_hi"} <= set(table.colnames):
        from .images.selection import redshift_quality

        secure, _ = redshift_quality(table)
        _require_rising(table, ["z_lo", "z", "z_hi"], ~secure, path)
    if "radius_arcsec" in table.colnames:
        require_unit(table, "radius_arcsec", "arcsec", path)
        require_finite(table, "radius_arcsec", path, *_RADII, optional=True)
    for name in table.colnames:
        if name.startswith("f_"):
            _check_fluxes(table, name, f"e_{name[2:]}", name[2:], path)
        elif name.startswith("e_F") and f"f_{name[2:]}" not in table.colnames:
            raise InputError(path, f"column {name!r} alone", f"the flux it belongs to, in a column {f'f_{name[2:]}'!r}",
                             "Add the flux, or leave the error out.")  # fmt: skip
    return table


def photometry_filters(table: Table) -> list[str]:
    """Filters of a photometry table, those with columns ``<filter>_njy``."""
    return [match["filter"] for match in map(_BAND.fullmatch, table.colnames) if match]


def read_photometry(path: str, redshift: float | None) -> Table:
    """Photometry table of a photometry field.

    Parameters
    ----------
    path : str
        Columns id, ra, dec, <filter>_njy, <filter>_err_njy; optional z, galaxy, mu, mu_lo, mu_hi.
    redshift : float or None
        Redshift of all sources when there is no column z.

    Raises
    ------
    InputError
        As for `read_galaxies`; also an error that is not positive, and no redshift at all.
    """
    table = read_table(path, ["id", "ra", "dec"])
    if len(table) == 0:
        raise InputError(path, "no rows", "at least one source")
    _check_ids(table, "id", path)
    require_unique(table, "id", path)
    _check_places(table, path)
    filters = photometry_filters(table)
    if not filters:
        raise InputError(
            path, f"columns {', '.join(table.colnames)}", "fluxes in columns such as 'F150W_njy'"
        )
    for name in filters:
        _check_fluxes(table, f"{name}_njy", f"{name}_err_njy", name, path)
    for name in table.colnames:
        alike = _OTHER_FLUX.fullmatch(name)
        if alike and not (alike["unit"] == "njy" and alike["filter"] in filters):
            raise InputError(
                f"{path}, column {name!r}", "a flux that would not be read" if alike["unit"] != "njy" else "an error without its flux",
                f"columns {alike['filter']}_njy and {alike['filter']}_err_njy",
                "State another unit of the flux as the unit of the column.",
            )  # fmt: skip
    if "z" in table.colnames:
        require_finite(table, "z", path, 1e-3, 20.0)
    elif redshift is None:
        raise InputError(
            path,
            "no column 'z'",
            "a redshift of every source",
            "Add the column, or the field's key `redshift`.",
        )
    else:
        table["z"] = float(redshift)
    if "galaxy" in table.colnames:
        _check_ids(table, "galaxy", path)
        for name in dict.fromkeys(table["galaxy"]):
            redshifts = np.unique(np.asarray(table["z"], dtype=float)[np.asarray(table["galaxy"]) == name])
            if redshifts.size > 1:
                raise InputError(
                    f"{path}, galaxy {name!r}",
                    f"redshifts {', '.join(map(str, redshifts))}",
                    "one redshift a galaxy",
                )
    if "mu" in table.colnames:
        require_finite(table, "mu", path, np.nextafter(0.0, 1.0))
        interval = [name for name in ("mu_lo", "mu", "mu_hi") if name in table.colnames]
        _require_rising(table, interval, np.ones(len(table), bool), path)
    return table


def _galaxy_names(sources: Table, field: str) -> np.ndarray:
    """Galaxy of every source; without a column `galaxy`, sources of one redshift make one."""
    if "galaxy" in sources.colnames:
        return np.asarray(sources["galaxy"]).astype(str)
    redshifts = np.asarray(sources["z"], dtype=float)
    if np.unique(redshifts).size == 1:
        return np.full(len(sources), field)
    return np.array([f"{field}_z{z:.5f}" for z in redshifts])


def photometry_groups(sources: Table, field: str) -> tuple[Table, dict[str, dict], dict[str, int]]:
    """Group the sources of a photometry field by galaxy; without a column `galaxy`, by redshift.

    Returns
    -------
    galaxies : Table
        id, ra, dec, z, system, selected, reason: one row a galaxy, at its sources' mean position.
    rows : dict
        Galaxy id -> its id and redshift.
    counts : dict
        Galaxy id -> number of sources.
    """
    names = _galaxy_names(sources, field)
    galaxies: list[dict[str, Any]] = []
    for name in dict.fromkeys(str(name) for name in names):
        own = sources[names == name]
        position = {key: float(np.mean(own[key])) for key in ("ra", "dec")}
        z = {"z": float(np.median(own["z"]))}
        galaxies.append({"id": name, **position, **z, "system": name, "selected": True, "reason": ""})
    rows = {row["id"]: {"id": row["id"], "z": row["z"]} for row in galaxies}
    counts = {name: int(np.sum(names == name)) for name in rows}
    return Table(galaxies), rows, counts


def galaxy_photometry(sources: Table, galaxy: str, field: str) -> Table:
    """Sources of one galaxy with the columns of the clump fits: flux_<F>_njy, snr, flags, ..."""
    own = sources[_galaxy_names(sources, field) == galaxy]
    kept = [name for name in ("id", "ra", "dec", "z", "mu", "mu_lo", "mu_hi") if name in own.colnames]
    table = own[kept].copy()
    table["galaxy"] = galaxy
    best = np.zeros(len(own))
    for name in photometry_filters(own):
        flux, error = table_fluxes(own, f"{name}_njy", f"{name}_err_njy", field)
        table[f"flux_{name}_njy"], table[f"flux_{name}_err_njy"] = flux, error
        best = np.fmax(best, flux / error)
    table["snr"] = best
    table["flags"] = np.zeros(len(own), dtype=np.int64)
    return table


def read_edits(path: str, galaxies: Table, radius_arcsec: float = np.nan) -> Table:
    """A person's corrections to the detection, and what is said of galaxies.

    Parameters
    ----------
    path : str
        galaxy, action, ra, dec; of ``move`` also ra_to, dec_to; optional comment, who, when.
    galaxies : Table
        The catalogue: id, ra, dec; optional radius_arcsec.
    radius_arcsec : float
        Radius of galaxies without one; NaN: how far edits of these lie from them is not checked.

    Returns
    -------
    Table
        With all of these columns; what is missing is NaN, or empty.

    Raises
    ------
    InputError
        Unknown galaxy or action, a place that is missing or outside the galaxy's cutout, rows that contradict each other.
    """
    from .images.cutouts import MARGIN_ARCSEC
    from .images.edits import CLUMP_ACTIONS, GALAXY_ACTIONS, merge_edits, places_of

    table = read_table(path, ["galaxy", "action", "ra", "dec"])
    for name in ("ra", "dec", "ra_to", "dec_to"):
        if name not in table.colnames:
            table[name] = np.full(len(table), np.nan)
        require_unit(table, name, "deg", path)
        limits = (0.0, 360.0) if name.startswith("ra") else (-90.0, 90.0)
        require_finite(table, name, path, *limits, optional=True)
        table[name] = optional_numbers(table, name, path)
    for name in ("galaxy", "action", "comment", "who", "when"):
        cells = table[name] if name in table.colnames else [""] * len(table)
        table[name] = np.array(["" if np.ma.is_masked(cell) else str(cell) for cell in cells], dtype=object)
    known = {str(name): row for row, name in enumerate(galaxies["id"])}
    radii = np.full(len(galaxies), radius_arcsec)
    if "radius_arcsec" in galaxies.colnames:
        own = np.ma.filled(np.ma.asarray(galaxies["radius_arcsec"]).astype(float), np.nan)
        radii = np.where(own > 0, own, radii)
    for row, edit in enumerate(table, start=1):
        galaxy, action = edit["galaxy"], edit["action"]
        if galaxy not in known:
            raise InputError(
                f"{path}, column 'galaxy', row {row}", repr(galaxy), "an id of the galaxy catalogue"
            )
        if action not in (*CLUMP_ACTIONS, *GALAXY_ACTIONS):
            raise InputError(
                f"{path}, column 'action', row {row}", repr(action), f"one of {', '.join((*CLUMP_ACTIONS, *GALAXY_ACTIONS))}"
            )  # fmt: skip
        if action not in CLUMP_ACTIONS:
            continue
        where = f"{path}, row {row} ({action} in galaxy {galaxy})"
        if not np.isfinite(places_of(edit)).all():
            needed = "ra, dec, ra_to and dec_to" if action == "move" else "ra and dec"
            raise InputError(where, "no position", needed)
        centre = galaxies[known[galaxy]]
        # A cutout is a square of whatever direction.
        reach = np.sqrt(2.0) * (radii[known[galaxy]] + MARGIN_ARCSEC)
        for ra, dec in places_of(edit):
            east = ((ra - centre["ra"] + 180.0) % 360.0 - 180.0) * np.cos(np.deg2rad(dec))
            away = 3600.0 * np.hypot(east, dec - centre["dec"])
            if away > reach:
                raise InputError(
                    where, f"a position {away:.1f} arcsec from the galaxy", f"one inside its cutout, at most {reach:.1f} arcsec away"
                )  # fmt: skip
    return merge_edits(table, str(path))


def read_stars(path: str) -> Table:
    """Stars for PSFs: ra, dec [deg]."""
    table = read_table(path, ["ra", "dec"])
    _check_places(table, path)
    return table
