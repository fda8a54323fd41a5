"""Synthetic images with known content, written as a user's files would be.

A test module gets the fixtures by `pytest_plugins = ["image_fields"]`.
"""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from clumpscope.images.mosaic import Mosaic, open_mosaic

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


@pytest.fixture
def write_image(tmp_path):
    """Function writing an image with WCS and unit; returns its path."""

    def write(name: str, data, scale_arcsec: float | None = 0.02, unit: str | None = "nJy", **cards) -> Path:
        data = np.asarray(data)
        header = tan_wcs(data.shape, scale_arcsec).to_header() if scale_arcsec else fits.Header()
        if unit:
            header["BUNIT"] = unit
        header.update(cards)
        path = tmp_path / name
        fits.PrimaryHDU(data, header).writeto(path)
        return path

    return write


@pytest.fixture
def make_mosaic(write_image):
    """Function making a mosaic in nJy from an array and its error."""

    def make(data, error=None, scale_arcsec: float = 0.02, name: str = "F150W") -> Mosaic:
        sci = write_image(f"{name}_sci.fits", data, scale_arcsec)
        err = (
            None
            if error is None
            else write_image(f"{name}_err.fits", np.broadcast_to(error, data.shape), None)
        )
        return open_mosaic(sci, err=err, name=name)

    return make
