"""The mock cluster: halos, member galaxies and their light."""

from dataclasses import dataclass

import numpy as np

from .lens import DPIE, Lens, Shear

__all__ = ["MAG_STAR", "V_DISP_STAR_KMS", "Member", "make_cluster"]

_SIZE_ARCSEC = 40.0  # the field for which the numbers below are; others are scaled
_N_MEMBERS = 12
_CORE_ARCSEC = 0.033  # 0.15 kpc at the cluster's redshift
# L* member (Faber-Jackson scaling below it), as in the potfiles of published Lenstool models.
MAG_STAR, V_DISP_STAR_KMS, _CUT_STAR_ARCSEC = 18.6, 170.0, 6.0


@dataclass(frozen=True)
class Member:
    """A cluster galaxy's light.

    Attributes
    ----------
    name : str
    x_arcsec, y_arcsec : float
        Centre.
    mag : float
        F150W AB magnitude.
    r_eff_arcsec, sersic_n, axis_ratio, angle_deg : float
        Sersic profile.
    """

    name: str
    x_arcsec: float
    y_arcsec: float
    mag: float
    r_eff_arcsec: float
    sersic_n: float
    axis_ratio: float
    angle_deg: float


def make_cluster(rng: np.random.Generator, size_arcsec: float) -> tuple[Lens, list[Member]]:
    """Two cluster halos, the brightest galaxy, other members, a shear, and the light of all.

    Parameters
    ----------
    rng : numpy.random.Generator
    size_arcsec : float
        Side of the field; the halos' Einstein radius is a quarter of it.

    Returns
    -------
    lens : Lens
    members : list of Member
        The brightest galaxy, the intracluster light (a wide exponential), then the others.
    """
    scale = size_arcsec / _SIZE_ARCSEC
    speed = np.sqrt(scale)
    fainter = -5 * np.log10(scale)  # keeps the surface brightness
    potentials: list[DPIE | Shear] = [
        DPIE("O1", 0.5 * scale, -0.3 * scale, 0.35, 35.0, 3.0 * scale, 130 * scale, 520 * speed),
        DPIE("O2", -6.5 * scale, -5.0 * scale, 0.25, 120.0, 2.0 * scale, 80 * scale, 300 * speed),
        DPIE("O3", 0.0, 0.0, 0.2, 40.0, 0.05 * scale, 12.0 * scale, 230 * speed, 17.2),
        Shear("O4", 0.03, 60.0),
    ]
    members = [
        Member("BCG", 0.0, 0.0, 17.2 + fainter, 2.2 * scale, 4.0, 0.75, 40.0),
        Member("ICL", 0.5 * scale, -0.3 * scale, 18.0 + fainter, 11.0 * scale, 1.0, 0.7, 35.0),
    ]
    while len(members) < 2 + max(2, round(_N_MEMBERS * scale)):
        radius, angle = rng.uniform(0.12, 0.5) * size_arcsec, rng.uniform(0, 2 * np.pi)
        x, y = radius * np.cos(angle), radius * np.sin(angle)
        if any(np.hypot(x - m.x_arcsec, y - m.y_arcsec) < 0.06 * size_arcsec for m in members):
            continue
        if max(abs(x), abs(y)) > 0.48 * size_arcsec:
            continue
        mag = rng.uniform(19.3, 22.3)
        luminosity = 10 ** (-0.4 * (mag - MAG_STAR)) * scale
        ellipticity, direction = rng.uniform(0.05, 0.35), rng.uniform(0, 180)
        name = f"M{len(members) - 1:02d}"
        potentials.append(
            DPIE(
                name, x, y, ellipticity, direction, _CORE_ARCSEC,
                _CUT_STAR_ARCSEC * luminosity**0.5, V_DISP_STAR_KMS * luminosity**0.25, mag,
            )
        )  # fmt: skip
        axis_ratio = np.sqrt((1 - ellipticity) / (1 + ellipticity))
        members.append(
            Member(name, x, y, mag + fainter, 0.7 * luminosity**0.4 * scale, 4.0, axis_ratio, direction)
        )
    return Lens(tuple(potentials)), members
