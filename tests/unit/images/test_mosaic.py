import gzip
import shutil

import numpy as np
import pytest
from astropy.io import fits
from clumpscope.errors import InputError
from clumpscope.images.cutouts import cutout_reader, galaxy_footprint, read_cutouts, write_cutouts
from clumpscope.images.mosaic import cut_galaxy, open_mosaic
from image_fields import DEC, RA, tan_wcs

pytest_plugins = ["image_fixtures"]


def ramp(shape=(40, 60)):
    rows, columns = np.indices(shape)
    return (100.0 * rows + columns + 1.0).astype(np.float32)


def test_cutout_has_the_right_pixels_and_place(make_mosaic):
    mosaic = make_mosaic(ramp(), error=2.0)
    x, y = 45, 12
    ra, dec = mosaic.wcs.all_pix2world(x + 0.2, y - 0.3, 0)
    cutout = mosaic.cutout(ra, dec, size_arcsec=0.1)
    assert cutout.data.shape == (5, 5)
    assert (cutout.x0, cutout.y0) == (x - 2, y - 2)
    np.testing.assert_allclose(cutout.data, ramp()[y - 2 : y + 3, x - 2 : x + 3])
    np.testing.assert_allclose(cutout.error, 2.0)
    np.testing.assert_allclose(cutout.wcs.all_world2pix(ra, dec, 0), [2.2, 1.7], atol=1e-6)


def test_cutout_over_the_edge_is_nan_outside(make_mosaic):
    mosaic = make_mosaic(ramp(), error=1.0)
    cutout = mosaic.cutout_pixels(0, 39, 3)
    assert (cutout.x0, cutout.y0) == (-3, 36)
    inside = np.zeros((7, 7), dtype=bool)
    inside[:4, 3:] = True
    np.testing.assert_array_equal(np.isfinite(cutout.data), inside)
    np.testing.assert_array_equal(np.isfinite(cutout.error), inside)
    assert cutout.data[3, 3] == ramp()[39, 0]
    ra, dec = mosaic.wcs.all_pix2world(0, 39, 0)
    np.testing.assert_allclose(cutout.wcs.all_world2pix(ra, dec, 0), [3, 3], atol=1e-6)


def test_no_overlap_is_an_error_that_names_the_file(make_mosaic):
    mosaic = make_mosaic(ramp(), error=1.0)
    with pytest.raises(InputError, match=r"F150W_sci\.fits"):
        mosaic.cutout(RA + 1.0, DEC, 1.0)
    with pytest.raises(InputError, match="position"):
        mosaic.cutout((RA + 180.0) % 360.0, -DEC, 1.0)


def test_weight_and_error_maps_mean_the_same(write_image):
    sci = write_image("sci.fits", ramp(), unit="10 nJy")
    error = np.full((40, 60), 4.0)
    error[3, 4] = 0.0
    weight = np.where(error > 0, 1 / np.maximum(error, 1) ** 2, 0.0)
    weight[5, 6] = -1.0
    error[5, 6] = -1.0
    by_error = open_mosaic(sci, err=write_image("err.fits", error)).read(slice(0, 40), slice(0, 60))
    by_weight = open_mosaic(sci, wht=write_image("wht.fits", weight)).read(slice(0, 40), slice(0, 60))
    np.testing.assert_allclose(by_error, by_weight, rtol=1e-6)
    bad = np.isnan(by_error[0])
    assert set(zip(*np.nonzero(bad), strict=True)) == {(3, 4), (5, 6)}
    np.testing.assert_allclose(by_error[1][~bad], 40.0)
    np.testing.assert_allclose(by_error[0][~bad], 10 * ramp()[~bad])


def test_without_a_map_the_error_is_the_scatter_of_the_sky(make_mosaic):
    rng = np.random.default_rng(3)
    image = rng.normal(5.0, 0.7, (300, 300))
    image[140:160, 140:160] += 100.0
    image[:, :20] = 0.0
    data, error = make_mosaic(image).read(slice(100, 200), slice(0, 200))
    assert np.isnan(data[:, :20]).all()
    assert np.nanmedian(error) == pytest.approx(0.7, rel=0.02)


def test_multi_extension_gzip_and_scaled_files(tmp_path):
    header = tan_wcs((40, 60), 0.03).to_header()
    header["BUNIT"] = "nJy"
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.ones((40, 60)), header, name="ERR")]
    hdus.insert(1, fits.ImageHDU(ramp(), header, name="SCI"))
    plain = tmp_path / "mef.fits"
    fits.HDUList(hdus).writeto(plain)
    packed = tmp_path / "mef.fits.gz"
    with open(plain, "rb") as source, gzip.open(packed, "wb") as target:
        shutil.copyfileobj(source, target)
    integers = tmp_path / "scaled.fits"
    scaled = fits.PrimaryHDU(ramp().astype(np.int32), header)
    scaled.scale("int16", bzero=3000, bscale=1)
    scaled.writeto(integers)
    tiles = tmp_path / "tiles.fits"
    fits.HDUList(
        [fits.PrimaryHDU(), fits.CompImageHDU(ramp(), header, name="SCI", quantize_level=0)]
    ).writeto(tiles)
    window = slice(5, 9), slice(7, 20)
    for path, err in ((plain, plain), (packed, packed), (integers, None), (tiles, None)):
        data, _ = open_mosaic(path, err=err).read(*window)
        np.testing.assert_allclose(data, ramp()[window])
    _, error = open_mosaic(plain, err=plain).read(*window)
    np.testing.assert_allclose(error, 1.0)


def test_image_without_wcs_needs_a_pixel_scale(write_image):
    path = write_image("ring.fits", ramp(), scale_arcsec=None)
    with pytest.raises(InputError, match="pixel_scale"):
        open_mosaic(path)
    mosaic = open_mosaic(path, pixel_scale=0.05, reference=(10.0, -20.0))
    np.testing.assert_allclose(mosaic.wcs.all_world2pix(10.0, -20.0, 0), [29.5, 19.5], atol=1e-9)
    # One arcsecond north is 20 pixels up, one east is 20 pixels left.
    np.testing.assert_allclose(mosaic.wcs.all_world2pix(10.0, -20.0 + 1 / 3600, 0), [29.5, 39.5], atol=1e-3)
    east = 10.0 + 1 / 3600 / np.cos(np.deg2rad(20.0))
    np.testing.assert_allclose(mosaic.wcs.all_world2pix(east, -20.0, 0), [9.5, 19.5], atol=1e-3)


def test_refusals(write_image, tmp_path):
    sci = write_image("sci.fits", ramp())
    other = write_image("other.fits", ramp((40, 50)))
    cube = write_image("cube.fits", np.zeros((2, 3, 4)), scale_arcsec=None)
    text = tmp_path / "text.fits"
    text.write_text("not a FITS file")
    with pytest.raises(InputError, match="no such file"):
        open_mosaic(tmp_path / "missing.fits")
    with pytest.raises(InputError, match=r"other.fits.*50 x 40"):
        open_mosaic(sci, err=other)
    with pytest.raises(InputError, match="both"):
        open_mosaic(sci, err=sci, wht=sci)
    with pytest.raises(InputError, match="no further 2-D image"):
        open_mosaic(sci, err=sci)
    with pytest.raises(InputError, match="no 2-D image, but 4 x 3 x 2 pixels"):
        open_mosaic(cube)
    with pytest.raises(InputError, match="cannot be read"):
        open_mosaic(text)
    with pytest.raises(InputError, match=r"0\.02 arcsec, as the WCS says"):
        open_mosaic(sci, pixel_scale=0.03)
    with pytest.raises(InputError, match="no unit"):
        open_mosaic(write_image("unitless.fits", ramp(), unit=None))
    with pytest.raises(InputError, match="square pixels"):
        open_mosaic(write_image("oblong.fits", ramp(), CDELT1=-1e-5, CDELT2=2e-5))


def test_cutouts_of_two_scales_come_back_as_written(make_mosaic, tmp_path):
    mosaics = {
        "F150W": make_mosaic(ramp((300, 300)), 1.5, 0.02, "F150W"),
        "F444W": make_mosaic(ramp((150, 150)), 2.5, 0.04, "F444W"),
    }
    cutouts = cut_galaxy(mosaics, "g7", RA, DEC, 0.5, "F150W")
    assert cutouts["F150W"].data.shape == (151, 151) and cutouts["F444W"].data.shape == (75, 75)
    path = tmp_path / "cutouts.fits"
    write_cutouts(path, cutouts, "g7", 1.25, "F150W")
    again, meta = read_cutouts(path)
    assert meta == {"galaxy": "g7", "z": 1.25, "filter_ref": "F150W"}
    one = cutout_reader(path)("F444W")
    assert one.filter == "F444W" and cutout_reader(path)("F200W") is None
    np.testing.assert_array_equal([one.data, one.error], [again["F444W"].data, again["F444W"].error])
    for name, cutout in cutouts.items():
        np.testing.assert_allclose(again[name].data, cutout.data, rtol=1e-6)
        np.testing.assert_allclose(again[name].error, cutout.error, rtol=1e-6)
        assert (again[name].x0, again[name].y0) == (cutout.x0, cutout.y0)
        assert again[name].pixel_scale_arcsec == cutout.pixel_scale_arcsec
        np.testing.assert_allclose(
            again[name].wcs.all_pix2world(3, 4, 0), cutout.wcs.all_pix2world(3, 4, 0), rtol=0, atol=1e-10
        )
    first = path.read_bytes()
    write_cutouts(path, cutouts, "g7", 1.25, "F150W")
    assert path.read_bytes() == first


def test_a_galaxy_outside_its_reference_filter_is_named(make_mosaic):
    mosaics = {
        "F150W": make_mosaic(ramp((300, 300)), 1.0),
        "F444W": make_mosaic(ramp((20, 20)), 1.0, 0.04, "F444W"),
    }
    off = DEC + 2.5 / 3600
    assert list(cut_galaxy(mosaics, "g1", RA, off, 0.2, "F150W")) == ["F150W"]
    with pytest.raises(InputError, match=r"galaxy g1 .*F444W"):
        cut_galaxy(mosaics, "g1", RA, off, 0.2, "F444W")


def test_footprint_from_a_map_of_another_scale(make_mosaic, write_image):
    mosaic = make_mosaic(ramp((200, 200)), 1.0)
    segmentation = np.zeros((100, 100), dtype=np.int32)
    segmentation[45:55, 60:70] = 12
    path = write_image("map.fits", segmentation, 0.04, unit=None)
    cutout = mosaic.cutout_pixels(120, 100, 40)
    footprint = galaxy_footprint(path, "12", cutout)
    rows, columns = np.nonzero(footprint)
    # Map pixels 60-69 and 45-54 of 0.04" cover mosaic pixels 120-139 and 90-109 of 0.02".
    assert (columns.min() + cutout.x0, columns.max() + cutout.x0) == (120, 139)
    assert (rows.min() + cutout.y0, rows.max() + cutout.y0) == (90, 109)
    with pytest.raises(InputError, match="no pixel of value 13"):
        galaxy_footprint(path, "13", cutout)
    with pytest.raises(InputError, match="not a number"):
        galaxy_footprint(path, "A1", cutout)


def test_a_file_that_ends_too_early_and_other_axes_are_refused(write_image):
    path = write_image("sci.fits", ramp((300, 300)))
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(InputError, match=r"sci\.fits.*cannot be read.*whole"):
        open_mosaic(path)
    galactic = {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN", "CRVAL1": 280.0, "CRVAL2": -30.0}
    with pytest.raises(InputError, match="GLON-TAN"):
        open_mosaic(write_image("galactic.fits", ramp((30, 30)), **galactic))


def test_unit_of_the_primary_header_counts_for_its_extensions(tmp_path):
    data = ramp((20, 30))
    primary = fits.PrimaryHDU()
    primary.header["BUNIT"] = "10 nJy"
    science = fits.ImageHDU(data, tan_wcs(data.shape, 0.02).to_header(), name="SCI")
    fits.HDUList([primary, science]).writeto(tmp_path / "multi.fits")
    assert open_mosaic(tmp_path / "multi.fits").njy_per_unit == pytest.approx(10.0)


@pytest.mark.parametrize("missing", [np.nan, 0.0])
def test_positions_are_covered_where_there_is_data(make_mosaic, missing):
    data = ramp((200, 200)) + 1.0
    data[:, :100] = missing
    mosaic = make_mosaic(data)
    sky = mosaic.wcs.all_pix2world([150, 98, 50, 300], [100, 100, 100, 100], 0)
    assert [mosaic.covers(ra, dec) for ra, dec in zip(*sky, strict=True)] == [True, True, False, False]
