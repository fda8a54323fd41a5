"""How strongly each pixel and line of a rest-frame spectrum shows in each band."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...cosmology import luminosity_distance_cm
from ...filters import transmission
from ..library.ssp import SPEED_OF_LIGHT
from .attenuation import calzetti
from .igm import igm_transmission, lyman_edges
from .spectrum import NJY

__all__ = ["AV_NODES", "BandSet", "absorbed_light", "observed_bands", "rest_bands"]

AV_NODES = np.linspace(0.0, 5.0, 21)
"""A_V at which band fluxes are tabulated [mag]."""

_TEN_PARSEC_CM = 3.0856775814913673e19

_GAUSS = 0.5 / np.sqrt(3.0)  # two-point Gauss-Legendre, in units of the interval


@dataclass(frozen=True, eq=False)
class BandSet:
    """Linear responses of bands to a rest-frame spectrum, without dust.

    Attributes
    ----------
    pixel : (n_wave, n_bands) array
        Flux [nJy] for one Lsun / Angstrom (times the library's Lsun in erg/s) in a pixel.
    pixel_wave : (n_wave, n_bands) array
        Mean rest-frame wavelength of the light a band takes from a pixel [Angstrom].
    line : (n_line, n_bands) array
        Flux [nJy] for one Lsun in a line.
    line_wave : (n_line,) array
        Rest-frame wavelength of the lines [Angstrom].
    """

    pixel: np.ndarray
    pixel_wave: np.ndarray
    line: np.ndarray
    line_wave: np.ndarray

    @cached_property
    def _lit(self) -> np.ndarray:
        """Where a band sees a pixel: a few of a hundred."""
        return self.pixel > 0.0

    @cached_property
    def _attenuation(self) -> np.ndarray:
        return calzetti(self.pixel_wave[self._lit])

    def dusty_pixel(self, a_v: float) -> np.ndarray:
        """Response to the pixels behind `a_v` magnitudes of dust, (n_wave, n_bands)."""
        dusty, lit = np.zeros_like(self.pixel), self._lit
        dusty[lit] = self.pixel[lit] * 10.0 ** (-0.4 * a_v * self._attenuation)
        return dusty

    def dusty_line(self, a_v: float) -> np.ndarray:
        """Response to the lines behind `a_v` magnitudes of dust, (n_line, n_bands)."""
        return self.line * 10.0 ** (-0.4 * a_v * calzetti(self.line_wave))[:, None]


def observed_bands(
    filters: Sequence[str], redshift: float, wave_edges: np.ndarray, line_wave: np.ndarray
) -> BandSet:
    """Bands seen by the observer: redshifted, at the luminosity distance, through the intergalactic medium.

    Parameters
    ----------
    filters : sequence of str
        Filter names.
    redshift : float
        Redshift, > 0.
    wave_edges : (n_wave + 1,) array
        Rest-frame pixel edges [Angstrom].
    line_wave : (n_line,) array
        Rest-frame wavelengths of the lines [Angstrom].
    """
    curves = [transmission(name) for name in filters]
    return _band_set(curves, redshift, float(luminosity_distance_cm(redshift)), wave_edges, line_wave)


def rest_bands(
    curves: Sequence[tuple[np.ndarray, np.ndarray]], wave_edges: np.ndarray, line_wave: np.ndarray
) -> BandSet:
    """Bands in the rest frame at 10 pc, for absolute magnitudes; `curves` are (wavelength, throughput)."""
    return _band_set(curves, 0.0, _TEN_PARSEC_CM, wave_edges, line_wave)


def absorbed_light(wave_edges: np.ndarray, line_wave: np.ndarray) -> BandSet:
    """One band that counts all light alike [Lsun], from which to tell the energy that dust absorbs."""
    wave = 0.5 * (wave_edges[1:] + wave_edges[:-1])[:, None]
    return BandSet(np.diff(wave_edges)[:, None], wave, np.ones((len(line_wave), 1)), line_wave)


def _band_set(
    curves: Sequence[tuple[np.ndarray, np.ndarray]],
    redshift: float,
    distance_cm: float,
    wave_edges: np.ndarray,
    line_wave: np.ndarray,
) -> BandSet:
    stretch = 1.0 + redshift
    n_wave, n_bands = len(wave_edges) - 1, len(curves)
    pixel, pixel_wave = np.zeros((n_wave, n_bands)), np.zeros((n_wave, n_bands))
    pixel_wave[:] = 0.5 * (wave_edges[1:] + wave_edges[:-1])[:, None]
    line = np.zeros((len(line_wave), n_bands))
    breaks = np.concatenate([wave_edges * stretch, lyman_edges(redshift)])
    line_at = line_wave * stretch
    line_light = igm_transmission(line_at, redshift) * line_at
    for b, (wave, curve) in enumerate(curves):
        x = np.unique(np.concatenate([breaks[(breaks > wave[0]) & (breaks < wave[-1])], wave]))
        middle, width = 0.5 * (x[1:] + x[:-1]), np.diff(x)
        owner = np.searchsorted(wave_edges, middle / stretch, side="right") - 1
        known = (owner >= 0) & (owner < n_wave)
        total = np.zeros(n_wave)
        moment = np.zeros(n_wave)
        for offset in (-_GAUSS, _GAUSS):
            at = middle + offset * width
            through = np.interp(at, wave, curve) * igm_transmission(at, redshift) * at * 0.5 * width
            total += np.bincount(owner[known], through[known], n_wave)
            moment += np.bincount(owner[known], (through * at)[known], n_wave)
        lit = total > 0.0
        pixel_wave[lit, b] = moment[lit] / total[lit] / stretch
        pixel[:, b] = total / stretch
        line[:, b] = np.interp(line_at, wave, curve, left=0.0, right=0.0) * line_light
        # int T / lambda over the curve, piecewise linear in wavelength.
        slope = np.diff(curve) / np.diff(wave)
        log_step = np.log(wave[1:] / wave[:-1])
        norm = np.sum(slope * np.diff(wave) + (curve[:-1] - slope * wave[:-1]) * log_step)
        scale = NJY / SPEED_OF_LIGHT / norm / (4.0 * np.pi * distance_cm**2)
        pixel[:, b] *= scale
        line[:, b] *= scale
    return BandSet(pixel, pixel_wave, line, line_wave)
