"""Images of sources behind a PSF, with their derivatives."""

import numpy as np

from ...machine_code import compiled
from .arithmetic import EXACT, put

__all__ = ["add_source", "source_images"]

# Amplitudes, over that of the mean, that no image needs.
_FAINT = 1e-6


@compiled(EXACT)
def source_images(spectrum, u_y, u_x, theta, row, column, images):
    """Image of a unit-flux source, and its derivatives by (x, y, S_xx, S_yy, S_xy).

    Parameters
    ----------
    spectrum : (2, n_y, n_x) array
        Real and imaginary part of the kernel's transform, with the weights of the inverse transform.
    u_y, u_x : (n_y,), (n_x,) arrays
        Angular frequencies [1/px].
    theta : (5,) array
        The source.
    row, column : int
        Pixel of the corner ``images[:, 0, 0]``.
    images : (1, 3 or 6, ny, nx) array
        Filled, as far as it reaches.
    """
    n_parts, ny, nx = images.shape
    x, y, s_xx, s_yy, s_xy = theta
    n_y, n_x = u_y.size, u_x.size
    # Moments 0, 1, 2 of u_x that the parts need.
    n_moments = 1 if n_parts == 1 else n_parts // 3 + 1
    # Waves along x, real and imaginary, times powers of u_x; below, what the imaginary part of the spectrum makes of them.
    waves = np.empty((2 * n_x, n_moments, 2, nx))
    for b in range(n_x):
        v = u_x[b]
        phase = v * (column - x)
        # From pixel to pixel by turning: sines take more time than all else.
        cos, sin, cos_turn, sin_turn = np.cos(phase), np.sin(phase), np.cos(v), np.sin(v)
        power = 1.0
        for i in range(nx):
            waves[b, 0, 0, i], waves[b, 0, 1, i] = cos, sin
            cos, sin = cos * cos_turn - sin * sin_turn, cos * sin_turn + sin * cos_turn
        for moment in range(n_moments):
            for i in range(nx):
                cos, sin = power * waves[b, 0, 0, i], power * waves[b, 0, 1, i]
                waves[b, moment, 0, i], waves[b, moment, 1, i] = cos, sin
                waves[n_x + b, moment, 0, i], waves[n_x + b, moment, 1, i] = -sin, cos
            power *= v
    faint = (_FAINT * spectrum[0, 0, 0]) ** 2
    blurred = np.zeros((n_y, 2 * n_x))
    for a in range(n_y):
        u = u_y[a]
        for b in range(n_x):
            v = u_x[b]
            blur = np.exp(-0.5 * (s_xx * v * v + s_yy * u * u + 2.0 * s_xy * u * v))
            re, im = spectrum[0, a, b] * blur, spectrum[1, a, b] * blur
            if re * re + im * im >= faint:
                blurred[a, b], blurred[a, n_x + b] = re, im
    sums = (blurred @ waves.reshape(2 * n_x, -1)).reshape(n_y, n_moments, 2, nx)
    # The same along y. Rows: real, then imaginary sums.
    parts = np.empty((n_moments, 2 * n_y, nx))
    for a in range(n_y):
        for moment in range(n_moments):
            parts[moment, a], parts[moment, n_y + a] = sums[a, moment, 0], sums[a, moment, 1]
    # Pixel by frequency: cosines and sines that give the real part; the imaginary one; each times powers of u_y.
    real, imaginary = np.empty((ny, 2 * n_y)), np.empty((ny, 2 * n_y))
    frequencies = np.empty(2 * n_y)
    for a in range(n_y):
        u = u_y[a]
        frequencies[a] = frequencies[n_y + a] = u
        phase = u * (row - y)
        cos, sin, cos_turn, sin_turn = np.cos(phase), np.sin(phase), np.cos(u), np.sin(u)
        for j in range(ny):
            real[j, a], real[j, n_y + a] = cos, -sin
            imaginary[j, a], imaginary[j, n_y + a] = sin, cos
            cos, sin = cos * cos_turn - sin * sin_turn, cos * sin_turn + sin * cos_turn
    put(images[0], real @ parts[0])
    if n_parts >= 3:
        put(images[1], imaginary @ parts[1])
        put(images[2], (imaginary * frequencies) @ parts[0])
    if n_parts == 6:
        put(images[3], -0.5 * (real @ parts[2]))
        real *= frequencies
        put(images[5], -(real @ parts[1]))
        real *= frequencies
        put(images[4], -0.5 * (real @ parts[0]))


@compiled(EXACT)
def add_source(image, spectrum, u_y, u_x, theta, flux, half):
    """Add a source to an image, inside `half` pixels around it."""
    row, column = int(np.rint(theta[1])), int(np.rint(theta[0]))
    low, high = max(row - half, 0), min(row + half, image.shape[0] - 1)
    left, right = max(column - half, 0), min(column + half, image.shape[1] - 1)
    if low > high or left > right:
        return
    stamp = np.empty((1, high - low + 1, right - left + 1))
    source_images(spectrum, u_y, u_x, theta, low, left, stamp)
    for i in range(stamp.shape[1]):
        for j in range(stamp.shape[2]):
            image[low + i, left + j] += flux * stamp[0, i, j]
