"""Fits of a model with a closed form, against brute force on a grid; and what bad photometry does."""

import inspect
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from astropy import units
from astropy.table import Column
from clumpscope.config import field_settings
from clumpscope.errors import InputError
from clumpscope.flags import describe
from clumpscope.sed.inference.fit import Fitter, fit_many, fit_posterior
from clumpscope.sed.inference.observation import Observation, error_floors, per_filter
from clumpscope.sed.inference.settings import FitSettings
from scipy.optimize import minimize
from scipy.stats import wasserstein_distance
from unit.sed.toy_model import FILTERS, ToyModel

TRUTH = np.array([8.0, 7.6, 0.8])


def fitter(**settings):
    return Fitter(
        FILTERS,
        2.0,
        FitSettings(**{"sweep_log2": 13, "bounds": {"log_mass_formed": (5.0, 11.0)}, **settings}),
        model=ToyModel(),
    )


def photometry(snr, seed=0):
    flux = ToyModel().fluxes(TRUTH[None])[0]
    error = flux / snr
    return flux + error * np.random.default_rng(seed).standard_normal(len(flux)), error


def grid_marginals(fit, flux, error):
    """Brute force: every parameter, mass included, on a fine grid over the whole prior."""
    low, high = fit.target.priors.low, fit.target.priors.high
    age, a_v = np.linspace(low[0], high[0], 201), np.linspace(low[1], high[1], 201)
    log_mass = np.linspace(5.0, 11.0, 901)
    sigma = np.hypot(error, 0.05 * np.abs(flux))
    template = ToyModel().fluxes(
        np.stack([np.zeros(201 * 201), np.repeat(age, 201), np.tile(a_v, 201)], axis=1)
    )
    a, b = ((template / sigma) ** 2).sum(1), (template * flux / sigma**2).sum(1)
    log_prob = b[:, None] * 10.0**log_mass - 0.5 * a[:, None] * 10.0 ** (2 * log_mass)
    if fit.settings.priors == "paper":
        log_prob += np.log(10.0) * np.repeat(age, 201)[:, None]
    prob = np.exp(log_prob - log_prob.max()).reshape(201, 201, -1)
    return {
        "log_age_yr": (age, prob.sum((1, 2))),
        "a_v": (a_v, prob.sum((0, 2))),
        "log_mass_formed": (log_mass, prob.sum((0, 1))),
    }


@pytest.mark.parametrize("priors", ["paper", "log"])
@pytest.mark.parametrize("snr", [2.0, 8.0, 100.0])
def test_marginals_against_brute_force(priors, snr):
    fit = fitter(priors=priors)
    flux, error = photometry(snr)
    posterior = fit.fit(flux, error, "one")
    assert posterior.converged
    for name, (grid, prob) in grid_marginals(fit, flux, error).items():
        sigma = np.sqrt(np.cov(grid, aweights=prob))
        distance = wasserstein_distance(posterior.samples[name], grid, v_weights=prob)
        assert distance < 0.1 * sigma, name


def test_all_bands_undetected():
    # Fluxes scatter around zero: the mass has an upper limit and the rest follows the prior.
    fit = fitter(priors="log")
    error = np.full(8, 5.0)
    flux = error * np.random.default_rng(0).standard_normal(8)
    assert (flux < 0).any()
    posterior = fit.fit(flux, error, "faint")
    for name, (grid, prob) in grid_marginals(fit, flux, error).items():
        if name != "log_mass_formed":
            sigma = np.sqrt(np.cov(grid, aweights=prob))
            assert wasserstein_distance(posterior.samples[name], grid, v_weights=prob) < 0.1 * sigma
    assert "few_bands" in describe(posterior.flags)


def test_truth_is_recovered_within_its_errors():
    fit = fitter(priors="log", error_floor=0.0)
    pulls = []
    for seed in range(20):
        posterior = fit.fit(*photometry(30.0, seed), f"object {seed}")
        for name, truth in zip(ToyModel.parameters, TRUTH, strict=True):
            samples = posterior.samples[name]
            pulls.append((np.median(samples) - truth) / samples.std())
    # 60 pulls, a third of them independent objects' masses correlated with the rest: generous limits.
    assert abs(np.mean(pulls)) < 0.5
    assert 0.7 < np.std(pulls) < 1.4


def test_best_fit_is_the_least_squares_optimum():
    flux, error = photometry(20.0)
    posterior = fitter(error_floor=0.02).fit(flux, error, "one")
    sigma = np.hypot(error, 0.02 * flux)

    def chi2(theta):
        return (((ToyModel().fluxes(theta[None])[0] - flux) / sigma) ** 2).sum()

    least = minimize(chi2, TRUTH, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9}).fun
    assert posterior.chi2 == pytest.approx(least, abs=0.01)
    np.testing.assert_allclose((((posterior.model_njy - flux) / sigma) ** 2).sum(), posterior.chi2, rtol=1e-6)
    theta = np.array([posterior.best[name] for name in ToyModel.parameters])
    np.testing.assert_allclose(ToyModel().fluxes(theta[None])[0], posterior.model_njy, rtol=1e-6)


def test_quantities_of_each_draw_belong_together():
    samples = fitter().fit(*photometry(10.0), "one").samples
    np.testing.assert_allclose(samples["log_mass"], samples["log_mass_formed"] - 0.1, rtol=1e-5)
    np.testing.assert_allclose(samples["log_age_mw_yr"], samples["log_age_yr"] - 0.3, rtol=1e-5)
    assert {len(values) for values in samples.values()} == {2000}


def test_fixed_parameter_is_held():
    flux, error = photometry(10.0)
    posterior = fitter(fixed={"a_v": 0.0}).fit(flux, error, "one")
    assert (posterior.samples["a_v"] == 0.0).all()
    assert posterior.samples["log_age_yr"].std() > 0


def test_same_seed_same_draws_whatever_the_neighbours():
    flux, error = photometry(10.0)
    other = photometry(5.0, 3)
    first = fitter().fit(flux, error, "a")
    fit = fitter()
    fit.fit(*other, "b")
    again = fit.fit(flux, error, "a")
    for name, values in first.samples.items():
        assert np.array_equal(values, again.samples[name])
    assert not np.array_equal(first.samples["a_v"], fit.fit(flux, error, "c").samples["a_v"])
    assert not np.array_equal(first.samples["a_v"], fitter(seed=1).fit(flux, error, "a").samples["a_v"])


def test_missing_bands_are_left_out():
    flux, error = photometry(20.0)
    gone = flux.copy()
    gone[[1, 4]] = np.nan
    posterior = fitter().fit(gone, error, "one")
    assert posterior.n_bands == 6
    assert np.isnan(posterior.error_njy[[1, 4]]).all()
    # The same as never having had them: compare with an enormous error.
    loose = error.copy()
    loose[[1, 4]] *= 1e9
    wide = fitter().fit(flux, loose, "one")
    sigma = wide.samples["log_age_yr"].std()
    assert wasserstein_distance(posterior.samples["log_age_yr"], wide.samples["log_age_yr"]) < 0.1 * sigma


def test_flags():
    fit = fitter()
    flux, error = photometry(20.0)
    assert fit.fit(flux, error, "good").flags == 0

    nothing = fit.fit(np.full(8, np.nan), error, "nothing")
    assert describe(nothing.flags) == ["no_sed"]
    assert not nothing.converged
    assert all(np.isnan(values).all() for values in nothing.samples.values())
    assert set(nothing.samples) == set(fit.fit(flux, error, "good").samples)

    two = flux.copy()
    two[2:] = np.nan
    poor = fit.fit(two, error, "two bands")
    assert set(describe(poor.flags)) == {"underconstrained", "few_bands"}
    assert poor.converged
    # Two bands for three parameters, and still no model fits: a flux far below zero.
    two[0] *= -1.0
    assert set(describe(fit.fit(two, error, "negative").flags)) == {
        "underconstrained",
        "few_bands",
        "poor_fit",
    }

    wild = flux * np.where(np.arange(8) % 2, 3.0, 1.0)
    assert describe(fit.fit(wild, error, "wild").flags) == ["poor_fit"]

    medium = Fitter(("F140M",) * 8, 2.0, FitSettings(sweep_log2=12), model=ToyModel())
    assert "few_bands" in describe(medium.fit(flux, error, "medium bands only").flags)


def test_what_does_not_converge_is_flagged(monkeypatch):
    from clumpscope.sed.inference import fit as module

    explore, run = module.explore, module.run_ensembles
    nested = partial(module.run_nested, n_live=300, n_effective=500)
    monkeypatch.setattr(module, "run_nested", nested)
    monkeypatch.setattr(module, "explore", lambda *args: replace(explore(*args), settled=False))
    flux, error = photometry(10.0)
    assert fitter().fit(flux, error, "one").sampler == "emcee"
    again = []

    def unsettled(*args):
        again[:] = args
        return replace(run(*args), converged=False)

    monkeypatch.setattr(module, "run_ensembles", unsettled)
    rescued = fitter().fit(flux, error, "one")
    assert rescued.sampler == "nautilus"
    assert rescued.converged
    monkeypatch.setattr(module, "run_nested", lambda *args: replace(run(*again), converged=False))
    assert describe(fitter().fit(flux, error, "one").flags) == ["not_converged"]


def test_limits():
    flux, error = np.array([-2.0, 0.5, 30.0]), np.array([1.0, 1.0, 1.0])
    limit = np.full(3, 4.0)
    kept = Observation.prepare(flux, error, np.full(3, 0.1))
    np.testing.assert_allclose(kept.data_njy, flux)
    np.testing.assert_allclose(kept.sigma_njy, np.sqrt(1 + (0.1 * flux) ** 2))
    paper = Observation.prepare(flux, error, np.full(3, 0.1), limit)
    np.testing.assert_allclose(paper.data_njy, [4.0, 4.0, 30.0])
    np.testing.assert_allclose(paper.sigma_njy, [4.0, 4.0, np.sqrt(10.0)])
    np.testing.assert_allclose(paper.flux_njy, flux)
    # 29 mag is 9.12 nJy.
    np.testing.assert_allclose(fitter(limits="paper", mag_limit_ab=29.0).limit_njy, 9.1201, rtol=1e-4)
    with pytest.raises(InputError, match="mag_limit_ab"):
        fitter(limits="paper")
    with pytest.raises(InputError, match="flux or paper"):
        fitter(limits="upper")


def test_value_per_filter():
    np.testing.assert_allclose(per_filter(0.1, FILTERS, "key"), np.full(8, 0.1))
    by_name = {name: k for k, name in enumerate(FILTERS)}
    np.testing.assert_allclose(per_filter(by_name, FILTERS, "key"), np.arange(8))
    with pytest.raises(InputError, match="no value for F444W"):
        per_filter({name: 0.1 for name in FILTERS[:-1]}, FILTERS, "key")
    with pytest.raises(InputError, match="Did you mean F444W"):
        per_filter({"F444": 0.1}, FILTERS, "sed.error_floor")
    with pytest.raises(InputError, match="3 numbers"):
        per_filter([0.1] * 3, FILTERS, "key")


def test_error_floors():
    np.testing.assert_allclose(error_floors({"F070W": 0.2}, FILTERS), [0.2] + [0.05] * 7)
    for wrong in (-0.1, np.nan, {"F070W": -0.1}):
        with pytest.raises(InputError, match=r"sed\.error_floor.*zero or larger"):
            error_floors(wrong, FILTERS)


def test_masked_bands_and_units():
    flux, error = photometry(20.0)
    empty = np.where(np.arange(8) == 1, np.nan, flux)
    settings = {"sweep_log2": 10, "draws": 100, "nested": False}
    fits = [
        fit_posterior(values, errors, FILTERS, 2.0, sfh="exp_10Myr", **settings)
        for values, errors in (
            (empty, error),
            (np.ma.masked_array(flux, mask=np.arange(8) == 1), error),
            (Column(empty / 1000, unit="uJy"), error / 1000 * units.uJy),
        )
    ]
    for other in fits[1:]:
        assert other.n_bands == 7
        np.testing.assert_allclose(other.flux_njy, fits[0].flux_njy)
        np.testing.assert_allclose(other.percentile("a_v"), fits[0].percentile("a_v"), atol=0.05)
    with pytest.raises(InputError, match=r"flux_njy: found the unit 'mag'"):
        fit_posterior(flux * units.mag, error, FILTERS, 2.0)


def test_bad_requests_are_refused():
    flux, error = photometry(10.0)
    wrong = error.copy()
    wrong[3] = 0.0
    with pytest.raises(InputError, match=r"F150W.*positive error"):
        fit_posterior(flux, wrong, FILTERS, 2.0)
    with pytest.raises(InputError, match=r"shapes \(7,\) and \(8,\)"):
        fit_posterior(flux[:7], error, FILTERS, 2.0)
    with pytest.raises(InputError, match="objects x filters"):
        fit_many(flux[None], error[None], FILTERS, 2.0, ["a", "b"])
    with pytest.raises(InputError, match="Did you mean F150W"):
        fit_posterior(flux, error, ("F150", *FILTERS[1:]), 2.0)
    for redshift in (-1.0, np.nan, "2.0", np.array([1.0, 2.0])):
        with pytest.raises(InputError, match=r"redshift: .* one positive number"):
            fit_posterior(flux, error, FILTERS, redshift)
    with pytest.raises(InputError, match=r"sed\.bounds\.log_mass_formed"):
        fitter(bounds={"log_mass_formed": (9.0, 8.0)})
    with pytest.raises(InputError, match="paper or log"):
        fitter(priors="uniform")
    with pytest.raises(InputError, match=r"sed\.fixed: found every parameter"):
        fitter(fixed={"log_age_yr": 7.0, "a_v": 0.5})
    with pytest.raises(InputError, match=r"sed\.fixed\.av: found a parameter that cannot be held"):
        fitter(fixed={"av": 0.5})
    with pytest.raises(InputError, match=r"sed\.fixed\.log_mass_formed"):
        fitter(fixed={"log_mass_formed": 7.0})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bounds": {"log_z_zsun": (-5.0, -4.0)}}, r"sed\.bounds\.log_z_zsun: found \[-5, -4\] at z = 1"),
        ({"bounds": {"a_v": (0.0, 10.0)}}, r"sed\.bounds\.a_v.*from 0 to 5"),
        ({"bounds": {"log_age_yr": (9.9, 10.0)}}, "less than the age of the Universe"),
        ({"fixed": {"log_u": 5.0}}, r"sed\.fixed\.log_u: found 5"),
        ({"fixed": {"log_age_yr": 10.0}}, r"sed\.fixed\.log_age_yr"),
    ],
)
def test_no_model_reaches_there(settings, message):
    """The engine takes the nearest model; a posterior must not report what was never modelled."""
    with pytest.raises(InputError, match=message):
        Fitter(["F150W", "F200W"], 1.0, FitSettings(**settings))
    Fitter(
        ["F150W"],
        1.0,
        FitSettings(bounds={"log_z_zsun": (-2.2, 0.47), "a_v": (0.0, 5.0), "log_age_yr": (7, 11)}),
    )


def test_redshift_beyond_the_filters_is_flagged():
    flux = np.array([5.0, 7.0])
    posterior = fit_posterior(flux, 0.1 * flux, ["F070W", "F090W"], 14.0, sweep_log2=10)
    assert "no_sed" in describe(posterior.flags)
    assert np.isnan(posterior.samples["log_mass"]).all()


def test_masked_dust_emission_leaves_the_infrared_out():
    flux, error, filters = np.full(6, 50.0), np.full(6, 5.0), [*FILTERS[:4], "F356W", "F444W"]
    settings = {"sweep_log2": 10, "n_effective": 500, "nested": False}
    masked = fit_posterior(flux, error, filters, 0.39, dust_emission="mask", **settings)
    whole = fit_posterior(flux, error, filters, 0.39, dust_emission="none", **settings)
    left_out = np.isnan(masked.data_njy)
    assert [name for name, out in zip(filters, left_out, strict=True) if out] == ["F356W", "F444W"]
    assert (masked.n_bands, whole.n_bands) == (4, 6)


def test_gas_and_dust_reach_the_model():
    young = np.array([[8.0, 6.5, -0.3, 1.0, -2.0]])
    fluxes = {
        (nebular, dust): Fitter(
            ["F444W"], 0.39, FitSettings(sfh="const", nebular=nebular, dust_emission=dust)
        ).target.model.fluxes(young)[0, 0]
        for nebular in (True, False)
        for dust in ("emission", "mask")
    }
    assert fluxes[True, "emission"] > fluxes[True, "mask"] > fluxes[False, "mask"]
    with pytest.raises(InputError, match=r"dust_emission.*'hot'"):
        Fitter(["F444W"], 0.39, FitSettings(dust_emission="hot"))


def test_the_library_has_the_configurations_defaults():
    """One truth: a notebook's fit without settings is the workflow's."""
    chosen, own = field_settings({"fields": {"a": {}}}, "a"), FitSettings()
    shared = {name: chosen["sed"][name] for name in chosen["sed"] if hasattr(own, name) and name != "sfh"}
    assert {"priors", "error_floor", "limits", "nebular", "dust_emission"} <= set(shared)
    assert {name: getattr(own, name) for name in shared} == shared
    signature = inspect.signature(fit_posterior).parameters
    assert signature["priors"].default == chosen["sed"]["priors"]
    assert signature["library"].default == chosen["sed"]["library"]
