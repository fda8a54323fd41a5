"""Drawing the mock images: ray tracing of clumps, diffuse light, convolution with oversampled PSFs."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import scipy
from scipy.interpolate import make_interp_spline

from .lens import Lens
from .optics import HALF_WIDTH_ARCSEC, OVERSAMPLING, PIXEL_SCALE_ARCSEC
from .profiles import TRUNCATION, clump_profile

__all__ = [
    "STAMP_SIZES",
    "Pattern",
    "add_stamp",
    "blurred",
    "make_stamp",
    "point_pattern",
    "psf_transform",
    "stamp_image",
    "stamp_size",
    "trace_clump",
]

_SAMPLES = 80  # samples from the centre of a clump to its end, along each of its axes
_STEPS = (np.arange(-_SAMPLES, _SAMPLES) + 0.5) / _SAMPLES
_MARGIN = 1.1  # the traced patch over the linearised image of the clump
_NODES = np.linspace(-1.0, 1.0, 16)  # of the deflection's spline over the patch, along each of its axes
# Splines are linear in their values: matrices from the nodes to the samples, and to the derivatives at nodes and samples.
_SPLINE = make_interp_spline(_NODES, np.eye(_NODES.size), k=5)
_AT_SAMPLES, _SLOPE_AT_SAMPLES, _SLOPE_AT_NODES = _SPLINE(_STEPS), _SPLINE(_STEPS, 1), _SPLINE(_NODES, 1)
STAMP_SIZES = {"sw": (144, 160, 192), "lw": (72, 80, 96)}  # [px], all fast to transform
# PSFs hold no finer waves than 1.5 a pixel: their transforms are below 1e-5 of the largest there.
_WAVES = 3
_TILE_PX = 1024


@dataclass(frozen=True)
class Pattern:
    """The image of one source of unit flux, as weighted points on the sky: those of a grid along two axes that are lit.

    Attributes
    ----------
    middle : (2,) array
        Of the grid [arcsec].
    axes : (2, 2) array
        Vectors [arcsec] from the middle to the end of the grid's columns and of its rows.
    points : (n,) uint16 array
        Which of the grid's points, counted along its rows.
    weight : (n,) float32 array
        Observed flux at each; the sum is the magnification.
    """

    middle: np.ndarray
    axes: np.ndarray
    points: np.ndarray
    weight: np.ndarray

    @property
    def positions(self) -> np.ndarray:
        """Position (x, y) [arcsec] of each point, shape (2, n)."""
        rows, columns = np.divmod(self.points, np.uint16(len(_STEPS)))
        return self.middle[:, None] + self.axes.T @ [_STEPS[columns], _STEPS[rows]]

    @cached_property
    def magnification(self) -> float:
        """Image flux over source flux."""
        return float(self.weight.sum(dtype=float))

    @cached_property
    def centroid(self) -> tuple[float, float]:
        """Light centroid [arcsec]."""
        x, y = self.positions @ self.weight.astype(float) / self.magnification
        return float(x), float(y)


def point_pattern(x: float, y: float) -> Pattern:
    """Pattern of a star."""
    return Pattern(np.array([x, y]), np.zeros((2, 2)), np.zeros(1, np.uint16), np.ones(1, np.float32))


def trace_clump(
    lens: Lens, z: float, source: tuple[float, float], image: tuple[float, float], r_eff: float, kind: str
) -> Pattern:
    """Trace the sky around one image of a clump back to the source plane and read its brightness there.

    Parameters
    ----------
    lens : Lens
    z : float
        Source redshift.
    source, image : (float, float)
        Position in the source plane, and of this image [arcsec].
    r_eff : float
        Half-light radius in the source plane [arcsec].
    kind : str
        Profile, see `clumpscope.mock.profiles`.

    Notes
    -----
    The samples lie along the principal axes of the linearised map, 13 to a half-light radius on each,
    so that small and strongly stretched clumps are drawn as finely as round ones.
    """
    jacobian = lens.jacobian(np.asarray(image[0]), np.asarray(image[1]), z)
    _, shrink, axes = np.linalg.svd(jacobian)
    lengths = _MARGIN * TRUNCATION * r_eff / shrink
    axes = lengths[:, None] * axes
    x, y = np.array(image)[:, None, None] + np.tensordot(axes.T, np.meshgrid(_NODES, _NODES), 1)
    nodes = lens.source(x, y, z)
    beta_x, beta_y = (_AT_SAMPLES @ part @ _AT_SAMPLES.T for part in nodes)
    brightness = clump_profile(np.hypot(beta_x - source[0], beta_y - source[1]), r_eff, kind)
    # Beyond a critical line lies the counter-image, which is drawn for itself.
    lit = brightness > 0
    parity = np.sign(np.linalg.det(jacobian) * np.linalg.det(axes))
    if np.any(np.sign(_determinant(nodes, np.eye(_NODES.size), _SLOPE_AT_NODES)) != parity):
        lit &= np.sign(_determinant(nodes, _AT_SAMPLES, _SLOPE_AT_SAMPLES)) == parity
    cell = lengths[0] * lengths[1] / _SAMPLES**2
    points = np.flatnonzero(lit).astype(np.uint16)
    return Pattern(np.array(image), axes, points, (brightness[lit] * cell).astype(np.float32))


def _determinant(nodes: Sequence[np.ndarray], value: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Area in the source plane of the patch's unit area, with its parity; of a map splined by the matrices `value` and `slope`."""
    (x_along, x_across), (y_along, y_across) = (
        (value @ part @ slope.T, slope @ part @ value.T) for part in nodes
    )
    return x_along * y_across - y_along * x_across


@dataclass(frozen=True)
class Stamp:
    """A pattern on oversampled pixels, transformed; serves all filters of one pixel scale."""

    x0: int
    y0: int
    transform: np.ndarray


def stamp_size(reach_arcsec: float, channel: str) -> int:
    """Pixels a side of the smallest stamp that holds a PSF around all points so close to its middle, or of the largest."""
    needed = 2 * (HALF_WIDTH_ARCSEC + reach_arcsec) / PIXEL_SCALE_ARCSEC[channel] + 2
    return next((size for size in STAMP_SIZES[channel] if size >= needed), STAMP_SIZES[channel][-1])


def make_stamp(x_px: np.ndarray, y_px: np.ndarray, weight: np.ndarray, n: int) -> Stamp:
    """Put points on the oversampled grid of an n x n stamp, each shared linearly between four cells."""
    x0, y0 = (round(float(np.average(p, weights=weight))) - n // 2 for p in (x_px, y_px))
    size = n * OVERSAMPLING
    u, v = (x_px - x0) * OVERSAMPLING, (y_px - y0) * OVERSAMPLING
    column, row = np.floor(u).astype(int), np.floor(v).astype(int)
    cells, shares = [], []
    for right in (0, 1):
        for up in (0, 1):
            shares.append(weight * np.abs(1 - right - (u - column)) * np.abs(1 - up - (v - row)))
            cells.append(((row + up) % size) * size + (column + right) % size)
    grid = np.bincount(np.concatenate(cells), np.concatenate(shares), size * size)
    return Stamp(x0, y0, _transform(grid.reshape(size, size).astype(np.float32)))


def psf_transform(psf: np.ndarray, n: int) -> np.ndarray:
    """Transform of an oversampled PSF on the grid of an n x n stamp."""
    size = n * OVERSAMPLING
    grid = np.zeros((size, size), dtype=np.float32)
    half = psf.shape[0] // 2
    grid[: psf.shape[0], : psf.shape[1]] = psf
    return _transform(np.roll(grid, (-half, -half), axis=(0, 1)))


def _transform(grid: np.ndarray) -> np.ndarray:
    """Transform of an oversampled grid up to the waves that a telescope passes: of `_WAVES` times as many samples as pixels."""
    half = len(grid) // OVERSAMPLING * _WAVES // 2
    columns = scipy.fft.rfft(grid, axis=1)[:, : half + 1]
    spectrum = scipy.fft.fft(columns, axis=0)
    return np.concatenate([spectrum[:half], spectrum[-half:]])


def stamp_image(stamp: Stamp, transform: np.ndarray) -> np.ndarray:
    """The stamp seen through a PSF, on mosaic pixels: one sample of each, picked by folding the spectrum."""
    n = stamp.transform.shape[0] // _WAVES
    rows = (stamp.transform * transform).reshape(_WAVES, n, -1).sum(axis=0)
    # Of columns, the half that is kept holds the rest mirrored and conjugated.
    mirrored = np.roll(rows[::-1], 1, axis=0).conj()
    columns = np.arange(n // 2 + 1)
    kept = range(_WAVES // 2 + 1)
    folded = reduce(np.add, [rows[:, k * n + columns] for k in kept])
    folded += reduce(np.add, [mirrored[:, k * n - columns] for k in kept[1:]])
    return scipy.fft.irfft2(folded, s=(n, n))


def add_stamp(image: np.ndarray, stamp: Stamp, values: np.ndarray) -> None:
    """Add the pixels of a stamp to a mosaic, leaving out what hangs over its edge."""
    n = values.shape[0]
    y_low, y_high = max(0, stamp.y0), min(image.shape[0], stamp.y0 + n)
    x_low, x_high = max(0, stamp.x0), min(image.shape[1], stamp.x0 + n)
    if y_low < y_high and x_low < x_high:
        part = values[y_low - stamp.y0 : y_high - stamp.y0, x_low - stamp.x0 : x_high - stamp.x0]
        image[y_low:y_high, x_low:x_high] += part


def blurred(
    light: np.ndarray,
    psfs: Sequence[np.ndarray],
    weights: Callable[[slice, slice], Sequence[np.ndarray]],
) -> np.ndarray:
    """Smooth light, sampled on the mosaic's pixels, seen through a mix of PSFs that varies slowly.

    Parameters
    ----------
    light : (ny, nx) float32 array
    psfs : sequence of (n, n) array
        Oversampled.
    weights : callable
        Share of each PSF in rows and columns.
    """
    middle = psfs[0].shape[0] // 2
    half = middle // OVERSAMPLING
    pick = slice(middle % OVERSAMPLING, None, OVERSAMPLING)
    side = scipy.fft.next_fast_len(_TILE_PX + 2 * half, real=True)
    kernels = [(psf[pick, pick] * OVERSAMPLING**2).astype(np.float32) for psf in psfs]
    transforms = [scipy.fft.rfft2(kernel, (side, side)) for kernel in kernels]
    around = np.pad(light, half)
    seen = np.zeros_like(light)
    for top, left in itertools.product(*(range(0, size, side - 2 * half) for size in light.shape)):
        rows, columns = (slice(start, start + side - 2 * half) for start in (top, left))
        tile = seen[rows, columns]
        # What comes round the other side lies outside the tile.
        inside = np.s_[2 * half : 2 * half + tile.shape[0], 2 * half : 2 * half + tile.shape[1]]
        spectrum = scipy.fft.rfft2(around[top : top + side, left : left + side], (side, side))
        for transform, weight in zip(transforms, weights(rows, columns), strict=True):
            if weight.any():
                tile += scipy.fft.irfft2(spectrum * transform, (side, side))[inside] * weight
    return seen
