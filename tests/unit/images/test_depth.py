import logging

import numpy as np
import pytest
from clumpscope.errors import InputError
from clumpscope.images.depth import depth_table, measure_depth, read_depth
from clumpscope.images.psf import normalise_psf
from image_fields import DEC, RA, moffat, place
from scipy import ndimage

pytest_plugins = ["image_fixtures"]

SIGMA = 0.4


@pytest.fixture(scope="module")
def psf():
    return normalise_psf(moffat((61, 61), 30, 30, 2.6, 2.6), 0.02, "test")


def white(shape=(700, 700), seed=1):
    return np.random.default_rng(seed).normal(0, SIGMA, shape)


def test_depth_of_white_noise_is_that_of_the_aperture(make_mosaic, psf):
    depth = measure_depth(make_mosaic(white(), error=2 * SIGMA), psf)
    radius_px = psf.fwhm_arcsec / 0.02
    # White noise: the sum of the squared shares of the pixels inside the circle, here on a 40 times finer grid.
    fine = (np.arange(40 * 9) + 0.5) / 40 - 4.5
    inside = np.hypot(fine[:, None], fine[None, :]) < radius_px
    share = inside.reshape(9, 40, 9, 40).mean(axis=(1, 3))
    expected = SIGMA * np.sqrt((share**2).sum())
    assert depth.n_apertures == 3000
    assert depth.sigma_aperture_njy == pytest.approx(expected, rel=0.05)
    assert depth.correlation_factor == pytest.approx(1.0, abs=0.05)
    assert depth.sigma_pixel_njy == pytest.approx(SIGMA, rel=0.01)
    assert depth.error_scale == pytest.approx(0.5, rel=0.01)
    middle = depth.rho.shape[0] // 2
    assert depth.rho[middle, middle] == 1.0
    assert np.abs(np.delete(depth.rho.ravel(), depth.rho.size // 2)).max() < 0.02
    fraction = np.interp(psf.fwhm_arcsec, psf.radii_arcsec, psf.encircled_energy) * psf.aperture_correction
    limit = 5 * depth.sigma_aperture_njy / fraction
    assert depth.flux_limit_njy == pytest.approx(limit)
    # 3631 Jy is magnitude zero; 31.4 is its usual rounding for nJy.
    assert depth.mag_limit_ab == pytest.approx(-2.5 * np.log10(limit * 1e-9 / 3631), abs=0.001)


@pytest.mark.parametrize("error", [SIGMA / 100, SIGMA * 100])
def test_errors_of_another_map_are_refused(make_mosaic, psf, error):
    """Compressed maps are not looked at before a run."""
    with pytest.raises(InputError, match=r"errors over which the sky scatters by .* may be exchanged"):
        measure_depth(make_mosaic(white((300, 300)), error=error), psf)


def test_correlated_noise_is_measured(make_mosaic, psf):
    depth = measure_depth(make_mosaic(smoothed(white()), error=SIGMA), psf, max_lag=4)
    # Autocorrelation of (1, 2, 1): 6, 4, 1.
    np.testing.assert_allclose(depth.rho[4, 4:], [1, 4 / 6, 1 / 6, 0, 0], atol=0.02)
    np.testing.assert_allclose(depth.rho[4:, 4], [1, 4 / 6, 1 / 6, 0, 0], atol=0.02)
    # Long waves are amplified by the kernel's sum, 16 / 6.
    assert 1.8 < depth.correlation_factor < 16 / 6
    assert depth.sigma_pixel_njy == pytest.approx(SIGMA, rel=0.02)


LINE = np.array([1.0, 2.0, 1.0]) / np.sqrt(6.0)


def smoothed(image, line=LINE):
    """Noise with the autocorrelation of the line along both axes."""
    for axis in (0, 1):
        image = ndimage.convolve1d(image, line, axis, mode="wrap")
    return image


def point_weights(psf, reach=4):
    """Weights of the flux in a fit of point source and plane, by the normal equations of a generic solver."""
    middle = psf.kernel.shape[0] // 2
    source = psf.kernel[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    y, x = np.indices(source.shape)
    design = np.column_stack([source.ravel(), np.ones(source.size), x.ravel(), y.ravel()])
    return np.linalg.pinv(design)[0].reshape(source.shape)


def fitted_sigma(depth, psf):
    """Error of a point source's flux, over the error map's, by brute force over pairs of pixels."""
    weights, (rho, scale) = point_weights(psf), depth.noise
    half, n = rho.shape[0] // 2, weights.shape[0]
    y, x = (plane.ravel() for plane in np.indices(weights.shape))
    dy, dx = np.subtract.outer(y, y), np.subtract.outer(x, x)
    near = np.maximum(abs(dy), abs(dx)) <= half
    covariance = np.where(near, rho[np.clip(half + dy, 0, 2 * half), np.clip(half + dx, 0, 2 * half)], 0.0)
    assert n == 9
    return scale * np.sqrt(weights.ravel() @ covariance @ weights.ravel())


def response_variance(weights, line):
    """Variance of a weighted sum of noise that was white before `smoothed`."""
    response = ndimage.convolve1d(np.pad(weights, line.size), line, 0, mode="constant")
    return (ndimage.convolve1d(response, line, 1, mode="constant") ** 2).sum()


@pytest.mark.parametrize("seed", [11, 12])
def test_correlation_is_that_of_the_noise_in_units_of_its_errors(make_mosaic, psf, seed):
    """Errors that vary tenfold, spikes of both signs and faint stars leave the known autocorrelation."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((700, 700))
    error = SIGMA * 10 ** (columns / 700)
    # Only the shallow third is uncorrelated, and would make up nearly all of a sum that is not in units of the errors.
    white_there = columns >= 467
    noise = np.where(white_there, rng.normal(size=rows.shape), smoothed(rng.normal(size=rows.shape)))
    image = error * noise
    spikes = rng.integers(0, 700, (2, 300))
    image[tuple(spikes)] += error[tuple(spikes)] * rng.choice([-30.0, 30.0], 300)
    for x, y in rng.integers(40, 660, (60, 2)):
        place(image, moffat((61, 61), 30, 30, 2.6, 2.6, 4 * error[y, x]), x - 30, y - 30)
    rho = measure_depth(make_mosaic(image, error=error, name=f"F{seed}W"), psf, max_lag=4).rho
    # A third of the pixels adds to lag 0 alone.
    expected = np.array([1.0, 4 / 6 * 2 / 3, 1 / 6 * 2 / 3, 0, 0])
    np.testing.assert_allclose(rho[4, 4:], expected, atol=0.035)
    np.testing.assert_allclose(rho[4:, 4], expected, atol=0.035)


@pytest.mark.parametrize("seed", [21, 22])
def test_errors_of_fits_are_those_of_noise_and_faint_sources(make_mosaic, psf, seed):
    rng = np.random.default_rng(seed)
    image = SIGMA * smoothed(rng.normal(size=(700, 700)))
    weights = point_weights(psf)
    variance = SIGMA**2 * response_variance(weights, LINE)
    quiet = measure_depth(make_mosaic(image, error=SIGMA, name="F150W"), psf)
    # 3000 fits in boxes of 81 of 490 000 pixels: their scatter is known to 2 %, their correlation to as much.
    assert quiet.fit_scale == pytest.approx(1.0, abs=0.07)
    assert quiet.fit_share_95 == pytest.approx(0.95, abs=0.02)
    assert SIGMA * fitted_sigma(quiet, psf) == pytest.approx(np.sqrt(variance), rel=0.07)
    # Stars of 1 sigma, one in 20 pixels: the sum of many is nearly Gaussian, with the variance of Campbell's theorem.
    flux, density = np.sqrt(variance), 0.05
    stars = rng.poisson(density, image.shape) * flux
    kernel = psf.kernel
    spectrum = np.fft.rfft2(np.fft.ifftshift(np.pad(kernel, ((319, 320), (319, 320)))))
    image = image + np.fft.irfft2(np.fft.rfft2(stars) * spectrum, stars.shape)
    response = ndimage.correlate(np.pad(kernel, 5), weights, mode="constant")
    expected = np.sqrt(variance + density * flux**2 * (response**2).sum())
    assert expected > 1.15 * np.sqrt(variance)
    crowded = measure_depth(make_mosaic(image, error=SIGMA, name="F200W"), psf)
    assert SIGMA * fitted_sigma(crowded, psf) == pytest.approx(expected, rel=0.08)


def test_noise_that_the_lags_do_not_reach_is_in_the_errors_of_fits(make_mosaic, psf):
    line = np.array([1.0, 3.0, 5.0, 6.0, 5.0, 3.0, 1.0])
    line /= np.sqrt((line**2).sum())
    image = SIGMA * smoothed(white(seed=3) / SIGMA, line)
    mosaic = make_mosaic(image, error=SIGMA)
    depth = measure_depth(mosaic, psf, max_lag=1)
    truth = np.sqrt(response_variance(point_weights(psf), line))
    assert depth.fit_scale > 1.15
    assert fitted_sigma(depth, psf) == pytest.approx(truth, rel=0.07)
    plain = measure_depth(mosaic, psf, max_lag=1, scale_fits=False)
    assert plain.fit_scale == 1.0 and plain.fit_share_95 < 0.92
    assert depth.fit_share_95 == pytest.approx(0.95, abs=0.02)


def test_sources_and_cluster_core_are_avoided(make_mosaic, psf):
    rng = np.random.default_rng(2)
    image = white()
    for x, y in rng.integers(20, 680, (60, 2)):
        place(image, moffat((61, 61), 30, 30, 2.6, 2.6, rng.uniform(20, 2000)), x - 30, y - 30)
    clean = measure_depth(make_mosaic(white(), error=SIGMA, name="F115W"), psf)
    crowded = measure_depth(make_mosaic(image, error=SIGMA, name="F150W"), psf)
    assert crowded.sigma_aperture_njy == pytest.approx(clean.sigma_aperture_njy, rel=0.08)
    # A core twice as noisy counts unless it is left out.
    rows, columns = np.indices(image.shape)
    core = np.hypot(rows - 349.5, columns - 349.5) < 250
    noisy = white()
    noisy[core] *= 2
    mosaic = make_mosaic(noisy, error=SIGMA, name="F200W")
    with_core = measure_depth(mosaic, psf)
    without = measure_depth(mosaic, psf, core=(RA, DEC, 5.0))
    assert with_core.sigma_pixel_njy > 1.2 * SIGMA
    assert without.sigma_pixel_njy == pytest.approx(SIGMA, rel=0.02)
    assert without.sigma_aperture_njy == pytest.approx(clean.sigma_aperture_njy, rel=0.08)


def test_same_seed_same_depth_and_file_round_trip(make_mosaic, psf, tmp_path):
    mosaic = make_mosaic(white((300, 300)), error=SIGMA)
    first, second = measure_depth(mosaic, psf, 500), measure_depth(mosaic, psf, 500)
    np.testing.assert_array_equal(first.fluxes_njy, second.fluxes_njy)
    assert not np.array_equal(first.fluxes_njy, measure_depth(mosaic, psf, 500, seed=1).fluxes_njy)
    first.write(tmp_path / "depth.fits")
    again = read_depth(tmp_path / "depth.fits")
    for name in vars(first):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    # Too small to tell how fits scatter.
    small = measure_depth(make_mosaic(white((110, 110)), error=SIGMA, name="F200W"), psf)
    small.write(tmp_path / "small.fits")
    assert small.fit_scale == 1.0 and np.isnan(read_depth(tmp_path / "small.fits").fit_share_95)
    table = depth_table({"F150W": first})
    assert table["mag_limit_ab"][0] == first.mag_limit_ab and str(table["flux_limit_njy"].unit) == "nJy"


def test_large_mosaics_are_sampled(make_mosaic, psf, monkeypatch):
    monkeypatch.setattr("clumpscope.images.depth._BLOCK_PX", 60)
    monkeypatch.setattr("clumpscope.images.depth._MAX_BLOCKS", 20)
    depth = measure_depth(make_mosaic(white(), error=SIGMA), psf)
    assert depth.n_apertures == 3000
    assert depth.sigma_pixel_njy == pytest.approx(SIGMA, rel=0.03)


def test_images_without_sky(make_mosaic, psf):
    with pytest.raises(InputError, match="0 empty positions"):
        measure_depth(make_mosaic(np.full((100, 100), np.nan), error=1.0), psf)
    with pytest.raises(InputError, match="0 empty positions"):
        measure_depth(make_mosaic(white((100, 100)), error=0.0, name="F200W"), psf)


def test_little_empty_sky_is_warned_of(make_mosaic, psf, caplog):
    image = np.full((200, 200), np.nan)
    image[:20, :20] = np.random.default_rng(0).normal(size=(20, 20))
    with caplog.at_level(logging.WARNING):
        measure_depth(make_mosaic(image, 1.0), psf)
    assert "side by side only" in caplog.text
