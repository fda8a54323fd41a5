"""Posteriors of the real model: against nested sampling, and against photometry from the reference synthesis."""

import numpy as np
import pytest
from clumpscope.filters import filter_names, get_filter
from clumpscope.sed import FitSettings, Fitter, load_library, synthesize
from clumpscope.sed.inference.mass import draw_mass
from clumpscope.sed.inference.nested import run_nested
from clumpscope.sed.inference.observation import Observation
from scipy.stats import kstest, wasserstein_distance

FILTERS = [name for name in filter_names() if get_filter(name).channel in ("sw", "lw")]
TRUTH = {
    "log_mass_formed": 7.5,
    "log_age_yr": 7.3,
    "log_z_zsun": -0.6,
    "a_v": 0.5,
    "log_u": -2.3,
    "log_tau_yr": 7.0,
}


@pytest.fixture(scope="module")
def fitters():
    return {kind: Fitter(FILTERS, 2.0, FitSettings(priors=kind)) for kind in ("paper", "log")}


# A young clump under the paper's priors has an old mode as well; a faint one is mostly prior.
@pytest.mark.parametrize(("priors", "snr"), [("paper", 12.0), ("log", 4.0)])
def test_marginals_against_nested_sampling(fitters, priors, snr):
    fitter = fitters[priors]
    flux = synthesize("bc03", FILTERS, 2.0, "exp_free", TRUTH)
    error = np.full(20, flux.mean() / snr)
    flux = flux + error * np.random.default_rng(1).standard_normal(20)
    posterior = fitter.fit(flux, error, "one")
    assert posterior.converged
    assert posterior.sampler == "importance"
    assert posterior.rhat < 1.01

    target, rng = fitter.target, np.random.default_rng(0)
    observation = Observation.prepare(flux, error, fitter.error_floor)
    nested = run_nested(
        lambda y: target.log_prob(observation, y), 5, rng, n_live=800, n_effective=5000, n_draws=10_000
    )
    x = target.priors.parameters(nested.y)
    template = target.templates(x)
    a, b, _ = observation.projections(template, template**2)
    reference = dict(zip(target.priors.names, x.T, strict=True))
    reference["log_mass_formed"] = draw_mass(a, b, target.log_mass, rng)
    for name, values in reference.items():
        assert wasserstein_distance(posterior.samples[name], values) < 0.1 * values.std(), name


def test_photometry_of_the_reference_synthesis_is_recovered(fitters):
    # Another code path than the one that is fitted: spectra integrated by brute force.
    flux = synthesize("bc03", FILTERS, 2.0, "exp_free", TRUTH)
    error = 0.02 * flux + 0.001 * flux.mean()
    posterior = Fitter(FILTERS, 2.0, FitSettings(priors="log", error_floor=0.0)).fit(flux, error, "exact")
    assert posterior.chi2 < 0.5
    for name, truth in TRUTH.items():
        low, high = np.percentile(posterior.samples[name], [0.5, 99.5])
        assert low < truth < high, name


def test_priors_come_back_when_there_is_no_information(fitters):
    # Errors a thousand times the flux: every marginal is its prior.
    for kind, fitter in fitters.items():
        posterior = fitter.fit(np.zeros(20), np.full(20, 1e6), f"nothing {kind}")
        prior = fitter.target.priors.draw(50_000, np.random.default_rng(0))
        for column, name in enumerate(fitter.target.priors.names):
            assert kstest(posterior.samples[name], prior[:, column]).statistic < 0.06, (kind, name)


def test_uniform_age_prior_pulls_a_young_clump_old(fitters):
    # The trap that the choice of priors is offered for: with broad bands only, at low S/N.
    flux = synthesize("bc03", FILTERS, 2.0, "exp_free", {**TRUTH, "log_age_yr": 6.5})
    error = np.full(20, flux.mean() / 2.0)
    broad = np.array([name.endswith("W") for name in FILTERS])
    flux = np.where(broad, flux, np.nan)
    old = {
        kind: np.median(fitter.fit(flux, error, "young").samples["log_age_yr"])
        for kind, fitter in fitters.items()
    }
    assert old["paper"] > old["log"] + 0.3


def test_fixed_tau_histories(fitters):
    library = load_library("bc03")
    flux = synthesize(
        library, FILTERS, 2.0, "exp_10Myr", {k: v for k, v in TRUTH.items() if k != "log_tau_yr"}
    )
    fitter = Fitter(FILTERS, 2.0, FitSettings(sfh="exp_10Myr", priors="log"), library)
    posterior = fitter.fit(flux, 0.05 * flux, "one")
    assert posterior.converged
    assert np.unique(posterior.samples["log_tau_yr"]).tolist() == [7.0]
    low, high = np.percentile(posterior.samples["log_age_yr"], [0.5, 99.5])
    assert low < TRUTH["log_age_yr"] < high
