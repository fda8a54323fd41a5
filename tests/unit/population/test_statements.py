"""C25's statements on populations that were measured without errors, with an offset, and with errors too small."""

import numpy as np
import pytest
from clumpscope.population.numbers import with_mass_functions
from clumpscope.population.products import population_tables
from clumpscope.population.recovered import true_clumps
from clumpscope.population.statements import STATEMENTS, recovered_statements
from clumpscope.population.summary import population_statistics
from unit.population.test_recovered import GRADIENT, PSF, SETTINGS, measure, truths


def statements_of(measured, clumps, galaxies):
    tables = population_tables(measured, **SETTINGS)
    statistics = with_mass_functions(
        population_statistics(measured, n_draws=60),
        tables["mass_function_fits"],
        tables["mass_function_slopes"],
    )
    same, everything = true_clumps(measured, clumps, galaxies, PSF, SETTINGS["min_broad_bands"])
    return recovered_statements(statistics, same, everything, galaxies, SETTINGS)


@pytest.fixture(scope="module")
def field():
    return truths(np.random.default_rng(4))


def row_of(table, quantity, group="all"):
    return next(row for row in table if (row["quantity"], row["group"]) == (quantity, group))


def test_a_perfect_measurement_recovers_every_statement(field):
    found = statements_of(measure(field[0]), *field)
    assert len(set(found["quantity"])) > 10 and {"all", "z_0.7_1.5"} <= set(found["group"])
    np.testing.assert_allclose(found["recovered"], found["same_clumps"], rtol=1e-9)
    # Ten of 400 clumps are in a galaxy that the truth has not as selected.
    assert set(found["n_injected"][found["quantity"] == "evolution_log_mass"]) == {390}
    assert np.mean(found["inside"] == "yes") > 0.9 and set(found["inside_same"]) <= {"yes", ""}
    density = row_of(found, "evolution_log_sigma_mass")
    z = np.asarray(field[0]["z"])
    seen = np.asarray(field[0]["galaxy"]) != "G39"
    line = np.polyfit(np.log10(1 + z[seen]), np.asarray(field[0]["log_sigma_mass"])[seen], 1)
    assert density["injected"] == pytest.approx(line[0]) and density["inside"] == "yes"


def test_what_is_measured_wrongly_is_outside(field):
    measured = measure(field[0])
    for name in ("log_mass_p16", "log_mass_p50", "log_mass_p84"):
        measured[name] = measured[name] + 0.4 - 0.5 * (measured["z"] > 2.5)
    found = statements_of(measured, *field)
    evolution = row_of(found, "evolution_log_mass")
    assert (
        evolution["inside"] == evolution["inside_same"] == "no"
        and evolution["recovered"] < evolution["same_clumps"] - 0.5
    )
    assert row_of(found, "median_log_mass", "z_0.7_1.5")["inside"] == "no"
    assert row_of(found, "evolution_log_age_mw_yr")["inside"] == "yes"


def test_gradients_are_those_that_were_put_in(field):
    clumps, galaxies = field
    measured = measure(clumps)
    measured["log_age_mw_yr_p50"] = 7.0 + GRADIENT * measured["distance_kpc"]
    gradient = row_of(statements_of(measured, clumps, galaxies), "intrinsic_gradient_log_age_mw_yr")
    assert gradient["recovered"] == pytest.approx(GRADIENT) and gradient["inside"] == "no"


def test_every_statement_is_a_statistic_with_a_section():
    assert all(section[0] in "456" and words and quantity for section, words, quantity, _ in STATEMENTS)
