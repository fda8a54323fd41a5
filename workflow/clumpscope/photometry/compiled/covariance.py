"""What noise, correlated between pixels, does to the parameters of a fit."""

import numpy as np

from ...machine_code import compiled
from .arithmetic import EXACT, put, solve
from .drawing import source_images

__all__ = ["add_shape_errors", "background_at", "correlate", "correlated", "sandwich"]


@compiled(EXACT)
def correlate(columns, ny, nx, rho):
    """Images (c, ny nx), flat, correlated with the autocorrelation `rho` (r, r) of the noise, odd r."""
    c, half = columns.shape[0], rho.shape[0] // 2
    blurred = np.zeros((c, ny, nx))
    for i in range(c):
        plane = columns[i].reshape(ny, nx)
        for dy in range(-min(half, ny - 1), min(half, ny - 1) + 1):
            for dx in range(-min(half, nx - 1), min(half, nx - 1) + 1):
                value = rho[half + dy, half + dx]
                if value == 0.0:
                    continue
                for j in range(max(0, -dy), min(ny, ny - dy)):
                    for k in range(max(0, -dx), min(nx, nx - dx)):
                        blurred[i, j, k] += value * plane[j + dy, k + dx]
    return blurred.reshape(c, ny * nx)


@compiled(EXACT)
def correlated(images, ny, nx, rho, matrix):
    """Images (c, ny nx) behind the noise's correlation, by its matrix (ny nx, ny nx) where that is kept."""
    if rho.size == 1:
        return images
    if matrix.size == 0:
        return correlate(images, ny, nx, rho)
    return images @ matrix


@compiled(EXACT)
def sandwich(columns, n, correlated_terms, ridge, variance, ny, nx, rho, matrix):
    """Covariance of the parameters when the pixels' noise, of unit variance, is correlated.

    Parameters
    ----------
    columns : (c, ny nx) array
        Of `climb`, of n sources.
    correlated_terms : (t, ny nx) array
        The background's behind the noise's correlation.
    ridge : (t,) array
        Penalty of the squares of the background's factors.
    variance : float
        Of a pixel, in units of the one that the weights are of: factors that the penalty pulls have unit variance.
    ny, nx : int
    rho, matrix : arrays
        Of `clumpscope.photometry.noise.Correlation`.

    Returns
    -------
    covariance, white : (c, c) arrays
        With the correlation and the prior's scatter; and the inverse of the normal matrix.
    """
    c, fixed = columns.shape[0], n + ridge.size
    behind = np.empty_like(columns)
    put(behind[:n], correlated(columns[:n], ny, nx, rho, matrix))
    put(behind[n:fixed], correlated_terms)
    put(behind[fixed:], correlated(columns[fixed:], ny, nx, rho, matrix))
    bread, meat = columns @ columns.T, columns @ behind.T
    for i in range(ridge.size):
        bread[n + i, n + i] += ridge[i]
        meat[n + i, n + i] += ridge[i] ** 2 / variance
    white = np.eye(c)
    solve(bread, white)
    return white @ meat @ white, white


@compiled(EXACT)
def add_shape_errors(covariance, white, columns, spectrum, u_y, u_x, theta, flux, shapes, weight, corner):
    """Add, in place, what the errors of given shapes do to the free parameters: the least-squares response to them.

    Parameters
    ----------
    covariance, white : (c, c) arrays
        Of `sandwich`.
    columns : (c, ny nx) array
    spectrum, u_y, u_x : arrays
        Of `source_images`.
    theta : (n, 5) array
    flux : (n,) array
    shapes : (n, 3, 3) array
        Covariances of the sources' moments.
    weight, corner : arrays
        Of `climb`.

    Returns
    -------
    (n, 3) array
        Change of every flux with its own moments.
    """
    n, (ny, nx) = theta.shape[0], weight.shape
    by_moments, images = np.empty((n, 3)), np.empty((6, ny, nx))
    for k in range(n):
        source_images(spectrum, u_y, u_x, theta[k], corner[0], corner[1], images)
        change = (flux[k] * images[3:] * weight).reshape(3, ny * nx)
        response = white @ (columns @ change.T)
        covariance += response @ (np.ascontiguousarray(shapes[k]) @ response.T)
        # A clump that is drawn too wide leaves too little in the middle: its flux grows.
        for i in range(3):
            by_moments[k, i] = -response[k, i]
    return by_moments


@compiled(EXACT)
def background_at(theta, corner, terms):
    """Values (n, t) of a background's terms (t, ny, nx) at sources: the plane's are exact, others those of the nearest pixel."""
    n, (n_terms, ny, nx) = theta.shape[0], terms.shape
    values = np.ones((n, n_terms))
    for k in range(n):
        x, y = theta[k, 0] - corner[1], theta[k, 1] - corner[0]
        values[k, 1], values[k, 2] = (x - 0.5 * (nx - 1)) / nx, (y - 0.5 * (ny - 1)) / ny
        column = min(max(int(np.rint(theta[k, 0])) - corner[1], 0), nx - 1)
        row = min(max(int(np.rint(theta[k, 1])) - corner[0], 0), ny - 1)
        for t in range(3, n_terms):
            values[k, t] = terms[t, row, column]
    return values
