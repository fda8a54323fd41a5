"""Images that do not lie on each other are told, by how much they are off."""

import re

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from clumpscope.images.consistency import compare_noise, registration
from clumpscope.images.mosaic import open_mosaic

CENTRE = (10.0, -30.0)


def mosaic(folder, name, scale_arcsec, size, galaxies, seed, east=0.0, north=0.0):
    """Round galaxies of two clumps on noise, the WCS wrong by an offset [arcsec]."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], CENTRE, [size / 2, size / 2]
    wcs.wcs.cdelt = [-scale_arcsec / 3600, scale_arcsec / 3600]
    y, x = np.indices((size, size))
    image = np.random.default_rng(seed).normal(size=(size, size))
    for row in galaxies:
        for along, flux in ((0.0, 30.0), (0.35, 20.0)):
            px, py = wcs.all_world2pix(row["ra"] + along / 3600, row["dec"] + along / 3600, 0)
            image += flux * np.exp(-0.5 * ((x - px) ** 2 + (y - py) ** 2) * (scale_arcsec / 0.12) ** 2)
    wcs.wcs.crval = [CENTRE[0] + east / 3600 / np.cos(np.deg2rad(CENTRE[1])), CENTRE[1] + north / 3600]
    header = wcs.to_header()
    header["BUNIT"] = "nJy"
    fits.writeto(folder / f"{name}.fits", image, header)
    return open_mosaic(folder / f"{name}.fits", name=name)


@pytest.fixture
def galaxies():
    offsets = np.array([[-5.0, -4.0], [4.0, 5.0], [5.0, -5.0], [-4.0, 4.0]]) / 3600
    return Table({"ra": CENTRE[0] + offsets[:, 0], "dec": CENTRE[1] + offsets[:, 1]})


def test_a_shifted_image_is_told_with_its_offset(tmp_path, galaxies):
    first = mosaic(tmp_path, "F150W", 0.04, 400, galaxies, 1)
    good = mosaic(tmp_path, "F200W", 0.02, 800, galaxies, 2)
    shifted = mosaic(tmp_path, "F277W", 0.04, 400, galaxies, 3, east=0.4, north=-0.3)
    (text,) = registration([first, good, shifted], galaxies)
    assert "(F277W): sources lie" in text and "from where F150W has them, by 4 galaxies" in text
    east, north = (float(number) for number in re.findall(r"([-+][\d.]+) (?:East|North)", text))
    assert east == pytest.approx(0.4, abs=0.02) and north == pytest.approx(-0.3, abs=0.02)


def test_noise_alone_says_nothing_of_places(tmp_path, galaxies):
    images = [mosaic(tmp_path, name, 0.04, 400, [], seed) for seed, name in enumerate(("F150W", "F200W"))]
    assert registration(images, galaxies) == []


def test_zeros_of_whole_numbers_are_counts(tmp_path):
    counts = np.random.default_rng(1).poisson(1.0, (60, 60)).astype(np.int16)
    counts[:20] = 0
    header = mosaic(tmp_path, "F150W", 0.04, 60, [], 1).wcs.to_header()
    header["BUNIT"] = "nJy"
    fits.writeto(tmp_path / "counts.fits", counts, header)
    data, _ = open_mosaic(tmp_path / "counts.fits").read(slice(0, 60), slice(0, 60))
    assert np.isnan(data[:20]).all() and np.isfinite(data[25:]).mean() > 0.99


@pytest.mark.parametrize(("njy_per_unit", "told"), [(1.0, False), (1e3, True), (1e-3, True)])
def test_a_unit_that_is_wrong_everywhere_is_told(njy_per_unit, told):
    # The depth of the UNCOVER mosaics, 29.5 AB mag in circles of 0.1 arcsec, in all filters.
    noise = 10 ** (0.4 * (31.4 - 29.5)) / 5 / (np.sqrt(np.pi) * 0.1) * njy_per_unit
    found = compare_noise({"F150W": noise, "F277W": 1.2 * noise, "F444W": 0.8 * noise}, "fields.a.images")
    assert bool(found) == told
    if told:
        assert f"{29.5 - 2.5 * np.log10(njy_per_unit):.1f} AB mag" in found[0]
    assert compare_noise({}, "fields.a.images") == []
