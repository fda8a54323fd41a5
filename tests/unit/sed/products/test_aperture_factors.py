"""Fluxes out to the edge of the PSF's kernel, against optics whose encircled energy is known."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.images.psf import normalise_psf, psf_table
from clumpscope.mock.optics import OVERSAMPLING, PIXEL_SCALE_ARCSEC, encircled_energy, make_psf
from clumpscope.sed.products.columns_photometry import aperture_factors

FILTERS = ("F150W", "F444W")


def test_colour_inside_the_aperture_becomes_that_of_all_light():
    given = {name: make_psf(name, 3) for name in FILTERS}
    scales = [PIXEL_SCALE_ARCSEC[channel] for channel in ("sw", "lw")]
    psfs = {
        name: normalise_psf(
            image, scale, name, radius_arcsec=0.4, max_radius_arcsec=1.0, oversampling=OVERSAMPLING
        )
        for (name, image), scale in zip(given.items(), scales, strict=True)
    }
    factors = aperture_factors(FILTERS, psf_table(psfs))
    # The optics' own sums, of a source of one nJy in both filters.
    inside = np.array([
        encircled_energy(given[name], 0.4 / scale * OVERSAMPLING) for name, scale in zip(FILTERS, scales, strict=True)
    ])  # fmt: skip
    assert inside[0] / inside[1] > 1.02
    total = inside * factors
    assert total[0] / total[1] == pytest.approx(1.0, abs=0.006)
    assert np.all((total > 0.985) & (total <= 1.001))


def test_photometry_without_psfs_is_total():
    assert aperture_factors(FILTERS, None).tolist() == [1.0, 1.0]


def test_filter_without_a_psf_is_refused():
    with pytest.raises(InputError, match="F444W"):
        aperture_factors(FILTERS, Table({"filter": ["F150W"], "aperture_correction": [1.04]}))
