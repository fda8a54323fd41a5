import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.flags import bit
from clumpscope.injection import INJECTION_TABLES
from clumpscope.injection.completeness import (
    clump_limits,
    completeness_limits,
    completeness_table,
    flux_bins,
    found_by,
    host_bins,
)
from clumpscope.injection.products import injection_tables
from scipy.special import expit, logit
from scipy.stats import norm
from unit.injection.injected_samples import DEPTH, HALF, SLOPE, injected_sample


@pytest.fixture(scope="module")
def injected():
    return injected_sample()


def true_level(completeness, width):
    return 10 ** (HALF + 1.5 * np.log10(width) + logit(completeness) / SLOPE)


def test_criteria():
    table = injected_sample(6)
    table["detected"] = [True, True, True, True, False, True]
    table["flux_njy"] = [1.0, 1.0, np.nan, 1.0, np.nan, 1.0]
    table["flags"] = [0, bit("few_pixels"), 0, 0, 0, bit("edge")]
    table["n_bands_snr3"] = [4, 9, 9, 3, 0, 4]
    found = found_by(table, 4)
    assert found["detected"].tolist() == [True, True, True, True, False, True]
    assert found["counted"].tolist() == [True, False, False, False, False, True]


def test_bins_hold_every_clump(injected):
    bins = flux_bins(injected)
    assert len(bins) == 8 and all(np.log10(high / low) == pytest.approx(0.25, abs=0.01) for low, high in bins)
    counts = [np.sum((injected["depth_ratio"] >= a) & (injected["depth_ratio"] < b)) for a, b in bins]
    assert sum(counts) == len(injected)
    sizes = [
        np.sum((injected["host_over_noise"] >= a) & (injected["host_over_noise"] < b))
        for a, b in host_bins(injected)
    ]
    assert sum(sizes) == len(injected) and np.ptp(sizes) <= 2


def test_shares_follow_the_law_they_were_drawn_from(injected):
    cells = completeness_table(injected)
    own = cells[
        (cells["criterion"] == "detected")
        & (cells["sigma_px"] == 2.0)
        & np.isinf(cells["host_low"])
        & np.isinf(cells["host_high"])
    ]
    assert own["n"].sum() == np.sum(injected["true_sigma_px"] == 2.0)
    inside = 0
    for row in own:
        logs = np.linspace(np.log10(row["depth_ratio_low"]), np.log10(row["depth_ratio_high"]), 101)
        truth = expit(SLOPE * (logs - HALF - 1.5 * np.log10(2.0))).mean()
        assert row["completeness"] == row["n_found"] / row["n"]
        assert row["model"] == pytest.approx(truth, abs=0.05)
        inside += row["completeness_lo"] <= truth <= row["completeness_hi"]
    assert inside >= 4
    # Wilson (1927): centre and half-width in closed form.
    row, z = own[len(own) // 2], norm.ppf(0.84134475)
    n, share = row["n"], row["completeness"]
    centre = (share + z**2 / 2 / n) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / 4 / n**2)
    assert row["completeness_lo"] == pytest.approx(centre - half, abs=1e-4)
    assert row["completeness_hi"] == pytest.approx(centre + half, abs=1e-4)


def test_limits_are_those_of_the_law(injected):
    limits = completeness_limits(injected)
    assert set(limits["filter_ref"]) == set(DEPTH)
    for row in limits[limits["criterion"] == "detected"]:
        width = 2.0 if row["sigma_px"] > 0 else 1.0
        for level in (50, 80, 90):
            truth = DEPTH[row["filter_ref"]] * true_level(level / 100, width)
            assert abs(row[f"flux_{level}_njy"] - truth) < 4 * row[f"flux_{level}_err_njy"]
            assert row[f"flux_{level}_err_njy"] < 0.1 * truth


def test_a_real_clump_gets_the_limit_of_its_size_place_and_filter(injected):
    clumps = Table(
        {
            "id": ["a", "b"],
            "flux_njy": [50.0, 4.0],
            "depth_ratio": [10.0, 0.5],
            "width": [2.0, 1.0],
            "host_over_noise": [1.0, 3.0],
        }
    )
    injected = injected.copy()
    injected["n_bands_snr3"] = 9
    table = clump_limits(clumps, injected, 0.9)
    truth = np.array([5.0 * true_level(0.9, 2.0), 8.0 * true_level(0.9, 1.0)])
    np.testing.assert_allclose(table["flux_complete_njy"], truth, rtol=0.06)
    assert table["completeness"][0] > 0.99 and table["completeness"][1] < 0.1


def test_all_tables_of_a_field(injected):
    clumps = Table(
        {"id": ["a"], "flux_njy": [50.0], "depth_ratio": [10.0], "width": [2.0], "host_over_noise": [1.0]}
    )
    tables = injection_tables([injected[:0], injected[:100], injected[100:300]], [clumps])
    assert tuple(tables) == INJECTION_TABLES
    assert len(tables["injected"]) == 300 and all(len(table) for table in tables.values())
    with pytest.raises(InputError, match=r"injection\.clumps"):
        injection_tables([injected[:0]], [clumps])
