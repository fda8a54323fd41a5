"""Time and convergence of posteriors of real star clusters: F22's 178, with each of C25's four histories.

The clusters are divided among as many processes as asked, each with one thread. Prints a table and writes it as CSV.

    python tests/benchmarks/sed_clusters.py --processes 2
"""

import argparse
import multiprocessing
import resource
import sys
import time
from pathlib import Path

import numpy as np
from astropy.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from clumpscope.inputs import read_photometry  # noqa: E402
from clumpscope.sed import fit_many, table_photometry  # noqa: E402

HISTORIES = ("exp_free", "exp_1Myr", "exp_10Myr", "exp_100Myr")


def fit_share(sfh: str, priors: str, nested: bool, share: int, n_shares: int) -> dict[str, np.ndarray]:
    """Fit every `n_shares`-th cluster; what is known about the fits, and the largest memory of the process [MB]."""
    table = read_photometry(str(ROOT / "resources" / "faisst2022" / "table1.csv"), 0.39)[share::n_shares]
    flux, error, filters = table_photometry(table, "<F>_njy", "<F>_err_njy")
    began = time.perf_counter()
    posteriors = fit_many(flux, error, filters, 0.39, table["id"], sfh, priors, nested=nested)
    return {
        "id": [p.id for p in posteriors],
        "seconds": time.perf_counter() - began,
        "converged": [p.converged for p in posteriors],
        "rhat": [p.rhat for p in posteriors],
        "nested": [p.sampler == "nautilus" for p in posteriors],
        "calls": [p.n_calls for p in posteriors],
        "log_mass": [np.median(p.samples["log_mass"]) for p in posteriors],
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }


def main() -> None:
    """Run the fits and report them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--priors", nargs="+", default=["log", "paper"])
    parser.add_argument("--sfh", nargs="+", default=list(HISTORIES))
    parser.add_argument(
        "--nested", action="store_true", help="hand what does not converge to nested sampling"
    )
    options = parser.parse_args()
    rows = []
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for priors in options.priors:
            for sfh in options.sfh:
                began = time.perf_counter()
                shares = pool.starmap(
                    fit_share,
                    [(sfh, priors, options.nested, k, options.processes) for k in range(options.processes)],
                    chunksize=1,
                )
                wall = time.perf_counter() - began
                every = {name: np.concatenate([share[name] for share in shares]) for name in shares[0] if name not in
                         ("seconds", "memory_mb")}  # fmt: skip
                rows.append(
                    {
                        "priors": priors,
                        "sfh": sfh,
                        "clusters": len(every["id"]),
                        "wall_s": round(wall, 1),
                        "s_per_posterior": round(
                            sum(share["seconds"] for share in shares) / len(every["id"]), 3
                        ),
                        "converged": int(every["converged"].sum()),
                        "nested": int(every["nested"].sum()),
                        "rhat_99": round(float(np.percentile(every["rhat"], 99)), 4),
                        "calls_median": int(np.median(every["calls"])),
                        "log_mass_median": round(float(np.median(every["log_mass"])), 3),
                        "memory_mb": round(max(share["memory_mb"] for share in shares)),
                    }
                )
                print(rows[-1], flush=True)
                for k in np.flatnonzero(~every["converged"]):
                    print(f"  {every['id'][k]}: not converged, R-hat {every['rhat'][k]:.4f}")
    table = Table(rows=rows)
    table.pprint(max_lines=-1, max_width=-1)
    folder = ROOT / "tests" / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    table.write(folder / "sed_clusters.csv", overwrite=True)


if __name__ == "__main__":
    main()
