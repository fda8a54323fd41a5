"""The same clump in several images of one galaxy: found in the source plane, its intrinsic quantities compared."""

from collections.abc import Iterator

import numpy as np
from astropy.table import Table, hstack

from ...flags import has
from ..models.model import LensModel
from .systems import compare_systems

__all__ = ["chances", "counterparts", "match_clumps"]

Array = np.ndarray
# Distances in the source plane [arcsec]: of one clump in two images once the images are laid upon one another (errors
# of position, and of the model's shear over a galaxy), and of the images themselves (what models leave, at most).
_SAME_CLUMP, _SAME_GALAXY = 0.06, 0.6
# Copies of an image's clumps, turned by equal angles and mirrored as often, of which chance is asked.
_TURNS = 12
_UNUSABLE = ("near_critical", "outside_model", "not_lensed", "fit_failed", "few_pixels")


def match_clumps(positions: list[Array]) -> list[list[tuple[int, int]]]:
    """Find the clumps that several images of a galaxy share.

    Parameters
    ----------
    positions : list of (n, 2) arrays
        Of each image's clumps in the source plane [arcsec].

    Returns
    -------
    list of list of (int, int)
        For every clump found in two images or more: (image, row of its positions).

    Notes
    -----
    A model leaves the images of one galaxy apart, often by more than its clumps are from one another. Each image is
    therefore first shifted onto the one with the most clumps: by the shift, from all between pairs of clumps, which
    brings most clumps together, and the smaller of two that bring as many. Then clumps nearest to each other, and
    nearer than 0.06 arcsec, are the same. Brightness plays no part, so that it can be compared.
    """
    reference = _reference(positions)
    groups: dict[int, list[tuple[int, int]]] = {}
    for image, own in enumerate(positions):
        if image != reference:
            for first, second in _pairs(positions[reference], own):
                groups.setdefault(first, [(reference, first)]).append((image, second))
    return [groups[first] for first in sorted(groups)]


def chances(positions: list[Array]) -> Array:
    """Probability that clumps which are not the same find as many partners as those of every image did.

    Parameters
    ----------
    positions : list of (n, 2) arrays
        As in `match_clumps`.

    Returns
    -------
    (n_images,) array
        Share of the copies of an image's clumps, turned about their middle by multiples of 30 degrees and mirrored, of which
        as many or more fall on those of the image with the most clumps; the image as it is counts as one. 1 where there are
        no pairs; of the image with the most clumps the smallest of the others.
    """
    reference = _reference(positions)
    result = np.ones(len(positions))
    for image, own in enumerate(positions):
        found = 0 if image == reference else len(_pairs(positions[reference], own))
        if found:
            result[image] = np.mean(
                [len(_pairs(positions[reference], copy)) >= found for copy in _copies(own)]
            )
    result[reference] = np.delete(result, reference).min(initial=1.0)
    return result


def _copies(own: Array) -> Iterator[Array]:
    """Positions (n, 2) turned about their middle, and mirrored."""
    middle = own.mean(axis=0)
    plane = (own - middle) @ [1.0, 1.0j]
    for turn in np.exp(2j * np.pi * np.arange(_TURNS) / _TURNS):
        for turned in (turn * plane, turn * plane.conj()):
            yield middle + np.column_stack([turned.real, turned.imag])


def _reference(positions: list[Array]) -> int:
    return int(np.argmax([len(own) for own in positions]))


def _pairs(reference: Array, own: Array) -> list[tuple[int, int]]:
    """Rows of clumps that are the same, after the shift that brings most together."""
    best: tuple = ()
    shifts = (reference[:, None] - own[None]).reshape(-1, 2)
    for shift, length in zip(shifts, np.hypot(*shifts.T), strict=True):
        if length <= _SAME_GALAXY:
            pairs = _mutual(reference, own + shift)
            best = max(best, (len(pairs), -length, pairs)) if best else (len(pairs), -length, pairs)
    return best[2] if best else []


def _mutual(one: Array, two: Array) -> list[tuple[int, int]]:
    distance = np.hypot(*np.moveaxis(one[:, None] - two[None], 2, 0))
    nearest, back = distance.argmin(axis=1), distance.argmin(axis=0)
    return [(i, int(j)) for i, j in enumerate(nearest) if back[j] == i and distance[i, j] <= _SAME_CLUMP]


def counterparts(model: LensModel, catalogue: Table, n_samples: int = 100) -> Table:
    """Compare the clumps that are seen in several images of one galaxy.

    Parameters
    ----------
    model : LensModel
        With deflections.
    catalogue : Table
        Clumps: id, galaxy, system, ra, dec, z, flags, filter_ref, flux_<F>_njy and flux_<F>_err_njy, log_mass_p16,
        log_mass_p50, log_mass_p84 (intrinsic). Those without a usable measurement or magnification are left out.
    n_samples : int
        Posterior realisations used for the errors.

    Returns
    -------
    Table
        One row a clump with a counterpart, as `systems.compare_systems` with a ``system`` for every group; galaxy,
        chance (of `chances`: counterparts are known where it is small, which takes three clumps or more), filter,
        intrinsic_flux_njy with _err (of the flux alone), and the masses of the catalogue.
    """
    good = ~np.asarray(has(np.asarray(catalogue["flags"]), _UNUSABLE), dtype=bool)
    usable = catalogue[good & (np.asarray(catalogue["z"], dtype=float) > model.z_lens)]
    system, galaxy = (np.asarray(usable[name]).astype(str) for name in ("system", "galaxy"))
    chosen, groups, chance = [], [], []
    for name in dict.fromkeys(system):
        images = [
            np.flatnonzero((system == name) & (galaxy == g)) for g in dict.fromkeys(galaxy[system == name])
        ]
        if len(images) < 2:
            continue
        z = float(usable["z"][images[0][0]])
        traced = [
            np.column_stack(model.source_position(usable["ra"][i], usable["dec"][i], z)) for i in images
        ]
        by_chance = chances(traced)
        for number, group in enumerate(match_clumps(traced), start=1):
            chosen += [images[image][row] for image, row in group]
            chance += [by_chance[image] for image, _ in group]
            groups += [f"{name}.{number}"] * len(group)
    rows = usable[chosen]
    rows["system"], rows["chance"] = np.array(groups, dtype="U64"), np.array(chance, dtype=float)
    rows["flux_njy"], rows["flux_njy_err"], rows["filter"] = _one_filter(rows)
    table = compare_systems(model, rows, n_samples, ("flux_njy", "flux_njy_err"))
    if not len(table):
        return table
    table.rename_column("intrinsic_flux_njy_err", "intrinsic_flux_njy_err_fit")
    return hstack([table, rows["galaxy", "chance", "filter", "log_mass_p16", "log_mass_p50", "log_mass_p84"]])


def _one_filter(rows: Table) -> tuple[Array, Array, Array]:
    """Flux and error in one filter for each group: the reference filter of its first clump."""
    first: dict[str, str] = {}
    for group, filter_ref in zip(rows["system"], rows["filter_ref"], strict=True):
        first.setdefault(str(group), str(filter_ref))
    names = [first[str(group)] for group in rows["system"]]
    flux, error = (
        np.array([float(row[f"flux_{name}_{end}"]) for row, name in zip(rows, names, strict=True)])
        for end in ("njy", "err_njy")
    )
    return flux, error, np.array(names, dtype="U8")
