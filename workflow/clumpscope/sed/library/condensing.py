"""Bringing spectra of any sampling onto the library's wavelength pixels, keeping their integrals."""

import numpy as np

from .ssp import LYMAN_LIMIT

__all__ = ["average_in_bins", "initial_mass_below", "library_edges", "lines_inside", "remnant_fraction"]

# Pixels per e-fold of wavelength. Coarse where the IGM absorbs nearly everything; fine where medium bands
# at high redshift meet narrow stellar absorption; coarse again where the stellar libraries themselves are.
_SEGMENTS = [
    (91.0, 911.8, 30),
    (911.8, 1215.67, 600),
    (1215.67, 3500.0, 600),
    (3500.0, 9600.0, 450),
    (9600.0, 60000.0, 200),
]


def library_edges() -> np.ndarray:
    """Edges of the library's rest-frame pixels [Angstrom]."""
    pieces = [
        np.geomspace(low, high, int(np.ceil(np.log(high / low) * per_efold)) + 1)[:-1]
        for low, high, per_efold in _SEGMENTS
    ]
    return np.concatenate([*pieces, [_SEGMENTS[-1][1]]])


def lines_inside(wave: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Indices of emission lines that the library keeps, from the Lyman limit to its last edge, by rising wavelength."""
    inside = np.flatnonzero((wave > LYMAN_LIMIT) & (wave < edges[-1]))
    return inside[np.argsort(wave[inside], kind="stable")]


def average_in_bins(x: np.ndarray, values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Mean of a piecewise-linear function in bins, exactly; zero outside its range.

    Parameters
    ----------
    x : (n,) array
        Increasing abscissa.
    values : (..., n) array
        The function at `x`.
    edges : (m + 1,) array
        Increasing edges of the bins.

    Returns
    -------
    (..., m) array
    """
    values = np.asarray(values, dtype=float)
    width = np.diff(x)
    integral = np.zeros(values.shape)
    np.cumsum(0.5 * (values[..., 1:] + values[..., :-1]) * width, axis=-1, out=integral[..., 1:])
    inside = np.clip(edges, x[0], x[-1])
    left = np.clip(np.searchsorted(x, inside, side="right") - 1, 0, len(x) - 2)
    step = inside - x[left]
    slope = (values[..., left + 1] - values[..., left]) / width[left]
    cumulative = integral[..., left] + step * (values[..., left] + 0.5 * slope * step)
    return np.diff(cumulative, axis=-1) / np.diff(edges)


# --- masses -------------------------------------------------------------------------------------------

_MASS_GRID = np.geomspace(0.1, 100.0, 4001)


def _kroupa(mass: np.ndarray) -> np.ndarray:
    """Number of stars per unit mass, Kroupa (2001): slopes 1.3 below 0.5 Msun and 2.3 above."""
    return np.where(mass < 0.5, 0.5 * (mass / 0.5) ** -1.3, 0.5 * (mass / 0.5) ** -2.3)


def _remnant_mass(mass: np.ndarray) -> np.ndarray:
    """Mass left by a star of initial mass `mass` [Msun]; Renzini & Ciotti (1993), ApJ 416, L49."""
    return np.where(mass < 8.5, 0.077 * mass + 0.48, np.where(mass < 40.0, 1.4, 0.5 * mass))


def _cumulative(density: np.ndarray) -> np.ndarray:
    step = 0.5 * (density[1:] + density[:-1]) * np.diff(_MASS_GRID)
    return np.concatenate([[0.0], np.cumsum(step)])


def initial_mass_below(limit: np.ndarray) -> np.ndarray:
    """Fraction of the mass formed that goes into stars of 0.1 Msun to `limit` [Msun]; IMF to 100 Msun."""
    cumulative = _cumulative(_MASS_GRID * _kroupa(_MASS_GRID))
    return np.interp(limit, _MASS_GRID, cumulative / cumulative[-1])


def remnant_fraction(living_fraction: np.ndarray) -> np.ndarray:
    """Mass in white dwarfs, neutron stars and black holes, per mass formed.

    The living fraction of a population tells its turn-off mass: below it stars live, above it they have
    left the remnants of Renzini & Ciotti (1993). The IMF is Kroupa (2001), 0.1-100 Msun.

    Parameters
    ----------
    living_fraction : array
        Mass in living stars per mass formed.
    """
    mass = _MASS_GRID * _kroupa(_MASS_GRID)
    formed = _cumulative(mass)
    remnants = _cumulative(_remnant_mass(_MASS_GRID) * _kroupa(_MASS_GRID)) / formed[-1]
    turn_off = np.interp(living_fraction, formed / formed[-1], _MASS_GRID)
    return remnants[-1] - np.interp(turn_off, _MASS_GRID, remnants)
