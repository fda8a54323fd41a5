import numpy as np
import pytest
from clumpscope.sed.library.condensing import (
    average_in_bins,
    initial_mass_below,
    library_edges,
    remnant_fraction,
)
from scipy.integrate import quad


def test_bin_averages_keep_integrals():
    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(0, 10, 200))
    values = rng.uniform(0, 1, (2, 200))
    edges = np.linspace(x[0], x[-1], 17)
    mean = average_in_bins(x, values, edges)
    np.testing.assert_allclose(
        (mean * np.diff(edges)).sum(axis=1), np.trapezoid(values, x, axis=1), rtol=1e-12
    )


def test_bin_averages_of_a_line_are_its_middle():
    x = np.array([0.0, 0.3, 1.0, 4.0])
    edges = np.array([0.1, 0.2, 0.9, 3.5])
    np.testing.assert_allclose(
        average_in_bins(x, 2.0 * x + 1.0, edges), edges[1:] + edges[:-1] + 1.0, rtol=1e-12
    )


def test_nothing_outside_the_source():
    assert average_in_bins(
        np.array([1.0, 2.0]), np.array([5.0, 5.0]), np.array([-1.0, 0.0, 1.0, 3.0])
    ).tolist() == [0, 0, 2.5]


def test_edges_contain_the_physical_ones():
    edges = library_edges()
    assert (np.diff(edges) > 0).all()
    assert {911.8, 1215.67} <= set(edges)


def _kroupa(mass):
    return mass**-1.3 if mass < 0.5 else 0.5 * mass**-2.3


def _integral(function, low, high):
    points = [p for p in (0.5, 8.5, 40.0) if low < p < high]
    return quad(function, low, high, points=points or None, epsrel=1e-9)[0]


@pytest.mark.parametrize("turn_off", [0.9, 2.0, 7.0, 30.0])
def test_masses_of_the_imf(turn_off):
    formed = _integral(lambda m: m * _kroupa(m), 0.1, 100.0)
    living = _integral(lambda m: m * _kroupa(m), 0.1, turn_off) / formed
    assert initial_mass_below(turn_off) == pytest.approx(living, rel=1e-4)

    def remnant(m):  # Renzini & Ciotti (1993)
        return 0.48 + 0.077 * m if m < 8.5 else 1.4 if m < 40.0 else 0.5 * m

    dead = _integral(lambda m: remnant(m) * _kroupa(m), turn_off, 100.0) / formed
    assert remnant_fraction(np.array([living]))[0] == pytest.approx(dead, rel=2e-3)


def test_no_remnants_of_the_newly_born():
    assert remnant_fraction(np.array([1.0]))[0] == pytest.approx(0.0, abs=1e-12)
