import logging
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from clumpscope.errors import InputError
from clumpscope.images.centring import centred_square, core_centroid, shifted
from clumpscope.images.profiles import encircled_sums, fwhm_px, radial_profile
from clumpscope.images.psf import match_psf, model_psf, normalise_psf, psf_table, read_psf
from clumpscope.images.psf_given import load_psf
from clumpscope.images.psf_model import fit_analytic, fit_multi_gaussian
from image_fields import moffat
from scipy.optimize import brentq

pytest_plugins = ["image_fixtures"]


def gaussian(size, x, y, sigma):
    rows, columns = np.indices((size, size))
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)


def moffat_fwhm(alpha, beta):
    """FWHM of a pixel-integrated Moffat [px]: the mean along a row and along a diagonal."""

    def value(radius, angle):
        return moffat((1, 1), radius * np.cos(angle), radius * np.sin(angle), alpha, beta, oversample=15)[
            0, 0
        ]

    half = value(0, 0) / 2
    return np.mean([2 * brentq(lambda r, a=angle: value(r, a) - half, 0, 20) for angle in (0, np.pi / 4)])


def test_centroid_and_shift():
    image = moffat((61, 61), 31.37, 28.81, 3.5, 3.0)
    x, y = core_centroid(image, 31, 29)
    assert (x, y) == (pytest.approx(31.37, abs=2e-3), pytest.approx(28.81, abs=2e-3))
    centred = centred_square(image, x, y)
    assert centred.shape[0] % 2 == 1
    truth = moffat(centred.shape, centred.shape[1] // 2, centred.shape[0] // 2, 3.5, 3.0)
    assert np.abs(centred - truth).max() < 0.001 * truth.max()
    assert np.isnan(core_centroid(-image, 31, 29)).all()
    assert np.isnan(core_centroid(image, 10, 10, max_move_px=2)).all()
    np.testing.assert_allclose(shifted(image, 3, -2)[10:50, 10:50], image[12:52, 7:47], atol=1e-12)


def test_encircled_energy_and_fwhm_of_a_gaussian():
    sigma = 8.0
    image = gaussian(161, 80, 80, sigma)
    radii = np.array([2.0, 7.7, 19.0])
    np.testing.assert_allclose(
        encircled_sums(image, radii), 1 - np.exp(-(radii**2) / (2 * sigma**2)), atol=1e-3
    )
    np.testing.assert_allclose(
        encircled_sums(np.ones((9, 9)), np.array([0.3, 2.6])), np.pi * np.array([0.3, 2.6]) ** 2
    )
    # Off-centre in a corner: a quarter circle.
    assert encircled_sums(np.ones((9, 9)), np.array([4.0]), -0.5, -0.5)[0] == pytest.approx(4 * np.pi)
    assert fwhm_px(image) == pytest.approx(2.35482 * sigma, rel=1e-4)
    np.testing.assert_allclose(
        radial_profile(image, radii), image.max() * np.exp(-(radii**2) / (2 * sigma**2)), rtol=1e-4
    )
    assert np.isnan(fwhm_px(np.ones((5, 5))))


@pytest.mark.parametrize(
    ("scale", "shape", "x", "y"), [(0.02, (101, 101), 50.6, 49.3), (0.04, (80, 80), 40, 40.4)]
)
def test_given_psf_is_centred_normalised_and_described(tmp_path, caplog, scale, shape, x, y):
    path = tmp_path / "psf.fits"
    alpha, beta, flux = 3.0, 2.5, 1.7
    fits.PrimaryHDU(moffat(shape, x, y, alpha, beta, flux)).writeto(path)
    with caplog.at_level(logging.WARNING):
        psf = load_psf(path, scale)
    assert "renormalised" in caplog.text and "recentred" in caplog.text
    kernel = psf.kernel
    assert kernel.shape[0] == kernel.shape[1] and kernel.shape[0] % 2 == 1
    middle = kernel.shape[0] // 2
    np.testing.assert_allclose(core_centroid(kernel, middle, middle), middle, atol=2e-3)
    assert encircled_sums(kernel, np.array([0.4 / scale]))[0] == pytest.approx(1.0, abs=1e-9)
    # Analytic: encircled energy of a Moffat.
    energy = 1 - (1 + (0.4 / scale / alpha) ** 2) ** (1 - beta)
    assert psf.aperture_correction == pytest.approx(1 / energy, rel=0.02)
    assert psf.fwhm_arcsec == pytest.approx(moffat_fwhm(alpha, beta) * scale, rel=0.01)
    assert psf.sum_before == pytest.approx(flux, rel=0.02)
    assert psf.shift_px == pytest.approx(np.hypot(x - (shape[1] - 1) / 2, y - (shape[0] - 1) / 2), abs=5e-3)
    curve = 1 - (1 + (psf.radii_arcsec / scale / alpha) ** 2) ** (1 - beta)
    inner = psf.radii_arcsec < 0.4
    np.testing.assert_allclose(
        (psf.encircled_energy * psf.aperture_correction)[inner], (curve / energy)[inner], atol=0.02
    )


def test_psf_survives_a_file(tmp_path):
    psf = normalise_psf(moffat((61, 61), 30.2, 30, 2.0, 2.5, 0.95), 0.03, "test")
    psf = replace(
        psf,
        notes=(*psf.notes, "a note of more than one line: " + "many words, " * 20 + "end"),
        flux_error=0.02,
    )
    psf.write(tmp_path / "psf.fits")
    again = read_psf(tmp_path / "psf.fits")
    for name in vars(psf):
        np.testing.assert_array_equal(getattr(again, name), getattr(psf, name))
    header = fits.getheader(tmp_path / "psf.fits")
    assert header["HASPIXEL"] is True and header["PIXSCALE"] == 0.03
    table = psf_table({"F150W": psf})
    assert table["filter"][0] == "F150W" and table["n_stars"][0] == 0
    assert psf.cropped(4).shape == (9, 9) and psf.cropped(500).shape == psf.kernel.shape


def test_psfex_cube_takes_its_constant_term(tmp_path):
    plane = moffat((51, 51), 25, 25, 2.0, 3.0)
    cube = np.stack([1.9 * plane, np.random.default_rng(0).normal(size=plane.shape)])
    np.save(tmp_path / "cube.npy", cube.astype(">f4"))
    psf = load_psf(tmp_path / "cube.npy", 0.04)
    np.testing.assert_allclose(psf.kernel[20:31, 20:31] / psf.kernel[25, 25],
                               plane[20:31, 20:31] / plane[25, 25], atol=1e-3)  # fmt: skip
    assert psf.sum_before == pytest.approx(1.9, rel=0.01)


def test_analytic_profile_is_found_again():
    radius = np.hypot(*(np.indices((61, 61)) - 30.0))
    truth = 0.6 * (1 + (radius / 1.8) ** 2) ** -2.6 + 0.3 * np.exp(-(radius**2) / (2 * 2.4**2))
    truth += 0.02 * (1 + (radius / 9.0) ** 2) ** -2
    fit = fit_analytic(truth, 20.0)
    assert fit.residual_max < 1e-3
    assert min(fit.moffat, fit.gaussian, fit.power) >= 0
    half = truth[30, 30] / 2
    assert fit(np.array(fit.fwhm_px / 2)) == pytest.approx(half, rel=2e-3)
    rows, columns = np.indices((61, 61)) - 30.0
    oval = np.exp(-((columns / 2.0) ** 2 + (rows / 3.0) ** 2) / 2)
    assert fit_analytic(oval, 20.0).residual_max > 0.1


def test_unusable_psfs(tmp_path, make_mosaic):
    def given(name, array, **cards):
        header = fits.Header()
        header.update(cards)
        fits.PrimaryHDU(array, header).writeto(tmp_path / name)
        return tmp_path / name

    good = moffat((101, 101), 50, 50, 2.0, 2.5)
    with pytest.raises(InputError, match="no such file"):
        load_psf(tmp_path / "missing.fits", 0.02)
    with pytest.raises(InputError, match="no finite pixel"):
        load_psf(given("nan.fits", np.full((31, 31), np.nan)), 0.02)
    with pytest.raises(InputError, match="no positive source"):
        load_psf(given("zero.fits", np.zeros((31, 31))), 0.02)
    with pytest.raises(InputError, match="normalisation radius"):
        load_psf(given("small.fits", moffat((15, 15), 7, 7, 2.0, 2.5)), 0.02)
    with pytest.raises(InputError, match=r"of its sum inside 0\.4 arcsec; .* Take the sky off"):
        load_psf(given("sky.fits", good / good.sum() + 1e-3), 0.02)
    with pytest.raises(
        InputError, match=r"% of its sum inside 0\.05 arcsec; .* make psf\.radius_arcsec larger"
    ):
        load_psf(given("circle.fits", moffat((101, 101), 50, 50, 6.0, 2.5)), 0.02, radius_arcsec=0.05)
    with pytest.raises(InputError, match=r"pixel scale of 0\.04"):
        load_psf(given("scaled.fits", good, PIXSCALE=0.04), 0.02)
    with pytest.raises(InputError, match="diffraction limit"):
        load_psf(given("narrow.fits", moffat((101, 101), 50, 50, 1.2, 2.5)), 0.02, "F444W")
    with pytest.raises(InputError, match="no 2-D image"):
        load_psf(given("line.fits", np.ones(5)), 0.02)
    (tmp_path / "text.npy").write_text("text")
    with pytest.raises(InputError, match="cannot be read"):
        load_psf(tmp_path / "text.npy", 0.02)
    psf = normalise_psf(good, 0.02, "test")
    match_psf(psf, make_mosaic(np.ones((200, 200)), 1.0))
    with pytest.raises(InputError, match="101 x 101 pixels"):
        match_psf(psf, make_mosaic(np.ones((90, 200)), 1.0, name="F200W"))
    with pytest.raises(InputError, match=r"0\.02 arcsec a pixel.*0\.04"):
        match_psf(psf, make_mosaic(np.ones((200, 200)), 1.0, 0.04, "F444W"))


def test_a_psf_on_smaller_pixels_than_the_mosaics_is_warned_of(tmp_path, caplog):
    path = tmp_path / "psf.fits"
    fits.PrimaryHDU(moffat((101, 101), 50, 50, 3.0, 2.5)).writeto(path)
    with caplog.at_level(logging.WARNING):
        right = load_psf(path, 0.02, "F200W")
    assert "FWHM" not in caplog.text
    with caplog.at_level(logging.WARNING):
        wrong = load_psf(path, 0.04, "F200W")
    assert "FWHM 1.8 times that of telescope and pixel" in caplog.text
    assert len(wrong.notes) == len(right.notes) + 1


def test_sum_of_gaussians_and_its_closed_form():
    parts = ((0.7, 1.4), (0.3, 3.5))
    kernel = sum(flux * gaussian(61, 30, 30, sigma) for flux, sigma in parts)
    fitted = fit_multi_gaussian(kernel, 20.0)
    assert fitted.flux.sum() == pytest.approx(1.0, rel=5e-3) and len(fitted.flux) < 8
    assert fitted.residual_max < 0.01
    rows, columns = np.indices((21, 21))
    dx, dy = columns - 10.3, rows - 9.6
    # Gaussians add their covariances: axes of 1.2 and 0.5 px along x and y.
    truth = sum(
        flux / (2 * np.pi * a * b) * np.exp(-0.5 * ((dx / a) ** 2 + (dy / b) ** 2))
        for flux, a, b in ((flux, np.hypot(sigma, 1.2), np.hypot(sigma, 0.5)) for flux, sigma in parts)
    )
    image = fitted.convolved(dx, dy, (1.2**2, 0.5**2, 0.0))
    assert np.abs(image - truth).max() < 0.01 * truth.max()
    # The same clump on axes turned by a right angle.
    np.testing.assert_allclose(fitted.convolved(dy, dx, (0.5**2, 1.2**2, 0.0)), image)


@pytest.mark.parametrize("model", ["analytic", "multi_gaussian"])
def test_profiles_take_the_place_of_pixels(model):
    psf = normalise_psf(moffat((101, 101), 50, 50, 3.0, 2.5), 0.04, "psf")
    noisy = normalise_psf(
        moffat((101, 101), 50, 50, 3.0, 2.5) + np.random.default_rng(0).normal(0, 3e-4, (101, 101)),
        0.04,
        "psf",
    )
    profile = model_psf(noisy, model)
    inside = encircled_sums(profile.kernel, np.array([10.0]))[0]
    assert inside == pytest.approx(1.0, abs=1e-6)
    near = np.s_[45:56, 45:56]
    assert np.std((profile.kernel - psf.kernel)[near]) < np.std((noisy.kernel - psf.kernel)[near])
    assert profile.fwhm_arcsec == pytest.approx(psf.fwhm_arcsec, rel=0.02)
    assert model in profile.notes[-1]
    assert model_psf(noisy, "empirical") is noisy
