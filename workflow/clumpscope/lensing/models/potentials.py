"""The lens profiles of Lenstool: deflection, convergence and shear, for D_LS / D_S = 1.

Coordinates are arcseconds from the model's reference, x to the West, y to the North; position
angles are counted from the x axis towards the y axis. A potential is one row of numbers (`FIELDS`),
so that a posterior is an array of them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["FIELDS", "PROFILES", "Profile", "einstein_arcsec", "flattening"]

# Columns of a potential's row. `ellipticity` is (a - b) / (a + b) of the isodensity ellipses for isothermal
# profiles, the ellipticity of the potential for the others, and for 14 the convergence; `strength` is
#   81, 8   6 pi (v_disp / c)^2 [arcsec]                       12   the same of Lenstool's scale velocity
#   -1      that of 8 with the same convergence                 14   the shear
#   0, 1    4 pi (v_disp / c)^2 [arcsec]                        7   4 G M / (c^2 D_L) [arcsec^2]
FIELDS = ("x", "y", "ellipticity", "angle_rad", "core_arcsec", "cut_arcsec", "strength")
X, Y, ELLIPTICITY, ANGLE, CORE, CUT, STRENGTH = range(len(FIELDS))

_SPEED_OF_LIGHT_KM_S = 299792.458
_ARCSEC_PER_RADIAN = 180.0 * 3600.0 / np.pi
# Stands for a vanishing distance from a singular centre [arcsec].
_SMALLEST_RADIUS = 1e-10

Array = np.ndarray


class Profile(NamedTuple):
    """One lens profile.

    Attributes
    ----------
    name : str
        What it is.
    deflection : callable
        (rows, x, y) -> (alpha_x, alpha_y) [arcsec], summed over the (n_potentials, n_fields) rows;
        x, y and the results are (n,) arrays.
    convergence_shear : callable
        (rows, x, y) -> (kappa, gamma1, gamma2), likewise.
    """

    name: str
    deflection: Callable[[Array, Array, Array], tuple[Array, Array]]
    convergence_shear: Callable[[Array, Array, Array], tuple[Array, Array, Array]]


def einstein_arcsec(v_disp_km_s: Array, factor: float) -> Array:
    """``factor`` pi (v_disp / c)^2 in arcseconds: 4 for an isothermal sphere, 6 in Lenstool's other profiles."""
    return factor * np.pi * (v_disp_km_s / _SPEED_OF_LIGHT_KM_S) ** 2 * _ARCSEC_PER_RADIAN


def flattening(ellipticity: Array) -> Array:
    """(a - b) / (a + b) of Lenstool's ``ellipticite`` (a^2 - b^2) / (a^2 + b^2)."""
    e = np.asarray(ellipticity, dtype=float)
    # (1 - sqrt(1 - e^2)) / e without its loss of digits at small e.
    return e / (1.0 + np.sqrt(1.0 - e**2))


def _isothermal_deflection(rows: Array, x: Array, y: Array) -> tuple[Array, Array]:
    # Imported here: numba costs a second that reading a model need not wait for.
    from .compiled import isothermal_deflection

    alpha = np.zeros((2, x.size))
    isothermal_deflection(rows, x, y, alpha[0], alpha[1])
    return alpha[0], alpha[1]


def _isothermal_convergence_shear(rows: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    from .compiled import isothermal_convergence_shear

    result = np.zeros((3, x.size))
    isothermal_convergence_shear(rows, x, y, result[0], result[1], result[2])
    return result[0], result[1], result[2]


def _elliptical_potential(
    radial: Callable[[Array, Array], tuple[Array, Array]],
) -> tuple[Callable, Callable]:
    """Deflection and convergence of a potential that is a function of r^2 = (1 - e) x^2 + (1 + e) y^2.

    Parameters
    ----------
    radial : callable
        (r, rows) -> (psi' / r, psi''): derivatives of the circular potential; r is (n, n_potentials).
    """

    def frame(rows: Array, x: Array, y: Array) -> tuple[Array, ...]:
        cos, sin = np.cos(rows[:, ANGLE]), np.sin(rows[:, ANGLE])
        dx, dy = x[:, None] - rows[:, X], y[:, None] - rows[:, Y]
        u, v = cos * dx + sin * dy, cos * dy - sin * dx
        along, across = 1.0 - rows[:, ELLIPTICITY], 1.0 + rows[:, ELLIPTICITY]
        r = np.maximum(np.sqrt(along * u**2 + across * v**2), _SMALLEST_RADIUS)
        return cos, sin, along * u, across * v, along, across, r

    def deflection(rows: Array, x: Array, y: Array) -> tuple[Array, Array]:
        cos, sin, u, v, _, _, r = frame(rows, x, y)
        slope, _ = radial(r, rows)
        return (slope * (cos * u - sin * v)).sum(axis=1), (slope * (sin * u + cos * v)).sum(axis=1)

    def convergence_shear(rows: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
        cos, sin, u, v, along, across, r = frame(rows, x, y)
        slope, bend = radial(r, rows)
        change = (bend - slope) / r**2
        uu, vv, uv = along * slope + change * u**2, across * slope + change * v**2, change * u * v
        cos2, sin2 = cos**2 - sin**2, 2.0 * sin * cos
        half = 0.5 * (uu - vv)
        return (
            (0.5 * (uu + vv)).sum(axis=1),
            (half * cos2 - uv * sin2).sum(axis=1),
            (half * sin2 + uv * cos2).sum(axis=1),
        )

    return deflection, convergence_shear


def _isothermal_sphere(r: Array, rows: Array) -> tuple[Array, Array]:
    return rows[:, STRENGTH] / r, np.zeros_like(r)


def _point_mass(r: Array, rows: Array) -> tuple[Array, Array]:
    return rows[:, STRENGTH] / r**2, -rows[:, STRENGTH] / r**2


def _nfw(r: Array, rows: Array) -> tuple[Array, Array]:
    """Navarro, Frenk and White: Golse and Kneib (2002, A&A 390, 821), equations 4-6."""
    scale, strength = rows[:, CORE], rows[:, STRENGTH]
    x = r / scale
    inside, outside = x < 1.0, x > 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        arc = np.where(
            inside, np.arctanh(np.sqrt((1.0 - x) / (1.0 + x))), np.arctan(np.sqrt((x - 1.0) / (x + 1.0)))
        )
        ratio = np.where(inside | outside, 2.0 * arc / np.sqrt(np.abs(1.0 - x**2)), 1.0)
        f = np.where(np.abs(x - 1.0) > 1e-5, (1.0 - ratio) / (x**2 - 1.0), 1.0 / 3.0 - 0.4 * (x - 1.0))
    slope = strength * scale / r**2 * (np.log(0.5 * x) + ratio)
    # The Laplacian psi'' + psi' / r is twice the convergence strength f / (2 scale).
    return slope, strength / scale * f - slope


def _shear_deflection(rows: Array, x: Array, y: Array) -> tuple[Array, Array]:
    # The shear acts about each potential's own centre, which for it shifts all images alike.
    dx, dy = x[:, None] - rows[:, X], y[:, None] - rows[:, Y]
    kappa, (one, two) = rows[:, ELLIPTICITY], _shear_components(rows)
    return ((kappa + one) * dx + two * dy).sum(axis=1), (two * dx + (kappa - one) * dy).sum(axis=1)


def _shear_components(rows: Array) -> tuple[Array, Array]:
    return rows[:, STRENGTH] * np.cos(2.0 * rows[:, ANGLE]), rows[:, STRENGTH] * np.sin(2.0 * rows[:, ANGLE])


def _shear_convergence_shear(rows: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    kappa, one, two = (
        np.full(x.size, part.sum()) for part in (rows[:, ELLIPTICITY], *_shear_components(rows))
    )
    return kappa, one, two


_SPHERE = _elliptical_potential(_isothermal_sphere)

# By Lenstool's `profil` number.
PROFILES: dict[int, Profile] = {
    -1: Profile("singular isothermal ellipsoid", _isothermal_deflection, _isothermal_convergence_shear),
    0: Profile("singular isothermal sphere", *_SPHERE),
    1: Profile("singular isothermal sphere of elliptical potential", *_SPHERE),
    7: Profile("point mass", *_elliptical_potential(_point_mass)),
    8: Profile("pseudo-isothermal elliptical mass distribution", _isothermal_deflection, _isothermal_convergence_shear),
    12: Profile("NFW of elliptical potential", *_elliptical_potential(_nfw)),
    14: Profile("external shear and convergence", _shear_deflection, _shear_convergence_shear),
    81: Profile("dual pseudo-isothermal elliptical mass distribution",
                _isothermal_deflection, _isothermal_convergence_shear),
}  # fmt: skip
