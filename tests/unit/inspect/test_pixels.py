import base64
import gzip

import numpy as np
import pytest
from clumpscope.inspect.pixels import Packer, binned, decode, encode


def test_bytes_keep_noise_and_bright_pixels():
    rng = np.random.default_rng(3)
    image = rng.normal(scale=2.0, size=(40, 50)) + 3000.0 * np.exp(
        -((np.indices((40, 50)) - 20) ** 2).sum(axis=0) / 8.0
    )
    image[3, 4] = np.nan
    back = decode(encode(image, 2.0))
    assert np.isnan(back[3, 4]) and np.isfinite(back).sum() == image.size - 1
    good = np.isfinite(image)
    # Half a step: 1/40 of the noise near zero, 2.5 per cent where it is bright (the range here needs no coarser steps).
    allowed = 0.5 / 20.0 * np.hypot(image, 2.0) * 1.05
    assert (np.abs(back - image)[good] <= allowed[good]).all()


@pytest.mark.parametrize(
    "image", [np.zeros((3, 4)), np.full((3, 4), np.nan), np.full((3, 4), -1e6), np.array([[-1e7, 1e9]])]
)
def test_any_range_is_kept(image):
    back = decode(encode(image, 1.0))
    assert (np.isnan(back) == np.isnan(image)).all()
    assert np.allclose(back, image, rtol=0.25, equal_nan=True)


def test_binning_is_the_mean_of_good_pixels():
    image = np.arange(35.0).reshape(5, 7)
    image[0, 0] = np.nan
    image[2:4, 2:4] = np.nan
    small = binned(image, 2)
    assert small.shape == (2, 3)
    assert small[0, 0] == pytest.approx((1 + 7 + 8) / 3) and np.isnan(small[1, 1])
    assert binned(image, 1) is image


def test_planes_are_found_again():
    packer = Packer()
    first, second = packer.add(np.ones((2, 3)), 1.0), packer.add(np.full((1, 2), 5.0), 1.0)
    content = gzip.decompress(base64.b64decode(packer.text()))
    assert (first["start"], second["start"], len(content)) == (0, 6, 8)
    for where, value in ((first, 1.0), (second, 5.0)):
        found = where["noise"] * np.sinh((content[where["start"]] - where["zero"]) / where["scale"])
        assert found == pytest.approx(value, rel=0.05)
