"""Critical lines, where the magnification diverges, and caustics, their images in the source plane."""

from typing import NamedTuple

import numpy as np

from ..models.model import LensModel

__all__ = ["CriticalLine", "critical_lines"]

Array = np.ndarray


class CriticalLine(NamedTuple):
    """One critical line.

    Attributes
    ----------
    kind : str
        ``tangential`` or ``radial``: which factor of the magnification diverges on it.
    x, y : (n,) arrays
        The line [arcsec] from the model's reference, x to the West.
    source_x, source_y : (n,) arrays
        Its caustic; NaN for a model without deflections.
    """

    kind: str
    x: Array
    y: Array
    source_x: Array
    source_y: Array


def critical_lines(
    model: LensModel,
    z_source: float,
    box_arcsec: tuple[float, float, float, float],
    step_arcsec: float = 0.2,
    sample: int | None = None,
) -> list[CriticalLine]:
    """Critical lines inside a box.

    Parameters
    ----------
    model : LensModel
        The lens.
    z_source : float
        Redshift of the source.
    box_arcsec : (float, float, float, float)
        Left, right, bottom and top [arcsec] from the model's reference, x to the West.
    step_arcsec : float
        Spacing of the grid on which they are sought; the lines of smaller galaxies are missed.
    sample : int, optional
        Index of a posterior realisation; the best model when missing.
    """
    # Imported here: part of matplotlib, which only pictures need.
    from contourpy import contour_generator

    left, right, bottom, top = box_arcsec
    x = np.linspace(left, right, max(int(np.ceil((right - left) / step_arcsec)), 1) + 1)
    y = np.linspace(bottom, top, max(int(np.ceil((top - bottom) / step_arcsec)), 1) + 1)
    kappa, gamma1, gamma2 = model.convergence_shear(*np.meshgrid(x, y), z_source, sample)
    gamma = np.hypot(gamma1, gamma2)
    found = []
    for kind, inverse in (("tangential", 1.0 - kappa - gamma), ("radial", 1.0 - kappa + gamma)):
        for line in contour_generator(x, y, np.ma.masked_invalid(inverse)).lines(0.0):
            east, north = place = np.transpose(line)
            source = np.full(place.shape, np.nan)
            if model.traces:
                source = place - model.deflection(east, north, z_source, sample)
            found.append(CriticalLine(kind, east, north, *source))
    return found
