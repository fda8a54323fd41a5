import numpy as np
import pytest
from clumpscope.errors import InputError
from clumpscope.flags import describe
from clumpscope.sed import PhotometryModel, fit_grid
from clumpscope.sed.inference.grid import AGES_YR, Z_ZSUN, sigma_levels
from clumpscope.sed.products.grid_table import grid_table

FILTERS = ["F090W", "F150W", "F200W", "F277W", "F356W", "F444W"]


def mock(age_yr, z_zsun, log_mass=6.5, redshift=0.39):
    """Photometry and derived quantities from the engine: another path through the library."""
    model = PhotometryModel("bc03", FILTERS, redshift, "ssp", nebular=False)
    theta = np.array([[log_mass, np.log10(age_yr), np.log10(z_zsun), 0.0, -2.0]])
    return model.fluxes(theta)[0], {name: values[0] for name, values in model.derived(theta).items()}


@pytest.mark.parametrize(("age_yr", "z_zsun"), [(1.5e9, 0.2), (5e9, 1.0), (0.5e9, 0.02), (9e9, 2.5)])
def test_recovers_its_own_populations(age_yr, z_zsun):
    flux, derived = mock(age_yr, z_zsun)
    fit = fit_grid(flux, 0.02 * flux, FILTERS, 0.39)
    assert fit.chi2.shape == (1, len(AGES_YR), len(Z_ZSUN))
    assert fit.age_yr[0] == age_yr and fit.z[0] == z_zsun
    assert fit.chi2_min[0] < 0.01
    assert fit.log_mass_formed[0] == pytest.approx(6.5, abs=1e-3)
    for name in ("log_mass", "ml_v", "m_v_ab"):
        assert getattr(fit, name)[0] == pytest.approx(derived[name], rel=2e-3)
    low, _, high = fit.z_interval[0]
    assert low <= z_zsun * 1.0001 and high >= 0.9 * z_zsun
    np.testing.assert_allclose(fit.flux_njy[0], flux, rtol=1e-3)


def test_chi2_by_hand():
    flux, _ = mock(2e9, 0.4)
    rng = np.random.default_rng(2)
    data, error = flux * rng.normal(1, 0.05, 6), 0.05 * flux
    fit = fit_grid(data, error, FILTERS, 0.39, ages_yr=[2e9], z_zsun=[0.4])
    mass = (data * flux / error**2).sum() / (flux**2 / error**2).sum()
    assert fit.chi2[0, 0, 0] == pytest.approx((((data - mass * flux) / error) ** 2).sum(), rel=1e-2)
    assert fit.log_mass_formed[0] == pytest.approx(6.5 + np.log10(mass), abs=1e-3)


def test_many_objects_at_once_as_one_by_one():
    flux, _ = mock(2e9, 0.4)
    data = flux * np.random.default_rng(4).normal(1, 0.1, (5, 6))
    together = fit_grid(data, np.tile(0.1 * flux, (5, 1)), FILTERS, 0.39)
    for n in range(5):
        alone = fit_grid(data[n], 0.1 * flux, FILTERS, 0.39)
        np.testing.assert_allclose(alone.chi2[0], together.chi2[n], rtol=1e-9)
        assert alone.log_mass[0] == pytest.approx(together.log_mass[n], rel=1e-12)


def test_unusable_bands_are_left_out():
    flux, _ = mock(1.5e9, 0.2)
    data, error = np.tile(flux, (4, 1)), np.tile(0.02 * flux, (4, 1))
    data[0, 1], error[1, 1], error[2, 1] = np.nan, 0.0, -3.0
    error[3] = np.nan
    fit = fit_grid(data, error, FILTERS, 0.39)
    assert fit.n_bands.tolist() == [5, 5, 5, 0]
    for name in ("age_interval_yr", "z_interval", "log_mass_interval", "ml_v", "chi2_min"):
        assert np.isnan(getattr(fit, name)[3]).all() and np.isfinite(getattr(fit, name)[:3]).all(), name
    assert (fit.age_yr[:3] == 1.5e9).all() and np.isnan(fit.age_yr[3]) and np.isnan(fit.log_mass[3])


def test_negative_object_has_no_mass():
    flux, _ = mock(1.5e9, 0.2)
    fit = fit_grid(-flux, 0.1 * flux, FILTERS, 0.39)
    assert np.isnan(fit.log_mass[0])
    np.testing.assert_allclose(fit.chi2, 600.0, rtol=1e-9)


def test_mass_from_one_filter():
    flux, _ = mock(1.5e9, 0.2)
    brighter = flux * np.array([1.2, 1, 1, 1, 1, 1])
    fit = fit_grid(
        brighter,
        np.array([1.0, 0.001, 0.001, 0.001, 0.001, 0.001]) * flux,
        FILTERS,
        0.39,
        mass_filter="F090W",
    )
    assert fit.log_mass_formed[0] == pytest.approx(6.5 + np.log10(1.2), abs=2e-3)


def test_error_floor():
    flux, _ = mock(1.5e9, 0.2)
    tight = fit_grid(flux, 0.01 * flux, FILTERS, 0.39)
    floored = fit_grid(flux, 0.01 * flux, FILTERS, 0.39, error_floor=np.sqrt(0.0008))
    np.testing.assert_allclose(floored.chi2 * 9.0, tight.chi2, rtol=1e-6, atol=1e-6)


def test_levels_are_the_textbook_ones():
    # Press et al., Numerical Recipes, section 15.6: 11.8 for 3 sigma and two parameters; 9 for one.
    assert sigma_levels()[0] == pytest.approx(11.83, abs=0.01)
    np.testing.assert_allclose(sigma_levels((1, 2, 3, 4), 1), [1.0, 4.0, 9.0, 16.0], rtol=1e-9)
    flux, _ = mock(1.5e9, 0.2)
    fit = fit_grid(flux, 0.05 * flux, FILTERS, 0.39)
    rise = fit.chi2[0] - fit.chi2_min[0]
    inside = fit.significance[0] < 3.0
    assert (rise[inside] < 11.83).all() and (rise[~inside] > 11.82).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"filters": FILTERS[:5]}, "shapes"),
        ({"filters": [*FILTERS[:5], "F444X"]}, "F444W"),
        ({"redshift": -1.0}, "redshift"),
        ({"mass_filter": "F115W"}, "mass_filter"),
        ({"ages_yr": [1e11]}, "ages_yr"),
        ({"z_zsun": [4.0]}, "z_zsun"),
    ],
)
def test_bad_input(changes, words):
    arguments = {
        "flux_njy": np.ones(6),
        "error_njy": np.ones(6),
        "filters": FILTERS,
        "redshift": 0.39,
        **changes,
    }
    with pytest.raises(InputError, match=words):
        fit_grid(**arguments)


def test_flags_say_how_far_the_photometry_carries():
    flux, _ = mock(1.5e9, 0.2)
    data = np.tile(flux, (5, 1))
    data[1, 2:], data[2] = np.nan, np.nan
    data[3] *= np.where(np.arange(6) % 2, 3.0, 1.0)
    data[4] *= -1.0
    table = grid_table(fit_grid(data, np.tile(0.05 * flux, (5, 1)), FILTERS, 0.39), list("abcde"))
    assert [" ".join(describe(mask)) for mask in table["flags"]] == [
        "",
        "few_bands underconstrained",
        "no_sed",
        "poor_fit",
        "no_sed",
    ]
    assert table["n_bands_snr3"].tolist() == [6, 2, 0, 6, 0]
    assert (table["chi2"][:2] >= 0).all()
