"""Where the mock galaxies, their clumps and the stars are, and how large."""

from dataclasses import dataclass, field

import numpy as np

from ..cosmology import pc_per_arcsec
from ..errors import InputError
from .cluster import Member
from .lens import Lens, find_images
from .profiles import PROFILES
from .render import Pattern, trace_clump

__all__ = ["Clump", "Galaxy", "GalaxyImage", "Star", "place_clumps", "place_galaxies", "place_stars"]

# Redshifts of the lensed galaxies, in the order in which they are taken; the second is multiply imaged.
_REDSHIFTS = (1.05, 1.9, 2.9, 4.2, 1.3, 2.2, 3.2, 4.8, 0.9, 1.65, 2.7, 6.1, 2.4, 3.8)
_MULTIPLE = 1
# Magnification at the centre, by what is to become of the galaxy; every fourth measured one is highly magnified.
_MU_RANGES = {
    "selected": (2.4, 8.0),
    "high": (5.0, 12.0),
    "redshift": (1.0, 4.0),
    "photometric redshift": (2.4, 8.0),
    "magnification": (1.0, 1.7),
    "clumps": (2.4, 8.0),
}
_MAX_TRIES = 4000
_PIXEL_ARCSEC = 0.02
_R_EFF_PC, _R_EFF_DEX, _R_EFF_RANGE_PC = 80.0, 0.4, (3.0, 300.0)
# Observed half-light radius, circularised and along the major axis: beyond, a 9x9 box would not hold a clump.
_MAX_OBSERVED_ARCSEC, _MAX_MAJOR_ARCSEC = 0.05, 0.07
_BLENDED_PX = (2.8, 3.8)
_MIN_SEPARATION_ARCSEC = 0.22
_EDGE_ARCSEC = 2.2
_APART_ARCSEC = 3.2  # between galaxies


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


def _far(x: float, y: float, taken: list[tuple[float, float]], distance: float) -> bool:
    return all(np.hypot(x - a, y - b) > distance for a, b in taken)


def _visible(
    lens: Lens, source: tuple[float, float], z: float, half: float
) -> list[tuple[float, float, float]]:
    """Images in the field that are not strongly demagnified: x, y, |mu|."""
    images = [
        (x, y, abs(float(lens.magnification(np.asarray(x), np.asarray(y), z)[0])))
        for x, y in find_images(lens, *source, z, half)
    ]
    return [image for image in images if image[2] > 0.3]


def place_galaxies(
    rng: np.random.Generator,
    lens: Lens,
    members: list[Member],
    size_arcsec: float,
    n_galaxies: int,
    n_clumps: int,
) -> list[Galaxy]:
    """Lensed galaxies (the second one multiply imaged) and four that have to be rejected.

    Raises
    ------
    InputError
        If the field is too small for so many.
    """
    scale = size_arcsec / 40.0
    shares = np.diff(np.round(np.linspace(0, n_clumps, n_galaxies + 1)).astype(int))
    wishes = [
        (
            f"G{k + 1:02d}",
            _REDSHIFTS[k % len(_REDSHIFTS)] + rng.uniform(-0.04, 0.04),
            int(shares[k]),
            "selected",
        )
        for k in range(n_galaxies)
    ]
    if n_galaxies > 4:
        wishes += [
            ("R01", 0.55, 2, "redshift"),
            ("R02", 2.05, 2, "photometric redshift"),
            ("R03", 0.78, 2, "magnification"),
            ("R04", 1.75, 1, "clumps"),
        ]
    # The hardest to place go first.
    order = sorted(range(len(wishes)), key=lambda k: (k != _MULTIPLE, k % 4 != 3, wishes[k][3] == "selected"))
    galaxies: dict[int, Galaxy] = {}
    for k in order:
        system, z, n, fate = wishes[k]
        taken = [(image.x, image.y) for galaxy in galaxies.values() for image in galaxy.images]
        high = fate == "selected" and k % 4 == 3
        wanted = _MU_RANGES["high" if high else fate]
        images, source = _place_one(
            rng, lens, members, size_arcsec / 2, z, wanted, k == _MULTIPLE, taken, scale
        )
        labels = [system] if len(images) == 1 else [system + letter for letter in "abcdefg"[: len(images)]]
        # The disc's image keeps to half an arcsecond or so whatever the magnification.
        length = rng.uniform(0.35, 0.55) / np.sqrt(images[0][2])
        galaxies[k] = Galaxy(
            system, float(z), *source, float(length), float(rng.uniform(0.45, 0.95)), float(rng.uniform(0, 180)),
            tuple(GalaxyImage(label, *image) for label, image in zip(labels, images, strict=True)), n, fate,
        )  # fmt: skip
    return [galaxies[k] for k in range(len(wishes))]


def _place_one(rng, lens, members, half, z, wanted, multiple, taken, scale):
    """Find images of one galaxy that meet its wishes; return them and the source position."""
    for _ in range(_MAX_TRIES):
        x, y = rng.uniform(-half + _EDGE_ARCSEC, half - _EDGE_ARCSEC, 2)
        distances = [
            np.hypot(x - m.x_arcsec, y - m.y_arcsec) - (3.0 * scale if m.name == "BCG" else 0)
            for m in members
            if m.name != "ICL"
        ]
        mu = abs(float(lens.magnification(np.asarray(x), np.asarray(y), z)[0]))
        if min(distances) < 1.6 or not wanted[0] < mu < wanted[1] or not _far(x, y, taken, _APART_ARCSEC):
            continue
        source = tuple(float(p) for p in lens.source(np.asarray(x), np.asarray(y), z))
        images = _visible(lens, source, z, half)
        images.sort(key=lambda image: np.hypot(image[0] - x, image[1] - y))
        if multiple:
            # Bright images that the workflow can measure, well apart; fainter ones may fall on members.
            bright = [image for image in images if image[2] > 2.0]
            if not 2 <= len(bright) == len(images) - sum(image[2] < 1.0 for image in images):
                continue
            apart = all(_far(*a[:2], [b[:2] for b in bright if b is not a], 4.0) for a in bright)
            clear = all(_far(*a[:2], taken, _APART_ARCSEC) for a in bright)
            inside = all(max(abs(a[0]), abs(a[1])) < half - _EDGE_ARCSEC for a in bright)
            clean = all(
                np.hypot(a[0] - m.x_arcsec, a[1] - m.y_arcsec) > 1.6
                for a in bright
                for m in members
                if m.name != "ICL"
            )
            if apart and clear and inside and clean and max(a[2] for a in bright) < 9.0:
                return bright, source
        elif len(images) == 1 and _clear_of_critical_lines(lens, x, y, z):
            return images, source
    raise InputError(
        "mock field", f"no place for a galaxy of z = {z:.2f} in {2 * half:.0f} arcsec", "room for all galaxies",
        "Ask for a larger field, fewer galaxies or another seed.",
    )  # fmt: skip


def _clear_of_critical_lines(lens: Lens, x: float, y: float, z: float) -> bool:
    """Whether the magnification keeps its sign over a galaxy, so that no clump has a merging image."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = np.array([0.4, 0.9, 1.5])[:, None]
    mu = lens.magnification(x + radius * np.cos(angle), y + radius * np.sin(angle), z)[0]
    return bool(np.all(mu > 0) or np.all(mu < 0))


def place_clumps(rng: np.random.Generator, lens: Lens, galaxies: list[Galaxy], n_pairs: int) -> list[Clump]:
    """Clumps of all galaxies, the images of each traced; `n_pairs` of them get a close neighbour.

    Raises
    ------
    InputError
        If a galaxy has no room for its clumps.
    """
    clumps: list[Clump] = []
    chosen = [k for k, galaxy in enumerate(galaxies) if galaxy.fate == "selected" and galaxy.n_clumps >= 3]
    paired = set(rng.permutation(chosen)[:n_pairs].tolist())
    for k, galaxy in enumerate(galaxies):
        positions: list[tuple[float, float]] = []
        for number in range(galaxy.n_clumps):
            partner = positions[-1] if k in paired and number == galaxy.n_clumps - 1 else None
            place = _place_clump(rng, lens, galaxy, positions, partner, number == 0)
            positions.append(place[1])
            clumps.append(_trace(rng, lens, galaxy, place, PROFILES[len(clumps) % 4 % 3]))
    return clumps


def _place_clump(rng, lens, galaxy, positions, partner, central):
    """Source position of a clump and its place in the galaxy's first image."""
    first = galaxy.images[0]
    for _ in range(_MAX_TRIES):
        if partner is not None:
            distance = rng.uniform(*_BLENDED_PX) * _PIXEL_ARCSEC
            angle = rng.uniform(0, 2 * np.pi)
            image = partner[0] + distance * np.cos(angle), partner[1] + distance * np.sin(angle)
            source = tuple(float(p) for p in lens.source(*map(np.asarray, image), galaxy.z))
            others = [p for p in positions if p != partner]
        else:
            radius = galaxy.length_arcsec * (0.05 if central else rng.uniform(0.3, 2.2))
            angle, tilt = rng.uniform(0, 2 * np.pi), np.deg2rad(galaxy.angle_deg)
            along, across = radius * np.cos(angle), radius * np.sin(angle) * galaxy.axis_ratio
            source = (
                galaxy.x + along * np.cos(tilt) - across * np.sin(tilt),
                galaxy.y + along * np.sin(tilt) + across * np.cos(tilt),
            )
            image = lens.image_near(first.x, first.y, *source, galaxy.z)
            if image is None:
                continue
            others = positions
        mu = abs(float(lens.magnification(np.asarray(image[0]), np.asarray(image[1]), galaxy.z)[0]))
        close = np.hypot(image[0] - first.x, image[1] - first.y) < 1.7
        if close and mu < 30 and _far(*image, others, _MIN_SEPARATION_ARCSEC):
            return source, image
    raise InputError(
        "mock field", f"no room for {galaxy.n_clumps} clumps in galaxy {galaxy.system}", "clumps apart",
        "Ask for fewer clumps or another seed.",
    )  # fmt: skip


def _trace(rng, lens, galaxy, place, profile) -> Clump:
    source, first_image = place
    scale = pc_per_arcsec(galaxy.z)
    jacobian = lens.jacobian(*map(np.asarray, first_image), galaxy.z)
    across, along = np.linalg.svd(jacobian, compute_uv=False)
    while True:
        r_eff = float(np.clip(_R_EFF_PC * 10 ** (_R_EFF_DEX * rng.normal()), *_R_EFF_RANGE_PC))
        circularised, major = r_eff / scale / np.sqrt(across * along), r_eff / scale / along
        if circularised < _MAX_OBSERVED_ARCSEC and major < _MAX_MAJOR_ARCSEC:
            break
    images = []
    for image in galaxy.images:
        found = first_image
        if image is not galaxy.images[0]:
            found = lens.image_near(image.x, image.y, *source, galaxy.z)
        if found is None or np.hypot(found[0] - image.x, found[1] - image.y) > 2.5:
            continue  # beyond a critical line: this clump has no image there
        x, y = found
        pattern = trace_clump(lens, galaxy.z, source, (x, y), r_eff / scale, profile)
        images.append((image, x, y, pattern))
    return Clump(galaxy, *source, r_eff, profile, tuple(images))


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
    half = size_arcsec / 2 - _EDGE_ARCSEC
    stars: list[Star] = []
    for number in range(n_stars):
        for _ in range(_MAX_TRIES):
            x, y = rng.uniform(-half, half, 2)
            if _far(x, y, taken, 2.3) and np.hypot(x, y) > 0.15 * size_arcsec:
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
