"""One detection image out of several filters."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..errors import InputError
from .cutouts import Cutout

__all__ = ["coadd_cutouts"]


def coadd_cutouts(cutouts: Mapping[str, Cutout], filter_ref: str, filters: Sequence[str]) -> Cutout:
    """Inverse-variance weighted mean of a galaxy's cutouts.

    Parameters
    ----------
    cutouts : mapping of str to Cutout
        By filter; those that do not reach the galaxy are missing.
    filter_ref : str
        Reference filter, always in the mean.
    filters : sequence of str
        Further filters; those without a cutout are left out.

    Returns
    -------
    Cutout
        On the reference filter's pixels, with its name; a pixel is missing where it is missing in all filters.

    Raises
    ------
    InputError
        If a filter is on other pixels.
    """
    reference = cutouts[filter_ref]
    used = [reference] + [cutouts[name] for name in filters if name in cutouts and name != filter_ref]
    height, width = reference.data.shape
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1]])
    sky = reference.wcs.all_pix2world(corners, 0)
    weights, total = np.zeros((2, height, width))
    for cutout in used:
        aligned = cutout.data.shape == reference.data.shape
        if not aligned or np.abs(cutout.wcs.all_world2pix(sky, 0) - corners).max() > 0.1:
            raise InputError(
                "detection.stack", f"{cutout.filter}, on other pixels than the reference filter {filter_ref}",
                "filters on the pixels of every reference filter", "Leave it out, or resample its mosaic.",
            )  # fmt: skip
        good = np.isfinite(cutout.data) & np.isfinite(cutout.error)
        weight = np.where(good, 1.0 / cutout.error**2, 0.0)
        weights += weight
        total += weight * np.where(good, cutout.data, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        data, error = total / weights, 1.0 / np.sqrt(weights)
    return replace(reference, data=data, error=np.where(weights > 0, error, np.nan))
