"""The size of a clump in its source plane, from its second moments in the image and the lens's local distortion.

A nearly round clump of variance s^2 has, in the image, the second moments s^2 M, where M follows from the magnification's
two factors and their direction. The one number s^2 that agrees best with the measured moments, given their errors and
how far clumps are from round, holds where both axes are resolved, where one is, and where none is.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

__all__ = ["SourceVariance", "distortion", "draw_sizes", "size_limit", "source_variance"]

Array = np.ndarray
# Of one whose shear is not known: any direction, factors up to 4 to 1.
_UNKNOWN, _UNKNOWN_AREA = 0.6, 0.3
_ITERATIONS = 4
# Standard deviate of a one-sided 97.5 % limit.
_LIMIT = 1.96
# Value over error of s^2 above which its posterior is that of a normal distribution.
_NORMAL = 6.0
# Smallest size of the prior, over the one whose square is the error of s^2.
_SMALLEST, _N_GRID = 0.02, 300


class SourceVariance(NamedTuple):
    """The likelihood of s^2, a normal distribution, in square pixels of the image.

    Attributes
    ----------
    value, error : arrays
        The value may be below zero; NaN where there are no moments.
    """

    value: Array
    error: Array


def distortion(mu_t: Array, mu_r: Array, stretch_deg: Array) -> tuple[Array, Array]:
    """Second moments in the image of a round source of unit variance, and how they change with its ellipticity.

    Parameters
    ----------
    mu_t, mu_r : (...) arrays
        Factors of the magnification.
    stretch_deg : (...) array
        Direction along which mu_t stretches, from +x towards +y [deg].

    Returns
    -------
    round_ : (..., 3) array
        S_xx, S_yy, S_xy.
    by_ellipticity : (..., 3, 2) array
        Derivatives by the two components of the source's ellipticity, along the stretch and diagonal to it.
    """
    mu_t, mu_r = np.abs(mu_t), np.abs(mu_r)
    cos, sin = np.cos(np.deg2rad(stretch_deg)), np.sin(np.deg2rad(stretch_deg))
    along = np.stack([cos**2, sin**2, sin * cos], axis=-1) * (mu_t**2)[..., None]
    across = np.stack([sin**2, cos**2, -sin * cos], axis=-1) * (mu_r**2)[..., None]
    mixed = np.stack([-2.0 * sin * cos, 2.0 * sin * cos, cos**2 - sin**2], axis=-1) * (mu_t * mu_r)[..., None]
    return along + across, np.stack([along - across, mixed], axis=-1)


def source_variance(
    moments: Array, covariance: Array, mu_t: Array, mu_r: Array, stretch_deg: Array, ellipticity: float
) -> SourceVariance:
    """Variance of a nearly round source from its moments in the image, by generalised least squares.

    Parameters
    ----------
    moments : (..., 3) array
        S_xx, S_yy, S_xy [px^2], not bound to be those of an ellipse.
    covariance : (..., 3, 3) array
        Of their errors [px^4].
    mu_t, mu_r, stretch_deg : (...) arrays
        As in `distortion`. Where the direction is NaN the shear is not known: the factors then count as equal, and the
        image's shape says little.
    ellipticity : float
        Scatter of the two components of the clumps' (a^2 - b^2) / (a^2 + b^2) in their source plane.
    """
    known = np.isfinite(stretch_deg)
    equal = np.sqrt(np.abs(mu_t * mu_r))
    round_, elliptical = distortion(
        np.where(known, mu_t, equal), np.where(known, mu_r, equal), np.nan_to_num(stretch_deg)
    )
    by_shape = np.where(known, ellipticity, _UNKNOWN)[..., None, None] ** 2 * (
        elliptical @ np.swapaxes(elliptical, -1, -2)
    )
    # The trace of an image of any shape is no measure of its area.
    area = np.where(known, 0.0, _UNKNOWN_AREA)[..., None, None] ** 2
    by_shape = by_shape + area * round_[..., :, None] * round_[..., None, :]
    moments, covariance = (np.broadcast_to(a, like) for a, like in (
        (moments, round_.shape), (covariance, by_shape.shape)))  # fmt: skip
    good = np.isfinite(moments).all(axis=-1) & np.isfinite(covariance).all(axis=(-2, -1)) & np.isfinite(equal)
    value, error = np.full((2, *good.shape), np.nan)
    value[good] = 0.0
    for _ in range(_ITERATIONS if good.any() else 0):
        # The scatter of shapes grows with the size, known once that is.
        total = covariance[good] + np.maximum(value[good], 0.0)[:, None, None] ** 2 * by_shape[good]
        total = total + (1e-9 * np.trace(total, axis1=1, axis2=2) + 1e-12)[:, None, None] * np.eye(3)
        weighted = np.linalg.solve(total, round_[good][..., None])[..., 0]
        information = np.sum(weighted * round_[good], axis=-1)
        value[good] = np.sum(weighted * moments[good], axis=-1) / information
        error[good] = 1.0 / np.sqrt(information)
    return SourceVariance(value, error)


def size_limit(variance: SourceVariance) -> Array:
    """Upper limit (97.5 %) of s [px].

    Where the best s^2 is below zero the rise of chi-squared counts from zero, so that a lucky negative one does not
    exclude everything.
    """
    best = variance.value / variance.error
    # (v - best)^2 - best^2 = rise, solved for v, below zero.
    return np.sqrt(variance.error * (best + np.where(best < 0.0, np.hypot(best, _LIMIT), _LIMIT)))


def draw_sizes(variance: SourceVariance, uniform: Array) -> Array:
    """Draws of s [px] from its posterior, with a prior uniform in log s.

    Parameters
    ----------
    variance : SourceVariance
        (n, m) arrays, one for each draw: the lens may differ between them.
    uniform : (n, m) array
        Random numbers between 0 and 1.
    """
    best = variance.value / variance.error
    normal = np.maximum(best + ndtri(uniform) - 1.0 / np.maximum(best, 1.0), 0.0)
    drawn = np.sqrt(normal * variance.error)
    for row in np.flatnonzero((best < _NORMAL).any(axis=-1)):
        # In units of the error the posterior depends on the best value alone: some of them serve all draws.
        nodes = np.linspace(
            best[row].min(), min(best[row].max(), _NORMAL), 9 if np.ptp(best[row]) > 0.0 else 1
        )
        grid = np.linspace(np.log(_SMALLEST), 0.5 * np.log(_NORMAL + 6.0), _N_GRID)
        log_density = -0.5 * (nodes[:, None] - np.exp(2.0 * grid)) ** 2
        share = np.cumsum(np.exp(log_density - log_density.max(axis=1, keepdims=True)), axis=1)
        quantiles = np.array([np.interp(uniform[row], s / s[-1], grid) for s in share])
        low = best[row] < _NORMAL
        if len(nodes) > 1:
            place = np.clip((best[row] - nodes[0]) / (nodes[1] - nodes[0]), 0.0, len(nodes) - 1.001)
            below, each = place.astype(int), np.arange(place.size)
            part = place - below
            log_size = (1.0 - part) * quantiles[below, each] + part * quantiles[below + 1, each]
        else:
            log_size = quantiles[0]
        drawn[row, low] = (np.exp(log_size) * np.sqrt(variance.error[row]))[low]
    return drawn
