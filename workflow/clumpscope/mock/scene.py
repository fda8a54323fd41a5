"""The mock field before it is drawn: what is where, of which light and mass."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from ..cosmology import pc_per_arcsec
from ..errors import InputError
from ..filters import filter_names, get_filter
from ..images.selection import reference_filter
from ..randomness import generator
from .clumps import distance_kpc, lognormal_radius, place_sources, trace_images
from .cluster import Member, make_cluster
from .galaxies import place_galaxies, wishes
from .given_lens import GivenLens, given_members, read_given
from .lens import ImageFinder, Lens
from .lens_files import lens_posterior
from .noise import DEPTH_SIGMA
from .population import draw_ages, draw_hosts, draw_masses, draw_radii, draw_redshifts
from .redshifts import draw_known_redshifts
from .settings import Settings
from .smooth import smooth_magnifications, trace_nodes
from .sources import Clump, Galaxy, Redshift, Star, place_stars
from .spectra import HST_FILTERS, Population, draw_bulge, draw_clump, draw_host

__all__ = ["REFERENCE", "Light", "Scene", "design_scene", "nircam_filters"]

REFERENCE = (3.5875, -30.3966)  # RA, Dec [deg]
_MASS_RANGE = 100.0  # of a galaxy's clumps, drawn from dN/dM ~ M^-2
_MEDIAN_SNR = 25.0
_SNR_RANGE = (3.0, 250.0)
_LEAST_DISC = 0.3  # of a host's mass, where its few clumps came out heavier than expected


@dataclass(frozen=True)
class Light:
    """Stars of one clump, disc or bulge.

    Attributes
    ----------
    population : Population
    log_mass_formed : float
        Intrinsic.
    flux_njy : dict of str to float
        Intrinsic flux by filter, before Galactic reddening.
    """

    population: Population
    log_mass_formed: float
    flux_njy: dict[str, float] = field(repr=False)


@dataclass(frozen=True)
class Scene:
    """Everything that the images of a mock field show.

    Attributes
    ----------
    seed : int
    filters : tuple of str
        NIRCam filters drawn.
    settings : Settings
    lens, best : Lens
        The true lens, and the best model that is given.
    posterior : tuple of Lens
        The samples that are given.
    members, galaxies, clumps, stars
        See `clumpscope.mock.cluster` and `clumpscope.mock.sources`.
    redshifts : list of Redshift
        What is known of each galaxy's.
    clump_light, disc_light : tuple of Light
        Of each clump, and of each galaxy's disc.
    bulge_light : tuple of Light or None
        Of each galaxy's bulge.
    """

    seed: int
    filters: tuple[str, ...]
    settings: Settings
    lens: Lens
    best: Lens
    posterior: tuple[Lens, ...]
    members: list[Member]
    galaxies: list[Galaxy]
    clumps: list[Clump]
    stars: list[Star]
    redshifts: list[Redshift]
    clump_light: tuple[Light, ...]
    disc_light: tuple[Light, ...]
    bulge_light: tuple[Light | None, ...]

    @property
    def size_arcsec(self) -> float:
        """Side of the field."""
        return self.settings.size_arcsec

    @property
    def reference(self) -> tuple[float, float]:
        """RA, Dec [deg] of the field's centre; that of a given lens model's frame."""
        return self.best.model.reference if isinstance(self.best, GivenLens) else REFERENCE

    @cached_property
    def traced(self) -> dict[str, np.ndarray]:
        """`trace_nodes` of the images of galaxies, by id."""
        return {
            image.id: trace_nodes(self.lens, galaxy, image)
            for galaxy in self.galaxies
            for image in galaxy.images
        }

    @cached_property
    def smooth_magnifications(self) -> list[list[tuple[float, float]]]:
        """Image flux over source flux of disc and bulge (0: none), of each galaxy in each of its images."""
        return [
            [smooth_magnifications(galaxy, image, self.traced[image.id]) for image in galaxy.images]
            for galaxy in self.galaxies
        ]

    def filter_ref(self, galaxy: Galaxy) -> str:
        """Reference filter of a galaxy among those drawn."""
        return reference_filter(galaxy.z, self.filters)

    def lights(self, number: int) -> list[Light]:
        """Disc, bulge if there is one, and clumps of the galaxy of this number."""
        smooth = [light for light in (self.disc_light[number], self.bulge_light[number]) if light is not None]
        pairs = zip(self.clumps, self.clump_light, strict=True)
        return smooth + [light for clump, light in pairs if clump.galaxy is self.galaxies[number]]


def nircam_filters() -> list[str]:
    """The 20 NIRCam filters of C25, whose depths and PSFs the table of filters has."""
    return [name for name in filter_names() if np.isfinite(get_filter(name).mag_limit_ab)]


def design_scene(seed: int, filters: Sequence[str], settings: Settings) -> Scene:
    """Draw a field's objects."""
    size = settings.size_arcsec
    rng = generator(seed, "mock", "lens samples")
    if settings.lens_model is None:
        best, members = make_cluster(generator(seed, "mock", "cluster"), size)
        posterior = lens_posterior(best, rng, size / 40.0)
    else:
        best, posterior = read_given(settings.lens_model, settings.lens_samples)
        members = given_members(best, size)
    if settings.lens_truth == "sample" and not posterior:
        raise InputError("mock.lens_samples", "none", "samples, of which `lens_truth: sample` takes one")
    lens = best if settings.lens_truth == "best" else posterior[rng.integers(len(posterior))]
    rng = generator(seed, "mock", "galaxies")
    redshifts, hosts = None, None
    if settings.population is None:
        counts = np.diff(np.round(np.linspace(0, settings.n_clumps, settings.n_galaxies + 1)).astype(int))
    else:
        redshifts = draw_redshifts(rng, settings.n_galaxies)
        hosts = draw_hosts(rng, settings.n_galaxies, settings.n_clumps, settings.population)
        counts = hosts["n_clumps"]
    wanted = wishes(rng, redshifts, counts, settings)
    if hosts is not None:
        rejects = draw_hosts(rng, len(wanted) - len(counts), 0, settings.population)
        hosts = {name: np.append(values, rejects[name]) for name, values in hosts.items()}
    galaxies = place_galaxies(rng, lens, best, members, wanted, settings)
    clumps: list[Clump] = []
    lights: list[list[Light]] = [[], [], []]
    rng = generator(seed, "mock", "clumps")
    finder = ImageFinder(lens, size / 2)
    crowded = _crowded(rng, galaxies, settings)
    profiles = _profiles(rng, sum(galaxy.n_clumps for galaxy in galaxies), settings)
    for number, galaxy in enumerate(galaxies):
        places = place_sources(rng, finder, galaxy, crowded[number], settings)
        kinds = profiles[len(clumps) : len(clumps) + len(places)]
        reference = reference_filter(galaxy.z, list(filters))
        if hosts is None:
            own = [
                trace_images(lens, galaxy, *place, partial(lognormal_radius, rng), kind)
                for place, kind in zip(places, kinds, strict=True)
            ]
            own_light = _clump_light(rng, own, reference)
            total = sum(light.flux_njy[reference] for light in own_light)
            disc = draw_host(rng, galaxy.z)
            unit = _unit(disc, galaxy.z)
            smooth = _scaled(disc, unit, total * rng.uniform(2.5, 6.0) / unit[reference]), None
        else:
            recipe = settings.population
            distances = np.array([distance_kpc(galaxy, source) for source, _ in places])
            masses = draw_masses(rng, hosts["log_mass_clumps"][number], distances, recipe)
            populations = draw_ages(rng, galaxy.z, distances, recipe)
            own = [
                trace_images(lens, galaxy, *place, partial(draw_radii, rng, mass, galaxy.z, recipe), kind)
                for place, mass, kind in zip(places, masses, kinds, strict=True)
            ]
            own_light = [_of_mass(p, m, galaxy.z) for p, m in zip(populations, masses, strict=True)]
            smooth = _host_light(rng, galaxy, hosts["log_mass"][number], masses)
        clumps += own
        for collected, new in zip(lights, (own_light, smooth[:1], smooth[1:]), strict=True):
            collected += new
    return Scene(
        seed,
        tuple(filters),
        settings,
        lens,
        best,
        tuple(posterior),
        members,
        galaxies,
        clumps,
        place_stars(generator(seed, "mock", "stars"), galaxies, members, size, settings.n_stars),
        draw_known_redshifts(generator(seed, "mock", "redshifts"), galaxies, settings),
        *(tuple(part) for part in lights),
    )


def _crowded(rng: np.random.Generator, galaxies: list[Galaxy], settings: Settings) -> list[list[bool]]:
    """Which clumps are put next to the one before them: a share of all, in galaxies of three clumps and more."""
    eligible = [
        (k, number)
        for k, galaxy in enumerate(galaxies)
        if galaxy.fate == "selected" and galaxy.n_clumps >= 3
        for number in range(2, galaxy.n_clumps)
    ]
    wanted = min(len(eligible), max(1, round(settings.crowded_share * settings.n_clumps)))
    chosen = {eligible[k] for k in rng.permutation(len(eligible))[:wanted]}
    return [[(k, number) in chosen for number in range(g.n_clumps)] for k, g in enumerate(galaxies)]


def _profiles(rng: np.random.Generator, n: int, settings: Settings) -> list[str]:
    names = list(settings.profiles)
    share = np.array([settings.profiles[name] for name in names], dtype=float)
    edges = np.round(np.cumsum(share) / share.sum() * n).astype(int)
    kinds = np.repeat(names, np.diff(edges, prepend=0))
    return [str(kind) for kind in rng.permutation(kinds)]


def _unit(population: Population, z: float) -> dict[str, float]:
    bands = (*nircam_filters(), *HST_FILTERS)
    return dict(zip(bands, population.flux_per_msun(bands, z), strict=True))


def _scaled(population: Population, unit: dict[str, float], mass: float) -> Light:
    flux = {name: float(value * mass) for name, value in unit.items()}
    return Light(population, float(np.log10(mass)), flux)


def _of_mass(population: Population, log_mass: float, z: float) -> Light:
    """Light of a population by its mass in living stars and remnants."""
    return _scaled(population, _unit(population, z), 10**log_mass / population.fraction_left())


def _host_light(rng, galaxy: Galaxy, log_mass: float, clumps: np.ndarray) -> tuple[Light, Light | None]:
    """Disc and bulge of what the clumps leave of a host's mass."""
    mass = max(10**log_mass - np.sum(10**clumps), _LEAST_DISC * 10**log_mass)
    disc = _of_mass(draw_host(rng, galaxy.z), np.log10(mass * (1 - galaxy.bulge)), galaxy.z)
    if not galaxy.bulge:
        return disc, None
    return disc, _of_mass(draw_bulge(rng, galaxy.z), np.log10(mass * galaxy.bulge), galaxy.z)


def _clump_light(rng, clumps: list[Clump], reference: str) -> list[Light]:
    """Populations and masses of one galaxy's clumps.

    Masses follow M^-2 above a galaxy's own lowest mass, which puts the median S/N where C25 can measure;
    the few that then would be invisible or garish are brought back into range.
    """
    band = get_filter(reference)
    sigma = 10 ** (-0.4 * (band.mag_limit_ab - 31.4)) / DEPTH_SIGMA
    populations, units, snr_per_msun, shares = [], [], [], []
    for clump in clumps:
        population = draw_clump(rng, clump.galaxy.z)
        unit = _unit(population, clump.galaxy.z)
        mu = clump.images[0][3].magnification
        observed = clump.r_eff_pc / pc_per_arcsec(clump.galaxy.z) * np.sqrt(mu)
        # An extended clump puts less of its light into the aperture than a point source.
        share = 1 / (1 + (2 * observed / band.psf_fwhm_arcsec) ** 2)
        populations.append(population)
        units.append(unit)
        snr_per_msun.append(unit[reference] * mu * share / sigma)
        shares.append(1 / (1 - rng.uniform() * (1 - 1 / _MASS_RANGE)))
    snr_per_msun, shares = np.array(snr_per_msun), np.array(shares)
    lowest = _MEDIAN_SNR / np.median(snr_per_msun * shares)
    masses = np.clip(lowest * shares, *(limit / snr_per_msun for limit in _SNR_RANGE))
    return [_scaled(*row) for row in zip(populations, units, masses, strict=True)]
