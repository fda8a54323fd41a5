"""Every figure of clumps and of populations where there is next to nothing to show."""

import numpy as np
import pytest
from clumpscope.figures.registry import FIGURES, draw_figure, figures_of
from clumpscope.population.products import population_tables
from unit.figures.guide import faults_of
from unit.figures.products_of_figures import imaging_products


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    return imaging_products(tmp_path_factory.mktemp("field"))


def limits_alone(catalogue):
    catalogue["r_eff_limit"], catalogue["class"] = True, "unresolved"


def no_masses(catalogue):
    for name in ("log_mass", "log_sigma_mass", "log_sfr10", "log_age_mw_yr"):
        for percent in (16, 50, 84):
            if f"{name}_p{percent}" in catalogue.colnames:
                catalogue[f"{name}_p{percent}"] = np.nan


def no_lens(catalogue):
    catalogue["mu"] = 1.0
    for name in [name for name in catalogue.colnames if name.startswith("mu") and "err" in name]:
        catalogue[name] = 0.0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("change", "hosts", "settings"),
    [
        (lambda catalogue: None, True, {"redshift_bins": (0.01, 0.02, 7.0, 8.0)}),
        (lambda catalogue: catalogue.remove_rows(catalogue["galaxy"] != catalogue["galaxy"][0]), True, {}),
        (limits_alone, True, {}),
        (no_masses, True, {}),
        (lambda catalogue: None, False, {}),
        (no_lens, True, {}),
    ],
    ids=["empty bins", "one galaxy", "all limits", "no masses", "no hosts", "no lens"],
)
def test_figures_at_the_edges(every, change, hosts, settings):
    """Every figure of clumps and of populations, its tables made of the changed catalogue."""
    catalogue = every["catalogue"].copy()
    change(catalogue)
    of_hosts = every["hosts"][: len(every["hosts"]) // 2 if hosts else 0], every["galaxies"]
    tables = population_tables(
        catalogue, *of_hosts, redshift_bins=settings.get("redshift_bins", (0.7, 1.5, 2.5, 3.5, 5.5))
    )
    edge = {**every, "catalogue": catalogue, "population": tables, "hosts": of_hosts[0]}
    for name in figures_of("imaging", set(edge)):
        if {"catalogue", "population"} & set(FIGURES[name].needs):
            figure, _ = draw_figure(name, edge, settings)
            assert faults_of(figure) == [], name
