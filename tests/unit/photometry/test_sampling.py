"""PSFs as narrow as pixels: stars and clumps in closed form, fitted with kernels on pixels and on finer grids."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.images.psf import normalise_psf
from clumpscope.injection.render import Renderer
from clumpscope.photometry.fit import fit_clumps, render_clumps
from clumpscope.photometry.model import SpectralPSF
from clumpscope.photometry.reference import image_of
from unit.photometry.narrow_stars import brightness, effective, fwhm, pixels, stars

# FWHM of 1.40, 1.62 and 2.13 px, pixel included.
SIGMAS = (0.48, 0.59, 0.83)
N = 150
SEEDS = {sigma: np.random.SeedSequence().entropy for sigma in SIGMAS}


def round_shapes(sigma_px, n):
    return Table(
        {"sigma_x_px": np.full(n, sigma_px), "sigma_y_px": np.full(n, sigma_px), "theta_deg": np.zeros(n)}
    )


def summary(fitted):
    """Mean flux, its error from the scatter, and half the 16-84 % width of the pulls."""
    flux = np.asarray(fitted["flux"])
    pull = (flux - 1.0) / np.asarray(fitted["flux_err"])
    low, high = np.percentile(pull, [16, 84])
    return flux.mean(), flux.std() / np.sqrt(flux.size), (high - low) / 2


@pytest.mark.parametrize("forced", [True, False])
@pytest.mark.parametrize("sigma", SIGMAS)
def test_stars_behind_narrow_psfs_are_unbiased_with_an_oversampled_kernel(sigma, forced):
    image, error, truth = stars(N, sigma, 50.0, np.random.default_rng(SEEDS[sigma]))
    shape = round_shapes(0.0, N) if forced else None
    start = np.rint(truth["x"]), np.rint(truth["y"])
    fitted = fit_clumps(image, error, effective(sigma, 4), *start, shape=shape, psf_oversampling=4)
    mean, mean_err, width = summary(fitted)
    # 0.5 % is what a free shape's choice between point and ellipse may cost at a signal-to-noise of 50.
    assert abs(mean - 1.0) < 4.0 * mean_err + (0.0 if forced else 0.005), SEEDS
    # A width of 150 is known to 8 %; four of these.
    assert 0.68 < width < 1.35, SEEDS


def test_on_pixels_alone_they_are_biased_at_their_corners():
    """What the oversampled kernel is for; the error of the mean of such stars is 0.5 %."""
    rng = np.random.default_rng(SEEDS[SIGMAS[0]])
    image, error, truth = stars(N, SIGMAS[0], 50.0, rng)
    fitted = fit_clumps(
        image, error, effective(SIGMAS[0], 1), truth["x"], truth["y"], shape=round_shapes(0.0, N)
    )
    assert summary(fitted)[0] < 0.96


def test_clumps_behind_narrow_psfs_keep_their_sizes():
    sigma, size = SIGMAS[0], 0.9
    image, error, truth = stars(N, sigma, 60.0, np.random.default_rng(SEEDS[sigma]), clump_px=size)
    fitted = fit_clumps(image, error, effective(sigma, 3), truth["x"], truth["y"], psf_oversampling=3)
    assert abs(summary(fitted)[0] - 1.0) < 4.0 * summary(fitted)[1] + 0.01, SEEDS
    mean = np.sqrt(np.mean(np.asarray(fitted["moments"])[:, :2]))
    # The mean variance of 150 clumps is known to about 2 %.
    assert mean == pytest.approx(size, rel=0.04), SEEDS


@pytest.mark.parametrize("oversampling", [2, 3, 3.7, 5])
def test_images_at_any_place(oversampling):
    axis = np.arange(21)
    for x, y, size in ((10.5, 9.5, 0.0), (10.21, 9.83, 0.0), (9.7, 10.4, 0.6)):
        truth = pixels(axis - x, axis - y, SIGMAS[1], size)
        spectral = SpectralPSF(effective(SIGMAS[1], oversampling), 12, oversampling)
        image = spectral.images(x, y, np.array([size**2, size**2, 0.0]), axis, axis, 1)[0]
        # Frequencies that cost less than 3e-4 of the peak are left out, once in the kernel and once by its sampling.
        assert np.abs(image - truth).max() < 1e-3 * truth.max()
        drawn = np.zeros((21, 21))
        Renderer(effective(SIGMAS[1], oversampling), oversampling).add(drawn, x, y, size, 1.0)
        # Splines through two samples a pixel are right to 1 %.
        assert np.abs(drawn - truth).max() < (0.01 if oversampling < 3 or size else 0.002) * truth.max()


@pytest.mark.parametrize("oversampling", [3, 4])
def test_the_readable_reference_draws_the_same(oversampling):
    axis = np.arange(21)
    kernel = effective(SIGMAS[1], oversampling)
    image = image_of(kernel, 10.3, 9.6, np.zeros(3), axis, axis, oversampling)
    truth = pixels(axis - 10.3, axis - 9.6, SIGMAS[1])
    assert np.abs(image - truth).max() < 1e-3 * truth.max()
    with pytest.raises(InputError, match="whole number"):
        fit_clumps(np.zeros((21, 21)), np.ones((21, 21)), effective(SIGMAS[1], 2.5), [10], [10], method="lmfit",
                   psf_oversampling=2.5)  # fmt: skip


def test_a_surface_brightness_is_integrated_over_pixels_and_an_effective_psf_is_not():
    axis = np.arange(-80, 81) / 4
    by_pixel = normalise_psf(effective(SIGMAS[0], 4), 0.04, "effective", oversampling=4)
    by_light = normalise_psf(
        brightness(axis, axis, SIGMAS[0]), 0.04, "brightness", oversampling=4, has_pixel=False
    )
    np.testing.assert_allclose(by_light.fine, by_pixel.fine, atol=1e-3 * by_pixel.fine.max())
    assert by_pixel.sampling_px == pytest.approx(fwhm(SIGMAS[0]), rel=0.01)
    whole = np.arange(-20, 21)
    truth = pixels(whole, whole, SIGMAS[0])
    np.testing.assert_allclose(by_light.kernel, truth, atol=2e-3 * truth.max())
    assert not by_light.undersampled
    alone = normalise_psf(truth, 0.04, "pixels")
    assert alone.undersampled and "oversampled PSF" in alone.notes[-1]


def test_rendered_clumps_are_those_fitted():
    image, error, truth = stars(9, SIGMAS[0], 1e4, np.random.default_rng(0))
    kernel = effective(SIGMAS[0], 4)
    fitted = fit_clumps(image, error, kernel, truth["x"], truth["y"], model="point", psf_oversampling=4)
    left = image - render_clumps(fitted, kernel, image.shape, 4)
    assert np.abs(left).max() < 1e-3 * image.max()
