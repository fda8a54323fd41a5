"""The core of the effective PSF of stars that pixels undersample, known between pixels too (Anderson & King 2000).

A star samples its PSF on whole pixels, but every star at other places within a pixel: many together know what happens
between pixels. All are fitted at once: the PSF is a circular profile, a sum of Gaussians, and a deviation from it that
is smooth over a part of the core and expected in proportion to the profile, by penalised least squares, whatever the places
and fluxes of the stars, which are improved in turn. Where few stars leave phases of the pixel open, the profile stands
in for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy

from ..gaussian import HALF_LIGHT_OF_SIGMA

__all__ = ["CORE_PX", "EffectiveCore", "Star", "effective_core"]

Array = np.ndarray
CORE_PX = 6.0
"""Radius inside which the PSF is fitted [px], three times the FWHM of the widest that needs it."""

_N_GAUSSIANS = 16
_N_ROUNDS = 5
# Deviation expected from a circular profile, over the profile smoothed by 1 px; real cores have 0.1 to 0.2.
_DEVIATION, _SMOOTHED_PX = 0.25, 1.0
# Gaussians that make the deviation: their width over that of the core, and their distance over their width.
_SMOOTHNESS, _SPACING = 0.6, 1.2
# Residuals beyond are another source's; how well a round's PSF is known [of its value] while that is judged.
_CLIP_SIGMA, _KNOWN = 4.0, 0.1


class Star(Protocol):
    """Square cutout of a star: background-subtracted data (0 where not good), sky noise of a pixel; place and flux [px]."""

    data: Array
    good: Array
    noise: float
    x: float
    y: float
    flux: float


@dataclass(frozen=True)
class EffectiveCore:
    """The effective PSF inside `CORE_PX`, of the scale of the stars' fluxes; to be called with distances from the source.

    Attributes
    ----------
    amplitude, sigma_px : (n,) arrays
        Of the circular profile's Gaussians.
    nodes : (m, 2) array
        Centres (x, y) of the deviation's Gaussians [px].
    height : (m,) array
        Theirs.
    width_px : float
        Their standard deviation.
    """

    amplitude: Array
    sigma_px: Array
    nodes: Array
    height: Array
    width_px: float

    def __call__(self, dx: Array, dy: Array) -> Array:
        """Values of pixels at distances (n,) from the source [px]."""
        return self.profile(np.hypot(dx, dy)) + self.bumps(dx, dy) @ self.height

    def slopes(self, dx: Array, dy: Array) -> Array:
        """Derivatives by the source's place, shape (n, 2)."""
        step = 0.01
        by_x = self(dx - step, dy) - self(dx + step, dy)
        by_y = self(dx, dy - step) - self(dx, dy + step)
        return np.stack([by_x, by_y], axis=1) / (2.0 * step)

    def profile(self, radius_px: Array, smoothed_px: float = 0.0) -> Array:
        """The circular part, convolved with a Gaussian."""
        variance = self.sigma_px**2 + smoothed_px**2
        terms = np.exp(-0.5 * radius_px[..., None] ** 2 / variance)
        return terms @ (self.amplitude * self.sigma_px**2 / variance)

    def bumps(self, dx: Array, dy: Array) -> Array:
        """The deviation's Gaussians of unit height at distances (n,), shape (n, m)."""
        squared = (dx[:, None] - self.nodes[:, 0]) ** 2 + (dy[:, None] - self.nodes[:, 1]) ** 2
        return np.exp(-0.5 * squared / self.width_px**2)


def effective_core(stars: Sequence[Star]) -> EffectiveCore:
    """Core of the effective PSF of stars.

    Parameters
    ----------
    stars : sequence of Star
        Places within a few tenths of a pixel, which are improved, as the fluxes are.

    Notes
    -----
    No star weighs more than twice the median one: PSFs differ from star to star by more than noise.
    """
    relative = np.array([(star.noise / star.flux) ** 2 for star in stars])
    noises = np.sqrt(relative + np.median(relative)) * [star.flux for star in stars]
    kept = [star.good.copy() for star in stars]
    core = _circular(stars, kept, noises)
    for _ in range(_N_ROUNDS):
        kept = [_improve(star, core) for star in stars]
        core = _deviating(_circular(stars, kept, noises), core, stars, kept, noises)
    return core


def _around(star: Star, keep: Array) -> tuple[Array, Array, Array]:
    """Distances (x, y) and values of the kept pixels in a star's core."""
    rows, columns = np.indices(star.data.shape, dtype=float)
    dx, dy = columns - star.x, rows - star.y
    near = keep & (np.hypot(dx, dy) <= CORE_PX)
    return dx[near], dy[near], star.data[near]


def _circular(stars: Sequence[Star], kept: Sequence[Array], noises: Array) -> EffectiveCore:
    """Circular profile through all stars' pixels: non-negative least squares over a ladder of widths."""
    sigma = np.geomspace(0.35, CORE_PX, _N_GAUSSIANS)
    normal, right = np.zeros((sigma.size, sigma.size)), np.zeros(sigma.size)
    for star, keep, noise in zip(stars, kept, noises, strict=True):
        dx, dy, data = _around(star, keep)
        terms = np.exp(-0.5 * (np.hypot(dx, dy)[:, None] / sigma) ** 2) * star.flux / noise
        normal += terms.T @ terms
        right += terms.T @ (data / noise)
    root = np.linalg.cholesky(normal + 1e-9 * np.trace(normal) * np.eye(sigma.size))
    amplitude = scipy.optimize.nnls(root.T, np.linalg.solve(root, right))[0]
    none = np.empty(0)
    profile = EffectiveCore(amplitude, sigma, np.empty((0, 2)), none, 1.0)
    axis = np.linspace(0.0, CORE_PX, 601)
    along = profile.profile(axis)
    half = axis[np.argmax(along < along[0] / 2)]
    width = _SMOOTHNESS * half / HALF_LIGHT_OF_SIGMA
    steps = (
        np.arange(-np.floor(CORE_PX / (_SPACING * width)), CORE_PX / (_SPACING * width)) * _SPACING * width
    )
    nodes = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    nodes = nodes[np.hypot(*nodes.T) <= CORE_PX]
    return EffectiveCore(amplitude, sigma, nodes, np.zeros(len(nodes)), float(width))


def _deviating(
    circular: EffectiveCore, last: EffectiveCore, stars: Sequence[Star], kept: Sequence[Array], noises: Array
) -> EffectiveCore:
    """Add the most probable deviation: heights are Gaussian, in proportion to the profile.

    What a change of a star's place or flux can explain (with the `last` PSF) says nothing on the deviation: left in, it
    would blur the PSF by the errors of the places, which come from the PSF.
    """
    # Neighbouring Gaussians overlap: together they have this variance.
    together = np.pi / _SPACING**2
    size = _DEVIATION / np.sqrt(together) * circular.profile(np.hypot(*circular.nodes.T), _SMOOTHED_PX)
    normal, right = np.eye(size.size), np.zeros(size.size)
    for star, keep, noise in zip(stars, kept, noises, strict=True):
        dx, dy, data = _around(star, keep)
        design = circular.bumps(dx, dy) * size * (star.flux / noise)
        residual = (data - star.flux * circular.profile(np.hypot(dx, dy))) / noise
        own = np.linalg.qr(np.column_stack([last(dx, dy), last.slopes(dx, dy)]))[0]
        design -= own @ (own.T @ design)
        normal += design.T @ design
        right += design.T @ (residual - own @ (own.T @ residual))
    height = size * np.linalg.solve(normal, right)
    return EffectiveCore(circular.amplitude, circular.sigma_px, circular.nodes, height, circular.width_px)


def _improve(star: Star, core: EffectiveCore) -> Array:
    """Fit place and flux of a star (one linear step); return its pixels that hold nothing else."""
    dx, dy, data = _around(star, star.good)
    design = np.column_stack([core(dx, dy), core.slopes(dx, dy)])
    flux, move_x, move_y = np.linalg.lstsq(design, data, rcond=None)[0]
    if flux > 0:
        star.flux = float(flux)
        star.x += float(np.clip(move_x / flux, -0.3, 0.3))
        star.y += float(np.clip(move_y / flux, -0.3, 0.3))
    rows, columns = np.indices(star.data.shape, dtype=float)
    dx, dy = columns - star.x, rows - star.y
    near = np.hypot(dx, dy) <= CORE_PX
    model = star.flux * core(dx[near], dy[near])
    kept = star.good.copy()
    kept[near] &= np.abs(star.data[near] - model) <= _CLIP_SIGMA * np.hypot(star.noise, _KNOWN * model)
    return kept
