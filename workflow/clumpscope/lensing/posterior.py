"""Lenstool's posterior samples (bayes.dat), applied to the potentials of a model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.cosmology import FLRW

from ..errors import InputError
from .parameter_file import changed_cosmology
from .parameters import potential_row
from .potentials import CUT, STRENGTH
from .potfile import ScalingRelation
from .samples_file import read_samples

__all__ = ["Posterior", "Potential", "read_posterior"]

Array = np.ndarray

# What a column of bayes.dat is called, and the parameter it stands for.
_PARAMETERS = {
    "x": "x_centre", "y": "y_centre", "emass": "ellipticite", "epot": "ellip_pot", "theta": "angle_pos",
    "rc": "core_radius", "rs": "core_radius", "rcut": "cut_radius", "r200": "cut_radius", "sigma": "v_disp",
    "gamma": "gamma", "kappa": "kappa", "c": "beta", "M200": "masse",
}  # fmt: skip
_POTENTIAL = re.compile(r"^(?P<name>\S+)\s*:\s*(?P<what>\w+)")
_POTFILE = re.compile(r"^Pot(?P<number>\d*)\s+(?P<what>\w+)")
_COSMOLOGY = ("omegaM", "omegaX", "wX", "wa")
# Columns that do not change the deflection: bookkeeping, redshifts of the constraints, noise.
_IGNORED = re.compile(
    r"^(Nsample|ln\(|Chi2|Redshift|Sigpos|sigpos|Sigell|X src|Y src|src )|evidence", re.IGNORECASE
)
# Digits that a parameter file keeps: members of one potfile share sigma* and cut* only so far.
_SAME_SIGMA, _SAME_CUT = 2e-3, 2e-2


@dataclass(frozen=True)
class Potential:
    """A potential as it is read: name, Lenstool's profile number, parameters, redshift, and the potfile that made it, if known."""

    name: str
    profile: int
    values: dict[str, float]
    place: str
    z_lens: float
    potfile: int | None = None


@dataclass(frozen=True)
class _Scaled:
    """Members of one potfile, and the columns that its scaling relation takes from the samples.

    `unit` is the strength of each member for v_disp = 1 km/s.
    """

    relation: ScalingRelation
    indices: Array
    mags: Array
    unit: Array
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
    cosmologies : tuple of astropy.cosmology.FLRW
        Of every realisation, where the cosmology is sampled.
    """

    best: Array
    table: Array
    rows: dict[int, Array] = field(repr=False)
    scaled: tuple[_Scaled, ...] = field(repr=False)
    cosmologies: tuple[FLRW, ...] = field(default=(), repr=False)

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
                rows[chosen, STRENGTH] = group.unit * v_disp**2
            if value.keys() & {"rcut", "rcut_slope"}:
                cut = value.get("rcut", relation.cut_radius)
                rows[chosen, CUT] = cut * relation.cut_factor(group.mags, value.get("rcut_slope"))
        return rows


def read_posterior(
    path: Path,
    potentials: list[Potential],
    relations: list[ScalingRelation | None],
    best: Array,
    cosmology: FLRW,
) -> Posterior:
    """Read samples and tie every column to what it changes.

    Parameters
    ----------
    path : pathlib.Path
        bayes.dat: a line '#name' for every column, then the numbers.
    potentials : list of Potential
        Of the best model, in its order.
    relations : list of (ScalingRelation or None)
        Of its potfiles, in their order; None where one is switched off.
    best : (n_potentials, n_fields) array
        Rows of the best model.
    cosmology : astropy.cosmology.FLRW
        Of the best model.

    Raises
    ------
    InputError
        Missing file, broken lines, or columns that the model has not.
    """
    columns, table = read_samples(path)
    by_potential: dict[int, dict[str, Array]] = {}
    by_potfile: dict[int, dict[str, int]] = {}
    by_cosmology: dict[str, Array] = {}
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
            potfile = int(match["number"] or 0)
            if potfile >= len(relations) or relations[potfile] is None:
                raise InputError(place, f"{len(relations)} potfile sections", "the scaling relation it belongs to",
                                 "Put the model's bestopt.par or input .par beside it.")  # fmt: skip
            if match["what"] not in ("sigma", "rcut", "sigma_slope", "rcut_slope"):
                raise InputError(place, "an unknown parameter of a potfile", "rcut, sigma or their slopes")
            by_potfile.setdefault(potfile, {})[match["what"]] = number
        elif column in _COSMOLOGY:
            by_cosmology[column] = table[:, number]
        else:
            raise InputError(place, "an unknown parameter",
                             "parameters of potentials and potfiles, as 'O1 : x (arcsec)' or 'Pot0 sigma (km/s)', "
                             f"or {', '.join(_COSMOLOGY)}")  # fmt: skip
    rows = {
        index: potential_row(
            potentials[index].profile,
            {**potentials[index].values, **values},
            potentials[index].z_lens,
            cosmology,
            str(path),
        )
        for index, values in by_potential.items()
    }
    members = _members(potentials, relations, set(rows))
    scaled = []
    for number, what in by_potfile.items():
        if not len(members[number]):
            raise InputError(f"{path}, potfile {number}", "no galaxy of the model that follows its scaling relation",
                             "the galaxies of the potfile", "These samples belong to another model.")  # fmt: skip
        own = [potentials[index].values for index in members[number]]
        mags, v_disp = np.array([[values["mag"], values["v_disp"]] for values in own]).T
        unit = best[members[number], STRENGTH] / v_disp**2
        scaled.append(_Scaled(relations[number], members[number], mags, unit, what))
    cosmologies: tuple[FLRW, ...] = ()
    if by_cosmology:
        bound = [p.name for index, p in enumerate(potentials) if index in rows and p.profile in (7, 12)]
        if bound:
            raise InputError(f"{path}, columns {', '.join(by_cosmology)}", f"the mass of potential {bound[0]} depends on the cosmology",
                             "a sampled cosmology with isothermal potentials only")  # fmt: skip
        cosmologies = tuple(
            changed_cosmology(cosmology, {name: float(values[k]) for name, values in by_cosmology.items()})
            for k in range(len(table))
        )
    return Posterior(best, table, rows, tuple(scaled), cosmologies)


def _potential_indices(names: list[str], potentials: list[Potential]) -> dict[str, int]:
    """Which potential each name of the samples means.

    In the models that Lenstool writes, optimised potentials have the names of the samples: O before that of the input. In
    an input they may lack the O; older versions counted them, O1, O2, ..., whatever they were called.
    """
    own = set(names)
    exact: dict[str, int] = {}
    without: dict[str, int] = {}
    for index, potential in enumerate(potentials):
        exact.setdefault(potential.name, index)
        if potential.potfile is None:
            without.setdefault(f"O{potential.name}", index)
    counted = {f"O{number}": number - 1 for number in range(1, len(own) + 1)}
    for found in (exact, {**without, **exact}, counted):
        if own <= found.keys():
            return {name: found[name] for name in own}
    return {name: exact[name] for name in own if name in exact}


def _members(
    potentials: list[Potential], relations: list[ScalingRelation | None], optimised: set[int]
) -> list[Array]:
    """Indices of the galaxies of each potfile.

    A best.par lists all galaxies alike, but those of one potfile share sigma* and r_cut*, and potfile follows
    potfile. Galaxies that share them with no other are potentials of their own, as long as enough groups remain.
    """
    if any(potential.potfile is not None for potential in potentials):
        return [
            np.array(
                [i for i, p in enumerate(potentials) if p.potfile == number and p.values["mag"]], dtype=int
            )
            for number in range(len(relations))
        ]
    groups: list[Array] = [np.array([], dtype=int)] * len(relations)
    kinds = [r and (r.profile, r.sigma_slope, r.cut_slope) for r in relations]
    for kind in filter(None, dict.fromkeys(kinds)):
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
