"""Dust attenuation of Calzetti et al. (2000)."""

import numpy as np

__all__ = ["R_V", "calzetti"]

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
