"""The lens profiles of Lenstool: deflection and Hessian of the potential, for D_LS / D_S = 1.

Coordinates are arcseconds from the model's reference, x to the West, y to the North; position
angles are counted from the x axis towards the y axis. A potential is one row of numbers (`FIELDS`),
so that a posterior is an array of them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["FIELDS", "PROFILES", "Profile", "deflection", "hessian"]

# Columns of a potential's row.
FIELDS = ("x", "y", "ellipticity", "angle_rad", "r_core", "r_cut", "v_disp", "gamma")
X, Y, ELLIPTICITY, ANGLE, R_CORE, R_CUT, V_DISP, GAMMA = range(len(FIELDS))

_SPEED_OF_LIGHT_KM_S = 299792.458
_ARCSEC_PER_RADIAN = 180.0 * 3600.0 / np.pi
# Below this flattening the elliptical formulae lose digits; the circular ones are exact to its order.
_ROUND = 1e-7

Array = np.ndarray


class Profile(NamedTuple):
    """Functions of one lens profile in its own frame (centred, major axis along x).

    Attributes
    ----------
    name : str
        What it is.
    deflection : callable
        (x, y, rows) -> (alpha_x, alpha_y) [arcsec]; rows broadcasts against x.
    hessian : callable
        (x, y, rows) -> (psi_xx, psi_yy, psi_xy), dimensionless.
    """

    name: str
    deflection: Callable[[Array, Array, Array], tuple[Array, Array]]
    hessian: Callable[[Array, Array, Array], tuple[Array, Array, Array]]


def _einstein_arcsec(v_disp_km_s: Array, factor: float) -> Array:
    return factor * np.pi * (v_disp_km_s / _SPEED_OF_LIGHT_KM_S) ** 2 * _ARCSEC_PER_RADIAN


def _flattening(ellipticity: Array) -> Array:
    """Kassiola and Kovner's epsilon = (a - b) / (a + b) of Lenstool's e = (a^2 - b^2) / (a^2 + b^2)."""
    e = np.clip(np.abs(ellipticity), 1e-12, 1.0 - 1e-9)
    return np.maximum((1.0 - np.sqrt(1.0 - e**2)) / e, _ROUND)


def _isothermal_deflection(x: Array, y: Array, eps: Array, radius: Array) -> Array:
    """Complex deflection of the pseudo-isothermal elliptical mass distribution of unit strength.

    Kassiola and Kovner (1993), equation 4.1.2, I'_0.5: real part along x, imaginary part along y.
    """
    q = (1.0 - eps) / (1.0 + eps)
    root = np.sqrt(eps)
    scaled = np.sqrt(radius**2 + (x / (1.0 + eps)) ** 2 + (y / (1.0 - eps)) ** 2)
    numerator = q * x + 1j * (2.0 * root * scaled - y / q)
    denominator = x + 1j * (2.0 * root * radius - y)
    return -0.5j * (1.0 - eps**2) / root * np.log(numerator / denominator)


def _isothermal_hessian(x: Array, y: Array, eps: Array, radius: Array) -> tuple[Array, Array, Array]:
    """Second derivatives of the potential whose gradient is `_isothermal_deflection`."""
    q = (1.0 - eps) / (1.0 + eps)
    root = np.sqrt(eps)
    a, b = 1.0 / (1.0 + eps) ** 2, 1.0 / (1.0 - eps) ** 2
    scaled = np.sqrt(radius**2 + a * x**2 + b * y**2)
    inverse_numerator = 1.0 / (q * x + 1j * (2.0 * root * scaled - y / q))
    inverse_denominator = 1.0 / (x + 1j * (2.0 * root * radius - y))
    factor = -0.5j * (1.0 - eps**2) / root
    along_x = factor * ((q + 2j * root * a * x / scaled) * inverse_numerator - inverse_denominator)
    along_y = factor * (
        1j * (2.0 * root * b * y / scaled - 1.0 / q) * inverse_numerator + 1j * inverse_denominator
    )
    return along_x.real, along_y.imag, along_x.imag


def _dpie_strength(rows: Array) -> Array:
    core, cut = rows[..., R_CORE], rows[..., R_CUT]
    return _einstein_arcsec(rows[..., V_DISP], 6.0) * cut / (cut - core)


def _dpie_deflection(x: Array, y: Array, rows: Array) -> tuple[Array, Array]:
    eps = _flattening(rows[..., ELLIPTICITY])
    alpha = _isothermal_deflection(x, y, eps, rows[..., R_CORE]) - _isothermal_deflection(
        x, y, eps, rows[..., R_CUT]
    )
    alpha = alpha * _dpie_strength(rows)
    return alpha.real, alpha.imag


def _dpie_hessian(x: Array, y: Array, rows: Array) -> tuple[Array, Array, Array]:
    eps, strength = _flattening(rows[..., ELLIPTICITY]), _dpie_strength(rows)
    core = _isothermal_hessian(x, y, eps, rows[..., R_CORE])
    cut = _isothermal_hessian(x, y, eps, rows[..., R_CUT])
    return tuple(strength * (inner - outer) for inner, outer in zip(core, cut, strict=True))


def _piemd_deflection(x: Array, y: Array, rows: Array) -> tuple[Array, Array]:
    strength = _einstein_arcsec(rows[..., V_DISP], 6.0)
    alpha = strength * _isothermal_deflection(x, y, _flattening(rows[..., ELLIPTICITY]), rows[..., R_CORE])
    return alpha.real, alpha.imag


def _piemd_hessian(x: Array, y: Array, rows: Array) -> tuple[Array, Array, Array]:
    strength = _einstein_arcsec(rows[..., V_DISP], 6.0)
    parts = _isothermal_hessian(x, y, _flattening(rows[..., ELLIPTICITY]), rows[..., R_CORE])
    return tuple(strength * part for part in parts)


def _shear_deflection(x: Array, y: Array, rows: Array) -> tuple[Array, Array]:
    gamma = rows[..., GAMMA]
    return gamma * x, -gamma * y


def _shear_hessian(x: Array, y: Array, rows: Array) -> tuple[Array, Array, Array]:
    gamma = rows[..., GAMMA] + np.zeros_like(x)
    return gamma, -gamma, np.zeros_like(gamma)


# By Lenstool's `profil` number.
PROFILES: dict[int, Profile] = {
    8: Profile("pseudo-isothermal elliptical mass distribution", _piemd_deflection, _piemd_hessian),
    14: Profile("external shear", _shear_deflection, _shear_hessian),
    81: Profile("dual pseudo-isothermal elliptical mass distribution", _dpie_deflection, _dpie_hessian),
}


def _rotated(x: Array, y: Array, rows: Array) -> tuple[Array, Array, Array, Array]:
    cos, sin = np.cos(rows[..., ANGLE]), np.sin(rows[..., ANGLE])
    dx, dy = x - rows[..., X], y - rows[..., Y]
    return cos * dx + sin * dy, cos * dy - sin * dx, cos, sin


def deflection(profile: int, rows: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Summed deflection of all potentials of one profile.

    Parameters
    ----------
    profile : int
        Lenstool's number.
    rows : (n_potentials, len(FIELDS)) array
        The potentials.
    x, y : (n,) arrays
        Positions [arcsec].

    Returns
    -------
    alpha_x, alpha_y : (n,) arrays
        [arcsec], for D_LS / D_S = 1.
    """
    u, v, cos, sin = _rotated(x[:, None], y[:, None], rows)
    a, b = PROFILES[profile].deflection(u, v, rows)
    return (cos * a - sin * b).sum(axis=1), (sin * a + cos * b).sum(axis=1)


def hessian(profile: int, rows: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Summed second derivatives (psi_xx, psi_yy, psi_xy) of all potentials of one profile; as `deflection`."""
    u, v, cos, sin = _rotated(x[:, None], y[:, None], rows)
    uu, vv, uv = PROFILES[profile].hessian(u, v, rows)
    mean, half = 0.5 * (uu + vv), 0.5 * (uu - vv)
    cos2, sin2 = cos**2 - sin**2, 2.0 * sin * cos
    difference, cross = half * cos2 - uv * sin2, half * sin2 + uv * cos2
    return (mean + difference).sum(axis=1), (mean - difference).sum(axis=1), cross.sum(axis=1)
