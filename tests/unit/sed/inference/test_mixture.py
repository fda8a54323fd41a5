"""Posteriors over an uncertain redshift: a model whose mass is known at each."""

from functools import partial

import numpy as np
import pytest
from clumpscope.flags import describe
from clumpscope.sed.inference import fit
from clumpscope.sed.inference.fit import Fitter
from clumpscope.sed.inference.mixture import RedshiftMixture
from clumpscope.sed.inference.settings import FitSettings
from clumpscope.sed.products.store import fit_or_reuse, read_posterior
from unit.sed.toy_model import FILTERS, ToyModel

REDSHIFTS = [1.6, 1.9, 2.0, 2.2, 2.6]


class Distant(ToyModel):
    """The toy model, fainter by the square of the redshift."""

    def __init__(self, redshift):
        self.redshift = redshift

    def fluxes(self, theta):
        return super().fluxes(theta) * (self.redshift / 2.0) ** -2


def mixture(redshifts=REDSHIFTS, **settings):
    settings = FitSettings(**{"priors": "log", "sweep_log2": 12, "nested": False, **settings})
    return RedshiftMixture([Fitter(FILTERS, z, settings, model=Distant(z)) for z in redshifts], 2.0)


def photometry(seed=0):
    flux = ToyModel().fluxes(np.array([[8.0, 7.6, 0.8]]))[0]
    return flux * (1.0 + 0.05 * np.random.default_rng(seed).standard_normal(len(FILTERS))), 0.05 * flux


def test_mass_follows_the_redshift_of_each_draw():
    posterior = mixture().fit(*photometry(), "one")
    fixed = mixture([2.0]).fitters[0].fit(*photometry(), "one")
    samples = posterior.samples
    values, counts = np.unique(samples["z"], return_counts=True)
    np.testing.assert_allclose(values, REDSHIFTS, rtol=1e-6)
    assert (counts == 400).all() and len(samples["log_mass"]) == 2000
    shift = 2.0 * np.log10(np.array(REDSHIFTS) / 2.0)
    spread = float(fixed.samples["log_mass"].std())
    for z, step in zip(values, shift, strict=True):
        own = samples["log_mass"][samples["z"] == z]
        # Medians of 400 draws: 0.06 sigma, and as much again for the sampler's 2000.
        assert np.median(own) == pytest.approx(np.median(fixed.samples["log_mass"]) + step, abs=0.3 * spread)
    assert samples["log_mass"].var() == pytest.approx(spread**2 + shift.var(), rel=0.15)
    # What the model does not tie to the redshift stays.
    assert samples["a_v"].std() == pytest.approx(fixed.samples["a_v"].std(), rel=0.1)


def test_best_fit_is_that_of_the_redshift_itself(tmp_path):
    fit, data = mixture(), photometry()
    posterior = fit.fit(*data, "one")
    assert posterior.redshift == 2.0 and posterior.best["z"] == 2.0
    assert posterior.chi2 == fit.fitters[2].fit(*data, "one").chi2
    assert posterior.converged and posterior.flags == 0
    log = []
    flux, error = (values[None] for values in data)
    for redshifts in (REDSHIFTS, REDSHIFTS, [1.5, 2.0, 2.5]):
        fit_or_reuse(mixture(redshifts), flux, error, ["one"], tmp_path / "z.nc", log.append)
        if redshifts is REDSHIFTS:
            stored = read_posterior(tmp_path / "z.nc", "one")
            np.testing.assert_array_equal(stored.samples["z"], posterior.samples["z"])
            np.testing.assert_array_equal(stored.samples["log_mass"], posterior.samples["log_mass"])
    assert [line.split()[1] for line in log] == ["fitted", "kept", "fitted"]


def test_nothing_to_fit_and_what_does_not_settle_is_flagged(monkeypatch):
    monkeypatch.setattr(fit, "explore", partial(fit.explore, max_rounds=4))
    monkeypatch.setattr(fit, "run_ensembles", partial(fit.run_ensembles, max_steps=(36,)))
    flux, error = photometry()
    empty = mixture([1.8, 2.0, 2.2]).fit(np.full(8, np.nan), error, "nothing")
    assert describe(empty.flags) == ["no_sed"] and np.isnan(empty.samples["log_mass"]).all()
    hasty = mixture([1.8, 2.2], n_effective=1e9).fit(flux, error, "one")
    assert not hasty.converged and describe(hasty.flags) == ["not_converged"]
