"""The image of a clump against sums of Gaussians on a fine grid, and its derivatives against differences."""

import numpy as np
import pytest
from clump_scenes import draw_clump, draw_psf
from clumpscope.photometry.boxes import group_clumps, make_box
from clumpscope.photometry.compiled import correlate, sandwich
from clumpscope.photometry.model import SpectralPSF, covariance_of, shape_of
from clumpscope.photometry.noise import Correlation

KERNEL = draw_psf(61)
PIXELS = np.arange(11)


@pytest.mark.parametrize(
    ("sigma_x", "sigma_y", "theta"), [(0.0, 0.0, 0.0), (0.2, 0.2, 0.0), (1.5, 0.0, 70.0), (3.0, 1.0, -30.0)]
)
def test_image_of_any_size_at_any_place(sigma_x, sigma_y, theta):
    image = SpectralPSF(KERNEL, 8).images(
        5.3, 4.8, covariance_of(sigma_x, sigma_y, theta), PIXELS, PIXELS, 1
    )[0]
    truth = draw_clump((51, 51), 25.3, 24.8, sigma_x, sigma_y, theta, oversampling=11)[20:31, 20:31]
    # The kernel is known at whole pixels only: what a sub-pixel shift cannot know is this small.
    assert np.abs(image - truth).max() < 1e-3 * truth.max()


def test_derivatives():
    psf = SpectralPSF(KERNEL, 8)
    place = np.array([5.3, 4.8, *covariance_of(1.2, 0.7, 25.0)])

    def image(parameters):
        return psf.images(*parameters[:2], parameters[2:], PIXELS, PIXELS, 1)[0]

    parts = psf.images(*place[:2], place[2:], PIXELS, PIXELS, 6)
    for k in range(5):
        step = np.zeros(5)
        step[k] = 1e-5
        difference = (image(place + step) - image(place - step)) / 2e-5
        assert parts[k + 1] == pytest.approx(difference, abs=1e-7 * np.abs(difference).max())
    fewer = psf.images(*place[:2], place[2:], PIXELS, PIXELS, 3)
    assert fewer == pytest.approx(parts[:3], abs=1e-15)


def test_flux_is_conserved_over_a_wide_box():
    wide = np.arange(49)
    image = SpectralPSF(KERNEL, 24).images(24.2, 23.9, covariance_of(1.5, 1.0, 10.0), wide, wide, 1)
    assert image.sum() == pytest.approx(KERNEL.sum(), rel=1e-3)


def test_shape_and_covariance_are_inverse():
    covariance = covariance_of(2.0, 0.5, -40.0)
    assert np.array(shape_of(covariance)) == pytest.approx([2.0, 0.5, -40.0])
    # Flat in any direction, whatever the last digit is.
    flat = covariance_of(1.3, 0.0, np.linspace(-90.0, 90.0, 50))
    assert (shape_of(flat)[1] == 0.0).all()
    matrix = np.array([[covariance[0], covariance[2]], [covariance[2], covariance[1]]])
    axis = np.array([np.cos(np.deg2rad(-40)), np.sin(np.deg2rad(-40))])
    assert matrix @ axis == pytest.approx(4.0 * axis)


def test_groups_are_chains_of_close_clumps():
    x, y = np.array([0.0, 3.9, 7.8, 30.0, 34.0, 30.0]), np.array([0.0, 0.0, 0.0, 5.0, 5.0, 5.0])
    groups = [list(group) for group in group_clumps(x, y, 4.0)]
    # Exactly four pixels is not closer than four; the same place twice is.
    assert groups == [[0, 1, 2], [3, 5], [4]]
    assert group_clumps(np.array([]), np.array([]), 4.0) == []


def test_box_of_a_group_is_the_union_of_its_squares():
    weight = np.ones((40, 40))
    box = make_box(weight, np.array([10.2, 13.9]), np.array([20.0, 22.0]), 5)
    assert tuple(box.corner) == (18, 8)
    assert box.weight.shape == (7, 9)
    assert box.n_good == 25 + 25 - 1 * 3
    assert not box.cut
    weight[20, 10] = 0.0
    assert make_box(weight, np.array([10.2]), np.array([20.0]), 5).cut
    assert make_box(np.ones((40, 40)), np.array([1.0]), np.array([20.0]), 5).cut
    assert make_box(weight, np.array([100.0]), np.array([20.0]), 5) is None


def test_sandwich_is_the_covariance_of_least_squares():
    rng = np.random.default_rng(3)
    columns = rng.normal(size=(4, 7 * 5))
    rho = np.array([[0.1, 0.3, 0.1], [0.3, 1.0, 0.3], [0.1, 0.3, 0.1]])
    rows, places = np.divmod(np.arange(35), 5)
    dy, dx = rows[:, None] - rows, places[:, None] - places
    noise = np.where((abs(dy) < 2) & (abs(dx) < 2), rho[np.clip(dy, -1, 1) + 1, np.clip(dx, -1, 1) + 1], 0.0)
    inverse = np.linalg.pinv(columns.T)
    correlated = Correlation(rho)(columns, (7, 5))
    np.testing.assert_allclose(correlated, columns @ noise, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(correlate(columns, 7, 5, rho), correlated, rtol=1e-12, atol=1e-12)
    # By the matrix of a small box, and by the lags of a large one.
    for arrays in (Correlation(rho).arrays((7, 5)), (rho, np.empty((0, 0)))):
        covariance, white = sandwich(columns, 1, correlated[1:3], np.zeros(2), 1.0, 7, 5, *arrays)
        assert covariance == pytest.approx(inverse @ noise @ inverse.T, rel=1e-6, abs=1e-9)
        assert white == pytest.approx(inverse @ inverse.T, rel=1e-6, abs=1e-9)
    # A ridge is a further measurement, of zero, whose error is the parameter's own scatter.
    ridge, variance = np.array([2.0, 3.0]), 0.7
    rows = np.sqrt([[0.0, ridge[0], 0.0, 0.0], [0.0, 0.0, ridge[1], 0.0]])
    more = np.zeros((37, 37))
    more[:35, :35], more[[35, 36], [35, 36]] = noise, ridge * variance
    inverse = np.linalg.pinv(np.vstack([columns.T, rows]))
    covariance, white = sandwich(columns, 1, correlated[1:3], ridge, 1.0 / variance, 7, 5, *arrays)
    np.testing.assert_allclose(covariance, inverse @ more @ inverse.T, rtol=1e-8)
    np.testing.assert_allclose(white, inverse @ inverse.T, rtol=1e-8)
