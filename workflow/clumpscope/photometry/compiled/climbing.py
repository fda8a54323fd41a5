"""The least-squares climb of all sources of a box.

A source is a row (x, y, S_xx, S_yy, S_xy) of `theta` [px, px^2]; what of it is free is its `kind`:

====== ==================================================
FROZEN nothing (its flux only)
POINT  the position; the covariance is kept as it is given
ROUND  position, and one variance for both axes
LINE   position, and a covariance of rank one (no width across)
FULL   position, and the whole covariance
====== ==================================================
"""

import numpy as np

from ...machine_code import compiled
from .arithmetic import EXACT, SUMS, product, put, solve
from .drawing import source_images

__all__ = ["FROZEN", "FULL", "LINE", "POINT", "ROUND", "climb"]

FROZEN, POINT, ROUND, LINE, FULL = -1, 0, 1, 2, 3
_MAX_STEPS = 80
# Fall of chi-squared that is not worth another step: a hundredth of a standard deviation squared.
_ENOUGH = 1e-5
# The same for clumps fitted together, which trade light with each other in long, flat valleys.
_ENOUGH_TOGETHER = 1e-3


@compiled(EXACT)
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


@compiled(EXACT)
def _free(kind):
    """Number of free parameters of a source."""
    if kind == FROZEN:
        return 0
    return 2 if kind == POINT else 2 + kind


@compiled(EXACT)
def _main_axis(s_xx, s_yy, s_xy):
    """Vector v along the main axis with |v|^2 the larger eigenvalue; and the smaller eigenvalue."""
    mean, half = 0.5 * (s_xx + s_yy), np.hypot(0.5 * (s_xx - s_yy), s_xy)
    angle = 0.5 * np.arctan2(2.0 * s_xy, s_xx - s_yy)
    length = np.sqrt(max(mean + half, 0.0))
    return length * np.cos(angle), length * np.sin(angle), mean - half


@compiled(SUMS)
def _gram(columns, first, last, gram):
    """Products of the rows up to `last`, those of the background, from `first` on, with each other being there already."""
    for j in range(first):
        for i in range(j, last):
            gram[i, j] = gram[j, i] = product(columns[i], columns[j])


@compiled(SUMS)
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
    shape = images.shape[2:]
    for k in range(n):
        put(columns[k].reshape(shape), images[k, 0])
    right = np.empty((m, 1))
    _gram(columns, n, m, gram)
    for i in range(m):
        right[i, 0] = product(columns[i], data)
    solve(gram[:m, :m], right)
    linear = right[:, 0].copy()
    residual = data.copy()
    for i in range(m):
        for q in range(data.size):
            residual[q] -= linear[i] * columns[i, q]
    chi2 = product(residual, residual)
    for i in range(ridge.size):
        chi2 += ridge[i] * linear[n + i] ** 2
    place = m
    for k in range(n):
        flux = linear[k]
        for part in range(min(_free(kind[k]), 2)):
            put(columns[place].reshape(shape), flux * images[k, 1 + part])
            place += 1
        if kind[k] == ROUND:
            put(columns[place].reshape(shape), flux * (images[k, 3] + images[k, 4]))
            place += 1
        elif kind[k] == LINE:
            v_x, v_y, _ = _main_axis(theta[k, 2], theta[k, 3], theta[k, 4])
            put(columns[place].reshape(shape), flux * (2.0 * v_x * images[k, 3] + v_y * images[k, 5]))
            put(columns[place + 1].reshape(shape), flux * (2.0 * v_y * images[k, 4] + v_x * images[k, 5]))
            place += 2
        elif kind[k] == FULL:
            for part in range(3, 6):
                put(columns[place].reshape(shape), flux * images[k, part])
                place += 1
    return linear, residual, chi2


@compiled(EXACT)
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


@compiled(EXACT)
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


@compiled(SUMS)
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
    images = np.zeros((n, 6, ny, nx))
    columns, tried_columns = np.empty((m + n_free, data.size)), np.empty((m + n_free, data.size))
    gram = np.empty((m + n_free, m + n_free))
    put(columns[n:m], terms)
    put(tried_columns[n:m], terms)
    put(gram[n:m, n:m], products)
    tried_gram = gram.copy()
    theta = _moved(theta, kind, np.zeros(n_free), start, max_shift, floor, ceiling)
    _images_of_all(spectrum, u_y, u_x, theta, kind, True, weight, corner, reach, start, images)
    tried_images = images.copy()
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
                    gram[i, j] = gram[j, i] = product(columns[i], columns[j])
            gradient = np.empty(n_free)
            for i in range(n_free):
                gradient[i] = product(columns[m + i], residual)
            _hold(theta, kind, gradient, start, max_shift, floor, ceiling, held)
            # The derivatives without what fluxes and background can absorb.
            absorbed = gram[:m, m:].copy()
            solve(gram[:m, :m], absorbed)
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
        solve(matrix, step)
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
