"""Speed and accuracy of the SED photometry engine, beside its peers in the same run.

Parts: `speed` (time of a model and of a table, memory), `accuracy` (against brute-force integration at full
resolution), `fsps` (against python-fsps's own composite populations; needs --sps-home), `bagpipes` (time and fluxes
of bagpipes 1.3.6; needs --bagpipes-python, the interpreter of an environment of its own). Prints a table and writes it
as CSV. One thread.

    python tests/benchmarks/sed_engine.py --sps-home DIR --bagpipes-python VENV/bin/python
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from astropy.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "tests")]

from bagpipes_peer import Bagpipes  # noqa: E402
from clumpscope.filters import filter_names, transmission  # noqa: E402
from clumpscope.sed import PhotometryModel, load_library, synthesize  # noqa: E402

NIRCAM = filter_names()[:20]
HISTORIES = ("exp_free", "exp_10Myr", "const", "ssp", "double_power_law")
LIMITS = {
    "log_mass_formed": (5.0, 8.0),
    "log_z_zsun": (-2.0, np.log10(2.5)),
    "a_v": (0.0, 4.0),
    "log_u": (-4.0, -1.0),
    "log_tau_yr": (6.0, 10.0),
    "log_alpha": (-2.0, 3.0),
    "log_beta": (-2.0, 3.0),
}


def draw(rng: np.random.Generator, model: PhotometryModel, n: int) -> np.ndarray:
    """Parameters over the whole prior."""
    limits = {**LIMITS, "log_age_yr": (6.0, np.log10(model.age_max_yr))}
    return np.column_stack([rng.uniform(*limits[name], n) for name in model.parameters])


def percentiles(errors: np.ndarray) -> dict[str, float]:
    """Median, 95 %, 99 % and maximum [%]."""
    values = 100.0 * np.array([*np.percentile(errors, (50, 95, 99)), errors.max()])
    return dict(zip(("p50", "p95", "p99", "max"), values, strict=True))


def fastest(call: object, repeats: int = 15) -> float:
    """Shortest of several run times [s]: the others were disturbed."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def speed() -> list[tuple]:
    """Time of a model by number of walkers, time of a table, memory."""
    rows = []
    library = load_library("bc03")
    rng = np.random.default_rng(0)
    for name in HISTORIES:
        model = PhotometryModel(library, NIRCAM, 1.4, name)
        for walkers in (64, 2000):
            theta = draw(rng, model, walkers)
            model.fluxes(theta)
            rows.append(
                (
                    "speed",
                    f"{name}, {walkers} walkers",
                    "model",
                    1e6 * fastest(lambda m=model, t=theta: m.fluxes(t)) / walkers,
                    "us",
                    5.0 if name != "double_power_law" else np.nan,
                )
            )
        theta = draw(rng, model, 2000)
        model.derived(theta)
        rows.append(
            (
                "speed",
                name,
                "derived quantities",
                1e6 * fastest(lambda m=model, t=theta: m.derived(t), 3) / 2000,
                "us",
                np.nan,
            )
        )
    rows.append(
        (
            "speed",
            "20 filters",
            "table",
            fastest(lambda: PhotometryModel(library, NIRCAM, 1.5, "exp_free"), 5),
            "s",
            0.5,
        )
    )
    rows.append(
        (
            "speed",
            "whole process",
            "memory",
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
            "MB",
            np.nan,
        )
    )
    return rows


def accuracy(n: int) -> list[tuple]:
    """Errors of the fast photometry over the prior and redshifts 0 to 10."""
    rows = []
    library = load_library("bc03")
    for name in HISTORIES:
        rng = np.random.default_rng(1)
        errors = []
        for redshift in (0.05, 0.39, *np.linspace(0.8, 10.0, 14)):
            model = PhotometryModel(library, NIRCAM, redshift, name)
            theta = draw(rng, model, n)
            for fast, row in zip(model.fluxes(theta), theta, strict=True):
                slow = synthesize(
                    library, NIRCAM, redshift, name, dict(zip(model.parameters, row, strict=True))
                )
                seen = slow > 1e-6 * slow.max()
                errors.append(np.abs(fast / slow - 1.0)[seen])
        goals = {"p99": 0.1, "max": 0.5}
        errors = np.concatenate(errors)
        rows += [
            ("accuracy", f"{name}, {errors.size} fluxes", k, v, "%", goals.get(k, np.nan))
            for k, v in percentiles(errors).items()
        ]
    return rows


def fsps(home: str, n: int) -> list[tuple]:
    """Tau models of python-fsps on the same data."""
    os.environ["SPS_HOME"] = home
    from clumpscope.sed.library.build_fsps import build
    from sed_reference import FspsModel, unabsorbed_filters

    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "fsps.npz")
        library = load_library(Path(folder) / "fsps.npz")
    reference, rng = FspsModel(), np.random.default_rng(2)
    errors, seconds = [], 0.0
    for redshift in (0.6, 1.0, 1.6, 2.3):
        filters = unabsorbed_filters(redshift)
        model = PhotometryModel(library, filters, redshift, "exp_free", dust_emission=False)
        for row in draw(rng, model, n):
            row[5] = max(row[5], row[1] - np.log10(700.0))
            start = time.perf_counter()
            slow = reference.fluxes(filters, redshift, row)
            seconds += time.perf_counter() - start
            errors.append(np.abs(model.fluxes(row[None])[0] / slow - 1.0))
    goals = {"p95": 0.5, "max": 3.0}
    errors = np.concatenate(errors)
    rows = [
        ("fsps", f"{errors.size} fluxes", k, v, "%", goals.get(k, np.nan))
        for k, v in percentiles(errors).items()
    ]
    return [*rows, ("fsps", "python-fsps", "model", 1e6 * seconds / (4 * n), "us", np.nan)]


def bagpipes(python: str, n: int) -> list[tuple]:
    """Time of a model, and how fluxes differ (see `bagpipes_peer` for what bagpipes does differently)."""
    library, redshift, rng = load_library("bc03"), 1.4, np.random.default_rng(3)
    model = PhotometryModel(library, NIRCAM, redshift, "exp_free")
    theta = draw(rng, model, n)
    with Bagpipes(python, redshift, {name: transmission(name) for name in NIRCAM}) as peer:
        theirs = peer.fluxes(theta)
    mine, seconds = model.fluxes(theta), peer.model_seconds
    own = 1e6 * fastest(lambda: model.fluxes(theta)) / n
    difference = np.abs(mine / theirs - 1.0)
    rows = [
        ("bagpipes", "difference of fluxes", k, v, "%", np.nan) for k, v in percentiles(difference).items()
    ]
    rows += [
        ("bagpipes", "20 filters", "model", 1e6 * seconds, "us", np.nan),
        ("bagpipes", "20 filters", "ours", own, "us", 5.0),
    ]
    return [*rows, ("bagpipes", "20 filters", "ratio", 1e6 * seconds / own, "", 100.0)]


def main() -> None:
    """Run the parts and report them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=20, help="models per redshift")
    parser.add_argument("--sps-home", help="FSPS data for the installed python-fsps")
    parser.add_argument("--bagpipes-python", help="interpreter that has bagpipes 1.3.6")
    parser.add_argument("--out", type=Path, default=ROOT / "tests/benchmarks/results/sed_engine.csv")
    options = parser.parse_args()
    rows = speed() + accuracy(options.n)
    if options.bagpipes_python:
        rows += bagpipes(options.bagpipes_python, 10 * options.n)
    if options.sps_home:
        rows += fsps(options.sps_home, options.n)
    table = Table(rows=rows, names=("part", "case", "quantity", "value", "unit", "goal"))
    table["value"].format = table["goal"].format = "%.4g"
    table.pprint_all()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.write(options.out, format="ascii.csv", overwrite=True)


if __name__ == "__main__":
    main()
