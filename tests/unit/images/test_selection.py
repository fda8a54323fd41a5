import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from clumpscope.errors import InputError
from clumpscope.images.selection import (
    covering_filters,
    enough_clumps,
    reference_filter,
    require_clumps,
    require_galaxies,
    select_galaxies,
)

pytest_plugins = ["image_fixtures"]

FILTERS = ["F115W", "F150W", "F200W", "F277W", "F444W"]


def catalogue():
    return Table(
        {
            "id": ["spec", "good", "wide", "near", "weak", "odd", "high", "empty"],
            "ra": np.full(8, 10.0),
            "dec": np.full(8, -5.0),
            "z": [1.0, 2.0, 2.0, 0.7, 2.0, 4.0, 7.0, 3.0],
            "z_lo": MaskedColumn([0.0, 1.6, 1.5, 0.69, 1.9, 3.9, 6.9, 0.0], mask=[1, 0, 0, 0, 0, 0, 0, 1]),
            "z_hi": MaskedColumn([0.0, 2.5, 2.5, 0.71, 2.1, 4.1, 7.1, 0.0], mask=[1, 0, 0, 0, 0, 0, 0, 1]),
            "z_spec": [True, False, False, False, False, False, False, False],
            "system": ["A", "", "A", "", "", "", "", ""],
        }
    )


MU = [2.5, 3.0, 9.0, 5.0, 2.0, -4.0, 3.0, 3.0]


def test_criteria_and_reasons():
    table = select_galaxies(catalogue(), MU, FILTERS, reject=["odd"])
    by_id = {row["id"]: row for row in table}
    assert [row["id"] for row in table if row["selected"]] == ["spec", "good", "high"]
    assert all(by_id[name]["reason"] == "" for name in ("spec", "good", "high"))
    assert by_id["wide"]["reason"] == "(z84 - z16) / 2 = 0.500, not below 0.5"
    assert by_id["near"]["reason"] == "z = 0.700, not above 0.7"
    assert by_id["weak"]["reason"] == "mu = 2.000, not above 2"
    assert by_id["odd"]["reason"] == "on the reject list"
    assert by_id["empty"]["reason"] == "photometric redshift without an error"
    # Parity does not matter.
    kept = select_galaxies(catalogue(), MU, FILTERS)
    assert kept["selected"][list(kept["id"]).index("odd")]
    assert kept["mu"][5] == 4.0
    assert list(table["system"][:3]) == ["A", "good", "A"]
    assert (table["radius_arcsec"] == 1.5).all()


def test_magnification_from_the_catalogue_or_none_at_all():
    plain = catalogue()
    assert select_galaxies(plain, None, FILTERS)["selected"][4]
    plain["mu"] = MU
    assert not select_galaxies(plain, None, FILTERS)["selected"][4]
    outside = [np.nan, *MU[1:]]
    row = select_galaxies(catalogue(), outside, FILTERS)[0]
    assert not row["selected"] and row["reason"].startswith("magnification unknown")


def test_catalogue_without_errors_and_with_redshift_column_of_spectroscopy():
    bare = catalogue()["id", "ra", "dec", "z"]
    assert select_galaxies(bare, None, FILTERS)["selected"].sum() == 7
    full = catalogue()
    full["z_spec"] = [1.0, np.nan, 2.0, np.nan, np.nan, np.nan, np.nan, 3.0]
    selected = select_galaxies(full, MU, FILTERS)
    assert {row["id"] for row in selected if row["selected"]} == {
        "spec",
        "good",
        "wide",
        "odd",
        "high",
        "empty",
    }
    full["radius_arcsec"] = [3.0] + [np.nan] * 7
    assert list(select_galaxies(full, MU, FILTERS, radius_arcsec=1.1)["radius_arcsec"]) == [3.0] + [1.1] * 7


def test_reference_filter_by_redshift():
    expected = {1.0: "F150W", 3.49: "F150W", 3.5: "F200W", 5.9: "F200W", 6.0: "F277W", 11.0: "F277W"}
    assert {z: reference_filter(z, FILTERS) for z in expected} == expected
    assert reference_filter(1.0, ["F115W", "F444W"]) == "F115W"
    assert reference_filter(7.0, ["F115W", "F356W", "F444W"]) == "F356W"
    assert reference_filter(20.0, FILTERS, [(3.0, "F115W"), (9.0, "F444W")]) == "F444W"
    with pytest.raises(InputError, match="no filter"):
        reference_filter(1.0, [])


def test_rejecting_an_unknown_galaxy_is_refused():
    with pytest.raises(InputError, match="'oddd'"):
        select_galaxies(catalogue(), MU, FILTERS, reject=["oddd"])


def test_minimum_of_clumps():
    assert [enough_clumps(n, 2.0) for n in (0, 1, 2)] == [False, False, True]
    assert [enough_clumps(n, 6.0) for n in (0, 1, 2)] == [False, True, True]


def test_filters_that_cover_galaxies(make_mosaic):
    wide = make_mosaic(np.ones((300, 300)), name="F150W")
    half = np.ones((300, 300))
    half[:, :150] = np.nan
    narrow = make_mosaic(half, name="F444W")
    ra, dec = wide.wcs.all_pix2world([50, 250, 900], [150, 150, 150], 0)
    covering = covering_filters(iter([wide, narrow]), Table({"ra": ra, "dec": dec}))
    assert covering == [["F150W"], ["F150W", "F444W"], []]


def test_reference_filter_is_one_that_covers_the_galaxy():
    covering = [FILTERS] * 8
    covering[0], covering[1] = [], ["F200W", "F444W"]
    table = select_galaxies(catalogue(), MU, FILTERS, covering=covering)
    assert (table["reason"][0], bool(table["selected"][0])) == ("on no image", False)
    assert (table["filter_ref"][1], bool(table["selected"][1])) == ("F200W", True)
    others = select_galaxies(catalogue(), MU, FILTERS)
    assert list(table["filter_ref"][2:]) == list(others["filter_ref"][2:])


def test_a_field_without_galaxies_or_clumps_is_refused_with_the_reasons():
    none = select_galaxies(catalogue(), np.full(8, 1.0), FILTERS)
    assert not none["selected"].any()
    with pytest.raises(InputError, match=r"cat\.csv: found no galaxy of 8 to measure \(\d x mu, not above 2"):
        require_galaxies(none, "cat.csv")
    require_galaxies(select_galaxies(catalogue(), MU, FILTERS), "cat.csv")
    with pytest.raises(InputError, match="field a: found none of 8 galaxies with the clumps it needs"):
        require_clumps({}, 8, "field a")
    require_clumps({"good": 2}, 8, "field a")
