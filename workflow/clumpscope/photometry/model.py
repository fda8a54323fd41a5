"""The image of a clump: an elliptical Gaussian convolved with the PSF, exact for every size and sub-pixel position.

Everything happens in Fourier space, where the convolution is a product, the Gaussian has a closed form down to zero
width, a shift is a phase, and derivatives are factors. Nothing is sampled at pixel centres, so a clump much smaller
than a pixel is as accurate as a large one. The PSF kernel contains the pixel already and is not integrated again.
An oversampled kernel keeps the frequencies that the pixels alias: images of it are right however narrow the PSF is.
"""

from functools import cached_property, lru_cache

import numpy as np
from astropy.table import Table

from ..errors import InputError
from ..images.profiles import fwhm_px
from ..images.psf import LARGEST_CORRECTION

__all__ = [
    "Kernel",
    "SpectralPSF",
    "check_kernel",
    "covariance_of",
    "main_variances",
    "moments_of",
    "shape_of",
]

Array = np.ndarray
_MAX_HALF = 24
# Room in the period for the width of a Gaussian, of which the kernel keeps the first part whole [px].
_BLUR, _WHOLE = 10, 3
# Variance across an ellipse, over that along it, that is rounding.
_ROUNDING = 1e-12
# Frequencies above which the mean transform is below this fraction of the kernel's peak are left out.
_FAINT = 3e-4


def check_kernel(kernel: Array, oversampling: float = 1.0, where: str = "psf") -> Array:
    """Refuse a kernel that is not an odd square, centred on its middle pixel, of unit sum over pixels.

    Parameters
    ----------
    kernel : (n, n) array
    oversampling : float
        Samples a pixel side; the sum of the samples is its square.

    Raises
    ------
    InputError
        Naming what is wrong; `clumpscope.images.psf_given.load_psf` centres and normalises.
    """
    kernel = np.asarray(kernel, dtype=float)
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.shape[0] % 2 == 0:
        raise InputError(where, f"an array of shape {kernel.shape}", "a square with an odd side")
    if not np.isfinite(kernel).all():
        raise InputError(where, "values that are not finite", "finite numbers")
    # A kernel normalised inside a circle holds more in its wings: F444W's 0.15 inside 0.4 arcsec.
    total = kernel.sum() / oversampling**2
    if not (oversampling >= 1.0 and 0.5 < total <= LARGEST_CORRECTION):
        raise InputError(where, f"sum {total:.4g} over pixels, {oversampling:g} samples a pixel side",
                         "a kernel of unit sum, with a sample a pixel at least",
                         "Load it with clumpscope.images.psf_given.load_psf.")  # fmt: skip
    half = kernel.shape[0] // 2
    peak = np.unravel_index(kernel.argmax(), kernel.shape)
    if max(abs(peak[0] - half), abs(peak[1] - half)) > oversampling:
        raise InputError(where, f"its peak at pixel {peak[::-1]}", f"the middle, ({half}, {half})",
                         "Load it with clumpscope.images.psf_given.load_psf.")  # fmt: skip
    return kernel


def covariance_of(sigma_x: Array, sigma_y: Array, theta_deg: Array) -> Array:
    """Covariance, the second moments (S_xx, S_yy, S_xy) of ellipses, shape (..., 3) [px^2]."""
    cos, sin = np.cos(np.deg2rad(theta_deg)), np.sin(np.deg2rad(theta_deg))
    a, b = np.square(sigma_x), np.square(sigma_y)
    return np.stack([a * cos**2 + b * sin**2, a * sin**2 + b * cos**2, (a - b) * sin * cos], axis=-1)


def shape_of(covariance: Array) -> tuple[Array, Array, Array]:
    """Axes (major, minor) [px] and angle [deg, -90 to 90] of covariances (..., 3)."""
    xx, yy, xy = np.moveaxis(np.asarray(covariance), -1, 0)
    theta = 0.5 * np.rad2deg(np.arctan2(2.0 * xy, xx - yy))
    large, small = main_variances(covariance)
    # What rounding leaves of a flat ellipse's width is none.
    small = np.where(small <= _ROUNDING * np.abs(large), 0.0, small)
    return np.sqrt(np.maximum(large, 0.0)), np.sqrt(small), theta


def moments_of(shapes: Table) -> Array:
    """Second moments (S_xx, S_yy, S_xy) of clumps, (n, 3) [px^2].

    Parameters
    ----------
    shapes : Table
        moments; or sigma_x_px, sigma_y_px, theta_deg.
    """
    if "moments" in shapes.colnames:
        return np.asarray(shapes["moments"], dtype=float)
    return covariance_of(
        *(np.asarray(shapes[name], float) for name in ("sigma_x_px", "sigma_y_px", "theta_deg"))
    )


def main_variances(moments: Array) -> tuple[Array, Array]:
    """Variances of moments (..., 3) along their major and minor axes [px^2]; below zero where the moments are."""
    xx, yy, xy = np.moveaxis(np.asarray(moments), -1, 0)
    mean, half = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    return mean + half, mean - half


class Kernel:
    """A PSF kernel with what fits ask of it, each computed once: a galaxy's images, and hundreds with injected clumps, share theirs.

    Parameters
    ----------
    samples : (n, n) array
        As `check_kernel` has it.
    oversampling : float
        Samples a pixel side.

    Attributes
    ----------
    spectral : function of int
        The `SpectralPSF` of an extent [px].
    """

    def __init__(self, samples: Array, oversampling: float) -> None:
        self.samples, self.oversampling = samples, oversampling
        self.spectral = lru_cache(lambda extent: SpectralPSF(samples, extent, oversampling))

    @classmethod
    def of(cls, samples: Array, oversampling: float = 1.0) -> "Kernel":
        """The one of these samples."""
        return _kernel(
            np.ascontiguousarray(samples, dtype=float).tobytes(), len(samples), float(oversampling)
        )

    @cached_property
    def fwhm_px(self) -> float:
        """Full width at half maximum [px]."""
        return fwhm_px(self.samples) / self.oversampling


@lru_cache(maxsize=32)
def _kernel(samples: bytes, side: int, oversampling: float) -> Kernel:
    return Kernel(np.frombuffer(samples).reshape(side, side), oversampling)


class SpectralPSF:
    """A PSF kernel ready to be convolved with Gaussians.

    Parameters
    ----------
    kernel : (n, n) array
        Odd n, centred on its middle sample; cropped to 49 pixels. Every sample is the value of a pixel that sits there.
    extent : int
        Largest distance [px] between a source and a pixel at which images are wanted.
    oversampling : float
        Samples of the kernel a pixel side, 1 or more.

    Attributes
    ----------
    kernel : (m, m) array
        As cropped.
    oversampling : float
    spectrum : (2, n_y, n_x) array
        Real and imaginary part of the transform, with the weights of the inverse transform.
    u_y, u_x : (n_y,), (n_x,) arrays
        Angular frequencies [1/px] of the half-plane ``u_x >= 0``; beyond pi where pixels alias.
    """

    def __init__(self, kernel: Array, extent: int, oversampling: float = 1.0) -> None:
        middle = kernel.shape[0] // 2
        # Wings further out than any pixel wanted is from a source touch nothing.
        half = min(middle, int(min(_MAX_HALF, extent + _BLUR) * oversampling))
        kernel = kernel[middle - half : middle + half + 1, middle - half : middle + half + 1]
        self.kernel, self.oversampling = kernel, oversampling
        # Where it is cut it fades: a step would need all frequencies, and they are what a fit's time goes into.
        out = np.abs(np.arange(-half, half + 1)) / oversampling - (extent + _WHOLE)
        fade = np.cos(0.5 * np.pi * np.clip(out / (_BLUR - _WHOLE + 1), 0.0, 1.0)) ** 2
        kernel = kernel * np.outer(fade, fade)
        # Images are periodic: the next period's kernel must stay clear of the extent.
        size = 2 * ((half + int(np.ceil((extent + _BLUR) * oversampling))) // 2 + 1)
        padded = np.zeros((size, size))
        padded[: 2 * half + 1, : 2 * half + 1] = kernel
        spectrum = np.fft.rfft2(np.roll(padded, (-half, -half), axis=(0, 1)))
        wave_y, wave_x = np.rint(np.fft.fftfreq(size, 1.0 / size)), np.arange(size // 2 + 1)
        # Columns inside the half-plane stand for their mirror images too.
        spectrum = spectrum * np.where(wave_x > 0, 2.0, 1.0) / size**2
        # Transforms by their larger frequency, summed from the highest down: what leaving them out would cost.
        shell = np.maximum(np.abs(wave_y)[:, None], wave_x[None, :]).astype(int)
        cost = np.bincount(shell.ravel(), np.abs(spectrum).ravel())[::-1].cumsum()[::-1]
        # A sub-pixel shift of the very highest frequency has no real counterpart: that one is always left out.
        highest = min(np.count_nonzero(cost > _FAINT * kernel.max()), size // 2) - 1
        rows, columns = np.abs(wave_y) <= highest, wave_x <= highest
        kept = spectrum[np.ix_(rows, columns)]
        self.spectrum = np.ascontiguousarray(np.stack([kept.real, kept.imag]))
        step = 2.0 * np.pi / size * oversampling
        self.u_y, self.u_x = step * wave_y[rows], step * wave_x[columns]

    @property
    def arrays(self) -> tuple[Array, Array, Array]:
        """spectrum, u_y, u_x."""
        return self.spectrum, self.u_y, self.u_x

    def images(
        self, x: float, y: float, covariance: Array, columns: Array, rows: Array, n_parts: int
    ) -> Array:
        """Image of a source of unit flux, and its derivatives.

        Parameters
        ----------
        x, y : float
            Position of the source [px].
        covariance : (3,) array
            S_xx, S_yy, S_xy [px^2]; zeros for a point source.
        columns, rows : (nx,), (ny,) int arrays
            Neighbouring pixels of the box.
        n_parts : {1, 3, 6}
            The image alone; with d/dx, d/dy; with d/dS_xx, d/dS_yy, d/dS_xy.

        Returns
        -------
        (n_parts, ny, nx) array
        """
        from .compiled import source_images  # numba takes half a second to import

        images = np.empty((n_parts, len(rows), len(columns)))
        theta = np.array([x, y, *covariance], dtype=float)
        source_images(*self.arrays, theta, int(rows[0]), int(columns[0]), images)
        return images
