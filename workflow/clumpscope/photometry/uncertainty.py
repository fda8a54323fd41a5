"""From the covariance of a fit's parameters to the errors that a person reads."""

from dataclasses import dataclass

import numpy as np

from .model import shape_of

__all__ = ["Fitted", "flux_by_moments", "moments_covariances", "parameter_errors"]

Array = np.ndarray
_NAMES = ("flux", "x", "y", "sigma_x_px", "sigma_y_px", "theta_deg", "background")


@dataclass(frozen=True)
class Fitted:
    """Where the fit of a group of n clumps ended.

    Attributes
    ----------
    theta : (n, 5) array
        x, y, S_xx, S_yy, S_xy [px, px^2].
    flux, background : (n,) arrays
        Background at the clump.
    errors : dict of str to (n,) array
        Standard deviations of flux, x, y, sigma_x_px, sigma_y_px, theta_deg, background.
    moments_covariance : (n, 3, 3) array
        Of (S_xx, S_yy, S_xy) [px^4]; zero where the shape was given.
    by_moments : (n, 3) array
        Change of every flux with its own moments [flux / px^2].
    likelihood : ((n, 3) array, (n, 3, 3) array)
        Moments as the data alone have them [px^2], not bound to be those of an ellipse, and their covariance [px^4]; NaN
        where the shape was given.
    resolved : (n,) bool array
        Whether the data ask for a size.
    limit_px : (n,) array
        Upper limit of the size where they do not; NaN elsewhere.
    max_sigma_px : float
        Largest size that was allowed.
    chi2 : float
        Of the residuals.
    n_dof : float
        Of them.
    response : (n, ny, nx) array
        What light in a pixel adds to the fluxes.
    converged : bool
    """

    theta: Array
    flux: Array
    background: Array
    errors: dict[str, Array]
    moments_covariance: Array
    by_moments: Array
    likelihood: tuple[Array, Array]
    resolved: Array
    limit_px: Array
    max_sigma_px: float
    chi2: float
    n_dof: float
    response: Array
    converged: bool


def moments_covariances(n_shape: Array, n_terms: int, covariance: Array) -> Array:
    """Covariance of (S_xx, S_yy, S_xy) of every source, (n, 3, 3) [px^4]; arguments as `parameter_errors` has them."""
    result, place = np.zeros((len(n_shape), 3, 3)), len(n_shape) + n_terms
    for k, free in enumerate(n_shape):
        place += 2 if free >= 0 else 0
        part = covariance[place : place + max(free, 0), place : place + max(free, 0)]
        if free == 1:
            result[k, :2, :2] = part
        elif free == 3:
            result[k] = part
        place += max(free, 0)
    return result


def flux_by_moments(n_shape: Array, n_terms: int, covariance: Array) -> Array:
    """Change of every flux with its own fitted moments, (n, 3); arguments as `parameter_errors` has them."""
    shapes, result = moments_covariances(n_shape, n_terms, covariance), np.zeros((len(n_shape), 3))
    place = len(n_shape) + n_terms
    for k, free in enumerate(n_shape):
        place += 2 if free >= 0 else 0
        shared = np.zeros(3)
        if free == 1:
            shared[:2] = covariance[k, place]
        elif free == 3:
            shared = covariance[k, place : place + 3]
        # The covariance of a round clump's moments has one direction only.
        result[k] = shared @ np.linalg.pinv(shapes[k], hermitian=True)
        place += max(free, 0)
    return result


def parameter_errors(theta: Array, n_shape: Array, planes: Array, covariance: Array) -> dict[str, Array]:
    """Standard deviations of the parameters of sources.

    Parameters
    ----------
    theta : (n, 5) array
        Sources.
    n_shape : (n,) int array
        Number of free shape parameters: 0; 1 (a round clump's variance); 3 (S_xx, S_yy, S_xy); -1 where the place
        is not free either.
    planes : (n, t) array
        Of `clumpscope.photometry.compiled.background_at`.
    covariance : (n + t + p, n + t + p) array
        Of fluxes, background, and of each source's free parameters in turn.

    Returns
    -------
    dict of str to (n,) array
        NaN for a place or shape that was not free.
    """
    n = len(theta)
    errors = {name: np.full(n, np.nan) for name in _NAMES}
    own, n_terms = _root(np.diag(covariance)), planes.shape[1]
    errors["flux"] = own[:n]
    plane = covariance[n : n + n_terms, n : n + n_terms]
    errors["background"] = _root(np.sum(planes @ plane * planes, axis=1))
    shapes, place = moments_covariances(n_shape, n_terms, covariance), n + n_terms
    for k in np.flatnonzero(n_shape >= 0):
        errors["x"][k], errors["y"][k] = own[place : place + 2]
        place += 2 + n_shape[k]
        if n_shape[k] == 0:
            continue
        major, minor, angle = shape_of(theta[k, 2:])
        cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        along = np.array([cos**2, sin**2, 2.0 * cos * sin])
        across = np.array([sin**2, cos**2, -2.0 * cos * sin])
        errors["sigma_x_px"][k] = _axis_error(major, along @ shapes[k] @ along)
        errors["sigma_y_px"][k] = _axis_error(minor, across @ shapes[k] @ across)
        turn = np.array([-sin * cos, sin * cos, cos**2 - sin**2]) / max(major**2 - minor**2, 1e-6)
        angle_error = np.rad2deg(_root(turn @ shapes[k] @ turn)) if n_shape[k] == 3 else 90.0
        errors["theta_deg"][k] = min(angle_error, 90.0)
    return errors


def _root(variance: Array) -> Array:
    return np.sqrt(np.maximum(variance, 0.0))


def _axis_error(sigma: float, variance_of_square: float) -> float:
    """Error of sigma from that of sigma^2: finite, and right for both a wide axis and one without width."""
    spread = float(_root(variance_of_square))
    return (np.sqrt(sigma**2 + spread) - sigma) if sigma**2 < spread else spread / (2.0 * sigma)
