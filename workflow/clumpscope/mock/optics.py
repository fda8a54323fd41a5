"""Point-spread functions of the mock images, from a JWST-like pupil by Fraunhofer diffraction.

They share nothing with the stacks and analytic profiles that the workflow fits to the mock stars.
"""

from functools import cache, reduce

import numpy as np
import scipy

from ..filters import get_filter, transmission
from ..randomness import generator

__all__ = [
    "HALF_WIDTH_ARCSEC",
    "OVERSAMPLING",
    "PIXEL_SCALE_ARCSEC",
    "PSFWidths",
    "encircled_energy",
    "make_psf",
    "make_pupil",
]

OVERSAMPLING = 5
PIXEL_SCALE_ARCSEC = {"sw": 0.02, "lw": 0.04}  # of the mosaics
HALF_WIDTH_ARCSEC = 1.2  # PSFs end at this radius

_NATIVE_PIXEL_ARCSEC = {"sw": 0.031, "lw": 0.063}  # of the detectors
_SEGMENT_FLAT_M, _GAP_M, _STRUT_M = 1.32, 0.007, 0.11
_PUPIL_M, _PUPIL_SAMPLES, _FINE = 6.8, 192, 6
_PISTON_NM, _TILT_NM = 30.0, 40.0
_WAVELENGTHS = {"broad": 7, "medium": 5}


def _segment_centres() -> np.ndarray:
    """Centres [m] of the two rings of hexagons around the missing middle one, shape (18, 2)."""
    pitch = _SEGMENT_FLAT_M + _GAP_M
    steps = [(i, j) for i in range(-2, 3) for j in range(-2, 3) if 0 < max(abs(i), abs(j), abs(i + j)) <= 2]
    return np.array([(pitch * np.sqrt(0.75) * i, pitch * (j + i / 2)) for i, j in steps])


@cache
def make_pupil(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Amplitude and wavefront error of the segmented pupil.

    Parameters
    ----------
    seed : int
        Of the segments' piston and tilt errors.

    Returns
    -------
    amplitude, wavefront_m : (n, n) arrays
        Open fraction of each pupil sample, and optical path difference [m].
    """
    rng = generator(seed, "mock", "pupil")
    n_fine = _PUPIL_SAMPLES * _FINE
    axis = (np.arange(n_fine) + 0.5) / n_fine * _PUPIL_M - _PUPIL_M / 2
    x, y = np.meshgrid(axis, axis)
    amplitude = np.zeros((n_fine, n_fine), dtype=np.float32)
    path = np.zeros_like(amplitude)
    for centre_x, centre_y in _segment_centres():
        dx, dy = x - centre_x, y - centre_y
        slanted = np.sqrt(0.75) * np.abs(dx) + 0.5 * np.abs(dy)
        inside = np.maximum(np.abs(dy), slanted) <= _SEGMENT_FLAT_M / 2
        piston, tilt_x, tilt_y = rng.normal(size=3) * 1e-9 * [_PISTON_NM, _TILT_NM, _TILT_NM]
        amplitude[inside] = 1.0
        path[inside] = (piston + (tilt_x * dx + tilt_y * dy) / (_SEGMENT_FLAT_M / 2))[inside]
    for angle_deg in (90.0, 240.0, 300.0):
        angle = np.deg2rad(angle_deg)
        along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
        amplitude[(along > 0) & (np.abs(across) < _STRUT_M / 2)] = 0.0
    shape = (_PUPIL_SAMPLES, _FINE, _PUPIL_SAMPLES, _FINE)
    return amplitude.reshape(shape).mean(axis=(1, 3)), path.reshape(shape).mean(axis=(1, 3))


def _diffraction(wavelength_m: float, pitch_arcsec: float, half: int, seed: int) -> np.ndarray:
    """Intensity of the Fraunhofer pattern at ``2 half + 1`` angles a side, by matrix Fourier transform."""
    amplitude, path = make_pupil(seed)
    position = ((np.arange(_PUPIL_SAMPLES) + 0.5) / _PUPIL_SAMPLES - 0.5) * _PUPIL_M
    angle = np.deg2rad(np.arange(-half, half + 1) * pitch_arcsec / 3600.0)
    kernel = np.exp(-2j * np.pi / wavelength_m * np.outer(angle, position)).astype(np.complex64)
    field = (amplitude * np.exp(2j * np.pi / wavelength_m * path)).astype(np.complex64)
    wave = kernel @ field @ kernel.T
    return wave.real**2 + wave.imag**2


def _wavelengths(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Wavelengths [m] that share a filter's photons equally, for a flat f_nu."""
    wave, throughput = transmission(name)
    photons = np.concatenate([[0.0], np.cumsum(np.diff(wave) * (throughput / wave)[1:])])
    shares = (np.arange(_WAVELENGTHS[get_filter(name).kind]) + 0.5) / _WAVELENGTHS[get_filter(name).kind]
    return np.interp(shares, photons / photons[-1], wave) * 1e-10


def _blur(power: np.ndarray, widths: tuple[float, ...], sigma: float) -> np.ndarray:
    """Convolve with boxes of `widths` and a Gaussian of `sigma` (all in samples), given the image's transform."""
    n = power.shape[0]
    frequency = scipy.fft.fftfreq(n)
    axis = np.exp(-2.0 * (np.pi * frequency * sigma) ** 2)
    for width in widths:
        axis = axis * np.sinc(frequency * width)
    return scipy.fft.fftshift(scipy.fft.ifft2(power * np.outer(axis, axis)).real)


def _fwhm_samples(image: np.ndarray) -> float:
    """FWHM of the azimuthal mean profile, by linear interpolation in bins of one sample."""
    half = image.shape[0] // 2
    rows, columns = np.indices(image.shape) - half
    radius = np.hypot(rows, columns)
    near = radius < half
    index = np.rint(radius[near]).astype(int)
    count = np.bincount(index)
    mean_radius, mean = np.bincount(index, radius[near]) / count, np.bincount(index, image[near]) / count
    below = int(np.argmax(mean < mean[0] / 2))
    return 2.0 * float(np.interp(mean[0] / 2, mean[[below, below - 1]], mean_radius[[below, below - 1]]))


def make_psf(name: str, seed: int) -> np.ndarray:
    """Oversampled PSF of a filter's mosaic, the mosaic's pixel included.

    Parameters
    ----------
    name : str
        NIRCam filter.
    seed : int
        Of the wavefront error.

    Returns
    -------
    (n, n) array
        Odd n, `OVERSAMPLING` samples a mosaic pixel, unit sum inside a circle of `HALF_WIDTH_ARCSEC`
        and zero outside. A point source's pixel value is its flux times the PSF sampled at the pixel's
        centre, times ``OVERSAMPLING**2``.

    Notes
    -----
    The pattern is integrated over the filter, the detector's pixel and the mosaic's pixel; drizzling, charge
    diffusion and jitter are a Gaussian whose width makes the FWHM that of C25 Table 1, or zero where
    diffraction and pixels alone are wider (they then exceed the table by less than 10 %).
    """
    band = get_filter(name)
    scale = PIXEL_SCALE_ARCSEC[band.channel]
    pitch = scale / OVERSAMPLING
    half = round(HALF_WIDTH_ARCSEC / pitch)
    pattern = reduce(
        np.add, (_diffraction(wave, pitch, half, seed).astype(float) for wave in _wavelengths(name))
    )
    boxes = (_NATIVE_PIXEL_ARCSEC[band.channel] / pitch, float(OVERSAMPLING))
    core = pattern[half - half // 3 : half + half // 3 + 1, half - half // 3 : half + half // 3 + 1]
    core_power = scipy.fft.fft2(scipy.fft.ifftshift(core))

    def excess(sigma: float) -> float:
        return _fwhm_samples(_blur(core_power, boxes, sigma)) * pitch - band.psf_fwhm_arcsec

    sigma = (
        0.0
        if excess(0.0) >= 0
        else scipy.optimize.brentq(excess, 0.0, band.psf_fwhm_arcsec / pitch, xtol=1e-2)
    )
    psf = _blur(scipy.fft.fft2(scipy.fft.ifftshift(pattern)), boxes, sigma)
    rows, columns = np.indices(psf.shape) - half
    # It fades out over the last fifth, so that bright stars have no visible rim.
    fade = np.clip((half - np.hypot(rows, columns)) / (0.2 * half), 0.0, 1.0)
    psf = np.maximum(psf, 0.0) * np.sin(np.pi / 2 * fade) ** 2
    return psf / psf.sum()


def encircled_energy(psf: np.ndarray, radius_samples: float) -> float:
    """Share of an oversampled PSF inside a circle."""
    half = psf.shape[0] // 2
    rows, columns = np.indices(psf.shape) - half
    return float(psf[np.hypot(rows, columns) <= radius_samples].sum())


class PSFWidths:
    """How the PSF's width varies over a field: a smooth, lopsided bowl, as drifts and distortions leave it.

    Parameters
    ----------
    size_arcsec : float
        Side of the field.
    variation : float
        Largest minus smallest FWHM over the mean (F22: 0.15 to 0.2).

    Attributes
    ----------
    nodes : tuple of float
        Widths over the mean, between which PSFs are mixed linearly.
    """

    def __init__(self, size_arcsec: float, variation: float) -> None:
        self.half = size_arcsec / 2
        self.variation = variation
        self.nodes = (1 - variation / 2, 1.0, 1 + variation / 2) if variation else (1.0,)

    def width(self, x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray | float:
        """FWHM over the field's mean width at positions [arcsec]."""
        u, v = np.clip(x / self.half, -1, 1), np.clip(y / self.half, -1, 1)
        return 1 + self.variation / 2 * (0.6 * u + 0.4 * (2 * v**2 - 1))

    def weights(self, x: float, y: float) -> list[float]:
        """Shares of the nodes' PSFs at a position [arcsec]."""
        return [float(share) for share in self._shares(self.width(x, y))]

    def at_pixels(self, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        """The same in pixels at x (columns) and y (rows), float32."""
        return self._shares(self.width(x.astype(np.float32), y[:, None].astype(np.float32)))

    def _shares(self, width: np.ndarray | float) -> list:
        if not self.variation:
            return [np.ones_like(width)]
        return [np.clip(1 - np.abs(width - node) / (self.variation / 2), 0, 1) for node in self.nodes]

    def at_nodes(self, psf: np.ndarray) -> list[np.ndarray]:
        """The PSF at each node's width: stretched, of unit sum."""
        return [psf if node == 1.0 else _stretched(psf, node) for node in self.nodes]


def _stretched(psf: np.ndarray, factor: float) -> np.ndarray:
    half = psf.shape[0] // 2
    axis = (np.arange(psf.shape[0]) - half) / factor + half
    wide = scipy.ndimage.map_coordinates(
        psf, np.meshgrid(axis, axis, indexing="ij"), order=3, mode="constant"
    )
    wide = np.maximum(wide, 0.0)
    return wide / wide.sum()
