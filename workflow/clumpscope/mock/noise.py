"""Noise like that of drizzled mosaics: correlated between neighbours, at C25's depths."""

import numpy as np
import scipy

from ..filters import get_filter
from .optics import OVERSAMPLING, PIXEL_SCALE_ARCSEC, encircled_energy

__all__ = ["DEPTH_SIGMA", "aperture_weights", "correlated_noise", "correlation", "pixel_sigma_njy"]

DEPTH_SIGMA = 5.0  # C25 do not say how many sigma their limits are; the archives' depths are 5
_PIXFRAC = 0.75
_NATIVE_OVER_PIXEL = {"sw": 0.031 / 0.02, "lw": 0.063 / 0.04}
_LAG, _GRID = 3, 32


def correlation(channel: str) -> np.ndarray:
    """Autocorrelation along one axis by lag -3 to 3 [px] of noise drizzled with many dithers.

    A drop (the detector's pixel shrunk) overlaps the mosaic's pixels; averaged over dithers, noise is white
    noise smoothed by both boxes, so its autocorrelation is that of the two boxes' convolution.
    """
    fine = 400
    drop, pixel = np.ones(round(_PIXFRAC * _NATIVE_OVER_PIXEL[channel] * fine)), np.ones(fine)
    response = np.convolve(drop, pixel)
    full = np.correlate(response, response, mode="full")
    middle = full.size // 2
    lags = middle + fine * np.arange(-_LAG, _LAG + 1)
    return (
        np.where((lags >= 0) & (lags < full.size), full[np.clip(lags, 0, full.size - 1)], 0.0) / full[middle]
    )


def _filter_kernel(channel: str) -> np.ndarray:
    """1-D kernel whose autocorrelation is `correlation`: the square root of its spectrum."""
    grid = np.zeros(_GRID)
    grid[np.arange(-_LAG, _LAG + 1)] = correlation(channel)
    kernel = scipy.fft.fftshift(scipy.fft.ifft(np.sqrt(np.maximum(scipy.fft.fft(grid).real, 0.0))).real)
    return kernel[_GRID // 2 - 8 : _GRID // 2 + 9]


def correlated_noise(rng: np.random.Generator, shape: tuple[int, int], channel: str) -> np.ndarray:
    """Gaussian noise of unit variance with `correlation` along both axes, float32."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    kernel = _filter_kernel(channel)
    kernel = kernel / np.sqrt((kernel**2).sum())
    for axis in (0, 1):
        noise = scipy.ndimage.convolve1d(noise, kernel, axis=axis, mode="wrap")
    return noise


def aperture_weights(radius_px: float, half: int) -> np.ndarray:
    """Overlap of a circle with pixels, centred on a pixel, by subpixels of 1/20."""
    fine = 20
    axis = (np.arange((2 * half + 1) * fine) + 0.5) / fine - half - 0.5
    inside = np.hypot(axis[:, None], axis) <= radius_px
    return inside.reshape(2 * half + 1, fine, 2 * half + 1, fine).mean(axis=(1, 3))


def pixel_sigma_njy(name: str, psf: np.ndarray, radius_arcsec: float = 0.4) -> float:
    """Standard deviation of a sky pixel that gives a filter C25's depth.

    Parameters
    ----------
    name : str
        Filter; its ``mag_limit_ab`` is read as the magnitude of a point source, its flux counted inside
        `radius_arcsec`, whose flux in a circle of radius one FWHM is 5 times that aperture's scatter.
    psf : (n, n) array
        Oversampled PSF.
    radius_arcsec : float
        Radius of C25's flux normalisation.

    Returns
    -------
    float
        [nJy]
    """
    band = get_filter(name)
    scale = PIXEL_SCALE_ARCSEC[band.channel]
    pitch = scale / OVERSAMPLING
    share = encircled_energy(psf, band.psf_fwhm_arcsec / pitch) / encircled_energy(psf, radius_arcsec / pitch)
    limit = 10 ** (-0.4 * (band.mag_limit_ab - 31.4))
    weights = aperture_weights(band.psf_fwhm_arcsec / scale, 8)
    rho = correlation(band.channel)
    smooth = scipy.ndimage.convolve1d(
        scipy.ndimage.convolve1d(weights, rho, axis=0, mode="constant"), rho, axis=1, mode="constant"
    )
    return float(limit * share / DEPTH_SIGMA / np.sqrt((weights * smooth).sum()))
