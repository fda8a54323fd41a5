"""Lines between true values are found behind errors of both axes, and what has none comes back as least squares have it."""

import numpy as np
import pytest
from clumpscope.population.regression import intrinsic_line
from clumpscope.population.statistics import correlation, fit_line


def _drawn(rng, n, slope, scatter, x_error, y_error, in_common, x_width=0.5):
    x = rng.normal(9.5, x_width, n)
    y = 7.0 + slope * (x - 9.5) + rng.normal(0.0, scatter, n)
    ex, ey = rng.uniform(*x_error, n), rng.uniform(*y_error, n)
    first, second = rng.normal(size=(2, n))
    seen_x = x + ex * first
    seen_y = y + ey * (in_common * first + np.sqrt(1.0 - in_common**2) * second)
    return seen_x, seen_y, ex, ey, in_common * ex * ey


@pytest.mark.parametrize(
    ("slope", "scatter", "x_error", "y_error", "in_common"),
    [
        (0.5, 0.4, (0.3, 0.5), (0.2, 0.4), 0.0),  # least squares read 0.3 in place of 0.5
        (-0.5, 0.5, (0.1, 0.5), (0.1, 0.6), -0.9),  # a host's mass in both axes
        (0.0, 0.4, (0.3, 0.5), (0.3, 0.5), -0.9),  # a correlation of errors alone
    ],
)
def test_the_true_line_is_found_behind_errors(slope, scatter, x_error, y_error, in_common):
    rng, n_draws, n = np.random.default_rng(), 100, 300
    true_r = slope * 0.5 / np.hypot(slope * 0.5, scatter)
    found, naive = [], []
    for _ in range(n_draws):
        x, y, ex, ey, common = _drawn(rng, n, slope, scatter, x_error, y_error, in_common)
        line = intrinsic_line(x, y, ex, ey, common)
        found.append((line.slope, line.r))
        naive.append((fit_line(x, y).slope, correlation(x, y).r))
    found, naive = np.array(found), np.array(naive)
    for place, truth in enumerate((slope, true_r)):
        error = found[:, place].std() / np.sqrt(n_draws)
        assert abs(found[:, place].mean() - truth) < 5.0 * error + 0.01
        # What this is for: without the errors the same data are far off.
        assert abs(naive[:, place].mean() - truth) > 0.08


def test_without_errors_it_is_least_squares():
    rng = np.random.default_rng(8)
    x = rng.normal(size=50)
    y = 2.0 - 0.7 * x + rng.normal(size=50)
    line, plain = intrinsic_line(x, y, np.zeros(50), np.full(50, np.nan)), fit_line(x, y)
    assert line.slope == pytest.approx(plain.slope, rel=1e-6)
    assert line.intercept == pytest.approx(plain.intercept, rel=1e-6)
    assert line.r == pytest.approx(correlation(x, y).r, rel=1e-6)


def test_a_line_without_scatter_is_that_line():
    x = np.linspace(0.0, 1.0, 20)
    line = intrinsic_line(x, 3.0 * x - 1.0, np.zeros(20), np.zeros(20))
    assert (line.slope, line.intercept, line.r) == pytest.approx((3.0, -1.0, 1.0), abs=1e-6)


def test_too_little_to_tell_has_no_value():
    few = np.array([1.0, 2.0, 4.0, np.nan, 3.0])
    assert np.isnan(intrinsic_line(few, few, 0.1 * few, 0.1 * few).slope)
    # All of the scatter of x is its errors.
    rng = np.random.default_rng(2)
    line = intrinsic_line(rng.normal(size=40), rng.normal(size=40), np.full(40, 3.0), np.full(40, 0.1))
    assert line.n == 40 and np.isnan([line.slope, line.r]).all()
