"""Errors on the two sides of a value: those of known distributions, wherever in them the value lies."""

import numpy as np
import pytest
from clumpscope.intervals import sided_errors

NORMAL = np.random.default_rng(1).normal(10.0, 2.0, (1, 200_000))


def test_at_the_median_they_are_the_16_and_84_percent_points():
    skewed = np.exp(0.1 * NORMAL)
    for draws in (NORMAL, skewed):
        low, middle, high = np.percentile(draws[0], [15.8655, 50.0, 84.1345])
        below, above = sided_errors(np.array([middle]), draws)
        assert below[0] == pytest.approx(middle - low, rel=5e-3)
        assert above[0] == pytest.approx(high - middle, rel=5e-3)


@pytest.mark.parametrize("value", [6.0, 9.0, 12.5, 15.0])
def test_wherever_the_value_lies_they_hold_68_percent_and_none_vanishes(value):
    below, above = sided_errors(np.array([value]), NORMAL)
    inside = (value - below[0] < NORMAL) & (value + above[0] > NORMAL)
    assert inside.mean() == pytest.approx(0.6827, abs=2e-3)
    assert below[0] > 0.2 and above[0] > 0.2


def test_one_draw_none_and_unknown_values():
    draws = np.array([[1.0, 4.0], [1.0, 2.0], [5.0, 6.0], [1.0, np.nan]])
    below, above = sided_errors(np.array([3.0, 3.0, np.nan, 2.0]), draws)
    np.testing.assert_allclose(below[[0, 1, 3]], [2.0, 1.0 + 1.0 * 0.682689, 1.0])
    np.testing.assert_array_equal(above, [1.0, 0.0, np.nan, 0.0])
    assert np.isnan(below[2])
    assert [side.tolist() for side in sided_errors(np.ones(2), np.empty((2, 0)))] == [[0.0, 0.0]] * 2
