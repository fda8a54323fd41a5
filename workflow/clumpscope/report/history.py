"""What one product was made by and from, in full: the digests of its header looked up in the logs of the jobs that made it and what it is made from."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..made_by import ORIGIN_IN_LOG, code_digest
from ..origin import OF_GALAXY, Origin, Stated, stated_in

__all__ = ["history"]

_WORDS = ("rule", "a file")  # no settings


def history(path: str | os.PathLike) -> str:
    """Page of text about a product of a run.

    Parameters
    ----------
    path : path-like
        A table, images, posteriors, a picture or a text below ``results/{field}/``, with the field's ``logs/`` still there.

    Returns
    -------
    str
        Version, code and seed; the settings of its own job and, rule by rule, of those before it, defaults included; the
        checksums of all given files behind it. A log that is not of the product's state does not lie: its digest is another one.

    Raises
    ------
    InputError
        If the file does not say what it was made from.
    """
    stated = stated_in(path) if Path(path).is_file() else None
    if stated is None:
        raise InputError(
            str(path), "no header that says what it was made from" if Path(path).is_file() else "no such file",
            "a table, image, picture or posteriors of a run of this version",
            "Indices, pages and thumbnails have no header: ask for the table or image that they show.",
        )  # fmt: skip
    field = next((folder for folder in Path(path).absolute().parents if (folder / "logs").is_dir()), None)
    known = _origins(field / "logs") if field else {}
    own = known.get(stated.identities[0])
    same = stated.creator.split("code ")[1].startswith(code_digest()[:12])
    lines = [
        f"{path}: {stated.creator} ({'the' if same else 'not the'} code of this installation)",
        f"settings {stated.settings}, inputs {stated.inputs}",
        *(_versions(field.parent / "provenance.json", stated) if field else []),
        "",
    ]
    if own is None:
        lines.append(
            "The log of its job is gone, or of another state: settings and inputs are not known in full."
        )
        return "\n".join(lines) + "\n"
    before, given, unknown = _behind(own, known)
    lines += [f"Settings of its job, {own.settings['rule']}:", *_told([own]), "", "Of the jobs before it:"]
    for rule in dict.fromkeys(origin.settings["rule"] for origin in before):
        jobs = [origin for origin in before if origin.settings["rule"] == rule]
        lines += [f"  {rule}, {len(jobs)} jobs:", *(f"  {line}" for line in _told(jobs))]
    lines += ["", "Checksums (SHA-256) of the given files behind it:"]
    lines += [f"  {digest}  {name}" for name, digest in sorted(given)]
    if unknown:
        lines += ["", "Logs that are gone, or of another state, of the jobs that made:"]
        lines += [f"  {name}" for name in sorted(unknown)]
    return "\n".join(lines) + "\n"


def _versions(path: Path, stated: Stated) -> Iterator[str]:
    """Commit, and versions of Python and packages, if the record beside the results is of the same code."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if f"code {record['clumpscope']['code_sha256'][:12]}" in stated.creator:
        if commit := record["clumpscope"].get("commit"):
            yield f"commit {commit}"
        packages = [f"{name} {version}" for name, version in record["packages"].items()]
        yield f"with Python {record['python']}, {', '.join(packages)}"


def _origins(logs: Path) -> dict[str, Origin]:
    """What the logs of a field say, by the identities of the products."""
    found: dict[str, Origin] = {}
    for log in sorted(logs.rglob("*.log")):
        with log.open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                _, told, content = line.partition(f" INFO {ORIGIN_IN_LOG} ")
                if told:
                    creator, settings, inputs, shared = json.loads(content)
                    origin = Origin(settings, [(role, name, names) for role, name, names in inputs], shared)
                    found |= dict.fromkeys(Stated(creator, *origin.digests).identities, origin)
    return found


def _behind(own: Origin, known: Mapping[str, Origin]) -> tuple[list[Origin], set[tuple[str, str]], set[str]]:
    """Jobs before one, the nearest first; names and checksums of given files; names of products whose logs are not there."""
    seen, given, unknown = {id(own): own}, set(), set()
    waiting = [own]
    while waiting:
        for role, name, identities in waiting.pop(0).inputs:
            for identity in identities if role != OF_GALAXY else ():
                if len(identity) == 64:
                    given.add((name, identity))
                elif (origin := known.get(identity)) is None:
                    unknown.add(name)
                elif id(origin) not in seen:
                    seen[id(origin)] = origin
                    waiting.append(origin)
    return [*seen.values()][1:], given, unknown


def _told(jobs: Iterable[Origin]) -> Iterator[str]:
    """Settings that jobs have in common, and which are of each of them."""
    each = [dict(_flat(origin.settings)) for origin in jobs]
    keys = list(dict.fromkeys(key for settings in each for key in settings if key not in _WORDS))
    common = {key for key in keys if all(key in s and s[key] == each[0].get(key) for s in each)}
    yield from (f"  {key}: {each[0][key]}" for key in keys if key in common and each[0][key] not in _WORDS)
    if other := [key for key in keys if key not in common]:
        yield f"  and, each its own, {', '.join(other)}"


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every value of nested settings with its place, joined by dots."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _flat(part, f"{place}.{key}".strip("."))
    else:
        yield place, value if isinstance(value, str) else json.dumps(value)
