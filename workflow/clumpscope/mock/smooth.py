"""Light of galaxies between their clumps, as the lens shows it."""

import numpy as np

from .lens import Lens
from .profiles import bulge_profile, disc_profile
from .sources import Galaxy, GalaxyImage

__all__ = ["drawn_px", "nearest_image", "smooth_images", "smooth_magnifications", "trace_nodes"]

_ARC_MU = 10.0
_NODE_ARCSEC = 0.08  # pitch of the deflections: diffuse light needs them no closer
_FINE_ARCSEC = 0.02


def _reach_arcsec(image: GalaxyImage) -> float:
    """How far from its centre the image of a disc is drawn; arcs are long."""
    return 5.0 if image.mu < _ARC_MU else 10.0


def drawn_px(image: GalaxyImage, axis: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that an image of a galaxy is drawn in; `axis` has the pixels' positions [arcsec] along either axis."""
    rows, columns = (near(place, axis, _reach_arcsec(image)) for place in (image.y, image.x))
    return rows, columns


def near(position: float, axis: np.ndarray, reach: float) -> slice:
    """Pixels closer to a position than `reach`, along one axis [arcsec]."""
    low, high = np.searchsorted(axis, [position - reach, position + reach])
    return slice(int(low), int(high))


def nearest_image(x: np.ndarray, y: np.ndarray, galaxy: Galaxy, image: GalaxyImage) -> np.ndarray:
    """Where `image` is the nearest of the galaxy's images; of an only one (1, 1)."""
    if len(galaxy.images) == 1:
        return np.ones((1, 1), dtype=bool)
    distances = [np.hypot(x - other.x, y[:, None] - other.y) for other in galaxy.images]
    mine = distances[galaxy.images.index(image)]
    return np.all([mine <= other for other in distances], axis=0)


def trace_nodes(lens: Lens, galaxy: Galaxy, image: GalaxyImage) -> np.ndarray:
    """Distance in the source plane [arcsec] from a galaxy's centre, at nodes that cover one of its images; (2, nx, ny) float32."""
    x, y = np.meshgrid(*_nodes(image), indexing="ij")
    beta = lens.source(x, y, galaxy.z)
    return np.array([beta[0] - galaxy.x, beta[1] - galaxy.y], dtype=np.float32)


def _nodes(image: GalaxyImage) -> list[np.ndarray]:
    offsets = np.arange(
        -_reach_arcsec(image) - _NODE_ARCSEC, _reach_arcsec(image) + 2 * _NODE_ARCSEC, _NODE_ARCSEC
    )
    return [image.x + offsets, image.y + offsets]


def smooth_images(
    galaxy: Galaxy, image: GalaxyImage, x: np.ndarray, y: np.ndarray, traced: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Disc and bulge, of unit flux in the source plane, in the pixels at x (columns) and y (rows); `traced` of `trace_nodes`."""
    from scipy.interpolate import RectBivariateSpline

    dx, dy = (RectBivariateSpline(*_nodes(image), part)(x, y).T for part in traced)
    area = (x[1] - x[0]) * (y[1] - y[0])
    disc = disc_profile(
        dx, dy, galaxy.length_arcsec, galaxy.axis_ratio, galaxy.angle_deg, galaxy.arms, galaxy.arm_phase_deg
    )
    # What other images of the galaxy show too is drawn once.
    mine = nearest_image(x, y, galaxy, image)
    disc = (disc * area).astype(np.float32) * mine
    if not galaxy.bulge:
        return disc, None
    roundness = (1 + galaxy.axis_ratio) / 2
    bulge = bulge_profile(dx, dy, galaxy.bulge_r_eff_arcsec, roundness, galaxy.angle_deg)
    return disc, (bulge * area).astype(np.float32) * mine


def smooth_magnifications(galaxy: Galaxy, image: GalaxyImage, traced: np.ndarray) -> tuple[float, float]:
    """Image flux over source flux of disc and bulge (0: none) in an image of a galaxy, by the sum over fine pixels."""
    reach = _reach_arcsec(image)
    x, y = (np.arange(p - reach, p + reach, _FINE_ARCSEC) for p in (image.x, image.y))
    disc, bulge = smooth_images(galaxy, image, x, y, traced)
    return float(disc.sum()), 0.0 if bulge is None else float(bulge.sum())
