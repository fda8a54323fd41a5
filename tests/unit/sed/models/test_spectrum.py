import numpy as np
import pytest
from clumpscope.errors import InputError
from clumpscope.sed import load_library, rest_spectrum, synthesize
from clumpscope.sed.models.sfh import SFHS, get_sfh, sfr_shape
from clumpscope.sed.models.spectrum import age_weights

PARAMETERS = {
    "log_mass_formed": 6.0,
    "log_age_yr": 8.0,
    "log_z_zsun": -0.4,
    "a_v": 0.3,
    "log_u": -2.5,
    "log_tau_yr": 7.3,
}


@pytest.fixture(scope="module")
def library():
    return load_library("bc03")


@pytest.mark.parametrize("name", list(SFHS))
def test_weights_add_up(library, name):
    parameters = {**PARAMETERS, "log_alpha": 0.5, "log_beta": -0.3}
    weights = age_weights(library, get_sfh(name), parameters, 1e10)
    assert weights.sum() == pytest.approx(1.0, rel=1e-9)
    assert (weights[library.age_yr > 1.2e8] == 0.0).all()


def test_mean_age_of_an_exponential(library):
    weights = age_weights(library, SFHS["exp_free"], PARAMETERS, 1e10)
    age, tau = 1e8, 10**7.3
    assert weights @ library.age_yr == pytest.approx(age / -np.expm1(-age / tau) - tau, rel=1e-6)


def test_rates_peak_where_the_formula_says():
    # d/dt of the double power law vanishes at (t / tau)^(alpha + beta) = beta / alpha.
    parameters = {"log_tau_yr": 8.0, "log_alpha": np.log10(3.0), "log_beta": np.log10(2.0)}
    t = np.geomspace(1e6, 1e10, 200001)
    peak = t[sfr_shape(SFHS["double_power_law"], t, parameters).argmax()]
    assert peak == pytest.approx(1e8 * (2.0 / 3.0) ** 0.2, rel=1e-3)


def test_spectrum_is_that_of_the_library_for_an_ssp(library):
    i = 150  # 2.6 Gyr, no gas
    parameters = {
        **PARAMETERS,
        "log_age_yr": np.log10(library.age_yr[i]),
        "log_z_zsun": library.log_z_zsun[2],
    }
    spectrum = rest_spectrum(library, SFHS["ssp"], parameters)
    np.testing.assert_allclose(spectrum.continuum, 1e6 * library.stars[2, i], rtol=1e-6)
    assert (spectrum.lines == 0.0).all()


def test_flat_spectrum_has_its_ab_flux(library):
    # L_nu = const seen at z: f_nu = (1 + z) L_nu / (4 pi D^2), in every band alike. Through a library whose only spectrum
    # is flat in f_nu.
    from dataclasses import replace

    from clumpscope.cosmology import luminosity_distance_cm
    from clumpscope.sed import PhotometryModel

    light_speed = 2.99792458e18
    edges = library.wave_edges
    flat = (
        light_speed * (1 / edges[:-1] - 1 / edges[1:]) / np.diff(edges)
    )  # mean of c / lambda^2: one Lsun / Hz
    toy = replace(library, stars=np.broadcast_to(flat.astype(np.float32), library.stars.shape))
    z = 2.0
    parameters = {**PARAMETERS, "a_v": 0.0, "log_mass_formed": 0.0, "log_age_yr": 9.0}
    expected = (1 + z) * library.lsun_erg_s / (4 * np.pi * luminosity_distance_cm(z) ** 2) * 1e32
    filters = ["F115W", "F200W", "F335M", "F814W"]
    np.testing.assert_allclose(
        synthesize(toy, filters, z, "ssp", parameters, nebular=False), expected, rtol=2e-4
    )
    model = PhotometryModel(toy, filters, z, "ssp", nebular=False)
    theta = np.array([[parameters[name] for name in model.parameters]])
    np.testing.assert_allclose(model.fluxes(theta)[0], expected, rtol=2e-4)


def test_bad_input(library):
    with pytest.raises(InputError, match="log_tau_yr"):
        synthesize(
            library, ["F200W"], 1.0, "exp_free", {k: v for k, v in PARAMETERS.items() if k != "log_tau_yr"}
        )
    with pytest.raises(InputError, match="redshift"):
        synthesize(library, ["F200W"], 0.0, "exp_free", PARAMETERS)
    with pytest.raises(InputError, match="F200W"):
        synthesize(library, ["F200X"], 1.0, "exp_free", PARAMETERS)
