"""Errors in the correlated noise of real mosaics: clumps put into empty patches of the sky behind El Gordo."""

import numpy as np
import pytest
from astropy.table import Table
from clump_scenes import draw_clump, draw_psf
from clumpscope.images.depth import measure_depth
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.psf_given import load_psf
from clumpscope.images.sky import sky_statistics
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


def local_noise(sky, cell=80, margin=20):
    """Error map: the robust scatter around every place, as a galaxy's cutout has it where there is no map."""
    error = np.empty(sky.shape)
    for row in range(0, sky.shape[0], cell):
        for column in range(0, sky.shape[1], cell):
            around = np.s_[
                max(row - margin, 0) : row + cell + margin, max(column - margin, 0) : column + cell + margin
            ]
            error[row : row + cell, column : column + cell] = sky_statistics(sky[around])[1]
    return error


@pytest.fixture(scope="module", params=["f200w", "f277w", "f444w"])
def injected(request, shared_data):
    """Clumps of S/N 30 (in white noise) on the real sky: image, error, rho, positions, shapes and flux, four times."""
    (path,) = (shared_data / "real/images/elgordo_arc/Background").glob(f"*{request.param}*")
    mosaic = open_mosaic(path, name=request.param.upper())
    psf = load_psf(next((shared_data / "real/images/elgordo_arc/PSF_model").glob(f"*{request.param}*")), 0.04)
    rho = measure_depth(mosaic, psf).rho
    sky = mosaic.read(*(slice(0, size) for size in mosaic.shape))[0]
    sky -= np.nanmedian(sky)
    error = local_noise(sky)
    alone = draw_clump((SIDE, SIDE), 20, 20, 1.0, 0.6, 30.0)
    flux = 30.0 * np.median(error) / np.sqrt(np.sum(alone**2))
    scenes = []
    for seed in range(4):
        x, y = empty_places(sky, 100, np.random.default_rng(seed))
        image = np.pad(sky, 12)
        for a, b in zip(x, y, strict=True):
            row, column = round(b), round(a)
            stamp = draw_clump((25, 25), a - column + 12, b - row + 12, 1.0, 0.6, 30.0, oversampling=5)
            image[row : row + 25, column : column + 25] += flux * stamp
        scenes.append((image[12:-12, 12:-12], error, x, y))
    return scenes, rho, flux


def fitted_fluxes(injected, forced, **options):
    scenes, rho, flux = injected
    tables = []
    for image, error, x, y in scenes:
        shape = Table({"sigma_x_px": [1.0], "sigma_y_px": [0.6], "theta_deg": [30.0]})[np.zeros(x.size, int)]
        shapes = {"shape": shape} if forced else {}
        tables.append(fit_clumps(image, error, draw_psf(), x, y, **shapes, **{"rho": rho, **options}))
    ratio = np.concatenate([table["flux"] for table in tables]) / flux
    return ratio, np.concatenate([table["flux_err"] for table in tables]) / flux


def half_width(pull):
    low, high = np.percentile(pull, [15.87, 84.13])
    return (high - low) / 2


@pytest.mark.parametrize("forced", [False, True])
def test_errors_and_fluxes_in_real_noise(injected, forced):
    ratio, error = fitted_fluxes(injected, forced)
    assert np.isfinite(error).all()
    # 400 clumps: the width of a Gaussian is known to 4 per cent.
    assert 0.88 < half_width((ratio - 1) / error) < 1.12
    assert abs(np.median(ratio) - 1) < 0.01 + 2.0 * 1.25 * np.median(error) / 20
    assert np.mean((ratio > 0.5) & (ratio < 2.0)) > 0.98


def test_white_noise_would_promise_too_much(injected):
    ratio, error = fitted_fluxes(injected, True, rho=None)
    assert half_width((ratio - 1) / error) > 1.3
