"""Errors that a clump's filters have in common: the likelihood against scipy's, fits against brute force and truth."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.sed.inference.fit import Fitter, fit_posterior
from clumpscope.sed.inference.observation import Observation
from clumpscope.sed.inference.settings import FitSettings
from clumpscope.sed.products.columns_photometry import table_common
from clumpscope.sed.products.store import fit_or_reuse
from clumpscope.tables import read_table, write_table
from scipy.stats import chisquare, multivariate_normal, wasserstein_distance
from unit.sed.toy_model import FILTERS, ToyModel

TRUTH = np.array([8.0, 7.6, 0.8])
N_BANDS = len(FILTERS)


def fitter(**settings):
    settings = {"sweep_log2": 13, "priors": "log", "error_floor": 0.0, **settings}
    settings.setdefault("bounds", {"log_mass_formed": (5.0, 11.0)})
    return Fitter(FILTERS, 2.0, FitSettings(**settings), model=ToyModel())


def correlated(rng, truth=TRUTH, own=0.03, grey=0.2, tilt=0.05):
    """Fluxes with errors of their own, in common, and growing with wavelength; errors; loadings."""
    model = ToyModel().fluxes(truth[None])[0]
    common = model[:, None] * np.stack([np.full(N_BANDS, grey), np.linspace(-tilt, tilt, N_BANDS)], axis=1)
    error = np.sqrt((own * model) ** 2 + (common**2).sum(axis=1))
    flux = model * (1.0 + own * rng.standard_normal(N_BANDS)) + common @ rng.standard_normal(2)
    return flux, error, common


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_common", [1, 3, 5])
def test_chi2_is_that_of_a_multivariate_normal(seed, n_common):
    rng = np.random.default_rng(seed)
    flux, common = 10.0 * rng.standard_normal(9), rng.standard_normal((9, n_common))
    error = np.sqrt((common**2).sum(axis=1) + rng.uniform(0.1, 3.0, 9) ** 2)
    floor, limit = rng.uniform(0.0, 0.2, 9), np.full(9, -5.0)
    flux[rng.integers(9)] = np.nan
    common[4] = np.nan  # not known: an error of its own
    models, mass = rng.uniform(0.5, 2.0, (50, 9)), rng.uniform(0.1, 20.0, 50)
    a, b, c = Observation.prepare(flux, error, floor, limit, common).projections(models, models**2)

    used, faint = np.isfinite(flux), flux < -5.0
    loadings = np.where(faint[:, None], 0.0, np.nan_to_num(common))
    sigma = np.where(faint, -5.0, np.hypot(error, floor * flux))
    covariance = loadings @ loadings.T
    covariance[np.diag_indices(9)] = sigma**2
    normal = multivariate_normal(np.zeros(used.sum()), covariance[np.ix_(used, used)])
    residual = np.where(faint, -5.0, flux) - mass[:, None] * models
    expected = -2.0 * (normal.logpdf(residual[:, used]) - normal.logpdf(np.zeros(used.sum())))
    np.testing.assert_allclose(c - 2.0 * b * mass + a * mass**2, expected, rtol=1e-9)


def test_common_part_as_large_as_the_whole():
    # A band's own variance is then taken as 1e-4 of the whole: finite, and still a covariance.
    error = np.array([1.0, 2.0, 3.0])
    observation = Observation.prepare(np.ones(3), error, np.zeros(3), None, error[:, None])
    models = np.random.default_rng(0).uniform(0.5, 2.0, (100, 3))
    a, b, c = observation.projections(models, models**2)
    assert (a > 0).all()
    assert (c - b**2 / a > 0).all()


def brute_force(fit, flux, own, factors):
    """Marginals on a fine grid of every parameter, summed over both common errors as factors of the model's fluxes."""
    low, high = fit.target.priors.low, fit.target.priors.high
    age, a_v = np.linspace(low[0], high[0], 101), np.linspace(low[1], high[1], 101)
    log_mass = np.linspace(7, 9, 201)
    theta = np.stack(np.meshgrid([0.0], age, a_v, indexing="ij"), axis=-1).reshape(-1, 3)
    grey, tilt = factors.T
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    prob = 0.0
    for node, weight in zip(nodes, weights, strict=True):
        model = ToyModel().fluxes(theta) * np.exp(node * tilt) / own
        a, b, mass = (model**2).sum(axis=1), model @ (flux / own), 10.0**log_mass
        chi2 = ((flux / own) ** 2).sum() - 2.0 * b[:, None] * mass + a[:, None] * mass**2
        prob = prob + weight * np.exp(-0.5 * chi2)
    by_mass = prob.sum(axis=0)
    step = (log_mass[:, None] - log_mass) * np.log(10.0) / grey[0]
    prob = prob.reshape(101, 101, 201)
    return {
        "log_age_yr": (age, prob.sum((1, 2))),
        "a_v": (a_v, prob.sum((0, 2))),
        "log_mass_formed": (log_mass, np.exp(-0.5 * step**2) @ by_mass),
    }


@pytest.mark.parametrize("sampler", ["importance", "emcee", "nautilus"])
def test_marginals_against_brute_force(monkeypatch, sampler):
    from clumpscope.sed.inference import fit as module

    explore, run = module.explore, module.run_ensembles
    if sampler != "importance":
        monkeypatch.setattr(module, "explore", lambda *args: replace(explore(*args), settled=False))
    if sampler == "nautilus":
        monkeypatch.setattr(module, "run_ensembles", lambda *args: replace(run(*args), converged=False))
        monkeypatch.setattr(module, "run_nested", partial(module.run_nested, n_live=300, n_effective=2000))
    factors = np.stack([np.full(N_BANDS, 0.2), np.linspace(-0.05, 0.05, N_BANDS)], axis=1)
    flux, _, _ = correlated(np.random.default_rng(5))
    # As measured: the factors are those of the noisy fluxes.
    own, common = 0.03 * flux, factors * flux[:, None]
    error = np.sqrt(own**2 + (common**2).sum(axis=1))
    # Narrow priors, for a fine grid: its steps of 0.02 are a sixth of the widths.
    fit = fitter(bounds={"log_age_yr": (7.0, 8.6), "a_v": (0.0, 2.0)})
    posterior = fit.fit(flux, error, "one", common)
    assert posterior.sampler == sampler
    for name, (grid, prob) in brute_force(fit, flux, own, factors).items():
        sigma = np.sqrt(np.cov(grid, aweights=prob))
        # 2000 draws and the steps of the grid make 0.05 of it.
        assert wasserstein_distance(posterior.samples[name], grid, v_weights=prob) < 0.1 * sigma, name
    model = posterior.model_njy
    inverse = np.linalg.inv(np.diag(own**2) + (factors * model[:, None]) @ (factors * model[:, None]).T)
    # Least over the mass: grey errors change the mass and not chi2. Loadings are those of the sweep's nearest model.
    residual = flux - model * (flux @ inverse @ model) / (model @ inverse @ model)
    assert posterior.chi2 == pytest.approx(residual @ inverse @ residual, rel=0.01)
    np.testing.assert_allclose(posterior.sigma_njy, error)


@pytest.mark.parametrize("seed", range(2))
def test_grey_error_blurs_the_mass_and_not_the_colours(seed):
    grey = 0.15
    flux, _, _ = correlated(np.random.default_rng(seed), grey=0.0, tilt=0.0)
    own, common = 0.03 * flux, grey * flux[:, None]
    fit = fitter(draws=8000, n_effective=6000)
    sharp = fit.fit(flux, own, "sharp").samples
    blurred = fit.fit(flux, np.hypot(own, common[:, 0]), "blurred", common).samples
    ignored = fit.fit(flux, np.hypot(own, common[:, 0]), "ignored").samples
    for name in ("log_age_yr", "a_v"):
        # Both widths are known to 1 %; the model that loadings are scaled to is one of the sweep's.
        assert blurred[name].std() == pytest.approx(sharp[name].std(), rel=0.05)
        assert ignored[name].std() > 1.5 * sharp[name].std()
    grown = np.hypot(sharp["log_mass_formed"].std(), grey / np.log(10.0))
    assert blurred["log_mass_formed"].std() == pytest.approx(grown, rel=0.05)


def test_loadings_made_from_noisy_fluxes_do_not_pull_the_mass_down():
    # Grey errors of 30 %: with the loadings as they are the masses would be low by 0.3^2 chi2.
    rng, grey = np.random.default_rng(2), 0.3
    template = ToyModel().fluxes(TRUTH[None])
    raw, relative = [], []
    for _ in range(400):
        flux = template[0] * (1.0 + 0.05 * rng.standard_normal(N_BANDS))
        common = grey * flux[:, None]
        error = np.hypot(0.05 * template[0], common[:, 0])
        given = Observation.prepare(flux, error, np.zeros(N_BANDS), None, common)
        for masses, one in ((raw, given), (relative, given.relative_to(template[0]))):
            a, b, _ = one.projections(template, template**2)
            masses.append(b[0] / a[0])
    # One mass scatters by 0.05 / sqrt(8), their mean by a twentieth of that: 0.0009.
    assert abs(np.mean(relative) - 1.0) < 4 * 0.0009
    assert np.mean(raw) < 0.8


def test_grey_factor_is_drawn_from_its_distribution():
    # Drawn given one model, against its Gaussian conditional on the residual in all bands (a joint covariance).
    rng = np.random.default_rng(3)
    flux, error, common = correlated(rng)
    model = 1.02 * ToyModel().fluxes(TRUTH[None])
    one = Observation.prepare(flux, error, np.zeros(N_BANDS), None, common).relative_to(model[0])
    covariance = one.common_njy @ one.common_njy.T + np.diag(one.own_njy**2)
    gain = np.linalg.solve(covariance, one.common_njy @ one.grey)
    mean = gain @ (flux - model[0])
    sigma = np.sqrt(one.grey @ one.grey - gain @ one.common_njy @ one.grey)
    drawn = one.draw_grey(np.repeat(model, 20_000, axis=0), rng)
    assert abs(drawn.mean() - mean) < 4 * sigma / np.sqrt(20_000)
    assert drawn.std() == pytest.approx(sigma, rel=0.02)  # known to 0.5 %


def test_without_a_signal_there_is_no_factor():
    rng = np.random.default_rng(4)
    flux = rng.standard_normal(N_BANDS)
    common = 0.5 * np.abs(flux)[:, None]
    given = Observation.prepare(flux, np.hypot(1.0, common[:, 0]), np.zeros(N_BANDS), None, common)
    faint = given.relative_to(np.full(N_BANDS, 1e-6))
    assert np.abs(faint.grey).max() < 1e-5
    np.testing.assert_allclose(
        faint.common_njy / given.common_njy, 1.0 / (1.0 + flux[:, None] ** 2), rtol=1e-4
    )


def test_ranks_of_truths_are_uniform():
    # Truths from the prior, errors that are factors, loadings from the noisy fluxes as in the photometry's tables: ranks
    # among the draws are uniform (Talts et al. 2018).
    fit = fitter(
        bounds={"log_mass_formed": (7.5, 8.5), "log_age_yr": (7.0, 8.5), "a_v": (0.0, 2.0)},
        draws=400,
        n_effective=800,
        nested=False,
    )
    rng, ranks = np.random.default_rng(11), []
    factors = np.stack([np.full(N_BANDS, 0.15), np.linspace(-0.05, 0.05, N_BANDS)], axis=1)
    for k in range(80):
        truth = rng.uniform([7.5, 7.0, 0.0], [8.5, 8.5, 2.0])
        model = ToyModel().fluxes(truth[None])[0]
        own = 0.03 * model
        flux = model * np.exp(factors @ rng.standard_normal(2)) + own * rng.standard_normal(N_BANDS)
        common = factors * flux[:, None]
        samples = fit.fit(flux, np.sqrt(own**2 + (common**2).sum(axis=1)), f"{k}", common).samples
        ranks.append(
            [(samples[name] < true).mean() for name, true in zip(ToyModel.parameters, truth, strict=True)]
        )
    for column in np.array(ranks).T:
        assert chisquare(np.histogram(column, bins=5, range=(0, 1))[0]).pvalue > 1e-3


def test_common_errors_are_checked_and_part_of_the_hash(tmp_path):
    flux, error, common = correlated(np.random.default_rng(0))
    fit = fitter(draws=100, n_effective=300)
    assert fit.digest("a", flux, error, common) != fit.digest("a", flux, error)
    assert fit.digest("a", flux, error, common) != fit.digest("a", flux, error, 0.5 * common)
    log = []
    for loadings in (common, common, 0.5 * common):
        fit_or_reuse(
            fit, flux[None], error[None], ["a"], tmp_path / "a.nc", log.append, common_njy=loadings[None]
        )
    assert [line.split()[1] for line in log] == ["fitted", "kept", "fitted"]
    with pytest.raises(InputError, match=r"common error of F070W.*at most the whole error"):
        fit_posterior(flux, error, FILTERS, 2.0, common=10.0 * common)
    with pytest.raises(InputError, match="a row for each filter"):
        fit_posterior(flux, error, FILTERS, 2.0, common=common[:3])


def test_loadings_are_read_from_the_columns(tmp_path):
    table = Table({"id": ["a", "b"], "flux_F150W_common_njy": np.arange(6.0).reshape(2, 3)})
    table["flux_F200W_common_njy"] = 10.0 + np.arange(6.0).reshape(2, 3)
    write_table(table, tmp_path / "photometry.ecsv")
    common = table_common(read_table(tmp_path / "photometry.ecsv"), ["F150W", "F200W"])
    np.testing.assert_allclose(common[1], [[3.0, 4.0, 5.0], [13.0, 14.0, 15.0]])
    assert table_common(table[["id"]], ["F150W"]) is None
    with pytest.raises(InputError, match="flux_F444W_common_njy"):
        table_common(table, ["F150W", "F444W"])
    table["flux_F200W_common_njy"] = np.zeros((2, 2))
    with pytest.raises(InputError, match="cells of shapes"):
        table_common(table, ["F150W", "F200W"])
