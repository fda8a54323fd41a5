"""Galactic reddening against published numbers; here because the catalogue's intrinsic values rest on it."""

import numpy as np
import pytest
from clumpscope.errors import InputError
from clumpscope.filters import filter_names, get_filter
from clumpscope.reddening import dereddening_factors


def magnitudes(filters, reddening):
    return 2.5 * np.log10(dereddening_factors(filters, reddening))


@pytest.mark.parametrize(
    ("band", "neighbours"),
    # Fitzpatrick (1999), table 3: A / E(B-V) at the wavelengths [Angstrom] on either side of each filter's pivot.
    [
        ("F606W", {5470: 3.055, 6000: 2.688}),
        ("F475W", {4670: 3.806, 5470: 3.055}),
        ("F125W", {12200: 0.829, 26500: 0.265}),
        ("F250M", {12200: 0.829, 26500: 0.265}),
    ],
)
def test_the_curve_is_that_of_fitzpatrick(band, neighbours):
    (short, high), (long, low) = neighbours.items()
    pivot = get_filter(band).pivot_angstrom
    assert short < pivot < long
    straight = np.interp(1 / pivot, [1 / long, 1 / short], [low, high])
    found = magnitudes([band], {"ebv": 1.0})[0]
    assert low < found < high and found == pytest.approx(straight, rel=0.08)


def test_abell_2744_as_in_c25():
    bands = [name for name in filter_names() if np.isfinite(get_filter(name).reddening_mag)]
    published = [get_filter(name).reddening_mag for name in bands]
    assert len(bands) == 20
    # C25 Table 1 gives three decimals.
    np.testing.assert_allclose(magnitudes(bands, {"ebv": 0.012}), published, atol=0.001)


def test_smacs_as_in_f22():
    # F22 section 2.5, E(B-V) about 0.2: about 0.25 mag at 0.9 micron, about 0.07 at 2.0, less than 0.03 at 4.4.
    found = magnitudes(["F090W", "F200W", "F444W"], {"ebv": 0.2})
    np.testing.assert_allclose(found[:2], [0.25, 0.07], atol=0.035)
    assert 0 < found[2] < 0.03


def test_magnitudes_by_filter_are_taken_as_they_are():
    np.testing.assert_allclose(
        magnitudes(["F150W", "F090W"], {"F090W": 0.016, "F150W": 0.007}), [0.007, 0.016]
    )
    np.testing.assert_array_equal(dereddening_factors(["F150W"], None), [1.0])


def test_a_filter_without_a_magnitude_is_refused():
    with pytest.raises(InputError, match="F200W"):
        dereddening_factors(["F150W", "F200W"], {"F150W": 0.007})
