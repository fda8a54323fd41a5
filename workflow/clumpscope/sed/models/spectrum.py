"""The reference implementation: composite spectra at the library's resolution, and their photometry.

Slow and plain: the history is summed in thin slices of time, the spectrum is attenuated at every wavelength and
then multiplied with the filter curves on a fine grid. `clumpscope.sed.models.photometry` computes the same numbers
thousands of times faster; the tests compare the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...cosmology import age_of_universe_yr, luminosity_distance_cm
from ...errors import InputError
from ...filters import get_filter, transmission
from ..library.ssp import LYMAN_LIMIT, SPEED_OF_LIGHT, SSPLibrary, load_library
from .attenuation import calzetti
from .dust_emission import dust_spectrum
from .gas import age_hats, bracket, gas_spectra, ionising_at
from .igm import igm_transmission
from .sfh import SFH, get_sfh, sfr_shape

__all__ = [
    "NJY",
    "Spectrum",
    "age_weights",
    "dust_glow",
    "rest_spectrum",
    "synthesize",
]

NJY = 1e32  # nJy per erg / s / cm2 / Hz

_SAMPLES_PER_EFOLD = 20_000  # of wavelength, in photometry
_SLICES = 60_000  # of time


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A rest-frame spectrum, lines apart.

    Attributes
    ----------
    wave_edges : (n_wave + 1,) array
        Pixel edges [Angstrom].
    continuum : (n_wave,) array
        Stars and nebular continuum [Lsun / Angstrom].
    line_wave : (n_line,) array
        Wavelengths of the nebular lines [Angstrom].
    lines : (n_line,) array
        Line luminosities [Lsun].
    """

    wave_edges: np.ndarray
    continuum: np.ndarray
    line_wave: np.ndarray
    lines: np.ndarray


def age_weights(
    library: SSPLibrary, sfh: SFH, parameters: Mapping[str, float], age_max_yr: float
) -> np.ndarray:
    """Mass formed that each SSP age stands for, by brute force; the sum is one.

    Parameters
    ----------
    library : SSPLibrary
    sfh : SFH
    parameters : mapping
        ``log_age_yr`` and the history's own parameters.
    age_max_yr : float
        Older ages are taken as this (the age of the Universe).

    Returns
    -------
    (n_age,) array
        Weights of the SSP spectra, which are linear in age between the library's ages.
    """
    age = min(10.0 ** parameters["log_age_yr"], age_max_yr, library.age_yr[-1])
    if sfh.shape == "burst":
        star_age, mass = np.array([age]), np.array([1.0])
    else:
        # Thin slices everywhere: even in time and in logarithms of the time before the end and after the
        # onset, so that neither the youngest stars nor the narrowest peak of the history slips through.
        thin = np.geomspace(1e-9, 1.0, _SLICES // 4)
        edges = [
            np.linspace(0.0, 1.0, _SLICES // 4),
            thin,
            1.0 - thin,
            library.age_yr[library.age_yr < age] / age,
        ]
        if sfh.shape == "double_power_law":
            peak = 10.0 ** parameters["log_tau_yr"] / age
            for power in (10.0 ** parameters["log_alpha"], 10.0 ** parameters["log_beta"]):
                from_peak = thin * min(60.0 / power, 50.0)
                edges += [1.0 - peak * np.exp(from_peak), 1.0 - peak * np.exp(-from_peak)]
        x = np.concatenate(edges)
        x = np.unique(x[(x >= 0.0) & (x <= 1.0)])
        star_age = 0.5 * (x[1:] + x[:-1]) * age
        t = 0.5 * ((1.0 - x[1:]) + (1.0 - x[:-1])) * age  # never rounded to zero, as age - star_age can be
        mass = sfr_shape(sfh, t, parameters) * np.diff(x)
        mass /= mass.sum()
    index, fraction = bracket(library.age_yr, star_age)
    n = len(library.age_yr)
    return np.bincount(index, mass * (1.0 - fraction), n) + np.bincount(index + 1, mass * fraction, n)


def rest_spectrum(
    library: SSPLibrary,
    sfh: SFH,
    parameters: Mapping[str, float],
    age_max_yr: float = 1.4e10,
    nebular: bool = True,
) -> Spectrum:
    """Unattenuated rest-frame spectrum of a composite population.

    Parameters
    ----------
    library : SSPLibrary
    sfh : SFH
    parameters : mapping
        All parameters of the history; ``a_v`` is not used here.
    age_max_yr : float
        Older ages are taken as this.
    nebular : bool
        Whether gas takes the ionising photons of populations up to 25 Myr and emits lines and continuum.
    """
    weights = age_weights(library, sfh, parameters, age_max_yr)
    k, fraction = bracket(library.log_z_zsun, parameters["log_z_zsun"])
    low, high = library.stars[k].astype(float), library.stars[min(k + 1, len(library.log_z_zsun) - 1)]
    ssp = (1.0 - fraction) * low + fraction * high
    lines = np.zeros(len(library.line_wave))
    if nebular:
        young = library.n_gas_ages
        ssp[:young, library.wave_edges[1:] <= LYMAN_LIMIT * (1 + 1e-9)] = 0.0
        line_ratio, continuum_ratio = gas_spectra(library, parameters["log_z_zsun"], parameters["log_u"])
        ionising = ionising_at(library, parameters["log_z_zsun"])[:, None] * age_hats(library)
        ssp[:young] += ionising @ continuum_ratio
        lines = weights[:young] @ (ionising @ line_ratio)
    mass = 10.0 ** parameters["log_mass_formed"]
    return Spectrum(library.wave_edges, mass * (weights @ ssp), library.line_wave, mass * lines)


def synthesize(
    library: SSPLibrary | str,
    filters: Sequence[str],
    redshift: float,
    sfh: SFH | str,
    params: Mapping[str, float],
    nebular: bool = True,
    dust_emission: bool = True,
) -> np.ndarray:
    """Photometry of one model by brute force, without magnification.

    Parameters
    ----------
    library : SSPLibrary or str
        A library, or its name.
    filters : sequence of str
        Filter names.
    redshift : float
        Redshift, > 0.
    sfh : SFH or str
        Star-formation history, or its name.
    params : mapping
        ``log_mass_formed``, ``log_age_yr``, ``log_z_zsun``, ``a_v``, ``log_u`` and the history's own
        (see `clumpscope.sed.models.sfh`).
    nebular : bool
        Whether to include nebular emission.
    dust_emission : bool
        Whether the dust emits the energy it absorbs.

    Returns
    -------
    (n_bands,) array
        Flux densities [nJy].

    Raises
    ------
    InputError
        Unknown filter, history or library, missing parameter, redshift not positive.
    """
    library = library if isinstance(library, SSPLibrary) else load_library(library)
    sfh = sfh if isinstance(sfh, SFH) else get_sfh(sfh)
    missing = [name for name in sfh.parameters if name not in params]
    if missing:
        raise InputError(f"parameters of {sfh.name}", f"no {', '.join(missing)}", ", ".join(sfh.parameters))
    if not redshift > 0.0:
        raise InputError("redshift", str(redshift), "a positive number")
    spectrum = rest_spectrum(library, sfh, params, float(age_of_universe_yr(redshift)), nebular)
    # Luminosity [Lsun] to flux [erg / s / cm2], and per observed instead of rest-frame Angstrom.
    dilution = library.lsun_erg_s / (4.0 * np.pi * luminosity_distance_cm(redshift) ** 2)
    glow = dust_glow(spectrum, params["a_v"]) if dust_emission else np.zeros_like(spectrum.continuum)
    lines_seen = igm_transmission(spectrum.line_wave * (1.0 + redshift), redshift)
    flux = [_through_filter(spectrum, glow, lines_seen, name, redshift, params["a_v"]) for name in filters]
    return np.array(flux) * dilution * NJY / SPEED_OF_LIGHT


def dust_glow(spectrum: Spectrum, a_v: float) -> np.ndarray:
    """What the dust emits of the luminosity that it absorbs [Lsun / Angstrom], in the pixels of the spectrum."""
    edges = spectrum.wave_edges
    lost = 1.0 - 10.0 ** (-0.4 * a_v * calzetti(0.5 * (edges[1:] + edges[:-1])))
    lost_lines = 1.0 - 10.0 ** (-0.4 * a_v * calzetti(spectrum.line_wave))
    absorbed = np.sum(spectrum.continuum * np.diff(edges) * lost) + np.sum(spectrum.lines * lost_lines)
    return absorbed * dust_spectrum(edges)


@lru_cache(maxsize=64)
def _samples(name: str, redshift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Fine pixels of a filter: observed wavelength and width [Angstrom], transmission with that of the intergalactic medium; the integral of T / lambda."""
    curve_wave, curve = transmission(name)
    n = int(np.log(curve_wave[-1] / curve_wave[0]) * _SAMPLES_PER_EFOLD)
    edges = np.geomspace(curve_wave[0], curve_wave[-1], n)
    observed, step = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    transmitted = np.interp(observed, curve_wave, curve)
    norm = float(np.sum(transmitted / observed * step))
    return observed, step, transmitted * igm_transmission(observed, redshift), norm


def _through_filter(
    spectrum: Spectrum, glow: np.ndarray, lines_seen: np.ndarray, name: str, redshift: float, a_v: float
) -> float:
    """Integral of lambda L T over that of T / lambda, for L per observed Angstrom; `glow` is not attenuated."""
    get_filter(name)

    def dimmed(observed: np.ndarray) -> np.ndarray:
        return 10.0 ** (-0.4 * a_v * calzetti(observed / (1.0 + redshift)))

    observed, step, through, norm = _samples(name, redshift)
    pixel = np.searchsorted(spectrum.wave_edges, observed / (1.0 + redshift), side="right") - 1
    inside = (pixel >= 0) & (pixel < len(glow))
    pixel = np.clip(pixel, 0, len(glow) - 1)
    density = np.where(inside, spectrum.continuum[pixel] * dimmed(observed) + glow[pixel], 0.0)
    light = np.sum(observed * density * through * step) / (1.0 + redshift)
    at_line = spectrum.line_wave * (1.0 + redshift)
    passed = np.interp(at_line, *transmission(name), left=0.0, right=0.0) * lines_seen
    light += np.sum(at_line * spectrum.lines * dimmed(at_line) * passed)
    return light / norm
