"""What clumps would be if their light were not Gaussian: the systematic error of the profile.

Behind a PSF and beside a free plane, pixels of a small box do not tell a Gaussian from a profile with wings (at a
signal-to-noise of 100 chi-squared differs by one), but the light in the wings does differ, and so does the half-light
radius. Here profiles with wings are fitted to the noiseless image of a Gaussian, as the Gaussian would be to them.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import k1

from ..images.psf import PSF
from .model import SpectralPSF

__all__ = ["PROFILES", "ProfileErrors", "WingedFit", "draw_round", "profile_scatter", "winged_fits"]

Array = np.ndarray
_TWO_LN2 = 2.0 * np.log(2.0)
# Sizes tried around that of the Gaussian, in its standard deviation.
_TRIED = np.geomspace(0.4, 3.0, 41)
# Standard deviations of Gaussians for which ratios are tabulated, over the FWHM of the PSF; larger ones take the last.
_TABULATED = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.85, 1.1])
# Box that stands for those that adapt to a clump, in FWHM of the PSF [sides].
_ADAPTIVE_FWHM = 6.0


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


def _images(psf: SpectralPSF, sigma_px: Array, profile: str, side: int) -> Array:
    """Round sources on the middle of a box behind the PSF, without what a plane absorbs, (n, side^2)."""
    place = np.arange(side) - side // 2
    images = draw_round(psf, 0.0, 0.0, sigma_px, profile, place, place).reshape(-1, side**2)
    slopes = np.meshgrid(place, place)
    plane, _ = np.linalg.qr(np.column_stack([np.ones(side**2), slopes[0].ravel(), slopes[1].ravel()]))
    return images - (images @ plane) @ plane.T


def winged_fits(
    psf: SpectralPSF, sigma_px: Array, profile: str, side: int, size_ratio: Array | None = None
) -> WingedFit:
    """Fit a profile with wings, and a plane, to noiseless images of round Gaussians.

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
    size_ratio : (n,) array, optional
        Sizes, where another filter has fitted them: forced fits.
    """
    sigma_px = np.asarray(sigma_px, dtype=float)
    gaussian = _images(psf, sigma_px, "gaussian", side)
    if size_ratio is None:
        size_ratio = np.empty(sigma_px.size)
        for k, (sigma, image) in enumerate(zip(sigma_px, gaussian, strict=True)):
            tried = _images(psf, sigma * _TRIED, profile, side)
            explained = (tried @ image) ** 2 / np.sum(tried**2, axis=1)
            best = int(np.clip(np.argmax(explained), 1, _TRIED.size - 2))
            left, here, right = explained[best - 1 : best + 2]
            bend = left - 2.0 * here + right
            shift = 0.5 * (left - right) / bend if bend < 0.0 else 0.0
            step = np.log(_TRIED[1] / _TRIED[0])
            size_ratio[k] = _TRIED[best] * np.exp(np.clip(shift, -1.0, 1.0) * step)
    winged = _images(psf, sigma_px * size_ratio, profile, side)
    flux = np.sum(winged * gaussian, axis=1) / np.sum(winged**2, axis=1)
    return WingedFit(size_ratio, flux)


def profile_scatter(ratios: Mapping[str, Array], shares: Mapping[str, float]) -> Array:
    """Root mean square of ``ratio - 1`` over profiles of which clumps have their shares; Gaussians have a ratio of 1.

    Parameters
    ----------
    ratios : mapping of str to (n,) array
        Of fluxes or sizes, by profile.
    shares : mapping of str to float
        Share of the clumps that have each profile.
    """
    total = sum(shares.values())
    return np.sqrt(sum(shares[name] / total * (ratio - 1.0) ** 2 for name, ratio in ratios.items()))


class ProfileErrors:
    """Errors of a galaxy's clumps that are not Gaussians, in all filters.

    Parameters
    ----------
    shares : mapping of str to float
        Share of the clumps that have each profile.
    sigma_px : (n,) array
        Standard deviations of the clumps, as Gaussians, on the pixels of the reference filter.
    box : int or "adaptive"
        Of the fits [px].
    reference : PSF
        Of the reference filter.

    Attributes
    ----------
    size : (n,) array
        Relative error of the half-light radius.
    """

    def __init__(self, shares: Mapping[str, float], sigma_px: Array, box: int | str, reference: PSF) -> None:
        self._shares, self._sigma_px, self._box, self._reference = shares, sigma_px, box, reference
        self._winged = [name for name, share in shares.items() if name != "gaussian" and share > 0.0]
        fwhm_px = reference.fwhm_arcsec / reference.pixel_scale_arcsec
        self._table_px = _TABULATED * fwhm_px
        fits = {name: self._fits(reference, name) for name in self._winged}
        self._size_ratios = {name: fit.size_ratio for name, fit in fits.items()}
        self.size = self._of_clumps(self._size_ratios)

    def flux(self) -> Array:
        """Relative errors of the fluxes in the reference filter, (n,)."""
        fits = {name: self._fits(self._reference, name, ratio) for name, ratio in self._size_ratios.items()}
        return self._of_clumps({name: fit.flux_ratio for name, fit in fits.items()})

    def sizes(self, psf: PSF) -> dict[str, Array]:
        """What the clumps' standard deviations would be, as Gaussians of the same half-light radii, by profile, (n,) [px of a filter]."""
        scale = self._reference.pixel_scale_arcsec / psf.pixel_scale_arcsec
        ratios = {"gaussian": np.ones(self._table_px.size), **self._size_ratios}
        return {
            name: scale * self._sigma_px * np.interp(self._sigma_px, self._table_px, ratio)
            for name, ratio in ratios.items()
        }

    def scatter(self, ratios: Mapping[str, Array]) -> Array:
        """Relative errors of the fluxes in another filter, (n,): of what they would be with each profile, over what they are."""
        if not ratios:
            return np.zeros(self._sigma_px.size)
        return profile_scatter(ratios, self._shares)

    def _fits(self, psf: PSF, name: str, size_ratio: Array | None = None) -> WingedFit:
        side = self._box
        if side == "adaptive":
            side = 2 * round(_ADAPTIVE_FWHM / 2.0 * psf.fwhm_arcsec / psf.pixel_scale_arcsec) + 1
        spectral = SpectralPSF(psf.fine, side // 2 + 1, psf.oversampling)
        scale = self._reference.pixel_scale_arcsec / psf.pixel_scale_arcsec
        return winged_fits(spectral, self._table_px * scale, name, side, size_ratio)

    def _of_clumps(self, ratios: Mapping[str, Array]) -> Array:
        if not ratios:
            return np.zeros(self._sigma_px.size)
        # A point has no profile.
        nodes = np.append(0.0, self._table_px)
        return np.interp(self._sigma_px, nodes, np.append(0.0, profile_scatter(ratios, self._shares)))
