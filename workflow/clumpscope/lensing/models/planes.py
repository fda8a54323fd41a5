"""Light through several lens planes (Schneider, Ehlers and Falco 1992, Gravitational Lenses, section 9.1)."""

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["position_behind", "shear_behind"]

Array = np.ndarray
Ratio = Callable[[float, float], float]


def position_behind(
    planes: Sequence[float],
    deflect: Callable[[float, Array, Array], tuple[Array, Array]],
    ratio: Ratio,
    x: Array,
    y: Array,
    z: float,
) -> tuple[Array, Array]:
    """Where the light seen at (x, y) crosses redshift z.

    Parameters
    ----------
    planes : sequence of float
        Redshifts of the lens planes, growing; those not in front of z do nothing.
    deflect : callable
        (plane, x, y) -> deflection of that plane [arcsec] at positions in it, for D_LS / D_S = 1.
    ratio : callable
        (near, far) -> D_LS / D_S between two redshifts.
    x, y : arrays
        Positions on the sky [arcsec].
    z : float

    Returns
    -------
    x, y : arrays
        [arcsec] as they would be seen without lenses.
    """
    alphas: list[tuple[float, Array, Array]] = []

    def at(z_here: float) -> tuple[Array, Array]:
        here_x, here_y = x, y
        for plane, along, up in alphas:
            weight = ratio(plane, z_here)
            here_x, here_y = here_x - weight * along, here_y - weight * up
        return here_x, here_y

    for plane in planes:
        if plane < z:
            alphas.append((plane, *deflect(plane, *at(plane))))
    return at(z)


def shear_behind(
    planes: Sequence[float],
    deflect: Callable[[float, Array, Array], tuple[Array, Array]],
    distort: Callable[[float, Array, Array], tuple[Array, Array, Array]],
    ratio: Ratio,
    x: Array,
    y: Array,
    z: float,
) -> tuple[Array, Array, Array]:
    """Convergence and shear of all planes together, for sources at z.

    Parameters
    ----------
    planes, deflect, ratio, x, y, z
        As in `position_behind`.
    distort : callable
        (plane, x, y) -> (kappa, gamma1, gamma2) of that plane, for D_LS / D_S = 1.

    Notes
    -----
    Several planes also turn images: their Jacobian is not symmetric. Given are the convergence and shear of its
    symmetric factor, which magnify alike, in the orientation of the source.
    """
    jacobians: list[tuple[float, Array, Array]] = []  # plane, its Hessian, the Jacobian up to it

    def up_to(z_here: float) -> Array:
        total = np.zeros((2, 2, *np.shape(x)))
        total[0, 0] = total[1, 1] = 1.0
        for plane, hessian, before in jacobians:
            total -= ratio(plane, z_here) * np.einsum("ij...,jk...->ik...", hessian, before)
        return total

    for plane in planes:
        if plane < z:
            here = position_behind(planes, deflect, ratio, x, y, plane)
            kappa, gamma1, gamma2 = distort(plane, *here)
            hessian = np.array([[kappa + gamma1, gamma2], [gamma2, kappa - gamma1]])
            jacobians.append((plane, hessian, up_to(plane)))
    (a, b), (c, d) = up_to(z)
    trace, turn = 0.5 * (a + d), 0.5 * (c - b)
    # A = R S: S is symmetric, with the trace below; R turns by the angle of (trace, turn).
    angle = np.arctan2(np.copysign(1.0, trace) * turn, np.abs(trace))
    shear = np.exp(-1j * angle) * (0.5 * (a - d) + 0.5j * (b + c))
    return 1.0 - np.copysign(np.hypot(trace, turn), trace), -shear.real, -shear.imag
