"""Nothing that an astronomer may mix up passes in silence but what is said to be unseen, and nothing ends in a traceback."""

import copy
import shutil
import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.psf_given import load_psf
from clumpscope.photometry.galaxy import measure_galaxy
from hostile_fields import CASES, FWHM, PLACE, HostileField, gaussian, sky, sound_field


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "case"
    folder.mkdir()
    field = sound_field(folder)
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    assert field.said() == ([], [])
    return field, kept


@pytest.mark.parametrize("name", CASES)
def test_what_means_something_else_is_refused_or_told(sound, name):
    field, kept = sound
    shutil.rmtree(field.folder)
    shutil.copytree(kept, field.folder)
    change, verdict = CASES[name]
    case = HostileField(field.folder, copy.deepcopy(field.config))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        change(case)
        errors, doubts = case.said()
    found = "refused" if errors else "told" if doubts else "right"
    assert found == verdict.replace("unseen", "right"), [*errors, *doubts]
    assert all("; expected " in error for error in errors)


def elongated(wcs, shape, scale, fwhm):
    """An elliptical Gaussian at `PLACE` of 500 units, 0.075 by 0.04 arcsec, its long axis 30 degrees from North to East, behind a PSF."""
    rows, columns = np.indices(shape)
    ra, dec = wcs.all_pix2world(columns, rows, 0)
    east = 3600 * (ra - PLACE[0]) * np.cos(np.deg2rad(PLACE[1]))
    north = 3600 * (dec - PLACE[1])
    along = np.array([np.sin(np.deg2rad(30.0)), np.cos(np.deg2rad(30.0))])
    across = np.array([along[1], -along[0]])
    covariance = 0.075**2 * np.outer(along, along) + 0.04**2 * np.outer(across, across)
    covariance += (fwhm / 2.3548) ** 2 * np.eye(2)
    inverse = np.linalg.inv(covariance)
    square = inverse[0, 0] * east**2 + 2 * inverse[0, 1] * east * north + inverse[1, 1] * north**2
    return 500.0 * scale**2 * np.exp(-0.5 * square) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))


@pytest.mark.parametrize(
    "frame",
    [
        {"turn": 40.0},
        {"turn": 90.0},
        {"flip": -1},
        {"flip": -1, "turn": 25.0},
        {"scale": 0.04, "aside": 0.02},
        {"scale": 0.04, "flip": -1, "turn": -70.0},
    ],
)
def test_filters_in_other_frames_see_the_same_clump(tmp_path, frame):
    """Rotated, mirrored and shifted pixels hold the light that the sky has there, and the shape is turned with them."""
    cutouts, psfs = {}, {}
    for band, own in (("F200W", {}), ("F277W", dict(frame))):
        scale, fwhm = own.pop("scale", 0.03), FWHM[band]
        aside = own.pop("aside", 0.0) / 3600
        shape = (round(6.0 / scale),) * 2
        wcs = sky(shape, scale, (PLACE[0] + aside, PLACE[1] - aside), **own)
        header = wcs.to_header()
        header["BUNIT"] = "nJy"
        noise = np.random.default_rng(3).normal(0.0, 0.2, shape)
        fits.writeto(tmp_path / f"{band}.fits", elongated(wcs, shape, scale, fwhm) + noise, header)
        fits.writeto(tmp_path / f"{band}_err.fits", np.full(shape, 0.2), header)
        size = 2 * round(1.2 / scale) + 1
        psf = gaussian((size, size), size // 2, size // 2, fwhm / scale)
        fits.writeto(tmp_path / f"{band}_psf.fits", psf)
        mosaic = open_mosaic(tmp_path / f"{band}.fits", err=tmp_path / f"{band}_err.fits", name=band)
        cutouts[band] = mosaic.cutout(*PLACE, 3.0)
        psfs[band] = load_psf(tmp_path / f"{band}_psf.fits", scale, band)
    clumps = Table({"id": ["1"], "galaxy": ["g"], "ra": [PLACE[0]], "dec": [PLACE[1]], "flags": [0]})
    table, _ = measure_galaxy(cutouts, psfs, clumps, "F200W", ["F200W", "F277W"], box=15, host_fwhm=0.0)
    for band in cutouts:
        assert table[f"flux_{band}_njy"][0] == pytest.approx(500.0, rel=0.015)
    assert table["sigma_x_px"][0] == pytest.approx(2.5, rel=0.03)
    assert table["sigma_y_px"][0] == pytest.approx(0.04 / 0.03, rel=0.05)
