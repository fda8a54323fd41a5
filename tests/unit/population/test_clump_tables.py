"""Published tables of clumps: columns, units, errors, and the way through statistics and figures."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table
from clumpscope.config import validate
from clumpscope.errors import InputError
from clumpscope.field_checks import check_field
from clumpscope.figures.registry import draw_figure, figures_of_columns
from clumpscope.flags import bit
from clumpscope.population.clump_tables import doubts_of_clump_table, read_clump_table
from clumpscope.population.hosts import intrinsic_hosts
from clumpscope.population.products import population_tables
from clumpscope.population.summary import population_statistics
from clumpscope.tables import write_table

COLUMNS = {
    "id": "name",
    "galaxy": "host",
    "z": "zspec",
    "log_mass": {"column": "M", "unit": "1e6 Msun", "err_lo": "M_lo", "err_hi": "M_hi"},
    "log_age_mw_yr": {"column": "age", "unit": "Myr"},
    "r_eff_pc": {"column": "radius", "unit": "kpc", "err": "e_radius"},
    "r_eff_limit": "limit",
    "distance_kpc": "dist",
    "host_log_mass": "Mhost",
}


@pytest.fixture
def table():
    rng = np.random.default_rng(2)
    owner = np.repeat(np.arange(12), 6)
    n = owner.size
    mass = 10 ** rng.normal(0.5, 0.5, n)
    return Table(
        {"name": [f"c{k}" for k in range(n)], "host": [f"g{k}" for k in owner], "zspec": 0.8 + 0.3 * owner, "M": mass, "M_lo": 0.1 * mass,
         "M_hi": 0.2 * mass, "age": 10 ** rng.normal(1.5, 0.6, n), "radius": 10 ** rng.normal(-1.0, 0.3, n), "e_radius": np.full(n, 0.01),
         "limit": rng.random(n) < 0.2, "dist": rng.exponential(2.0, n), "Mhost": 8.5 + 0.15 * owner}
    )  # fmt: skip


def written(table, folder, ending="csv"):
    path = folder / f"clumps.{ending}"
    table.write(path, overwrite=True)
    return str(path)


def test_linear_values_in_their_units_become_logarithms_in_ours(table, tmp_path):
    catalogue, galaxies, hosts = read_clump_table(written(table, tmp_path), COLUMNS)
    assert catalogue["log_mass_p50"] == pytest.approx(6.0 + np.log10(table["M"]), abs=1e-9)
    # Ten and twenty per cent, in dex.
    assert catalogue["log_mass_p50"] - catalogue["log_mass_p16"] == pytest.approx(0.1 / np.log(10))
    assert catalogue["log_mass_p84"] - catalogue["log_mass_p50"] == pytest.approx(0.2 / np.log(10))
    assert catalogue["log_age_mw_yr_p50"] == pytest.approx(6.0 + np.log10(table["age"]), abs=1e-9)
    assert catalogue["r_eff_pc"] == pytest.approx(1e3 * np.asarray(table["radius"]))
    assert catalogue["r_eff_pc_err_lo"] == pytest.approx(10.0)
    density = catalogue["log_mass_p50"] - np.log10(2 * np.pi * catalogue["r_eff_pc"] ** 2)
    assert catalogue["log_sigma_mass_p50"] == pytest.approx(np.asarray(density))
    assert catalogue["r_eff_limit"].tolist() == table["limit"].tolist()
    assert (catalogue["flags"] & bit("unresolved") > 0).tolist() == table["limit"].tolist()
    assert len(galaxies) == 12 and hosts["log_mass_p50"] == pytest.approx(8.5 + 0.15 * np.arange(12))


def test_units_of_the_table_and_logarithms_are_known(table, tmp_path):
    table["M"] = np.log10(table["M"]) + 3.0
    table["age"] = table["age"] / 1e3
    table["M"].unit, table["age"].unit = u.Unit("dex(1e3 Msun)"), u.Gyr
    path = written(table, tmp_path, "ecsv")
    columns = COLUMNS | {"log_mass": "M", "log_age_mw_yr": "age"}
    catalogue = read_clump_table(path, columns)[0]
    assert catalogue["log_mass_p50"] == pytest.approx(np.asarray(table["M"]) + 3.0)
    assert catalogue["log_age_mw_yr_p50"] == pytest.approx(9.0 + np.log10(table["age"]))
    assert np.all(catalogue["log_mass_p16"] == catalogue["log_mass_p84"])


@pytest.mark.parametrize(
    ("change", "found", "wanted"),
    [
        ({"log_mass": "mass"}, "mass", "Did you mean"),
        ({"distance_kpc": {"column": "dist", "err": "e_dist"}}, "e_dist", "dist"),
        ({"r_eff_pc": {"column": "radius", "unit": "Myr"}}, "Myr", "a unit of pc"),
        ({"r_eff_pc": {"column": "radius", "unit": "furlongs"}}, "furlongs", "a unit of pc"),
        ({"log_mass": "name"}, "c0", "a finite number"),
        ({"host_log_mass": "dist"}, "g0", "one value a galaxy"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(table, tmp_path, change, found, wanted):
    table.rename_column("M", "Mass" if change.get("log_mass") == "mass" else "M")
    path = written(table, tmp_path)
    columns = COLUMNS | ({"log_mass": "Mass"} if "Mass" in table.colnames else {}) | change
    with pytest.raises(InputError) as error:
        check_field("sample", {"clumps": {"table": path, "columns": columns}})
    assert found in str(error.value) and wanted in str(error.value)


def test_needed_columns_ids_and_files_are_asked_for(table, tmp_path):
    path = written(table, tmp_path)
    without = {name: entry for name, entry in COLUMNS.items() if name != "galaxy"}
    with pytest.raises(InputError, match="no 'galaxy'"):
        read_clump_table(path, without)
    table["name"][3] = "c2"
    with pytest.raises(InputError, match="as in row 3"):
        read_clump_table(written(table, tmp_path), COLUMNS)
    with pytest.raises(InputError, match="no file is"):
        check_field("sample", {"clumps": {"table": str(tmp_path / "no.csv"), "columns": COLUMNS}})


def test_the_configuration_knows_which_columns_are_needed(table):
    field = {"clumps": {"table": "t.csv", "columns": COLUMNS}}
    validate({"fields": {"sample": field}})
    for change, message in (
        ({"z": None}, "no key 'z'"),
        ({"mass": "M"}, "mass"),
        ({"log_mass": {"unit": "Msun"}}, "log_mass"),
    ):
        columns = {name: entry for name, entry in {**COLUMNS, **change}.items() if entry is not None}
        with pytest.raises(InputError, match=message):
            validate({"fields": {"sample": {"clumps": {"table": "t.csv", "columns": columns}}}})
    with pytest.raises(InputError, match="exclude each other"):
        validate({"fields": {"sample": {**field, "photometry": "t.csv"}}})


def test_images_of_one_system_count_once(table, tmp_path):
    table["system"] = np.where(np.isin(table["host"], ["g0", "g1"]), "s", table["host"])
    catalogue = read_clump_table(written(table, tmp_path), COLUMNS | {"system": "system"})[0]
    repeated = np.asarray(catalogue["flags"]) & bit("duplicate_image") > 0
    assert repeated.sum() == 6 and len(set(catalogue["galaxy"][repeated])) == 1


def test_a_table_goes_through_statistics_and_figures(table, tmp_path):
    catalogue, galaxies, hosts = read_clump_table(written(table, tmp_path), COLUMNS)
    write_table(catalogue, tmp_path / "catalogue.ecsv", fits=True)
    products = {"catalogue": catalogue, "population": population_tables(catalogue, hosts, galaxies)}
    statistics = population_statistics(catalogue, intrinsic_hosts(hosts, galaxies), galaxies, n_draws=30)
    rows = {(row["quantity"], row["group"]): row for row in statistics}
    inside = np.asarray(catalogue["z"]) < 5.5
    assert rows["n_clumps", "all"]["value"] == inside.sum()
    assert rows["median_log_mass", "all"]["value"] == pytest.approx(
        np.median(catalogue["log_mass_p50"][inside])
    )
    assert np.isfinite(rows["r_log_mass_max_with_log_mass_host", "all"]["value"])
    assert np.isfinite(rows["gradient_log_mass_fraction", "all"]["value"])
    # What the table does not have is not made up.
    assert not {"median_a_v", "n_spec_z"} & {row["quantity"] for row in statistics}
    assert np.isnan(rows["age_error_median", "all"]["value"])
    drawn = figures_of_columns(COLUMNS)
    assert set(drawn) == {
        "clumps_per_galaxy",
        "mass_function",
        "redshift_distributions",
        "size_limits",
        "host_evolution",
        "host_relations",
        "gradients",
    }
    for name in drawn:
        draw_figure(name, products)[0].canvas.draw()


def test_a_mass_alone_is_enough(table, tmp_path):
    few = {name: COLUMNS[name] for name in ("galaxy", "z", "log_mass")}
    catalogue, galaxies, hosts = read_clump_table(written(table, tmp_path), few)
    assert len(hosts) == 0 and catalogue["id"].tolist()[:2] == ["1", "2"] and np.all(catalogue["mu"] == 1.0)
    products = {"catalogue": catalogue, "population": population_tables(catalogue, hosts, galaxies)}
    for name in figures_of_columns(few):
        draw_figure(name, products)[0].canvas.draw()


def test_placeholders_of_missing_values_are_none_and_told(table, tmp_path):
    table["M"][3], table["age"][4], table["radius"][5], table["dist"][6] = 1e-99, 9.9e99, -99.0, -99.0
    path = written(table, tmp_path)
    catalogue = read_clump_table(path, COLUMNS)[0]
    names = ("log_mass_p50", "log_age_mw_yr_p50", "r_eff_pc", "distance_kpc")
    for row, name in enumerate(names, start=3):
        assert np.flatnonzero(~np.isfinite(catalogue[name])).tolist() == [row]
    doubts = doubts_of_clump_table(path, COLUMNS, (0.7, 5.5))
    assert len(doubts) == 4
    assert "column 'M': 1 of 72 cells are taken as missing, the first in row 4 (1e-99)" in doubts[0]


def test_redshifts_beyond_all_bins_are_told(table, tmp_path):
    table["zspec"] = 0.001
    path = written(table, tmp_path)
    assert "all redshifts (0.001 to 0.001) are outside" in doubts_of_clump_table(path, COLUMNS, (0.7, 5.5))[0]
    assert doubts_of_clump_table(path, COLUMNS, (0.0, 0.01)) == []


def test_plain_tables_may_end_as_their_authors_like(table, tmp_path):
    csv = read_clump_table(written(table, tmp_path), COLUMNS)[0]
    table.write(tmp_path / "clumps.dat", format="ascii.basic")
    assert np.allclose(
        read_clump_table(str(tmp_path / "clumps.dat"), COLUMNS)[0]["log_mass_p50"], csv["log_mass_p50"]
    )
