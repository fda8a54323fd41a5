"""The mock PSFs: pupil, diffraction, widths."""

import numpy as np
import pytest
from clumpscope.filters import get_filter
from clumpscope.images.profiles import fwhm_px
from clumpscope.mock import optics


def test_pupil_has_the_area_of_eighteen_segments_less_the_struts():
    amplitude, _ = optics.make_pupil(1)
    area = amplitude.sum() * (6.8 / amplitude.shape[0]) ** 2
    hexagons = 18 * np.sqrt(3) / 2 * 1.32**2
    # Each strut runs from the centre to the rim, 0.11 m wide; the inner 0.66 m crosses the missing segment.
    assert hexagons - 3 * 0.11 * 2.7 < area < hexagons - 3 * 0.11 * 1.5


def test_diffraction_has_the_resolution_of_the_telescope():
    pitch, half = 0.004, 60
    pattern = optics._diffraction(2.0e-6, pitch, half, 1)
    assert np.unravel_index(pattern.argmax(), pattern.shape) == pytest.approx((half, half), abs=1)
    limit = np.rad2deg(2.0e-6 / 6.5) * 3600
    assert fwhm_px(pattern) * pitch == pytest.approx(limit, rel=0.08)


@pytest.mark.parametrize("name", ["F070W", "F140M", "F200W", "F277W", "F460M"])
def test_psf_on_mosaic_pixels_has_the_width_of_c25(name):
    band = get_filter(name)
    psf = optics.make_psf(name, 1)
    assert psf.sum() == pytest.approx(1.0)
    assert psf.min() >= 0
    step, centre = optics.OVERSAMPLING, psf.shape[0] // 2
    sampled = psf[centre % step :: step, centre % step :: step]
    width = fwhm_px(sampled) * optics.PIXEL_SCALE_ARCSEC[band.channel]
    assert width == pytest.approx(band.psf_fwhm_arcsec, rel=0.10)


def test_encircled_energy_of_a_uniform_disc():
    rows, columns = np.indices((201, 201)) - 100
    disc = (np.hypot(rows, columns) <= 80).astype(float)
    assert optics.encircled_energy(disc / disc.sum(), 40.0) == pytest.approx(0.25, abs=0.01)
