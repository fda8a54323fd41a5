import numpy as np
import pytest
from astropy.table import Table
from clumpscope.flags import bit
from clumpscope.population import POPULATION_TABLES as TABLES
from clumpscope.population.gradients import clump_positions, gradients
from clumpscope.population.hosts import host_correlations, host_medians, host_relations, intrinsic_hosts
from clumpscope.population.mass_function import cumulative, mass_functions, power_law, turnover
from clumpscope.population.medians import property_medians, surface_density_medians
from clumpscope.population.products import population_tables
from clumpscope.population.sample import has_size, population_sample
from clumpscope.tables import read_table, write_table
from unit.population.synthetic_population import FRACTION_SLOPE, LOG_MASS_MIN, MASS_SLOPE, make_field


@pytest.fixture(scope="module")
def field():
    return make_field(80, seed=5)


@pytest.fixture(scope="module")
def clumps(field):
    catalogue = field.catalogue()
    return catalogue[population_sample(catalogue)]


@pytest.fixture(scope="module")
def hosts(field):
    return intrinsic_hosts(field.hosts, field.galaxies)


@pytest.mark.parametrize("slope", [-0.8, -1.0, -1.5])
def test_power_law_slopes_are_unbiased_and_their_errors_right(slope):
    rng = np.random.default_rng(11)
    fits = [power_law(6.0 + rng.exponential(1 / (-slope * np.log(10)), 40), 6.0) for _ in range(1500)]
    slopes, errors = np.array([(f.slope, f.slope_err) for f in fits]).T
    scatter = slopes.std()
    assert slopes.mean() == pytest.approx(slope, abs=4 * scatter / np.sqrt(1500))
    assert errors.mean() == pytest.approx(scatter, rel=0.06)


def test_masses_below_the_limit_do_not_matter():
    rng = np.random.default_rng(2)
    above = 6.5 + rng.exponential(1 / np.log(10), 100)
    below = rng.uniform(4, 6.49, 60)
    assert power_law(np.concatenate([above, below, [np.nan]]), 6.5) == power_law(above, 6.5)


def test_five_clumps_are_needed():
    assert np.isnan(power_law(np.array([6.0, 6.1, 6.2, 7.0]), 5.0).slope)


def test_errors_of_masses_do_not_change_the_slope_of_a_power_law():
    rng = np.random.default_rng(8)
    mass = 4.0 + rng.exponential(1 / np.log(10), 60_000) + rng.normal(0, 0.3, 60_000)
    found = power_law(mass, 5.5)
    assert found.slope == pytest.approx(-1.0, abs=4 * found.slope_err)


def test_cumulative_counts():
    masses, counts = cumulative(np.array([7.0, 5.0, np.nan, 6.0]))
    assert masses.tolist() == [5.0, 6.0, 7.0] and counts.tolist() == [3, 2, 1]


def test_the_turnover_lies_where_incompleteness_begins():
    rng = np.random.default_rng(3)
    mass = 4.0 + rng.exponential(1 / np.log(10), 200_000)
    seen = mass[rng.random(mass.size) < 1 / (1 + np.exp(-(mass - 6.0) / 0.15))]
    # The product of the law and the detection rate is greatest where d ln(rate)/dm = ln 10, at 6.0 + 0.15 ln(1 / (0.15 ln 10) - 1).
    assert turnover(seen[:3000]) == pytest.approx(6.0 + 0.15 * np.log(1 / (0.15 * np.log(10)) - 1), abs=0.15)


def test_slopes_above_the_turnover_survive_a_sharp_incompleteness():
    rng = np.random.default_rng(4)
    mass = 4.0 + rng.exponential(1 / np.log(10), 400_000)
    seen = mass[rng.random(mass.size) < 1 / (1 + np.exp(-(mass - 6.0) / 0.1))]
    clumps = Table({"log_mass_p50": seen, "z": np.full(seen.size, 1.0), "mu": np.full(seen.size, 3.0)})
    _, slopes = mass_functions(clumps)
    assert slopes["slope"][0] == pytest.approx(-1.0, abs=0.05) and slopes["limit_source"][0] == "turnover"
    assert slopes["log_mass_limit"][0] == pytest.approx(turnover(seen) + 0.3)


def faint_clumps(scatter, width, n=400_000):
    """Clumps of slope -1 with scattered mass-to-light ratios, detected by flux; the limit of 80 % by flux is known."""
    rng = np.random.default_rng(5)
    mass = 4.0 + rng.exponential(1 / np.log(10), n)
    log_ml = rng.normal(0, scatter, n)
    seen = rng.random(n) < 1 / (1 + np.exp(-(mass - log_ml - 6.0) / width))
    complete = 6.0 + width * np.log(0.8 / 0.2) + log_ml
    columns = {"log_mass_p50": mass, "log_mass_complete": complete, "z": np.ones(n), "mu": np.full(n, 3.0)}
    return Table(columns)[seen]


@pytest.mark.parametrize("width", [0.05, 0.15, 0.3])
def test_limits_of_injected_clumps_survive_a_gradual_incompleteness(width):
    clumps = faint_clumps(0.1, width)
    overall = mass_functions(clumps)[1][0]
    assert overall["limit_source"] == "injection"
    # 1.28 standard deviations above the limit at the mean mass-to-light ratio of what is detected.
    assert overall["log_mass_limit"] == pytest.approx(6.0 + width * np.log(4) + 0.128, abs=0.04)
    assert overall["slope"] == pytest.approx(-1.0, abs=0.06)


def test_a_limit_that_is_given_or_unknown_is_said_to_be():
    clumps = faint_clumps(0.1, 0.1, 40_000)
    assert mass_functions(clumps, log_mass_limit=7.0)[1]["limit_source"][0] == "given"
    clumps["log_mass_complete"][4:] = np.nan
    assert mass_functions(clumps)[1]["limit_source"][0] == "turnover"
    low, high = (
        mass_functions(faint_clumps(0.3, 0.1, 40_000), limit_share=s)[1]["log_mass_limit"][0]
        for s in (0.5, 0.9)
    )
    assert high > low + 0.3


def test_limiting_fluxes_become_limiting_masses(field):
    catalogue = field.catalogue()
    limits = Table({"id": catalogue["id"], "flux_njy": np.full(len(catalogue), 30.0)})
    limits["flux_complete_njy"] = 3.0
    limits = limits[::-1]  # in any order
    slopes = population_tables(catalogue, clump_limits=limits)["mass_function_slopes"]
    clumps = catalogue[population_sample(catalogue)]
    assert slopes["limit_source"][0] == "injection"
    assert slopes["log_mass_limit"][0] == pytest.approx(np.quantile(clumps["log_mass_p50"] - 1.0, 0.9))
    assert "log_mass_complete" not in catalogue.colnames


def test_mass_functions_recover_the_injected_slope():
    field = make_field(120, seed=7, gradient=None)
    catalogue = field.catalogue()
    clumps = catalogue[population_sample(catalogue)]
    points, slopes = mass_functions(clumps, log_mass_limit=LOG_MASS_MIN + 0.6)
    overall = slopes[slopes["by"] == "all"][0]
    assert overall["slope"] == pytest.approx(MASS_SLOPE, abs=3 * overall["slope_err"])
    assert overall["limit_source"] == "given" and overall["slope_err"] < 0.1
    by_z = slopes[slopes["by"] == "redshift"]
    pull = (by_z["slope"] - MASS_SLOPE) / by_z["slope_err"]
    assert len(by_z) == 4 and np.abs(pull).max() < 4
    for row in slopes:
        own = points[(points["by"] == row["by"]) & (points["low"] == row["low"])]
        assert len(own) == row["n"] and (np.asarray(own["n_above"]) == np.arange(row["n"], 0, -1)).all()


def test_gradients_recover_the_injected_slope(clumps, hosts):
    positions = clump_positions(clumps, hosts)
    binned, slopes = gradients(positions)
    found = slopes[(slopes["quantity"] == "log_mass_fraction") & (slopes["by"] == "all")][0]
    assert found["slope"] == pytest.approx(FRACTION_SLOPE, abs=3 * found["slope_err"])
    assert found["r"] < -0.3 and found["p"] < 1e-6 and found["slope_err"] < 0.02
    age = slopes[(slopes["quantity"] == "log_age_mw_yr") & (slopes["by"] == "all")][0]
    assert abs(age["slope"]) < 3 * age["slope_err"] and age["p"] > 1e-3
    inner = binned[(binned["quantity"] == "log_mass_fraction") & (binned["by"] == "all")]
    inner = inner[inner["n"] > 20]
    middle = 0.5 * (inner["distance_low"] + inner["distance_high"])
    np.testing.assert_allclose(
        np.diff(inner["median"]) / np.diff(inner["distance_kpc"]), FRACTION_SLOPE, atol=0.15
    )
    assert np.all(np.abs(inner["distance_kpc"] - middle) < inner["distance_high"] - inner["distance_low"])


def test_densities_of_unresolved_clumps_stay_out_of_gradients(clumps, hosts):
    positions = clump_positions(clumps, hosts)
    np.testing.assert_array_equal(np.isfinite(positions["log_sigma_mass"]), has_size(clumps))
    assert not has_size(clumps).all()


def test_hosts_are_divided_by_their_magnification(field, hosts):
    np.testing.assert_allclose(
        hosts["log_mass_p50"], field.hosts["log_mass_p50"] - np.log10(field.galaxies["mu"])
    )
    np.testing.assert_allclose(
        hosts["log_ssfr_p50"], field.hosts["log_sfr100_p50"] - field.hosts["log_mass_p50"]
    )
    several = field.hosts.copy()
    several["sfh"] = np.where(np.arange(len(several)) % 2, "const", "exp_free")
    assert len(intrinsic_hosts(several, field.galaxies, "const")) == len(several) // 2


def test_hosts_whose_fit_is_improbable_have_no_mass_unless_wanted(field):
    doubted = field.hosts.copy()
    doubted["flags"] = 0
    doubted["flags"][:3] = [bit("poor_fit"), bit("not_converged"), bit("few_bands")]
    believed = intrinsic_hosts(doubted, field.galaxies)
    assert list(believed["id"]) == list(field.hosts["id"][2:])
    assert list(intrinsic_hosts(doubted, field.galaxies, poor_fit=True)["id"]) == [
        field.hosts["id"][0],
        *field.hosts["id"][2:],
    ]


def test_distances_from_a_centre_that_may_be_anothers_are_in_no_gradient(clumps, hosts):
    doubtful = clumps.copy()
    doubtful["flags"][::2] |= bit("off_centre")
    positions = clump_positions(doubtful, hosts)
    assert (
        np.isnan(positions["distance_kpc"][::2]).all() and np.isfinite(positions["distance_kpc"][1::2]).all()
    )
    _, slopes = gradients(positions)
    everything = slopes[(slopes["by"] == "all") & (slopes["quantity"] == "log_mass_fraction")]
    assert everything["n"][0] == np.isfinite(positions["log_mass_fraction"][1::2]).sum()


def test_host_relations_add_up_the_clumps():
    clumps = Table(
        {
            "galaxy": ["a", "a", "a", "b"],
            "log_mass_p50": [6.0, 7.0, 8.0, 9.5],
            "log_mass_p16": [5.9, 6.9, 7.9, 9.4],
            "log_mass_p84": [6.1, 7.1, 8.1, 9.6],
            "log_age_mw_yr_p50": [6.5, 7.0, 7.5, 8.0],
            "central": [False, False, True, True],
        }
    )
    hosts = Table(
        {
            "id": ["a", "b", "c"], "z": [1.0, 2.0, 3.0], "mu": [1.0, 1.0, 1.0], "log_ssfr_p50": [-8.0, -9.0, -9.0],
            "log_mass_p16": [8.9, 8.9, 8.9], "log_mass_p50": [9.0, 9.0, 9.0], "log_mass_p84": [9.1, 9.1, 9.1],
        }
    )  # fmt: skip
    table = host_relations(clumps, hosts)
    assert table["galaxy"].tolist() == ["a", "b"] and table["n_clumps"].tolist() == [3, 1]
    assert table["log_f_cl"][0] == pytest.approx(np.log10((1e6 + 1e7 + 1e8) / 1e9))
    assert (table["log_mass_max"][0], table["log_mass_central"][0], table["log_age_mw_max"][0]) == (
        7.0,
        8.0,
        7.0,
    )
    assert np.isnan(table["log_mass_max"][1]) and table["exceeds_host"].tolist() == [False, True]
    # One clump makes up 90 % of the sum: its 0.1 dex, with the host's 0.1 dex.
    assert table["log_f_cl_err"][0] == pytest.approx(
        np.hypot(0.1 * np.hypot(1e8, np.hypot(1e7, 1e6)) / 1.11e8, 0.1)
    )


def test_host_medians_have_equal_numbers(clumps, hosts):
    relations = host_relations(clumps, hosts)
    table = host_medians(relations)
    fractions = table[table["quantity"] == "log_f_cl"]
    assert len(fractions) == 4 and np.ptp(fractions["n"]) <= 1 and np.sum(fractions["n"]) == len(relations)
    assert np.all(np.diff(fractions["log_mass_host"]) > 0)
    found = host_correlations(relations)
    largest = found[(found["x"] == "log_mass_host") & (found["y"] == "log_mass_max")][0]
    assert largest["r"] > 0.5 and largest["p"] < 1e-6


def test_medians_by_redshift(clumps):
    table = property_medians(clumps)
    whole = table[(table["property"] == "log_mass_p50") & ~np.isfinite(table["z_low"])][0]
    assert whole["median"] == np.median(clumps["log_mass_p50"]) and whole["n"] == len(clumps)
    sizes = table[(table["property"] == "r_eff_pc") & (table["z_low"] == 1.5)][0]
    own = has_size(clumps) & (clumps["z"] >= 1.5) & (clumps["z"] < 2.5)
    assert sizes["n"] == own.sum() and sizes["median"] == np.median(clumps["r_eff_pc"][own])


def test_surface_densities_by_class(clumps):
    table = surface_density_medians(clumps)
    assert set(table["class"]) == {"unresolved", "compact", "extended", "resolved"}
    assert (table["lower_limit"] == (table["class"] == "unresolved")).all()
    whole = table[(table["quantity"] == "log_sigma_mass") & ~np.isfinite(table["z_low"])]
    counts = {row["class"]: row["n"] for row in whole}
    assert counts["resolved"] == counts["compact"] + counts["extended"] > 0
    assert counts["resolved"] + counts["unresolved"] == len(clumps)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_all_tables_survive_few_clumps(field, rows):
    catalogue = field.catalogue()[:rows]
    tables = population_tables(catalogue, field.hosts, field.galaxies)
    assert tuple(tables) == TABLES
    full = population_tables(field.catalogue(), field.hosts, field.galaxies)
    for name in TABLES:
        if rows:
            assert tables[name].colnames == full[name].colnames, name
        assert len(full[name]) > 0


def test_a_field_without_hosts_or_shapes_has_a_mass_function(field):
    catalogue = field.catalogue()
    catalogue.remove_columns(
        [n for n in catalogue.colnames if "r_eff" in n or "sigma" in n or "distance" in n]
    )
    catalogue.remove_columns(["class", "central"])
    tables = population_tables(catalogue)
    assert len(tables["mass_function"]) > 0 and len(tables["host_relations"]) == 0


def test_numbers_carry_their_units_in_the_file_or_in_their_row(field, tmp_path):
    tables = population_tables(field.catalogue(), field.hosts, field.galaxies)
    units = {str(row["property"]): str(row["unit"]) for row in tables["medians"]}
    assert (units["log_mass_p50"], units["r_eff_pc"], units["mu"]) == ("dex(Msun)", "pc", "")
    assert {str(row["unit"]) for row in tables["host_medians"] if row["quantity"] == "log_ssfr"} == {
        "dex(1 / yr)"
    }
    assert {str(row["unit"]) for row in tables["gradients"] if row["quantity"] == "log_age_mw_yr"} == {
        "dex(yr)"
    }
    for name in ("host_relations", "gradient_slopes", "positions"):
        write_table(tables[name], tmp_path / f"{name}.ecsv")
    relations, slopes, positions = (
        read_table(tmp_path / f"{name}.ecsv") for name in ("host_relations", "gradient_slopes", "positions")
    )
    assert (
        str(relations["log_mass_max"].unit) == "dex(solMass)"
        and str(relations["log_age_mw_max"].unit) == "dex(yr)"
    )
    assert (
        str(slopes["slope"].unit) == "dex / kpc"
        and str(positions["log_sigma_mass"].unit) == "dex(solMass / pc2)"
    )
    assert all(relations[name].description for name in relations.colnames)
