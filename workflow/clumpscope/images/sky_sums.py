"""Weighted sums of pixels, apertures or fluxes of fits, at random places of the sky."""

import numpy as np
import scipy

__all__ = ["aperture", "point_source_fit", "share", "sums_at"]

# Side of the box of a clump's fit (C25: 9).
_FIT_PX = 9


def aperture(radius_px: float) -> np.ndarray:
    """Exact shares of the pixels inside a circle around the middle one."""
    from photutils.geometry import circular_overlap_grid  # photutils takes 0.5 s to import

    half = int(np.ceil(radius_px))
    edge = half + 0.5
    return circular_overlap_grid(-edge, edge, -edge, edge, 2 * half + 1, 2 * half + 1, radius_px, 1, 1)


def point_source_fit(kernel: np.ndarray) -> np.ndarray:
    """Weights whose sum with the pixels of a box is the flux of a point source on a plane."""
    half, middle = _FIT_PX // 2, kernel.shape[0] // 2
    part = slice(max(middle - half, 0), middle + half + 1)
    source = kernel[part, part]
    rows, columns = np.indices(source.shape)
    design = np.stack([source, np.ones_like(source), rows, columns]).reshape(4, -1)
    return np.linalg.solve(design @ design.T, design)[0].reshape(source.shape)


def sums_at(
    image: np.ndarray, allowed: np.ndarray, weights: np.ndarray, rng, n_wanted: int
) -> tuple[int, np.ndarray]:
    """Number of allowed positions around which all weighted pixels are finite, and the weighted sums at some."""
    half = weights.shape[0] // 2
    rows, columns = np.nonzero(_all_around(np.isfinite(image), weights != 0) & allowed)
    if rows.size == 0:
        return 0, np.empty(0)
    picked = rng.choice(rows.size, min(n_wanted, rows.size), replace=False)
    offset_y, offset_x = np.nonzero(weights)
    values = image[rows[picked, None] + offset_y - half, columns[picked, None] + offset_x - half]
    return rows.size, values @ weights[weights != 0]


def _all_around(good: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Where all pixels of a part of a square around are good."""
    # Of a whole square along one axis after the other: 2 n pixels in place of n^2.
    for line in (part[:1], part[:, :1]) if part.all() else (part,):
        good = scipy.ndimage.binary_erosion(good, line)
    return good


def share(blocks: list[tuple[int, np.ndarray]], n_wanted: int, rng) -> np.ndarray:
    """Take from every block in proportion to its empty area."""
    areas = np.array([area for area, _ in blocks], dtype=int)
    if areas.sum() <= n_wanted:
        return np.concatenate([fluxes for _, fluxes in blocks]) if blocks else np.empty(0)
    counts = rng.multivariate_hypergeometric(areas, n_wanted, method="marginals")
    return np.concatenate([fluxes[:count] for (_, fluxes), count in zip(blocks, counts, strict=True)])
