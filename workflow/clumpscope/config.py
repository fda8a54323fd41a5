"""The configuration: checked against its schema, filled with defaults, documented from the same file."""

import difflib
import math
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from .errors import InputError
from .filters import get_filter, resolve_filter

__all__ = [
    "COMMON_SECTIONS",
    "IMAGE_MAPS",
    "METHOD_SECTIONS",
    "document",
    "field_settings",
    "lens_paths",
    "located",
    "mosaic_options",
    "name_filters",
    "refuse_repeated_keys",
    "texts",
    "validate",
]

IMAGE_MAPS = ("sci", "err", "wht", "exp")
_IMAGE_OPTIONS = ("unit", "pixel_scale", "reference")
"""Keys of the files of one mosaic, beside its PSF."""

_PSF_OPTIONS = ("psf", "psf_oversampling", "psf_has_pixel")

_LENS_WORDS = ("kind", "deflection_unit")
"""Words in a lens section that are no paths."""

METHOD_SECTIONS = (
    "selection",
    "psf",
    "depth",
    "detection",
    "fit",
    "injection",
    "lensing",
    "sed",
    "hosts",
    "population",
    "figures",
)

COMMON_SECTIONS = ("run", "downloads")
"""Sections that stand at the top level alone."""

SCHEMA_PATH = Path(__file__).resolve().parents[1] / "schemas" / "config.schema.yaml"


@cache
def _schema() -> dict[str, Any]:
    return yaml.safe_load(SCHEMA_PATH.read_text())


def _known_keys(schema: dict[str, Any]) -> list[str]:
    return list(schema.get("properties", {}))


def _as_input_error(error: Any) -> InputError:
    where = "configuration key " + (".".join(str(part) for part in error.absolute_path) or "(top level)")
    if error.validator == "additionalProperties":
        known = _known_keys(error.schema)
        unknown = next(key for key in error.instance if key not in known)
        near = difflib.get_close_matches(str(unknown), known, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else ""
        where = "configuration key " + ".".join(str(part) for part in (*error.absolute_path, unknown))
        return InputError(where, f"the unknown key {unknown!r}", f"one of {', '.join(sorted(known))}", remedy)
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return InputError(where, f"no key {missing[0]!r}", f"the keys {', '.join(error.validator_value)}")
    if error.validator == "not" and "multipleOf" in error.validator_value:
        return InputError(where, str(error.instance), "an odd number", error.schema.get("description", ""))
    if error.validator == "not":
        return InputError(where, f"keys {', '.join(error.instance)}", "no keys that exclude each other",
                          "A photometry field has no images; a mosaic has err or wht, not both.")  # fmt: skip
    expected = {
        "type": f"a finite value of type {error.validator_value}",
        "enum": f"one of {', '.join(map(str, error.validator_value))}" if error.validator == "enum" else "",
        "pattern": f"text matching {error.validator_value}",
        "minProperties": "at least one entry",
    }.get(error.validator, f"{error.validator} {error.validator_value}")
    return InputError(where, repr(error.instance)[:80], expected, error.schema.get("description", ""))


def name_filters(config: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Call the filters of images and reddening by their names here, whatever the user calls them, and share PSFs that are said to be the same.

    Returns
    -------
    config : dict
        A copy.
    taken : list of str
        What was taken for each name that is not one of ours.

    Raises
    ------
    InputError
        If no filter is meant, two names mean the same one, or a PSF is that of a filter without a file of it.
    """
    fields = config.get("fields")
    if not isinstance(fields, dict):
        return config, []
    taken: list[str] = []

    def renamed(entries: dict, where: str) -> dict:
        own = {}
        for text, value in entries.items():
            name, how = ("ebv", "") if text == "ebv" else resolve_filter(text, f"configuration key {where}")
            if name in own:
                raise InputError(
                    f"configuration key {where}", f"{text!r}, a second {name}", "every filter once"
                )
            own[name] = value
            if name != text:
                taken.append(f"{where}: {how}")
        return own

    copies = {}
    for field_name, field in fields.items():
        copies[field_name] = field = dict(field) if isinstance(field, dict) else field
        for key in ("images", "reddening"):
            if isinstance(field, dict) and isinstance(field.get(key), dict):
                field[key] = renamed(field[key], f"fields.{field_name}.{key}")
        if isinstance(field, dict) and isinstance(field.get("images"), dict):
            field["images"] = _with_shared_psfs(
                field["images"], f"configuration key fields.{field_name}.images"
            )
    return {**config, "fields": copies}, taken


def _with_shared_psfs(images: dict[str, Any], where: str) -> dict[str, Any]:
    """Images of which `psf: same as F444W` is that filter's own PSF, with its options."""
    shared = {}
    for band, image in images.items():
        same = re.fullmatch(r"same as\s+(.+)", str(image.get("psf", ""))) if isinstance(image, dict) else None
        if same is None:
            shared[band] = image
            continue
        other, _ = resolve_filter(same[1].strip(), f"{where}.{band}.psf")
        given = images.get(other)
        if not isinstance(given, dict) or str(given.get("psf", "same as")).startswith("same as"):
            raise InputError(
                f"{where}.{band}.psf", f"{image['psf']!r}", f"an image in {other} with a PSF file of its own"
            )
        psf = {key: value for key, value in given.items() if key in _PSF_OPTIONS}
        shared[band] = {**{key: value for key, value in image.items() if key not in _PSF_OPTIONS}, **psf}
    return shared


def lens_paths(lens: dict[str, Any]) -> dict[str, str]:
    """Files of a lens section, or of one of its realisations, by key."""
    return {key: value for key, value in lens.items() if isinstance(value, str) and key not in _LENS_WORDS}


def mosaic_options(image: dict[str, Any], maps: tuple[str, ...] = IMAGE_MAPS) -> dict[str, Any]:
    """Keywords of `clumpscope.images.mosaic.open_mosaic` in an image's section, of its files those of `maps`."""
    return {key: value for key, value in image.items() if key in (*maps, *_IMAGE_OPTIONS)}


def texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every text in a piece of the configuration, with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from texts(part, f"{where}.{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from texts(part, f"{where}.{number}")


def _check_mock_paths(name: str, field: dict[str, Any]) -> None:
    """Refuse a mock field's inputs outside its own folder: what a failed job was to make is deleted."""
    folder = f"results/{name}/input/"
    made = {key: field[key] for key in ("galaxies", "images") if key in field}
    needed = [
        key for key, _ in texts(made, "") if key.endswith((".galaxies", *(f".{m}" for m in IMAGE_MAPS)))
    ]
    for key, text in texts(field, ""):
        inside = text.startswith(folder)
        if (key in needed and not inside) or (inside and ".." in Path(text).parts):
            raise InputError(
                f"configuration key fields.{name}{key}", repr(text),
                f"a path below {folder} without '..'", "There the mock's inputs are made.",
            )  # fmt: skip


def refuse_repeated_keys(path: str | Path) -> None:
    """Refuse a YAML file that gives a key of one mapping twice, of which readers keep the last without a word."""
    looked_at: set[int] = set()

    def check(node: Any) -> None:
        # An alias stands for what was looked at already; it may stand inside itself.
        if id(node) in looked_at:
            return
        looked_at.add(id(node))
        seen: dict[str, int] = {}
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise InputError(
                    f"{path}, line {line}", f"the key {key.value!r}, as in line {seen[key.value]}",
                    "each key once", "Take one of them out.",
                )  # fmt: skip
            seen[key.value] = line
            check(value)
        for item in node.value if isinstance(node, yaml.SequenceNode) else ():
            check(item)

    check(yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader))


# How messages name a key: of one field's settings, which may stand in the field or at the top level, they name the field too.
_NAMED_KEY = re.compile(r"configuration key (?P<key>[^\s,()]+)(?:\)? for field (?P<field>[^\s,()]+))?")


def located(error: InputError, paths: Iterable[str | os.PathLike]) -> InputError:
    """Say in an error that names a key of the configuration where in its files the key stands.

    Parameters
    ----------
    error : InputError
    paths : iterable of path-like
        The configuration's YAML files; what stands in a later one goes before.

    Returns
    -------
    InputError
        With file and line of the key, or of the innermost section around it that is there; else the error as it is.
    """
    if not (named := _NAMED_KEY.search(error.where)):
        return error
    keys = [named["key"]]
    if named["field"]:
        keys.append(f"fields.{named['field']}.{named['key']}")
    found = []
    for path in paths:
        node = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        places = [_line_of(node, key) for key in keys]
        # A setting that stands nowhere is a default.
        found += [(-len(rest), path, line) for line, rest in places if line and not (named["field"] and rest)]
    if not found:
        return error
    # What is left over of the key tells how deep it was found; of equally deep ones the field's, and the later file's, goes before.
    _, path, line = max(reversed(found), key=lambda place: place[0])
    return InputError(f"{path}, line {line}, {error.where}", error.found, error.expected, error.remedy)


def _line_of(node: Any, key: str) -> tuple[int, str]:
    """Line (from 1; 0 for none) of the innermost part of a dotted key that is there, and what is left of the key."""
    line = 0
    while key:
        index = key.split(".")[0]
        if isinstance(node, yaml.MappingNode):
            # Names of fields may hold dots.
            inner = [part for part in node.value if f"{key}.".startswith(f"{part[0].value}.")]
            if not inner:
                break
            name, node = max(inner, key=lambda part: len(part[0].value))
            line, key = name.start_mark.line + 1, key[len(name.value) + 1 :]
        elif isinstance(node, yaml.SequenceNode) and index.isdecimal() and int(index) < len(node.value):
            node = node.value[int(index)]
            line, key = node.start_mark.line + 1, key[len(index) + 1 :]
        else:
            break
    return line, key


def _refuse_other_keys(value: Any, where: str) -> None:
    """Refuse keys that YAML does not read as text, such as ``2744``, ``no`` or ``~``."""
    for key, part in value.items() if isinstance(value, dict) else ():
        if not isinstance(key, str):
            raise InputError(
                "configuration key " + (where or "(top level)"), f"the key {key!r} ({type(key).__name__})",
                "text", "Put the name in quotes: YAML reads such words as numbers, booleans or nothing.",
            )  # fmt: skip
        _refuse_other_keys(part, f"{where}.{key}" if where else key)


def _check_order(name: str, settings: dict[str, dict[str, Any]]) -> None:
    """Refuse ranges and bins that do not rise, and filters of the settings that nobody knows."""
    population, references = settings["population"], settings["selection"]["reference_filters"]
    rising = {
        "population.redshift_bins": population["redshift_bins"],
        "population.distance_bins_kpc": population["distance_bins_kpc"],
        "injection.flux_range": settings["injection"]["flux_range"],
        "selection.reference_filters": [limit for limit, _ in references],
    }
    for key, values in rising.items():
        if any(low >= high for low, high in pairwise(values)):
            raise InputError(
                f"configuration key {key} for field {name}",
                str(values),
                "numbers each larger than the one before",
            )
    for key in ("population.redshift_bins", "population.distance_bins_kpc", "injection.flux_range"):
        if rising[key][0] < 0.0 or (key == "injection.flux_range" and rising[key][0] == 0.0):
            raise InputError(
                f"configuration key {key} for field {name}", str(rising[key]), "positive numbers"
            )
    for key, filters in (
        ("selection.reference_filters", [band for _, band in references]),
        ("detection.stack", settings["detection"]["stack"]),
    ):
        for band in filters:
            get_filter(band, f"configuration key {key} for field {name}")


def validate(config: dict[str, Any]) -> None:
    """Check the whole configuration.

    Parameters
    ----------
    config : dict
        The configuration as read from YAML.

    Raises
    ------
    InputError
        Naming the first wrong key, its value, what was expected, and for a misspelt key the nearest one.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from jsonschema.validators import extend

    _refuse_other_keys(config, "")
    # YAML knows infinite numbers, and JSON's schema takes 9.0 for an integer, which Python's ranges do not.
    numbers = {
        "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda _, value: (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        ),
    }
    checker = Draft202012Validator.TYPE_CHECKER.redefine_many(numbers)
    errors = list(extend(Draft202012Validator, type_checker=checker)(_schema()).iter_errors(config))
    # A misspelt key often also makes a required one missing: the misspelling is the cause.
    misspelt = [error for error in errors if error.validator == "additionalProperties"]
    if errors:
        raise _as_input_error(misspelt[0] if misspelt else best_match(errors))
    for name, field in config["fields"].items():
        if "mock" in field:
            _check_mock_paths(name, field)
        for key in ("images", "reddening"):
            for filter_name in field.get(key, {}):
                if filter_name != "ebv":
                    get_filter(filter_name, f"configuration key fields.{name}.{key}")
        reddening = field.get("reddening", {"ebv": 0.0})
        for band in field.get("images", {}) if "ebv" not in reddening else ():
            if band not in reddening:
                raise InputError(
                    f"configuration key fields.{name}.reddening",
                    f"filters {', '.join(reddening)}",
                    f"every filter of the images, so {band} too",
                )
        for band, image in field.get("images", {}).items():
            if "sha256" in image and not image["sci"].startswith(("http://", "https://")):
                raise InputError(
                    f"configuration key fields.{name}.images.{band}.sha256", f"a checksum of {image['sci']!r}",
                    "a URL as `sci`: only downloads are compared", "Leave the checksum out.",
                )  # fmt: skip
            if image.get("psf") == image["sci"]:
                raise InputError(
                    f"configuration key fields.{name}.images.{band}.psf", f"{image['psf']!r}, the science image", "an image of a point source",
                    "Leave `psf` out to have it built from stars.",
                )  # fmt: skip
        taken: dict[str, str] = {}
        for band, image in field.get("images", {}).items():
            other = taken.setdefault(image["sci"], band)
            if other != band:
                raise InputError(
                    f"configuration key fields.{name}.images.{band}.sci", f"{image['sci']!r}, as for {other}", "a file of its own",
                    "Correct the path: one image is not two filters.",
                )  # fmt: skip
        settings = field_settings(config, name)
        _check_order(name, settings)
        # Fields may share the section, and not every one has every filter.
        shared = [field] if "detection" in field else config["fields"].values()
        known = {band for other in shared for band in other.get("images", {})}
        for band in settings["detection"]["stack"] if "images" in field else ():
            if band not in known:
                raise InputError(
                    f"configuration key detection.stack for field {name}",
                    f"{band}, of which there are no images",
                    f"filters of the images: {', '.join(sorted(known))}",
                )
        for key, (low, high) in settings["sed"]["bounds"].items():
            if not low < high:
                raise InputError(
                    f"configuration key sed.bounds.{key} for field {name}",
                    f"[{low:g}, {high:g}]",
                    "low < high",
                )
        for key in ("mass_filter", "error_floor", "mag_limit_ab"):
            value = settings["sed"].get(key, [])
            for filter_name in (
                [value] if isinstance(value, str) else value if isinstance(value, dict) else []
            ):
                get_filter(filter_name, f"configuration key sed.{key} for field {name}")
        if (
            settings["sed"]["limits"] == "paper"
            and "photometry" in field
            and "mag_limit_ab" not in settings["sed"]
        ):
            raise InputError(
                f"configuration key sed.limits for field {name}",
                "'paper' for a photometry field, which has no images to measure depths from",
                "the magnitude limits of its filters",
                "Give them in `sed.mag_limit_ab`, or use `limits: flux`.",
            )
        if settings["hosts"]["reference_sfh"] == "ssp":
            raise InputError(
                f"configuration key hosts.reference_sfh for field {name}", "'ssp', a burst, which has no star-formation rate", "a history with rates, such as exp_free",
                "Hosts are compared by mass and rate; `hosts.sfh` may have it beside others.",
            )  # fmt: skip
        for section in ("sed", "hosts"):
            reference, fitted = settings[section]["reference_sfh"], settings[section]["sfh"]
            if reference not in fitted:
                raise InputError(
                    f"configuration key {section}.reference_sfh for field {name}",
                    repr(reference),
                    f"one of the fitted {section}.sfh: {', '.join(fitted)}",
                )


def _defaults(section: str) -> dict[str, Any]:
    properties = _schema()["$defs"][section]["properties"]
    return {key: spec["default"] for key, spec in properties.items() if "default" in spec}


def field_settings(config: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """Method settings of one field: defaults, then the top level's, then the field's own.

    Returns
    -------
    dict
        Section name -> its keys, and ``run`` and ``downloads``, which all fields share.
    """
    field = config["fields"][name]
    merged = {
        section: {**_defaults(section), **config.get(section, {}), **field.get(section, {})}
        for section in METHOD_SECTIONS
    }
    for section in COMMON_SECTIONS:
        merged[section] = {**_defaults(section), **config.get(section, {})}
    return merged


def _rows(schema: dict[str, Any], prefix: str) -> Iterator[tuple[str, ...]]:
    branches = [schema]
    for keyword in ("then", "else"):
        branches += [schema[keyword], *schema[keyword].values()] if keyword in schema else []
    for branch in branches:
        for key, spec in branch.get("properties", {}).items() if isinstance(branch, dict) else ():
            if "description" not in spec:
                continue
            kind = spec.get("type") or ("one of " + ", ".join(spec["enum"]) if "enum" in spec else "")
            if spec.get("$ref", "").startswith("#/$defs/"):
                kinds = {"path": "path", "sfh": "SFH", "number_pair": "two numbers"}
                kind = kinds.get(spec["$ref"].split("/")[-1], "object")
            default = f"`{spec['default']}`" if "default" in spec else ""
            yield (
                f"`{prefix}{key}`",
                str(kind),
                spec.get("unit", ""),
                default,
                spec.get("source", ""),
                spec["description"],
            )


def document() -> str:
    """Markdown tables of every key: type, unit, default, source, meaning."""
    definitions = _schema()["$defs"]
    parts = []
    for section in (
        "field",
        "catalogue",
        "clumps",
        "image",
        "lens",
        "mock",
        "mock_population",
        *METHOD_SECTIONS,
        *COMMON_SECTIONS,
    ):
        rows = list(_rows(definitions[section], ""))
        if not rows:
            continue
        parts += [f"## {section}", "", definitions[section]["description"], ""]
        parts += ["| key | type | unit | default | source | meaning |", "|---|---|---|---|---|---|"]
        parts += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows] + [""]
    return "\n".join(parts)
