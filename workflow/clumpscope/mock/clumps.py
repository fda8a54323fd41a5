"""Where the clumps of the mock galaxies are, how large, and how the lens shows them."""

from collections.abc import Callable, Sequence

import numpy as np

from ..cosmology import pc_per_arcsec
from ..errors import InputError
from .lens import ImageFinder, Lens
from .render import trace_clump
from .settings import Settings
from .sources import Clump, Galaxy, GalaxyImage, far

__all__ = ["distance_kpc", "lognormal_radius", "place_sources", "trace_images"]

_R_EFF_PC, _R_EFF_DEX, _R_EFF_RANGE_PC = 80.0, 0.4, (3.0, 300.0)
# Observed half-light radius, circularised and along the major axis: beyond, a 9x9 box would not hold a clump.
_MAX_OBSERVED_ARCSEC, _MAX_MAJOR_ARCSEC = 0.05, 0.07
_NEIGHBOUR_ARCSEC = (0.058, 0.08)  # one FWHM of F150W and more
_MIN_SEPARATION_ARCSEC = 0.22
_REACH_ARCSEC, _SAME_IMAGE_ARCSEC = 1.7, 2.5
_LEAST_MU = 0.3
_MAX_TRIES = 800
_NEARER = 0.99  # how much less is asked for after every failure

Source = tuple[float, float]
Place = tuple[GalaxyImage, float, float]


def place_sources(
    rng: np.random.Generator, finder: ImageFinder, galaxy: Galaxy, crowded: Sequence[bool], settings: Settings
) -> list[tuple[Source, list[Place]]]:
    """Source position of each clump of a galaxy, and where its images are.

    Parameters
    ----------
    rng : numpy.random.Generator
    finder : ImageFinder
        Of the true lens.
    galaxy : Galaxy
    crowded : sequence of bool
        For each clump, whether it is put next to the one before it.
    settings : Settings

    Raises
    ------
    InputError
        If a galaxy has no room for a clump.

    Notes
    -----
    A small galaxy on an arc may have room for fewer clumps than asked for.
    """
    placed: list[tuple[Source, list[Place]]] = []
    for number in range(galaxy.n_clumps):
        neighbour = placed[-1] if crowded[number] and placed else None
        central = number == 0 and galaxy.nucleus
        place = _place(rng, finder, galaxy, placed, neighbour, central, settings)
        if place is None:
            break
        placed.append(place)
    return placed


def _place(rng, finder, galaxy, placed, neighbour, central, settings):
    lens, first = finder.lens, galaxy.images[0]
    reach, apart = 1.0, _NEIGHBOUR_ARCSEC[0] if neighbour is not None else _MIN_SEPARATION_ARCSEC
    for _ in range(_MAX_TRIES):
        others = [place[1:] for other in placed if other is not neighbour for place in other[1]]
        if neighbour is not None:
            distance, angle = rng.uniform(*_NEIGHBOUR_ARCSEC), rng.uniform(0, 2 * np.pi)
            _, x, y = neighbour[1][0]
            near = x + distance * np.cos(angle), y + distance * np.sin(angle)
            source = tuple(float(p) for p in lens.source(*map(np.asarray, near), galaxy.z))
        else:
            # On an arc only the middle may be magnified as allowed.
            radius = galaxy.length_arcsec * (0.05 if central else rng.uniform(0.3, 2.2) * reach)
            source = _on_disc(galaxy, radius, rng.uniform(0, 2 * np.pi))
        places = []
        for x, y in finder.images(*source, galaxy.z):
            mu = abs(float(lens.magnification(np.asarray(x), np.asarray(y), galaxy.z)[0]))
            distance, image = min(
                ((np.hypot(x - i.x, y - i.y), i) for i in galaxy.images), key=lambda pair: pair[0]
            )
            if distance < _SAME_IMAGE_ARCSEC and mu > _LEAST_MU:
                places.append((distance, mu, image, x, y))
        places.sort(key=lambda place: (place[2] is not first, place[0]))
        if not places or places[0][2] is not first or places[0][0] > _REACH_ARCSEC:
            reach *= _NEARER
            continue
        if any(mu > settings.mu_max for _, mu, *_ in places):
            reach *= _NEARER
            continue
        if all(far(x, y, others, apart) for _, _, image, x, y in places if image is first):
            return source, [place[2:] for place in places]
        # Small galaxies with many clumps are crowded.
        apart = max(apart * _NEARER, _NEIGHBOUR_ARCSEC[0])
    if placed:
        return None
    raise InputError(
        "mock field", f"no room for a clump in galaxy {galaxy.system}", "room for one",
        "Ask for fewer clumps or another seed.",
    )  # fmt: skip


def _on_disc(galaxy: Galaxy, radius: float, angle: float) -> Source:
    tilt = np.deg2rad(galaxy.angle_deg)
    along, across = radius * np.cos(angle), radius * np.sin(angle) * galaxy.axis_ratio
    return (
        float(galaxy.x + along * np.cos(tilt) - across * np.sin(tilt)),
        float(galaxy.y + along * np.sin(tilt) + across * np.cos(tilt)),
    )


def distance_kpc(galaxy: Galaxy, source: Source) -> float:
    """Distance of a source position from the galaxy's centre, as projected."""
    return float(np.hypot(source[0] - galaxy.x, source[1] - galaxy.y)) * float(pc_per_arcsec(galaxy.z)) / 1e3


def lognormal_radius(rng: np.random.Generator) -> float:
    """Half-light radius [pc] drawn about 80 pc."""
    return float(np.clip(_R_EFF_PC * 10 ** (_R_EFF_DEX * rng.normal()), *_R_EFF_RANGE_PC))


def trace_images(
    lens: Lens,
    galaxy: Galaxy,
    source: Source,
    places: Sequence[Place],
    draw: Callable[[], float],
    profile: str,
) -> Clump:
    """A clump with all its images; `draw` gives radii [pc] until one is small enough to be called a clump."""
    scale = pc_per_arcsec(galaxy.z)
    x, y = map(np.asarray, places[0][1:])
    across, along = np.linalg.svd(lens.jacobian(x, y, galaxy.z), compute_uv=False)
    largest = scale * min(_MAX_OBSERVED_ARCSEC * np.sqrt(across * along), _MAX_MAJOR_ARCSEC * along)
    r_eff = next((value for value in (draw() for _ in range(300)) if value < largest), 0.9 * largest)
    images = tuple(
        (image, x, y, trace_clump(lens, galaxy.z, source, (x, y), r_eff / scale, profile))
        for image, x, y in places
    )
    return Clump(galaxy, *source, float(r_eff), profile, images)
