"""The configuration: checked against its schema, filled with defaults, documented from the same file."""

import difflib
from collections.abc import Iterator
from functools import cache
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
    "name_filters",
    "validate",
]

IMAGE_MAPS = ("sci", "err", "wht", "exp")
"""Keys of the files of one mosaic, beside its PSF."""

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
        return InputError(where, f"the unknown key {unknown!r}", f"one of {', '.join(sorted(known))}", remedy)
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return InputError(where, f"no key {missing[0]!r}", f"the keys {', '.join(error.validator_value)}")
    if error.validator == "not":
        return InputError(where, f"keys {', '.join(error.instance)}", "no keys that exclude each other",
                          "A photometry field has no images; a mosaic has err or wht, not both.")  # fmt: skip
    expected = {
        "type": f"a value of type {error.validator_value}",
        "enum": f"one of {', '.join(map(str, error.validator_value))}" if error.validator == "enum" else "",
        "pattern": f"text matching {error.validator_value}",
        "minProperties": "at least one entry",
    }.get(error.validator, f"{error.validator} {error.validator_value}")
    return InputError(where, repr(error.instance)[:80], expected, error.schema.get("description", ""))


def name_filters(config: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Call the filters of images and reddening by their names here, whatever the user calls them.

    Returns
    -------
    config : dict
        A copy.
    taken : list of str
        What was taken for each name that is not one of ours.

    Raises
    ------
    InputError
        If no filter is meant, or two names mean the same one.
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
    return {**config, "fields": copies}, taken


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every text in a piece of the configuration, with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(part, f"{where}.{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _texts(part, f"{where}.{number}")


def _check_mock_paths(name: str, field: dict[str, Any]) -> None:
    """Refuse a mock field's inputs outside its own folder: what a failed job was to make is deleted."""
    folder = f"results/{name}/input/"
    made = {key: field[key] for key in ("galaxies", "images") if key in field}
    needed = [
        key for key, _ in _texts(made, "") if key.endswith((".galaxies", *(f".{m}" for m in IMAGE_MAPS)))
    ]
    for key, text in _texts(field, ""):
        inside = text.startswith(folder)
        if (key in needed and not inside) or (inside and ".." in Path(text).parts):
            raise InputError(
                f"configuration key fields.{name}{key}", repr(text),
                f"a path below {folder} without '..'", "There the mock's inputs are made.",
            )  # fmt: skip


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

    errors = list(Draft202012Validator(_schema()).iter_errors(config))
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
        settings = field_settings(config, name)
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
        if settings["injection"]["correct_errors"] and not settings["injection"]["clumps"]:
            raise InputError(
                f"configuration key injection.correct_errors for field {name}",
                "true without injected clumps",
                "injected clumps that tell how errors are to be corrected",
                "Give their number a galaxy in `injection.clumps`: some 300 in the field.",
            )
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
