import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.sed.products.columns_photometry import only_filters, table_common, table_photometry


@pytest.fixture
def clumps():
    table = Table({"id": ["a", "b"], "z": [1.0, 1.0]})
    for number, name in enumerate(("F150W", "F182M", "F200W")):
        table[f"flux_{name}_njy"] = [10.0 + number, 20.0 + number]
        table[f"flux_{name}_err_njy"] = 1.0
        table[f"flux_{name}_common_njy"] = np.ones((2, 4))
    return table


def test_fits_with_a_set_see_its_filters_alone(clumps):
    part = only_filters(clumps, ["F200W", "F150W", "F444W"])  # the last does not cover this galaxy
    flux, _, filters = table_photometry(part)
    assert filters == ("F150W", "F200W")
    assert np.array_equal(flux, [[10.0, 12.0], [20.0, 22.0]])
    assert table_common(part, filters).shape == (2, 2, 4)
    assert list(part["z"]) == [1.0, 1.0]


def test_a_set_without_a_filter_of_the_table_or_with_an_unknown_one_is_refused(clumps):
    with pytest.raises(InputError, match=r"sed\.filter_sets"):
        only_filters(clumps, ["F444W"])
    with pytest.raises(InputError, match="F999W"):
        only_filters(clumps, ["F150W", "F999W"])
