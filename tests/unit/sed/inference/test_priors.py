import numpy as np
import pytest
from clumpscope.cosmology import age_of_universe_yr
from clumpscope.errors import InputError
from clumpscope.sed.inference.priors import default_bounds, make_priors

NAMES = ("log_age_yr", "log_tau_yr", "a_v", "log_z_zsun", "log_u")


def test_oldest_age_is_the_age_of_the_universe():
    assert 10 ** default_bounds(2.0)["log_age_yr"][1] == pytest.approx(age_of_universe_yr(2.0))
    wide = make_priors(("log_age_yr",), 2.0, bounds={"log_age_yr": (6.5, 11.0)})
    assert 10 ** wide.high[0] == pytest.approx(age_of_universe_yr(2.0))
    assert wide.low[0] == 6.5


@pytest.mark.parametrize("kind", ["paper", "log"])
def test_density_is_normalised_in_the_sampling_coordinates(kind):
    # One parameter at a time: the integral over y must be one, whatever the Jacobians.
    y = np.linspace(-9, 9, 200_001)[:, None]
    for name in NAMES:
        priors = make_priors((name,), 1.0, kind)
        density = np.exp(priors.log_density(y, priors.parameters(y)))
        assert np.trapezoid(density, y[:, 0]) == pytest.approx(1.0, abs=1e-6)


def test_paper_prior_is_uniform_in_age_and_log_prior_in_its_logarithm():
    y = np.linspace(-9, 9, 400_001)[:, None]
    oldest = age_of_universe_yr(1.0)
    for kind, expected in [("paper", 0.5 * (oldest + 1e6)), ("log", np.sqrt(1e6 * oldest))]:
        priors = make_priors(("log_age_yr",), 1.0, kind)
        x = priors.parameters(y)
        cumulative = np.cumsum(np.exp(priors.log_density(y, x))) * (y[1, 0] - y[0, 0])
        assert 10 ** x[np.searchsorted(cumulative, 0.5), 0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("kind", ["paper", "log"])
def test_draws_follow_the_density(kind):
    priors = make_priors(NAMES, 1.0, kind)
    draws = priors.draw(40_000, np.random.default_rng(0))
    y = np.random.default_rng(1).standard_normal((40_000, 5))
    x = priors.parameters(y)
    weights = np.exp(priors.log_density(y, x) + 0.5 * (y**2).sum(1))
    for k in range(5):
        mean = np.average(x[:, k], weights=weights)
        assert draws[:, k].mean() == pytest.approx(mean, abs=0.05 * draws[:, k].std())


def test_coordinates_invert_parameters():
    priors = make_priors(NAMES, 3.0)
    y = np.random.default_rng(0).standard_normal((100, 5))
    np.testing.assert_allclose(priors.coordinates(priors.parameters(y)), y, atol=1e-7)
    assert np.isfinite(priors.coordinates(np.stack([priors.low, priors.high]))).all()


def test_wrong_requests_are_refused():
    with pytest.raises(InputError, match="paper or log"):
        make_priors(NAMES, 1.0, "flat")
    with pytest.raises(InputError, match=r"bounds\.av"):
        make_priors(NAMES, 1.0, bounds={"av": (0, 1)})
    with pytest.raises(InputError, match="low < high"):
        make_priors(NAMES, 1.0, bounds={"a_v": (2, 2)})
    with pytest.raises(InputError, match="'mass'"):
        make_priors(("mass",), 1.0)
