"""The mock field before it is drawn: what is where, of which light and mass."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..cosmology import pc_per_arcsec
from ..filters import filter_names, get_filter
from ..images.selection import reference_filter
from ..randomness import generator
from .cluster import Member, make_cluster
from .lens import Lens
from .noise import DEPTH_SIGMA
from .sources import Clump, Galaxy, Star, place_clumps, place_galaxies, place_stars
from .spectra import HST_FILTERS, Population, draw_clump, draw_host

__all__ = ["Light", "Scene", "design_scene", "nircam_filters"]

_CLUMPS_PER_PAIR = 10
_MASS_RANGE = 100.0  # of a galaxy's clumps, drawn from dN/dM ~ M^-2
_MEDIAN_SNR = 25.0
_SNR_RANGE = (3.0, 250.0)


@dataclass(frozen=True)
class Light:
    """Stars of one clump or disc.

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
    size_arcsec : float
    filters : tuple of str
        NIRCam filters drawn.
    lens, members, galaxies, clumps, stars
        See `clumpscope.mock.cluster` and `clumpscope.mock.sources`.
    clump_light, disc_light : tuple of Light
        Of each clump, and of each galaxy's disc.
    """

    seed: int
    size_arcsec: float
    filters: tuple[str, ...]
    lens: Lens
    members: list[Member]
    galaxies: list[Galaxy]
    clumps: list[Clump]
    stars: list[Star]
    clump_light: tuple[Light, ...]
    disc_light: tuple[Light, ...]

    def filter_ref(self, galaxy: Galaxy) -> str:
        """Reference filter of a galaxy among those drawn."""
        return reference_filter(galaxy.z, self.filters)


def nircam_filters() -> list[str]:
    """The 20 NIRCam filters of C25."""
    return [name for name in filter_names() if get_filter(name).channel in ("sw", "lw")]


def design_scene(
    seed: int, size_arcsec: float, filters: Sequence[str], n_galaxies: int, n_clumps: int, n_stars: int
) -> Scene:
    """Draw a field's objects; see `clumpscope.mock.make_field` for the parameters."""
    lens, members = make_cluster(generator(seed, "mock", "cluster"), size_arcsec)
    galaxies = place_galaxies(
        generator(seed, "mock", "galaxies"), lens, members, size_arcsec, n_galaxies, n_clumps
    )
    clumps = place_clumps(
        generator(seed, "mock", "clumps"), lens, galaxies, max(1, n_clumps // _CLUMPS_PER_PAIR)
    )
    stars = place_stars(generator(seed, "mock", "stars"), galaxies, members, size_arcsec, n_stars)
    bands = (*nircam_filters(), *HST_FILTERS)
    rng = generator(seed, "mock", "light")
    clump_light: list[Light] = []
    disc_light: list[Light] = []
    for galaxy in galaxies:
        own = [clump for clump in clumps if clump.galaxy is galaxy]
        reference = reference_filter(galaxy.z, list(filters))
        lights = _clump_light(rng, own, bands, reference)
        total = sum(light.flux_njy[reference] for light in lights)
        clump_light += lights
        disc = draw_host(rng, galaxy.z)
        unit = dict(zip(bands, disc.flux_per_msun(bands, galaxy.z), strict=True))
        disc_light.append(_scaled(disc, unit, total * rng.uniform(2.5, 6.0) / unit[reference]))
    return Scene(
        seed,
        size_arcsec,
        tuple(filters),
        lens,
        members,
        galaxies,
        clumps,
        stars,
        tuple(clump_light),
        tuple(disc_light),
    )


def _scaled(population: Population, unit: dict[str, float], mass: float) -> Light:
    flux = {name: float(value * mass) for name, value in unit.items()}
    return Light(population, float(np.log10(mass)), flux)


def _clump_light(rng, clumps: list[Clump], bands: Sequence[str], reference: str) -> list[Light]:
    """Populations and masses of one galaxy's clumps.

    Masses follow M^-2 above a galaxy's own lowest mass, which puts the median S/N where C25 can measure;
    the few that then would be invisible or garish are brought back into range.
    """
    band = get_filter(reference)
    sigma = 10 ** (-0.4 * (band.mag_limit_ab - 31.4)) / DEPTH_SIGMA
    populations, units, snr_per_msun, shares = [], [], [], []
    for clump in clumps:
        population = draw_clump(rng, clump.galaxy.z)
        unit = dict(zip(bands, population.flux_per_msun(bands, clump.galaxy.z), strict=True))
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
