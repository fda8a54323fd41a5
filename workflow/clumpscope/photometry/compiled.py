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
    "add_shape_errors",
    "add_source",
    "background_at",
    "climb",
    "correlate",
    "host_evidences",
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
    images[0] = real @ parts[0]
    if n_parts >= 3:
        images[1] = imaginary @ parts[1]
        images[2] = (imaginary * frequencies) @ parts[0]
    if n_parts == 6:
        images[3] = -0.5 * (real @ parts[2])
        real *= frequencies
        images[5] = -(real @ parts[1])
        real *= frequencies
        images[4] = -0.5 * (real @ parts[0])


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


@_compiled(_EXACT)
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


@_compiled(_EXACT)
def _correlated(images, ny, nx, rho, matrix):
    """Images (c, ny nx) behind the noise's correlation, by its matrix (ny nx, ny nx) where that is kept."""
    if rho.size == 1:
        return images
    if matrix.size == 0:
        return correlate(images, ny, nx, rho)
    return images @ matrix


@_compiled(_EXACT)
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
    correlated = np.empty_like(columns)
    correlated[:n] = _correlated(columns[:n], ny, nx, rho, matrix)
    correlated[n:fixed] = correlated_terms
    correlated[fixed:] = _correlated(columns[fixed:], ny, nx, rho, matrix)
    bread, meat = columns @ columns.T, columns @ correlated.T
    for i in range(ridge.size):
        bread[n + i, n + i] += ridge[i]
        meat[n + i, n + i] += ridge[i] ** 2 / variance
    white = np.eye(c)
    _solve(bread, white)
    return white @ meat @ white, white


@_compiled(_EXACT)
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
        by_moments[k] = -response[k]
    return by_moments


@_compiled(_EXACT)
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


@_compiled(_EXACT)
def _tridiagonal(matrix, vector):
    """Bring a symmetric matrix (m, m) to three diagonals by reflections, in place, and the vector (m,) along with it.

    Returns
    -------
    diagonal, beside : (m,), (m - 1,) arrays
    """
    m = vector.size
    diagonal, beside = np.empty(m), np.zeros(max(m - 1, 0))
    mirror, image = np.empty(m), np.empty(m)
    for k in range(m - 1):
        diagonal[k] = matrix[k, k]
        length = 0.0
        for i in range(k + 1, m):
            mirror[i] = matrix[k, i]
            length += mirror[i] * mirror[i]
        length = np.sqrt(length)
        if length == 0.0:
            continue
        beside[k] = -length if mirror[k + 1] > 0.0 else length
        mirror[k + 1] -= beside[k]
        # Twice over the squared length of the mirror's normal.
        scale = -1.0 / (beside[k] * mirror[k + 1])
        image[k + 1 :] = 0.0
        along = 0.0
        for i in range(k + 1, m):
            along += mirror[i] * vector[i]
            for j in range(k + 1, m):
                image[j] += mirror[i] * matrix[i, j]
        inside = 0.0
        for i in range(k + 1, m):
            vector[i] -= scale * along * mirror[i]
            image[i] *= scale
            inside += mirror[i] * image[i]
        for i in range(k + 1, m):
            image[i] -= 0.5 * scale * inside * mirror[i]
        for i in range(k + 1, m):
            for j in range(k + 1, m):
                matrix[i, j] -= mirror[i] * image[j] + image[i] * mirror[j]
    if m:
        diagonal[m - 1] = matrix[m - 1, m - 1]
    return diagonal, beside


@_compiled(_EXACT)
def evidences(noise, light, found, widths):
    """Rise of the log evidence by Gaussian light of some widths over that of noise alone, (p, w), for p processes.

    Parameters
    ----------
    noise : (p, m, m) array
        Covariance of what noise leaves in the products of the data with m modes.
    light : (p, m, m) array
        What each mode's light of width 1 leaves there, mode by mode in the second axis.
    found : (p, m) array
        The products.
    widths : (w,) array
    """
    n_processes, m = found.shape
    rises, squares = np.empty((n_processes, widths.size)), widths**2
    for p in range(n_processes):
        # In directions of unit, uncorrelated noise: by the Cholesky factor's transpose, row by row.
        upper, both = noise[p].copy(), np.empty((m, m + 1))
        both[:, :m], both[:, m] = light[p], found[p]
        for k in range(m):
            root = np.sqrt(upper[k, k])
            for j in range(k, m):
                upper[k, j] /= root
            for j in range(m + 1):
                both[k, j] /= root
            for i in range(k + 1, m):
                factor = upper[k, i]
                for j in range(i, m):
                    upper[i, j] -= factor * upper[k, j]
                for j in range(m + 1):
                    both[i, j] -= factor * both[k, j]
        seen, vector = np.ascontiguousarray(both[:, :m]), both[:, m].copy()
        power = vector @ vector
        # Three diagonals are enough: no width needs the main axes.
        diagonal, beside = _tridiagonal(seen @ seen.T, vector)
        # All widths side by side; the logarithm of what pivots multiply to is taken before that is too large.
        left, logarithm, product, pivot, last = np.zeros((5, widths.size))
        product[:] = pivot[:] = 1.0
        for k in range(m):
            across = beside[k - 1] if k else 0.0
            for w in range(widths.size):
                step = squares[w] * across
                last[w] = vector[k] - step / pivot[w] * last[w]
                # Not below that of the noise alone.
                pivot[w] = max(1.0 + squares[w] * diagonal[k] - step * step / pivot[w], 1.0)
                left[w] += last[w] * last[w] / pivot[w]
                product[w] *= pivot[w]
            for w in range(widths.size):
                if product[w] > 1e100 or k == m - 1:
                    logarithm[w] += np.log(product[w])
                    product[w] = 1.0
        rises[p] = 0.5 * (power - left - logarithm)
    return rises


@_compiled(_EXACT)
def host_evidences(modes, strength, weight, basis, data, smooth, variance, ny, nx, rho, matrix, widths):
    """Rise of the log evidence by hosts of some processes and widths over that of what is known, on one box.

    Parameters
    ----------
    modes : (p, m, ny nx) array
        Of unit length.
    strength : (p, m) array
        Their lengths for a width of 1.
    weight, data : (ny nx,) arrays
        1 / error, and the data times it.
    basis : (b, ny nx) array
        What is known, weighted: orthogonal and of unit length.
    smooth : float
        Variance of the noise of modes; of 0, that of the pixels' noise with its correlation.
    variance : float
        Of a pixel, in units of the one that the weights are of.
    ny, nx : int
    rho, matrix : arrays
        Of `clumpscope.photometry.noise.Correlation`.
    widths : (w,) array

    Returns
    -------
    rises : (p, w) array
    smooth : (p,) array
        Variance of the noise's smooth part.
    """
    n_processes, m, _ = modes.shape
    noise, light = np.empty((n_processes, m, m)), np.empty((n_processes, m, m))
    found, smooths = np.empty((n_processes, m)), np.empty(n_processes)
    for p in range(n_processes):
        # Modes as they are seen beside the clumps.
        seen = modes[p] * weight
        seen -= (seen @ basis.T) @ basis
        products = seen @ seen.T
        if smooth > 0.0:
            noise[p] = smooth * products
        else:
            noise[p] = variance * (seen @ _correlated(seen, ny, nx, rho, matrix).T)
        trace, whole = 0.0, 0.0
        for i in range(m):
            trace += noise[p, i, i]
            whole += products[i, i]
        for i in range(m):
            noise[p, i, i] += 1e-6 * trace
        light[p] = products * strength[p]
        found[p] = seen @ data
        # Smooth modes are as uncertain as the noise's smooth part.
        smooths[p] = trace * (1.0 + 1e-6 * m) / whole
    return evidences(noise, light, found, widths), smooths
