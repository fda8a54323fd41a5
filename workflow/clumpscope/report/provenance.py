"""What a run was made from: versions, configuration, inputs and seed; the same text for the same run of the same checkout on any machine."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Any

from .. import __version__
from ..checksums import sha256_of
from ..errors import InputError
from ..files import replacing
from ..made_by import code_digest

__all__ = ["PACKAGES", "code_commit", "provenance", "remarks_on_results", "write_provenance"]

_PACKAGE = Path(__file__).resolve().parents[1]

PACKAGES = (
    "snakemake", "numpy", "scipy", "astropy", "photutils", "lmfit", "emcee", "nautilus-sampler", "numba", "pandas", "seaborn",
    "matplotlib", "astro-sedpy", "dust-extinction", "xarray", "h5netcdf", "arviz-stats", "fsps", "jinja2",
)  # fmt: skip
"""Packages whose versions are recorded, where they are installed."""

_CODE = (".", "../scripts", "../../rules", "../../resources", "../../Snakefile")
"""What products hang on, seen from the package."""

_MOST_KEYS = 5  # named of those that differ


def provenance(
    config: Mapping[str, Any], settings: Mapping[str, Any], inputs: Iterable[str | os.PathLike]
) -> dict[str, Any]:
    """Record of a run.

    Parameters
    ----------
    config : mapping
        The configuration.
    settings : mapping
        What it means: every field's method sections, with defaults.
    inputs : iterable of path-like
        Every input file.

    Returns
    -------
    dict
        clumpscope (version, digest of the code and, of a git checkout, the last commit that changed it), python, packages, seed, config, settings (by field, defaults included),
        inputs (size and SHA-256 by path). Of absolute paths only the file name is kept: where it lies says nothing about what it is.

    Raises
    ------
    InputError
        If an input is missing, or two inputs would have the same name.
    """
    files: dict[str, dict[str, Any]] = {}
    for path in sorted({str(path) for path in inputs}):
        name = _portable(path)
        if name in files:
            raise InputError(
                path, "a file of the same name in another folder", "different names or relative paths"
            )
        files[name] = _file(path)
    own = {"version": __version__, "code_sha256": code_digest()}
    return {
        "clumpscope": own | ({"commit": commit} if (commit := code_commit(_PACKAGE)) else {}),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "seed": config.get("run", {}).get("seed"),
        "config": _portable(config),
        "settings": _portable(settings),
        "inputs": files,
    }


def code_commit(package: str | os.PathLike) -> str | None:
    """The last commit that changed the code, "with changes" where files are no longer as committed; None where no git has them.

    Commits that change documentation or tests alone change no record.
    """

    def git(*words: str) -> str:
        command = ["git", "-C", os.fspath(package), *words, "--", *_CODE]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        commit = git("log", "-1", "--format=%H")
        changed = git("--no-optional-locks", "status", "--porcelain") if commit else ""
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + (" with changes" if changed else "") or None


def write_provenance(record: Mapping[str, Any], path: str | os.PathLike) -> None:
    """Write the record as JSON, the same bytes for the same record."""
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def remarks_on_results(
    path: str | os.PathLike, config: Mapping[str, Any], settings: Mapping[str, Any]
) -> list[str]:
    """What to know, before a run, of results that are there.

    Parameters
    ----------
    path : path-like
        Record of `write_provenance`; nothing is told where there is none.
    config, settings : mapping
        Those of the run that begins, as in `provenance`.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    told = []
    if record["clumpscope"]["code_sha256"] != code_digest():
        told.append(
            "The results here were made by another version of Clumpscope's code; what exists is kept."
            " `snakemake --forceall` makes everything anew."
        )
    before, now = record["config"].get("fields", {}), _portable(config["fields"])
    if others := sorted(set(before) - set(now)):
        told.append(
            f"The report and the provenance here are of another configuration ({', '.join(others)}) and will be replaced;"
            " products of its fields stay. To keep both reports, run in another folder."
        )
    for name in sorted(set(before) & set(now)):
        sections = record["settings"].get(name, {}), _portable(settings.get(name, {}))
        # A field's own sections are in its settings, with their defaults.
        fields = ({k: v for k, v in own[name].items() if k not in settings.get(name, {})} for own in (before, now))  # fmt: skip
        keys = [*_different(*fields), *_different(*sections)]
        if keys:
            more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
            told.append(
                f"The results of field {name} here were made with other values of {', '.join(keys[:_MOST_KEYS])}{more}: what is"
                " asked for now replaces them. To keep both, name the field otherwise, or run in another folder."
            )
    return told


def _different(before: Any, now: Any, key: str = "") -> list[str]:
    """Keys, joined by dots, at which two configurations differ."""
    if not (isinstance(before, Mapping) and isinstance(now, Mapping)):
        return [] if before == now else [key]
    parts = [name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name)]
    return [
        found
        for name in parts
        for found in _different(before.get(name), now.get(name), f"{key}.{name}".strip("."))
    ]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None  # not every deployment has every package


def _file(path: str) -> dict[str, Any]:
    if not os.path.exists(path):
        raise InputError(path, "no such file", "an input of the run")
    return {"bytes": os.path.getsize(path), "sha256": sha256_of(path)}


def _portable(value: Any) -> Any:
    """The same value with absolute paths cut to their last part."""
    if isinstance(value, Mapping):
        return {str(key): _portable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_portable(item) for item in value]
    if isinstance(value, str) and PurePath(value).is_absolute():
        return PurePath(value).name
    return value
