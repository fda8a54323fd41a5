"""The host's light under the clumps."""

import numpy as np
import pytest
from clump_scenes import Field, draw_clump, draw_psf
from clumpscope.photometry import fit_clumps
from clumpscope.photometry.host import host_light

KERNEL = draw_psf()


def on_a_ridge(n, snr, seed):
    """Point sources beside the ridge of an arc 9 px wide and 30 times the noise high: images, positions, flux."""
    rng = np.random.default_rng(seed)
    flux = snr / np.sqrt(np.sum(draw_clump((31, 31), 15, 15) ** 2))
    for _ in range(n):
        x, y = 20 + rng.uniform(-0.5, 0.5, 2)
        across = np.arange(41) - 20 - rng.uniform(-3, 3)
        image = np.tile(30.0 * np.exp(-0.5 * (across / 4.0) ** 2)[:, None], (1, 41))
        yield (
            image + flux * draw_clump((41, 41), x, y, oversampling=5) + rng.normal(0, 1, (41, 41)),
            x,
            y,
            flux,
        )


def test_ridges_are_not_taken_for_light_of_the_clumps():
    measured = {0.0: [], 2.0: []}
    for image, x, y, flux in on_a_ridge(30, 150.0, 1):
        for host_fwhm, ratios in measured.items():
            fitted = fit_clumps(image, np.ones(image.shape), KERNEL, [x], [y], host_fwhm=host_fwhm)
            ratios.append(fitted["flux"][0] / flux)
            assert fitted["background"][0] == pytest.approx(30.0, abs=12.0)
    plane, host = (np.median(ratios) for ratios in measured.values())
    assert abs(host - 1.0) < 0.5 * abs(plane - 1.0)


@pytest.mark.parametrize("snr", [20.0, 200.0])
def test_isolated_clumps_on_sky_have_no_host(snr):
    field = Field(25, snr, 1.0, 0.6, seed=2)
    args = (field.image, field.error, KERNEL, field.start_x, field.start_y)
    plane, host = fit_clumps(*args, host_fwhm=0.0), fit_clumps(*args)
    np.testing.assert_array_equal(plane["flux"], host["flux"])


def test_light_is_the_running_median_above_the_noise_and_near_the_clumps_alone():
    rows, columns = np.indices((40, 50)).astype(float)
    left = 20.0 + 0.5 * columns + 0.25 * rows
    left[20, 25], left[18, 22] = 500.0, np.nan  # what compact sources and bad pixels leave does not count
    light = host_light(left, np.full(left.shape, 2.0), np.array([25.0]), np.array([20.0]), 9, 4)
    near = np.s_[16:25, 21:30]
    plane = 14.0 + 0.5 * columns + 0.25 * rows
    np.testing.assert_allclose(light[20:25, 25:30], plane[20:25, 25:30], atol=0.3)
    assert light[18, 22] == 0.0 and np.count_nonzero(light) == light[near].size - 1
    assert not host_light(left, np.full(left.shape, 50.0), np.array([25.0]), np.array([20.0]), 9, 4).any()
    assert not host_light(
        np.full((9, 9), np.nan), np.ones((9, 9)), np.array([4.0]), np.array([4.0]), 5, 4
    ).any()
