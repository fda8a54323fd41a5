"""What a mock field holds: galaxies with their images, clumps, stars."""

from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from .cluster import Member
from .render import Pattern

__all__ = [
    "EDGE_ARCSEC",
    "MAX_TRIES",
    "Clump",
    "Galaxy",
    "GalaxyImage",
    "Redshift",
    "Star",
    "far",
    "place_stars",
]

MAX_TRIES = 4000
EDGE_ARCSEC = 2.2  # of the field that holds no galaxy


@dataclass(frozen=True)
class GalaxyImage:
    """One image of a galaxy.

    Attributes
    ----------
    id : str
        Row of the catalogue.
    x, y : float
        Position of the image of the galaxy's centre [arcsec].
    mu : float
        Magnification there (absolute).
    """

    id: str
    x: float
    y: float
    mu: float


@dataclass(frozen=True)
class Galaxy:
    """A galaxy behind the lens.

    Attributes
    ----------
    system : str
    z : float
    x, y : float
        Centre in the source plane [arcsec].
    length_arcsec, axis_ratio, angle_deg : float
        Exponential disc in the source plane.
    images : tuple of GalaxyImage
    n_clumps : int
    fate : str
        ``selected``, or the criterion by which the workflow has to reject it.
    arms, arm_phase_deg : float
        Contrast of spiral arms, and where they start.
    bulge, bulge_r_eff_arcsec : float
        Share of the bulge in the mass of disc and bulge, and its half-light radius.
    nucleus : bool
        Whether the first clump sits at the centre.
    """

    system: str
    z: float
    x: float
    y: float
    length_arcsec: float
    axis_ratio: float
    angle_deg: float
    images: tuple[GalaxyImage, ...]
    n_clumps: int
    fate: str = "selected"
    arms: float = 0.0
    arm_phase_deg: float = 0.0
    bulge: float = 0.0
    bulge_r_eff_arcsec: float = 0.0
    nucleus: bool = True


@dataclass(frozen=True)
class Redshift:
    """What an observer knows of a galaxy's redshift: value, 68 % error (0: spectroscopic), whether it is an outlier."""

    z: float
    error: float
    outlier: bool = False


@dataclass(frozen=True)
class Clump:
    """A clump in the source plane and its images.

    Attributes
    ----------
    galaxy : Galaxy
    x, y : float
        Source position [arcsec].
    r_eff_pc : float
        Half-light radius.
    profile : str
    images : tuple of (GalaxyImage, x, y, Pattern)
        Position [arcsec] and traced light of each image.
    """

    galaxy: Galaxy
    x: float
    y: float
    r_eff_pc: float
    profile: str
    images: tuple[tuple[GalaxyImage, float, float, Pattern], ...] = field(repr=False)


@dataclass(frozen=True)
class Star:
    """A foreground star."""

    id: str
    x: float
    y: float
    mag: float
    temperature_k: float


def far(x: float, y: float, taken: list[tuple[float, float]], distance: float) -> bool:
    """Whether a position keeps a distance [arcsec] from all others."""
    return all(np.hypot(x - a, y - b) > distance for a, b in taken)


def place_stars(
    rng: np.random.Generator, galaxies: list[Galaxy], members: list[Member], size_arcsec: float, n_stars: int
) -> list[Star]:
    """Stars of 19.5-24 mag away from everything, and of each seven one bright enough to saturate.

    Raises
    ------
    InputError
        If the field is too small for so many.
    """
    taken = [(image.x, image.y) for galaxy in galaxies for image in galaxy.images]
    taken += [(member.x_arcsec, member.y_arcsec) for member in members]
    half = size_arcsec / 2 - EDGE_ARCSEC
    stars: list[Star] = []
    for number in range(n_stars):
        for _ in range(MAX_TRIES):
            x, y = rng.uniform(-half, half, 2)
            if far(x, y, taken, 2.3) and np.hypot(x, y) > 0.15 * size_arcsec:
                break
        else:
            raise InputError(
                "mock field", f"no place for star {number + 1} in {size_arcsec:.0f} arcsec", "room for all stars",
                "Ask for a larger field, fewer stars or another seed.",
            )  # fmt: skip
        mag = rng.uniform(17.2, 17.8) if number % 7 == 6 else rng.uniform(19.5, 23.5)
        taken.append((x, y))
        stars.append(
            Star(f"S{number + 1:02d}", float(x), float(y), float(mag), float(rng.uniform(3200, 6200)))
        )
    return stars
