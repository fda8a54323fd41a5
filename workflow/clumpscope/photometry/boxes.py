"""Which clumps are fitted together, and on which pixels."""

from dataclasses import dataclass

import numpy as np

__all__ = ["MAX_BOX", "Box", "group_clumps", "make_box"]

Array = np.ndarray
MAX_BOX = 31
"""Largest side of an adaptive box [px]."""


@dataclass(frozen=True)
class Box:
    """Pixels of one fit.

    Attributes
    ----------
    corner : (2,) int array
        Row and column of the first pixel.
    weight : (ny, nx) array
        1 / error; zero where there is no good pixel, and away from every clump of the group.
    cut : bool
        Whether the image's edge or missing pixels cut the box.
    """

    corner: Array
    weight: Array
    cut: bool

    @property
    def n_good(self) -> int:
        """Number of good pixels."""
        return int(np.count_nonzero(self.weight))

    def of(self, image: Array) -> Array:
        """The box's part of an image."""
        (row, column), (ny, nx) = self.corner, self.weight.shape
        return np.ascontiguousarray(image[row : row + ny, column : column + nx])


def group_clumps(x: Array, y: Array, distance_px: float) -> list[Array]:
    """Indices of clumps linked by separations below `distance_px`, each group sorted.

    Parameters
    ----------
    x, y : (n,) arrays
        Positions [px].
    distance_px : float
        Friends are closer than this.
    """
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    if len(x) == 0:
        return []
    # Pairs at exactly the distance are not friends.
    pairs = cKDTree(np.column_stack([x, y])).sparse_distance_matrix(
        cKDTree(np.column_stack([x, y])), np.nextafter(distance_px, 0.0), output_type="coo_matrix"
    )
    # Coincident clumps have distance zero, which a sparse matrix does not keep.
    pairs.data[:] = 1.0
    labels = connected_components(pairs, directed=False)[1]
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def make_box(weight: Array, x: Array, y: Array, size: int) -> Box | None:
    """Union of the squares of side `size` around the clumps of a group; None outside the image.

    Parameters
    ----------
    weight : (ny, nx) array
        Of the image: 1 / error, zero where there is no good pixel.
    x, y : (n,) arrays
        Positions [px].
    size : int
        Odd side of a square [px].
    """
    half = size // 2
    rows, columns = np.rint(y).astype(int), np.rint(x).astype(int)
    low, high = max(rows.min() - half, 0), min(rows.max() + half, weight.shape[0] - 1)
    left, right = max(columns.min() - half, 0), min(columns.max() + half, weight.shape[1] - 1)
    if low > high or left > right:
        return None
    part = weight[low : high + 1, left : right + 1].copy()
    near = np.zeros(part.shape, dtype=bool)
    wanted = np.zeros((rows.max() - rows.min() + size, columns.max() - columns.min() + size), dtype=bool)
    for row, column in zip(rows, columns, strict=True):
        wanted[row - rows.min() :, column - columns.min() :][:size, :size] = True
    top, side = low - (rows.min() - half), left - (columns.min() - half)
    near = wanted[top : top + part.shape[0], side : side + part.shape[1]]
    part[~near] = 0.0
    return Box(np.array([low, left]), part, bool(np.count_nonzero(part) < np.count_nonzero(wanted)))
