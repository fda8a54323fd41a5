"""Drawing round Gaussians seen through a PSF, in real space."""

import numpy as np
import scipy
from scipy.interpolate import RectBivariateSpline

__all__ = ["Renderer"]

Array = np.ndarray
# Samples a pixel when a clump has a width: aliases of the sampled Gaussian are below 1e-3 for sigma >= 0.4 px.
_OVERSAMPLING = 2
_REACH_SIGMA = 5.0


class Renderer:
    """Draws clumps of one filter.

    The fit multiplies transforms; here the kernel is interpolated by a quintic spline and the Gaussian is summed
    in real space, so that the two share nothing but the kernel.

    Parameters
    ----------
    kernel : (n, n) array
        PSF on the image's pixels, pixel included: odd n, centred on the middle. Fluxes are what it calls one.
    oversampling : float
        Samples of the kernel a pixel side.
    """

    def __init__(self, kernel: Array, oversampling: float = 1.0) -> None:
        middle = kernel.shape[0] // 2
        self._half, self._stride = int(middle / oversampling), max(_OVERSAMPLING, round(oversampling))
        # Zeros around it, so that the spline ends in nothing.
        axis = np.arange(-middle - 3, middle + 4) / oversampling
        self._spline = RectBivariateSpline(axis, axis, np.pad(kernel, 3), kx=5, ky=5)

    def add(self, image: Array, x: float, y: float, sigma_px: float, flux: float) -> None:
        """Add a clump to an image, leaving out what hangs over its edge.

        Parameters
        ----------
        image : (ny, nx) array
        x, y : float
            Zero-based position [px].
        sigma_px : float
            Standard deviation of the round Gaussian; 0 is a point source.
        flux : float
        """
        stride = self._stride if sigma_px > 0 else 1
        half = self._half + int(np.ceil(_REACH_SIGMA * sigma_px))
        column, row = round(x), round(y)
        offsets = np.arange(-half * stride, half * stride + 1) / stride
        stamp = self._sampled(offsets - (y - row), offsets - (x - column))
        if sigma_px > 0:
            stamp = scipy.ndimage.gaussian_filter(
                stamp, sigma_px * stride, truncate=_REACH_SIGMA, mode="constant"
            )[::stride, ::stride]
        low, left = max(row - half, 0), max(column - half, 0)
        part = image[low : max(row + half + 1, 0), left : max(column + half + 1, 0)]
        top, side = low - (row - half), left - (column - half)
        part += flux * stamp[top : top + part.shape[0], side : side + part.shape[1]]

    def _sampled(self, y: Array, x: Array) -> Array:
        """The kernel at distances from its source; zero outside of it."""
        values = np.zeros((y.size, x.size))
        rows, columns = (np.flatnonzero(np.abs(v) <= self._half + 0.5) for v in (y, x))
        values[np.ix_(rows, columns)] = self._spline(y[rows], x[columns])
        return values
