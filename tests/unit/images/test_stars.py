import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.images.psf import normalise_psf
from clumpscope.images.psf_built import build_psf
from clumpscope.images.stars import find_stars
from clumpscope.photometry import fit_clumps
from image_fields import moffat, place

pytest_plugins = ["image_fixtures"]

# FWHM of 2.9 px, as F150W at 0.02 arcsec a pixel.
ALPHA, BETA, NOISE = 2.6, 2.6, 0.5


@pytest.fixture(scope="module")
def field():
    """900 x 900 sky: 12 stars, 25 galaxies, a saturated star and a close pair."""
    rng = np.random.default_rng(11)
    image = rng.normal(0, NOISE, (900, 900))
    cells = rng.permutation([(x, y) for x in range(75, 900, 110) for y in range(75, 900, 110)])
    positions = cells + rng.uniform(-12, 12, cells.shape)

    def add(x, y, flux, alpha=ALPHA):
        place(
            image,
            moffat((141, 141), 70 + x - int(x), 70 + y - int(y), alpha, BETA, flux, 4),
            int(x) - 70,
            int(y) - 70,
        )

    stars = positions[:12]
    for (x, y), flux in zip(stars, np.geomspace(1500, 20000, 12), strict=True):
        add(x, y, flux)
    for x, y in positions[12:37]:
        add(x, y, rng.uniform(1500, 9000), ALPHA * rng.uniform(1.6, 4))
    saturated = positions[37]
    add(*saturated, 3e5)
    x, y = np.rint(saturated).astype(int)
    image[y - 2 : y + 3, x - 2 : x + 3] = np.nan
    pair = positions[38]
    add(*pair, 8000)
    add(pair[0] + 14, pair[1] + 9, 5000)
    return image, stars, saturated, pair


@pytest.fixture
def mosaic(field, make_mosaic):
    return make_mosaic(field[0], error=NOISE)


def near(table, position, radius=3.0):
    return np.hypot(table["x"] - position[0], table["y"] - position[1]) < radius


def test_stars_are_found_and_others_told_apart(field, mosaic):
    _, stars, saturated, pair = field
    table = find_stars(mosaic)
    chosen = table[table["status"] == "star"]
    for star in stars:
        assert near(chosen, star).sum() == 1
    assert len(chosen) == len(stars)
    assert not near(chosen, saturated, 20).any()
    assert (table["status"][near(table, pair)] == "neighbour").all()
    # Magnitude within 0.4 arcsec: 31.4 - 2.5 log10(flux x encircled energy).
    inside = 1 - (1 + (0.4 / 0.02 / ALPHA) ** 2) ** (1 - BETA)
    brightest = chosen[0]
    assert brightest["mag_ab"] == pytest.approx(31.4 - 2.5 * np.log10(20000 * inside), abs=0.02)
    assert find_stars(mosaic, n_max=4)["status"].tolist().count("star") == 4
    faint = find_stars(mosaic, mag_bright=22.5)
    assert (faint["mag_ab"][faint["status"] == "star"] >= 22.5).all()


@pytest.mark.parametrize("given", [False, True])
def test_stack_is_the_psf(field, mosaic, given):
    _, stars, _, _ = field
    if given:
        ra, dec = mosaic.wcs.all_pix2world(stars[:, 0] + 0.8, stars[:, 1] - 0.7, 0)
        table = Table({"ra": ra, "dec": dec})
    else:
        table = find_stars(mosaic)
    psf = build_psf(mosaic, table)
    truth = normalise_psf(moffat((101, 101), 50, 50, ALPHA, BETA), 0.02, "truth")
    assert psf.n_stars == 12 and psf.source == "stars"
    assert psf.fwhm_arcsec == pytest.approx(truth.fwhm_arcsec, rel=0.01)
    edge = psf.kernel.shape[0] // 2
    difference = psf.kernel - truth.kernel[50 - edge : 51 + edge, 50 - edge : 51 + edge]
    assert np.abs(difference).max() < 0.01 * truth.kernel.max()
    radii = np.array([0.05, 0.1, 0.2, 0.3])
    curves = [
        np.interp(radii, p.radii_arcsec, p.encircled_energy * p.aperture_correction) for p in (psf, truth)
    ]
    np.testing.assert_allclose(*curves, atol=0.01)


def test_no_star_is_an_error(make_mosaic, mosaic):
    empty = make_mosaic(np.random.default_rng(0).normal(0, 1, (300, 300)), 1.0, name="F200W")
    with pytest.raises(InputError, match="0 usable stars"):
        find_stars(empty)
    with pytest.raises(InputError, match="usable stars"):
        find_stars(mosaic, snr_min=1e6)
    with pytest.raises(InputError, match="30 x 30 pixels"):
        find_stars(make_mosaic(np.ones((30, 30)), 1.0, name="F444W"))


def test_unusable_star_lists(field, mosaic, make_mosaic):
    saturated = field[2]
    ra, dec = mosaic.wcs.all_pix2world([saturated[0], -500.0, 880.0], [saturated[1], 10.0, 899.0], 0)
    with pytest.raises(InputError, match="0 usable stars of 3"):
        build_psf(mosaic, Table({"ra": ra, "dec": dec}))
    with pytest.raises(InputError, match="column 'dec'"):
        build_psf(mosaic, Table({"ra": ra}))
    small = make_mosaic(field[0][:80, :80], NOISE, name="F200W")
    with pytest.raises(InputError, match="80 x 80 pixels"):
        build_psf(small, Table({"ra": ra, "dec": dec}))


def test_galaxies_in_a_list_of_stars_are_left_out_and_told(field, mosaic, capsys):
    """One among many, or one of two: the PSF is that of the stars, and the flux of another star is its own."""
    image, stars, _, _ = field
    found = find_stars(mosaic)
    galaxies = found[found["status"] == "extended"]
    galaxies = galaxies[np.argsort(galaxies["r_half_px"])]
    for n_stars, chosen in ((5, galaxies[[0, -1]]), (1, galaxies[[-1]])):
        ra, dec = mosaic.wcs.all_pix2world(*stars[-n_stars:].T, 0)
        listed = Table({"ra": [*ra, *chosen["ra"]], "dec": [*dec, *chosen["dec"]]})
        psf = build_psf(mosaic, listed)
        assert psf.n_stars == n_stars
        told = capsys.readouterr().err.splitlines()
        assert len(told) == len(chosen) and all("In doubt: PSF of F150W: star at" in line for line in told)
        assert sum("is a galaxy" in note for note in psf.notes) == len(chosen)
        x, y = stars[6]
        at = [int(np.rint(x)) - 30, int(np.rint(y)) - 30]
        cut = image[at[1] : at[1] + 61, at[0] : at[0] + 61]
        flux = fit_clumps(cut, np.full(cut.shape, NOISE), psf.fine, [x - at[0]], [y - at[1]], model="point")
        inside = 1 - (1 + (0.4 / 0.02 / ALPHA) ** 2) ** (1 - BETA)
        assert flux["flux"][0] == pytest.approx(np.geomspace(1500, 20000, 12)[6] * inside, rel=0.02)


def test_a_psf_of_galaxies_alone_is_told(field, mosaic, capsys):
    found = find_stars(mosaic)
    broadest = found[[np.argmax(np.nan_to_num(found["r_half_px"]) * (found["status"] == "extended"))]]
    broadest.remove_column("status")
    psf = build_psf(mosaic, broadest)
    assert "are its stars galaxies" in capsys.readouterr().err
    assert any("are its stars galaxies" in note for note in psf.notes)


def test_faint_stars_are_no_galaxies(make_mosaic, capsys):
    """Widths of faint stars scatter by their noise."""
    rng = np.random.default_rng(5)
    image = rng.normal(0, NOISE, (600, 600))
    places = [(x, y) for x in range(70, 600, 90) for y in range(70, 600, 90)]
    for x, y in places:
        place(image, moffat((141, 141), 70, 70, ALPHA, BETA, rng.uniform(60, 300), 4), x - 70, y - 70)
    mosaic = make_mosaic(image, error=NOISE)
    ra, dec = mosaic.wcs.all_pix2world(*np.array(places).T, 0)
    psf = build_psf(mosaic, Table({"ra": ra, "dec": dec}))
    assert psf.n_stars > 20 and "left out" not in capsys.readouterr().err


def test_places_without_a_star_are_left_out(field, mosaic):
    places = [(x, y) for x in range(130, 800, 110) for y in range(130, 800, 110)]
    ra, dec = mosaic.wcs.all_pix2world(*np.vstack([field[1][:3], places]).T, 0)
    assert build_psf(mosaic, Table({"ra": ra, "dec": dec})).n_stars == 3
    with pytest.raises(InputError, match="0 usable stars of 49"):
        build_psf(mosaic, Table({"ra": ra[3:], "dec": dec[3:]}))


def test_stars_cut_off_at_one_level_are_saturated(field, make_mosaic):
    image, stars, _, _ = field
    x, y = np.rint(stars[-1]).astype(int)
    level = image[y, x + 2]
    cut = make_mosaic(np.minimum(image, level), error=NOISE)
    table = find_stars(cut)
    assert table["status"][near(table, stars[-1])] == "saturated"
    assert table["status"][near(table, stars[0])] == "star"
