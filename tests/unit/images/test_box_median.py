"""Running medians beside scipy's, which sorts every square."""

import numba  # noqa: F401  (the compiled loop is used for small images where it is there already)
import numpy as np
import pytest
import scipy
from clumpscope.images.box_median import box_median


@pytest.mark.parametrize(
    ("shape", "side"),
    [((60, 83), 1), ((60, 83), 3), ((91, 64), 25), ((7, 30), 15), ((1, 1), 5), ((5, 9), 21)],
)
@pytest.mark.parametrize("ties", [False, True])
def test_same_bits_as_sorting(shape, side, ties):
    rng = np.random.default_rng([*shape, side, ties])
    image = rng.normal(size=shape) * 10 ** rng.uniform(-3, 3, shape)
    if ties:
        image = np.round(image)
    expected = scipy.ndimage.median_filter(image, side, mode="nearest")
    np.testing.assert_array_equal(box_median(image, side), expected)
