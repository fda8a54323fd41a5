"""Where clumps are put, and which of them can share an image."""

import numpy as np

__all__ = ["choose_positions", "share_images"]

Array = np.ndarray


def choose_positions(
    rng: np.random.Generator, weight: Array, taken: Array, distance_px: float, n: int
) -> Array:
    """Draw positions on an image, away from what is there.

    Parameters
    ----------
    rng : numpy.random.Generator
    weight : (ny, nx) array
        Relative probability of every pixel; zero where nothing may be put.
    taken : (m, 2) array
        x, y that positions keep away from [px].
    distance_px : float
        How far.
    n : int

    Returns
    -------
    (n, 2) array
        x, y, uniform inside their pixels; empty when no pixel is free.
    """
    weight = np.array(weight, dtype=float)
    rows, columns = np.indices(weight.shape)
    # Half a pixel's diagonal more, since positions fall anywhere in their pixel.
    for x, y in taken:
        weight[np.hypot(columns - x, rows - y) < distance_px + 0.71] = 0.0
    total = weight.sum()
    if not total > 0:
        return np.empty((0, 2))
    pixels = rng.choice(weight.size, n, p=weight.ravel() / total)
    row, column = np.divmod(pixels, weight.shape[1])
    return np.column_stack([column, row]) + rng.uniform(-0.5, 0.5, (n, 2))


def share_images(positions: Array, distance_px: float) -> list[Array]:
    """Sort positions into images on which none is closer than `distance_px` to another.

    Returns
    -------
    list of int arrays
        Indices of the positions on each image.
    """
    images: list[list[int]] = []
    for index, place in enumerate(positions):
        for members in images:
            if np.hypot(*(positions[members] - place).T).min() >= distance_px:
                members.append(index)
                break
        else:
            images.append([index])
    return [np.array(members) for members in images]
