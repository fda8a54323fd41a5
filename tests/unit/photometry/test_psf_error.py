"""Errors of fluxes through the PSF: fields of stars in closed form, all alike or of scattered widths."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.psf import normalise_psf
from clumpscope.images.psf_local import local_psf
from clumpscope.photometry.fit import fit_clumps
from clumpscope.photometry.psf_error import excess, with_stars
from unit.images.image_fields import tan_wcs
from unit.photometry.narrow_stars import effective, pixels

SCALE, SIGMA, SIDE, N = 0.04, 1.0, 79, 25


@pytest.fixture
def make_mosaic(tmp_path):
    def make(image, noise):
        header = tan_wcs(image.shape, SCALE).to_header()
        header["BUNIT"] = "nJy"
        for name, plane in (("sci", image), ("err", np.full(image.shape, noise))):
            fits.writeto(tmp_path / f"{name}.fits", plane, header, overwrite=True)
        return open_mosaic(tmp_path / "sci.fits", err=tmp_path / "err.fits", name="F150W")

    return make


def field(make_mosaic, sigmas, rng, snr=400.0, blurs=None):
    """Stars of given widths on tiles of their own, if asked blurred by Gaussians, and their table."""
    per_row = int(np.ceil(np.sqrt(len(sigmas))))
    image = np.zeros((per_row * SIDE, per_row * SIDE))
    axis, places = np.arange(SIDE) - SIDE // 2, []
    noise = np.sqrt(np.sum(pixels(axis, axis, SIGMA) ** 2)) / snr
    blurs = np.zeros(len(sigmas)) if blurs is None else blurs
    for k, (sigma, blur) in enumerate(zip(sigmas, blurs, strict=True)):
        row, column = np.array(divmod(k, per_row)) * SIDE
        dx, dy = rng.uniform(-0.5, 0.5, 2)
        image[row : row + SIDE, column : column + SIDE] = pixels(axis - dx, axis - dy, sigma, blur)
        places.append((column + SIDE // 2 + dx, row + SIDE // 2 + dy))
    mosaic = make_mosaic(image + rng.normal(0.0, noise, image.shape), noise)
    ra, dec = mosaic.wcs.all_pix2world(*np.transpose(places), 0)
    return mosaic, Table({"ra": ra, "dec": dec})


def box_ratio(sigma):
    """Flux of a star of another width in a box of 9 px on a plane, over the true one: linear least squares."""
    axis = np.arange(-4, 5)
    columns, rows = np.meshgrid(axis, axis)
    design = np.stack([pixels(axis, axis, SIGMA), np.ones((9, 9)), columns, rows]).reshape(4, -1)
    return np.linalg.lstsq(design.T, pixels(axis, axis, sigma).ravel(), rcond=None)[0][0]


@pytest.fixture(scope="module")
def psf():
    return normalise_psf(effective(SIGMA, 1), SCALE, "stars")


def test_stars_behind_the_very_psf_show_no_error(make_mosaic, psf):
    seed = np.random.SeedSequence().entropy
    rng = np.random.default_rng(seed)
    fields = [with_stars(psf, *field(make_mosaic, np.full(N, SIGMA), rng)) for _ in range(6)]
    # In one field of twenty noise looks like a scatter, and in one like a mean, but never like more than a star's own noise.
    shown = [measured.flux_error for measured in fields]
    assert np.count_nonzero(shown) <= 3 and max(shown) < 0.017, seed
    assert max(measured.core_variance_error for measured in fields) < 0.01, seed
    assert "25 stars" in fields[0].notes[-1]


def test_a_psf_that_varies_and_is_too_broad_is_told(make_mosaic, psf):
    seed = np.random.SeedSequence().entropy
    rng = np.random.default_rng(seed)
    sigmas = SIGMA * (1.0 + rng.normal(0.05, 0.08, N))
    measured = with_stars(psf, *field(make_mosaic, sigmas, rng))
    truth = np.array([1.0 / box_ratio(sigma) - 1.0 for sigma in sigmas])
    # The core's scatter is that of the widths squared, weighted to the core; both are known to 1 / sqrt(2 n) = 14 %.
    assert measured.flux_error == pytest.approx(np.hypot(truth.mean(), truth.std()), rel=0.3), seed
    assert 0.1 < measured.core_variance_error < 0.4, seed


@pytest.mark.parametrize("blurred", [False, True])
def test_a_psf_that_varies_smoothly_is_followed(make_mosaic, blurred):
    """Widths that grow from one side to the other, stretched as the model has it, or blurred by Gaussians as jitter does."""
    seed = np.random.SeedSequence().entropy
    rng = np.random.default_rng(seed)
    along = np.arange(36) % 6 / 5.0
    sigmas, blurs = (
        (np.full(36, SIGMA), 0.75 * np.sqrt(along)) if blurred else (SIGMA * (0.9 + 0.2 * along), None)
    )
    mosaic, stars = field(make_mosaic, sigmas, rng, blurs=blurs)
    axis = np.arange(41) - 20
    mean = pixels(axis, axis, SIGMA, 0.75 * np.sqrt(0.5)) if blurred else effective(SIGMA, 1)
    psf = normalise_psf(mean, SCALE, "stars")
    fixed, varied = (with_stars(psf, mosaic, stars, varies=varies) for varies in (False, True))
    assert fixed.trend is None and fixed.flux_error > 0.02, seed
    assert varied.trend is not None and "varies over the field" in varied.notes[-2], seed
    assert varied.flux_error < 0.3 * fixed.flux_error, seed
    assert varied.core_variance_error < 0.3 * fixed.core_variance_error, seed
    # A clump at the broad end: with the mean PSF it reads low, with its own it does not.
    clump, noise = (
        pixels(axis - 0.2, axis + 0.3, sigmas[5], np.hypot(1.0, 0.0 if blurs is None else blurs[5])),
        1e-4,
    )
    shape = Table({"sigma_x_px": [1.0], "sigma_y_px": [1.0], "theta_deg": [0.0]})
    fluxes = [
        fit_clumps(clump, np.full(clump.shape, noise), one.fine, [20.2], [19.7], shape=shape, host_fwhm=0.0)[
            "flux"
        ][0]
        for one in (psf, local_psf(varied, stars["ra"][5], stars["dec"][5]))
    ]
    assert fluxes[0] < 0.97 and fluxes[1] == pytest.approx(1.0, abs=0.02), seed


def test_the_psf_of_another_image_is_told(make_mosaic, psf, capsys):
    """Of an image that was smoothed: stars are half as broad again as the PSF."""
    measured = with_stars(psf, *field(make_mosaic, np.full(N, 1.5 * SIGMA), np.random.default_rng(3)))
    assert measured.flux_error > 0.1
    assert "In doubt: PSF of F150W" in (said := capsys.readouterr().err) and "the PSF of this image?" in said


def test_few_stars_are_said_to_be_too_few(make_mosaic, psf):
    mosaic, stars = field(make_mosaic, np.full(4, SIGMA), np.random.default_rng(1))
    measured = with_stars(psf, mosaic, stars[:3])
    assert measured.flux_error == 0.0 and "for want of stars" in measured.notes[-1]
    # Such a PSF, where it was given, is tested on what is compact: the four stars are found for that.
    assert len(measured.compact) == 4
    np.testing.assert_allclose(
        measured.compact["squared_arcsec2"], measured.compact["psf_arcsec2"], rtol=0.05
    )


def test_excess_is_the_scatter_beyond_the_noise():
    rng = np.random.default_rng()
    noise = rng.uniform(0.01, 0.03, 400)
    mean, scatter = excess(rng.normal(0.02, np.hypot(noise, 0.04)), noise)
    # 400 values: the scatter is known to 4 %, the mean to 0.0023.
    assert scatter == pytest.approx(0.04, rel=0.2) and mean == pytest.approx(0.02, abs=0.01)
    values = rng.normal(0.0, noise)
    values[:5] = 0.5
    # Five outliers are left out.
    assert excess(values, noise)[1] < 0.012
