"""Recovery of mass functions by full likelihood: bias and coverage over laws, mass errors and completeness widths.

    PYTHONPATH=workflow python tests/benchmarks/mass_function.py [N_DRAWS]

A table in Markdown, one row a case, of alpha found minus the true one: mean and median, scatter, the mean error, and the shares of 68 %
intervals that hold the truth, end below it and begin above it. `told` is the completeness width that the fit is told over the true one. Truths are
fixed, or drawn from the priors of the fit: intervals of a posterior that is right then hold 68 % (Talts et al. 2018, equation 1), which at one
fixed truth they need not do.
"""

import itertools
import sys
from dataclasses import dataclass, replace

import numpy as np
from clumpscope.population.mass_likelihood import (
    LAWS,
    POINTS,
    fit_mass_function,
    prior_ranges,
    simulate_masses,
)

N_CLUMPS, MANY_CLUMPS = 300, 1200
LOG_CUT, LOG_BREAK = 7.5, 7.0
OTHER_CUTS = (6.5, 7.0, 8.0, 9.0)  # from seen well to not seen
ERRORS, WIDTHS = (0.15, 0.4), (0.1, 0.4)
BOTH = tuple(zip(ERRORS, WIDTHS, strict=True))
DRAWN = {"alpha": (-4.0, 0.0), "log_mass_cut": (5.0, 12.0), "log_mass_break": (5.0, 9.0), "beta": (-3.0, 3.0)}
"""What truths are drawn from: wider than the priors, whose ranges of masses are set by the sample."""


@dataclass(frozen=True)
class Case:
    """A law, its limits, errors and number of clumps."""

    law: str
    shared: bool
    error: float
    width: float
    alpha: float
    log_mass_cut: float = np.inf
    log_mass_break: float = -np.inf
    beta: float = 0.0
    n: int = N_CLUMPS
    told: float = 1.0

    def sample(self, rng):
        """Clumps of it."""
        sample = simulate_masses(
            self.alpha, self.log_mass_cut, self.error, self.width, self.n, rng, self.shared,
            self.log_mass_break, self.beta,
        )  # fmt: skip
        return replace(sample, width_dex=self.told * sample.width_dex)


def fixed():
    """Every case of a fixed truth."""
    for law, cut in (("power_law", np.inf), ("truncated", LOG_CUT)):
        for shared, alpha, error, width in itertools.product((False, True), (-1.5, -2.0, -2.5), ERRORS, WIDTHS):  # fmt: skip
            yield Case(law, shared, error, width, alpha, cut)
    for shared, (alpha, beta), (error, width) in itertools.product(
        (False, True), ((-2.0, -1.0), (-2.0, 0.0), (-2.5, 0.0)), BOTH
    ):
        yield Case("broken", shared, error, width, alpha, log_mass_break=LOG_BREAK, beta=beta)
    for cut in OTHER_CUTS:
        yield Case("truncated", False, *BOTH[0], -2.5, cut)
    for error, width in BOTH:  # where more clumps tell more
        yield Case("truncated", False, error, width, -2.5, LOG_CUT, n=MANY_CLUMPS)
        yield Case("broken", False, error, width, -2.5, log_mass_break=LOG_BREAK, n=MANY_CLUMPS)
    for shared, alpha, width, told in itertools.product((False, True), (-1.5, -2.5), WIDTHS, (0.8, 1.25)):
        yield Case("power_law", shared, ERRORS[0], width, alpha, told=told)


def drawn(law, shared, rng):
    """A case whose truth is of the priors, and its clumps.

    A prior that is flat between ends set by the sample is one without ends, seen only where that sample's are: draws with truths
    outside are drawn anew, and those with ends beyond what truths are drawn from.
    """
    while True:
        error, width = rng.choice(ERRORS), rng.choice(WIDTHS)
        truth = {name: rng.uniform(*DRAWN[name]) for name in POINTS[law]}
        case = Case(law, shared, error, width, **truth)
        sample = case.sample(rng)
        ranges = prior_ranges(sample, law)
        if all(
            DRAWN[name][0] <= low <= truth[name] <= high <= DRAWN[name][1]
            for name, (low, high) in ranges.items()
        ):
            return case, sample


def row(cases_and_samples):
    """Columns of one row that are measured."""
    fits = [(case.alpha, fit_mass_function(sample, case.law)) for case, sample in cases_and_samples]
    offset, low, high = np.array(
        [(f.alpha - true, f.alpha - f.alpha_err_lo - true, f.alpha + f.alpha_err_hi - true) for true, f in fits]
    ).T  # fmt: skip
    numbers = offset.mean(), np.median(offset), offset.std(), 0.5 * (high - low).mean()
    shares = ((low <= 0) & (high >= 0)).mean(), (high < 0).mean(), (low > 0).mean()
    return [f"{number:.3f}" for number in numbers] + [f"{share:.2f}" for share in shares]


def main(n_draws=200):
    """Print every case."""
    columns = ["law", "limits", "alpha", "log M_c", "log M_b", "beta", "errors", "width", "told", "clumps",
               "mean", "median", "scatter", "error", "inside", "below", "above"]  # fmt: skip
    print(f"| {' | '.join(columns)} |\n|{'---|' * 2}{'---:|' * (len(columns) - 2)}", flush=True)

    def line(law, shared, *cells):
        cells = [law.replace("_", " "), "shared" if shared else "own", *map(str, cells)]
        print(f"| {' | '.join(cells)} |", flush=True)

    for case in fixed():
        rng = np.random.default_rng(1)
        numbers = row((case, case.sample(rng)) for _ in range(n_draws))
        law = [getattr(case, name) if name in POINTS[case.law] else "" for name in DRAWN]
        line(case.law, case.shared, *law, case.error, case.width, case.told, case.n, *numbers)
    for law, shared in itertools.product(LAWS, (False, True)):
        rng = np.random.default_rng(1)
        numbers = row(drawn(law, shared, rng) for _ in range(n_draws))
        truth = ["drawn" if name in POINTS[law] else "" for name in DRAWN]
        line(law, shared, *truth, "drawn", "drawn", 1.0, N_CLUMPS, *numbers)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
