"""What a user hands in, checked before anything is computed."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table

from .catalogues import read_catalogue
from .config import IMAGE_MAPS, mosaic_options
from .errors import InputError
from .files import PACKED_ENDINGS
from .filters import get_filter
from .fluxes import table_fluxes
from .tables import read_table, require_finite, require_unique

if TYPE_CHECKING:
    from .images.mosaic import Mosaic

__all__ = [
    "check_field",
    "check_lens",
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
# Radii of galaxies [arcsec] that are possible, and the one beyond which pixels may be meant.
_RADII, _LARGE_RADIUS = (0.05, 60.0), 10.0
# Distance [deg] of the nearest galaxy from a lens model's reference; fields of clusters are a fifth of it.
_FAR_DEG = 1.0
# Realisations of a lens model below which they tell little of its errors.
_FEW_SAMPLES = 30
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
        _optional_numbers(table, name, path)
    if {"z_lo", "z_hi"} <= set(table.colnames):
        from .images.selection import redshift_quality

        secure, _ = redshift_quality(table)
        _require_rising(table, ["z_lo", "z", "z_hi"], ~secure, path)
    if "radius_arcsec" in table.colnames:
        _check_unit(table, "radius_arcsec", "arcsec", path)
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
        _check_unit(table, name, "deg", path)
        limits = (0.0, 360.0) if name.startswith("ra") else (-90.0, 90.0)
        require_finite(table, name, path, *limits, optional=True)
        table[name] = _optional_numbers(table, name, path)
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


def _require_file(path: str, key: str) -> None:
    if not Path(path).is_file():
        raise InputError(f"configuration key {key}", f"the path {path!r}, where no file is", "an existing file",
                         "Paths are relative to the folder in which snakemake runs.")  # fmt: skip


def _covers(mosaic: "Mosaic", table: Table) -> bool:
    """Whether any row's position falls on the mosaic."""
    x, y = mosaic.wcs.all_world2pix(table["ra"], table["dec"], 0, quiet=True)
    n_y, n_x = mosaic.shape
    return bool(np.any((x > -0.5) & (x < n_x - 0.5) & (y > -0.5) & (y < n_y - 0.5)))


def _check_lens_files(key: str, lens: dict[str, Any]) -> None:
    maps = ("kappa", "gamma1", "gamma2", "deflection_x", "deflection_y", "magnification")
    for entry in ("model", "samples", "relations", *maps):
        if isinstance(lens.get(entry), str):
            _require_file(lens[entry], f"{key}.{entry}")
    samples = lens.get("samples")
    for number, sample in enumerate(samples if isinstance(samples, list) else (), start=1):
        for entry in maps:
            if entry in sample:
                _require_file(sample[entry], f"{key}.samples, entry {number}, {entry}")


def check_lens(key: str, lens: dict[str, Any], galaxies: Table | None) -> list[str]:
    """Read a lens model and see that it is the one of these galaxies.

    Parameters
    ----------
    key : str
        Of the configuration, for messages.
    lens : dict
        Its section.
    galaxies : Table or None
        ra, dec [deg] and z of the sources, where they are known.

    Returns
    -------
    list of str
        What is unlikely about it.

    Raises
    ------
    InputError
        If a file is missing or cannot be read, or the model is that of another part of the sky.
    """
    _check_lens_files(key, lens)
    if lens.get("kind", "none") == "none":
        return []
    from .lensing import read_lens

    model, path = read_lens(lens), next(str(v) for k, v in lens.items() if k != "kind" and isinstance(v, str))
    if galaxies is None:
        return []
    ra, dec = (np.asarray(galaxies[name], dtype=float) for name in ("ra", "dec"))
    if lens["kind"] == "lenstool":
        nearest = float(np.min(np.hypot(*model.offsets(ra, dec)))) / 3600.0
        if nearest > _FAR_DEG:
            raise InputError(
                f"{path} (configuration key {key})",
                f"a model of RA {model.reference[0]:.4f}, Dec {model.reference[1]:.4f}, {nearest:.3g} degrees from the nearest source",
                "the lens in front of the sources", "Take the model of this field, or check its reference and the positions (degrees).",
            )  # fmt: skip
    elif not np.isfinite(model.covered(ra, dec)).any():
        raise InputError(
            f"{path} (configuration key {key})", f"maps that cover none of the {len(galaxies)} sources", "the lens in front of the sources",
            "Take the maps of this field, or check their WCS and the positions (degrees).",
        )  # fmt: skip
    behind = np.asarray(galaxies["z"], dtype=float) > model.z_lens
    told = (
        []
        if behind.any()
        else [f"{path} ({key}): a lens at z = {model.z_lens:g}, behind all {len(galaxies)} sources"]
    )
    if 0 < model.n_samples < _FEW_SAMPLES and "samples" in lens:
        told.append(
            f"{key}.samples: {model.n_samples} realisations tell little of the magnification's errors"
        )
    return told


def _large_radii(galaxies: Table, path: str) -> list[str]:
    radii = _optional_numbers(galaxies, "radius_arcsec", path) if "radius_arcsec" in galaxies.colnames else []
    if not np.isfinite(radii).any() or (typical := float(np.nanmedian(radii))) <= _LARGE_RADIUS:
        return []
    return [f"{path}, column 'radius_arcsec': {typical:.3g} arcsec is the typical radius: are these pixels?"]


def _other_unit(mosaic: "Mosaic", stated: str | None, key: str) -> list[str]:
    """Tell a unit of the configuration that is not the header's."""
    from .images.units import njy_per_unit

    if stated is None or "BUNIT" not in mosaic.header:
        return []
    area = (np.pi / 180.0 / 3600.0 * mosaic.pixel_scale_arcsec) ** 2
    try:
        header = njy_per_unit(None, mosaic.header, area, mosaic.path)
    except InputError:
        return []  # what the configuration is there for
    if np.isclose(header, mosaic.njy_per_unit, rtol=0.01):
        return []
    return [
        f"{key}.unit: {stated!r} is taken, though the header says BUNIT = {mosaic.header['BUNIT']!r}, {header / mosaic.njy_per_unit:.3g} times as much"
    ]


def check_samples(tables: dict[str, str]) -> None:
    """Check comparison samples, `figures.tables` of the configuration: label -> path.

    Raises
    ------
    InputError
        The first file, column or cell that cannot be used.
    """
    for label, path in tables.items():
        _require_file(path, f"figures.tables.{label}")
        table = read_table(path, ["r_eff_pc"])
        require_finite(table, "r_eff_pc", path, low=0.0, optional=True)
        other = [column for column in ("m_v_ab", "log_mass") if column in table.colnames]
        if not other:
            raise InputError(
                path, f"columns {', '.join(table.colnames)}", "m_v_ab or log_mass beside r_eff_pc"
            )
        for column in other:
            require_finite(table, column, path, optional=True)


def check_field(name: str, field: dict[str, Any]) -> list[str]:
    """Check every input of one field: files, headers, columns, cells, and that they fit each other.

    Parameters
    ----------
    name : str
        Name of the field, for messages.
    field : dict
        Its configuration, with local paths.

    Returns
    -------
    list of str
        What can be used but is unlikely to be right, for the terminal and the report.

    Raises
    ------
    InputError
        The first thing that cannot be used.
    """
    from .images.consistency import check_errors, check_filter_cards, compare_noise, sky_noise
    from .images.mosaic import open_mosaic  # astropy's WCS only where images are
    from .images.psf_files import read_given

    key = f"fields.{name}"
    given = field.get("lens", {})
    lenses = (
        {f"{key}.lens": given}
        if isinstance(given, dict)
        else {f"{key}.lens, model {number}": lens for number, lens in enumerate(given, start=1)}
    )
    if "clumps" in field:
        from .population.clump_tables import (
            read_clump_table,
        )  # of the statistics, which nothing else here needs

        _require_file(field["clumps"]["table"], f"{key}.clumps.table")
        read_clump_table(field["clumps"]["table"], field["clumps"]["columns"])
        return [text for place, lens in lenses.items() for text in check_lens(place, lens, None)]
    if "photometry" in field:
        _require_file(field["photometry"], f"{key}.photometry")
        sources = read_photometry(field["photometry"], field.get("redshift"))
        return [text for place, lens in lenses.items() for text in check_lens(place, lens, sources)]
    for entry in ("galaxies", "stars", "edits", "segmentation"):
        if entry in field:
            _require_file(field[entry], f"{key}.{entry}")
    if "redshifts" in field.get("catalogue", {}):
        _require_file(field["catalogue"]["redshifts"], f"{key}.catalogue.redshifts")
    galaxies = read_galaxies(field["galaxies"], field.get("catalogue"))
    doubts = [text for place, lens in lenses.items() for text in check_lens(place, lens, galaxies)]
    doubts += _large_radii(galaxies, field["galaxies"])
    noise = {}
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
        mosaic = open_mosaic(**mosaic_options(image), name=band, forward=True)
        check_filter_cards(mosaic, f"configuration key {key}.images.{band}")
        doubts += _other_unit(mosaic, image.get("unit"), f"{key}.images.{band}")
        packed = any(str(image[entry]).endswith(PACKED_ENDINGS) for entry in IMAGE_MAPS if entry in image)
        if not packed and not mosaic.has_light():
            raise InputError(
                f"{image['sci']} (configuration key {key}.images.{band}.sci)", "no pixel but zeros and NaN",
                "an image with light in it", "Copy or download it again.",
            )  # fmt: skip
        if "psf" in image:
            sampling = {"oversampling": "psf_oversampling", "has_pixel": "psf_has_pixel"}
            path, place = Path(image["psf"]), f"{image['psf']} (configuration key {key}.images.{band}.psf)"
            options = {name: image[entry] for name, entry in sampling.items() if entry in image}
            read_given(path, mosaic.pixel_scale_arcsec, place, **options)
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
        if not packed:
            doubts += check_errors(mosaic, f"{key}.images.{band}.{mosaic.error_kind}")
            noise[band] = sky_noise(mosaic)
    return doubts + compare_noise(noise, f"{key}.images")
