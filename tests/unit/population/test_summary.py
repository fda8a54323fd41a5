import numpy as np
import pytest
from astropy.table import Table
from clumpscope.flags import bit
from clumpscope.population.hosts import host_correlations, host_relations, intrinsic_hosts
from clumpscope.population.resampling import interval, observed, realisations
from clumpscope.population.sample import has_size, population_sample
from clumpscope.population.summary import population_statistics
from unit.population.synthetic_population import make_field


def table_of(log_mass, galaxy, error=0.0, mu_error=0.0, z=1.0, **columns):
    """A catalogue of clumps with these masses; posterior errors and errors of the magnification in dex."""
    n = len(log_mass)
    rows = {
        "id": [f"c{k}" for k in range(n)],
        "galaxy": galaxy,
        "z": np.full(n, z),
        "flags": np.zeros(n, int),
    }
    width = np.hypot(error, mu_error)
    rows |= {f"log_mass_p{p}": np.asarray(log_mass) + s * width for p, s in ((16, -1), (50, 0), (84, 1))}
    half = 10.0 * mu_error * np.log(10.0)
    rows |= {"mu": np.full(n, 10.0), "mu_err_lo": np.full(n, half), "mu_err_hi": np.full(n, half)}
    return Table(rows | columns)


def value_of(statistics, quantity, group="all"):
    rows = [row for row in statistics if row["quantity"] == quantity and row["group"] == group]
    assert len(rows) == 1
    return rows[0]


@pytest.fixture(scope="module")
def field():
    return make_field(60, seed=5)


@pytest.fixture(scope="module")
def statistics(field):
    hosts = intrinsic_hosts(field.hosts, field.galaxies)
    return population_statistics(field.catalogue(), hosts, field.galaxies, field.sed, n_draws=60)


def test_errors_of_medians_and_shares_are_the_known_ones():
    rng = np.random.default_rng(1)
    mass = rng.normal(6.0, 0.5, 600)
    found = population_statistics(table_of(mass, np.arange(600).astype(str)), n_draws=400)
    row = value_of(found, "median_log_mass")
    assert row["value"] == pytest.approx(np.median(mass))
    # Of a normal distribution: sqrt(pi / 2) sigma / sqrt(n).
    assert 0.5 * (row["hi"] - row["lo"]) == pytest.approx(np.sqrt(np.pi / 2) * 0.5 / np.sqrt(600), rel=0.25)
    ages = np.where(rng.random(600) < 0.3, 9.0, 7.5)
    old = table_of(mass, np.arange(600).astype(str), log_age_mw_yr_p50=ages)
    row = value_of(population_statistics(old, n_draws=400), "share_older_300myr")
    share = np.mean(ages > 8.5)
    assert row["value"] == pytest.approx(share)
    assert 0.5 * (row["hi"] - row["lo"]) == pytest.approx(np.sqrt(share * (1 - share) / 600), rel=0.15)


def test_clumps_of_one_galaxy_count_together():
    rng = np.random.default_rng(2)
    of_galaxy = rng.normal(6.0, 0.5, 50)
    mass, galaxy = np.repeat(of_galaxy, 20), np.repeat(np.arange(50).astype(str), 20)
    row = value_of(population_statistics(table_of(mass, galaxy), n_draws=300), "median_log_mass")
    alone = np.array([np.median(rng.choice(of_galaxy, 50)) for _ in range(3000)])
    low, high = np.percentile(alone, [16, 84])
    assert row["hi"] - row["lo"] == pytest.approx(high - low, rel=0.3)


def test_a_magnification_that_is_wrong_is_wrong_for_all_clumps_of_a_galaxy():
    clumps = table_of(np.full(400, 6.0), np.repeat(["a", "b"], 200), error=0.02, mu_error=0.2)
    means = [s.clumps["log_mass"][s.clumps["owner"] == 0].mean() for s in realisations(clumps, None, 300, np.random.default_rng(3), True)]  # fmt: skip
    assert np.std(means) == pytest.approx(0.2, rel=0.12)
    apart = table_of(np.full(400, 6.0), np.repeat(["a", "b"], 200), error=0.2, mu_error=0.0)
    means = [s.clumps["log_mass"][s.clumps["owner"] == 0].mean() for s in realisations(apart, None, 300, np.random.default_rng(3), True)]  # fmt: skip
    # Errors that are the clumps' own average out; they are drawn, and so are the clumps.
    assert np.std(means) == pytest.approx(np.sqrt(2.0) * 0.2 / np.sqrt(200), rel=0.15)


def test_the_share_of_mass_in_clumps_does_not_know_the_magnification():
    clumps = table_of(np.full(20, 6.0), np.repeat(["a", "b"], 10), mu_error=0.3)
    hosts = Table(
        {
            "id": ["a", "b"],
            **{f"log_mass_p{p}": [8.0, 8.0] for p in (16, 50, 84)},
            "log_ssfr_p50": [-8.0, -9.0],
        }
    )
    fractions = np.array(
        [s.hosts["log_f_cl"] for s in realisations(clumps, hosts, 50, np.random.default_rng(4), True)]
    )
    assert fractions == pytest.approx(-1.0, abs=1e-9)


def test_intervals_hold_the_value():
    assert interval(3.0, np.linspace(0.0, 1.0, 101)) == pytest.approx((3.0 - 0.34, 3.0 + 0.34))
    assert (
        np.isnan(interval(3.0, np.full(100, np.nan))).all() and np.isnan(interval(np.nan, np.ones(100))).all()
    )


def test_hosts_agree_with_the_table_of_relations(field, statistics):
    catalogue = field.catalogue()
    clumps = catalogue[population_sample(catalogue)]
    relations = host_relations(clumps, intrinsic_hosts(field.hosts, field.galaxies))
    for row in host_correlations(relations):
        for name in ("r", "p", "slope"):
            found = value_of(statistics, f"{name}_{row['y']}_with_{row['x']}")
            assert found["value"] == pytest.approx(row[name], rel=1e-9)
    exceeded = value_of(statistics, "n_hosts_exceeded_by_clumps")
    assert exceeded["value"] == np.sum(relations["exceeds_host"]) and exceeded["n"] == len(relations)
    # By hand, for one galaxy.
    name = str(relations["galaxy"][3])
    own = clumps[np.asarray(clumps["galaxy"]) == name]
    others = own[~np.asarray(own["central"], bool)]
    assert relations["log_mass_max"][3] == np.max(others["log_mass_p50"])
    assert relations["log_age_mw_max"][3] == others["log_age_mw_yr_p50"][np.argmax(others["log_mass_p50"])]


def test_bins_classes_and_gradients_are_those_of_the_clumps(field, statistics):
    catalogue = field.catalogue()
    clumps = catalogue[population_sample(catalogue)]
    inside = (clumps["z"] >= 1.5) & (clumps["z"] < 2.5)
    assert value_of(statistics, "n_clumps", "z_1.5_2.5")["value"] == inside.sum()
    assert value_of(statistics, "max_log_mass", "z_1.5_2.5")["value"] == np.max(
        clumps["log_mass_p50"][inside]
    )
    compact = np.asarray(clumps["class"]) == "compact"
    row = value_of(statistics, "median_log_age_mw_yr", "class_compact")
    assert (
        row["value"] == pytest.approx(np.median(clumps["log_age_mw_yr_p50"][compact]))
        and row["n"] == compact.sum()
    )
    slope = value_of(statistics, "gradient_log_mass_fraction")
    assert slope["value"] == pytest.approx(-0.15, abs=0.03) and slope["lo"] < slope["value"] < slope["hi"]
    single = [
        r
        for r in statistics
        if str(r["group"]).startswith("galaxy_") and r["quantity"] == "gradient_log_mass_fraction"
    ]
    assert len(single) > 10 and np.isfinite([r["lo"] for r in single]).mean() > 0.9
    near = clumps[clumps["distance_kpc"] < 1.0]
    assert value_of(statistics, "inner_median_log_age_mw_yr")["value"] == pytest.approx(
        np.median(near["log_age_mw_yr_p50"])
    )


def test_histories_are_compared_clump_by_clump(statistics):
    # Two of the made-up histories have ages lower by 0.3 dex, masses alike.
    assert value_of(statistics, "share_log_age_mw_yr_moved_exp_1Myr")["value"] == 1.0
    assert value_of(statistics, "share_log_age_mw_yr_moved_exp_100Myr")["value"] == 0.0
    assert value_of(statistics, "median_shift_log_age_mw_yr_exp_10Myr")["value"] == pytest.approx(-0.3)
    assert value_of(statistics, "share_log_mass_moved_exp_10Myr")["value"] == 0.0


def test_sets_of_filters_are_compared_clump_by_clump(field):
    """Twice the errors and ages older by 0.1 dex, half of the masses heavier by 0.3 dex."""
    full = field.sed["exp_free"]
    fewer = full.copy()
    shift = np.where(np.arange(len(full)) % 2, 0.3, 0.0)
    for percent in (16, 50, 84):
        age, width = full["log_age_mw_yr_p50"], full[f"log_age_mw_yr_p{percent}"] - full["log_age_mw_yr_p50"]
        fewer[f"log_age_mw_yr_p{percent}"] = age + 0.1 + 2.0 * width
        fewer[f"log_mass_p{percent}"] = full[f"log_mass_p{percent}"] + shift
    catalogue = field.catalogue()
    found = population_statistics(
        catalogue, sed_all=field.sed, filter_sets={"broad6": fewer, "all": full}, n_draws=30
    )
    rows = {str(name): row for row, name in enumerate(full["id"])}
    counted = [rows[str(name)] for name in catalogue["id"][population_sample(catalogue)]]
    half = 0.5 * np.asarray(full["log_age_mw_yr_p84"] - full["log_age_mw_yr_p16"])[counted]
    for name, percent in (("quartile_1", 25), ("median", 50), ("quartile_3", 75)):
        row = value_of(found, f"age_error_{name}", "set_broad6")
        assert row["value"] == pytest.approx(2 * np.percentile(half, percent)) and row["n"] == len(counted)
        assert value_of(found, f"age_error_{name}", "set_all")["value"] == pytest.approx(row["value"] / 2)
    moved = value_of(found, "share_log_mass_moved", "set_broad6")
    assert moved["value"] == pytest.approx(np.mean(shift[counted] > 0.2)) and moved["lo"] < moved["value"]
    assert value_of(found, "share_log_age_mw_yr_moved", "set_broad6")["value"] == 0.0
    assert value_of(found, "median_shift_log_age_mw_yr", "set_broad6")["value"] == pytest.approx(0.1)
    assert value_of(found, "share_log_mass_moved", "set_all")["value"] == 0.0


def test_evolution_is_the_slope_with_the_expansion(field, statistics):
    clumps = field.catalogue()
    clumps = clumps[population_sample(clumps) & (np.asarray(clumps["z"]) < 5.5)]
    expansion = np.log10(1 + np.asarray(clumps["z"]))
    row = value_of(statistics, "evolution_log_age_mw_yr")
    assert row["value"] == pytest.approx(np.polyfit(expansion, clumps["log_age_mw_yr_p50"], 1)[0])
    assert row["lo"] < row["value"] < row["hi"]
    sized = has_size(clumps)
    size = np.polyfit(expansion[sized], np.log10(clumps["r_eff_pc"][sized]), 1)[0]
    assert value_of(statistics, "evolution_log_r_eff")["value"] == pytest.approx(size)
    # Rates that have died away are no trend.
    dead = clumps.copy()
    dead["log_sfr10_p50"][np.argsort(expansion)[:20]] = -99.0
    living = np.asarray(dead["log_sfr10_p50"]) > -6
    slope = np.polyfit(expansion[living], dead["log_sfr10_p50"][living], 1)[0]
    found = population_statistics(dead, n_draws=0)
    assert value_of(found, "evolution_log_sfr10")["value"] == pytest.approx(slope)


def test_sizes_and_masses_without_the_lens(field, statistics):
    clumps = field.catalogue()
    clumps = clumps[population_sample(clumps)]
    row = value_of(statistics, "min_log_mass_lens_free")
    assert row["value"] == pytest.approx(np.min(clumps["log_mass_p50"] + np.log10(clumps["mu"])))
    # At z = 1 (8.0 kpc an arcsec) 0.4 pixels of 0.02 arcsec: 0.00942 arcsec, 75 pc (C25 section 5.1: 71 to 85 pc from z = 0.7 to 1.6).
    one = population_statistics(table_of([6.0], ["a"], pixel_scale_arcsec=[0.02]), n_draws=30)
    assert value_of(one, "min_r_eff_lens_free_pc")["value"] == pytest.approx(75.4, rel=0.01)


def test_high_redshifts_never_slip_into_all():
    clumps = table_of([6.0, 7.0, 9.0], ["a", "b", "c"], z=1.0)
    clumps["z"] = [1.0, 2.0, 6.1]
    found = population_statistics(clumps, n_draws=30)
    assert (
        value_of(found, "n_clumps")["value"] == 2 and value_of(found, "n_clumps", "z_5.5_max")["value"] == 1
    )
    assert value_of(found, "max_log_mass")["value"] == 7.0
    assert value_of(found, "max_log_mass", "z_5.5_max")["value"] == 9.0
    assert value_of(found, "median_log_mass")["statement"].endswith("(z < 5.5).")


def test_spectroscopic_redshifts_and_clumps_left_out_are_counted():
    clumps = table_of([6.0] * 4, ["a", "a", "b", "c"], z=1.0)
    clumps["flags"][3] = bit("poor_fit")
    galaxies = Table(
        {"id": ["a", "b", "c"], "z": [1.0] * 3, "z_lo": [1.0, 0.9, 1.0], "z_hi": [1.0, 1.1, 1.0]}
    )
    found = population_statistics(clumps, None, galaxies, n_draws=30)
    assert [value_of(found, f"n_{name}")["value"] for name in ("clumps", "galaxies", "spec_z")] == [3, 2, 1]
    assert value_of(found, "n_left_out_poor_fit")["value"] == 1
    found = population_statistics(clumps, None, galaxies, n_draws=30, poor_fit=True)
    assert value_of(found, "n_clumps")["value"] == 4 and "n_left_out_poor_fit" not in found["quantity"]


@pytest.mark.filterwarnings("error")
def test_nothing_one_galaxy_limits_alone_and_masses_that_are_nan(field):
    catalogue = field.catalogue()
    nothing = population_statistics(catalogue[:0], n_draws=30)
    assert value_of(nothing, "n_clumps")["value"] == 0 and np.isnan(
        value_of(nothing, "median_log_mass")["value"]
    )
    single = catalogue[np.asarray(catalogue["galaxy"]) == "G010"]
    row = value_of(population_statistics(single, n_draws=40), "median_log_mass")
    assert row["lo"] < row["value"] < row["hi"]
    limits = catalogue.copy()
    limits["r_eff_limit"] = True
    found = population_statistics(limits, n_draws=30)
    assert np.isnan(value_of(found, "median_r_eff_pc")["value"])
    assert np.isfinite(value_of(found, "share_below_100pc")["value"])
    unweighed = catalogue.copy()
    for p in (16, 50, 84):
        unweighed[f"log_mass_p{p}"] = np.nan
    assert value_of(population_statistics(unweighed, n_draws=30), "n_clumps")["value"] == 0
    unlensed = catalogue.copy()
    unlensed["mu"], unlensed["mu_err_lo"], unlensed["mu_err_hi"] = 1.0, 0.0, 0.0
    row = value_of(population_statistics(unlensed, n_draws=30), "median_mu")
    assert (row["lo"], row["value"], row["hi"]) == (1.0, 1.0, 1.0)


def test_the_sample_as_measured_has_hosts_in_the_order_of_names():
    hosts = Table({"id": ["b", "a"], "log_mass_p50": [9.0, 8.0], "log_ssfr_p50": [-9.0, -8.0]})
    sample = observed(table_of([6.0, 7.0, 5.0], ["b", "a", "b"]), hosts)
    assert sample.hosts["galaxy"].tolist() == ["a", "b"] and sample.hosts["log_mass_host"].tolist() == [
        8.0,
        9.0,
    ]
    assert sample.hosts["log_mass_max"].tolist() == [7.0, 6.0]
    assert sample.hosts["log_f_cl"] == pytest.approx([-1.0, np.log10(1.1e6) - 9.0])


def test_a_bin_of_one_galaxy_has_errors_of_its_clumps():
    rng = np.random.default_rng(6)
    mass = np.concatenate([rng.normal(6.0, 0.5, 40), rng.normal(7.0, 0.5, 100)])
    clumps = table_of(mass, np.repeat(["a", "b", "c"], [20, 20, 100]))
    clumps["z"] = np.repeat([1.0, 2.0], [40, 100])
    row = value_of(population_statistics(clumps, n_draws=200), "median_log_mass", "z_1.5_2.5")
    assert 0.5 * (row["hi"] - row["lo"]) == pytest.approx(np.sqrt(np.pi / 2) * 0.5 / 10, rel=0.4)


def test_shares_of_none_and_all_are_not_certain():
    clumps = table_of([6.0] * 4, ["a", "a", "b", "b"], log_age_mw_yr_p50=[7.5] * 4)
    row = value_of(population_statistics(clumps, n_draws=30), "share_older_300myr")
    assert (row["value"], row["lo"]) == (0.0, 0.0) and row["hi"] == pytest.approx(0.2)


def test_extremes_are_of_measured_values(field, statistics):
    catalogue = field.catalogue()
    clumps = catalogue[population_sample(catalogue)]
    limit = np.asarray(clumps["r_eff_limit"], bool)
    assert value_of(statistics, "min_r_eff_pc")["value"] == np.min(clumps["r_eff_pc"][~limit])
    assert value_of(statistics, "max_r_eff_limit_pc")["value"] == np.max(clumps["r_eff_pc"][limit])
    assert value_of(statistics, "max_mu")["value"] == np.max(clumps["mu"])
    most = np.unique(clumps["galaxy"], return_counts=True)[1].max()
    assert value_of(statistics, "max_clumps_per_galaxy")["value"] == most
    assert len({(row["quantity"], row["group"]) for row in statistics}) == len(statistics)
