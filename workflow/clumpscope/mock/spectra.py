"""Stellar populations of the mock clumps and galaxies, and their fluxes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..cosmology import age_of_universe_yr
from ..filters import get_filter, transmission

__all__ = [
    "HST_FILTERS",
    "Population",
    "draw_bulge",
    "draw_clump",
    "draw_host",
    "member_population",
    "reddening_mag",
    "star_colours",
]

# The seven bands of the Frontier Fields (C25 section 2.1).
HST_FILTERS = ("F435W", "F606W", "F814W", "F105W", "F125W", "F140W", "F160W")

MEMBER_METALLICITY, ICL_METALLICITY = 0.1, -0.2  # log10 over solar

_EBV = 0.012  # reproduces the reddening of C25 Table 1 to 0.001 mag
_HC_K_ANGSTROM = 1.438776877e8  # h c / k
_YEAR_STEPS = 400
_V_STEPS = 4000
_C_ANGSTROM_S = 2.99792458e18
_TEN_PC_CM = 3.0856775814913673e19


@dataclass(frozen=True)
class Population:
    """An exponentially declining star formation, its dust and its gas; names as in the SED posteriors."""

    log_age_yr: float
    log_tau_yr: float
    a_v: float
    log_z_zsun: float
    log_u: float

    def flux_per_msun(self, filters: Sequence[str], z: float) -> np.ndarray:
        """Flux of one solar mass formed [nJy], (n_filters,), by direct integration at the library's resolution."""
        from ..sed import synthesize  # loads the stellar library

        return synthesize("bc03", filters, z, "exp_free", {"log_mass_formed": 0.0, **asdict(self)})

    def v_magnitude_ab(self) -> float:
        """Rest-frame absolute AB magnitude of one solar mass formed in Bessell V, with dust and gas."""
        from sedpy.observate import Filter

        from ..sed import load_library, rest_spectrum
        from ..sed.models.attenuation import calzetti
        from ..sed.models.sfh import get_sfh

        library = load_library("bc03")
        parameters = {"log_mass_formed": 0.0, **asdict(self)}
        spectrum = rest_spectrum(library, get_sfh("exp_free"), parameters)
        curve = Filter("bessell_V")
        # Photons count: the mean of lambda L_lambda T over that of T / lambda is c L_nu.
        wave = np.linspace(curve.wavelength[0], curve.wavelength[-1], _V_STEPS)
        throughput = np.interp(wave, curve.wavelength, curve.transmission)
        pixel = np.searchsorted(spectrum.wave_edges, wave, side="right") - 1
        dust = 10 ** (-0.4 * self.a_v * calzetti(wave))
        light = np.trapezoid(wave * spectrum.continuum[pixel] * dust * throughput, wave)
        line_dust = 10 ** (-0.4 * self.a_v * calzetti(spectrum.line_wave))
        seen = np.interp(spectrum.line_wave, wave, throughput, left=0.0, right=0.0)
        light += (spectrum.line_wave * spectrum.lines * line_dust * seen).sum()
        per_hz = light / np.trapezoid(throughput / wave, wave) / _C_ANGSTROM_S  # Lsun / Hz
        return float(-2.5 * np.log10(per_hz * library.lsun_erg_s / (4 * np.pi * _TEN_PC_CM**2)) - 48.6)

    @property
    def log_age_mw_yr(self) -> float:
        """Mass-weighted age: the mean of (age - t) under exp(-t / tau)."""
        age, tau = 10**self.log_age_yr, 10**self.log_tau_yr
        return float(np.log10(age - tau + age * np.exp(-age / tau) / -np.expm1(-age / tau)))

    def fraction_formed_since(self, years: float) -> float:
        """Share of the mass that formed in the last `years`."""
        age, tau = 10**self.log_age_yr, 10**self.log_tau_yr
        start = max(age - years, 0.0)
        return float((np.exp(-start / tau) - np.exp(-age / tau)) / -np.expm1(-age / tau))

    def fraction_left(self) -> float:
        """Mass in living stars and remnants over mass formed."""
        from ..sed import load_library

        library = load_library("bc03")
        weight = np.interp(self.log_z_zsun, library.log_z_zsun, np.arange(library.log_z_zsun.size))
        below = min(int(weight), library.log_z_zsun.size - 2)
        fraction = library.mass_fraction[below] * (below + 1 - weight)
        fraction = fraction + library.mass_fraction[below + 1] * (weight - below)
        age, tau = 10**self.log_age_yr, 10**self.log_tau_yr
        # Midpoints of equal shares of the mass formed.
        share = (np.arange(_YEAR_STEPS) + 0.5) / _YEAR_STEPS
        since_onset = -tau * np.log1p(share * np.expm1(-age / tau))
        return float(np.interp(age - since_onset, library.age_yr, fraction).mean())


def draw_clump(rng: np.random.Generator, z: float) -> Population:
    """Population of a clump: ages, dust and metals spread like those C25 find (section 3.6, figure 7)."""
    oldest = np.log10(0.8 * age_of_universe_yr(z))
    return Population(
        float(np.clip(rng.normal(7.7, 0.6), 6.3, min(oldest, 9.3))),
        float(rng.uniform(6.3, 8.7)),
        float(min(rng.exponential(0.35), 1.8)),
        float(np.clip(rng.normal(-0.5, 0.3), -1.6, 0.2)),
        float(rng.uniform(-3.4, -1.8)),
    )


def draw_host(rng: np.random.Generator, z: float) -> Population:
    """Population of a galaxy's disc: older, and still forming stars."""
    oldest = age_of_universe_yr(z)
    return Population(
        float(np.log10(oldest * rng.uniform(0.2, 0.6))),
        float(rng.uniform(9.0, 9.8)),
        float(rng.uniform(0.2, 0.9)),
        float(rng.normal(-0.3, 0.15)),
        -3.0,
    )


def draw_bulge(rng: np.random.Generator, z: float) -> Population:
    """Population of a bulge: old, metal-rich, done with forming stars."""
    oldest = age_of_universe_yr(z)
    return Population(
        float(np.log10(oldest * rng.uniform(0.4, 0.8))),
        float(rng.uniform(8.0, 8.7)),
        float(rng.uniform(0.0, 0.5)),
        float(rng.normal(0.0, 0.1)),
        -3.0,
    )


def member_population(metallicity: float) -> Population:
    """Old stars of cluster galaxies."""
    return Population(float(np.log10(8e9)), 8.5, 0.05, metallicity, -3.5)


def star_colours(filters: Sequence[str], temperature_k: float) -> np.ndarray:
    """Black-body flux densities f_nu over that of F150W, (n_filters,)."""

    def planck(name):
        wave, throughput = transmission(name)
        brightness = 1.0 / wave**3 / np.expm1(_HC_K_ANGSTROM / (wave * temperature_k))
        return np.trapezoid(brightness * throughput / wave, wave) / np.trapezoid(throughput / wave, wave)

    return np.array([planck(name) for name in filters]) / planck("F150W")


def reddening_mag(name: str) -> float:
    """Galactic reddening of the mock field [mag]: C25 Table 1 for NIRCam, the same E(B-V) for HST."""
    band = get_filter(name)
    if np.isfinite(band.reddening_mag):
        return band.reddening_mag
    # Imports that these few filters alone need.
    from astropy import units as u
    from dust_extinction.parameter_averages import F99

    return float(round(F99(Rv=3.1)(band.pivot_angstrom * u.AA) * 3.1 * _EBV, 4))
