"""What a user hands in, checked before anything is computed."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table

from .catalogues import read_catalogue
from .config import IMAGE_MAPS
from .errors import InputError
from .files import PACKED_ENDINGS
from .filters import get_filter
from .fluxes import table_fluxes
from .tables import read_table, require_finite, require_unique

if TYPE_CHECKING:
    from .images.mosaic import Mosaic

__all__ = [
    "check_field",
    "check_samples",
    "galaxy_photometry",
    "photometry_filters",
    "photometry_groups",
    "read_edits",
    "read_galaxies",
    "read_photometry",
    "read_stars",
]

# Ids name folders and wildcards of the workflow.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
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
        _check_unit(table, name, "deg", where)
        require_finite(table, name, where, low, high)


def _check_unit(table: Table, column: str, unit: str, where: str) -> None:
    found = table[column].unit
    if found is not None and not str(found).lower().startswith(unit):
        raise InputError(
            f"{where}, column {column!r}", f"the unit {str(found)!r}", unit, "Convert the column."
        )


def _optional_numbers(table: Table, column: str, where: str) -> np.ndarray:
    """Numbers of a column, NaN where a cell is empty; refuses text and infinite ones."""
    require_finite(table, column, where, optional=True)
    cells = np.ma.asarray(table[column])
    if cells.dtype.kind in "OUS":
        cells = np.ma.masked_where(np.ma.getdata(cells).astype(str) == "", cells)
    return np.ma.filled(cells.astype(float), np.nan)


def _require_rising(table: Table, columns: list[str], rows: np.ndarray, where: str) -> None:
    """Refuse a row of `rows` in which a number is smaller than the one in the column before."""
    values = [_optional_numbers(table, name, where) for name in columns]
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
        _optional_numbers(table, name, path)
    if {"z_lo", "z_hi"} <= set(table.colnames):
        from .images.selection import redshift_quality

        secure, _ = redshift_quality(table)
        _require_rising(table, ["z_lo", "z", "z_hi"], ~secure, path)
    if "radius_arcsec" in table.colnames:
        _check_unit(table, "radius_arcsec", "arcsec", path)
        require_finite(table, "radius_arcsec", path, 0.0, optional=True)
    for name in table.colnames:
        if name.startswith("f_"):
            _check_fluxes(table, name, f"e_{name[2:]}", name[2:], path)
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
    galaxies = []
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


def read_edits(path: str, galaxies: Table) -> Table:
    """A person's corrections to the detection: galaxy, action (add or remove), ra, dec."""
    table = read_table(path, ["galaxy", "action", "ra", "dec"])
    known = set(galaxies["id"])
    table["galaxy"] = [str(value) for value in table["galaxy"]]
    for row, (galaxy, action) in enumerate(zip(table["galaxy"], table["action"], strict=True)):
        if galaxy not in known:
            raise InputError(
                f"{path}, column 'galaxy', row {row + 1}", repr(galaxy), "an id of the galaxy catalogue"
            )
        if action not in ("add", "remove"):
            raise InputError(
                f"{path}, column 'action', row {row + 1}", repr(str(action)), "'add' or 'remove'"
            )
    _check_places(table, path)
    return table


def read_stars(path: str) -> Table:
    """Stars for PSFs: ra, dec [deg]."""
    table = read_table(path, ["ra", "dec"])
    _check_places(table, path)
    return table


def _require_file(path: str, key: str) -> None:
    if not Path(path).is_file():
        raise InputError(f"configuration key {key}", f"the path {path!r}, where no file is", "an existing file",
                         "Paths are relative to the folder in which snakemake runs.")  # fmt: skip


def _covers(mosaic: "Mosaic", table: Table) -> bool:
    """Whether any row's position falls on the mosaic."""
    x, y = mosaic.wcs.all_world2pix(table["ra"], table["dec"], 0, quiet=True)
    n_y, n_x = mosaic.shape
    return bool(np.any((x > -0.5) & (x < n_x - 0.5) & (y > -0.5) & (y < n_y - 0.5)))


def _check_lens(key: str, lens: dict[str, Any]) -> None:
    maps = ("kappa", "gamma1", "gamma2", "deflection_x", "deflection_y", "magnification")
    for entry in ("model", "samples", "relations", *maps):
        if isinstance(lens.get(entry), str):
            _require_file(lens[entry], f"{key}.{entry}")
    samples = lens.get("samples")
    for number, sample in enumerate(samples if isinstance(samples, list) else (), start=1):
        for entry in maps:
            if entry in sample:
                _require_file(sample[entry], f"{key}.samples, entry {number}, {entry}")


def check_samples(tables: dict[str, str]) -> None:
    """Check comparison samples, `figures.tables` of the configuration: label -> path.

    Raises
    ------
    InputError
        The first file, column or cell that cannot be used.
    """
    for label, path in tables.items():
        _require_file(path, f"figures.tables.{label}")
        table = read_table(path, ["r_eff_pc", "m_v_ab"])
        require_finite(table, "r_eff_pc", path, low=0.0, optional=True)
        require_finite(table, "m_v_ab", path, optional=True)


def check_field(name: str, field: dict[str, Any]) -> None:
    """Check every input of one field: files, headers, columns, cells, and that they fit each other.

    Parameters
    ----------
    name : str
        Name of the field, for messages.
    field : dict
        Its configuration, with local paths.

    Raises
    ------
    InputError
        The first thing that cannot be used.
    """
    from .images.mosaic import open_mosaic  # astropy's WCS only where images are
    from .images.psf_files import read_given

    key = f"fields.{name}"
    lenses = field.get("lens", {})
    if isinstance(lenses, dict):
        _check_lens(f"{key}.lens", lenses)
    else:
        for number, lens in enumerate(lenses, start=1):
            _check_lens(f"{key}.lens, model {number}", lens)
    if "photometry" in field:
        _require_file(field["photometry"], f"{key}.photometry")
        read_photometry(field["photometry"], field.get("redshift"))
        return
    for entry in ("galaxies", "stars", "edits", "segmentation"):
        if entry in field:
            _require_file(field[entry], f"{key}.{entry}")
    if "redshifts" in field.get("catalogue", {}):
        _require_file(field["catalogue"]["redshifts"], f"{key}.catalogue.redshifts")
    galaxies = read_galaxies(field["galaxies"], field.get("catalogue"))
    if "edits" in field:
        read_edits(field["edits"], galaxies)
    if "segmentation" in field:
        for row, value in enumerate(galaxies["id"]):
            if not str(value).isdecimal():
                raise InputError(
                    f"{field['galaxies']}, column 'id', row {row + 1}", repr(str(value)),
                    f"a number, the galaxy's value in {field['segmentation']}",
                )  # fmt: skip
    stars = read_stars(field["stars"]) if "stars" in field else None
    for band, image in field["images"].items():
        for entry in (*IMAGE_MAPS, "psf"):
            if entry in image:
                _require_file(image[entry], f"{key}.images.{band}.{entry}")
        own = ("psf", "psf_oversampling", "psf_has_pixel", "sha256")
        mosaic = open_mosaic(**{k: v for k, v in image.items() if k not in own}, name=band, forward=True)
        packed = str(image["sci"]).endswith(PACKED_ENDINGS)
        if not packed and not mosaic.has_light():
            raise InputError(
                f"{image['sci']} (configuration key {key}.images.{band}.sci)", "no pixel but zeros and NaN",
                "an image with light in it", "Copy or download it again.",
            )  # fmt: skip
        if "psf" in image:
            given = {"oversampling": "psf_oversampling", "has_pixel": "psf_has_pixel"}
            read_given(Path(image["psf"]), mosaic.pixel_scale_arcsec, f"{image['psf']} (configuration key {key}.images.{band}.psf)",
                       **{name: image[entry] for name, entry in given.items() if entry in image})  # fmt: skip
        if "psf" not in image and stars is not None and not _covers(mosaic, stars):
            raise InputError(
                f"configuration key {key}.images.{band}",
                f"no psf, and none of the {len(stars)} stars of {field['stars']} on the image",
                "a PSF file, or stars to build it from",
                "Give `psf`, add stars, or leave `stars` out to have them found.",
            )
        if not _covers(mosaic, galaxies):
            raise InputError(
                f"{image['sci']} (configuration key {key}.images.{band})",
                f"an image that covers none of the {len(galaxies)} galaxies of {field['galaxies']}",
                "an overlap of image and catalogue",
                "Check the image's WCS and the catalogue's ra, dec (degrees).",
            )
