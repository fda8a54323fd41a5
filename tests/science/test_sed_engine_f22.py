"""F22's fits of simple stellar populations to the star clusters of SMACS J0723, repeated."""

import numpy as np
import pandas as pd
import pytest
from clumpscope.resources import resource
from clumpscope.sed import fit_grid

FILTERS = ["F090W", "F150W", "F200W", "F277W", "F356W", "F444W"]


@pytest.fixture(scope="module")
def stack(shared_data):
    table = pd.read_csv(shared_data / "tables" / "faisst2022_table2_stack.csv")
    assert [band.upper() for band in table.band] == FILTERS
    return table.flux_njy.to_numpy(), table.err_njy.to_numpy()


def test_age_and_metallicity_of_the_stack(stack):
    fit = fit_grid(*stack, FILTERS, 0.39)
    assert fit.z[0] == 0.2
    assert 1.5e9 <= fit.age_yr[0] <= 2.0e9
    # An independent prototype on the same spectra found chi2 = 51.9 at 2.0 and 56.3 at 1.5 Gyr.
    ages = fit.ages_yr.tolist()
    z = fit.z_zsun.tolist().index(0.2)
    assert fit.chi2[0, ages.index(2.0e9), z] == pytest.approx(51.9, abs=1.0)
    assert fit.chi2[0, ages.index(1.5e9), z] == pytest.approx(56.3, abs=1.0)
    # F22 section 3.1.1: < 0.2 and >= 1 Zsun excluded at 4 sigma, and ages above 5 Gyr.
    best_of_z = fit.significance[0].min(axis=0)
    excluded = (fit.z_zsun < 0.19) | (fit.z_zsun >= 0.99)
    assert (best_of_z[excluded] > 4.0).all() and best_of_z[z] == 0.0
    assert (fit.significance[0][fit.ages_yr > 5e9] > 4.0).all()
    # F22 section 3.1.3 gives M/L_V = 0.45 at 1.5 Gyr; it rises with age.
    assert 0.4 < fit.ml_v[0] < 0.9


def test_a_floor_on_the_errors_frees_the_age(stack):
    fit = fit_grid(*stack, FILTERS, 0.39, error_floor=0.05)
    assert fit.z[0] == 0.2
    low, _, high = fit.age_interval_yr[0]
    assert low < 2.1e9 and high > 5e9
    assert (fit.significance[0].min(axis=0)[fit.z_zsun < 0.19] > 4.0).all()


def test_masses_of_the_clusters(stack):
    table = pd.read_csv(resource("faisst2022/table1.csv"), comment="#")
    flux = table[[f"{name}_njy" for name in FILTERS]].to_numpy()
    error = table[[f"{name}_err_njy" for name in FILTERS]].to_numpy()
    # With one M/L, that of the stack, F22 find a median of 3.9e6 Msun.
    one = fit_grid(*stack, FILTERS, 0.39)
    z, age = one.z, one.age_yr
    same = fit_grid(flux, error, FILTERS, 0.39, ages_yr=age, z_zsun=z, mass_filter="F090W")
    assert np.nanmedian(10**same.log_mass) == pytest.approx(3.9e6, rel=0.25)
    # With its own M/L each cluster comes out heavier than published, since the fits with this library are older.
    fit = fit_grid(flux, error, FILTERS, 0.39, mass_filter="F090W")
    bright = (table.F090W_njy > 5 * table.F090W_err_njy).to_numpy() & np.isfinite(fit.log_mass)
    offset = fit.log_mass[bright] - table.published_log_mass[bright]
    assert 0.0 < np.median(offset) < 0.45
    assert np.std(offset) < 0.35
