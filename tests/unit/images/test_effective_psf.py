"""PSFs built from stars that pixels undersample, in closed form, and the stars that are measured with them."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.images.centring import finer
from clumpscope.images.psf_built import build_psf
from clumpscope.images.stars import find_stars
from clumpscope.photometry.fit import fit_clumps
from unit.photometry.narrow_stars import effective, pixels, stars

pytest_plugins = ["image_fixtures"]
SCALE = 0.04


def sky(make_mosaic, sigma, n, snr, rng):
    """Mosaic of stars, with the signal-to-noise of the faintest and the ten times brighter one of point sources."""
    image, error, table = stars(n, sigma, 1.0, rng, side=61)
    image = image - image
    flux = error[0, 0] * np.geomspace(snr, 10.0 * snr, n) / error[0, 0]
    noise = error[0, 0]
    axis = np.arange(61)
    for k in range(n):
        row, column = np.rint([table["y"][k], table["x"][k]]).astype(int) // 61 * 61
        image[row : row + 61, column : column + 61] += flux[k] * pixels(
            axis + column - table["x"][k], axis + row - table["y"][k], sigma
        )
    return make_mosaic(image + rng.normal(0.0, noise, image.shape), noise, SCALE, "F115W"), table


@pytest.mark.parametrize(("sigma", "n"), [(0.48, 16), (0.65, 16), (0.65, 6)])
def test_psf_of_narrow_stars_measures_others_without_bias(make_mosaic, sigma, n):
    seed = np.random.SeedSequence().entropy
    rng = np.random.default_rng(seed)
    mosaic, _ = sky(make_mosaic, sigma, n, 600.0, rng)
    psf = build_psf(mosaic, find_stars(mosaic))
    assert psf.oversampling == 4 and not psf.undersampled and "samples a pixel side" in psf.notes[-1]
    image, error, truth = stars(150, sigma, 50.0, rng)
    none = np.zeros(150)
    shape = Table({"sigma_x_px": none, "sigma_y_px": none, "theta_deg": none})
    fitted = fit_clumps(image, error, psf.fine, truth["x"], truth["y"], shape=shape, psf_oversampling=4)
    flux = np.asarray(fitted["flux"])
    # The stars' own aperture fluxes have errors of 3 to 0.3 % (their S/N in 0.4 arcsec is 18 times below that of a
    # point), which the PSF's unit sum shares: 0.3 % of 16, 0.6 % of 6. That of the measured stars' mean is 0.17 %.
    allowed = 4.0 * np.hypot(0.0017, 0.003 if n == 16 else 0.006)
    assert abs(flux.mean() - 1.0) < allowed, seed
    width = np.diff(np.percentile((flux - 1.0) / fitted["flux_err"], [16, 84]))[0] / 2
    # Known to 8 %; the PSF's own error adds little at this signal-to-noise.
    assert 0.68 < width < 1.4, seed
    truth = effective(sigma, 4)
    middle, centre = psf.fine.shape[0] // 2, truth.shape[0] // 2
    near = 12
    cut = [
        a[m - near : m + near + 1, m - near : m + near + 1] for a, m in ((psf.fine, middle), (truth, centre))
    ]
    assert np.abs(cut[0] - cut[1]).max() < 0.04 * truth.max(), seed


def test_finer_grid_keeps_the_pixels():
    axis = np.arange(-15, 16)
    image = np.outer(np.exp(-(axis**2) / 8.0), np.exp(-((axis - 0.7) ** 2) / 8.0))
    for n in (3, 4):
        fine = finer(image, n)
        np.testing.assert_allclose(fine[::n, ::n], image, atol=1e-9)
        between = np.arange(-15 * n, 15 * n + 1) / n
        truth = np.outer(np.exp(-(between**2) / 8.0), np.exp(-((between - 0.7) ** 2) / 8.0))
        np.testing.assert_allclose(fine, truth, atol=1e-4)
