import numpy as np
import pytest
import yaml
from astropy.table import Table
from clumpscope.population.hosts import intrinsic_hosts
from clumpscope.population.numbers import (
    as_latex,
    as_yaml,
    paper_numbers,
    with_mass_functions,
    with_published,
)
from clumpscope.population.products import population_tables
from clumpscope.population.sample import population_sample
from clumpscope.population.statistics import share_below
from clumpscope.population.summary import population_statistics
from unit.population.synthetic_population import make_field


@pytest.fixture(scope="module")
def found():
    field = make_field(30, seed=2)
    catalogue = field.catalogue()
    tables = population_tables(catalogue, field.hosts, field.galaxies)
    hosts = intrinsic_hosts(field.hosts, field.galaxies)
    statistics = population_statistics(catalogue, hosts, field.galaxies, n_draws=30)
    statistics = with_mass_functions(statistics, tables["mass_function_fits"], tables["mass_function_slopes"])
    return catalogue[population_sample(catalogue)], tables, paper_numbers(statistics)


def test_numbers_are_those_of_the_clumps(found):
    clumps, tables, numbers = found
    assert numbers["n_clumps"]["value"] == len(clumps)
    radius, limit = np.asarray(clumps["r_eff_pc"]), np.asarray(clumps["r_eff_limit"])
    assert limit.any()
    assert numbers["share_below_100pc"]["value"] == pytest.approx(share_below(radius, limit, 100.0))
    assert numbers["median_log_mass"]["value"] == pytest.approx(np.median(clumps["log_mass_p50"]))
    shares = [numbers[f"share_{kind}"]["value"] for kind in ("unresolved", "compact", "extended")]
    assert sum(shares) == pytest.approx(1.0)
    fit = next(r for r in tables["mass_function_fits"] if r["by"] == "all" and r["law"] == "power_law")
    slope = next(r for r in tables["mass_function_slopes"] if r["by"] == "all")
    assert numbers["mass_function_slope"]["value"] == pytest.approx(slope["slope"])
    assert numbers["mass_function_slope"]["err_hi"] == pytest.approx(slope["slope_err"])
    alpha = numbers["mass_function_alpha_power_law"]
    assert alpha["value"] == pytest.approx(fit["alpha"]) and alpha["err_lo"] == pytest.approx(
        fit["alpha_err_lo"]
    )


def test_both_files_say_the_same(found):
    *_, numbers = found
    assert yaml.safe_load(as_yaml(numbers)) == numbers
    lines = as_latex(numbers).splitlines()
    names = [line.split("{")[1].split("}")[0] for line in lines]
    assert len(set(names)) == len(numbers) and all(name[1:].isalpha() for name in names)
    assert f"{{\\nClumps}}{{\\ensuremath{{{numbers['n_clumps']['value']}}}}}" in lines[0]
    assert not any("e-" in line.split("ensuremath")[1] for line in lines)


def test_powers_of_ten_are_written_as_such():
    assert as_latex({"p": {"value": 3.2e-12}}) == "\\newcommand{\\p}{\\ensuremath{3.2 \\times 10^{-12}}}\n"


def test_nothing_gives_counts_of_zero():
    numbers = paper_numbers(population_statistics(make_field(5, seed=2).catalogue()[:0]))
    assert numbers["n_clumps"]["value"] == 0 and "median_log_mass" not in numbers


def test_published_comparisons_become_numbers():
    columns = {"quantity": ["M/L in V"], "unit": ["Msun / Lsun"], "n": [3]}
    columns |= {f"{who}{end}": [v] for who, shift in (("ssp", 0.0), ("reference", np.nan))
                for end, v in (("_lo", 0.4 + shift), ("", 0.5 + shift), ("_hi", 0.7 + shift))}  # fmt: skip
    empty = population_statistics(make_field(5, seed=2).catalogue()[:0])
    numbers = paper_numbers(with_published(empty, Table(columns)))
    row = numbers["m_l_in_v_ssp"]
    assert (row["value"], row["unit"]) == (0.5, "Msun / Lsun") and "m_l_in_v_reference" not in numbers
    assert (row["err_lo"], row["err_hi"]) == pytest.approx((0.1, 0.2))
