"""PSFs whose width varies over the field: trends against polynomials with noise, stretched kernels against profiles in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from clumpscope.images.centring import stretched
from clumpscope.images.psf import normalise_psf, read_psf
from clumpscope.images.psf_local import local_psf
from clumpscope.images.psf_variation import WidthTrend, fit_trend
from unit.photometry.narrow_stars import effective

SCALE, SIGMA = 0.04, 1.3


def stars(rng, n, ra=0.001, dec=-30.4, half_deg=0.02):
    """Places over a field that right ascension 0 goes through, and how far they are from its middle."""
    u, v = rng.uniform(-1.0, 1.0, (2, n))
    return (ra + half_deg * u / np.cos(np.radians(dec))) % 360.0, dec + half_deg * v, u, v


def bowl(u, v):
    return 0.12 * u - 0.05 * v + 0.1 * v**2


@pytest.mark.parametrize("scatter", [0.0, 0.03])
def test_a_trend_is_found_where_widths_have_one(scatter):
    seed = np.random.SeedSequence().entropy
    rng = np.random.default_rng(seed)
    off, ends = [], []
    for _ in range(30):
        ra, dec, u, v = stars(rng, 40)
        noise = rng.uniform(0.005, 0.02, 40)
        excess = 0.03 + bowl(u, v) + rng.normal(0.0, np.hypot(noise, scatter))
        excess[0] = 3.0  # a pair of stars
        trend = fit_trend(ra, dec, excess, noise)
        expected = 1.0 + bowl(u, v)[1:] - bowl(u[1:], v[1:]).mean()
        off.append(np.sqrt(np.mean((trend.variance_ratio(ra, dec)[1:] - expected) ** 2)))
        ends.append([abs(trend.low - expected.min()), abs(trend.high - expected.max())])
        # Nothing is extrapolated.
        far = trend.variance_ratio(ra[1] + 5.0 * np.array([-1.0, 0.0, 1.0]), dec[1])
        assert (far >= trend.low).all() and (far <= trend.high).all(), seed
    # Six terms of 39 stars: the curve is known to some 40 % of one star's scatter. One field of a hundred is worse off by
    # twice that, the median of thirty is not.
    assert np.median(off) < 0.45 * np.hypot(0.015, scatter), seed
    assert np.median(ends) < 0.02, seed


def test_no_trend_is_found_in_noise():
    seed = np.random.SeedSequence().entropy
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(100):
        ra, dec, *_ = stars(rng, 30)
        found += fit_trend(ra, dec, rng.normal(0.0, 0.04, 30), np.full(30, 0.02)) is not None
    # Bayesian information criterion: one in nineteen of 4000 such fields; 17 are told once in 20 000 runs.
    assert found <= 16, seed


def test_few_stars_tell_no_trend():
    ra, dec, u, v = stars(np.random.default_rng(1), 11)
    assert fit_trend(ra, dec, bowl(u, v), np.full(11, 0.001)) is None
    # Nor do widths that hardly differ, however well they are known.
    ra, dec, u, _ = stars(np.random.default_rng(1), 40)
    assert fit_trend(ra, dec, 0.003 * u, np.full(40, 1e-4)) is None
    assert fit_trend(ra, dec, 0.03 * u, np.full(40, 1e-4)) is not None
    # Nor do stars at one place.
    assert (
        fit_trend(np.full(20, 10.0), np.full(20, 2.0), np.linspace(0.0, 1.0, 20), np.full(20, 0.01)) is None
    )


def test_widths_that_no_telescope_has_make_no_psf():
    """Galaxies taken for stars on one side of a field: variances would come out below zero on the other."""
    ra, dec, u, _ = stars(np.random.default_rng(2), 40)
    trend = fit_trend(ra, dec, 1.5 * u, np.full(40, 0.05))
    assert trend.low == 0.5 and trend.high == 2.0
    assert (trend.variance_ratio(ra, dec) >= 0.5).all()


@pytest.mark.parametrize("oversampling", [1.0, 4.0])
@pytest.mark.parametrize("factor", [0.92, 1.08])
def test_a_local_psf_is_as_wide_as_it_should_be(oversampling, factor, tmp_path):
    psf = normalise_psf(effective(SIGMA, oversampling), SCALE, "PSF", oversampling=oversampling)
    assert local_psf(psf, 10.0, 2.0) is psf
    ratio = factor**2
    trend = WidthTrend(10.0, 2.0, 0.01, np.array([1.0, ratio - 1.0, 0.0, 0.0, 0.0, 0.0]), 0.8, 1.2)
    replace(psf, trend=trend).write(tmp_path / "psf.fits")
    local = local_psf(read_psf(tmp_path / "psf.fits"), 10.0 + 0.01 / np.cos(np.radians(2.0)), 2.0)
    # The pixel does not grow with the light: of a Gaussian's variance its twelfth is left out.
    sigma = np.sqrt(ratio * (SIGMA**2 + 1 / 12) - 1 / 12)
    truth = normalise_psf(effective(sigma, oversampling), SCALE, "PSF", oversampling=oversampling)
    assert local.trend is None and local.fwhm_arcsec == pytest.approx(truth.fwhm_arcsec, rel=0.01)
    np.testing.assert_allclose(local.kernel, truth.kernel, atol=0.01 * truth.kernel.max())
    np.testing.assert_allclose(local.fine, truth.fine, atol=0.01 * truth.fine.max())
    assert local.aperture_correction == pytest.approx(truth.aperture_correction, rel=0.003)


@pytest.mark.parametrize("factor", [0.8, 0.95, 1.3])
def test_a_stretched_image_is_as_wide_as_it_is_told(factor):
    places = np.arange(-40, 41)

    def gaussian(sigma: float) -> np.ndarray:
        return np.exp(-np.add.outer(places**2, places**2) / (2.0 * sigma**2))

    assert np.allclose(stretched(gaussian(2.0), factor), gaussian(2.0 * factor), atol=1e-8)


def test_nothing_comes_over_the_edge_of_a_stretched_image():
    corner = np.zeros((41, 41))
    corner[:5, :5] = 1.0
    assert np.abs(stretched(corner, 0.5)[20:, 20:]).max() < 0.05
