import numpy as np
import pytest
from astropy.table import Table
from clumpscope.flags import bit
from clumpscope.population.published import Stack, compare_published, compare_stacks, fit_published_stack
from clumpscope.sed.inference.grid import AGES_YR, grid_ages_yr

N = 41


@pytest.fixture
def tables():
    rng = np.random.default_rng(6)
    ids, mass = [f"SC_{k:03d}" for k in range(N)], rng.normal(6.4, 0.3, N)
    published = Table({"id": ids, "published_log_mass": mass})
    ssp = Table(
        {"id": ids[::-1], "best_log_mass": mass[::-1] + 0.3, "best_log_mass_formed": mass[::-1] + 0.5,
         "best_log_age_yr": np.full(N, np.log10(2.5e9)), "best_ml_v": np.full(N, 0.9)}
    )  # fmt: skip
    reference = Table(
        {"id": ids, "log_mass_p50": mass - 0.1, "log_mass_formed_p50": mass + 0.1,
         "log_age_mw_yr_p50": np.linspace(8, 9, N), "ml_v_p50": np.linspace(0.1, 2.1, N)}
    )  # fmt: skip
    stack = Table(
        {"age_yr": [1e9, 2e9, 3e9, 9e9], "z_zsun": [0.2, 0.2, 0.4, 1.0], "chi2": [5.0, 2.0, 8.0, 90.0],
         "significance": [1.0, 0.0, 2.9, 8.0]}
    )  # fmt: skip
    fit = Table({"best_ml_v": [0.5]})
    return reference, ssp, Stack(Table(), stack, fit), published


def test_rows_are_matched_by_id_and_compared(tables):
    reference, ssp, stack, published = tables
    result = {row["quantity"]: row for row in compare_published(reference, ssp, stack, published)}
    difference = result["log mass minus F22 Table 1"]
    for end in ("_lo", "", "_hi"):
        assert difference[f"ssp{end}"] == pytest.approx(0.3)
        assert difference[f"reference{end}"] == pytest.approx(-0.1)
    assert difference["n"] == N
    median = result["median log mass, F22 Table 1"]
    assert median["published"] == pytest.approx(np.median(published["published_log_mass"]))
    # F22 section 3.1.3: 2.4 (+3.0, -1.5) million solar masses.
    text = result["median log mass, F22 text"]
    assert [10 ** text[f"published{e}"] / 1e6 for e in ("_lo", "", "_hi")] == pytest.approx([0.9, 2.4, 5.4])
    assert result["median age"]["ssp"] == pytest.approx(2.5)
    assert result["median age"]["reference"] == pytest.approx(10**-0.5)


def test_the_stack_gives_its_best_model_and_what_three_sigma_allow(tables):
    result = {row["quantity"]: row for row in compare_published(*tables)}
    age, z = result["age of the stack"], result["metallicity of the stack"]
    assert [age[f"ssp{e}"] for e in ("_lo", "", "_hi")] == pytest.approx([1.0, 2.0, 3.0])
    assert [z[f"ssp{e}"] for e in ("_lo", "", "_hi")] == pytest.approx([0.2, 0.2, 0.4])


def test_the_published_masses_imply_an_m_over_l(tables):
    result = {row["quantity"]: row for row in compare_published(*tables)}
    row = result["median M/L in V"]
    assert row["ssp"] == pytest.approx(0.9) and row["published"] == pytest.approx(0.9 * 10**-0.3)
    extremes = result["M/L in V"]
    assert (extremes["reference_lo"], extremes["reference_hi"]) == pytest.approx((0.1, 2.1))


def test_clusters_without_a_fit_are_left_out(tables):
    reference, ssp, stack, published = tables
    assert compare_published(reference[:5], ssp, stack, published)["n"][0] == 5
    nobody = compare_published(reference[:0], ssp, stack, published)
    assert nobody["n"][0] == 0 and np.isnan(nobody["reference"][0])


def test_every_row_gives_its_reason(tables):
    assert all(len(row["reason"]) > 20 for row in compare_published(*tables))


def test_the_quality_of_the_fits_is_told(tables):
    reference, ssp, stack, published = tables
    reference["z"] = 0.39  # the Universe is 9.4 Gyr old
    ssp["best_log_age_yr"][:3] = np.log10(1.1e10)
    ssp["flags"] = np.where(np.arange(N) < 5, bit("poor_fit"), 0)
    reference["flags"] = 0
    result = {row["quantity"]: row for row in compare_published(reference, ssp, stack, published)}
    assert result["chi2 of the best model of the stack"]["ssp"] == 2.0
    poor, old = result["clusters with a poor fit"], result["clusters older than the Universe"]
    assert (poor["ssp"], poor["reference"], old["ssp"], old["reference"]) == (5, 0, 3, 0)


def test_poor_fits_are_left_out_of_medians(tables):
    reference, ssp, stack, published = tables
    ssp["flags"], reference["flags"] = 0, 0
    ssp["best_log_mass"][:7], ssp["flags"][:7] = 12.0, bit("poor_fit")
    reference["log_mass_p50"][:3], reference["flags"][:3] = 1.0, bit("poor_fit")
    result = {row["quantity"]: row for row in compare_published(reference, ssp, stack, published)}
    difference = result["log mass minus F22 Table 1"]
    assert difference["ssp_hi"] == pytest.approx(0.3) and difference["reference_lo"] == pytest.approx(-0.1)


def test_the_stack_weighs_all_clusters_alike_and_says_what_it_excludes(tables):
    reference, ssp, stack, published = tables
    result = {row["quantity"]: row for row in compare_published(reference, ssp, stack, published)}
    # All clusters have M/L 0.9 and masses of the table times 2; the stack's M/L is 0.5.
    mass = result["log mass, M/L of the stack"]
    expected = np.median(published["published_log_mass"]) + 0.3 + np.log10(0.5 / 0.9)
    assert mass["ssp"] == pytest.approx(expected) and mass["published"] == pytest.approx(np.log10(3.9e6))
    assert result["sigma against 1 Zsun or more, the stack"]["ssp"] == 8.0
    assert result["sigma against more than 5 Gyr, the stack"]["ssp"] == 8.0
    assert "sigma against less than 0.2 Zsun, the stack" not in result
    light = np.asarray(published["published_log_mass"]) + 0.3 - np.log10(0.9)
    assert result["share of log V luminosity > 6.7"]["ssp"] == pytest.approx(np.mean(light > 6.7))


def test_table_2_fitted_as_it_is_gives_what_f22_state():
    stack = fit_published_stack(0.39, "bc03", AGES_YR, "F090W")
    best = stack.chi2_map[np.argmin(stack.chi2_map["chi2"])]
    assert best["z_zsun"] == 0.2 and 1e9 <= best["age_yr"] <= 2e9
    sigma = np.asarray(stack.chi2_map["significance"])
    for excluded in (
        stack.chi2_map["z_zsun"] < 0.19,
        stack.chi2_map["z_zsun"] > 0.99,
        stack.chi2_map["age_yr"] > 5.1e9,
    ):
        assert sigma[excluded].min() > 4.0
    assert stack.photometry["flux_njy"].tolist() == [9.79, 13.11, 13.98, 13.02, 8.16, 6.64]
    same = compare_stacks(stack.photometry, stack.photometry[:4])
    assert len(same) == 4 and np.all(same["ratio"] == 1.0) and str(same["flux_njy"].unit) == "nJy"


def test_ages_end_at_that_of_the_universe():
    # 9.27 Gyr at z = 0.39 (H0 70, Om 0.3).
    assert grid_ages_yr(0.39, True)[-1] == 9.0e9 and grid_ages_yr(0.39, False)[-1] == 11.0e9
    assert grid_ages_yr(15.0, True).tolist() == [0.5e9]
