"""Lenstool's posterior samples (bayes.dat), applied to the potentials of a model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.cosmology import FLRW

from ..errors import InputError
from .parameters import potential_row
from .potentials import CUT, STRENGTH, einstein_arcsec
from .potfile import ScalingRelation

__all__ = ["Posterior", "Potential", "read_posterior"]

Array = np.ndarray

# What a column of bayes.dat is called, and the parameter it stands for.
_PARAMETERS = {
    "x": "x_centre", "y": "y_centre", "emass": "ellipticite", "epot": "ellip_pot", "theta": "angle_pos",
    "rc": "core_radius", "rs": "core_radius", "rcut": "cut_radius", "r200": "cut_radius", "sigma": "v_disp",
    "gamma": "gamma", "kappa": "kappa", "c": "beta", "M200": "masse",
}  # fmt: skip
_POTENTIAL = re.compile(r"^(?P<name>\S+)\s*:\s*(?P<what>\w+)")
_POTFILE = re.compile(r"^Pot(?P<number>\d+)\s+(?P<what>\w+)")
# Columns that do not change the deflection: bookkeeping, redshifts of the constraints, noise.
_IGNORED = re.compile(
    r"^(Nsample|ln\(|Chi2|Redshift|Sigpos|sigpos|Sigell|X src|Y src|src )|evidence", re.IGNORECASE
)
# Digits that a parameter file keeps: members of one potfile share sigma* and cut* only so far.
_SAME_SIGMA, _SAME_CUT = 2e-3, 2e-2


@dataclass(frozen=True)
class Potential:
    """A potential as it is read: name, Lenstool's profile number, parameters, and the potfile that made it, if known."""

    name: str
    profile: int
    values: dict[str, float]
    place: str
    potfile: int | None = None


@dataclass(frozen=True)
class _Scaled:
    """Members of one potfile, and the columns that its scaling relation takes from the samples."""

    relation: ScalingRelation
    indices: Array
    mags: Array
    columns: dict[str, int]


@dataclass(frozen=True)
class Posterior(Sequence):
    """Realisations of a model: a sequence of (n_potentials, n_fields) arrays, made when they are asked for.

    Attributes
    ----------
    best : (n_potentials, n_fields) array
        The best model's rows.
    table : (n_samples, n_columns) array
        The numbers of bayes.dat.
    """

    best: Array
    table: Array
    rows: dict[int, Array] = field(repr=False)
    scaled: tuple[_Scaled, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, sample: int) -> Array:
        rows = self.best.copy()
        for index, realisations in self.rows.items():
            rows[index] = realisations[sample]
        for group in self.scaled:
            value = {what: float(self.table[sample, column]) for what, column in group.columns.items()}
            relation, chosen = group.relation, group.indices
            if value.keys() & {"sigma", "sigma_slope"}:
                sigma = value.get("sigma", relation.v_disp)
                v_disp = sigma * relation.sigma_factor(group.mags, value.get("sigma_slope"))
                rows[chosen, STRENGTH] = einstein_arcsec(v_disp, 4.0 if relation.profile in (0, 1) else 6.0)
            if value.keys() & {"rcut", "rcut_slope"}:
                cut = value.get("rcut", relation.cut_radius)
                rows[chosen, CUT] = cut * relation.cut_factor(group.mags, value.get("rcut_slope"))
        return rows


def read_posterior(
    path: Path,
    potentials: list[Potential],
    relations: list[ScalingRelation],
    best: Array,
    z_lens: float,
    cosmology: FLRW,
) -> Posterior:
    """Read samples and tie every column to what it changes.

    Parameters
    ----------
    path : pathlib.Path
        bayes.dat: a line '#name' for every column, then the numbers.
    potentials : list of Potential
        Of the best model, in its order.
    relations : list of ScalingRelation
        Of its potfiles, in their order.
    best : (n_potentials, n_fields) array
        Rows of the best model.
    z_lens, cosmology
        Of the model.

    Raises
    ------
    InputError
        Missing file, broken lines, or columns that the model has not.
    """
    columns, table = _read_table(path)
    by_potential: dict[int, dict[str, Array]] = {}
    by_potfile: dict[int, dict[str, int]] = {}
    matches = [_POTENTIAL.match(column) for column in columns]
    indices = _potential_indices([m["name"] for m in matches if m], potentials)
    for number, (column, match) in enumerate(zip(columns, matches, strict=True)):
        place = f"{path}, column {column!r}"
        if _IGNORED.match(column):
            continue
        if match:
            if match["name"] not in indices or match["what"] not in _PARAMETERS:
                known = ", ".join(p.name for p in potentials[:6])
                raise InputError(place, "a parameter that the model has not",
                                 f"x, y, emass, theta, rc, rcut, sigma, gamma ... of potentials {known}, ...",
                                 "These samples belong to another model.")  # fmt: skip
            values = by_potential.setdefault(indices[match["name"]], {})
            values[_PARAMETERS[match["what"]]] = table[:, number]
        elif match := _POTFILE.match(column):
            if int(match["number"]) >= len(relations):
                raise InputError(place, f"{len(relations)} potfile sections", "the scaling relation it belongs to",
                                 "Put the model's bestopt.par or input .par beside it.")  # fmt: skip
            if match["what"] not in ("sigma", "rcut", "sigma_slope", "rcut_slope"):
                raise InputError(place, "an unknown parameter of a potfile", "rcut, sigma or their slopes")
            by_potfile.setdefault(int(match["number"]), {})[match["what"]] = number
        else:
            raise InputError(place, "an unknown parameter",
                             "parameters of potentials and potfiles, as 'O1 : x (arcsec)' or 'Pot0 sigma (km/s)'",
                             "Samples in which the cosmology is free are not supported.")  # fmt: skip
    rows = {
        index: potential_row(
            potentials[index].profile, {**potentials[index].values, **values}, z_lens, cosmology, str(path)
        )
        for index, values in by_potential.items()
    }
    members = _members(potentials, relations, set(rows))
    scaled = []
    for number, what in by_potfile.items():
        if not len(members[number]):
            raise InputError(f"{path}, potfile {number}", "no galaxy of the model that follows its scaling relation",
                             "the galaxies of the potfile", "These samples belong to another model.")  # fmt: skip
        mags = np.array([potentials[index].values["mag"] for index in members[number]])
        relation = relations[number]
        scaled.append(_Scaled(relation, members[number], mags, what))
    return Posterior(best, table, rows, tuple(scaled))


def _read_table(path: Path) -> tuple[list[str], Array]:
    if not path.is_file():
        raise InputError(str(path), "no such file", "posterior samples (bayes.dat)", "Correct the path.")
    columns: list[str] = []
    rows: list[str] = []
    for line in path.read_text(errors="replace").splitlines():
        if not line.startswith("#"):
            rows += [line] if line.strip() else []
        elif not rows:  # chains that were put together repeat the names further down
            columns.append(line.lstrip("#").strip())
    if not rows:
        raise InputError(str(path), "no samples", "rows of numbers below the '#' lines")
    lengths = [len(row.split()) for row in rows]
    if len(rows) > 1 and lengths[-1] < len(columns):
        rows.pop()  # a run that was stopped leaves its last row half written
        lengths.pop()
    for number, length in enumerate(lengths, start=1):
        if length != len(columns):
            raise InputError(
                f"{path}, sample {number}", f"{length} numbers", f"{len(columns)}, one per '#' line"
            )
    try:
        table = np.loadtxt(rows, ndmin=2)
    except ValueError as error:
        raise InputError(str(path), f"a word that is no number ({error})", "numbers") from None
    if not np.isfinite(table).all():
        sample, column = np.argwhere(~np.isfinite(table))[0]
        raise InputError(
            f"{path}, sample {sample + 1}", f"{columns[column]} {table[sample, column]}", "finite numbers"
        )
    return columns, table


def _potential_indices(names: list[str], potentials: list[Potential]) -> dict[str, int]:
    """Which potential each name of the samples means.

    Lenstool counts the optimised potentials O1, O2, ... in the order of its input, whatever they are called there;
    in the models it writes they have these names.
    """
    counted = {f"O{number}": number - 1 for number in range(1, len(potentials) + 1)}
    own = set(names)
    if own == set(list(counted)[: len(own)]):
        return {name: counted[name] for name in own}
    first: dict[str, int] = {}
    for index, potential in enumerate(potentials):
        first.setdefault(potential.name, index)
    return {name: first[name] for name in own if name in first}


def _members(
    potentials: list[Potential], relations: list[ScalingRelation], optimised: set[int]
) -> list[Array]:
    """Indices of the galaxies of each potfile.

    A best.par lists all galaxies alike, but those of one potfile share sigma* and r_cut*, and potfile follows
    potfile. Galaxies that share them with no other are potentials of their own, as long as enough groups remain.
    """
    if any(potential.potfile is not None for potential in potentials):
        return [
            np.array([i for i, potential in enumerate(potentials) if potential.potfile == number], dtype=int)
            for number in range(len(relations))
        ]
    groups: list[Array] = [np.array([], dtype=int)] * len(relations)
    kinds = [(relation.profile, relation.sigma_slope, relation.cut_slope) for relation in relations]
    for kind in dict.fromkeys(kinds):
        numbers = [number for number, own in enumerate(kinds) if own == kind]
        found = _sharing(potentials, relations[numbers[0]], optimised)
        several = [group for group in found if len(group) > 1]
        chosen = several if len(several) >= len(numbers) else found
        for number, group in zip(numbers[::-1], chosen[::-1], strict=False):
            groups[number] = np.array(group)
    return groups


def _sharing(potentials: list[Potential], relation: ScalingRelation, optimised: set[int]) -> list[list[int]]:
    """Galaxies grouped by the sigma* and r_cut* that this relation gives them, in the order of the model."""
    groups: list[tuple[tuple[float, float], list[int]]] = []
    for index, potential in enumerate(potentials):
        values = potential.values
        if index in optimised or potential.profile != relation.profile or not values.get("mag"):
            continue
        sigma = values["v_disp"] / relation.sigma_factor(values["mag"])
        cut = values.get("cut_radius", np.inf) / relation.cut_factor(values["mag"])
        for star, members in groups:
            if np.isclose(sigma, star[0], rtol=_SAME_SIGMA) and np.isclose(cut, star[1], rtol=_SAME_CUT):
                members.append(index)
                break
        else:
            groups.append(((sigma, cut), [index]))
    return [members for _, members in groups]
