import numpy as np
import pytest
from astropy.table import Table
from clumpscope.flags import bit
from clumpscope.population.bins import Bin, edge_bins, equal_number_bins
from clumpscope.population.sample import has_size, population_sample
from clumpscope.population.statistics import correlation, fit_line, median, share_below, share_interval


def test_the_median_interval_covers_the_true_median():
    rng = np.random.default_rng(3)
    for size in (5, 20, 101):
        inside = 0
        for _ in range(2000):
            found = median(rng.exponential(1.0, size))
            inside += found.value - found.err_lo <= np.log(2) <= found.value + found.err_hi
        # At least 68 %; discrete ranks overshoot for small samples. Three sigma of 2000 trials is 3 %.
        assert 0.65 < inside / 2000 < (0.95 if size == 5 else 0.8)


def test_median_of_few_values():
    assert median(np.array([np.nan])).n == 0 and np.isnan(median(np.array([])).value)
    two = median(np.array([1.0, 3.0, np.nan]))
    assert two.value == 2.0 and two.n == 2 and np.isnan(two.err_lo)


def test_correlation_and_line_of_known_data():
    # Anscombe's quartet, first set: r = 0.816, slope 0.500, intercept 3.00 (Anscombe 1973), slope error 0.1179.
    x = np.array([10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5.0, np.nan])
    y = np.array([8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68, 1.0])
    found, line = correlation(x, y), fit_line(x, y)
    assert found.r == pytest.approx(0.816, abs=1e-3) and found.p == pytest.approx(0.00217, abs=1e-5)
    assert (line.slope, line.intercept) == pytest.approx((0.500, 3.00), abs=1e-3)
    assert line.slope_err == pytest.approx(0.1179, abs=1e-4) and line.n == 11


def test_too_few_pairs_give_nan():
    assert np.isnan(correlation(np.array([1.0, 2.0]), np.array([1.0, 2.0])).r)
    assert np.isnan(fit_line(np.ones(5), np.arange(5.0)).slope)


def test_edge_bins_are_half_open():
    bins = edge_bins(np.array([0.7, 1.5, 1.4, np.nan]), (0.7, 1.5, 2.5))
    assert [b.rows.tolist() for b in bins] == [[True, False, True, False], [False, True, False, False]]


def test_labels():
    assert Bin(0.7, 1.5, np.ones(1)).label("z") == "0.7 ≤ z < 1.5"
    assert Bin(-np.inf, 1.5, np.ones(1)).label("z") == "z < 1.5"
    # Nearby galaxies, and edges with two digits.
    assert Bin(0.0005, 0.0015, np.ones(1)).label("z") == "0.0005 ≤ z < 0.0015"
    assert Bin(0.75, 1.25, np.ones(1)).label("z") == "0.75 ≤ z < 1.25"
    assert Bin(9.3741, 10.0212, np.ones(1)).label("M") == "9.4 ≤ M < 10.0"


def test_equal_numbers():
    rng = np.random.default_rng(1)
    bins = equal_number_bins(rng.normal(size=101), 4)
    assert sorted(int(b.rows.sum()) for b in bins) == [25, 25, 25, 26]
    # Clumps share their host's value: a galaxy is never cut, and every clump is in one bin.
    hosts = np.repeat(rng.normal(size=30), rng.integers(1, 20, 30))
    bins = equal_number_bins(hosts, 4)
    counts = [int(b.rows.sum()) for b in bins]
    assert sum(counts) == hosts.size and max(counts) - min(counts) <= 2 * 20
    assert len(equal_number_bins(np.array([1.0, 1.0, np.nan]), 4)) == 1
    assert equal_number_bins(np.array([np.nan]), 4) == []


def test_the_sample_leaves_out_what_is_flagged():
    table = Table(
        {
            "flags": [
                0,
                bit("blended"),
                bit("duplicate_image"),
                bit("near_critical"),
                bit("few_bands"),
                0,
                bit("poor_fit"),
            ],
            "n_bands_snr3": [5, 5, 5, 5, 3, 5, 5],
            "log_mass_p50": [6.0, 6.0, 6.0, 6.0, 6.0, np.nan, 6.0],
            "r_eff_pc": [10.0, np.nan, 10.0, 10.0, 10.0, 10.0, 10.0],
            "r_eff_limit": [False, False, True, False, False, False, False],
        }
    )
    np.testing.assert_array_equal(population_sample(table), [True, True, *[False] * 5])
    np.testing.assert_array_equal(population_sample(table, 3), [True, True, False, False, True, False, False])
    np.testing.assert_array_equal(population_sample(table, poor_fit=True), [True, True, *[False] * 4, True])
    np.testing.assert_array_equal(has_size(table), [True, False, False, *[True] * 4])


def test_shares_without_limits_are_plain_ones():
    values = np.array([10.0, 20.0, 20.0, 50.0, np.nan])
    none = np.zeros(5, dtype=bool)
    assert share_below(values, none, 20.0) == pytest.approx(0.25)
    assert share_below(values, none, 20.1) == pytest.approx(0.75)
    assert share_below(values, none, 100.0) == 1.0 and share_below(values, none, 1.0) == pytest.approx(0.0)


def test_a_limit_below_the_threshold_is_below_and_one_above_it_is_not_a_size():
    # The limit of 150 is below 200 for certain; whether it is below 100 is not known: as likely as for the two sizes up to it.
    values, limits = np.array([50.0, 120.0, 150.0, 300.0]), np.array([False, False, True, False])
    assert share_below(values, limits, 200.0) == pytest.approx(0.75)
    # Kaplan & Meier by hand: (1 - 1/4) for 300, (1 - 1/2) for 120 (of 50 and 120).
    assert share_below(values, limits, 100.0) == pytest.approx(0.75 * 0.5)
    assert np.isnan(share_below(np.array([150.0, 150.0]), np.ones(2, bool), 100.0))
    # Nothing tells how far below its limit the least one is.
    assert np.isnan(share_below(np.array([150.0, 300.0]), np.array([True, False]), 100.0))
    assert share_below(np.array([150.0, 90.0, 300.0]), np.array([True, True, False]), 100.0) == pytest.approx(
        2 / 3
    )
    assert share_below(np.array([90.0, 80.0]), np.ones(2, bool), 100.0) == 1.0
    assert np.isnan(share_below(np.array([]), np.array([], bool), 1.0))


def test_shares_with_limits_are_those_of_the_true_sizes():
    rng = np.random.default_rng(3)
    size, smallest = 10 ** rng.normal(2.0, 0.4, 60_000), 10 ** rng.normal(1.9, 0.4, 60_000)
    shown = np.maximum(size, smallest)
    for threshold in (20.0, 100.0, 200.0):
        found = share_below(shown, size < smallest, threshold)
        assert found == pytest.approx(np.mean(size < threshold), abs=0.012)


def test_intervals_of_shares_hold_the_true_one():
    rng = np.random.default_rng(5)
    for share, n in ((0.02, 40), (0.3, 12), (0.5, 100)):
        intervals = np.array([share_interval(k / n, n) for k in rng.binomial(n, share, 4000)])
        assert 0.55 < np.mean((intervals[:, 0] <= share) & (share <= intervals[:, 1])) < 0.85
    assert share_interval(0.0, 3) == pytest.approx((0.0, 0.25)) and np.isnan(share_interval(np.nan, 3)).all()
