"""The loops of the clump fits, compiled: images of sources with their derivatives, and the least-squares climb.

All compiled code of this room is in this one file, so that its cache on disk never goes stale.

A source is a row (x, y, S_xx, S_yy, S_xy) of `theta` [px, px^2]; what of it is free is its `kind`:

====== ==================================================
FROZEN nothing (its flux only)
POINT  the position; the covariance is kept as it is given
ROUND  position, and one variance for both axes
LINE   position, and a covariance of rank one (no width across)
FULL   position, and the whole covariance
====== ==================================================
"""

from collections.abc import Callable

import numba
import numpy as np

__all__ = [
    "FROZEN",
    "FULL",
    "LINE",
    "POINT",
    "ROUND",
    "add_source",
    "climb",
    "correlate",
    "sandwich",
    "source_images",
]

FROZEN, POINT, ROUND, LINE, FULL = -1, 0, 1, 2, 3
_MAX_STEPS = 80
# Fall of chi-squared that is not worth another step: a hundredth of a standard deviation squared.
_ENOUGH = 1e-5
# The same for clumps fitted together, which trade light with each other in long, flat valleys.
_ENOUGH_TOGETHER = 1e-3
# Amplitudes, over that of the mean, that no image needs.
_FAINT = 1e-6


# A function has a copy in the code of each that calls it, optimized there; which one runs depends on what the cache on
# disk had. Copies agree to the last bit as long as the arithmetic keeps its order and no product is fused into a sum.
# Only sums of products, most of the time of a fit, may be reordered: they are short enough to be part of their callers.
_EXACT: set[str] = {"nsz"}
_SUMS: set[str] = {"reassoc", "nsz", "arcp"}


def _compiled(fastmath: set[str]) -> Callable:
    """Compile, keeping the machine code on disk where a place for it can be found."""
    options = {"nogil": True, "fastmath": fastmath, "error_model": "numpy"}

    def of_function(function: Callable) -> Callable:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # numba: "no locator available" (read-only installation, no home)
            return numba.njit(**options)(function)

    return of_function


@_compiled(_EXACT)
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
    wave = np.empty((2, u_x.size, nx))
    for b in range(u_x.size):
        for i in range(nx):
            phase = u_x[b] * (column + i - x)
            wave[0, b, i], wave[1, b, i] = np.cos(phase), np.sin(phase)
    images[:] = 0.0
    faint = (_FAINT * spectrum[0, 0, 0]) ** 2
    # Real and imaginary parts of the moments 0, 1, 2 of u_x, summed along u_x.
    sums = np.empty((6, nx))
    for a in range(u_y.size):
        u = u_y[a]
        sums[:] = 0.0
        for b in range(u_x.size):
            v = u_x[b]
            blur = np.exp(-0.5 * (s_xx * v * v + s_yy * u * u + 2.0 * s_xy * u * v))
            re, im = spectrum[0, a, b] * blur, spectrum[1, a, b] * blur
            if re * re + im * im < faint:
                continue
            if n_parts == 1:
                for i in range(nx):
                    sums[0, i] += re * wave[0, b, i] - im * wave[1, b, i]
                    sums[1, i] += re * wave[1, b, i] + im * wave[0, b, i]
            else:
                for i in range(nx):
                    real = re * wave[0, b, i] - im * wave[1, b, i]
                    imaginary = re * wave[1, b, i] + im * wave[0, b, i]
                    sums[0, i] += real
                    sums[1, i] += imaginary
                    sums[2, i] += v * real
                    sums[3, i] += v * imaginary
                    sums[4, i] += v * v * real
                    sums[5, i] += v * v * imaginary
        for j in range(ny):
            cos, sin = np.cos(u * (row + j - y)), np.sin(u * (row + j - y))
            if n_parts == 1:
                for i in range(nx):
                    images[0, j, i] += cos * sums[0, i] - sin * sums[1, i]
            elif n_parts == 3:
                for i in range(nx):
                    images[0, j, i] += cos * sums[0, i] - sin * sums[1, i]
                    images[1, j, i] += cos * sums[3, i] + sin * sums[2, i]
                    images[2, j, i] += u * (cos * sums[1, i] + sin * sums[0, i])
            else:
                for i in range(nx):
                    real = cos * sums[0, i] - sin * sums[1, i]
                    images[0, j, i] += real
                    images[1, j, i] += cos * sums[3, i] + sin * sums[2, i]
                    images[2, j, i] += u * (cos * sums[1, i] + sin * sums[0, i])
                    images[3, j, i] -= 0.5 * (cos * sums[4, i] - sin * sums[5, i])
                    images[4, j, i] -= 0.5 * u * u * real
                    images[5, j, i] -= u * (cos * sums[2, i] - sin * sums[3, i])


@_compiled(_EXACT)
def add_source(image, spectrum, u_y, u_x, theta, flux, half):
    """Add a source to an image, inside `half` pixels around it."""
    row, column = int(np.rint(theta[1])), int(np.rint(theta[0]))
    low, high = max(row - half, 0), min(row + half, image.shape[0] - 1)
    left, right = max(column - half, 0), min(column + half, image.shape[1] - 1)
    if low > high or left > right:
        return
    stamp = np.empty((1, high - low + 1, right - left + 1))
    source_images(spectrum, u_y, u_x, theta, low, left, stamp)
    image[low : high + 1, left : right + 1] += flux * stamp[0]


@_compiled(_EXACT)
def _solve(matrix, right):
    """Solve a symmetric positive system in place of `right` (m, k); nearly singular directions are left alone."""
    m = matrix.shape[0]
    scale = np.empty(m)
    for i in range(m):
        scale[i] = 1.0 / np.sqrt(matrix[i, i]) if matrix[i, i] > 0.0 else 0.0
    low = np.zeros((m, m))
    for i in range(m):
        for j in range(i + 1):
            total = matrix[i, j] * scale[i] * scale[j]
            if i == j:
                total = total + 1e-11 if total > 0.0 else 1.0
            for k in range(j):
                total -= low[i, k] * low[j, k]
            low[i, j] = np.sqrt(max(total, 1e-13)) if i == j else total / low[j, j]
    for c in range(right.shape[1]):
        for i in range(m):
            total = right[i, c] * scale[i]
            for k in range(i):
                total -= low[i, k] * right[k, c]
            right[i, c] = total / low[i, i]
        for i in range(m - 1, -1, -1):
            total = right[i, c]
            for k in range(i + 1, m):
                total -= low[k, i] * right[k, c]
            right[i, c] = total / low[i, i]
        for i in range(m):
            right[i, c] *= scale[i]


@_compiled(_EXACT)
def _images_of_all(spectrum, u_y, u_x, theta, kind, first, weight, corner, reach, start, images):
    """Weighted images of every source that moves, or of all when `first`."""
    ny, nx = weight.shape
    for k in range(theta.shape[0]):
        if kind[k] == FROZEN and not first:
            continue
        low = max(int(np.rint(start[k, 1])) - reach - corner[0], 0)
        high = min(int(np.rint(start[k, 1])) + reach - corner[0], ny - 1)
        left = max(int(np.rint(start[k, 0])) - reach - corner[1], 0)
        right = min(int(np.rint(start[k, 0])) + reach - corner[1], nx - 1)
        images[k] = 0.0
        if low > high or left > right:
            continue
        n_parts = 6
        if kind[k] == FROZEN:
            n_parts = 1
        elif kind[k] == POINT:
            n_parts = 3
        stamp = np.empty((n_parts, high - low + 1, right - left + 1))
        source_images(spectrum, u_y, u_x, theta[k], corner[0] + low, corner[1] + left, stamp)
        for part in range(n_parts):
            for j in range(low, high + 1):
                for i in range(left, right + 1):
                    images[k, part, j, i] = stamp[part, j - low, i - left] * weight[j, i]


@_compiled(_EXACT)
def _free(kind):
    """Number of free parameters of a source."""
    if kind == FROZEN:
        return 0
    return 2 if kind == POINT else 2 + kind


@_compiled(_EXACT)
def _main_axis(s_xx, s_yy, s_xy):
    """Vector v along the main axis with |v|^2 the larger eigenvalue; and the smaller eigenvalue."""
    mean, half = 0.5 * (s_xx + s_yy), np.hypot(0.5 * (s_xx - s_yy), s_xy)
    angle = 0.5 * np.arctan2(2.0 * s_xy, s_xx - s_yy)
    length = np.sqrt(max(mean + half, 0.0))
    return length * np.cos(angle), length * np.sin(angle), mean - half


@_compiled(_SUMS)
def _product(a, b):
    """Sum of the products of two rows."""
    total = 0.0
    for q in range(a.size):
        total += a[q] * b[q]
    return total


@_compiled(_SUMS)
def _gram(columns, first, last, gram):
    """Products of the rows up to `last`, those of the background, from `first` on, with each other being there already."""
    for j in range(first):
        for i in range(j, last):
            gram[i, j] = gram[j, i] = _product(columns[i], columns[j])


@_compiled(_SUMS)
def _columns(images, theta, kind, ridge, data, columns, gram):
    """Fill the matrix of the problem: sources and background, solved exactly, then derivatives.

    The background's rows are in `columns`, and their products, with the ridge, in `gram`.

    Returns
    -------
    linear : (m,) array
    residual : (n_pixels,) array
    chi2 : float
        Of the residual, with the ridge's penalty.
    """
    n, m = theta.shape[0], theta.shape[0] + ridge.size
    for k in range(n):
        columns[k] = images[k, 0].ravel()
    right = np.empty((m, 1))
    _gram(columns, n, m, gram)
    for i in range(m):
        right[i, 0] = _product(columns[i], data)
    _solve(gram[:m, :m], right)
    linear = right[:, 0].copy()
    residual = data.copy()
    for i in range(m):
        for q in range(data.size):
            residual[q] -= linear[i] * columns[i, q]
    chi2 = _product(residual, residual)
    for i in range(ridge.size):
        chi2 += ridge[i] * linear[n + i] ** 2
    place = m
    for k in range(n):
        flux = linear[k]
        for part in range(min(_free(kind[k]), 2)):
            columns[place] = flux * images[k, 1 + part].ravel()
            place += 1
        if kind[k] == ROUND:
            columns[place] = flux * (images[k, 3].ravel() + images[k, 4].ravel())
            place += 1
        elif kind[k] == LINE:
            v_x, v_y, _ = _main_axis(theta[k, 2], theta[k, 3], theta[k, 4])
            columns[place] = flux * (2.0 * v_x * images[k, 3].ravel() + v_y * images[k, 5].ravel())
            columns[place + 1] = flux * (2.0 * v_y * images[k, 4].ravel() + v_x * images[k, 5].ravel())
            place += 2
        elif kind[k] == FULL:
            for part in range(3, 6):
                columns[place] = flux * images[k, part].ravel()
                place += 1
    return linear, residual, chi2


@_compiled(_EXACT)
def _moved(theta, kind, step, start, max_shift, floor, ceiling):
    """`theta` after a step, brought back to where parameters may be."""
    moved = theta.copy()
    place = 0
    for k in range(theta.shape[0]):
        if kind[k] == FROZEN:
            continue
        for axis in range(2):
            goal = theta[k, axis] + step[place + axis]
            moved[k, axis] = min(max(goal, start[k, axis] - max_shift), start[k, axis] + max_shift)
        if kind[k] == ROUND:
            moved[k, 2] = min(max(theta[k, 2] + step[place + 2], floor), ceiling)
            moved[k, 3] = moved[k, 2]
        elif kind[k] == LINE:
            v_x, v_y, _ = _main_axis(theta[k, 2], theta[k, 3], theta[k, 4])
            v_x, v_y = v_x + step[place + 2], v_y + step[place + 3]
            shrink = min(1.0, np.sqrt(ceiling) / max(np.hypot(v_x, v_y), 1e-30))
            v_x, v_y = v_x * shrink, v_y * shrink
            moved[k, 2], moved[k, 3], moved[k, 4] = v_x * v_x, v_y * v_y, v_x * v_y
        elif kind[k] == FULL:
            s_xx, s_yy = theta[k, 2] + step[place + 2], theta[k, 3] + step[place + 3]
            s_xy = theta[k, 4] + step[place + 4]
            mean, half = 0.5 * (s_xx + s_yy), np.hypot(0.5 * (s_xx - s_yy), s_xy)
            large = min(max(mean + half, 0.0), ceiling)
            small = min(max(mean - half, 0.0), ceiling)
            if large != mean + half or small != mean - half:
                angle = 0.5 * np.arctan2(2.0 * s_xy, s_xx - s_yy)
                cos, sin = np.cos(angle), np.sin(angle)
                s_xx, s_yy = large * cos * cos + small * sin * sin, large * sin * sin + small * cos * cos
                s_xy = (large - small) * sin * cos
            moved[k, 2], moved[k, 3], moved[k, 4] = s_xx, s_yy, s_xy
        place += _free(kind[k])
    return moved


@_compiled(_EXACT)
def _hold(theta, kind, gradient, start, max_shift, floor, ceiling, held):
    """Mark parameters that sit on a bound and want to cross it."""
    held[:] = False
    place = 0
    for k in range(theta.shape[0]):
        if kind[k] == FROZEN:
            continue
        for axis in range(2):
            away = theta[k, axis] - start[k, axis]
            if abs(away) >= max_shift - 1e-12 and away * gradient[place + axis] > 0.0:
                held[place + axis] = True
        if kind[k] == ROUND:
            variance, uphill = theta[k, 2], gradient[place + 2]
            if (variance <= floor and uphill < 0.0) or (variance >= ceiling and uphill > 0.0):
                held[place + 2] = True
        place += _free(kind[k])


@_compiled(_SUMS)
def climb(
    spectrum,
    u_y,
    u_x,
    theta,
    kind,
    start,
    max_shift,
    floor,
    ceiling,
    image,
    weight,
    corner,
    reach,
    terms,
    products,
    ridge,
):
    """Fit all sources of a box: fluxes and background solved exactly at every step, the rest by Levenberg-Marquardt.

    Golub and Pereyra's variable projection with Kaufman's (1975) Jacobian.

    Parameters
    ----------
    spectrum, u_y, u_x : arrays
        Of `source_images`.
    theta : (n, 5) array
        Where to begin.
    kind : (n,) int array
        What is free.
    start : (n, 2) array
        Centres (x, y) from which positions move by `max_shift` at most.
    max_shift : float
        Bound of positions [px].
    floor, ceiling : float
        Bounds of the variance of a ROUND source [px^2]; that of the others is not below zero.
    image, weight : (ny, nx) arrays
        Data; 1 / error, zero where there is no good pixel.
    corner : (2,) int array
        Row and column of the box's first pixel.
    reach : int
        Sources are drawn inside this many pixels.
    terms : (t, ny nx) array
        Of the background, weighted.
    products : (t, t) array
        Of the terms with each other, and the ridge.
    ridge : (t,) array
        Penalty of the squares of their factors; zero where they are free.

    Returns
    -------
    theta : (n, 5) array
    linear : (n + t,) array
        Fluxes, then factors of the background's terms.
    chi2 : float
        With the penalty.
    converged : bool
    columns : (n + t + p, ny nx) array
        Weighted derivatives by the linear, then by the free parameters.
    residual : (ny nx,) array
        Weighted.
    """
    n, (ny, nx) = theta.shape[0], weight.shape
    n_free = 0
    for k in range(n):
        n_free += _free(kind[k])
    m = n + ridge.size
    data = (image * weight).ravel()
    images, tried_images = np.zeros((n, 6, ny, nx)), np.zeros((n, 6, ny, nx))
    columns, tried_columns = np.empty((m + n_free, data.size)), np.empty((m + n_free, data.size))
    gram = np.empty((m + n_free, m + n_free))
    columns[n:m] = terms
    tried_columns[n:m] = terms
    gram[n:m, n:m] = products
    tried_gram = gram.copy()
    theta = _moved(theta, kind, np.zeros(n_free), start, max_shift, floor, ceiling)
    _images_of_all(spectrum, u_y, u_x, theta, kind, True, weight, corner, reach, start, images)
    tried_images[:] = images
    linear, residual, chi2 = _columns(images, theta, kind, ridge, data, columns, gram)
    damping, converged = 1e-2, n_free == 0
    held = np.zeros(n_free, dtype=np.bool_)
    fresh = True
    for _ in range(_MAX_STEPS):
        if converged or not np.isfinite(chi2):
            break
        if fresh:
            for i in range(m, m + n_free):
                for j in range(i + 1):
                    gram[i, j] = gram[j, i] = _product(columns[i], columns[j])
            gradient = np.empty(n_free)
            for i in range(n_free):
                gradient[i] = _product(columns[m + i], residual)
            _hold(theta, kind, gradient, start, max_shift, floor, ceiling, held)
            # The derivatives without what fluxes and background can absorb.
            absorbed = gram[:m, m:].copy()
            _solve(gram[:m, :m], absorbed)
            reduced = np.empty((n_free, n_free))
            for i in range(n_free):
                for j in range(n_free):
                    total = gram[m + i, m + j]
                    for k in range(m):
                        total -= gram[k, m + i] * absorbed[k, j]
                    reduced[i, j] = total
            for i in range(n_free):
                if held[i]:
                    gradient[i] = 0.0
                    reduced[i, :] = 0.0
                    reduced[:, i] = 0.0
                    reduced[i, i] = 1.0
        matrix, step = reduced.copy(), np.empty((n_free, 1))
        for i in range(n_free):
            matrix[i, i] = (1.0 + damping) * matrix[i, i] + 1e-6 * gram[m + i, m + i] + 1e-300
            step[i, 0] = gradient[i]
        _solve(matrix, step)
        promised = 0.0
        for i in range(n_free):
            promised += step[i, 0] * gradient[i]
        enough = (_ENOUGH if n == 1 else _ENOUGH_TOGETHER) + 1e-10 * chi2
        if promised < enough:
            converged = True
            break
        tried = _moved(theta, kind, step[:, 0], start, max_shift, floor, ceiling)
        _images_of_all(spectrum, u_y, u_x, tried, kind, False, weight, corner, reach, start, tried_images)
        tried_linear, tried_residual, tried_chi2 = _columns(
            tried_images, tried, kind, ridge, data, tried_columns, tried_gram
        )
        if tried_chi2 < chi2:
            converged = chi2 - tried_chi2 < enough
            fresh = True
            theta, linear, residual, chi2 = tried, tried_linear, tried_residual, tried_chi2
            images, tried_images = tried_images, images
            columns, tried_columns = tried_columns, columns
            gram, tried_gram = tried_gram, gram
            damping = max(0.1 * damping, 1e-8)
        else:
            fresh = False
            damping *= 10.0
            if damping > 1e8:
                converged = True
    return theta, linear, chi2, converged, columns, residual


@_compiled(_SUMS)
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


@_compiled(_SUMS)
def sandwich(columns, correlated, ridge, prior):
    """Covariance of the parameters when the pixels' noise, of unit variance, is correlated.

    Parameters
    ----------
    columns : (c, n_pixels) array
        Of `climb`.
    correlated : (c, n_pixels) array
        The same behind the noise's correlation; equal where the noise is white.
    ridge : (c,) array
        Penalty of the squares of the parameters.
    prior : (c,) array
        Variance, in units of the noise's, of what the penalty pulls: the square of the ridge times the parameter's variance.

    Returns
    -------
    covariance, white : (c, c) arrays
        With the correlation and the prior's scatter; and the inverse of the normal matrix.
    """
    c = columns.shape[0]
    bread, meat = columns @ columns.T, columns @ correlated.T
    for i in range(c):
        bread[i, i] += ridge[i]
        meat[i, i] += prior[i]
    white = np.eye(c)
    _solve(bread, white)
    return white @ meat @ white, white
