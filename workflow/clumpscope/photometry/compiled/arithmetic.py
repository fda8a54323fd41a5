"""What may be done with the order of sums, and sums that several loops need."""

import numpy as np

from ...machine_code import compiled

__all__ = ["EXACT", "SUMS", "product", "put", "solve"]

# A function has a copy in the code of each that calls it, optimized there; which one runs depends on what the cache on
# disk had. Copies agree to the last bit as long as the arithmetic keeps its order and no product is fused into a sum.
# Only sums of products, most of the time of a fit, may be reordered: they are short enough to be part of their callers.
EXACT: set[str] = {"nsz"}
SUMS: set[str] = {"reassoc", "nsz", "arcp"}


@compiled(EXACT)
def put(place, values):
    """Copy a matrix to its place: numba's own assignment takes a second to compile in every function, for its error message."""
    for i in range(place.shape[0]):
        for j in range(place.shape[1]):
            place[i, j] = values[i, j]


@compiled(EXACT)
def solve(matrix, right):
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


@compiled(SUMS)
def product(a, b):
    """Sum of the products of two rows."""
    total = 0.0
    for q in range(a.size):
        total += a[q] * b[q]
    return total
