"""Public catalogues, each from a small table in its own format."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.catalogues import read_catalogue
from clumpscope.errors import InputError
from clumpscope.inputs import read_galaxies

N = 6


def write(path, **columns):
    units = columns.pop("units", {})
    table = Table({name: np.resize(values, N) for name, values in columns.items()})
    for name, unit in units.items():
        table[name].unit = unit
    table.write(path)
    return str(path)


@pytest.fixture
def super_catalogue(tmp_path):
    return write(
        tmp_path / "super.fits", id=np.arange(1, N + 1), ra=3.5 + np.arange(N) / 1e3, dec=[-30.4],
        use_phot=[1, 1, 1, 1, 0, 1], flag_star=[0, 0, 1, 0, 0, 0], flag_artifact=[0], flag_nearbcg=[0, 0, 0, 1, 0, 0],
        z_spec=[-1.0, 2.5, -1, -1, -1, -1], z_phot=[1.5, 2.4, 1, 1, 1, np.nan], z160=[1.4, 2.3, 1, 1, 1, np.nan],
        z840=[1.7, 2.6, 1, 1, 1, np.nan], f_f150w=[10.0], e_f150w=[1.0], f_f814w=[5.0, np.nan], e_f814w=[0.5, np.nan],
        w_f150w=[1.0],
    )  # fmt: skip


def test_uncover_super(super_catalogue):
    table, told = read_catalogue(super_catalogue, "super")
    assert list(table["id"]) == ["1", "2"]
    np.testing.assert_allclose(table["f_F150W"], 100.0)  # 10 units of 10 nJy
    np.testing.assert_allclose(table["e_F814W"], [5.0, np.nan])
    np.testing.assert_allclose(table["z"], [1.5, 2.5])
    np.testing.assert_allclose(table["z_lo"], [1.4, np.nan])
    np.testing.assert_allclose(table["z_spec"], [np.nan, 2.5])
    assert any("1 rows are left out by flag_star (kept: 0)" in line for line in told)
    assert "2 of 6 rows are kept, 1 with z_spec" in told[-1]
    checked = read_galaxies(super_catalogue, {"format": "super", "cuts": {"flag_star": None}})
    assert list(checked["id"]) == ["1", "2", "3"]


@pytest.fixture
def sps_catalogue(tmp_path):
    """Columns of the stellar-population catalogue, in another order; the last galaxy of the other is not in it."""

    def make(name="sps.fits", **changes):
        ids = np.arange(N - 1, 0, -1)
        columns = {
            "id": ids, "ra": 3.5 + (ids - 1) / 1e3, "dec": np.full(N - 1, -30.4), "z_50": ids + 0.1, "z_16": ids - 0.1, "z_84": ids + 0.4,
            "mstar_50": np.full(N - 1, 8.5), **changes,
        }  # fmt: skip
        Table(columns).write(tmp_path / name)
        return str(tmp_path / name)

    return make


def test_uncover_super_with_redshifts_of_its_stellar_populations(super_catalogue, sps_catalogue):
    cuts = {"use_phot": None, "flag_star": None, "flag_nearbcg": None}
    table, told = read_catalogue(super_catalogue, "super", redshifts=sps_catalogue(), cuts=cuts)
    # Fluxes are of the one, redshifts of the other; the spectroscopic one of the first goes before.
    assert list(table["id"]) == ["1", "2", "3", "4", "5"]
    np.testing.assert_allclose(table["z"], [1.1, 2.5, 3.1, 4.1, 5.1])
    np.testing.assert_allclose(table["z_lo"], [0.9, np.nan, 2.9, 3.9, 4.9])
    np.testing.assert_allclose(table["z_hi"], [1.4, np.nan, 3.4, 4.4, 5.4])
    np.testing.assert_allclose(table["f_F150W"], 100.0)
    assert any("no row for 1 of 6 ids" in line for line in told)
    spectra = sps_catalogue("with.fits", z_spec=np.array([-1.0, 7.0, -1.0, -1.0, -1.0]))
    table, _ = read_catalogue(super_catalogue, "super", redshifts=spectra, cuts=cuts)
    np.testing.assert_allclose(table["z_spec"], [np.nan, 2.5, np.nan, 7.0, np.nan])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": np.array([5, 4, 3, 3, 1])}, r"1 ids more than once \(first: 3\)"),
        ({"id": np.arange(101, 106)}, "found 0 of the 6 ids of .*super.fits; expected most of them"),
        ({"ra": np.full(N - 1, 3.7)}, r"rows that lie \d+ arcsec \(median\) from those with the same ids"),
        ({"z_50": np.full(N - 1, "x")}, "cells that are no numbers"),
    ],
)
def test_redshifts_of_another_catalogue_are_refused(super_catalogue, sps_catalogue, changes, message):
    with pytest.raises(InputError, match=message):
        read_catalogue(super_catalogue, "super", redshifts=sps_catalogue(**changes))


def test_a_table_without_redshifts_is_refused(super_catalogue, tmp_path):
    path = write(tmp_path / "no.fits", id=np.arange(1, N + 1), mstar_50=[8.0])
    with pytest.raises(InputError, match=r"no\.fits.*expected a column 'z_spec'"):
        read_catalogue(super_catalogue, "super", redshifts=path, cuts={"use_phot": None})
    path = write(tmp_path / "noid.fits", z_50=[1.0])
    with pytest.raises(InputError, match=r"noid\.fits.*expected a column 'id'"):
        read_catalogue(super_catalogue, "super", redshifts=path)


def test_dja_with_its_redshifts_in_another_order(tmp_path):
    photometry = write(
        tmp_path / "x-fix_phot.fits", id=np.arange(1, N + 1), ra=[110.8], dec=[-73.45],
        **{"f150w-clear_tot_1": [0.3, -99.0], "f150w-clear_etot_1": [0.01, -99.0], "f200wn-clear_tot_1": [0.4],
           "f200wn-clear_etot_1": [0.02], "f150w-clear_flux_aper_1": [0.2], "whatever_tot_1": [1.0], "whatever_etot_1": [1.0]},
    )  # fmt: skip
    redshifts = write(
        tmp_path / "zout.fits", id=np.arange(1, N + 1)[::-1], z_spec=[-1.0], z_phot=np.arange(N, 0, -1) / 2,
        z160=[0.4], z840=[0.6],
    )  # fmt: skip
    table, told = read_catalogue(photometry, "dja", redshifts=redshifts)
    np.testing.assert_allclose(table["f_F150W"], np.resize([300.0, np.nan], N))  # uJy
    np.testing.assert_allclose(table["e_F200WN"], 20.0)
    np.testing.assert_allclose(table["z"], np.arange(1, N + 1) / 2)
    assert any("whatever" in line and "left out" in line for line in told)


def test_muse_redshifts(tmp_path):
    path = write(
        tmp_path / "muse.fits", iden=[1, 1, 2, 3, 4, 5], idfrom=["PRIOR", "MUSELET"], RA=[3.5], DEC=[-30.0],
        z=[3.0, 1.0, 0.3, 2.0, 2.0, -1.0], zconf=[3, 1, 2, 2, 3, 3], MUL=["12.1", "", "", "12.2", "none", ""],
    )  # fmt: skip
    table, _ = read_catalogue(path, "muse")
    assert list(table["id"]) == ["P1", "P2", "M3", "P4"] and list(table["system"]) == ["12", "", "12", ""]
    np.testing.assert_allclose(table["z_spec"], [3.0, 0.3, 2.0, 2.0])
    assert not any(name.startswith("f_") for name in table.colnames)


def test_canucs(tmp_path):
    path = write(
        tmp_path / "canucs.fits", ID=np.arange(N), RA=[64.0], DEC=[-11.9], USE_PHOT=[1], FLAG_STAR=[0], Z_ML=[2.0],
        Z160=[1.9], Z840=[2.2], FLUX_F150W=[50.0], FLUXERR_F150W=[2.0],
    )  # fmt: skip
    table, _ = read_catalogue(path, "canucs")
    assert len(table) == N and table["f_F150W"][0] == 50.0 and table["z_hi"][0] == 2.2


def test_any_other_by_its_columns(tmp_path):
    path = write(
        tmp_path / "own.csv", source=np.arange(N), alpha=[3.5], delta=[-30.0], zbest=[2.0], mag=np.arange(N),
        acs_wfc_f814w_flx=[2.0], acs_wfc_f814w_sig=[0.1],
    )  # fmt: skip
    layout = {
        "columns": {"id": "source", "ra": "alpha", "dec": "delta", "z_phot": "zbest"}, "flux": "<F>_flx",
        "error": "<F>_sig", "flux_unit": "uJy", "cuts": {"mag": {"min": 1, "max": 3}},
    }  # fmt: skip
    table, _ = read_catalogue(path, "columns", **layout)
    assert list(table["id"]) == ["1", "2", "3"] and table["f_F814W"][0] == pytest.approx(2000.0)
    del layout["flux_unit"]
    with pytest.raises(InputError, match=r"acs_wfc_f814w_flx.*found no unit"):
        read_catalogue(path, "columns", **layout)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": {"id": "ident"}}, r"no column 'ident', which catalogue\.columns\.id names"),
        ({"cuts": {"flag_odd": 0}}, r"no column 'flag_odd', which the cut catalogue\.cuts\.flag_odd"),
        ({"cuts": {"use_phot": 7}}, "of which none is left"),
        ({"flux": "flux_<F>"}, "expected fluxes flux_<F> with errors e_<F>"),
        ({"flux_unit": "mag"}, "the unit 'mag'"),
    ],
)
def test_what_does_not_fit_is_refused(super_catalogue, changes, message):
    with pytest.raises(InputError, match=message):
        read_catalogue(super_catalogue, "super", **changes)


def test_units_of_columns_are_believed_and_must_not_contradict(tmp_path):
    columns = dict(id=np.arange(N), ra=[3.5], dec=[-30.0], z_spec=[1.0], f_f150w=[1.0], e_f150w=[0.1])
    columns |= dict(use_phot=[1], flag_star=[0], flag_artifact=[0], flag_nearbcg=[0])
    path = write(tmp_path / "a.fits", **columns, units={"f_f150w": "uJy", "e_f150w": "uJy"})
    assert read_catalogue(path, "super")[0]["f_F150W"][0] == pytest.approx(1000.0)
    with pytest.raises(InputError, match="found the unit 'uJy'; expected '10 nJy'"):
        read_catalogue(path, "super", flux_unit="10 nJy")
    with pytest.raises(InputError, match="the unit 'm'"):
        read_catalogue(write(tmp_path / "b.fits", **columns, units={"f_f150w": "m"}), "super")
    with pytest.raises(InputError, match=r"column 'ra'.*the unit m"):
        read_catalogue(write(tmp_path / "c.fits", **columns, units={"ra": "m"}), "super")
