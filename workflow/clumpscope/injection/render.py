"""Drawing round Gaussians seen through a PSF, in real space."""

import numpy as np
from scipy.interpolate import BSpline

__all__ = ["Renderer"]

Array = np.ndarray
# Samples a pixel when a clump has a width: aliases of the sampled Gaussian are below 1e-3 for sigma >= 0.4 px.
_OVERSAMPLING = 2
_REACH_SIGMA = 5.0
_DEGREE = 5


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
        # Without knots at the three samples next to either end, there are as many splines as samples.
        edge = _DEGREE // 2 + 1
        self._knots = np.concatenate([np.full(_DEGREE + 1, axis[0]), axis[edge:-edge], np.full(_DEGREE + 1, axis[-1])])  # fmt: skip
        to_factors = np.linalg.inv(_splines(axis, self._knots))
        self._factors = to_factors @ np.pad(kernel, 3) @ to_factors.T

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
        half = self._half + int(np.ceil(_REACH_SIGMA * sigma_px))
        parts, seen = [], []
        for place, size in zip((y, x), image.shape, strict=True):
            middle = round(place)
            part = slice(max(middle - half, 0), min(middle + half + 1, size))
            if part.start >= part.stop:
                return
            parts.append(part)
            seen.append(self._seen(np.arange(part.start, part.stop) - middle, place - middle, sigma_px))
        image[tuple(parts)] += flux * (seen[0] @ self._factors @ seen[1].T)

    def _seen(self, pixels: Array, offset: float, sigma_px: float) -> Array:
        """What neighbouring pixels see of the splines along one axis, behind the Gaussian, (n_pixels, n_splines)."""
        if sigma_px == 0.0:
            return self._sampled(pixels - offset)
        width, stride = sigma_px * self._stride, self._stride
        reach = int(_REACH_SIGMA * width + 0.5)
        weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
        samples = np.arange(pixels[0] * stride - reach, pixels[-1] * stride + reach + 1)
        blur, own = np.zeros((pixels.size, samples.size)), np.arange(pixels.size)[:, None]
        blur[own, own * stride + np.arange(weights.size)] = weights / weights.sum()
        return blur @ self._sampled(samples / stride - offset)

    def _sampled(self, distance: Array) -> Array:
        """The splines at distances from their source, (n, n_splines); zero outside of the kernel."""
        return _splines(distance, self._knots) * (np.abs(distance) <= self._half + 0.5)[:, None]


def _splines(x: Array, knots: Array) -> Array:
    """Values of all B-splines of these knots, (n, n_splines)."""
    return BSpline.design_matrix(np.clip(x, knots[0], knots[-1]), knots, _DEGREE).toarray()
