"""How much more likely a box is with a host of some width than without."""

import numpy as np

from ...machine_code import compiled
from .arithmetic import EXACT, put
from .covariance import correlated

__all__ = ["evidences", "host_evidences"]


@compiled(EXACT)
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


@compiled(EXACT)
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
        put(both[:, :m], light[p])
        for k in range(m):
            both[k, m] = found[p, k]
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


@compiled(EXACT)
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
            put(noise[p], smooth * products)
        else:
            put(noise[p], variance * (seen @ correlated(seen, ny, nx, rho, matrix).T))
        trace, whole = 0.0, 0.0
        for i in range(m):
            trace += noise[p, i, i]
            whole += products[i, i]
        for i in range(m):
            noise[p, i, i] += 1e-6 * trace
        put(light[p], products * strength[p])
        products_with_data = seen @ data
        for k in range(m):
            found[p, k] = products_with_data[k]
        # Smooth modes are as uncertain as the noise's smooth part.
        smooths[p] = trace * (1.0 + 1e-6 * m) / whole
    return evidences(noise, light, found, widths), smooths
