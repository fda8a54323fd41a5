"""Simulation-based calibration of the SED fit (Talts et al. 2018).

Truths are drawn from the prior, photometry from the truths, and every simulated object is fitted. The rank
of the truth among independent posterior draws is then uniform for every parameter if, and only if, prior,
likelihood and sampler belong together. Prints a table and writes it, with the ranks, as CSV.

    python tests/benchmarks/sed_calibration.py --n 500 --priors log
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from astropy.table import Table
from scipy.stats import chisquare, kstest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from clumpscope.filters import filter_names, get_filter  # noqa: E402
from clumpscope.flags import describe  # noqa: E402
from clumpscope.sed import FitSettings, Fitter  # noqa: E402

N_RANKS = 100  # draws a truth is ranked among, thinned to be independent
N_BINS = 20


def simulate_and_fit(fitter: Fitter, error_njy: np.ndarray, n: int, seed: int, limit_s: float) -> dict:
    """Ranks (n, n_parameters) of the truths, and what the sampler said."""
    rng = np.random.default_rng(seed)
    target = fitter.target
    low, high = target.log_mass
    ranks, notes = [], []
    start = time.perf_counter()
    for k in range(n):
        x, log_mass = target.priors.draw(1, rng), rng.uniform(low, high)
        flux = target.templates(x)[0] * 10.0**log_mass + error_njy * rng.standard_normal(len(error_njy))
        began = time.perf_counter()
        posterior = fitter.fit(flux, error_njy, f"simulated {k}")
        notes.append((time.perf_counter() - began, posterior.n_calls, posterior.sampler, posterior.flags))
        truth = dict(zip(target.priors.names, x[0], strict=True), log_mass_formed=log_mass)
        thin = len(posterior.samples["log_mass_formed"]) // N_RANKS
        ranks.append([(posterior.samples[name][::thin][:N_RANKS] < truth[name]).sum() for name in truth])
        if time.perf_counter() - start > limit_s:
            print(f"stopped after {k + 1} fits: {limit_s:g} s are over")
            break
    return {"names": list(truth), "ranks": np.array(ranks), "notes": notes}


def main() -> None:
    """Run the calibration and report it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=500, help="number of simulated objects")
    parser.add_argument("--priors", default="log", choices=["log", "paper"])
    parser.add_argument("--sfh", default="exp_free")
    parser.add_argument("--redshift", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds after which to stop")
    options = parser.parse_args()

    filters = [name for name in filter_names() if get_filter(name).channel in ("sw", "lw")]
    # Errors of the Abell 2744 mosaics (5 sigma limits of C25 Table 1); no error floor, which would make
    # the likelihood depend on the noise.
    error_njy = np.array([10 ** (-0.4 * (get_filter(name).mag_limit_ab - 31.4)) / 5 for name in filters])
    settings = FitSettings(
        sfh=options.sfh, priors=options.priors, error_floor=0.0, bounds={"log_mass_formed": (5.0, 7.5)}
    )
    fitter = Fitter(filters, options.redshift, settings)
    result = simulate_and_fit(fitter, error_njy, options.n, options.seed, options.limit)

    rows = []
    for name, ranks in zip(result["names"], result["ranks"].T, strict=True):
        # Ranks run from 0 to N_RANKS: put them in the middle of their cells, spread by nothing random.
        uniform = (ranks + 0.5) / (N_RANKS + 1)
        counts = np.histogram(uniform, bins=N_BINS, range=(0, 1))[0]
        expected = np.histogram((np.arange(N_RANKS + 1) + 0.5) / (N_RANKS + 1), bins=N_BINS, range=(0, 1))[0]
        p_chi2 = chisquare(counts, expected * counts.sum() / expected.sum()).pvalue
        p_ks = kstest(uniform, "uniform").pvalue
        rows.append((name, len(ranks), uniform.mean(), uniform.std() * np.sqrt(12), p_chi2, p_ks))
    names = ("parameter", "n", "mean_rank", "relative_width", "p_chi2", "p_ks")
    table = Table(rows=rows, names=names)
    for name in names[2:]:
        table[name].info.format = ".3f"
    table.pprint(max_lines=-1, max_width=-1)
    seconds, calls, samplers, flags = zip(*result["notes"], strict=True)
    print(
        f"seconds per posterior: median {np.median(seconds):.2f}, 95 % {np.percentile(seconds, 95):.2f}; "
        f"model calls: median {np.median(calls):.0f}; by nautilus: {samplers.count('nautilus')}; "
        f"not converged: {sum('not_converged' in describe(flag) for flag in flags)}"
    )
    folder = ROOT / "tests" / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    stem = f"sed_calibration_{options.sfh}_{options.priors}"
    table.write(folder / f"{stem}.csv", overwrite=True)
    Table(result["ranks"], names=result["names"]).write(folder / f"{stem}_ranks.csv", overwrite=True)


if __name__ == "__main__":
    main()
