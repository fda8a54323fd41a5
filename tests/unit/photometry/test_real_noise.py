"""Errors in the correlated noise of real mosaics: clumps put into empty patches of the sky behind El Gordo."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from clump_scenes import draw_clump, draw_psf
from clumpscope.images.noise import pair_sums
from clumpscope.photometry import fit_clumps

SIDE = 41


def empty_places(sky, n, rng):
    """Positions at least 15 px apart with hardly a missing pixel around them."""
    found = []
    for x, y in rng.uniform(12, sky.shape[0] - 13, (20000, 2)):
        patch = sky[round(y) - 9 : round(y) + 10, round(x) - 9 : round(x) + 10]
        if np.isfinite(patch).mean() > 0.98 and all(np.hypot(x - a, y - b) > 15 for a, b in found):
            found.append((x, y))
        if len(found) == n:
            break
    return np.array(found).T


@pytest.mark.parametrize("name", ["f200w", "f277w"])
def test_pulls_in_real_noise(shared_data, name):
    folder = shared_data / "real" / "images" / "elgordo_arc" / "Background"
    sky = fits.getdata(folder / f"Background_RAM_elgordo-grizli-v7.0-{name}-clear_drc_sci.fits").astype(float)
    sky -= np.nanmedian(sky)
    sigma = 1.4826 * np.nanmedian(np.abs(sky))
    rho = pair_sums(np.where(np.abs(sky) < 4 * sigma, sky, np.nan), 8).correlation()
    assert rho[8, 9] > 0.4
    rng = np.random.default_rng(1)
    x, y = empty_places(sky, 110, rng)
    assert x.size > 80
    flux = 30.0 * sigma / np.sqrt(np.sum(draw_clump((SIDE, SIDE), 20, 20, 1.0, 0.6, 30.0) ** 2))
    image = sky.copy()
    for a, b in zip(x, y, strict=True):
        row, column = round(b) - 12, round(a) - 12
        stamp = flux * draw_clump((25, 25), a - column, b - row, 1.0, 0.6, 30.0, oversampling=5)
        image[max(row, 0) : row + 25, max(column, 0) : column + 25] += stamp[
            max(-row, 0) : sky.shape[0] - row, max(-column, 0) : sky.shape[1] - column
        ]
    error = np.full(sky.shape, sigma)
    n = x.size
    shape = Table({"sigma_x_px": np.ones(n), "sigma_y_px": np.full(n, 0.6), "theta_deg": np.full(n, 30.0)})

    def pull_scatter(**options):
        fitted = fit_clumps(image, error, draw_psf(), x, y, **options)
        pull = (fitted["flux"] - flux) / fitted["flux_err"]
        assert abs(np.nanmedian(pull)) < 0.5
        return 1.4826 * np.nanmedian(np.abs(pull - np.nanmedian(pull)))

    assert 0.75 < pull_scatter(shape=shape, rho=rho) < 1.3
    assert 0.7 < pull_scatter(rho=rho) < 1.4
    # The same errors without the correlation are too small.
    assert pull_scatter(shape=shape) > 1.4
