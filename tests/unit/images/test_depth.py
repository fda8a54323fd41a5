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


def test_correlated_noise_is_measured(make_mosaic, psf):
    line = np.array([1.0, 2.0, 1.0]) / np.sqrt(6.0)
    image = white()
    for axis in (0, 1):
        image = ndimage.convolve1d(image, line, axis, mode="wrap")
    depth = measure_depth(make_mosaic(image, error=SIGMA), psf, max_lag=4)
    # Autocorrelation of (1, 2, 1): 6, 4, 1.
    np.testing.assert_allclose(depth.rho[4, 4:], [1, 4 / 6, 1 / 6, 0, 0], atol=0.02)
    np.testing.assert_allclose(depth.rho[4:, 4], [1, 4 / 6, 1 / 6, 0, 0], atol=0.02)
    # Long waves are amplified by the kernel's sum, 16 / 6.
    assert 1.8 < depth.correlation_factor < 16 / 6
    assert depth.sigma_pixel_njy == pytest.approx(SIGMA, rel=0.02)


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
