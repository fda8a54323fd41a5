"""What clumps would be if their light were not Gaussian: the systematic error of the profile.

Behind a PSF and beside a free plane, pixels of a small box do not tell a Gaussian from a profile with wings (at a
signal-to-noise of 100 chi-squared differs by one), but the light in the wings does differ, and so does the half-light
radius. Here profiles with wings are fitted to the noiseless image of a Gaussian, as the Gaussian would be to them.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import k1

from .host import plane
from .model import SpectralPSF

__all__ = ["PROFILES", "WingedFit", "draw_round", "winged_fits"]

Array = np.ndarray
_TWO_LN2 = 2.0 * np.log(2.0)
# Sizes tried around that of the Gaussian, in its standard deviation, and their steps [e-folds].
_TRIED, _STEP = (0.4, 3.0), 0.05


def _plummer(q: Array) -> Array:
    """Transform of a projected Plummer sphere (1911, MNRAS 71, 460), whose half-light radius is its scale."""
    t = np.sqrt(np.maximum(_TWO_LN2 * q, 1e-12))
    return t * k1(t)


def _eff(q: Array) -> Array:
    """Transform of (1 + r^2 / a^2)^(-3/2), half of whose light is inside sqrt(3) a (Elson, Fall & Freeman 1987, ApJ 323, 54)."""
    return np.exp(-np.sqrt(_TWO_LN2 * q / 3.0))


PROFILES: dict[str, Callable[[Array], Array]] = {
    "gaussian": lambda q: np.exp(-0.5 * q),
    "plummer": _plummer,
    "eff": _eff,
}
"""Transforms of circular profiles of unit flux, as functions of (sigma u)^2, where sigma is that of the Gaussian with the
same half-light radius and u the angular frequency."""


class WingedFit(NamedTuple):
    """Fits of one profile with wings to images of Gaussians.

    Attributes
    ----------
    size_ratio : (n,) array
        Half-light radius of the profile over that of the Gaussian.
    flux_ratio : (n,) array
        Its flux over that of the Gaussian.
    """

    size_ratio: Array
    flux_ratio: Array


def draw_round(
    psf: SpectralPSF, x: float, y: float, sigma_px: Array, profile: str, columns: Array, rows: Array
) -> Array:
    """Round sources of unit flux behind the PSF, (n, ny, nx).

    Parameters
    ----------
    psf : SpectralPSF
    x, y : float
        Place [px].
    sigma_px : (n,) array
        Standard deviations of the Gaussians with the sources' half-light radii [px].
    profile : str
        One of `PROFILES`.
    columns, rows : (nx,), (ny,) arrays
        Pixels.
    """
    along_y, along_x = (
        np.exp(1j * np.outer(u, place)) for u, place in ((psf.u_y, rows - y), (psf.u_x, columns - x))
    )
    square = psf.u_y[:, None] ** 2 + psf.u_x[None, :] ** 2
    transform = psf.spectrum[0] + 1j * psf.spectrum[1]
    blurred = transform * PROFILES[profile](np.asarray(sigma_px)[:, None, None] ** 2 * square)
    return np.einsum("aj,nab,bi->nji", along_y, blurred, along_x, optimize=True).real


def winged_fits(
    psf: SpectralPSF,
    sigma_px: Array,
    profile: str,
    side: int,
    backgrounds: Sequence[tuple[Array, Array]] | None = None,
) -> WingedFit:
    """Fit a profile with wings, and a background, to noiseless images of round Gaussians.

    Parameters
    ----------
    psf : SpectralPSF
        Of an extent of half a box at least.
    sigma_px : (n,) array
        Standard deviations of the Gaussians [px], above zero.
    profile : str
        One of `PROFILES`.
    side : int
        Odd side of the box [px].
    backgrounds : sequence of ((t, side, side) array, (t,) array), optional
        Terms of each fit's background, over the noise of a pixel, and the penalty of the squares of their factors; a plane
        where there are none.
    """
    sigma_px, place = np.asarray(sigma_px, dtype=float), np.arange(side) - side // 2
    if backgrounds is None:
        flat = plane((side, side))
        backgrounds = [(flat.terms, flat.ridge)] * sigma_px.size
    low, high = sigma_px.min() * _TRIED[0], sigma_px.max() * _TRIED[1]
    sizes = low * np.exp(_STEP * np.arange(int(np.ceil(np.log(high / low) / _STEP)) + 1))
    winged = draw_round(psf, 0.0, 0.0, sizes, profile, place, place).reshape(-1, side**2)
    gaussian = draw_round(psf, 0.0, 0.0, sigma_px, "gaussian", place, place).reshape(-1, side**2)
    size_ratio, flux_ratio = np.empty((2, sigma_px.size))
    for k, (sigma, (terms, ridge)) in enumerate(zip(sigma_px, backgrounds, strict=True)):
        # What a background with a prior takes of an image: I - T (T' T + R)^-1 T'.
        flat = terms.reshape(len(terms), -1)
        lower = np.linalg.cholesky(flat @ flat.T + np.diag(ridge))
        taken = np.linalg.solve(lower, flat)
        within = (sizes >= _TRIED[0] * sigma * (1.0 - _STEP)) & (sizes <= _TRIED[1] * sigma * (1.0 + _STEP))
        tried, first = winged[within], int(np.argmax(within))
        shared = taken @ tried.T
        square = np.sum(tried**2, axis=1) - np.sum(shared**2, axis=0)
        product = tried @ gaussian[k] - shared.T @ (taken @ gaussian[k])
        explained = product**2 / square
        best = int(np.clip(np.argmax(explained), 1, len(tried) - 2))
        left, here, right = explained[best - 1 : best + 2]
        bend = left - 2.0 * here + right
        shift = float(np.clip(0.5 * (left - right) / bend, -1.0, 1.0)) if bend < 0.0 else 0.0
        size_ratio[k] = sizes[first + best] * np.exp(shift * _STEP) / sigma
        around = slice(best - 1, best + 2)
        flux_ratio[k] = np.interp(shift, [-1.0, 0.0, 1.0], product[around] / square[around])
    return WingedFit(size_ratio, flux_ratio)
