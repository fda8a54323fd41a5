"""Stars behind PSFs as narrow as a pixel, in closed form: Gaussians integrated over pixels by error functions."""

import numpy as np
from astropy.table import Table
from scipy.special import erf

WINGS = (0.2, 2.5)
"""Share of the light in the PSF's wings, and their width over the core's."""


def profile(sigma_px: float) -> tuple[tuple[float, float], ...]:
    """Weight and standard deviation of the PSF's parts."""
    return ((1.0 - WINGS[0], sigma_px), (WINGS[0], WINGS[1] * sigma_px))


def brightness(dx: np.ndarray, dy: np.ndarray, sigma_px: float) -> np.ndarray:
    """Surface brightness, without the pixel, on the outer product of distances."""
    return sum(
        weight * np.outer(np.exp(-0.5 * (dy / s) ** 2), np.exp(-0.5 * (dx / s) ** 2)) / (2.0 * np.pi * s**2)
        for weight, s in profile(sigma_px)
    )


def pixels(
    dx: np.ndarray, dy: np.ndarray, sigma_px: float, clump_px: float = 0.0, pixel: float = 1.0
) -> np.ndarray:
    """Values of pixels at distances from a source of unit flux: of a star, or of a round Gaussian clump."""

    def side(distance: np.ndarray, s: float) -> np.ndarray:
        edges = [erf((distance + sign * pixel / 2) / (np.sqrt(2.0) * s)) for sign in (1, -1)]
        return 0.5 * (edges[0] - edges[1])

    total = 0.0
    for weight, s in profile(sigma_px):
        wide = np.hypot(s, clump_px)
        total = total + weight * np.outer(side(dy, wide), side(dx, wide))
    return total


def fwhm(sigma_px: float) -> float:
    """Of the pixels' profile, along a row [px]."""
    distance = np.linspace(0.0, 5.0, 50001)
    along = pixels(distance, np.zeros(1), sigma_px)[0]
    return 2.0 * distance[np.argmax(along < along[0] / 2)]


def effective(sigma_px: float, oversampling: float, half_px: int = 20) -> np.ndarray:
    """The effective PSF: values of pixels at every sample."""
    half = int(half_px * oversampling)
    distance = np.arange(-half, half + 1) / oversampling
    return pixels(distance, distance, sigma_px)


def stars(
    n: int, sigma_px: float, snr: float, rng: np.random.Generator, clump_px: float = 0.0, side: int = 25
) -> tuple[np.ndarray, np.ndarray, Table]:
    """Sources of unit flux at random places within their pixels, each on a tile of its own, in white noise.

    Returns
    -------
    image, error : (ny, nx) arrays
    table : Table
        x, y [px].
    """
    per_row = int(np.ceil(np.sqrt(n)))
    image = np.zeros((per_row * side, per_row * side))
    row, column = np.divmod(np.arange(n), per_row)
    x, y = np.stack([column, row]) * side + side // 2 + rng.uniform(-0.5, 0.5, (2, n))
    axis = np.arange(side)
    for k in range(n):
        part = np.s_[row[k] * side : (row[k] + 1) * side, column[k] * side : (column[k] + 1) * side]
        image[part] = pixels(axis + column[k] * side - x[k], axis + row[k] * side - y[k], sigma_px, clump_px)
    alone = pixels(axis - side // 2, axis - side // 2, sigma_px, clump_px)
    error = np.full(image.shape, np.sqrt(np.sum(alone**2)) / snr)
    return image + rng.normal(size=image.shape) * error, error, Table({"x": x, "y": y})
