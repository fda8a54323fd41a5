"""Images of clumps drawn without the fit's own tools: sums of Gaussians on a fine grid, averaged over pixels.

The PSF is a sum of two circular Gaussians, so that a Gaussian clump behind it has a closed form everywhere.
"""

from collections.abc import Sequence

import numpy as np

PSF_PARTS = ((0.75, 1.1), (0.25, 2.8))
"""Weight and standard deviation [px] of the PSF's parts, before the pixel."""


def draw_clump(
    shape: tuple[int, int],
    x: float,
    y: float,
    sigma_x: float = 0.0,
    sigma_y: float = 0.0,
    theta_deg: float = 0.0,
    *,
    parts: Sequence[tuple[float, float]] = PSF_PARTS,
    oversampling: int = 7,
) -> np.ndarray:
    """Pixel averages of a unit-flux Gaussian seen through the PSF."""
    ny, nx = shape
    angle = np.deg2rad(theta_deg)
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = axes @ np.diag([sigma_x**2, sigma_y**2]) @ axes.T
    fine_x = (np.arange(nx * oversampling) + 0.5) / oversampling - 0.5 - x
    fine_y = (np.arange(ny * oversampling) + 0.5) / oversampling - 0.5 - y
    dx, dy = np.meshgrid(fine_x, fine_y)
    image = np.zeros(dx.shape)
    for weight, width in parts:
        total = covariance + width**2 * np.eye(2)
        a, b, c = np.linalg.inv(total)[[0, 0, 1], [0, 1, 1]]
        norm = weight / (2.0 * np.pi * np.sqrt(np.linalg.det(total)))
        image += norm * np.exp(-0.5 * (a * dx**2 + 2.0 * b * dx * dy + c * dy**2))
    return image.reshape(ny, oversampling, nx, oversampling).mean(axis=(1, 3))


def draw_psf(size: int = 41) -> np.ndarray:
    """Image of a point source on the middle pixel: what the PSF's kernel is."""
    return draw_clump((size, size), size // 2, size // 2, oversampling=11)


class Field:
    """Clumps of one kind, each alone on its own tile of one image.

    Attributes
    ----------
    image, error : (ny, nx) arrays
    x, y : (n,) arrays
        True positions.
    start_x, start_y : (n,) arrays
        Positions as a detection would give them, 0.2 px off.
    """

    def __init__(self, n: int, snr: float, sigma_x: float, sigma_y: float, theta_deg: float = 30.0, *, seed: int,
                 side: int = 27, background: float = 0.0) -> None:  # fmt: skip
        rng = np.random.default_rng(seed)
        per_row = int(np.ceil(np.sqrt(n)))
        self.image = np.zeros((per_row * side, per_row * side))
        middle = side // 2
        row, column = np.divmod(np.arange(n), per_row)
        offset = rng.uniform(-0.5, 0.5, (2, n))
        self.x, self.y = column * side + middle + offset[0], row * side + middle + offset[1]
        for k in range(n):
            tile = self.image[row[k] * side : (row[k] + 1) * side, column[k] * side : (column[k] + 1) * side]
            tile += draw_clump((side, side), middle + offset[0, k], middle + offset[1, k], sigma_x, sigma_y,
                               theta_deg, oversampling=5)  # fmt: skip
        alone = draw_clump((side, side), middle, middle, sigma_x, sigma_y, theta_deg)
        sigma = np.sqrt(np.sum(alone**2)) / snr
        self.error = np.full(self.image.shape, sigma)
        self.image += rng.normal(background, sigma, self.image.shape)
        self.start_x, self.start_y = self.x + rng.normal(0, 0.2, n), self.y + rng.normal(0, 0.2, n)
