import numpy as np
import pytest
from astropy.table import Table
from clumpscope.flags import bit
from clumpscope.population.published import compare_published

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
    return reference, ssp, stack, published


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
    assert all(len(row["reason"]) > 30 for row in compare_published(*tables))


def test_the_quality_of_the_fits_is_told(tables):
    reference, ssp, stack, published = tables
    reference["z"] = 0.39  # the Universe is 9.4 Gyr old
    ssp["best_log_age_yr"][:3] = np.log10(1.1e10)
    ssp["flags"] = np.where(np.arange(N) < 5, bit("poor_fit"), 0)
    reference["flags"] = 0
    result = {row["quantity"]: row for row in compare_published(reference, ssp, stack, published)}
    assert result["chi2 of the stack's best model"]["ssp"] == 2.0
    poor, old = result["clusters with a poor fit"], result["clusters older than the Universe"]
    assert (poor["ssp"], poor["reference"], old["ssp"], old["reference"]) == (5, 0, 3, 0)
