"""The image of a clump: an elliptical Gaussian convolved with the PSF, exact for every size and sub-pixel position.

Everything happens in Fourier space, where the convolution is a product, the Gaussian has a closed form down to zero
width, a shift is a phase, and derivatives are factors. Nothing is sampled at pixel centres, so a clump much smaller
than a pixel is as accurate as a large one. The PSF kernel contains the pixel already and is not integrated again.
"""

import numpy as np

from ..errors import InputError

__all__ = ["SpectralPSF", "check_kernel", "covariance_of", "shape_of"]

Array = np.ndarray


def check_kernel(kernel: Array, where: str = "psf") -> Array:
    """Refuse a kernel that is not an odd square, centred on its middle pixel, of unit sum.

    Raises
    ------
    InputError
        Naming what is wrong; `clumpscope.images.psf.load_psf` centres and normalises.
    """
    kernel = np.asarray(kernel, dtype=float)
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.shape[0] % 2 == 0:
        raise InputError(where, f"an array of shape {kernel.shape}", "a square with an odd side")
    if not np.isfinite(kernel).all():
        raise InputError(where, "values that are not finite", "finite numbers")
    # A kernel normalised inside 0.4 arcsec holds up to a quarter more in its wings.
    if not 0.9 < kernel.sum() < 1.3:
        raise InputError(where, f"sum {kernel.sum():.4g}", "a kernel of unit sum",
                         "Load it with clumpscope.images.psf.load_psf.")  # fmt: skip
    half = kernel.shape[0] // 2
    peak = np.unravel_index(kernel.argmax(), kernel.shape)
    if max(abs(peak[0] - half), abs(peak[1] - half)) > 1:
        raise InputError(where, f"its peak at pixel {peak[::-1]}", f"the middle, ({half}, {half})",
                         "Load it with clumpscope.images.psf.load_psf.")  # fmt: skip
    return kernel


def covariance_of(sigma_x: Array, sigma_y: Array, theta_deg: Array) -> Array:
    """Covariance (S_xx, S_yy, S_xy) of ellipses, shape (..., 3) [px^2]."""
    cos, sin = np.cos(np.deg2rad(theta_deg)), np.sin(np.deg2rad(theta_deg))
    a, b = np.square(sigma_x), np.square(sigma_y)
    return np.stack([a * cos**2 + b * sin**2, a * sin**2 + b * cos**2, (a - b) * sin * cos], axis=-1)


def shape_of(covariance: Array) -> tuple[Array, Array, Array]:
    """Axes (major, minor) [px] and angle [deg, -90 to 90] of covariances (..., 3)."""
    xx, yy, xy = np.moveaxis(np.asarray(covariance), -1, 0)
    mean, half = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    theta = 0.5 * np.rad2deg(np.arctan2(2.0 * xy, xx - yy))
    return np.sqrt(np.maximum(mean + half, 0.0)), np.sqrt(np.maximum(mean - half, 0.0)), theta


class SpectralPSF:
    """A PSF kernel ready to be convolved with Gaussians.

    Parameters
    ----------
    kernel : (n, n) array
        Odd n, centred on its middle pixel.
    extent : int
        Largest distance [px] between a source and a pixel at which images are wanted.
    max_half : int
        Half size to which the kernel is cropped.
    """

    def __init__(self, kernel: Array, extent: int, max_half: int = 20) -> None:
        half = min(kernel.shape[0] // 2, max_half)
        middle = kernel.shape[0] // 2
        kernel = kernel[middle - half : middle + half + 1, middle - half : middle + half + 1]
        # Periodic images must not reach the box: the period holds kernel and extent on both sides.
        self.size = 2 * int(np.ceil((half + extent) / 2.0)) + 4
        padded = np.zeros((self.size, self.size))
        padded[: 2 * half + 1, : 2 * half + 1] = kernel
        padded = np.roll(padded, (-half, -half), axis=(0, 1))
        spectrum = np.fft.rfft2(padded)
        self.u_y = 2.0 * np.pi * np.fft.fftfreq(self.size)[:, None]
        self.u_x = 2.0 * np.pi * np.fft.rfftfreq(self.size)[None, :]
        # The half-plane of a real transform: columns strictly inside it stand for their mirror images too.
        weight = np.full(self.u_x.shape[1], 2.0)
        weight[0] = weight[-1] = 1.0
        self.spectrum = spectrum * weight / self.size**2
        self.xx, self.yy, self.xy = self.u_x**2, self.u_y**2, 2.0 * self.u_x * self.u_y

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
            Pixels of the box.
        n_parts : {1, 3, 6}
            The image alone; with d/dx, d/dy; with d/dS_xx, d/dS_yy, d/dS_xy.

        Returns
        -------
        (n_parts, ny, nx) array
        """
        xx, yy, xy = covariance
        base = self.spectrum * np.exp(-0.5 * (xx * self.xx + yy * self.yy + xy * self.xy))
        if n_parts == 1:
            parts = base[None]
        else:
            factors = [-1j * self.u_x, -1j * self.u_y]
            if n_parts == 6:
                factors += [-0.5 * self.xx, -0.5 * self.yy, -0.5 * self.xy]
            parts = np.stack([base, *(base * factor for factor in factors)])
        wave_y = np.exp(1j * self.u_y.T * (rows - y)[:, None])
        wave_x = np.exp(1j * self.u_x.T * (columns - x)[None, :])
        return (wave_y @ parts @ wave_x).real
