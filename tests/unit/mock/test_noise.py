"""The mock noise: correlation as of a drizzle done by hand, depths as asked."""

import numpy as np
import pytest
from clumpscope.filters import get_filter
from clumpscope.mock import noise
from clumpscope.mock.optics import OVERSAMPLING, PIXEL_SCALE_ARCSEC, encircled_energy, make_psf


def drizzled_line(
    rng: np.random.Generator, n: int, native: float, pixfrac: float, n_dithers: int
) -> np.ndarray:
    """Average of white-noise exposures, each drizzled at a random offset; lengths in output pixels."""
    edges = np.arange(n + 1)
    total = np.zeros(n)
    for offset in rng.uniform(0, native, n_dithers):
        centres = np.arange(offset - native, n + native, native)
        low, high = centres - pixfrac * native / 2, centres + pixfrac * native / 2
        overlap = np.minimum(high, edges[1:, None]) - np.maximum(low, edges[:-1, None])
        total += np.clip(overlap, 0, None) @ rng.normal(size=centres.size)
    return total


@pytest.mark.parametrize("channel", ["sw", "lw"])
def test_correlation_is_that_of_drizzling(channel):
    rng = np.random.default_rng(1)
    native = {"sw": 0.031 / 0.02, "lw": 0.063 / 0.04}[channel]
    lines = np.array([drizzled_line(rng, 160, native, 0.75, 40) for _ in range(300)])
    measured = [(lines[:, : 160 - lag] * lines[:, lag:]).mean() / (lines**2).mean() for lag in range(4)]
    assert np.allclose(noise.correlation(channel)[3:], measured, atol=0.02)


@pytest.mark.parametrize("channel", ["sw", "lw"])
def test_noise_has_unit_variance_and_the_correlation(channel):
    field = noise.correlated_noise(np.random.default_rng(2), (700, 700), channel).astype(float)
    assert field.std() == pytest.approx(1.0, rel=0.01)
    rho = noise.correlation(channel)
    for lag in range(4):
        assert (field[:, : 700 - lag] * field[:, lag:]).mean() == pytest.approx(rho[3 + lag], abs=0.01)
        assert (field[: 700 - lag] * field[lag:]).mean() == pytest.approx(rho[3 + lag], abs=0.01)
    assert (field[1:, 1:] * field[:-1, :-1]).mean() == pytest.approx(rho[4] ** 2, abs=0.01)


@pytest.mark.parametrize("name", ["F150W", "F444W"])
def test_apertures_have_the_scatter_of_the_depth(name):
    band = get_filter(name)
    scale = PIXEL_SCALE_ARCSEC[band.channel]
    psf = make_psf(name, 1)
    sky = noise.correlated_noise(np.random.default_rng(3), (900, 900), band.channel)
    sky = sky * noise.pixel_sigma_njy(name, psf)
    weights = noise.aperture_weights(band.psf_fwhm_arcsec / scale, 6)
    sums = [
        (sky[y : y + 13, x : x + 13] * weights).sum() for y in range(0, 880, 13) for x in range(0, 880, 13)
    ]
    share = [encircled_energy(psf, r * OVERSAMPLING / scale) for r in (band.psf_fwhm_arcsec, 0.4)]
    point_source_limit = 5 * np.std(sums) / (share[0] / share[1])
    assert 31.4 - 2.5 * np.log10(point_source_limit) == pytest.approx(band.mag_limit_ab, abs=0.05)


def test_aperture_weights_add_up_to_the_circle():
    assert noise.aperture_weights(3.3, 5).sum() == pytest.approx(np.pi * 3.3**2, rel=2e-3)
