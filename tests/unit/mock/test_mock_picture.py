"""The picture of a field of any size, from mosaics of two pixel scales."""

from types import SimpleNamespace

import numpy as np
import pytest
from clumpscope.mock.picture import draw_picture, thumbnail


@pytest.mark.parametrize("size_arcsec", [26.0, 60.0, 81.01, 170.0, 170.025])
def test_mosaics_of_two_scales_make_one_picture(tmp_path, size_arcsec):
    rng = np.random.default_rng(1)
    images = {}
    for name, scale in (("F115W", 0.02), ("F200W", 0.02), ("F444W", 0.04)):
        n = round(size_arcsec / scale)
        image = rng.normal(size=(n, n)).astype(np.float32)
        image[n // 2, n // 2] = 1e6
        images[name] = thumbnail(image, scale, size_arcsec)
        assert max(images[name].shape) <= 2000
        # One place of the sky is one of the picture, to a pixel.
        bright = np.array(np.unravel_index(images[name].argmax(), images[name].shape))
        assert np.abs(bright - len(images[name]) / 2).max() <= 1.0
    draw_picture(
        tmp_path / "field.png",
        SimpleNamespace(
            size_arcsec=size_arcsec,
            clumps=[SimpleNamespace(images=[(0, 0, 0, SimpleNamespace(centroid=(0.0, 0.0)))])],
            galaxies=[],
            stars=[],
        ),
        images,
    )
    assert (tmp_path / "field.png").stat().st_size > 10_000
