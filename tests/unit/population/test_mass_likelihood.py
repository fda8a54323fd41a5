import numpy as np
import pytest
from astropy.table import Table
from benchmarks.mass_function import drawn
from clumpscope.population.mass_function import likelihood_fits, mass_functions
from clumpscope.population.mass_likelihood import (
    LAWS,
    Sample,
    fit_mass_function,
    prior_ranges,
    simulate_masses,
)


# A short version of tests/benchmarks/mass_function.py.
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(
    ("alpha", "error", "width"), [(-1.5, 0.15, 0.1), (-2.0, 0.4, 0.4), (-2.5, 0.15, 0.4)]
)
def test_power_laws_are_recovered_and_their_intervals_hold(alpha, error, width, shared):
    rng = np.random.default_rng(3)
    fits = [
        fit_mass_function(simulate_masses(alpha, np.inf, error, width, 200, rng, shared)) for _ in range(40)
    ]
    found, low, high = (
        np.array([getattr(f, f"alpha{end}") for f in fits]) for end in ("", "_err_lo", "_err_hi")
    )
    assert abs(found.mean() - alpha) < 0.05
    assert (
        0.45 < np.mean((found - low <= alpha) & (alpha <= found + high)) < 0.88
    )  # 68 % +- 3 binomial errors


@pytest.mark.parametrize(("law", "shared"), [("truncated", False), ("truncated", True), ("broken", False)])
def test_intervals_hold_68_percent_of_truths_that_are_drawn_from_the_priors(law, shared):
    """At one fixed truth they need not, where the sample does not tell its parameters."""
    rng, n_draws = np.random.default_rng(8), 40
    inside = 0
    for _ in range(n_draws):
        case, sample = drawn(law, shared, rng)
        fit = fit_mass_function(sample, law)
        inside += fit.alpha - fit.alpha_err_lo <= case.alpha <= fit.alpha + fit.alpha_err_hi
    assert 0.45 < inside / n_draws < 0.88


@pytest.mark.parametrize("shared", [False, True])
def test_a_slope_near_the_one_without_a_total_number_is_that_of_a_law_with_an_end(shared):
    rng = np.random.default_rng(4)
    found = [
        fit_mass_function(simulate_masses(-1.1, np.inf, 0.15, 0.1, 300, rng, shared)).alpha for _ in range(20)
    ]
    assert np.mean(found) == pytest.approx(-1.1, abs=0.01)


def test_priors_hold_what_the_sample_can_tell():
    sample = simulate_masses(-2.0, np.inf, 0.2, 0.1, 300, np.random.default_rng(2))
    for law in LAWS:
        fit = fit_mass_function(sample, law)
        ranges = prior_ranges(sample, law)
        assert all(low < getattr(fit, name) < high for name, (low, high) in ranges.items())
        others = {"alpha", "log_mass_cut", "log_mass_break", "beta"} - set(ranges)
        assert all(np.isnan(getattr(fit, name)) for name in others)


def test_a_truncation_is_found_where_there_is_one_and_not_claimed_where_there_is_none():
    rng = np.random.default_rng(5)
    factors, cuts = [], []
    for log_cut in (7.0, np.inf):
        sample = simulate_masses(-1.8, log_cut, 0.2, 0.2, 500, rng, shared=False)
        power_law, truncated = (fit_mass_function(sample, law) for law in ("power_law", "truncated"))
        factors.append(truncated.log_evidence - power_law.log_evidence)
        cuts.append(truncated)
    assert factors[0] > 5.0 and factors[1] < 2.0
    error = max(cuts[0].log_mass_cut_err_lo, cuts[0].log_mass_cut_err_hi)
    assert abs(cuts[0].log_mass_cut - 7.0) < 3 * error


@pytest.mark.parametrize("shared", [False, True])
def test_a_slope_is_right_above_where_the_function_turns_over(shared):
    """What galaxies add up to whose clumps begin at different masses: one power law for all of it is far too flat."""
    rng, n_draws = np.random.default_rng(), 20
    found = {"power_law": [], "broken": []}
    for _ in range(n_draws):
        sample = simulate_masses(-2.0, np.inf, 0.2, 0.1, 400, rng, shared, log_break=7.0, beta=0.0)
        for law, fits in found.items():
            fits.append(fit_mass_function(sample, law))
    alpha, low, high = (
        np.array([getattr(f, f"alpha{end}") for f in found["broken"]]) for end in ("", "_err_lo", "_err_hi")
    )
    assert abs(alpha.mean() + 2.0) < 0.05 + 3.0 * alpha.std() / np.sqrt(n_draws)
    assert np.sum((alpha - low <= -2.0) & (alpha + high >= -2.0)) >= 8  # 68 % of 20 less 2.7 binomial errors
    assert np.mean([f.log_mass_break for f in found["broken"]]) == pytest.approx(7.0, abs=0.1)
    assert np.mean([f.beta for f in found["broken"]]) == pytest.approx(0.0, abs=0.3)
    assert np.mean([f.alpha for f in found["power_law"]]) > -1.8
    gain = [b.log_evidence - p.log_evidence for b, p in zip(found["broken"], found["power_law"], strict=True)]
    assert min(gain) > 3.0


def test_no_break_is_claimed_where_there_is_none():
    rng = np.random.default_rng(5)
    samples = [simulate_masses(-2.0, np.inf, 0.2, 0.1, 400, rng) for _ in range(6)]
    gain = [
        fit_mass_function(s, "broken").log_evidence - fit_mass_function(s, "power_law").log_evidence
        for s in samples
    ]
    assert np.median(gain) < 0.0 and max(gain) < 3.0


def test_without_errors_and_above_a_step_it_is_the_classical_estimate():
    """dN/dM ~ M^alpha above M_0 without errors: the likelihood peaks at alpha = -1 - n / sum ln(M / M_0)."""
    mass = 6.0 + np.random.default_rng(7).exponential(1 / np.log(10), 2000)
    nothing = np.zeros(mass.size)
    fit = fit_mass_function(Sample(mass, nothing, nothing, nothing + 6.0, nothing, shared=False))
    assert fit.alpha == pytest.approx(-1 - mass.size / np.sum((mass - 6.0) * np.log(10)), abs=0.01)
    assert fit.alpha_err_lo == pytest.approx(-(fit.alpha + 1) / np.sqrt(mass.size), rel=0.1)


def test_groups_without_clumps_and_masses_that_are_unknown_have_no_fit():
    clumps = Table({"log_mass_p50": [6.0, np.nan, 7.0], "z": [1.0, 1.0, 2.0], "mu": [2.0, 2.0, 3.0]})
    clumps["log_mass_p16"], clumps["log_mass_p84"] = (
        clumps["log_mass_p50"] - 0.2,
        clumps["log_mass_p50"] + 0.2,
    )
    for table in (clumps, clumps[:0]):
        fits = likelihood_fits(table, mass_functions(table)[1])
        assert not np.isfinite(fits["alpha"]).any() and set(fits["law"]) == set(LAWS)
