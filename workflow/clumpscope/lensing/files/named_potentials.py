"""The potentials of a model as they are read: which one a name means, and which of them a potfile made."""

from dataclasses import dataclass

import numpy as np

from .potfile import ScalingRelation

__all__ = ["Potential", "indices_of", "members"]

Array = np.ndarray
# Digits that a parameter file keeps: members of one potfile share sigma* and cut* only so far.
_SAME_SIGMA, _SAME_CUT = 2e-3, 2e-2


@dataclass(frozen=True)
class Potential:
    """A potential: name, Lenstool's profile number, parameters, redshift, and the potfile that made it, if known."""

    name: str
    profile: int
    values: dict[str, float]
    place: str
    z_lens: float
    potfile: int | None = None


def indices_of(names: set[str], potentials: list[Potential]) -> dict[str, int]:
    """Which potential each name of the samples means.

    In the models that Lenstool writes, optimised potentials have the names of the samples: O before that of the input. In
    an input they may lack the O; older versions counted them, O1, O2, ..., whatever they were called.
    """
    exact: dict[str, int] = {}
    without: dict[str, int] = {}
    for index, potential in enumerate(potentials):
        exact.setdefault(potential.name, index)
        if potential.potfile is None:
            without.setdefault(f"O{potential.name}", index)
    counted = {f"O{number}": number - 1 for number in range(1, len(names) + 1)}
    for found in (exact, {**without, **exact}, counted):
        if names <= found.keys():
            return {name: found[name] for name in names}
    return {name: exact[name] for name in names if name in exact}


def members(
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
