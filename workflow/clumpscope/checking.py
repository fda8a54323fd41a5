"""All that can be found wrong with a configuration and its inputs, on one page and in one picture."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from astropy.table import Table

from . import config as configuration
from .addresses import is_address, parse_address
from .cached_files import cache_folder
from .config import IMAGE_MAPS, mosaic_options
from .errors import InputError
from .field_checks import check_field, check_samples
from .files import PACKED_ENDINGS
from .filters import get_filter
from .images.consistency import compare_images
from .images.mosaic import Mosaic, open_mosaic
from .images.registration import registration
from .inputs import photometry_filters, read_edits, read_galaxies, read_photometry
from .lens_checks import check_lens
from .sed.models.sfh import get_sfh
from .tables import read_table

__all__ = [
    "Findings",
    "check_configuration",
    "check_selection",
    "check_settings",
    "doubts_of_settings",
    "few_filters",
    "own_files",
]


@dataclass
class Findings:
    """What a check found.

    Attributes
    ----------
    config : path-like
        The configuration.
    errors : list of str
        What a run would refuse.
    doubts : list of str
        What a run would take, and is unlikely to be right.
    notes : list of str
        What was taken for what, and what could not be looked at yet.
    mosaics : dict
        Field -> its mosaics.
    galaxies : dict
        Field -> its galaxy catalogue.
    """

    config: str | os.PathLike
    errors: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    mosaics: dict[str, list[Mosaic]] = field(default_factory=dict)
    galaxies: dict[str, Table] = field(default_factory=dict)

    def page(self) -> str:
        """All of it as text."""
        lines = [f"{len(self.errors)} to mend" if self.errors else "Nothing to mend."]
        lines += [f"  {number}. {text}" for number, text in enumerate(self.errors, 1)]
        for name, mosaics in self.mosaics.items():
            count = f", {len(self.galaxies[name])} galaxies" if name in self.galaxies else ""
            lines.append(f"Field {name}: {len(mosaics)} mosaics{count}")
            for mosaic in mosaics:
                covered = _covered(mosaic, self.galaxies.get(name))
                lines.append(
                    f"  {mosaic.name}: {mosaic.shape[1]} x {mosaic.shape[0]} pixels of {mosaic.pixel_scale_arcsec:.4g} arcsec, "
                    f"1 unit = {mosaic.njy_per_unit:.4g} nJy, errors: {mosaic.error_kind}{covered}"
                )
        lines += [f"In doubt: {text}" for text in self.doubts]
        return "\n".join([*lines, *(f"Note: {text}" for text in self.notes)]) + "\n"

    def picture(self, path: str | os.PathLike) -> None:
        """Draw the mosaics' outlines with the galaxies, one panel a field."""
        from matplotlib.figure import Figure

        fields = [name for name, mosaics in self.mosaics.items() if mosaics] or [""]
        figure = Figure(figsize=(6.0 * len(fields), 5.5), layout="constrained")
        for number, name in enumerate(fields, 1):
            axes = figure.add_subplot(1, len(fields), number)
            for mosaic in sorted(
                self.mosaics.get(name, []), key=lambda own: get_filter(own.name).pivot_angstrom
            ):
                ra, dec = mosaic.wcs.all_pix2world(*_corners(mosaic.shape), 0)
                axes.plot(ra, dec, label=mosaic.name, lw=1)
            if name in self.galaxies:
                axes.plot(
                    self.galaxies[name]["ra"],
                    self.galaxies[name]["dec"],
                    "k.",
                    ms=2,
                    label="galaxies",
                    zorder=0,
                )
            axes.set(xlabel="RA [deg]", ylabel="Dec [deg]", title=name)
            if self.mosaics.get(name):
                axes.set_aspect(1.0 / np.cos(np.deg2rad(np.mean(axes.get_ylim()))))
                axes.invert_xaxis()
                axes.legend(fontsize=6, ncols=2)
        figure.savefig(path, dpi=120)


def _corners(shape: tuple[int, int]) -> tuple[list[float], list[float]]:
    right, top = shape[1] - 0.5, shape[0] - 0.5
    return [-0.5, right, right, -0.5, -0.5], [-0.5, -0.5, top, top, -0.5]


def _covered(mosaic: Mosaic, galaxies: Table | None) -> str:
    if galaxies is None:
        return ""
    inside = sum(mosaic.contains(row["ra"], row["dec"]) for row in galaxies)
    return f", {inside} of {len(galaxies)} galaxies on it"


def check_configuration(path: str | os.PathLike) -> Findings:
    """Run every check of a configuration and of its inputs; go on after the first that fails.

    Parameters
    ----------
    path : path-like
        The YAML file. Inputs that are named by address are looked at when they are in the cache of downloads.

    Returns
    -------
    Findings
    """
    findings = Findings(path)
    config: dict[str, Any] = {}
    with _noting(findings):
        config, taken = configuration.name_filters(_load(path))
        configuration.validate(config)
    if findings.errors:
        return findings
    findings.notes += taken
    for name, own in config["fields"].items():
        if "mock" in own:
            findings.notes.append(f"field {name}: its inputs are made by the run")
            continue
        here = _Here(cache_folder(configuration.field_settings(config, name)["downloads"]))
        settings = configuration.field_settings(config, name)
        there = here.field(own)
        _check(name, there, settings, findings)
        with _noting(findings):
            check_samples(settings["figures"]["tables"])
            findings.doubts += few_filters(name, there | {"images": own.get("images", {})}, settings)
        if here.missing:
            findings.notes.append(
                f"field {name}: {len(here.missing)} files are not downloaded yet and were not looked at; "
                f"`snakemake --cores 1 downloads_list --configfile {path}` lists them"
            )
    findings.errors, findings.doubts = (
        list(dict.fromkeys(texts)) for texts in (findings.errors, findings.doubts)
    )
    return findings


def _check_limits(section: str, settings: dict[str, Any], name: str) -> None:
    """Refuse limits of priors that no model of the embedded library reaches; another one is made by the run."""
    bounds, fixed = settings.get("bounds", {}), settings.get("fixed", {})
    if not (bounds or fixed) or settings.get("library", "bc03") != "bc03":
        return
    from .sed.inference.priors import check_reach
    from .sed.library.ssp import load_library
    from .sed.models.photometry import reach_of

    try:
        # Ages end later the nearer a source is; those of each are looked at when it is fitted.
        check_reach(bounds, fixed, 1e-3, reach_of(load_library("bc03")))
    except InputError as error:
        raise InputError(
            f"configuration key {error.where.replace('sed', section, 1)} for field {name}",
            error.found,
            error.expected,
        ) from None


def few_filters(name: str, field: dict, settings: dict[str, dict]) -> list[str]:
    """Tell that no clump can count in statistics for want of filters.

    Parameters
    ----------
    name : str
        Of the field.
    field : dict
        Its configuration.
    settings : dict
        Its method sections.

    Returns
    -------
    list of str
        A sentence each for parameters of the SED fit without a filter, and for broad filters that are missing; none
        where the filters are not known yet.
    """
    bands = list(field.get("images", ()))
    if "photometry" in field and Path(field["photometry"]).is_file():
        bands = photometry_filters(read_table(field["photometry"]))
    if not bands:
        return []
    sfh, fixed = get_sfh(settings["sed"]["reference_sfh"]), settings["sed"]["fixed"]
    free = len(set(sfh.parameters) - set(fixed))
    broad, needed = sum(get_filter(band).kind == "broad" for band in bands), settings["population"]["min_broad_bands"]  # fmt: skip
    told = f"field {name}: no clump can count in statistics and figures with"
    texts = []
    if len(bands) < free:
        texts.append(f"{told} {len(bands)} filter(s) for the {free} free parameters of {sfh.name}: add filters, or hold parameters by `sed.fixed`")  # fmt: skip
    if broad < needed:
        texts.append(f"{told} {broad} broad filter(s), where `population.min_broad_bands` is {needed}: add filters, or lower it")  # fmt: skip
    return texts


def doubts_of_settings(name: str, field: dict, settings: dict[str, dict]) -> list[str]:
    """All that `few_filters` and `check_settings` tell of a field whose files are there, for the report; what is refused too.

    Parameters
    ----------
    name, field, settings
        As of `check_settings`.
    """
    try:
        doubts = check_settings(name, field, settings)
    except InputError as error:
        doubts = [str(error)]  # of a file that came after the run had started
    return doubts + few_filters(name, field, settings)


def check_settings(name: str, field: dict, settings: dict[str, dict]) -> list[str]:
    """Hold a field's settings against its PSFs and the models there are.

    Parameters
    ----------
    name : str
        Of the field.
    field : dict
        Its configuration, with local paths, whose files `clumpscope.field_checks.check_field` has seen.
    settings : dict
        Its method sections.

    Returns
    -------
    list of str
        What is unlikely: detection images of filters that are not on the reference's pixels, PSFs much broader than their telescope's or with more than a star in them, cells of published clumps that none can have, redshifts beyond all bins.

    Raises
    ------
    InputError
        For a PSF that holds no source, ends before its normalisation radius or is narrower than its telescope's, and
        for limits of priors that no model reaches.
    """
    for section in ("sed", "hosts"):
        _check_limits(section, settings[section], name)
    doubts = []
    if "clumps" in field:
        from .population.clump_tables import doubts_of_clump_table

        doubts += doubts_of_clump_table(
            field["clumps"]["table"], field["clumps"]["columns"], settings["population"]["redshift_bins"]
        )
    if stack := settings["detection"]["stack"]:
        from .images.coadd import doubts_of_stack

        mosaics = {
            band: open_mosaic(**mosaic_options(image), name=band, forward=True)
            for band, image in field.get("images", {}).items()
        }
        references = [band for _, band in settings["selection"]["reference_filters"]]
        where = f"configuration key detection.stack for field {name}"
        doubts += [f"{where}: {text}" for text in doubts_of_stack(mosaics, references, stack)]
    for band, image in field.get("images", {}).items():
        if "psf" not in image:
            continue
        from .images.psf import too_broad
        from .images.psf_given import blemishes, given_psf

        mosaic = open_mosaic(**mosaic_options(image), name=band, forward=True)
        where = f"{image['psf']} (configuration key fields.{name}.images.{band}.psf)"
        psf = given_psf(
            Path(image["psf"]), mosaic.pixel_scale_arcsec, where, band, settings["psf"]["radius_arcsec"], mosaic.largest_radius_arcsec, image.get("psf_oversampling"), image.get("psf_has_pixel"),
        )  # fmt: skip
        doubts += [f"{where}: {text}" for text in (*too_broad(psf, band), *blemishes(psf))]
    return doubts


def check_selection(field: dict, selection: dict[str, Any]) -> None:
    """Hold a field's catalogue of galaxies, if it has one, and its edits against the settings of the selection.

    Parameters
    ----------
    field : dict
        Its configuration, with local paths, whose files `clumpscope.field_checks.check_field` has seen.
    selection : dict
        The section of that name.

    Raises
    ------
    InputError
        For redshifts of which none is above the limit, and edits outside their galaxies.
    """
    if "galaxies" not in field:
        return
    galaxies = read_galaxies(field["galaxies"], field.get("catalogue"))
    if not (np.asarray(galaxies["z"], dtype=float) > selection["min_redshift"]).any():
        raise InputError(
            f"{field['galaxies']}, column 'z'", f"{np.max(galaxies['z']):g} as the largest of {len(galaxies)} redshifts",
            f"one above {selection['min_redshift']:g}, the limit of galaxies that are measured", "Lower `selection.min_redshift`.",
        )  # fmt: skip
    if "edits" in field:
        # Where the catalogue gives no radius, the configuration's says which places are a galaxy's.
        read_edits(field["edits"], galaxies, selection["radius_arcsec"])


def _load(path: str | os.PathLike) -> dict[str, Any]:
    if not Path(path).is_file():
        raise InputError(str(path), "no such file", "a configuration (YAML)")
    try:
        config = yaml.safe_load(Path(path).read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"what is not YAML ({error})", "a configuration") from error
    if not isinstance(config, dict):
        raise InputError(str(path), f"{type(config).__name__}", "a configuration with the key `fields`")
    configuration.refuse_repeated_keys(path)
    return config


class _Here:
    """A field's configuration with what is on this machine; without a cache, of no address."""

    def __init__(self, cache: Path | None):
        self.cache, self.missing = cache, []

    def of(self, value: Any) -> Any:
        """The path of a value; None for an address that has not been downloaded."""
        if not is_address(value):
            return value
        address = parse_address(str(value))
        kept = address.cached(self.cache) if self.cache else None
        if kept is not None and kept.exists() and not address.member:
            return str(kept)
        self.missing.append(address.url)
        return None

    def entries(self, given: dict) -> dict:
        found = {key: self.of(value) for key, value in given.items()}
        return {key: value for key, value in found.items() if value is not None}

    def field(self, own: dict) -> dict:
        here = self.entries(
            {key: value for key, value in own.items() if key not in ("images", "lens", "catalogue", "clumps")}
        )
        if "clumps" in own:
            here["clumps"] = self.entries({"table": own["clumps"]["table"]}) | {
                "columns": own["clumps"]["columns"]
            }
        if "catalogue" in own:
            here["catalogue"] = self.entries(own["catalogue"])
            if "redshifts" in own["catalogue"] and "redshifts" not in here["catalogue"]:
                here.pop("galaxies", None)
        here["images"] = {band: self.entries(image) for band, image in own.get("images", {}).items()}
        lenses = own.get("lens", {"kind": "none"})
        # A model of which a file is still to come cannot be read; one without its samples can.
        here["lens"] = [
            found
            for lens in (lenses if isinstance(lenses, list) else [lenses])
            if set(lens) - set(found := self.entries(lens)) <= {"samples", "relations"}
        ]
        return here


def own_files(field: dict) -> dict | None:
    """A field's configuration without what is named by address, for a check before downloads come.

    Parameters
    ----------
    field : dict
        Its configuration.

    Returns
    -------
    dict or None
        None where the table of galaxies, sources or clumps is to come.
    """
    own = _Here(None).field(field)
    own["images"] = {band: image for band, image in own["images"].items() if "sci" in image}
    return own if {"galaxies", "photometry"} & set(own) or "table" in own.get("clumps", {}) else None


def _check(name: str, own: dict, settings: dict, findings: Findings) -> None:
    parts = [
        {**own, "lens": [], "images": {band: image}}
        for band, image in own["images"].items()
        if "sci" in image
    ]
    if "photometry" in own or "table" in own.get("clumps", {}):
        parts = [{**own, "lens": []}]
    for part in parts if {"galaxies", "photometry", "clumps"} & set(own) else []:
        with _noting(findings):
            findings.doubts += check_field(name, part, compared=False)
            findings.doubts += check_settings(name, part, settings)
    if "galaxies" in own and Path(own["galaxies"]).is_file():
        with _noting(findings):
            findings.galaxies[name] = read_galaxies(own["galaxies"], own.get("catalogue"))
            check_selection(own, settings["selection"])
    sources = findings.galaxies.get(name)
    if "photometry" in own and Path(own["photometry"]).is_file():
        with _noting(findings):
            sources = read_photometry(own["photometry"], own.get("redshift"))
    for number, lens in enumerate(own["lens"], 1):
        with _noting(findings, f"fields.{name}.lens, model {number}: "):
            findings.doubts += check_lens(f"fields.{name}.lens", lens, sources)
    if "photometry" in own or "clumps" in own:
        return
    findings.mosaics[name] = []
    for band, image in own["images"].items():
        there = all(Path(image[key]).is_file() for key in IMAGE_MAPS if key in image)
        with _noting(findings):
            if "sci" in image and there:
                findings.mosaics[name].append(open_mosaic(**mosaic_options(image), name=band, forward=True))
    plain = [mosaic for mosaic in findings.mosaics[name] if not mosaic.path.endswith(PACKED_ENDINGS)]
    findings.doubts += compare_images(plain, f"fields.{name}.images")
    if name in findings.galaxies:
        beside, found = registration(plain, findings.galaxies[name])
        findings.doubts += beside
        findings.notes += [f"field {name}: {found}"] if found else []


@contextmanager
def _noting(findings: Findings, before: str = "") -> Iterator[None]:
    """Note an error instead of ending with it."""
    try:
        yield
    except InputError as error:
        findings.errors.append(f"{before}{configuration.located(error, [findings.config])}")
