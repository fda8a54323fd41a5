"""Lens models of Lenstool (Jullo et al. 2007, New J. Phys. 9, 447): parameter files and posterior samples."""

import os
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...cosmology import COSMOLOGY, arcsec_per_kpc
from ...errors import InputError
from ..models.parametric import ParametricModel
from .named_potentials import Potential
from .parameter_file import Section, cosmology_of, n_potentials, read_sections, reference_of
from .parameters import check_profile, potential_row, values_of
from .posterior import read_posterior
from .potfile import ScalingRelation, members_of, scaling_relation

if TYPE_CHECKING:
    from astropy.cosmology import FLRW

__all__ = ["read_lenstool"]

# Lenstool's number of the dual pseudo-isothermal profile.
_DPIE = 81
# Velocity dispersion [km/s] beyond that of any cluster.
_HIGHEST_SPEED = 5000.0
# Redshifts of potentials that differ by less are one plane, written with different care.
_SAME_PLANE = 0.005


def read_lenstool(
    path: str | os.PathLike,
    samples: str | os.PathLike | None = None,
    z_lens: float | None = None,
    relations: str | os.PathLike | None = None,
) -> ParametricModel:
    """Read a parametric lens model of Lenstool.

    Parameters
    ----------
    path : path-like
        ``best.par``, ``bestopt.par`` or an input ``.par`` with its potfiles beside it; old and new keywords.
    samples : path-like, optional
        Posterior samples, ``bayes.dat``; every parameter it names is applied to every realisation,
        those of a potfile through its scaling relation.
    z_lens : float, optional
        Redshift the lens must have; read from the model when missing.
    relations : path-like, optional
        Parameter file with the potfiles that a best.par came from, such as ``bestopt.par``; looked for beside it when missing.

    Returns
    -------
    ParametricModel
        With the model's own cosmology, where the file states one.

    Raises
    ------
    InputError
        Missing or truncated file, unknown profile, samples of another model.

    Notes
    -----
    Profiles and their parameters mean what they mean in Lenstool: `potentials.PROFILES` lists those known. The
    relations of a best.par's potfiles, which it does not hold itself, are read from `relations`. The
    redshift of the first potential is that of the main plane; potentials at others (groups behind the cluster, galaxies
    in front) lens in their own, and the positions of all are those seen on the sky.
    """
    path = Path(path)
    sections = read_sections(path)
    reference, cosmology = reference_of(sections, str(path)), cosmology_of(sections)
    bodies = [section for section in sections if section.keyword == "potentiel"]
    potfiles = [section for section in sections if section.keyword.startswith("potfile")]
    placed = [s for s in (*bodies, *potfiles) if s.keyword == "potentiel" or _is_on(s)]
    if not placed:
        raise InputError(str(path), "no potential", "at least one section 'potentiel'")
    planes: dict[float, float] = {}  # redshift as it is written -> that of its plane
    for section in placed:
        z = section.number("zlens")
        if z <= 0.0:
            raise InputError(section.place, f"a lens at redshift {z:g}", "a positive redshift")
        planes.setdefault(z, next((p for p in planes.values() if abs(p - z) <= _SAME_PLANE), z))
    z_model = planes[placed[0].number("zlens")]
    if z_lens is not None and abs(z_lens - z_model) > _SAME_PLANE:
        raise InputError("configuration key lens.z_lens", f"{z_lens:g}", f"{z_model:g}, as {path} says")

    potentials = []
    for section in bodies:
        z = planes[section.number("zlens")]
        values = values_of(section, reference, _arcsec_per_kpc(cosmology, z))
        number = check_profile(section.number("profil"), section.place)
        if not 0.0 <= values.get("v_disp", 0.0) < _HIGHEST_SPEED:
            raise InputError(
                section.place, f"v_disp {values['v_disp']:g}", f"km/s, from 0 to {_HIGHEST_SPEED:g}"
            )
        core, cut = values.get("core_radius", 0.0), values.get("cut_radius", np.inf)
        if number == _DPIE and 0.0 < cut < core:
            raise InputError(
                section.place,
                f"cut_radius {cut:g}, core_radius {core:g} [arcsec]",
                "a cut radius larger than the core's",
            )
        name = section.name.split(" ")[0]
        potentials.append(Potential(name, number, values, section.place, z))
    scaled = _relations(potfiles, cosmology)
    for number, relation in enumerate(scaled):
        if relation is None:
            continue
        potentials += [
            Potential(member.name, relation.profile, member.values, relation.place, planes[relation.z_lens], number)
            for member in members_of(relation, path.parent, reference)
        ]  # fmt: skip
    potentials = potentials[: n_potentials(sections)]
    rows = np.array([potential_row(p.profile, p.values, p.z_lens, cosmology, p.place) for p in potentials])
    redshifts = np.array([potential.z_lens for potential in potentials])
    model = ParametricModel(
        reference=reference, z_lens=z_model, cosmology=cosmology,
        profiles=np.array([potential.profile for potential in potentials]), rows=rows, redshifts=redshifts,
    )  # fmt: skip
    if samples is None:
        return model
    if not any(scaled):
        scaled = (
            _relations_of(Path(relations), cosmology) if relations else _relations_beside(path, cosmology)
        )
    # Limits are those of an optimisation; without them the values are its result.
    optimised = not any(section.keyword == "limit" for section in sections)
    return model.with_samples(read_posterior(Path(samples), potentials, scaled, rows, cosmology, optimised))


def _arcsec_per_kpc(cosmology: "FLRW", z: float) -> float:
    return float(arcsec_per_kpc(z) if cosmology is COSMOLOGY else cosmology.arcsec_per_kpc_proper(z).value)


def _is_on(section: Section) -> bool:
    return section.lines.get("filein", ["0"])[0] != "0"


def _relations(potfiles: list[Section], cosmology: "FLRW") -> list[ScalingRelation | None]:
    return [
        scaling_relation(section, _arcsec_per_kpc(cosmology, section.number("zlens")))
        if _is_on(section)
        else None
        for section in potfiles
    ]


def _relations_beside(path: Path, cosmology: "FLRW") -> list[ScalingRelation | None]:
    """Scaling relations of the parameter file that a best.par came from: bestopt.par, input.par or another one.

    Of others the one whose name is most like the model's.
    """
    named = [path.with_name(name) for name in ("bestopt.par", "input.par")]
    others = [
        p for p in sorted(path.parent.glob("*.par")) if p not in (path, *named) and not p.name.startswith(".")
    ]
    others.sort(key=lambda other: -SequenceMatcher(None, other.name, path.name).ratio())
    for candidate in (*named, *others):
        if candidate.is_file() and any(relations := _relations_of(candidate, cosmology)):
            return relations
    return []


def _relations_of(path: Path, cosmology: "FLRW") -> list[ScalingRelation | None]:
    return _relations([s for s in read_sections(path) if s.keyword.startswith("potfile")], cosmology)
