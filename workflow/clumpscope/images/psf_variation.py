"""How the width of a PSF varies over its field: a low polynomial through its stars.

F22 (section 2.3) find widths that differ by 15 to 20 % over one mosaic. One PSF for all then makes fluxes wrong where it is
narrower or broader, by 5 % in the long filters, of all clumps of a galaxy alike.
"""

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["WidthTrend", "fit_trend", "in_the_middle"]

Array = np.ndarray
# Stars a polynomial needs for each of its terms.
_STARS_A_TERM = 4
_TERMS = (1, 3, 6)  # of orders 0, 1, 2
_SCATTERS = np.concatenate([[0.0], np.geomspace(1e-3, 0.5, 60)])
_CLIP_SIGMA = 4.0
# Variance of a core over the mean's beyond which it is not the telescope that varies: F22's differ by less than 1.5.
_SMALLEST, _LARGEST = 0.5, 2.0
# Range of the same that does nothing to a flux, though many bright stars may show it.
_NOTHING = 0.01


@dataclass(frozen=True)
class WidthTrend:
    """Variance of a PSF's core over that of the field's mean, by place.

    Attributes
    ----------
    ra, dec : float
        Middle of the stars [deg].
    half_deg : float
        Half of their largest extent [deg].
    coefficients : (6,) array
        Of 1, u, v, u^2, u v, v^2, the place from the middle over `half_deg` along right ascension and declination.
    low, high : float
        Smallest and largest value at the stars, within 0.5 and 2: beyond them nothing is extrapolated.
    """

    ra: float
    dec: float
    half_deg: float
    coefficients: Array
    low: float
    high: float

    def variance_ratio(self, ra: Array | float, dec: Array | float) -> Array:
        """Variance of the core at places [deg], over the mean's."""
        return np.clip(_terms(*self._place(ra, dec)) @ self.coefficients, self.low, self.high)

    def _place(self, ra: Array | float, dec: Array | float) -> tuple[Array, Array]:
        ra, dec = np.broadcast_arrays(np.asarray(ra, dtype=float), np.asarray(dec, dtype=float))
        east, north = (ra - self.ra + 180.0) % 360.0 - 180.0, dec - self.dec
        return east * np.cos(np.radians(self.dec)) / self.half_deg, north / self.half_deg


def _terms(u: Array, v: Array) -> Array:
    return np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=-1)


def in_the_middle(values: Array, noise: Array) -> Array:
    """Which of some stars' numbers are not far out, beyond their noise and their spread: (n,) bool array."""
    off = np.abs(values - np.median(values))
    return off <= _CLIP_SIGMA * np.maximum(1.4826 * np.median(off), noise)


def fit_trend(ra: Array, dec: Array, excess: Array, noise: Array) -> WidthTrend | None:
    """The polynomial of order 0 to 2 that stars' widths ask for, by the Bayesian information criterion.

    Parameters
    ----------
    ra, dec : (n,) arrays
        Stars [deg].
    excess, noise : (n,) arrays
        Variance of their cores beyond the PSF's, over the PSF's, and its noise. Beyond the noise stars may scatter.

    Returns
    -------
    WidthTrend or None
        Of a mean of 1 over the stars; None where no variation is seen, or one below a half per cent of the width.
    """
    ra, dec, excess, noise = (np.asarray(values, dtype=float) for values in (ra, dec, excess, noise))
    keep = in_the_middle(excess, noise)
    ra, dec, excess, noise = ra[keep], dec[keep], excess[keep], noise[keep]
    if ra.size < _STARS_A_TERM * _TERMS[1]:
        return None
    east = (ra - ra[0] + 180.0) % 360.0 - 180.0
    centre = ra[0] + 0.5 * (east.min() + east.max()), 0.5 * (dec.min() + dec.max())
    shrunk = np.cos(np.radians(centre[1]))
    half = 0.5 * max(np.ptp(east) * shrunk, np.ptp(dec))
    if not half > 0.0:
        return None
    whole = WidthTrend(float(centre[0] % 360.0), float(centre[1]), float(half), np.zeros(6), -np.inf, np.inf)
    terms = _terms(*whole._place(ra, dec))

    def fitted(n: int, scatter: float) -> tuple[float, Array]:
        """The criterion, and the coefficients, of so many terms where stars scatter by so much."""
        weight = 1.0 / np.hypot(noise, scatter)
        found = np.linalg.lstsq(terms[:, :n] * weight[:, None], excess * weight, rcond=None)[0]
        left = (excess - terms[:, :n] @ found) * weight
        criterion = left @ left - 2.0 * np.log(weight).sum() + (n + 1) * np.log(ra.size)
        return float(criterion), np.pad(found, (0, _TERMS[-1] - n))

    told = (n for n in _TERMS if ra.size >= _STARS_A_TERM * n)
    tried = (fitted(n, scatter) for n in told for scatter in _SCATTERS)
    coefficients = min(tried, key=lambda fit: fit[0])[1]
    if not coefficients[1:].any():
        return None
    # What all stars have in common is not the field's variation.
    coefficients[0] += 1.0 - np.mean(terms @ coefficients)
    at_stars = np.clip(terms @ coefficients, _SMALLEST, _LARGEST)
    if np.ptp(at_stars) < _NOTHING:
        return None
    return replace(whole, coefficients=coefficients, low=float(at_stars.min()), high=float(at_stars.max()))
