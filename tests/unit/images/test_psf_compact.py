"""PSFs without stars to test them: compact sources in closed form, Gaussians behind a core and wings, each seen in every filter."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from clumpscope.gaussian import FWHM_OF_SIGMA
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.psf import normalise_psf, read_psf
from clumpscope.images.psf_compact import compact_sources, judge_psfs
from unit.images.image_fields import tan_wcs
from unit.photometry.narrow_stars import effective, pixels

SCALE, SIDE, PER_ROW = 0.04, 41, 4
# Standard deviations [px] of the cores of four filters' PSFs, and of the sources.
PSFS = {"F115W": 0.9, "F150W": 1.1, "F277W": 1.4, "F444W": 1.8}
SIZES = np.concatenate([[0.0, 0.3, 0.5], np.linspace(0.6, 3.0, 9)])


@pytest.fixture
def make_mosaic(tmp_path):
    def make(name, sigma, sizes=SIZES, snr=300.0, seed=1, flaws=0):
        """The field in a filter: sources at the same places, through a PSF, with white noise; `flaws` are single bright pixels."""
        image, axis = np.zeros((PER_ROW * SIDE,) * 2), np.arange(SIDE) - SIDE // 2
        moves = np.random.default_rng(5).uniform(-0.5, 0.5, (PER_ROW**2, 2))
        rng = np.random.default_rng(seed)
        noise = np.sqrt(np.sum(pixels(axis, axis, sigma) ** 2)) / snr
        places = []
        for k in range(PER_ROW**2):
            row, column = np.array(divmod(k, PER_ROW)) * SIDE
            dx, dy = moves[k]
            if k < len(sizes):
                image[row : row + SIDE, column : column + SIDE] = pixels(
                    axis - dx, axis - dy, sigma, sizes[k]
                )
                places.append((column + SIDE // 2 + dx, row + SIDE // 2 + dy))
            elif k < len(sizes) + flaws:
                image[row + SIDE // 2, column + SIDE // 2] = 0.3
                places.append((column + SIDE // 2, row + SIDE // 2))
        header = tan_wcs(image.shape, SCALE).to_header()
        header["BUNIT"] = "nJy"
        for kind, plane in (
            ("sci", image + rng.normal(0.0, noise, image.shape)),
            ("err", np.full(image.shape, noise)),
        ):
            fits.writeto(tmp_path / f"{name}_{kind}.fits", plane, header, overwrite=True)
        mosaic = open_mosaic(tmp_path / f"{name}_sci.fits", err=tmp_path / f"{name}_err.fits", name=name)
        x, y = np.transpose(places)
        candidates = Table(
            {
                "x": np.rint(x),
                "y": np.rint(y),
                "mag_ab": np.full(len(x), 25.0),
                "r_half_px": np.full(len(x), 3.0),
            }
        )
        return mosaic, candidates

    return make


def point(sigma):
    return normalise_psf(effective(sigma, 1), SCALE, "given")


def judged(make_mosaic, images, psfs):
    """What is noted of each PSF, and the doubts; `images`, `psfs`: filter -> width of the core."""
    compact = {}
    for number, (name, sigma) in enumerate(images.items()):
        mosaic, candidates = make_mosaic(name, sigma, seed=number)
        psf = point(psfs[name])
        compact[name] = replace(psf, compact=compact_sources(mosaic, psf, candidates))
    return judge_psfs(compact)


def test_squared_widths_are_those_of_source_and_psf_together(make_mosaic):
    """Of Gaussian parts, squared widths add up: behind a source of s the core's sigma^2 is sigma^2 + s^2."""
    mosaic, candidates = make_mosaic("F277W", 1.4)
    found = compact_sources(mosaic, point(1.4), candidates)
    x, y = mosaic.wcs.all_world2pix(found["ra"], found["dec"], 0)
    sizes = SIZES[(np.rint((y - SIDE // 2) / SIDE) * PER_ROW + np.rint((x - SIDE // 2) / SIDE)).astype(int)]
    assert len(found) >= 8 and {0.0, 0.3, 0.5} <= {*sizes}
    # The same in the fits' terms: of a noiseless source of each size, by its second derivative, which the wings hardly change.
    grown = np.asarray(found["squared_arcsec2"] - found["psf_arcsec2"]) / (FWHM_OF_SIGMA * SCALE) ** 2
    pulls = (grown - sizes**2) / np.hypot(
        found["error_arcsec2"] / (FWHM_OF_SIGMA * SCALE) ** 2, 0.15 * sizes**2
    )
    assert np.all(np.abs(pulls) < 4.0)


def test_psfs_of_their_images_are_not_doubted(make_mosaic):
    psfs, doubts = judged(make_mosaic, PSFS, PSFS)
    assert doubts == []
    assert all(
        "not tested on stars" in psf.notes[-1] and "too broad" in psf.notes[-1] for psf in psfs.values()
    )


@pytest.mark.parametrize("factor", [1.35, 1.7, 2.5])
def test_a_psf_that_is_broader_than_sources_is_told(make_mosaic, factor):
    psfs, doubts = judged(make_mosaic, {"F150W": 1.1}, {"F150W": 1.1 * factor})
    assert len(doubts) == 1 and "PSF of F150W: 3 sources are sharper than it" in doubts[0]
    assert "is it the PSF of this image?" in psfs["F150W"].notes[-1]


def test_images_that_were_smoothed_to_one_psf_are_told(make_mosaic):
    """All images have the PSF of the broadest; each is given its own."""
    smoothed = dict.fromkeys(PSFS, PSFS["F444W"])
    _, doubts = judged(make_mosaic, smoothed, PSFS)
    assert len(doubts) == 1 and "were the images smoothed to one PSF?" in doubts[0]
    assert "PSFs of F115W, F150W, F277W, F444W: " in doubts[0]
    # With the one that they have nothing is amiss.
    assert judged(make_mosaic, smoothed, smoothed)[1] == []


def test_pixels_that_are_no_sources_refute_nothing(make_mosaic):
    mosaic, candidates = make_mosaic("F444W", 1.8, sizes=np.array([1.0, 1.5]), flaws=6)
    psf = point(1.8)
    assert len(compact_sources(mosaic, psf, candidates)) == 2


def test_without_compact_sources_the_report_says_that_nothing_was_tested(make_mosaic, tmp_path):
    mosaic, candidates = make_mosaic("F444W", 1.8, sizes=np.array([0.0]))
    psf = point(1.8)
    replace(psf, compact=compact_sources(mosaic, psf, candidates)).write(tmp_path / "F444W.fits")
    psfs, doubts = judge_psfs({"F444W": read_psf(tmp_path / "F444W.fits")})
    assert doubts == [] and psfs["F444W"].notes[-1] == "was not tested: no stars, no compact source"
    mosaic, candidates = make_mosaic("F444W", 1.8, sizes=np.array([0.0]), snr=5.0)
    assert len(compact_sources(mosaic, psf, candidates)) == 0


def test_a_psf_narrower_than_two_pixels_on_whole_pixels_raises_no_alarm(make_mosaic):
    """Pixels alias it: interpolated between pixels it is wrong by some percent."""
    _, doubts = judged(make_mosaic, {"F090W": 0.5, "F115W": 0.65}, {"F090W": 0.5, "F115W": 0.65})
    assert doubts == []
