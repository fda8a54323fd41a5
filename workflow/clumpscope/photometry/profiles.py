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

__all__ = ["PROFILES", "WingedFit", "draw_profiles", "winged_fits"]

Array = np.ndarray
_TWO_LN2 = 2.0 * np.log(2.0)
# Half-light radii that are tried, over the Gaussian's: steps [e-folds] and their number, about the middle of these two,
# then about the best of before.
_TRIED, _STEPS = (0.4, 3.0), ((0.25, 9), (0.05, 3))


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


def draw_profiles(
    psf: SpectralPSF, x: float, y: float, moments: Array, profile: str, columns: Array, rows: Array
) -> Array:
    """Sources of unit flux behind the PSF, with elliptical isophotes, (n, ny, nx).

    Parameters
    ----------
    psf : SpectralPSF
    x, y : float
        Place [px].
    moments : (n, 3) array
        Second moments (S_xx, S_yy, S_xy [px^2]) of the Gaussians with the sources' half-light ellipses.
    profile : str
        One of `PROFILES`.
    columns, rows : (nx,), (ny,) arrays
        Pixels.
    """
    along_y, along_x = (
        np.exp(1j * np.outer(u, place)) for u, place in ((psf.u_y, rows - y), (psf.u_x, columns - x))
    )
    u_y, u_x = psf.u_y[:, None], psf.u_x[None, :]
    xx, yy, xy = np.asarray(moments, dtype=float).T[..., None, None]
    square = xx * u_x**2 + yy * u_y**2 + 2.0 * xy * u_x * u_y
    transform = psf.spectrum[0] + 1j * psf.spectrum[1]
    blurred = transform * PROFILES[profile](np.maximum(square, 0.0))
    return np.einsum("aj,nab,bi->nji", along_y, blurred, along_x, optimize=True).real


def winged_fits(
    psf: SpectralPSF,
    moments: Array,
    profile: str,
    side: int,
    backgrounds: Sequence[tuple[Array, Array]] | None = None,
) -> WingedFit:
    """Fit a profile with wings, and a background, to noiseless images of Gaussians.

    The profile keeps the axis ratio and direction of its Gaussian.

    Parameters
    ----------
    psf : SpectralPSF
        Of an extent of half a box at least.
    moments : (n, 3) array
        Second moments of the Gaussians (S_xx, S_yy, S_xy [px^2]).
    profile : str
        One of `PROFILES`.
    side : int
        Odd side of the box [px].
    backgrounds : sequence of ((t, side, side) array, (t,) array), optional
        Terms of each fit's background, over the noise of a pixel, and the penalty of the squares of their factors; a plane
        where there are none.
    """
    moments, place = np.asarray(moments, dtype=float), np.arange(side) - side // 2
    if backgrounds is None:
        flat = plane((side, side))
        backgrounds = [(flat.terms, flat.ridge)] * len(moments)
    size_ratio, flux_ratio = np.empty((2, len(moments)))
    for k, (own, (terms, ridge)) in enumerate(zip(moments, backgrounds, strict=True)):
        # What a background with a prior takes of an image: I - T (T' T + R)^-1 T'.
        flat = terms.reshape(len(terms), -1)
        taken = np.linalg.solve(np.linalg.cholesky(flat @ flat.T + np.diag(ridge)), flat)
        image = draw_profiles(psf, 0.0, 0.0, own[None], "gaussian", place, place).ravel()
        left = image - taken.T @ (taken @ image)
        log_size = 0.5 * sum(np.log(_TRIED))
        for step, n in _STEPS:
            log_sizes = log_size + step * (np.arange(n) - n // 2)
            scaled = own * np.exp(2.0 * log_sizes)[:, None]
            tried = draw_profiles(psf, 0.0, 0.0, scaled, profile, place, place).reshape(n, -1)
            square = np.sum(tried**2, axis=1) - np.sum((taken @ tried.T) ** 2, axis=0)
            product = tried @ left
            best = int(np.clip(np.argmax(product**2 / square), 1, n - 2))
            around = slice(best - 1, best + 2)
            below, here, above = product[around] ** 2 / square[around]
            bend = below - 2.0 * here + above
            shift = float(np.clip(0.5 * (below - above) / bend, -1.0, 1.0)) if bend < 0.0 else 0.0
            log_size = log_sizes[best] + shift * step
        size_ratio[k] = np.exp(log_size)
        flux_ratio[k] = np.interp(shift, [-1.0, 0.0, 1.0], product[around] / square[around])
    return WingedFit(size_ratio, flux_ratio)
