import numpy as np
import pytest
import yaml
from clumpscope.population.numbers import as_latex, as_yaml, paper_numbers
from clumpscope.population.products import population_tables
from clumpscope.population.sample import population_sample
from clumpscope.population.statistics import share_below
from unit.population.synthetic_population import make_field


@pytest.fixture(scope="module")
def found():
    field = make_field(30, seed=2)
    catalogue = field.catalogue()
    clumps = catalogue[population_sample(catalogue)]
    return clumps, paper_numbers(clumps, population_tables(catalogue, field.hosts, field.galaxies))


def test_numbers_are_those_of_the_clumps(found):
    clumps, numbers = found
    assert numbers["n_clumps"]["value"] == len(clumps)
    radius, limit = np.asarray(clumps["r_eff_pc"]), np.asarray(clumps["r_eff_limit"])
    assert limit.any()
    assert numbers["share_below_100pc"]["value"] == pytest.approx(share_below(radius, limit, 100.0))
    assert numbers["n_size_limits_above_20pc"]["value"] == np.sum(limit & (radius > 20.0))
    assert numbers["median_log_mass"]["value"] == pytest.approx(np.median(clumps["log_mass_p50"]))
    assert sum(
        numbers[f"share_{k}"]["value"] for k in ("unresolved", "compact", "extended")
    ) == pytest.approx(1.0)
    assert "r_log_mass_max_with_log_mass_host" in numbers


def test_both_files_say_the_same(found):
    _, numbers = found
    assert yaml.safe_load(as_yaml(numbers)) == numbers
    lines = as_latex(numbers).splitlines()
    names = [line.split("{")[1].split("}")[0] for line in lines]
    assert len(set(names)) == len(numbers) and all(name[1:].isalpha() for name in names)
    assert f"{{\\nClumps}}{{\\ensuremath{{{numbers['n_clumps']['value']}}}}}" in lines[0]


def test_nothing_gives_counts_of_zero():
    empty = make_field(5, seed=2).catalogue()[:0]
    numbers = paper_numbers(empty, population_tables(empty))
    assert numbers["n_clumps"]["value"] == 0 and "median_log_mass" not in numbers
