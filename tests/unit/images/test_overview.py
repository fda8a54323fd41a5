"""A field in large pixels: light and places are kept."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.overview import overview

SCALE_ARCSEC = 0.04


@pytest.fixture
def field(tmp_path):
    """A mosaic of 700 by 900 pixels with three sources of known place and flux, and a hole."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [3.5, -30.4], [450.0, 350.0]
    angle = np.deg2rad(30.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = turn @ np.diag([-SCALE_ARCSEC, SCALE_ARCSEC]) / 3600
    rng = np.random.default_rng(20261126)
    places = rng.uniform([200, 150], [700, 550], (3, 2))
    fluxes = rng.uniform(500, 1000, 3)
    y, x = np.indices((700, 900))
    data = sum(
        flux / (2 * np.pi * 9.0) * np.exp(-0.5 * ((x - x0) ** 2 + (y - y0) ** 2) / 9.0)
        for flux, (x0, y0) in zip(fluxes, places, strict=True)
    )
    hdu = fits.PrimaryHDU(data.astype(np.float32), wcs.to_header())
    hdu.header["BUNIT"] = "nJy"
    hdu.writeto(tmp_path / "sci.fits")
    error = np.full(data.shape, 2.0, dtype=np.float32)
    error[:100, :100] = 0.0
    fits.PrimaryHDU(error, wcs.to_header()).writeto(tmp_path / "err.fits")
    mosaic = open_mosaic(tmp_path / "sci.fits", err=tmp_path / "err.fits", name="F200W")
    return mosaic, fluxes, wcs.pixel_to_world_values(*places.T)


@pytest.mark.parametrize("n_pixels", [90, 133, 5000])
def test_light_and_places_are_kept(field, n_pixels):
    mosaic, fluxes, (ra, dec) = field
    picture = overview(mosaic, ra, dec, n_pixels)
    ny, nx = picture.data.shape
    assert max(nx, ny) <= n_pixels
    assert picture.wcs.proj_plane_pixel_scales()[0].to_value("arcsec") == pytest.approx(
        picture.pixel_scale_arcsec
    )
    y, x = np.indices(picture.data.shape)
    for flux, place in zip(fluxes, np.transpose([ra, dec]), strict=True):
        x0, y0 = picture.wcs.world_to_pixel_values(*place)
        near = np.hypot(x - x0, y - y0) * picture.pixel_scale_arcsec < 0.9
        light = np.where(near, picture.data, 0.0)
        assert light.sum() == pytest.approx(flux, rel=0.02)
        offset = np.hypot((light * x).sum() / light.sum() - x0, (light * y).sum() / light.sum() - y0)
        assert offset * picture.pixel_scale_arcsec < 0.02


def test_errors_of_blocks_add_up_and_holes_stay_holes(field):
    mosaic, _, _ = field
    ra, dec = mosaic.wcs.pixel_to_world_values([0, 899], [0, 699])
    picture = overview(mosaic, ra, dec, 90)
    side = round(picture.pixel_scale_arcsec / SCALE_ARCSEC)
    assert side == 10
    assert np.isnan(picture.data[:10, :10]).all()
    assert np.isfinite(picture.data[10:, 10:]).all()
    np.testing.assert_allclose(picture.error[10:, 10:], 2.0 * side)


def test_a_mosaic_without_the_positions_edge_is_cut_there(field):
    mosaic, _, _ = field
    ra, dec = mosaic.wcs.pixel_to_world_values([-400, 500], [300, 1400])
    picture = overview(mosaic, ra, dec, 100)
    assert (picture.x0, picture.y0) == (0, 225)
