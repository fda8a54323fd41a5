"""The relations that the galaxies and clumps of a twin follow, and draws from them; no image is needed.

The stellar parameters are spread as widely as the default priors of the SED fit, so that its intervals mean for
these clumps what they say; masses, sizes and gradients follow what C25 report (sections 4 and 5), as keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..cosmology import age_of_universe_yr
from .spectra import Population

__all__ = ["Recipe", "draw_ages", "draw_hosts", "draw_masses", "draw_radii", "draw_redshifts"]

Array = np.ndarray
_REDSHIFT, _REDSHIFT_DEX, _REDSHIFT_RANGE = 2.2, 0.17, (0.8, 6.3)
_HOST_RANGE = (8.3, 11.0)
_PIVOT_MASS, _PIVOT_KPC, _PIVOT_Z = 9.5, 1.6, 2.0
_FEWEST_CLUMPS, _COUNT_SHAPE = 2, 3.0
_AGE_LOW, _AGE_SHIFT = 6.1, 0.3  # room for the gradient at both ends
_LOG_TAU, _A_V, _LOG_Z, _LOG_U = (6.3, 9.7), (0.0, 2.0), (-1.9, 0.35), (-4.0, -1.0)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Keys of `mock.population`, see config/README.md.

    Attributes
    ----------
    mass_slope : float
        alpha of dN/dM ~ M^alpha.
    mass_range_dex : float
        Between the lowest and the highest possible mass of a galaxy's clumps.
    log_host_mass, host_scatter_dex : float
        Centre and width of the normal distribution of log10 host mass.
    fraction_log_norm, fraction_slope, fraction_scatter_dex : float
        Expected mass in clumps over host mass: log f = norm + slope (log M_host - 9.5), with scatter.
    mass_gradient, age_gradient : float
        Change of log10 mass and of log10 age with galactocentric distance [dex / kpc].
    log_sigma_mass, sigma_slope, sigma_scatter_dex : float
        Surface density of mass at z = 2 [log10 Msun / pc2], its change with log10 (1 + z), and scatter.
    bulge_share, nucleus_share, arms_share : float
        Shares of galaxies with a bulge, with a clump at the centre, and with spiral arms.
    """

    mass_slope: float = -2.0
    mass_range_dex: float = 2.0
    log_host_mass: float = 9.6
    host_scatter_dex: float = 0.5
    fraction_log_norm: float = -1.2
    fraction_slope: float = -0.5
    fraction_scatter_dex: float = 0.15
    mass_gradient: float = -0.1
    age_gradient: float = -0.15
    log_sigma_mass: float = 2.8
    sigma_slope: float = 1.5
    sigma_scatter_dex: float = 0.4
    bulge_share: float = 0.3
    nucleus_share: float = 0.4
    arms_share: float = 0.5


def draw_redshifts(rng: np.random.Generator, n: int) -> Array:
    """Redshifts of lensed galaxies, (n,): log-normal about 2.2, between 0.8 and 6.3."""
    drawn: list[float] = []
    while len(drawn) < n:
        z = _REDSHIFT * 10 ** (_REDSHIFT_DEX * rng.normal())
        if _REDSHIFT_RANGE[0] < z < _REDSHIFT_RANGE[1]:
            drawn.append(float(z))
    return np.array(drawn)


def draw_hosts(rng: np.random.Generator, n: int, n_clumps: int, recipe: Recipe) -> dict[str, Array]:
    """Galaxies: log_mass, n_clumps and expected log_mass_clumps of each, (n,) arrays.

    The number of clumps does not depend on the mass (at least two, n_clumps together), so that the slope of the
    clump fraction is the same for the expected and for the drawn masses.
    """
    mass = np.array([_truncated(rng, recipe.log_host_mass, recipe.host_scatter_dex) for _ in range(n)])
    fraction = recipe.fraction_log_norm + recipe.fraction_slope * (mass - _PIVOT_MASS)
    fraction = fraction + recipe.fraction_scatter_dex * rng.normal(size=n)
    extra = max(n_clumps - _FEWEST_CLUMPS * n, 0)
    share = rng.gamma(_COUNT_SHAPE, size=n)
    counts = _FEWEST_CLUMPS + rng.multinomial(extra, share / share.sum())
    return {"log_mass": mass, "n_clumps": counts, "log_mass_clumps": mass + np.minimum(fraction, -0.3)}


def _truncated(rng, centre: float, width: float) -> float:
    while True:
        value = rng.normal(centre, width)
        if _HOST_RANGE[0] < value < _HOST_RANGE[1]:
            return float(value)


def draw_masses(
    rng: np.random.Generator, log_mass_clumps: float, distance_kpc: Array, recipe: Recipe
) -> Array:
    """log10 masses (living stars and remnants), (n,), of the clumps of one galaxy.

    A power law from the galaxy's own lowest mass upwards, whose mean is the expected mass in clumps over their number;
    then the gradient, which moves the clumps of a galaxy against each other.
    """
    n = len(distance_kpc)
    alpha, top = recipe.mass_slope, 10**recipe.mass_range_dex
    u = rng.uniform(size=n)
    if alpha == -1:
        share, mean = top**u, (top - 1) / np.log(top)
    else:
        share = (1 + u * (top ** (alpha + 1) - 1)) ** (1 / (alpha + 1))
        norm = (top ** (alpha + 1) - 1) / (alpha + 1)
        mean = (np.log(top) if alpha == -2 else (top ** (alpha + 2) - 1) / (alpha + 2)) / norm
    tilt = recipe.mass_gradient * np.asarray(distance_kpc)
    tilt = tilt - np.log10(np.mean(10**tilt))
    return log_mass_clumps - np.log10(n * mean) + np.log10(share) + tilt


def draw_radii(rng: np.random.Generator, log_mass: Array, z: float, recipe: Recipe) -> Array:
    """Half-light radii [pc] that give the surface densities M / (2 pi R^2) of the recipe."""
    centre = recipe.log_sigma_mass + recipe.sigma_slope * np.log10((1 + z) / (1 + _PIVOT_Z))
    density = centre + recipe.sigma_scatter_dex * rng.normal(size=np.shape(log_mass))
    return 10 ** (0.5 * (np.asarray(log_mass) - density - np.log10(2 * np.pi)))


def draw_ages(
    rng: np.random.Generator, z: float, distance_kpc: Sequence[float], recipe: Recipe
) -> list[Population]:
    """Stellar populations of the clumps of one galaxy.

    Log-uniform in age (2.5 Myr to half the age of the Universe), in tau (2 Myr to 5 Gyr) and in metallicity (0.013 to
    2.2 solar), uniform in A_V (0 to 2) and log U (-4 to -1), independent of the mass. Age and tau then move together
    with distance (by 0.3 dex at most where the age would leave its range), so that the mass-weighted age has the
    gradient, too.
    """
    low, high = _AGE_LOW + _AGE_SHIFT, float(np.log10(age_of_universe_yr(z))) - _AGE_SHIFT
    populations = []
    for distance in distance_kpc:
        age, tau, *others = (
            float(rng.uniform(*limits)) for limits in ((low, high), _LOG_TAU, _A_V, _LOG_Z, _LOG_U)
        )
        shift = float(
            np.clip(
                recipe.age_gradient * (distance - _PIVOT_KPC), low - _AGE_SHIFT - age, high + _AGE_SHIFT - age
            )
        )
        populations.append(Population(age + shift, tau + shift, *others))
    return populations
