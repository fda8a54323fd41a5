"""Dust attenuation of Calzetti et al. (2000), and the bands in which dust emission is not modelled."""

from collections.abc import Sequence

import numpy as np

from ..filters import get_filter

__all__ = ["R_V", "calzetti", "dust_emission_bands"]

R_V = 4.05
"""Ratio of total to selective attenuation (Calzetti et al. 2000, section 4.1)."""

_JOIN = 6300.0  # where the two polynomials meet [Angstrom]
_SHORT = 1200.0  # the law is known from here on


def calzetti(wave_angstrom: np.ndarray) -> np.ndarray:
    """Attenuation A(lambda) / A_V (Calzetti et al. 2000, ApJ 533, 682, equation 4).

    The law holds from 0.12 to 2.2 micron. Below, it goes on along the tangent in wavelength; above, the
    polynomial is used until it reaches zero (2.8 micron).

    Parameters
    ----------
    wave_angstrom : array
        Rest-frame wavelength [Angstrom].

    Returns
    -------
    array
        A(lambda) / A_V, dimensionless, >= 0.
    """
    wave = np.asarray(wave_angstrom, dtype=float)
    x = 1e4 / np.maximum(wave, _SHORT)
    k = np.where(
        wave < _JOIN,
        2.659 * (-2.156 + x * (1.509 + x * (-0.198 + x * 0.011))) + R_V,
        2.659 * (-1.857 + 1.040 * x) + R_V,
    )
    edge = 1e4 / _SHORT
    slope = 2.659 * (1.509 + edge * (-0.396 + edge * 0.033)) * -edge / _SHORT
    k = k + slope * np.minimum(wave - _SHORT, 0.0)
    return np.maximum(k, 0.0) / R_V


def dust_emission_bands(
    filters: Sequence[str], redshift: float, rest_micron: float = 2.5, redshift_max: float = 0.6
) -> np.ndarray:
    """Bands where emission by dust can matter, which the model leaves out.

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
