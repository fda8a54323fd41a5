import numpy as np
import pytest
from clumpscope.injection.recovery import environment_table, recovery_table
from scipy.stats import norm
from unit.injection.injected_samples import BIAS, ERROR_SCALE, injected_sample


@pytest.fixture(scope="module")
def injected():
    return injected_sample(20_000)


def test_known_bias_scatter_and_pulls_are_found(injected):
    rows = recovery_table(injected)
    bright = rows[(rows["filter"] == "reference") & (rows["sigma_px"] == 2.0)][-1]
    assert bright["flux_ratio"] == pytest.approx(BIAS, abs=4 * bright["flux_ratio_err"])
    own = injected[
        (injected["true_sigma_px"] == 2.0) & (injected["depth_ratio"] >= bright["depth_ratio_low"])
    ]
    relative = ERROR_SCALE * np.asarray(own["flux_err_njy"] / own["true_flux_njy"])
    assert relative.min() < bright["flux_scatter"] < relative.max()
    assert (bright["size_ratio"], bright["size_scatter"]) == pytest.approx((1.1, 0.05), abs=0.01)
    assert bright["resolved"] == 1.0 and bright["catastrophic"] == 0.0
    faint = rows[(rows["filter"] == "reference") & (rows["sigma_px"] == 0.0)][1]
    assert faint["pull_width"] == pytest.approx(ERROR_SCALE, rel=0.1)
    assert rows["n"][rows["filter"] == "F150W"][0] == np.sum(
        injected["detected"] & (injected["true_flux_njy"] > 5 * injected["flux_err_njy"])
    )


def test_shares_by_environment_are_those_of_the_drawn_errors(injected):
    rows = environment_table(injected)
    assert list(rows["environment"]) == ["all", "host", "open"] and rows["n"][0] == rows["n"][1:].sum()
    # Errors too small by a factor: a Gaussian's share inside 1 and 1.96 errors, shifted by the bias of bright clumps only.
    unbiased = injected.copy()
    unbiased["flux_F150W_njy"] -= (BIAS - 1) * unbiased["true_flux_njy"]
    for row in environment_table(unbiased):
        for share, limit in (("share_68", 1.0), ("share_95", 1.96)):
            expected = 2 * norm.cdf(limit / ERROR_SCALE) - 1
            assert row[share] == pytest.approx(expected, abs=4 * np.sqrt(0.25 / row["n"]) + 0.01)


def test_fluxes_that_are_far_off_or_missing_are_counted(injected):
    table = injected[injected["detected"] & (injected["depth_ratio"] > 10)][:100]
    table["flux_njy"][:3], table["flux_njy"][3:5] = np.nan, 5 * table["true_flux_njy"][3:5]
    rows = recovery_table(table)
    every = rows[(rows["filter"] == "reference") & np.isnan(rows["sigma_px"])]
    assert np.sum(every["catastrophic"] * every["n"]) == pytest.approx(5)


def test_nothing_detected_gives_an_empty_table(injected):
    table = injected[:50].copy()
    table["detected"] = False
    assert len(recovery_table(table)) == 0 and "pull_width" in recovery_table(table).colnames
