import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from clumpscope.errors import InputError
from clumpscope.flags import describe
from clumpscope.sed import FitSettings, Fitter, PhotometryModel, table_photometry
from clumpscope.sed.products.hosts import HOST_SFHS, fit_hosts

FILTERS = ("F435W", "F606W", "F814W", "F105W", "F160W", "F277W", "F356W", "F444W")


@pytest.fixture(scope="module")
def hosts():
    """Two galaxies of known constant star formation, one without photometry."""
    table = Table({"id": ["a", "b", "c"], "z": [0.9, 2.2, 1.5]})
    flux = np.full((3, len(FILTERS)), np.nan)
    for row, (z, log_mass) in enumerate([(0.9, 10.0), (2.2, 9.0)]):
        theta = np.array([[log_mass, 9.0, -0.3, 0.4, -2.5]])
        flux[row] = PhotometryModel("bc03", FILTERS, z, "const").fluxes(theta)[0]
    for band, name in enumerate(FILTERS):
        table[f"f_{name}"] = MaskedColumn(flux[:, band], mask=np.isnan(flux[:, band]))
        table[f"e_{name}"] = 0.05 * flux[:, band]
    return table


def test_photometry_is_found_in_the_catalogue(hosts):
    flux, error, filters = table_photometry(hosts, "f_<F>", "e_<F>")
    assert filters == FILTERS
    np.testing.assert_allclose(error[:2], 0.05 * flux[:2])
    assert np.isnan(flux[2]).all()


def test_columns_of_clumps_and_of_photometry_fields():
    table = Table({"id": [1], "flux_F150W_njy": [5.0], "flux_F150W_err_njy": [1.0], "flux_iso_njy": [9.0]})
    flux, error, filters = table_photometry(table)
    assert (flux.tolist(), error.tolist(), filters) == ([[5.0]], [[1.0]], ("F150W",))
    table = Table({"id": [1], "F150W_njy": [-5.0], "F150W_err_njy": [1.0]})
    flux, error, filters = table_photometry(table, "<F>_njy", "<F>_err_njy")
    assert (flux.tolist(), error.tolist(), filters) == ([[-5.0]], [[1.0]], ("F150W",))


def test_masses_and_rates_are_recovered(hosts):
    lines = []
    posteriors = fit_hosts(
        hosts, FitSettings(sfh="const", priors="log", sweep_log2=13), progress=lines.append
    )
    assert [posterior.id for posterior in posteriors] == ["a", "b", "c"]
    assert [posterior.redshift for posterior in posteriors] == [0.9, 2.2, 1.5]
    assert len(lines) == 3
    for posterior, log_mass in zip(posteriors, [10.0, 9.0], strict=False):
        assert posterior.converged
        # 1 Gyr of constant star formation: the rate is the mass formed per Gyr.
        for name, truth in [("log_mass_formed", log_mass), ("log_sfr100", log_mass - 9.0)]:
            low, high = np.percentile(posterior.samples[name], [2.5, 97.5])
            assert low < truth < high
    assert describe(posteriors[2].flags) == ["no_sed"]


def test_images_of_a_galaxy_share_their_model(hosts, monkeypatch):
    made = []

    class Counted(Fitter):
        def __init__(self, filters, redshift, *rest):
            made.append(redshift)
            super().__init__(filters, redshift, *rest)

    monkeypatch.setattr("clumpscope.sed.products.hosts.Fitter", Counted)
    twice = hosts[[2, 2, 1]]
    twice["id"] = ["c1", "c2", "b"]
    fit_hosts(twice, FitSettings(sfh="const", sweep_log2=10))
    assert made == [1.5, 2.2]


def test_every_host_history_is_known_to_the_engine():
    for name in HOST_SFHS:
        assert np.isfinite(
            PhotometryModel("bc03", FILTERS[:2], 1.0, name).fluxes(
                np.full((1, 8 if name == "double_power_law" else 5 + (name == "exp_free")), 1.0)
            )
        ).all()


def test_bad_catalogues_are_refused(hosts):
    settings = FitSettings(sfh="const")
    wrong = hosts.copy()
    wrong["e_F814W"][1] = 0.0
    with pytest.raises(InputError, match=r"'e_F814W', row 2 \(id b\)"):
        fit_hosts(wrong, settings)
    wrong = hosts.copy()
    wrong.remove_column("e_F160W")
    with pytest.raises(InputError, match="'e_F160W'"):
        fit_hosts(wrong, settings)
    wrong = hosts.copy()
    wrong.rename_column("f_F160W", "f_F1600W")
    with pytest.raises(InputError, match="Did you mean F160W"):
        fit_hosts(wrong, settings)
    wrong = hosts.copy()
    wrong["z"][0] = np.nan
    with pytest.raises(InputError, match="column 'z', row 1"):
        fit_hosts(wrong, settings)
    with pytest.raises(InputError, match="f_<F>"):
        fit_hosts(hosts["id", "z"], settings)
