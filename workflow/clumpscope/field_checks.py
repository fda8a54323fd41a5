"""Inputs of a field against each other, checked before anything is computed: files, images, lens models, tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table

from .config import IMAGE_MAPS, mosaic_options
from .errors import InputError
from .files import PACKED_ENDINGS
from .fluxes import table_fluxes
from .inputs import (
    optional_numbers,
    photometry_filters,
    read_edits,
    read_galaxies,
    read_photometry,
    read_stars,
    require_unit,
)
from .lens_checks import check_lens, require_file
from .tables import read_table, require_finite

if TYPE_CHECKING:
    from .images.mosaic import Mosaic

__all__ = ["check_field", "check_samples"]


# Radius of galaxies [arcsec] beyond which pixels may be meant.
_LARGE_RADIUS = 10.0
# Distance [deg] from a catalogue's middle at which a galaxy is of no mosaic, and one [arcsec] at which two are one.
_FAR_DEG, _SAME_ARCSEC = 1.0, 0.02
# Redshift above which a typical one is another number.
_LATEST_Z = 12.0
# Difference of redshifts over 1 + z that photometric ones of one source seldom have.
_OTHER_Z = 0.15
# Galaxies whose places a segmentation map is asked about.
_ASKED = 30
# Errors below zero at which no noise is, and depths [AB mag, 5 sigma] of tables of clusters.
_BELOW_ZERO, _DEPTHS_AB = 10.0, (20.0, 32.0)
# Typical radius [pc] below which kpc are meant, and limits of a comparison sample's magnitudes (absolute) and logarithms of masses.
_SMALLEST_PC, _SAMPLE_LIMITS = 0.5, {"m_v_ab": (-35.0, 5.0), "log_mass": (-2.0, 14.0)}
# E(B-V) above that towards any field of galaxies.
_HIGHEST_EBV = 1.0


def _covers(mosaic: "Mosaic", table: Table) -> bool:
    """Whether any row's position falls on the mosaic."""
    x, y = mosaic.wcs.all_world2pix(table["ra"], table["dec"], 0, quiet=True)
    n_y, n_x = mosaic.shape
    return bool(np.any((x > -0.5) & (x < n_x - 0.5) & (y > -0.5) & (y < n_y - 0.5)))


def _unlikely_galaxies(galaxies: Table, path: str) -> list[str]:
    """Tell galaxies far from all others or twice at one place, redshifts that nobody has measured, and fluxes that mean none."""
    from scipy.spatial import cKDTree

    ra, dec, z = (np.asarray(galaxies[name], dtype=float) for name in ("ra", "dec", "z"))
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    places = np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    middle = np.median(places, axis=0)
    far = np.linalg.norm(places - middle / max(np.linalg.norm(middle), 1e-9), axis=1) > np.deg2rad(_FAR_DEG)
    told = []
    if 0 < far.sum() < len(far):
        told.append(
            f"{path}, columns 'ra' and 'dec': {far.sum()} of {len(far)} rows (first: id {galaxies['id'][np.argmax(far)]}) are more than"
            f" {_FAR_DEG:g} degrees from the others: are all in degrees, and of this field?"
        )
    twins = cKDTree(places).query_pairs(np.deg2rad(_SAME_ARCSEC / 3600.0))
    if twins:
        first, second = min(twins)
        told.append(
            f"{path}: {len(twins)} pairs of rows at one place (ids {galaxies['id'][first]} and {galaxies['id'][second]}): a galaxy under two ids"
            " is measured twice"
        )
    if (typical := float(np.median(z))) > _LATEST_Z:
        told.append(f"{path}, column 'z': {typical:.3g} is the typical redshift: are these magnitudes?")
    if "system" in galaxies.colnames:
        systems = np.array([str(name) for name in galaxies["system"]])
        apart = [
            s
            for s in dict.fromkeys(systems)
            if s not in ("", "--") and np.ptp(z[systems == s]) > _OTHER_Z * (1.0 + z[systems == s].min())
        ]
        if apart:
            told.append(
                f"{path}, column 'system': images of {', '.join(apart[:3])} at redshifts {_OTHER_Z:g} (1 + z) and more apart: are they of one source?"
            )
    bands = [name[2:] for name in galaxies.colnames if name.startswith("f_")]
    return told + _negative_fluxes(galaxies, {f"f_{band}": f"e_{band}" for band in bands}, path)


def _negative_fluxes(table: Table, pairs: dict[str, str], path: str) -> list[str]:
    """Tell fluxes too far below zero to be measured: values that stand for none."""
    told = []
    for flux, error in pairs.items():
        values, errors = table_fluxes(table, flux, error, path)
        wrong = np.flatnonzero(values < -_BELOW_ZERO * errors)
        if wrong.size:
            told.append(
                f"{path}, column {flux!r}: {wrong.size} fluxes more than {_BELOW_ZERO:g} of their errors below zero (first: {values[wrong[0]]:g} nJy,"
                f" id {table['id'][wrong[0]]}): do they stand for no measurement? Leave such cells empty"
            )
    return told


def _unlikely_photometry(sources: Table, path: str) -> list[str]:
    """Tell fluxes of a photometry field that are not in nJy, or mean none."""
    pairs = {f"{band}_njy": f"{band}_err_njy" for band in photometry_filters(sources)}
    errors = np.concatenate([table_fluxes(sources, flux, error, path)[1] for flux, error in pairs.items()])
    errors = errors[np.isfinite(errors)]
    depth = 31.4 - 2.5 * np.log10(5.0 * np.median(errors)) if errors.size else np.nan
    told = _negative_fluxes(sources, pairs, path)
    if errors.size and not _DEPTHS_AB[0] < depth < _DEPTHS_AB[1]:
        told.append(
            f"{path}: errors of {np.median(errors):.3g} nJy are typical, or {depth:.1f} AB mag at 5 sigma, where {_DEPTHS_AB[0]} to {_DEPTHS_AB[1]} are"
            " usual: are fluxes and errors in nJy?"
        )
    return told


def _large_radii(galaxies: Table, path: str) -> list[str]:
    radii = optional_numbers(galaxies, "radius_arcsec", path) if "radius_arcsec" in galaxies.colnames else []
    if not np.isfinite(radii).any() or (typical := float(np.nanmedian(radii))) <= _LARGE_RADIUS:
        return []
    return [f"{path}, column 'radius_arcsec': {typical:.3g} arcsec is the typical radius: are these pixels?"]


def _other_segments(galaxies: Table, path: str, image: dict[str, Any]) -> list[str]:
    """Tell a segmentation map that has other values at the places of galaxies than theirs; one without a WCS is on the pixels of `image`."""
    from astropy.io import fits
    from astropy.wcs import WCS

    from .files import no_image
    from .images.mosaic import open_mosaic

    try:
        with fits.open(path) as hdus:
            hdu = next((hdu for hdu in hdus if hdu.is_image and len(hdu.shape) == 2), None)
            if hdu is None:
                raise InputError(path, no_image(hdus), "a segmentation map")
            wcs = WCS(hdu.header)
            if not wcs.has_celestial:
                if "sci" not in image:
                    return []
                wcs = open_mosaic(**mosaic_options(image, maps=("sci",)), forward=True).wcs
            some = galaxies[:_ASKED]
            places = np.column_stack(wcs.all_world2pix(some["ra"], some["dec"], 0))
            numbers = [int(name) for name in some["id"]]
            inside = np.isfinite(places).all(axis=1)
            inside &= (np.rint(places) >= 0).all(axis=1) & (np.rint(places) < hdu.shape[::-1]).all(axis=1)
            found = [int(hdu.section[int(np.rint(y)), int(np.rint(x))]) for x, y in places[inside]]
    except (OSError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(path, f"a file that cannot be read ({error})", "a segmentation map") from error
    wanted = [number for number, here in zip(numbers, inside, strict=True) if here]
    right = sum(one == other for one, other in zip(wanted, found, strict=True))
    if right > 0.5 * len(some):
        return []
    return [
        f"{path}: has the galaxy's own value at {right} of {len(some)} places of galaxies: is it the map of this catalogue's ids, on these pixels?"
    ]


def _high_reddening(field: dict[str, Any], key: str) -> list[str]:
    ebv = field.get("reddening", {}).get("ebv", 0.0)
    if ebv <= _HIGHEST_EBV:
        return []
    return [f"{key}.reddening.ebv: {ebv:g} mag is more than any field of galaxies has: is it A_V?"]


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
        require_file(path, f"figures.tables.{label}")
        table = read_table(path, ["r_eff_pc"])
        require_finite(table, "r_eff_pc", path, low=0.0, optional=True)
        sizes = optional_numbers(table, "r_eff_pc", path)
        if np.isfinite(sizes).any() and (typical := float(np.nanmedian(sizes))) < _SMALLEST_PC:
            raise InputError(f"{path}, column 'r_eff_pc'", f"{typical:.3g} as the typical radius", "parsecs", "Convert the column, perhaps from kpc.")  # fmt: skip
        other = [column for column in ("m_v_ab", "log_mass") if column in table.colnames]
        if not other:
            raise InputError(
                path, f"columns {', '.join(table.colnames)}", "m_v_ab or log_mass beside r_eff_pc"
            )
        for column in other:
            require_finite(table, column, path, *_SAMPLE_LIMITS[column], optional=True)
        for column, unit in {"r_eff_pc": "pc", "m_v_ab": "mag"}.items():
            if column in table.colnames:
                require_unit(table, column, unit, path)


def check_field(name: str, field: dict[str, Any], compared: bool = True) -> list[str]:
    """Check every input of one field: files, headers, columns, cells, and that they fit each other.

    Parameters
    ----------
    name : str
        Name of the field, for messages.
    field : dict
        Its configuration, with local paths.
    compared : bool
        Whether images are held against each other, too.

    Returns
    -------
    list of str
        What can be used but is unlikely to be right, for the terminal and the report.

    Raises
    ------
    InputError
        The first thing that cannot be used.
    """
    from .images.consistency import (
        check_errors,
        check_exposure,
        check_filter_cards,
        check_fluxes,
        compare_images,
    )
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

        require_file(field["clumps"]["table"], f"{key}.clumps.table")
        read_clump_table(field["clumps"]["table"], field["clumps"]["columns"])
        return [text for place, lens in lenses.items() for text in check_lens(place, lens, None)]
    if "photometry" in field:
        require_file(field["photometry"], f"{key}.photometry")
        sources = read_photometry(field["photometry"], field.get("redshift"))
        doubts = [text for place, lens in lenses.items() for text in check_lens(place, lens, sources)]
        return doubts + _unlikely_photometry(sources, field["photometry"]) + _high_reddening(field, key)
    for entry in ("galaxies", "stars", "edits", "segmentation"):
        if entry in field:
            require_file(field[entry], f"{key}.{entry}")
    if "redshifts" in field.get("catalogue", {}):
        require_file(field["catalogue"]["redshifts"], f"{key}.catalogue.redshifts")
    galaxies = read_galaxies(field["galaxies"], field.get("catalogue"))
    doubts = [text for place, lens in lenses.items() for text in check_lens(place, lens, galaxies)]
    doubts += _large_radii(galaxies, field["galaxies"]) + _unlikely_galaxies(galaxies, field["galaxies"])
    doubts += _high_reddening(field, key)
    plain = []
    if "edits" in field:
        read_edits(field["edits"], galaxies)
    if "segmentation" in field:
        for row, value in enumerate(galaxies["id"]):
            if not str(value).isdecimal():
                raise InputError(
                    f"{field['galaxies']}, column 'id', row {row + 1}", repr(str(value)),
                    f"a number, the galaxy's value in {field['segmentation']}",
                )  # fmt: skip
        doubts += _other_segments(galaxies, field["segmentation"], next(iter(field["images"].values()), {}))
    stars = read_stars(field["stars"]) if "stars" in field else None
    for band, image in field["images"].items():
        for entry in (*IMAGE_MAPS, "psf"):
            if entry in image:
                require_file(image[entry], f"{key}.images.{band}.{entry}")
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
            doubts += check_exposure(mosaic, f"{key}.images.{band}.exp")
            doubts += check_fluxes(mosaic, galaxies, field["galaxies"])
            plain.append(mosaic)
    return doubts + (compare_images(plain, f"{key}.images") if compared else [])
