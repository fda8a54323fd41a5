"""Which rectangles of a mosaic a run reads: galaxies, PSF stars, and the blocks of its depth."""

import numpy as np
from astropy.table import Table

from .cutouts import MARGIN_ARCSEC
from .depth import depth_blocks
from .mosaic import Mosaic
from .streaming import Rectangle, rectangles_around

__all__ = ["needed_rectangles"]

# Beyond what is asked for: rounding, coverage of a position; without an error map the sky around tells the noise.
_EDGE_PX, _SKY_PX = 10, 110
# Half a side of the stamps of stars, over the radius of the PSF's normalisation, and at least.
_STAR_RADII, _STAR_ARCSEC = 3.5, 1.6


def needed_rectangles(
    mosaic: Mosaic, galaxies: Table, stars: Table, seed: int, psf_radius_arcsec: float, has_errors: bool
) -> list[Rectangle]:
    """Rectangles of a mosaic that the jobs of a field read.

    Parameters
    ----------
    mosaic : Mosaic
        The science image.
    galaxies : Table
        ra, dec [deg], radius_arcsec of all that may be measured.
    stars : Table
        ra, dec [deg] of the PSF's stars; where there is a ``status``, its ``star`` and ``spare`` rows.
    seed : int
        Of the configuration, which chooses the blocks of the depth.
    psf_radius_arcsec : float
        Radius of the PSF's normalisation.
    has_errors : bool
        Whether there is an error or weight map.
    """
    edge = _EDGE_PX if has_errors else _SKY_PX
    if "status" in stars.colnames:
        stars = stars[np.isin(stars["status"], ["star", "spare"])]
    half = np.asarray(galaxies["radius_arcsec"], dtype=float) + MARGIN_ARCSEC
    star = np.full(len(stars), max(_STAR_ARCSEC, _STAR_RADII * psf_radius_arcsec))
    found = []
    for table, arcsec in ((galaxies, half), (stars, star)):
        pixels = arcsec / mosaic.pixel_scale_arcsec + edge
        found += rectangles_around(mosaic.wcs, mosaic.shape, table["ra"], table["dec"], pixels)
    blocks, _ = depth_blocks(mosaic.shape, mosaic.name, seed)
    wide = 0 if has_errors else _SKY_PX
    return found + [
        (
            slice(max(0, rows.start - wide), min(mosaic.shape[0], rows.stop + wide)),
            slice(max(0, columns.start - wide), min(mosaic.shape[1], columns.stop + wide)),
        )
        for rows, columns in blocks
    ]
