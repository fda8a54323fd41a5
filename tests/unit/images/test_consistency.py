"""Images that do not lie on each other are told, by how much they are off."""

import re

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from clumpscope.images.consistency import compare_noise
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.registration import registration

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
    return Table({"ra": CENTRE[0] + offsets[:, 0], "dec": CENTRE[1] + offsets[:, 1], "z": [2.0] * 4})


def test_a_shifted_image_is_told_with_its_offset(tmp_path, galaxies):
    first = mosaic(tmp_path, "F150W", 0.04, 400, galaxies, 1)
    good = mosaic(tmp_path, "F200W", 0.02, 800, galaxies, 2)
    shifted = mosaic(tmp_path, "F277W", 0.04, 400, galaxies, 3, east=0.4, north=-0.3)
    assert registration([first, good], galaxies)[0] == []
    (text,), found = registration([first, good, shifted], galaxies)
    away = re.fullmatch(
        r"images of 1 filters lie within ([\d.]+) arcsec of that of F150W, by 4 galaxies and more", found
    )
    assert float(away[1]) < 0.02
    assert "(F277W): sources lie" in text and "from where F150W has them, by 4 galaxies" in text
    east, north = (float(number) for number in re.findall(r"([-+][\d.]+) (?:East|North)", text))
    assert east == pytest.approx(0.4, abs=0.02) and north == pytest.approx(-0.3, abs=0.02)


def test_noise_alone_says_nothing_of_places(tmp_path, galaxies):
    images = [mosaic(tmp_path, name, 0.04, 400, [], seed) for seed, name in enumerate(("F150W", "F200W"))]
    assert registration(images, galaxies) == ([], "")


@pytest.mark.parametrize("bad", [0, 1, 3])
def test_one_galaxy_tells_a_filter_that_is_beside_those_next_to_it(tmp_path, galaxies, bad):
    bands = ("F115W", "F150W", "F200W", "F277W")
    images = [
        mosaic(tmp_path, band, 0.04, 400, galaxies, seed, north=0.5 * (seed == bad))
        for seed, band in enumerate(bands)
    ]
    (text,), _ = registration(images, galaxies[:1])
    assert f"({bands[bad]}): sources lie" in text
    north = float(re.search(r"([-+][\d.]+) North", text)[1])
    assert north == pytest.approx(0.5, abs=0.04)


def test_colours_that_change_along_a_galaxy_move_all_redder_filters(tmp_path, galaxies):
    bands = ("F115W", "F150W", "F200W", "F277W")
    images = [
        mosaic(tmp_path, band, 0.04, 400, galaxies, k, north=0.5 * (k > 1)) for k, band in enumerate(bands)
    ]
    assert registration(images, galaxies[:1])[0] == []


@pytest.mark.parametrize(("band", "z", "told"), [("F277W", 2.0, True), ("F090W", 2.0, False), ("F090W", 0.8, True)])  # fmt: skip
def test_an_image_that_lies_far_away_shows_nothing_of_the_galaxies(tmp_path, galaxies, band, z, told):
    """Unless the filter is bluer than the break of galaxies so distant."""
    galaxies["z"] = z
    first = mosaic(tmp_path, "F150W", 0.04, 400, galaxies, 1)
    empty = mosaic(tmp_path, band, 0.04, 400, [], 2)
    texts, _ = registration([empty, first], galaxies)
    assert [f"({band}): at 4 of 4 galaxies it shows nothing of what is bright in F150W" in text for text in texts] == [True] * told  # fmt: skip


def test_sources_that_are_others_lie_in_all_directions(tmp_path):
    rng = np.random.default_rng(5)
    crowd = Table({"ra": CENTRE[0] + rng.uniform(-6, 6, 60) / 3600, "dec": CENTRE[1] + rng.uniform(-6, 6, 60) / 3600, "z": [2.0] * 60})  # fmt: skip
    images = [
        mosaic(tmp_path, "F150W", 0.04, 400, crowd, 1),
        mosaic(tmp_path, "F200W", 0.04, 400, crowd, 2, east=4.0),
    ]
    (text,), found = registration(images, crowd)
    assert "in as many directions" in text or "sources are not those of F150W" in text
    assert found == ""


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
