"""One detection image out of several filters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from astropy.wcs import NoConvergence

from ..errors import InputError
from .cutouts import Cutout
from .mosaic import Mosaic

__all__ = ["coadd_cutouts", "doubts_of_stack"]

# How far pixels may lie from those of the reference filter.
_APART_PX = 0.1


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
        if not aligned or np.abs(cutout.wcs.all_world2pix(sky, 0) - corners).max() > _APART_PX:
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


def doubts_of_stack(
    mosaics: Mapping[str, Mosaic], references: Sequence[str], filters: Sequence[str]
) -> Iterator[str]:
    """Filters that will stop the detection of galaxies, as the headers of a field's mosaics tell.

    Parameters
    ----------
    mosaics : mapping of str to Mosaic
        By filter.
    references : sequence of str
        Filters that may be the reference of some galaxy.
    filters : sequence of str
        Those of ``detection.stack``.
    """
    for name in filters:
        others = [band for band in references if {band, name} <= mosaics.keys() and band != name]
        if apart := [band for band in others if not _share_pixels(mosaics[band], mosaics[name])]:
            yield (
                f"{name}, on other pixels than {', '.join(apart)}: galaxies with that reference filter will not be detected."
                " Leave it out, or resample its mosaic."
            )


def _share_pixels(mosaic: Mosaic, other: Mosaic) -> bool:
    """Whether pixels of two mosaics lie on each other, whichever of them comes first in each."""
    height, width = mosaic.shape
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]])
    try:
        offset = other.wcs.all_world2pix(mosaic.wcs.all_pix2world(corners, 0), 0) - corners
    except NoConvergence:  # far from each other
        return False
    return bool(np.abs(offset - np.round(offset[0])).max() <= _APART_PX)
