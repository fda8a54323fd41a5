"""Least squares with the linear parameters solved exactly inside: variable projection, Levenberg-Marquardt."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Optimum", "minimise"]

Array = np.ndarray
_MAX_ITERATIONS = 60
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Optimum:
    """Where a fit ended.

    Attributes
    ----------
    theta : (p,) array
        Non-linear parameters.
    linear : (m,) array
        Linear parameters: fluxes, then background.
    chi2 : float
        Weighted sum of squared residuals.
    converged : bool
    design : (n, m) array
        Weighted images of unit linear parameters.
    jacobian : (n, p) array
        Weighted derivatives by theta.
    """

    theta: Array
    linear: Array
    chi2: float
    converged: bool
    design: Array
    jacobian: Array


def _evaluate(theta: Array, data: Array, model: Callable) -> tuple[Array, Array, Array, Array, float]:
    """Design, theta-derivatives, linear solution, residual projection of the derivatives, chi-squared."""
    design, derivatives = model(theta)
    # QR, not normal equations: nearly coincident sources make the design nearly singular.
    q, r = np.linalg.qr(design)
    projected = q.T @ data
    diagonal = np.abs(np.diag(r))
    if diagonal.min() > 1e-10 * diagonal.max():
        linear = np.linalg.solve(r, projected)
    else:
        linear = np.linalg.lstsq(design, data, rcond=1e-10)[0]
    residual = data - design @ linear
    jacobian = derivatives(linear)
    reduced = jacobian - q @ (q.T @ jacobian)
    return design, jacobian, linear, reduced, float(residual @ residual)


def minimise(
    theta: Array, data: Array, model: Callable, project: Callable[[Array], Array], scale: Array
) -> Optimum:
    """Minimise |data - design(theta) linear|^2 over theta and linear.

    Parameters
    ----------
    theta : (p,) array
        Start.
    data : (n,) array
        Weighted data.
    model : callable
        theta -> (design (n, m), derivatives), where derivatives(linear) gives the (n, p) Jacobian by theta.
    project : callable
        theta -> the nearest theta that is allowed.
    scale : (p,) array
        Typical size of a step in each parameter; sets when the fit has converged.

    Returns
    -------
    Optimum

    Notes
    -----
    Golub and Pereyra's variable projection with Kaufman's (1975) approximation of the Jacobian.
    """
    theta = project(np.asarray(theta, dtype=float))
    design, jacobian, linear, reduced, chi2 = _evaluate(theta, data, model)
    damping, converged = 1e-3, theta.size == 0
    for _ in range(_MAX_ITERATIONS if theta.size else 0):
        residual = data - design @ linear
        gradient, normal = reduced.T @ residual, reduced.T @ reduced
        diagonal = np.maximum(np.diag(normal), 1e-12 * max(np.diag(normal).max(), 1e-300))
        step = np.linalg.solve(normal + np.diag(damping * diagonal), gradient)
        trial = project(theta + step)
        moved = np.abs(trial - theta) / scale
        if not np.isfinite(trial).all() or moved.max() < _TOLERANCE:
            converged = bool(np.isfinite(trial).all())
            break
        attempt = _evaluate(trial, data, model)
        if attempt[-1] <= chi2:
            gain = chi2 - attempt[-1]
            theta = trial
            design, jacobian, linear, reduced, chi2 = attempt
            damping = max(damping * 0.2, 1e-9)
            if gain <= _TOLERANCE * 1e-3 * (1.0 + chi2) and moved.max() < 1e-2:
                converged = True
                break
        else:
            damping *= 8.0
            if damping > 1e9:
                converged = True
                break
    return Optimum(theta, linear, chi2, converged, design, jacobian)
