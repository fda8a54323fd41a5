"""Surface-brightness profiles of the mock sources, of unit flux and given half-light radius."""

import numpy as np

__all__ = ["PROFILES", "TRUNCATION", "clump_profile", "disc_profile", "sersic_image"]

TRUNCATION = 6.0  # clumps end at this many half-light radii
PROFILES = ("gaussian", "exponential", "plummer")

_HALF_EXPONENTIAL = 1.6783469900166605  # (1 + x) exp(-x) = 1/2
_SERSIC_B = {1.0: _HALF_EXPONENTIAL, 4.0: 7.669249443}


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
    else:
        # The light inside R is R^2 / (a^2 + R^2); cut at T r_eff, its half lies inside r_eff for this a.
        t_squared = TRUNCATION**2
        a_squared = r_eff**2 * t_squared / (t_squared - 2)
        inside = t_squared * r_eff**2 / (a_squared + t_squared * r_eff**2)
        value = a_squared / np.pi / (a_squared + radius**2) ** 2 / inside
    return np.where(radius <= TRUNCATION * r_eff, value, 0.0)


def disc_profile(
    dx: np.ndarray, dy: np.ndarray, length: float, axis_ratio: float, angle_deg: float
) -> np.ndarray:
    """Inclined exponential disc of unit flux and scale length `length`; the angle is from +x towards +y."""
    cosine, sine = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    along, across = dx * cosine + dy * sine, -dx * sine + dy * cosine
    radius = np.sqrt(along**2 + (across / axis_ratio) ** 2)
    return np.exp(-radius / length) / (2 * np.pi * axis_ratio * length**2)


def sersic_image(
    dx: np.ndarray, dy: np.ndarray, r_eff: float, n: float, axis_ratio: float, angle_deg: float, pixel: float
) -> np.ndarray:
    """Share of a Sersic galaxy's flux in each pixel, of unit sum; n is 1 or 4.

    The cusp is softened by half a `pixel`, which stands for its average over the central pixel.
    """
    cosine, sine = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    along, across = dx * cosine + dy * sine, -dx * sine + dy * cosine
    squared = along**2 * axis_ratio + across**2 / axis_ratio + (pixel / 2) ** 2
    image = np.exp(-_SERSIC_B[n] * (squared / r_eff**2) ** (0.5 / n))
    return image / image.sum(dtype=float)
