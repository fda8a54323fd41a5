"""The observed spectrum of a model, in bins wide enough to draw."""

from collections.abc import Mapping

import numpy as np

from ...cosmology import age_of_universe_yr, luminosity_distance_cm
from ..inference.posterior import Posterior
from ..library.ssp import SPEED_OF_LIGHT, SSPLibrary, load_library
from ..models.attenuation import calzetti
from ..models.igm import igm_transmission
from ..models.sfh import get_sfh
from ..models.spectrum import NJY, dust_glow, rest_spectrum

__all__ = ["best_spectrum", "observed_spectrum"]

_RESOLUTION = 200.0  # of the spectrum of a best fit


def observed_spectrum(
    library: SSPLibrary | str,
    edges: np.ndarray,
    redshift: float,
    sfh: str,
    parameters: Mapping[str, float],
    nebular: bool = True,
    dust_emission: bool = True,
) -> np.ndarray:
    """Mean flux density in bins of the observed wavelength, lines included.

    Parameters
    ----------
    library : SSPLibrary or str
    edges : (n + 1,) array
        Edges of the bins [Angstrom], inside the redshifted library.
    redshift, sfh, parameters, nebular, dust_emission
        As for `clumpscope.sed.models.spectrum.synthesize`.

    Returns
    -------
    (n,) array
        Mean f_nu over each bin's wavelengths [nJy].
    """
    library = library if isinstance(library, SSPLibrary) else load_library(library)
    spectrum = rest_spectrum(library, get_sfh(sfh), parameters, float(age_of_universe_yr(redshift)), nebular)
    wave, stretch = 0.5 * (spectrum.wave_edges[1:] + spectrum.wave_edges[:-1]), 1.0 + redshift
    density = spectrum.continuum * 10.0 ** (-0.4 * parameters["a_v"] * calzetti(wave))
    if dust_emission:
        density += dust_glow(spectrum, parameters["a_v"])
    lines = spectrum.lines * 10.0 ** (-0.4 * parameters["a_v"] * calzetti(spectrum.line_wave))
    light = density * np.diff(spectrum.wave_edges) * igm_transmission(wave * stretch, redshift)
    lines = lines * igm_transmission(spectrum.line_wave * stretch, redshift)
    # Luminosity up to each edge: the difference between two edges is what a bin holds, however wide the pixels are.
    upto = np.interp(edges / stretch, spectrum.wave_edges, np.concatenate([[0.0], np.cumsum(light)]))
    in_bin = np.diff(upto) + np.histogram(spectrum.line_wave * stretch, edges, weights=lines)[0]
    middle = 0.5 * (edges[1:] + edges[:-1])
    flux = in_bin * library.lsun_erg_s / (4.0 * np.pi * luminosity_distance_cm(redshift) ** 2)
    return flux / np.diff(edges) * middle**2 / SPEED_OF_LIGHT * NJY


def best_spectrum(
    posterior: Posterior, library: SSPLibrary | str, ends_um: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Spectrum of the best fit.

    Parameters
    ----------
    posterior : Posterior
        Of an object with photometry.
    library : SSPLibrary or str
        The stellar library of the fit.
    ends_um : (float, float)
        Observed wavelengths between which it is wanted [micron].

    Returns
    -------
    flux_njy : (n,) array
        Mean flux densities between the edges.
    edges_um : (n + 1,) array
    """
    edges = np.exp(np.arange(*np.log(ends_um), 1.0 / _RESOLUTION))
    settings = posterior.settings
    emission = settings["dust_emission"] == "emission"
    flux = observed_spectrum(
        library,
        edges * 1e4,
        posterior.redshift,
        settings["sfh"],
        posterior.best,
        settings["nebular"],
        emission,
    )
    return flux, edges
