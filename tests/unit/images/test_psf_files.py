"""Files as STPSF, PSFEx and photutils write them, of a PSF that is known in closed form."""

import numpy as np
import pytest
from astropy.io import fits
from clumpscope.errors import InputError
from clumpscope.images.psf import psf_table, read_psf
from clumpscope.images.psf_given import load_psf
from unit.photometry.narrow_stars import brightness, effective, pixels

SIGMA, SCALE = 0.55, 0.04
WHOLE = np.arange(-20, 21)
TRUTH = pixels(WHOLE, WHOLE, SIGMA)


def grid(oversampling, half_px=20):
    return np.arange(-half_px * oversampling, half_px * oversampling + 1) / oversampling


def agrees(psf, oversampling):
    middle = psf.kernel.shape[0] // 2
    near = np.s_[middle - 8 : middle + 9, middle - 8 : middle + 9]
    truth = TRUTH[12:29, 12:29]
    # The circle of 0.4 arcsec holds all but 1e-5 of this PSF.
    np.testing.assert_allclose(psf.kernel[near], truth, atol=3e-3 * truth.max())
    assert psf.oversampling == pytest.approx(oversampling)
    assert not psf.undersampled and not any("whole pixels" in note for note in psf.notes)


def stpsf(path, names, binned=SCALE):
    fine = brightness(grid(4), grid(4), SIGMA)
    images = {"OVERSAMP": (fine[::-1], SCALE / 4), "DET_SAMP": (TRUTH, binned),
              "OVERDIST": (fine, SCALE / 4), "DET_DIST": (TRUTH, binned)}  # fmt: skip
    hdus = fits.HDUList(
        [fits.PrimaryHDU(images[names[0]][0]), *(fits.ImageHDU(images[n][0]) for n in names[1:])]
    )
    for hdu, name in zip(hdus, names, strict=True):
        hdu.header["EXTNAME"], hdu.header["PIXELSCL"] = name, images[name][1]
        hdu.header["DET_SAMP"] = 4
    hdus.writeto(path)
    return path


@pytest.mark.parametrize(
    "names", [("OVERSAMP", "DET_SAMP", "OVERDIST", "DET_DIST"), ("OVERSAMP", "DET_SAMP"), ("OVERDIST",)]
)
def test_oversampled_images_of_stpsf_are_integrated_over_pixels(tmp_path, names):
    agrees(load_psf(stpsf(tmp_path / "stpsf.fits", names), SCALE), 4)


def test_stpsf_on_other_pixels_than_the_detectors_is_remarked_on(tmp_path):
    path = stpsf(tmp_path / "stpsf.fits", ("OVERDIST", "DET_DIST"), binned=0.063)
    assert any("drizzling" in note for note in load_psf(path, SCALE).notes)
    assert load_psf(path, SCALE / 2).oversampling == pytest.approx(2.0)


def test_of_stpsfs_binned_images_alone_that_on_the_mosaics_pixels_is_taken(tmp_path):
    psf = load_psf(stpsf(tmp_path / "stpsf.fits", ("DET_SAMP", "DET_DIST")), SCALE)
    assert psf.undersampled and any("whole pixels" in note for note in psf.notes)


def test_psfex_table_says_how_it_is_sampled(tmp_path):
    step = 0.4
    axis = np.arange(-50, 51) * step
    planes = np.stack([1.7 * pixels(axis, axis, SIGMA), np.random.default_rng(0).normal(size=(101, 101))])
    column = fits.Column("PSF_MASK", f"{planes.size}E", dim="(101,101,2)", array=planes[None].astype("f4"))
    table = fits.BinTableHDU.from_columns([column], name="PSF_DATA")
    table.header["PSF_SAMP"] = step
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "field.psf")
    agrees(load_psf(tmp_path / "field.psf", SCALE), 2.5)
    del table.header["PSF_SAMP"]
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "bare.psf")
    with pytest.raises(InputError, match="PSF_SAMP"):
        load_psf(tmp_path / "bare.psf", SCALE)


def test_grid_for_photutils_contains_the_pixel(tmp_path):
    cube = fits.PrimaryHDU(np.stack([effective(SIGMA, 4) * scale for scale in (0.9, 1.1)]))
    cube.header["OVERSAMP"], cube.header["DET_YX0"] = 4, "(1023.0, 1023.0)"
    cube.writeto(tmp_path / "grid.fits")
    agrees(load_psf(tmp_path / "grid.fits", SCALE), 4)


@pytest.mark.parametrize("has_pixel", [True, False])
def test_plain_finer_images_need_to_be_told_whether_they_contain_the_pixel(tmp_path, has_pixel):
    image = effective(SIGMA, 3) if has_pixel else brightness(grid(3), grid(3), SIGMA)
    fits.PrimaryHDU(image, fits.Header({"PIXSCALE": SCALE / 3})).writeto(tmp_path / "fine.fits")
    np.save(tmp_path / "fine.npy", image)
    for name, options in (("fine.fits", {}), ("fine.npy", {"oversampling": 3})):
        agrees(load_psf(tmp_path / name, SCALE, has_pixel=has_pixel, **options), 3)
        with pytest.raises(InputError, match="psf_has_pixel"):
            load_psf(tmp_path / name, SCALE, **options)
    with pytest.raises(InputError, match="psf_oversampling 4"):
        load_psf(tmp_path / "fine.fits", SCALE, oversampling=4, has_pixel=True)
    with pytest.raises(InputError, match=r"pixel scale of 0\.013"):
        load_psf(tmp_path / "fine.fits", SCALE / 4, has_pixel=True)


def test_an_oversampled_product_is_read_as_it_was_written(tmp_path):
    np.save(tmp_path / "fine.npy", effective(SIGMA, 3))
    psf = load_psf(tmp_path / "fine.npy", SCALE, oversampling=3, has_pixel=True)
    psf.write(tmp_path / "psf.fits")
    again = read_psf(tmp_path / "psf.fits")
    np.testing.assert_array_equal(again.fine, psf.fine)
    assert again.oversampling == 3
    # It may be given to another run.
    np.testing.assert_allclose(load_psf(tmp_path / "psf.fits", SCALE).kernel, psf.kernel, atol=1e-6)
    row = psf_table({"F090W": psf})[0]
    assert row["oversampling"] == 3 and row["sampling_px"] == pytest.approx(psf.fwhm_arcsec / SCALE)
