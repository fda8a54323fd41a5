"""Lenstool's posterior samples (bayes.dat), applied to the potentials of a model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ..models.potentials import CUT, STRENGTH
from .named_potentials import Potential, indices_of, members
from .parameter_file import changed_cosmology
from .parameters import potential_row, sampled_values
from .potfile import ScalingRelation
from .sample_columns import Column, column_of
from .samples_file import read_samples

if TYPE_CHECKING:
    from astropy.cosmology import FLRW

__all__ = ["Posterior", "read_posterior"]

Array = np.ndarray

# Velocity dispersions and radii.
_POSITIVE = ("v_disp", "sigma", "core_radius", "cut_radius", "rcut")
# Samples beyond which their range tells whether they surround a model.
_ENOUGH_SAMPLES = 30


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
    cosmologies: "tuple[FLRW, ...]" = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, sample: int) -> Array:  # type: ignore[override]  # one at a time, no slices
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
    cosmology: "FLRW",
    optimised: bool,
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
    optimised : bool
        Whether the model's values are the result of the optimisation, as in best.par, not its start.

    Raises
    ------
    InputError
        Missing file, broken lines, columns that the model has not, or samples that are not around the model.
    """
    names, table = read_samples(path)
    places = [f"{path}, column {name!r}" for name in names]
    columns = [column_of(name, place) for name, place in zip(names, places, strict=True)]
    by_potential: dict[int, dict[str, Array]] = {}
    by_potfile: dict[int, dict[str, int]] = {}
    by_cosmology: dict[str, Array] = {}
    indices = indices_of({column.owner for column in columns if column.kind == "potential"}, potentials)
    seen: dict[Column, str] = {}
    for number, (column, place) in enumerate(zip(columns, places, strict=True)):
        if column.kind and column in seen:
            raise InputError(place, f"a second column of what {seen[column]!r} is already", "each parameter once",
                             "Take one of them out.")  # fmt: skip
        seen[column] = names[number]
        if column.parameter in _POSITIVE and (table[:, number] < 0.0).any():
            sample = int(np.argmax(table[:, number] < 0.0))
            raise InputError(
                f"{path}, sample {sample + 1}",
                f"{names[number]} {table[sample, number]:g}",
                "no number below zero",
            )
        if column.kind == "potential":
            if column.owner not in indices:
                raise InputError(place, "a potential that the model has not",
                                 f"potentials {', '.join(p.name for p in potentials[:6])}, ...",
                                 "These samples belong to another model.")  # fmt: skip
            by_potential.setdefault(indices[column.owner], {})[column.parameter] = table[:, number]
        elif column.kind == "potfile":
            potfile = int(column.owner)
            if potfile >= len(relations) or relations[potfile] is None:
                raise InputError(place, f"{len(relations)} potfile sections", "the scaling relation it belongs to",
                                 "Put the model's bestopt.par or input .par beside it, or name it: lens.relations.")  # fmt: skip
            by_potfile.setdefault(potfile, {})[column.parameter] = number
        elif column.kind == "cosmology":
            by_cosmology[column.parameter] = table[:, number]
    if optimised:
        _check_surrounded(path, potentials, by_potential)
    rows = {
        index: potential_row(
            potentials[index].profile,
            sampled_values(potentials[index].profile, potentials[index].values, values, str(path)),
            potentials[index].z_lens,
            cosmology,
            str(path),
        )
        for index, values in by_potential.items()
    }
    galaxies = members(potentials, relations, set(rows))
    scaled = []
    for number, what in by_potfile.items():
        if not len(galaxies[number]):
            raise InputError(f"{path}, potfile {number}", "no galaxy of the model that follows its scaling relation",
                             "the galaxies of the potfile", "These samples belong to another model.")  # fmt: skip
        own = [potentials[index].values for index in galaxies[number]]
        mags, v_disp = np.array([[values["mag"], values["v_disp"]] for values in own]).T
        unit = best[galaxies[number], STRENGTH] / v_disp**2
        scaled.append(_Scaled(relations[number], galaxies[number], mags, unit, what))
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


def _check_surrounded(
    path: Path, potentials: list[Potential], by_potential: dict[int, dict[str, Array]]
) -> None:
    """Refuse the samples of another model, most of whose ranges do not reach the values of this one."""
    found, n_parameters = [], 0
    for index, sampled in by_potential.items():
        for name, values in sampled.items():
            value = potentials[index].values.get(name)
            if value is None or len(values) < _ENOUGH_SAMPLES:
                continue
            n_parameters += 1
            low, high = values.min(), values.max()
            if name == "angle_pos":
                value += 180.0 * np.round((0.5 * (low + high) - value) / 180.0)
            if not low <= value <= high:
                found.append(
                    f"{name} of {potentials[index].name}: {value:g} in the model, {low:g} to {high:g} in the samples"
                )
    if len(found) > 0.5 * n_parameters:
        raise InputError(str(path), f"{len(found)} of {n_parameters} parameters that no sample reaches ({found[0]}; ...)",
                         "samples around the best model", "These samples belong to another model.")  # fmt: skip
