import numpy as np
import pytest
from clumpscope.images.noise import aperture_inflation, make_positive, pair_sums
from clumpscope.images.sky import sky_map, sky_plane, sky_statistics
from scipy import ndimage, signal


def test_sky_of_pure_noise_is_unbiased():
    values = np.random.default_rng(1).normal(3.0, 2.0, 400_000)
    level, sigma = sky_statistics(values)
    assert level == pytest.approx(3.0, abs=0.02)
    assert sigma == pytest.approx(2.0, rel=0.01)


def test_sky_between_sources():
    rng = np.random.default_rng(2)
    values = rng.normal(0.0, 1.0, 100_000)
    values[:15_000] += rng.exponential(30.0, 15_000)
    values[:100] = np.nan
    level, sigma = sky_statistics(values)
    assert abs(level) < 0.1
    assert sigma == pytest.approx(1.0, rel=0.06)
    assert np.isnan(sky_statistics(np.full(4, np.nan))).all()


def test_sky_map_follows_a_gradient_under_sources():
    rng = np.random.default_rng(3)
    rows, columns = np.indices((256, 320))
    truth = 0.01 * rows - 0.02 * columns
    image = truth + rng.normal(0, 0.3, truth.shape)
    image[100:120, 100:120] += 50.0
    image[:40, :90] = np.nan
    difference = (sky_map(image, 32) - truth)[48:-48, 48:-48]
    assert np.abs(difference).max() < 0.25


def kernel():
    half = np.array([1.0, 2.0, 1.0])
    return np.outer(half, half)


def true_correlation(max_lag):
    square = signal.convolve2d(kernel(), kernel())
    rho = np.zeros((2 * max_lag + 1, 2 * max_lag + 1))
    rho[max_lag - 2 : max_lag + 3, max_lag - 2 : max_lag + 3] = square / square[2, 2]
    return rho


def test_correlation_of_smoothed_noise_with_holes():
    rng = np.random.default_rng(4)
    image = ndimage.convolve(rng.normal(size=(600, 700)), kernel())
    image[rng.uniform(size=image.shape) < 0.2] = np.nan
    sums = pair_sums(image[:300], 4)
    sums += pair_sums(image[300:], 4)
    np.testing.assert_allclose(sums.correlation(), true_correlation(4), atol=0.015)


def test_positive_kernels_make_covariances():
    # Flat inside lag 1 and zero outside: no noise has this correlation.
    rho = make_positive(np.ones((3, 3)))
    assert rho[1, 1] == 1.0
    positions = np.stack(np.indices((9, 9)).reshape(2, -1), axis=1)
    lag = positions[:, None] - positions[None]
    near = (np.abs(lag) <= 1).all(axis=2)
    covariance = np.where(near, rho[tuple(np.clip(lag + 1, 0, 2).transpose(2, 0, 1))], 0.0)
    assert np.linalg.eigvalsh(covariance).min() > -1e-9
    allowed = true_correlation(3)
    np.testing.assert_allclose(make_positive(allowed), allowed, atol=1e-12)


def test_inflation_of_an_aperture():
    rng = np.random.default_rng(5)
    image = ndimage.convolve(rng.normal(size=(1200, 1200)), kernel(), mode="wrap")
    rows, columns = np.indices((7, 7)) - 3
    weights = (np.hypot(rows, columns) <= 3).astype(float)
    sums = ndimage.correlate(image, weights, mode="wrap")
    expected = sums.std() / (image.std() * np.sqrt(weights.sum()))
    assert aperture_inflation(weights, true_correlation(3)) == pytest.approx(expected, rel=0.02)


def test_sky_plane_lies_under_sources_and_goes_on_beneath_a_galaxy():
    rng = np.random.default_rng(6)
    rows, columns = np.indices((90, 110))
    truth = 5.0 + 0.03 * rows - 0.05 * columns
    data = rng.normal(truth, 1.0)
    data[10:20, 70:85] += 40.0
    data[:, 3] = np.nan
    galaxy = np.hypot(rows - 45, columns - 55) < 25
    plane = sky_plane(data + 100.0 * galaxy, ~galaxy)
    # 7500 pixels of unit noise: known to 0.01 in the middle, and to 0.04 at the corners.
    assert np.abs(plane - truth).max() < 0.12
    assert np.all(sky_plane(data, np.zeros(data.shape, dtype=bool)) == 0.0)
