"""Clumps injected into the real sky around El Gordo, beside sources found and not found: widths of their pulls.

    python tests/benchmarks/real_sky.py DATA [--clumps 480] [--seeds 1 2]

DATA is the folder of the El Gordo arc (Background/, PSF_model/). One row a filter that the shapes are from (0, 1 and 2 px, true
signal-to-noise above 5) and a filter: clumps, bias, half of the 16 to 84 % range of the pulls and the share inside 68 % intervals, as measured
and with the errors that the other seeds' clumps correct; widths where the light of other sources is below and above one standard deviation of a pixel.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from astropy.table import Table, vstack  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "tests" / "science")]

from clumpscope.injection.error_model import error_factors, fit_error_model  # noqa: E402
from clumpscope.injection.inject import inject  # noqa: E402
from test_injection_real import FILTERS, half_width, open_sky  # noqa: E402

HEAD = (
    "shapes from",
    "filter",
    "clumps",
    "bias",
    "width",
    "inside 68 %",
    "corrected",
    "inside",
    "faint light",
    "bright light",
)


def rows_of(tables: list[Table], filter_ref: str) -> list[tuple]:
    """Lines of the table, one a filter; errors of each seed corrected by the clumps of the others."""
    rows = []
    for name in FILTERS:
        ratio, pull, corrected, light = [], [], [], []
        for number, table in enumerate(tables):
            model = fit_error_model(
                vstack([*tables[:number], *tables[number + 1 :]], metadata_conflicts="silent"), [name]
            )
            own = table[table["detected"]]
            true, flux, error = (
                np.asarray(own[c])
                for c in (f"true_flux_{name}_njy", f"flux_{name}_njy", f"flux_{name}_err_njy")
            )
            seen = np.isfinite(flux) & (true > 5 * error)
            factors = error_factors(model[0], flux / error, own[f"host_snr_{name}"])
            pull.append(((flux - true) / error)[seen])
            corrected.append(pull[-1] / factors[seen])
            ratio.append((flux / true)[seen])
            light.append(np.asarray(own[f"host_snr_{name}"])[seen])
        ratio, pull, corrected, light = map(np.concatenate, (ratio, pull, corrected, light))
        parts = [
            f"{half_width(pull[part]):.2f} ({part.sum()})" if part.sum() > 20 else ""
            for part in (light < 1, light >= 1)
        ]
        rows.append((
            filter_ref, name, str(pull.size), f"{100 * (np.median(ratio) - 1):+.1f} %", f"{half_width(pull):.2f}",
            f"{np.mean(np.abs(pull) < 1):.2f}", f"{half_width(corrected):.2f}", f"{np.mean(np.abs(corrected) < 1):.2f}", *parts,
        ))  # fmt: skip
    return rows


def main(arguments: argparse.Namespace) -> None:
    """Print the table."""
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for filter_ref in FILTERS:
        target = open_sky(arguments.data, filter_ref)
        tables = [inject(target, target.detect(), arguments.clumps, seed=seed) for seed in arguments.seeds]
        for row in rows_of(tables, filter_ref):
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--clumps", type=int, default=480)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    main(parser.parse_args())
