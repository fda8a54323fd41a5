"""Recovery of mass functions by full likelihood: bias and coverage over laws, mass errors and completeness widths.

    PYTHONPATH=workflow python tests/benchmarks/mass_function.py [N_DRAWS]

One row a case: mean of alpha minus the true one, its scatter, the mean error, and the share of 68 % intervals that hold it.
"""

import sys

import numpy as np
from clumpscope.population.mass_likelihood import fit_mass_function, simulate_masses

N_CLUMPS = 300
LOG_CUT = 7.5


def case(alpha, log_cut, error, width, shared, n_draws, seed=1, log_break=-np.inf, beta=0.0):
    """Bias, scatter, mean error and coverage of alpha in one case."""
    rng = np.random.default_rng(seed)
    law = "broken" if np.isfinite(log_break) else "power_law" if np.isinf(log_cut) else "truncated"
    fits = [
        fit_mass_function(
            simulate_masses(alpha, log_cut, error, width, N_CLUMPS, rng, shared, log_break, beta), law
        )
        for _ in range(n_draws)
    ]
    found, low, high = (
        np.array([getattr(fit, f"alpha{end}") for fit in fits]) for end in ("", "_err_lo", "_err_hi")
    )
    inside = (found - low <= alpha) & (alpha <= found + high)
    return found.mean() - alpha, found.std(), 0.5 * (low + high).mean(), inside.mean()


def broken(n_draws=200):
    """Print every case of a law that breaks at 10^7."""
    print("limits   alpha    beta error width   bias scatter  error coverage")
    for shared in (False, True):
        for alpha, beta in ((-2.0, -1.0), (-2.0, 0.0), (-2.5, 0.0)):
            for error, width in ((0.15, 0.1), (0.4, 0.4)):
                numbers = case(alpha, np.inf, error, width, shared, n_draws, log_break=7.0, beta=beta)
                print(f"{'shared' if shared else 'own   '} {alpha:7.1f} {beta:7.1f} {error:5.2f} {width:5.2f} "
                      "{:6.3f} {:7.3f} {:6.3f} {:8.2f}".format(*numbers), flush=True)  # fmt: skip


def main(n_draws=200):
    """Print every case."""
    broken(n_draws)
    print("limits   alpha log_cut error width   bias scatter  error coverage")
    for log_cut in (np.inf, LOG_CUT):
        for shared in (False, True):
            for alpha in (-1.5, -2.0, -2.5):
                for error, width in ((0.15, 0.1), (0.15, 0.4), (0.4, 0.1), (0.4, 0.4)):
                    numbers = case(alpha, log_cut, error, width, shared, n_draws)
                    kind = "shared" if shared else "own   "
                    print(f"{kind} {alpha:7.1f} {log_cut:7.1f} {error:5.2f} {width:5.2f} "
                          "{:6.3f} {:7.3f} {:6.3f} {:8.2f}".format(*numbers), flush=True)  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
