"""A user's Lenstool model as the lens of a mock field, with galaxies where its galaxies are."""

from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from ..lensing.files.lenstool import read_lenstool
from ..lensing.models.parametric import ParametricModel
from ..lensing.models.potentials import ANGLE, CUT, ELLIPTICITY, STRENGTH, X, Y
from .cluster import MAG_STAR, V_DISP_STAR_KMS, Member
from .lens import Lens

__all__ = ["GivenLens", "given_members", "read_given"]

_FAR = 9.0  # redshift at which deflections are asked for
_C_KMS = 299792.458
_LARGEST_CUT_ARCSEC = 60.0  # of a galaxy's halo; a cluster's reaches farther
_MAG_RANGE = (17.0, 23.0)
_EDGE_ARCSEC = 1.0
_ICL_MAG, _ICL_R_EFF_SHARE = 18.0, 0.28


@dataclass(frozen=True)
class GivenLens(Lens):
    """One realisation of a Lenstool model.

    Attributes
    ----------
    model : ParametricModel
    sample : int or None
        Posterior realisation; None: the best model.
    """

    potentials: tuple = ()
    model: ParametricModel | None = None
    sample: int | None = None
    ratios: dict[float, float] = field(default_factory=dict, repr=False, compare=False)  # those asked before

    @property
    def z_lens(self) -> float:
        """Redshift of the lens."""
        return self.model.z_lens

    def ratio(self, z: float) -> float:
        """D_LS / D_S in the model's cosmology."""
        if z not in self.ratios:
            self.ratios[z] = self.model.distance_ratio(z, self.sample)
        return self.ratios[z]

    def deflection(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Deflection [arcsec] for D_LS / D_S = 1."""
        dx, dy = np.asarray(self.model.deflection(x, y, _FAR, self.sample)) / self.ratio(_FAR)
        return dx, dy


def read_given(path: str, samples: str | None) -> tuple[GivenLens, list[GivenLens]]:
    """Best model and posterior realisations of Lenstool's files.

    Raises
    ------
    InputError
        Of `clumpscope.lensing.files.lenstool.read_lenstool`, or for a model of several planes, which this mock cannot draw.
    """
    model = read_lenstool(path, samples=samples)
    if model.redshifts is not None and np.ptp(model.redshifts) > 0:
        raise InputError(
            path, "potentials in several lens planes", "one plane", "Leave out those of the others."
        )
    return GivenLens(model=model), [GivenLens(model=model, sample=k) for k in range(model.n_samples)]


def given_members(best: GivenLens, size_arcsec: float) -> list[Member]:
    """Galaxies in the places and shapes of the model's compact potentials, as bright as their velocity dispersions say.

    The brightest is called BCG; intracluster light lies about it.
    """
    half = size_arcsec / 2 - _EDGE_ARCSEC
    members = []
    for profile, row in zip(best.model.profiles, best.model.rows, strict=True):
        if profile != 81 or row[CUT] > _LARGEST_CUT_ARCSEC or max(abs(row[X]), abs(row[Y])) > half:
            continue
        speed = _C_KMS * np.sqrt(max(np.deg2rad(row[STRENGTH] / 3600), 1e-12) / (6 * np.pi))
        mag = float(np.clip(MAG_STAR - 10 * np.log10(speed / V_DISP_STAR_KMS), *_MAG_RANGE))
        luminosity = 10 ** (-0.4 * (mag - MAG_STAR))
        ratio = float((1 - row[ELLIPTICITY]) / (1 + row[ELLIPTICITY]))  # of (a - b) / (a + b)
        members.append(
            Member(f"M{len(members) + 1:02d}", float(row[X]), float(row[Y]), mag, 0.7 * luminosity**0.4, 4.0,
                   ratio, float(np.rad2deg(row[ANGLE])))
        )  # fmt: skip
    if not members:
        raise InputError(
            "mock.lens_model", "no galaxy of the model in the field", "some", "Ask for a larger field."
        )
    first = min(members, key=lambda member: member.mag)
    others = [member for member in members if member is not first]
    x, y = first.x_arcsec, first.y_arcsec
    shape = first.r_eff_arcsec, first.sersic_n, first.axis_ratio, first.angle_deg
    return [
        Member("BCG", x, y, first.mag, *shape),
        Member("ICL", x, y, _ICL_MAG, _ICL_R_EFF_SHARE * size_arcsec, 1.0, 0.7, first.angle_deg),
        *others,
    ]
