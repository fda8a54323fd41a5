"""Where the mock galaxies are, and what they look like without the lens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from ..errors import InputError
from .cluster import Member
from .lens import ImageFinder, Lens
from .settings import Settings
from .sources import EDGE_ARCSEC, Galaxy, GalaxyImage, far

__all__ = ["place_galaxies", "wishes"]

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
_LOWEST_CRITICAL = 8.0
_APART_ARCSEC = 3.2  # between galaxies
_FROM_MEMBERS_ARCSEC = 1.6
_ONE_IMAGE_ARCSEC = 2.0  # images nearer than this merge into an arc
_MAX_DRAWS, _DRAWN_TOGETHER = 65536, 512


@dataclass(frozen=True)
class Wish:
    """A galaxy to be placed: its name, redshift, clumps, fate, range of magnification and kind of image.

    `kind` is ``single``, ``multiple`` (several bright images) or ``critical`` (an arc on a critical line).
    """

    system: str
    z: float
    n_clumps: int
    fate: str
    mu: tuple[float, float]
    kind: str = "single"


def wishes(
    rng: np.random.Generator, redshifts: Sequence[float] | None, counts: Sequence[int], settings: Settings
) -> list[Wish]:
    """Galaxies to measure, and above four of them four that have to be rejected."""
    every_multiple = settings.multiple_share
    every_critical = settings.critical_share / (1 - every_multiple)
    chosen = []
    n_other = 0
    for k in range(settings.n_galaxies):
        listed = _REDSHIFTS[k % len(_REDSHIFTS)] + rng.uniform(-0.04, 0.04)
        z = listed if redshifts is None else redshifts[k]
        mu, kind = _MU_RANGES["high" if k % 4 == 3 else "selected"], "single"
        if k == _MULTIPLE or turn(k, every_multiple):
            mu, kind = _MU_RANGES["selected"], "multiple"
        else:
            if turn(n_other, every_critical):
                mu, kind = (_LOWEST_CRITICAL, settings.mu_max), "critical"
            n_other += 1
        chosen.append(Wish(f"G{k + 1:02d}", float(z), int(counts[k]), "selected", mu, kind))
    if settings.n_galaxies > 4:
        rejects = [
            ("R01", 0.55, 2, "redshift"),
            ("R02", 2.05, 2, "photometric redshift"),
            ("R03", 0.78, 2, "magnification"),
            ("R04", 1.75, 1, "clumps"),
        ]
        chosen += [Wish(*reject, _MU_RANGES[reject[3]]) for reject in rejects]
    return chosen


def turn(k: int, share: float) -> bool:
    """Whether the k-th of many is one of a share of them, spread evenly."""
    return int((k + 1) * share + 1e-9) > int(k * share + 1e-9)


def place_galaxies(
    rng: np.random.Generator,
    lens: Lens,
    best: Lens,
    members: list[Member],
    wanted: Sequence[Wish],
    settings: Settings,
) -> list[Galaxy]:
    """Put galaxies where the best model magnifies them as wished; their images are those of the true lens.

    The places are chosen by what an observer knows, so that the true magnification there is a fair draw of the
    lens model's posterior.

    Raises
    ------
    InputError
        If the field is too small for so many.
    """
    finder = ImageFinder(lens, settings.size_arcsec / 2)
    # The hardest to place go first.
    ease = {"multiple": 0, "critical": 1, "single": 2}
    order = sorted(
        range(len(wanted)),
        key=lambda k: (ease[wanted[k].kind], -wanted[k].mu[1], wanted[k].fate == "selected"),
    )
    galaxies: dict[int, Galaxy] = {}
    for k in order:
        wish = wanted[k]
        taken = [(image.x, image.y) for galaxy in galaxies.values() for image in galaxy.images]
        images, (x, y) = _place_one(rng, finder, best, members, wish, taken, settings)
        labels = [wish.system]
        if len(images) > 1:
            labels = [wish.system + letter for letter in "abcdefghij"[: len(images)]]
        # The disc's image keeps to half an arcsecond or so whatever the magnification.
        length = rng.uniform(0.35, 0.55) / np.sqrt(images[0][2])
        galaxy = Galaxy(
            wish.system, wish.z, x, y, float(length), float(rng.uniform(0.45, 0.95)), float(rng.uniform(0, 180)),
            tuple(GalaxyImage(label, *image) for label, image in zip(labels, images, strict=True)),
            wish.n_clumps, wish.fate,
        )  # fmt: skip
        galaxies[k] = galaxy if settings.population is None else _structured(rng, galaxy, settings)
    return [galaxies[k] for k in range(len(wanted))]


def _structured(rng: np.random.Generator, galaxy: Galaxy, settings: Settings) -> Galaxy:
    """A galaxy with its shares of arms, bulges and nuclei; discs from short and steep to long."""
    recipe = settings.population
    length = galaxy.length_arcsec * float(rng.uniform(0.5, 1.5))
    bulge = rng.uniform() < recipe.bulge_share
    return replace(
        galaxy,
        length_arcsec=length,
        arms=float(rng.uniform(0.3, 0.7)) if rng.uniform() < recipe.arms_share else 0.0,
        arm_phase_deg=float(rng.uniform(0, 180)),
        bulge=float(rng.uniform(0.15, 0.5)) if bulge else 0.0,
        bulge_r_eff_arcsec=length * float(rng.uniform(0.15, 0.5)),
        nucleus=bool(rng.uniform() < recipe.nucleus_share),
    )


def _place_one(rng, finder, best, members, wish, taken, settings):
    """Images x, y, |mu| of one galaxy that meet its wishes, and the source position."""
    half = settings.size_arcsec / 2
    for _ in range(_MAX_DRAWS // _DRAWN_TOGETHER):
        before = rng.bit_generator.state
        places = rng.uniform(EDGE_ARCSEC - half, half - EDGE_ARCSEC, (_DRAWN_TOGETHER, 2))
        for k in np.flatnonzero(_suitable(places, best, members, wish, taken, settings)):
            x, y = places[k]
            source = tuple(float(p) for p in finder.lens.source(np.asarray(x), np.asarray(y), wish.z))
            images = _images_as_wished(finder, x, y, source, members, wish, taken, settings)
            if images:
                # What was drawn beyond is given back, so that the next galaxy does not depend on how many are drawn together.
                rng.bit_generator.state = before
                rng.uniform(size=places[: k + 1].shape)
                return images, source
    raise InputError(
        "mock field", f"no place for a galaxy of z = {wish.z:.2f} in {2 * half:.0f} arcsec", "room for all galaxies",
        "Ask for a larger field, fewer galaxies or another seed.",
    )  # fmt: skip


def _suitable(places, best, members, wish, taken, settings) -> np.ndarray:
    """Which of many places the best model magnifies as wished, away from other galaxies and cluster members."""
    x, y = places.T
    mu = np.abs(best.magnification(x, y, wish.z)[0])
    good = (wish.mu[0] < mu) & (mu < wish.mu[1])
    for other_x, other_y in taken:
        good &= np.hypot(x - other_x, y - other_y) > _APART_ARCSEC
    brightest = 3.0 * settings.size_arcsec / 40.0
    return good & (_to_members(x, y, members, brightest) >= _FROM_MEMBERS_ARCSEC)


def _images_as_wished(finder, x, y, source, members, wish, taken, settings):
    """Images of a galaxy at (x, y), the one there first; None if they are not of the kind wished for."""
    images = _merged(_visible(finder, source, wish.z), x, y)
    if wish.kind == "single":
        clear = len(images) == 1 and _clear_of_critical_lines(finder.lens, x, y, wish.z)
        return images if clear else None
    # Bright images that the workflow can measure, well apart; fainter ones may fall on members.
    inner = settings.size_arcsec / 2 - EDGE_ARCSEC
    bright = [image for image in images if image[2] > 2.0]
    if not bright or len(bright) != len(images) - sum(image[2] < 1.0 for image in images):
        return None
    if any(max(abs(a[0]), abs(a[1])) > inner or not far(*a[:2], taken, _APART_ARCSEC) for a in bright):
        return None
    if any(_to_members(*a[:2], members, 0.0) < _FROM_MEMBERS_ARCSEC for a in bright):
        return None
    if max(image[2] for image in bright) > settings.mu_max:
        return None
    if wish.kind == "critical":
        return bright if np.hypot(bright[0][0] - x, bright[0][1] - y) < _ONE_IMAGE_ARCSEC else None
    apart = all(far(*a[:2], [b[:2] for b in bright if b is not a], 4.0) for a in bright)
    return bright if len(bright) >= 2 and apart and max(a[2] for a in bright) < 9.0 else None


def _to_members(x, y, members: list[Member], brightest_arcsec: float):
    """Distance [arcsec] to the nearest cluster galaxy; the brightest one reaches farther."""
    distances = [
        np.hypot(x - m.x_arcsec, y - m.y_arcsec) - (brightest_arcsec if m.name == "BCG" else 0)
        for m in members
        if m.name != "ICL"
    ]
    return reduce(np.minimum, distances)


def _visible(finder: ImageFinder, source: tuple[float, float], z: float) -> list[tuple[float, float, float]]:
    """Images in the field that are not strongly demagnified: x, y, |mu|."""
    images = [
        (x, y, abs(float(finder.lens.magnification(np.asarray(x), np.asarray(y), z)[0])))
        for x, y in finder.images(*source, z)
    ]
    return [image for image in images if image[2] > 0.3]


def _merged(images: list[tuple[float, float, float]], x: float, y: float) -> list[tuple[float, float, float]]:
    """Images from the one at (x, y) outwards, those that merge counted once."""
    kept: list[tuple[float, float, float]] = []
    for image in sorted(images, key=lambda image: np.hypot(image[0] - x, image[1] - y)):
        if far(*image[:2], [other[:2] for other in kept], _ONE_IMAGE_ARCSEC):
            kept.append(image)
    return kept


def _clear_of_critical_lines(lens: Lens, x: float, y: float, z: float) -> bool:
    """Whether the magnification keeps its sign over a galaxy, so that no clump has a merging image."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = np.array([0.4, 0.9, 1.5])[:, None]
    mu = lens.magnification(x + radius * np.cos(angle), y + radius * np.sin(angle), z)[0]
    return bool(np.all(mu > 0) or np.all(mu < 0))
