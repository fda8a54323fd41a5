"""Surface-brightness profiles of the mock sources, of unit flux and given half-light radius."""

import math

import numpy as np
import scipy

__all__ = ["PROFILES", "TRUNCATION", "bulge_profile", "clump_profile", "disc_profile", "sersic_image"]

_PITCH = np.deg2rad(20.0)
_ROWS_TOGETHER = 16  # what a processor's cache holds
TRUNCATION = 6.0  # clumps end at this many half-light radii
PROFILES = ("gaussian", "exponential", "plummer", "eff")

_HALF_EXPONENTIAL = 1.6783469900166605  # (1 + x) exp(-x) = 1/2
# Elson, Fall & Freeman (1987, ApJ 323, 54): (1 + R^2 / a^2)^(-gamma / 2), of young clusters.
_EFF_GAMMA = 2.6


def _eff_core() -> float:
    """Half-light radius over a of the truncated profile."""
    power = 1 - _EFF_GAMMA / 2

    def excess(ratio: float) -> float:
        whole = 1 - (1 + (TRUNCATION * ratio) ** 2) ** power
        return 1 - (1 + ratio**2) ** power - whole / 2

    return float(scipy.optimize.brentq(excess, 0.1, 50.0))


_EFF_CORE = _eff_core()
_SERSIC_B = {2.0: 3.672061, 1.0: _HALF_EXPONENTIAL, 4.0: 7.669249443}


def clump_profile(radius: np.ndarray, r_eff: float, kind: str) -> np.ndarray:
    """Circular profile that ends at `TRUNCATION` half-light radii.

    Parameters
    ----------
    radius : array
        In the unit of `r_eff`.
    r_eff : float
        Half-light radius.
    kind : str
        One of `PROFILES`.

    Returns
    -------
    array
        Surface brightness whose integral over the plane is 1 (Gaussian and exponential: to 4e-4).
    """
    if kind == "gaussian":
        sigma = r_eff / np.sqrt(2 * np.log(2))
        value = np.exp(-((radius / sigma) ** 2) / 2) / (2 * np.pi * sigma**2)
    elif kind == "exponential":
        length = r_eff / _HALF_EXPONENTIAL
        value = np.exp(-radius / length) / (2 * np.pi * length**2)
    elif kind == "eff":
        # The light inside R is 1 - (1 + R^2 / a^2)^(1 - g/2); cut at T r_eff, its half lies inside r_eff for this a.
        core = r_eff / _EFF_CORE
        power = 1 - _EFF_GAMMA / 2
        inside = 1 - (1 + (TRUNCATION * _EFF_CORE) ** 2) ** power
        value = -power / (np.pi * core**2) * (1 + (radius / core) ** 2) ** (power - 1) / inside
    else:
        # The light inside R is R^2 / (a^2 + R^2); cut at T r_eff, its half lies inside r_eff for this a.
        t_squared = TRUNCATION**2
        a_squared = r_eff**2 * t_squared / (t_squared - 2)
        inside = t_squared * r_eff**2 / (a_squared + t_squared * r_eff**2)
        value = a_squared / np.pi / (a_squared + radius**2) ** 2 / inside
    return np.where(radius <= TRUNCATION * r_eff, value, 0.0)


def disc_profile(
    dx: np.ndarray,
    dy: np.ndarray,
    length: float,
    axis_ratio: float,
    angle_deg: float,
    arms: float = 0.0,
    arm_phase_deg: float = 0.0,
) -> np.ndarray:
    """Inclined exponential disc of unit flux and scale length `length`; the angle is from +x towards +y.

    `arms` is the contrast of two logarithmic spiral arms over the disc, which leave its flux and radial profile as
    they are and fade out inside one scale length.
    """
    along, across = _along_across(dx, dy, angle_deg)
    across = across / axis_ratio
    radius = np.hypot(along, across)
    light = np.exp(-radius / length) / (2 * np.pi * axis_ratio * length**2)
    if arms:
        winding = np.log(np.maximum(radius, 1e-3 * length) / length) / np.tan(_PITCH)
        phase = 2 * (np.arctan2(across, along) - winding - np.deg2rad(arm_phase_deg))
        light = light * (1 + arms * np.cos(phase) * (1 - np.exp(-((radius / length) ** 2))))
    return light


def bulge_profile(
    dx: np.ndarray, dy: np.ndarray, r_eff: float, axis_ratio: float, angle_deg: float
) -> np.ndarray:
    """Sersic profile of index 2, of unit flux and half-light radius `r_eff` (the circularised one)."""
    along, across = _along_across(dx, dy, angle_deg)
    radius = np.sqrt(along**2 * axis_ratio + across**2 / axis_ratio)
    b = _SERSIC_B[2.0]
    # 2 pi n R^2 b^(-2n) Gamma(2n) of exp(-b (r / R)^(1/n)), n = 2.
    return np.exp(-b * np.sqrt(radius / r_eff)) * b**4 / (4 * np.pi * r_eff**2 * 6)


def _along_across(dx: np.ndarray, dy: np.ndarray, angle_deg: float) -> tuple[np.ndarray, np.ndarray]:
    angle = math.radians(angle_deg)
    cosine, sine = math.cos(angle), math.sin(angle)
    return dx * cosine + dy * sine, -dx * sine + dy * cosine


def sersic_image(
    dx: np.ndarray, dy: np.ndarray, r_eff: float, n: float, axis_ratio: float, angle_deg: float, pixel: float
) -> np.ndarray:
    """Share of a Sersic galaxy's flux in each pixel, of unit sum; n is 1 or 4.

    The cusp is softened by half a `pixel`, which stands for its average over the central pixel.
    """
    r_eff, axis_ratio = float(r_eff), float(axis_ratio)  # plain numbers leave float32 as it is
    dx, dy = np.broadcast_arrays(dx, dy)
    image = np.empty_like(dx)
    for start in range(0, len(image), _ROWS_TOGETHER):
        rows = slice(start, start + _ROWS_TOGETHER)
        along, across = _along_across(dx[rows], dy[rows], angle_deg)
        squared = along**2 * axis_ratio + across**2 / axis_ratio + (pixel / 2) ** 2
        image[rows] = np.exp(-_SERSIC_B[n] * (squared / r_eff**2) ** (0.5 / n))
    image /= image.sum(dtype=float)
    return image
