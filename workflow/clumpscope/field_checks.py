"""Inputs of a field against each other, checked before anything is computed: files, images, lens models, tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table

from .config import IMAGE_MAPS, mosaic_options
from .errors import InputError
from .files import PACKED_ENDINGS
from .inputs import optional_numbers, read_edits, read_galaxies, read_photometry, read_stars
from .tables import read_table, require_finite

if TYPE_CHECKING:
    from .images.mosaic import Mosaic

__all__ = ["check_field", "check_lens", "check_samples"]


# Radius of galaxies [arcsec] beyond which pixels may be meant.
_LARGE_RADIUS = 10.0
# Distance [deg] of the nearest galaxy from a lens model's reference; fields of clusters are a fifth of it.
_FAR_DEG = 1.0
# Realisations of a lens model below which they tell little of its errors.
_FEW_SAMPLES = 30


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
    radii = optional_numbers(galaxies, "radius_arcsec", path) if "radius_arcsec" in galaxies.colnames else []
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
