"""Noise cut from an image of empty sky keeps that sky's depth and correlation."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from clumpscope import mock
from clumpscope.errors import InputError
from clumpscope.mock.real_sky import read_sky
from scipy import ndimage

SIGMA_NJY = 0.3


def write_sky(path, scale=0.02, masked=0.15):
    """Correlated noise on a pedestal, with round holes."""
    rng = np.random.default_rng()
    sky = ndimage.gaussian_filter(rng.normal(size=(500, 560)), 0.8, mode="wrap")
    sky *= SIGMA_NJY / sky.std()
    rows, columns = np.indices(sky.shape)
    while np.isnan(sky).mean() < masked:
        y, x, radius = rng.uniform(0, 500), rng.uniform(0, 560), rng.uniform(5, 25)
        sky[np.hypot(rows - y, columns - x) < radius] = np.nan
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], (10.0, 0.0), (250, 250)
    wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
    header = wcs.to_header()
    header["BUNIT"] = "nJy"
    fits.PrimaryHDU((sky + 0.2).astype(np.float32), header).writeto(path)
    return str(path)


def test_it_is_the_sky_of_the_image(tmp_path):
    sky = read_sky(write_sky(tmp_path / "sky.fits"), "F150W", 0.02)
    assert sky.sigma_njy == pytest.approx(SIGMA_NJY, rel=0.03)
    fields = [sky.draw(np.random.default_rng(), 900) for _ in range(2)]
    for field in fields:
        assert np.isfinite(field).all()
        # 200 000 pixels' worth of independent noise repeat: standard errors below 1 %.
        assert field.std() == pytest.approx(SIGMA_NJY, rel=0.03)
        assert abs(np.median(field)) < 0.02 * SIGMA_NJY
        # Neighbours of a Gaussian filter of 0.8 px correlate by exp(-1 / (4 0.8^2)) = 0.68, but at the holes' rims.
        rho = (field[:, :-1] * field[:, 1:]).mean() / field.var()
        assert rho == pytest.approx(np.exp(-1 / (4 * 0.8**2)), abs=0.04)
    assert abs(np.corrcoef(*[field.ravel() for field in fields])[0, 1]) < 0.05


def test_other_pixels_and_images_of_sources_alone_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"0\.0400 arcsec"):
        read_sky(write_sky(tmp_path / "coarse.fits", scale=0.04), "F150W", 0.02)
    with pytest.raises(InputError, match="of the pixels"):
        read_sky(write_sky(tmp_path / "masked.fits", masked=0.85), "F150W", 0.02)


def test_a_field_of_that_sky(tmp_path):
    path = write_sky(tmp_path / "sky.fits")
    mock.make_field(
        tmp_path / "field",
        filters=["F150W"],
        size_arcsec=16.0,
        n_galaxies=1,
        n_clumps=2,
        n_stars=1,
        sky={"F150W": path},
    )
    image, weight = (fits.getdata(tmp_path / f"field/images/F150W_{kind}.fits") for kind in ("sci", "wht"))
    # In units of 10 nJy; the errors are the sky's.
    assert np.median(weight[weight > 0]) ** -0.5 * 10 == pytest.approx(SIGMA_NJY, rel=0.03)
    steps = np.diff(image, axis=1).ravel() * 10
    # Differences of neighbours hold no smooth light: their variance is 2 (1 - rho) of the sky's.
    expected = SIGMA_NJY * np.sqrt(2 * (1 - np.exp(-1 / (4 * 0.8**2))))
    assert 1.4826 * np.median(np.abs(steps)) == pytest.approx(expected, rel=0.1)
