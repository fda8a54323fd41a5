"""Shares inside intervals, of catalogues whose errors are right, too small, or asymmetric."""

import numpy as np
import pytest
from astropy.table import Table, vstack
from clumpscope.errors import InputError
from clumpscope.flags import bit
from clumpscope.population.coverage import coverage_table, host_coverage

N = 2000
PSF = Table({"filter": ["F150W", "F444W"], "fwhm_arcsec": [0.06, 0.16]})


def field(error_scale=1.0, seed=1, n=N):
    """Clumps 5 arcsec apart, measured with normal errors; `error_scale` times the true ones are claimed."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(n)))
    ra, dec = 10.0 + np.arange(n) % side * 5 / 3600, np.arange(n) // side * 5 / 3600
    truth = Table({"ra": ra, "dec": dec, "filter_ref": ["F150W"] * n, "snr_ref": np.full(n, 30.0),
                   "sigma_x_px": np.full(n, 1.0), "sigma_y_px": np.full(n, 1.0), "pixel_scale_arcsec": np.full(n, 0.02),
                   "separation_arcsec": np.where(np.arange(n) % 4 == 0, 0.1, 5.0),
                   "host_snr_F150W": np.where(np.arange(n) % 4 == 1, 9.0, 0.0), "host_snr_F444W": np.zeros(n),
                   "z_type": np.where(np.arange(n) % 2, "spec", "phot"), "log_mass": rng.uniform(5, 8, n),
                   "r_eff_pc": 10 ** rng.uniform(1, 2, n), "mu": rng.uniform(2, 10, n)})  # fmt: skip
    measured = Table({"id": [f"c{k}" for k in range(n)], "ra": ra, "dec": dec, "flags": np.zeros(n, dtype=int),
                      "snr": np.full(n, 30.0), "r_eff_limit": np.arange(n) % 10 == 0})  # fmt: skip
    for name in PSF["filter"]:
        truth[f"flux_{name}_njy"] = rng.uniform(10, 100, n)
        measured[f"flux_{name}_njy"] = truth[f"flux_{name}_njy"] + rng.normal(size=n)
        measured[f"flux_{name}_err_njy"] = np.full(n, error_scale)
    for name in ("r_eff_pc", "mu"):
        step = rng.normal(size=n)
        # Errors are 10 % below and 20 % above: the draw that put a value below its truth sees the upper one.
        measured[name] = truth[name] / (1.0 - np.where(step > 0, 0.1, 0.2) * step).clip(0.2)
        measured[f"{name}_err_lo"], measured[f"{name}_err_hi"] = 0.1 * measured[name], 0.2 * measured[name]
    middle = truth["log_mass"] + 0.2 * rng.normal(size=n)
    for p, deviate in ((16, -0.2), (50, 0.0), (84, 0.2)):
        measured[f"log_mass_p{p}"] = middle + error_scale * deviate
    # Of 200 limits, 195 are above the truth.
    limits = np.flatnonzero(measured["r_eff_limit"])
    measured["r_eff_pc"][limits] = truth["r_eff_pc"][limits] * np.where(np.arange(limits.size) < 5, 0.9, 1.5)
    return measured, truth


def row(table, quantity, name="", group="all"):
    chosen = (table["quantity"] == quantity) & (table["filter"] == name) & (table["group"] == group)
    assert chosen.sum() == 1
    return table[chosen][0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_right_errors_hold_68_per_cent(seed):
    table = coverage_table(*field(seed=seed), PSF)
    for quantity, name in (("flux", "F150W"), ("flux", "F444W"), ("log_mass", ""), ("mu", "")):
        found = row(table, quantity, name)
        # 2000 clumps know a share to 1 %, a median to 0.03, a width to 0.02: three of each.
        assert found["n"] == N
        assert found["inside_68"] == pytest.approx(0.683, abs=0.032)
        assert found["inside_95"] == pytest.approx(0.95, abs=0.02)
        assert found["inside_68_err"] == pytest.approx(0.0104, abs=0.001)
        assert abs(found["pull_median"]) < 0.09 and found["pull_width"] == pytest.approx(1.0, abs=0.08)


def test_errors_half_as_large_hold_38_per_cent():
    table = coverage_table(*field(error_scale=0.5), PSF)
    assert row(table, "flux", "F150W")["inside_68"] == pytest.approx(0.383, abs=0.033)
    assert row(table, "flux", "F150W")["pull_width"] == pytest.approx(2.0, abs=0.15)
    assert row(table, "log_mass")["inside_68"] == pytest.approx(0.383, abs=0.033)


def test_sizes_that_are_limits_are_judged_as_limits():
    table = coverage_table(*field(), PSF)
    assert row(table, "r_eff_pc")["n"] == N - N // 10
    limits = row(table, "r_eff_limit")
    assert limits["n"] == N // 10 and limits["inside_95"] == pytest.approx(0.975)


def test_groups_are_those_of_the_surroundings_in_each_filter():
    table = coverage_table(*field(), PSF)
    assert row(table, "flux", "F150W", "crowded")["n"] == N // 4
    assert row(table, "flux", "F150W", "on_host")["n"] == N // 4
    assert row(table, "flux", "F150W", "isolated")["n"] == N // 2
    assert row(table, "flux", "F444W", "isolated")["n"] == 3 * N // 4
    assert not ((table["filter"] == "F444W") & (table["group"] == "on_host")).any()
    assert row(table, "mu", "", "z_phot")["n"] == N // 2
    assert row(table, "mu", "", "snr_20_50")["n"] == N


def test_clumps_out_of_statistics_are_left_out_and_counted():
    measured, truth = field(n=100)
    measured["flags"][:30] = bit("near_critical")
    table = coverage_table(measured, truth, PSF)
    assert row(table, "mu")["n"] == 70 and table.meta == {"matched": 70, "excluded": {"near_critical": 30}}


def test_an_error_of_zero_is_outside():
    measured, truth = field(n=100)
    measured["mu_err_lo"] = measured["mu_err_hi"] = 0.0
    assert row(coverage_table(measured, truth, PSF), "mu")["inside_68"] == 0.0


def test_nothing_matched_gives_an_empty_table():
    measured, truth = field(n=20)
    measured["dec"] = measured["dec"] + 1.0
    assert len(coverage_table(measured, truth, PSF)) == 0
    assert len(coverage_table(measured[:0], truth, PSF)) == 0


def test_a_truth_without_places_is_refused():
    measured, truth = field(n=20)
    truth.remove_column("ra")
    with pytest.raises(InputError, match="ra"):
        coverage_table(measured, truth, PSF)


def test_clumps_that_hold_another_one_are_a_class_of_their_own():
    measured, truth = field()
    # Beside two of nine clumps lies another that nothing was measured of; one of two has 1 % of its light.
    lost = vstack([truth[::9], truth[1::9]])
    n_near = len(truth[::9])
    lost["ra"] += 0.05 / 3600
    lost["flux_F150W_njy"] *= np.where(np.arange(len(lost)) < n_near, 0.5, 0.01)
    whole = coverage_table(measured, truth, PSF)
    table = coverage_table(measured, vstack([truth, lost]), PSF)
    assert row(table, "flux", "F150W", "merged")["n"] == n_near
    assert row(table, "flux", "F150W")["n"] == N
    for group in ("isolated", "on_host", "crowded"):
        assert row(table, "flux", "F150W", group)["n"] < row(whole, "flux", "F150W", group)["n"]


def test_what_a_broader_filter_holds_is_merged_there_alone():
    measured, truth = field()
    measured["flux_F444W_njy"] = truth["flux_F444W_njy"] = truth["flux_F150W_njy"]
    measured["flux_F444W_err_njy"] = measured["flux_F150W_err_njy"]
    lost = truth[::9].copy()
    lost["dec"] += 0.12 / 3600
    psf = Table({"filter": ["F150W", "F444W"], "fwhm_arcsec": [0.06, 0.15]})
    table = coverage_table(measured, vstack([truth, lost]), psf)
    assert row(table, "flux", "F444W", "merged")["n"] == len(lost)
    assert not len(table[(table["filter"] == "F150W") & (table["group"] == "merged")])
    assert row(table, "flux", "F444W", "crowded")["n"] < row(table, "flux", "F150W", "crowded")["n"]


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 0.683), (0.5, 0.383)])
def test_intervals_of_hosts_hold_as_many_as_their_errors_say(scale, expected):
    rng, n = np.random.default_rng(4), 3000
    truth = Table({"id": [f"g{k}" for k in range(n)], "log_mass": rng.uniform(8, 11, n)})
    hosts = Table({"id": truth["id"][::-1], "n_clumps_apart": np.arange(n) % 3})
    middle = truth["log_mass"][::-1] + 0.1 * rng.normal(size=n)
    for p, deviate in ((16, -0.1), (50, 0.0), (84, 0.1)):
        hosts[f"log_mass_p{p}"] = middle + scale * deviate
    table = host_coverage(hosts, truth)
    assert set(table["quantity"]) == {"host_log_mass"}
    for row in table:
        assert row["inside_68"] == pytest.approx(expected, abs=4 * row["inside_68_err"])
        assert row["pull_width"] == pytest.approx(1.0 / scale, rel=0.08)
    counts = dict(zip(table["group"], table["n"], strict=True))
    assert counts == {"all": 3000, "clumps_apart": 2000, "no_clumps_apart": 1000}
