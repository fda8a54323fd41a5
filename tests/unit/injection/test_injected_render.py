"""Injected clumps against closed forms, and against the fit's own way of drawing."""

import numpy as np
import pytest
from clumpscope.injection.render import Renderer
from clumpscope.photometry.model import SpectralPSF
from unit.photometry.clump_scenes import draw_clump, draw_psf


@pytest.fixture(scope="module")
def renderer():
    return Renderer(draw_psf(61))


@pytest.mark.parametrize("sigma", [0.0, 0.4, 1.0, 2.5])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.3, -0.45)])
def test_a_clump_is_the_gaussian_behind_the_psf(renderer, sigma, offset):
    image = np.zeros((81, 81))
    renderer.add(image, 40 + offset[0], 40 + offset[1], sigma, 5.0)
    truth = 5.0 * draw_clump((81, 81), 40 + offset[0], 40 + offset[1], sigma, sigma, oversampling=11)
    # A point source shows what interpolating a kernel of 2.7 px FWHM by half a pixel costs.
    np.testing.assert_allclose(image, truth, atol=(1e-3 if sigma else 2.5e-3) * truth.max())
    assert image.sum() == pytest.approx(5.0, rel=2e-3)


def test_drawing_agrees_with_the_fits_transforms(renderer):
    image = np.zeros((41, 41))
    renderer.add(image, 20.37, 19.81, 1.3, 1.0)
    axis = np.arange(41)
    fourier = SpectralPSF(draw_psf(61), 24).images(20.37, 19.81, np.array([1.69, 1.69, 0.0]), axis, axis, 1)
    np.testing.assert_allclose(image, fourier[0], atol=1e-3 * image.max())


@pytest.mark.parametrize(("x", "y"), [(0.2, 30.0), (70.4, -3.0), (200.0, 200.0)])
def test_what_hangs_over_the_edge_is_left_out(renderer, x, y):
    image, large = np.zeros((60, 70)), np.zeros((460, 470))
    renderer.add(image, x, y, 1.5, 1.0)
    renderer.add(large, x + 200, y + 200, 1.5, 1.0)
    np.testing.assert_allclose(image, large[200:260, 200:270], atol=1e-12)


def test_flux_is_that_inside_the_circle_of_unit_sum():
    kernel = 1.2 * draw_psf(41)
    image = np.zeros((81, 81))
    Renderer(kernel).add(image, 40.0, 40.0, 0.0, 3.0)
    assert image.sum() == pytest.approx(3.6 * draw_psf(41).sum(), rel=1e-9)
