"""Fixtures that write images as a user's files would be; used by `pytest_plugins = ["image_fixtures"]`."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from clumpscope.images.mosaic import Mosaic, open_mosaic
from image_fields import tan_wcs


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
