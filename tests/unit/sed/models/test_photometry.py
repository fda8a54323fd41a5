import numpy as np
import pytest
from clumpscope.cosmology import luminosity_distance_cm
from clumpscope.errors import InputError
from clumpscope.sed import PhotometryModel, load_library, rest_spectrum
from clumpscope.sed.models.photometry import LOG_SFR_FLOOR
from clumpscope.sed.models.sfh import SFHS, get_sfh

FILTERS = ["F115W", "F200W", "F444W"]
#                 mass  age  Z     A_V  log U tau
YOUNG = np.array([6.0, 6.8, -0.4, 0.5, -2.3, 7.0])


@pytest.fixture(scope="module")
def library():
    return load_library("bc03")


@pytest.fixture(scope="module")
def model(library):
    return PhotometryModel(library, FILTERS, 1.4, "exp_free")


def test_shape_and_names(model):
    assert model.parameters == ("log_mass_formed", "log_age_yr", "log_z_zsun", "a_v", "log_u", "log_tau_yr")
    assert model.fluxes(np.tile(YOUNG, (5, 1))).shape == (5, 3)
    assert model.fluxes(np.empty((0, 6))).shape == (0, 3)


def test_same_numbers_alone_and_together(model):
    rng = np.random.default_rng(0)
    theta = YOUNG + rng.uniform(-0.2, 0.2, (40, 6))
    together = model.fluxes(theta)
    alone = np.array([model.fluxes(row[None])[0] for row in theta])
    np.testing.assert_array_equal(together, alone)


def test_many_scattered_models_keep_their_places(model):
    # So many are worked through in the order of the tables.
    low, high = [6.0, 6.0, -2.0, 0.0, -4.0, 6.0], [7.0, 9.6, 0.4, 4.0, -1.0, 10.0]
    theta = np.random.default_rng(1).uniform(low, high, (5000, 6))
    few = np.concatenate([model.fluxes(theta[i : i + 1000]) for i in range(0, 5000, 1000)])
    np.testing.assert_array_equal(model.fluxes(theta), few)


def test_nan_in_nan_out(model):
    theta = np.tile(YOUNG, (7, 1))
    theta[np.arange(6), np.arange(6)] = np.nan
    assert np.isnan(model.fluxes(theta)).all(axis=1).tolist() == [True] * 6 + [False]


def test_proportional_to_mass(model):
    theta = np.tile(YOUNG, (2, 1))
    theta[1, 0] += 1.7
    fluxes = model.fluxes(theta)
    np.testing.assert_allclose(fluxes[1] / fluxes[0], 10**1.7, rtol=1e-12)


def test_every_history_gives_the_same_light_when_it_is_a_burst(library):
    # 1 Gyr old, formed within 1 Myr of the onset: all histories agree with an SSP.
    common = [6.0, 9.0, -0.4, 0.3, -2.0]
    burst = PhotometryModel(library, FILTERS, 1.4, "ssp").fluxes(np.array([common]))
    for name, extra in (("exp_1Myr", []), ("exp_free", [6.0]), ("double_power_law", [6.0, 2.0, 2.0])):
        fluxes = PhotometryModel(library, FILTERS, 1.4, name).fluxes(np.array([common + extra]))
        np.testing.assert_allclose(fluxes, burst, rtol=0.003)


def test_long_exponential_is_constant(library):
    common = [6.0, 8.0, -0.4, 0.3, -2.0]
    constant = PhotometryModel(library, FILTERS, 1.4, "const").fluxes(np.array([common]))
    exponential = PhotometryModel(library, FILTERS, 1.4, "exp_free").fluxes(np.array([[*common, 13.0]]))
    np.testing.assert_allclose(exponential, constant, rtol=1e-4)


def test_dust_dims_more_in_the_blue(model):
    theta = np.tile(YOUNG, (9, 1))
    theta[:, 3] = np.linspace(0.0, 4.0, 9)
    fluxes = model.fluxes(theta)
    assert (np.diff(fluxes, axis=0) < 0).all()
    assert (np.diff(fluxes[-1] / fluxes[0]) > 0).all()


def test_ages_beyond_the_universe_are_its_age(library):
    model = PhotometryModel(library, FILTERS, 6.0, "ssp")
    oldest = np.log10(model.age_max_yr)
    fluxes = model.fluxes(np.array([[6.0, age, 0.0, 0.0, -2.0] for age in (oldest, oldest + 0.5)]))
    np.testing.assert_allclose(fluxes[0], fluxes[1], rtol=1e-10)


def test_absolute_magnitudes_against_sedpy(library):
    # The library's spectrum at 10 pc through sedpy's own synthetic photometry.
    from sedpy.observate import Filter

    model = PhotometryModel(library, FILTERS, 1.4, "exp_free", nebular=False)
    theta = np.array([[6.0, 9.3, -0.5, 0.0, -2.0, 6.0], [5.0, 8.0, 0.2, 0.0, -2.0, 9.0]])
    derived = model.derived(theta)
    for n, row in enumerate(theta):
        parameters = dict(zip(model.parameters, row, strict=True))
        spectrum = rest_spectrum(library, get_sfh("exp_free"), parameters, nebular=False)
        wave = np.geomspace(2000.0, 20000.0, 40000)
        pixel = np.searchsorted(spectrum.wave_edges, wave, side="right") - 1
        flux = spectrum.continuum[pixel] * library.lsun_erg_s / (4 * np.pi * (10 * 3.0857e18) ** 2)
        for letter in "vbi":
            expected = Filter(f"bessell_{letter.upper()}").ab_mag(wave, flux)
            assert derived[f"m_{letter}_ab"][n] == pytest.approx(expected, abs=0.002)


def test_sun_and_vega(library, model):
    derived = model.derived(YOUNG[None])
    # M/L of one for a mass that shines like the same number of suns: M_V = 4.81 (Willmer 2018, AB and Vega agree to 0.02).
    luminosity = 10.0 ** (-0.4 * (derived["m_v_ab"] - 4.81))
    np.testing.assert_allclose(derived["ml_v"], 10.0 ** derived["log_mass"] / luminosity, rtol=0.01)
    # B, V and I zero points of Vega in AB: -0.10, 0.01, 0.43 (Willmer 2018, to 0.02).
    for letter, offset in (("b", -0.10), ("v", 0.01), ("i", 0.43)):
        assert derived[f"m_{letter}_ab"] - derived[f"m_{letter}_vega"] == pytest.approx(offset, abs=0.025)


def test_ages_masses_and_rates(model):
    theta = np.array([[6.0, 7.5, 0.0, 0.0, -2.0, 10.0], [7.0, 9.5, 0.0, 0.0, -2.0, 6.0]])
    derived = model.derived(theta)
    assert derived["log_age_mw_yr"][0] == pytest.approx(7.5 - np.log10(2.0), abs=1e-3)
    assert derived["log_age_mw_yr"][1] == pytest.approx(9.5, abs=1e-3)
    # Nearly constant for 32 Myr: the rate is mass / age, over 100 Myr mass / 100 Myr.
    assert derived["log_sfr10"][0] == pytest.approx(6.0 - 7.5, abs=2e-3)
    assert derived["log_sfr100"][0] == pytest.approx(6.0 - 8.0, abs=1e-9)
    assert derived["log_sfr10"][1] == LOG_SFR_FLOOR
    assert 6.95 < derived["log_mass"][0] + 1.0 < 7.0 and 6.75 < derived["log_mass"][1] < 6.85


def test_hydrogen_line_and_ultraviolet_calibrations(library):
    # Constant rate for 100 Myr at solar metallicity, Kroupa IMF (Murphy et al. 2011; Kennicutt & Evans 2012, Table 1):
    # log SFR = log L(H alpha) - 41.27 and log SFR = log nu L_nu(FUV) - 43.35, from Starburst99; other tracks and
    # atmospheres differ by 0.1 to 0.2 dex in ionising photons.
    parameters = {"log_mass_formed": 8.0, "log_age_yr": 8.0, "log_z_zsun": 0.0, "log_u": -3.0}
    spectrum = rest_spectrum(library, SFHS["const"], parameters)
    h_alpha = spectrum.lines[np.argmin(np.abs(spectrum.line_wave - 6562.8))] * library.lsun_erg_s
    assert np.log10(h_alpha) - 41.27 == pytest.approx(0.0, abs=0.2)
    ultraviolet = np.interp(1550.0, library.wave, spectrum.continuum) * 1550.0 * library.lsun_erg_s
    assert np.log10(ultraviolet) - 43.35 == pytest.approx(0.0, abs=0.15)


def test_distance(library):
    # Nearly grey: a z = 0.010 and a z = 0.011 observer see the same light diluted by the distance squared over (1 + z).
    theta = np.array([[6.0, 9.5, 0.0, 0.0, -2.0]])
    near, far = (PhotometryModel(library, ["F200W"], z, "ssp").fluxes(theta)[0, 0] for z in (0.010, 0.011))
    expected = (luminosity_distance_cm(0.011) / luminosity_distance_cm(0.010)) ** 2 * 1.010 / 1.011
    assert near / far == pytest.approx(expected, rel=0.003)


def test_intergalactic_absorption(library):
    blue = PhotometryModel(library, ["F070W", "F150W"], 7.0, "exp_free").fluxes(YOUNG[None])[0]
    assert blue[0] < 1e-3 * blue[1]


def test_without_gas_no_lines(library):
    theta = np.array([[6.0, 6.3, -0.7, 0.0, -2.0]])
    filters = ["F300M", "F277W"]  # [OIII] and H beta at z = 5 fall into F300M
    with_gas, without = (
        PhotometryModel(library, filters, 5.0, "ssp", nebular=on).fluxes(theta)[0] for on in (True, False)
    )
    assert with_gas[0] > 3.0 * without[0]


def test_bad_input(library, model):
    with pytest.raises(InputError, match="F115W"):
        PhotometryModel(library, ["F115X"], 1.0, "ssp")
    with pytest.raises(InputError, match="exp_free"):
        PhotometryModel(library, FILTERS, 1.0, "exp_fre")
    for redshift in (0.0, -1.0, np.nan):
        with pytest.raises(InputError, match="redshift"):
            PhotometryModel(library, FILTERS, redshift, "ssp")
    with pytest.raises(InputError, match="log_tau_yr"):
        model.fluxes(np.zeros((3, 5)))


@pytest.mark.parametrize(("name", "visible"), [("F070W", False), ("F162M", True), ("F444W", True)])
def test_bands_beyond_the_lyman_limit_are_dark(library, name, visible):
    theta = np.array([[8.0, 7.0, -0.5, 0.1, -2.0, 8.0]])
    flux = PhotometryModel(library, [name], 13.0, "exp_free").fluxes(theta)[0, 0]
    assert (flux > 0.0) == visible
