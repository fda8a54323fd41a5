"""Transmission of the intergalactic medium: Inoue, Shimizu, Iwata & Tanaka (2014, MNRAS 442, 1805)."""

from functools import cache

import numpy as np

from ...resources import resource

__all__ = ["igm_transmission", "lyman_edges"]

_LYMAN_LIMIT = 911.8  # Angstrom, as in the paper


@cache
def _series() -> np.ndarray:
    """Table 2: wavelength and five coefficients of each Lyman-series line, (n_lines, 6)."""
    return np.loadtxt(resource("igm/inoue2014_table2.csv"), delimiter=",", comments="#", usecols=range(1, 7))


def lyman_edges(redshift: float) -> np.ndarray:
    """Observed wavelengths at which the transmission jumps [Angstrom]: the lines and the limit at `redshift`."""
    return np.append(_series()[:, 0], _LYMAN_LIMIT) * (1.0 + redshift)


def igm_transmission(wave_angstrom: np.ndarray, redshift: float) -> np.ndarray:
    """Mean transmission of the intergalactic medium towards a source.

    Parameters
    ----------
    wave_angstrom : (n,) array
        *Observed* wavelength [Angstrom].
    redshift : float
        Redshift of the source.

    Returns
    -------
    (n,) array
        exp(-tau), equation 15: Lyman-series and Lyman-continuum absorption of the Lyman-alpha forest
        and of damped systems. A wavelength of exactly Lyman alpha counts as absorbed.
    """
    observed = np.asarray(wave_angstrom, dtype=float)
    transmitted = np.ones(observed.shape)
    affected = observed <= _series()[0, 0] * (1.0 + redshift)
    if not affected.any():
        return transmitted
    wave = observed[affected]
    optical_depth = np.zeros(wave.shape)
    for line, *coefficients in _series():
        absorbed = (wave > line) & (wave <= line * (1.0 + redshift))
        optical_depth[absorbed] += _line_depth(wave[absorbed] / line, *coefficients)
    ionised = (wave > _LYMAN_LIMIT) & (wave < _LYMAN_LIMIT * (1.0 + redshift))
    ratio = wave[ionised] / _LYMAN_LIMIT
    optical_depth[ionised] += _forest_continuum(ratio, redshift) + _damped_continuum(ratio, redshift)
    transmitted[affected] = np.exp(-optical_depth)
    return transmitted


def _line_depth(x: np.ndarray, laf1: float, laf2: float, laf3: float, dla1: float, dla2: float) -> np.ndarray:
    """Equations 21 and 22; x = observed wavelength over the line's, 1 + z of the absorber."""
    forest = np.where(x < 2.2, laf1 * x**1.2, np.where(x < 5.7, laf2 * x**3.7, laf3 * x**5.5))
    damped = np.where(x < 3.0, dla1 * x**2.0, dla2 * x**3.0)
    return forest + damped


def _forest_continuum(x: np.ndarray, redshift: float) -> np.ndarray:
    """Equations 25 to 27."""
    s = 1.0 + redshift
    if redshift < 1.2:
        return 0.325 * (x**1.2 - s**-0.9 * x**2.1)
    if redshift < 4.7:
        near = 2.55e-2 * s**1.6 * x**2.1 + 0.325 * x**1.2 - 0.250 * x**2.1
        far = 2.55e-2 * (s**1.6 * x**2.1 - x**3.7)
        return np.where(x < 2.2, near, far)
    near = 5.22e-4 * s**3.4 * x**2.1 + 0.325 * x**1.2 - 3.14e-2 * x**2.1
    middle = 5.22e-4 * s**3.4 * x**2.1 + 0.218 * x**2.1 - 2.55e-2 * x**3.7
    far = 5.22e-4 * (s**3.4 * x**2.1 - x**5.5)
    return np.where(x < 2.2, near, np.where(x < 5.7, middle, far))


def _damped_continuum(x: np.ndarray, redshift: float) -> np.ndarray:
    """Equations 28 and 29."""
    s = 1.0 + redshift
    if redshift < 2.0:
        return 0.211 * s**2.0 - 7.66e-2 * s**2.3 * x**-0.3 - 0.135 * x**2.0
    near = 0.634 + 4.70e-2 * s**3.0 - 1.78e-2 * s**3.3 * x**-0.3 - 0.135 * x**2.0 - 0.291 * x**-0.3
    far = 4.70e-2 * s**3.0 - 1.78e-2 * s**3.3 * x**-0.3 - 2.92e-2 * x**3.0
    return np.where(x < 3.0, near, far)
