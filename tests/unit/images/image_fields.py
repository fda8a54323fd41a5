"""Parts of synthetic images."""

import numpy as np
from astropy.wcs import WCS

RA, DEC = 150.0, 2.0


def tan_wcs(shape, scale_arcsec: float) -> WCS:
    """North-up TAN WCS with (RA, DEC) on the image's centre."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [RA, DEC]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-scale_arcsec / 3600, scale_arcsec / 3600]
    return wcs


def moffat(shape, x, y, alpha_px, beta, flux=1.0, oversample=5):
    """Moffat source of total `flux`, integrated over the pixels."""
    sub = (np.arange(oversample) - (oversample - 1) / 2) / oversample
    rows = np.arange(shape[0])[:, None, None, None] + sub[None, None, :, None]
    columns = np.arange(shape[1])[None, :, None, None] + sub[None, None, None, :]
    radius2 = (columns - x) ** 2 + (rows - y) ** 2
    profile = (beta - 1) / (np.pi * alpha_px**2) * (1 + radius2 / alpha_px**2) ** -beta
    return flux * profile.mean(axis=(2, 3))


def place(image, stamp, x0, y0):
    """Add a stamp whose pixel (0, 0) falls on (x0, y0), cut at the edges."""
    height, width = stamp.shape
    top, left = max(0, -y0), max(0, -x0)
    bottom, right = min(height, image.shape[0] - y0), min(width, image.shape[1] - x0)
    if bottom > top and right > left:
        image[y0 + top : y0 + bottom, x0 + left : x0 + right] += stamp[top:bottom, left:right]
