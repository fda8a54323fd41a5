"""Photon noise against images made of counted electrons."""

import numpy as np
import pytest
from clumpscope.errors import InputError
from clumpscope.images.mosaic import open_mosaic
from scipy.ndimage import binary_erosion

pytest_plugins = ["image_fixtures"]

# Cards of a real NIRCam mosaic in F444W, whose channel has 1.82 electrons per DN.
CARDS = {"PHOTMJSR": 0.3925, "PIXAR_SR": 9.31e-14, "PHOTSCAL": 1.0014}
SECONDS, SKY = 2500.0, 0.2


@pytest.fixture
def counted(write_image):
    """Function writing a mosaic of plateaus of light [nJy] in 10 nJy: counted electrons and noise of the sky."""

    def write(levels, size=120, bins=1, **cards):
        rng = np.random.default_rng(8)
        light = np.repeat(np.repeat(levels, size, axis=0)[:, None], size, axis=1)
        # MJy/sr of the detector's pixels, DN, electrons.
        electrons_per_njy = 1e-15 / 9.31e-14 / (0.3925 * 1.0014) * 1.82 * SECONDS
        seen = rng.poisson(light * electrons_per_njy) / electrons_per_njy + rng.normal(0, SKY, light.shape)
        files = {
            "sci": write_image("sci.fits", seen / 10, 0.04, "10 nJy", **(cards or CARDS)),
            "wht": write_image("wht.fits", np.full(light.shape, (10 / SKY) ** 2), None),
            "exp": write_image("exp.fits", np.full([n // bins for n in light.shape], SECONDS), None),
        }
        return files, light

    return write


@pytest.mark.parametrize("bins", [1, 4])
def test_errors_are_the_scatter_of_counted_electrons(counted, bins):
    levels = np.array([0.0, 1.0, 10.0, 100.0])
    files, light = counted(levels, bins=bins)
    data, error = open_mosaic(**files, name="F444W").read(slice(0, 480), slice(0, 120))
    for level in levels:
        inside = binary_erosion(light == level, np.ones((5, 5)))
        assert np.std((data - level)[inside] / error[inside]) == pytest.approx(1.0, abs=0.03)
        # Errors that followed the noise itself would weigh low pixels more.
        weight = error[inside] ** -2
        assert np.average(data[inside], weights=weight) == pytest.approx(level, abs=0.01 + 0.002 * level)
    assert np.median(error[light == 100.0]) > 3 * SKY


def test_a_rectangle_has_the_errors_of_the_whole(counted):
    files, _ = counted(np.array([3.0, 30.0]), bins=4)
    mosaic = open_mosaic(**files, name="F444W")
    whole = mosaic.read(slice(0, 240), slice(0, 120))[1]
    part = mosaic.read(slice(33, 90), slice(5, 78))[1]
    np.testing.assert_allclose(part[1:-1, 1:-1], whole[34:89, 6:77])


def test_pixels_without_exposure_are_not_good(counted, write_image):
    files, _ = counted(np.array([3.0]))
    seconds = np.full((120, 120), SECONDS)
    seconds[:, :20] = 0.0
    files["exp"] = write_image("gap.fits", seconds, None)
    data, error = open_mosaic(**files, name="F444W").read(slice(0, 120), slice(0, 120))
    assert np.isnan(data[:, :20]).all()
    assert np.isnan(error[:, :20]).all()
    assert np.isfinite(error[:, 20:]).all()


def test_hubble_counts_electrons_already(counted):
    """A zero point of 26 AB magnitudes for one electron per second: 144.5 nJy."""
    files, _ = counted(np.array([10.0]), OPHOTFNU=10 ** (-0.4 * (26.0 - 8.9)))
    _, error = open_mosaic(**files, name="F814W").read(slice(0, 120), slice(0, 120))
    assert np.median(error) ** 2 - SKY**2 == pytest.approx(10.0 * 144.5 / SECONDS, rel=0.02)


def test_refusals(counted, write_image):
    files, _ = counted(np.array([1.0]))
    with pytest.raises(InputError, match="without a weight map"):
        open_mosaic(files["sci"], exp=files["exp"], name="F444W")
    with pytest.raises(InputError, match="divided by a whole number"):
        open_mosaic(
            files["sci"], wht=files["wht"], exp=write_image("bad.fits", np.ones((50, 50)), None), name="F444W"
        )
    plain = write_image("plain.fits", np.ones((120, 120)), 0.04)
    with pytest.raises(InputError, match="PHOTMJSR"):
        open_mosaic(plain, wht=files["wht"], exp=files["exp"], name="F444W")
