"""Infrared emission by dust, which gives back the energy that it absorbs."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from ...filters import get_filter
from ...resources import resource
from ..library.condensing import average_in_bins

__all__ = ["dust_emission_bands", "dust_spectrum"]


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    wave, density = np.loadtxt(resource("dust/draine_li2007.csv"), delimiter=",", comments="#", unpack=True)
    return wave, density


def dust_spectrum(wave_edges: np.ndarray) -> np.ndarray:
    """Spectrum of dust of Draine & Li (2007), with q_PAH = 2 %, U_min = 1, gamma = 0.01.

    Parameters
    ----------
    wave_edges : (n_wave + 1,) array
        Pixel edges [Angstrom].

    Returns
    -------
    (n_wave,) array
        Luminosity density for a total luminosity (1 micron to 1 cm) of one [1 / Angstrom]; zero below 1 micron.
    """
    return average_in_bins(*_table(), wave_edges)


def dust_emission_bands(
    filters: Sequence[str], redshift: float, rest_micron: float = 2.5, redshift_max: float = 0.6
) -> np.ndarray:
    """Bands where emission by dust can dominate, for those who would rather not fit them.

    Parameters
    ----------
    filters : sequence of str
        Filter names.
    redshift : float
        Redshift of the source.
    rest_micron : float
        Rest-frame pivot wavelength beyond which a band counts [micron].
    redshift_max : float
        From this redshift on no band counts: NIRCam then sees too little of the dust.

    Returns
    -------
    (n_bands,) bool array
        True where the band should be left out of a fit.
    """
    pivot = np.array([get_filter(name).pivot_angstrom for name in filters])
    return (pivot / (1.0 + redshift) > rest_micron * 1e4) & (redshift < redshift_max)
