"""What a product was made from: the settings of its job, and the job's inputs; these by what they were made from in turn, down to the files that were given.

Two digests stand in a product's header (card ``MADEFROM``). That of the settings is of all that the configuration and the product's
name tell its job, but for what changes no product: where files lie, and how many objects share a job. That of the inputs is of what
the headers of the job's inputs say, and of the checksums of files that no job made.
"""

import hashlib
import json
import mmap
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .checksums import sha256_of
from .logs import Job

__all__ = ["OF_GALAXY", "Origin", "Stated", "origin_of", "stated_in"]

_BATCH = ("clumps_per_job", "galaxies_per_job")
"""Parameters of jobs that share a work among them: how, must not show in what is made of all of them."""

_ELSEWHERE = (*_BATCH, "cache", "folder", "offline")
"""Parameters that change no product."""

_BY_GALAXY = "redshifts"
OF_GALAXY = "redshifts of the galaxy"
"""What those redshifts are to shared work that a parameter tells of each galaxy of a job: an input, no setting of all."""

_TOLD_WITH_HEADER = (".ecsv", ".fits", ".nc")
_GIVEN = ("downloads", "input", "unpacked")
"""Folders of a field in which files lie that are, or stand for, those of the user."""

_FILE = "a file"
_CREATOR = re.compile(rb"clumpscope \S+, code [0-9a-f]{12}(?:, seed \d+)?")
_MADE_FROM = re.compile(rb"settings ([0-9a-f]{16}), inputs ([0-9a-f+]{16,})")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


class Stated(NamedTuple):
    """What a header says: who made a product (card ``CREATOR``), with which settings, from which inputs (card ``MADEFROM``)."""

    creator: str
    settings: str
    inputs: str

    @property
    def identities(self) -> list[str]:
        """What other headers' inputs know the product by: one, or of one job of a batch as many as it has inputs.

        The union over the jobs of a batch is the same however the work is shared among them.
        """
        return [_digest([self.creator, self.settings, part]) for part in self.inputs.split("+")]


def stated_in(path: str | Path) -> Stated | None:
    """What the header of a table, of images or of posteriors says; None where it says nothing."""
    with open(path, "rb") as stream:
        if not Path(path).stat().st_size:
            return None
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            creator, made_from = _CREATOR.search(content), _MADE_FROM.search(content)
            if creator is None or made_from is None:
                return None
            return Stated(*(part.decode() for part in (creator[0], *made_from.groups())))


class Origin(NamedTuple):
    """What a job's products are made from; a list of the three is what the job's log says.

    Attributes
    ----------
    settings : dict
        Rule, wildcards and parameters, without files and without what changes no product.
    inputs : list of (str, str, list of str)
        What an input is to the job, its path (of `OF_GALAXY` its name), and its identities: of a file that was given its SHA-256.
    shared : bool
        Whether several jobs share the work, as suits the machine.
    """

    settings: dict[str, Any]
    inputs: list[tuple[str, str, list[str]]]
    shared: bool

    @property
    def digests(self) -> tuple[str, str]:
        """Digest of the settings, and of the inputs; of shared work those of all inputs."""
        parts = sorted({(role, name) for role, _, names in self.inputs for name in names})
        inputs = "+".join(sorted(map(_digest, parts))) if self.shared and parts else _digest(parts)
        return _digest(self.settings), inputs


def origin_of(job: Job) -> Origin:
    """What the products of a job are made from."""
    given = dict(job.params.items())
    shared = any(name in given for name in _BATCH)
    inputs: list[tuple[str, str, list[str]]] = []
    if shared:
        inputs += [(OF_GALAXY, galaxy, [_digest(z)]) for galaxy, z in given.pop(_BY_GALAXY, {}).items()]
    roles: dict[str, set[str]] = {path: set() for path in job.input}
    parameters = {
        name: _without_files(value, name, roles) for name, value in given.items() if name not in _ELSEWHERE
    }
    for name, paths in job.input.items():
        for path in [paths] if isinstance(paths, str) else paths:
            # A place among the parameters says more.
            roles[path] = roles[path] or {name}
    for path, places in roles.items():
        if names := _identities(path):
            inputs += [(place, path, names) for place in sorted(places or {""})]
    wildcards = {name: value for name, value in job.wildcards.items() if name not in ("field", "batch")}
    return Origin({"rule": job.rule, **wildcards, **parameters}, inputs, shared)


def _without_files(value: Any, place: str, roles: dict[str, set[str]]) -> Any:
    """A parameter without the paths of inputs, whose places in it are noted."""
    if isinstance(value, str) and value in roles:
        roles[value].add(place)
        return _FILE
    if isinstance(value, Mapping):
        return {str(key): _without_files(part, f"{place}.{key}", roles) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [
            _without_files(part, place if isinstance(part, str) else f"{place}.{number}", roles)
            for number, part in enumerate(value)
        ]
        # How many files there are may hang on how work is shared.
        return _FILE if parts and set(map(str, parts)) == {_FILE} else parts
    return value


def _identities(path: str) -> list[str]:
    """What an input is known by; nothing for an index of galaxies, of which a job sees its own row among its parameters."""
    folder, _, *inner = Path(path).parts if path.count("/") > 1 else ("", "", "")
    made_here = folder == "results" and inner[0] not in _GIVEN
    if made_here and path.endswith(".json"):
        return []
    stated = stated_in(path) if made_here and path.endswith(_TOLD_WITH_HEADER) else None
    return stated.identities if stated else [sha256_of(path)]
