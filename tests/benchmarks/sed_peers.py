"""SED posteriors beside those of bagpipes 1.3.6 with nautilus: same photometry, same priors, same run, one thread each.

Simulated objects in the 20 NIRCam filters, six free parameters, whose photometry comes in turn from our engine and from
bagpipes', so that neither is favoured. bagpipes runs with its own defaults (400 live points, 4 networks). Times are
those of the processor, which depend little on what else a machine does; wall times are beside them. They start after
imports; ours is the median of three, once with everything (tables, sweep of the prior, posterior) and once (`shared`)
as an object costs that shares tables and sweep with others of its galaxy. bagpipes' time contains building its model.

Which settings make both the same model, and what stays different, is told in `bagpipes_peer`; the difference of the two
engines at an object's true parameters, in units of its errors, is in the table: where it is not small, posteriors differ
because the models do. So our sampler also runs on bagpipes' models (`swapped`), where only the samplers differ; with
`--referee` a longer nested run (1000 live points, logarithmic coordinates, some more minutes) on these models tells
which is right. Metallicities are those below 2.5 Zsun, where our library ends. Prints tables and writes two CSV.

    python tests/benchmarks/sed_peers.py --python BAGPIPES_ENVIRONMENT/bin/python [--referee]
"""

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from astropy.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from bagpipes_peer import Bagpipes, check  # noqa: E402
from clumpscope.filters import filter_names, get_filter, transmission  # noqa: E402
from clumpscope.randomness import generator  # noqa: E402
from clumpscope.sed import FitSettings, Fitter, Posterior  # noqa: E402
from clumpscope.sed.inference.observation import Observation  # noqa: E402
from clumpscope.sed.inference.priors import default_bounds  # noqa: E402
from sed_inference import distances, nested_samples  # noqa: E402

FILTERS = [name for name in filter_names() if get_filter(name).channel in ("sw", "lw")]
RESULTS = ROOT / "tests" / "benchmarks" / "results"

# redshift, S/N of the mean flux, log age, log Z / Zsun, A_V, log U, log tau; engines take turns.
TRUTHS = (
    (1.4, 5.0, 6.7, -0.7, 0.3, -2.5, 8.0),
    (2.0, 20.0, 7.0, -0.3, 0.6, -2.2, 8.5),
    (0.7, 50.0, 9.2, -0.4, 0.2, -3.0, 8.3),
    (3.0, 5.0, 8.9, -0.9, 0.4, -2.8, 8.6),
    (5.0, 20.0, 8.3, -1.0, 0.1, -2.4, 9.0),
    (1.4, 50.0, 6.6, -0.5, 0.8, -2.0, 8.0),
)


class Timed:
    """A photometry model that counts its models and their time."""

    def __init__(self, model: object) -> None:
        self._model, self.parameters, self.derived = model, model.parameters, model.derived
        self.n, self.seconds = 0, 0.0

    def fluxes(self, theta: np.ndarray) -> np.ndarray:
        """Fluxes of models [nJy]."""
        began = time.process_time()
        flux = self._model.fluxes(theta)
        self.seconds += time.process_time() - began
        self.n += len(theta)
        return flux

    def microseconds(self) -> float:
        """Mean time of a model since the last call of this."""
        mean, self.n, self.seconds = 1e6 * self.seconds / self.n, 0, 0.0
        return mean


def fit(
    redshift: float, settings: FitSettings, flux: np.ndarray, error: np.ndarray, name: str
) -> tuple[Posterior, dict[str, float]]:
    """Our posterior of one object, and its times."""
    times = []
    for _ in range(3):
        began, began_cpu = time.perf_counter(), time.process_time()
        fitter = Fitter(FILTERS, redshift, settings)
        _ = fitter.sweep
        shared = time.process_time()
        posterior = fitter.fit(flux, error, name)
        end, end_cpu = time.perf_counter(), time.process_time()
        times.append((end_cpu - began_cpu, end_cpu - shared, end - began))
    whole, alone, wall = np.median(times, axis=0)
    model = Timed(fitter.target.model)
    timed = Fitter(FILTERS, redshift, settings, model=model)
    _ = timed.sweep
    in_sweep = model.microseconds()
    timed.fit(flux, error, name)
    return posterior, {
        "ours_s": whole,
        "ours_shared_s": alone,
        "ours_wall_s": wall,
        "ours_sweep_us": in_sweep,
        "ours_model_us": model.microseconds(),
    }


def summary(samples: dict[str, np.ndarray], name: str) -> tuple[float, float, float, float]:
    """Percentiles 16, 50 and 84, and half the interval."""
    low, median, high = np.percentile(samples[name], (16, 50, 84))
    return low, median, high, 0.5 * (high - low)


def compare(
    ours: dict[str, np.ndarray],
    bagpipes: dict[str, np.ndarray],
    swapped: dict[str, np.ndarray],
    referee: dict[str, np.ndarray] | None,
    truth: dict[str, float],
    about: dict,
) -> list[dict]:
    """Medians and 16-84 intervals, and how far apart they are."""
    rows = []
    for name, true in truth.items():
        row = {**about, "parameter": name, "truth": true}
        sides = {"ours": ours, "bagpipes": bagpipes, "swapped": swapped}
        sides = {side: summary(samples, name) for side, samples in sides.items()}
        for side, values in sides.items():
            row |= {f"{side}_{p}": value for p, value in zip(("p16", "p50", "p84"), values[:3], strict=True)}
        _, median_b, _, sigma_b = sides["bagpipes"]
        for side, prefix in (("ours", ""), ("swapped", "swapped_")):
            _, median, _, sigma = sides[side]
            row[f"{prefix}difference_sigma"] = (median - median_b) / np.sqrt(0.5 * (sigma**2 + sigma_b**2))
            row[f"{prefix}width_ratio"] = sigma / sigma_b
        for title, one, other in (
            ("swapped_to_bagpipes", swapped, bagpipes),
            ("swapped_to_referee", swapped, referee),
            ("bagpipes_to_referee", bagpipes, referee),
        ):
            row[title] = distances(one, {name: np.asarray(other[name])})[name] if other else np.nan
        rows.append(row)
    return rows


def one_object(
    k: int, peer: Bagpipes, settings: FitSettings, n_live: int, with_referee: bool
) -> tuple[dict[str, float], list[dict]]:
    """Simulate object `k` and fit it: its times, and the rows of `compare`."""
    redshift, snr, *x = TRUTHS[k]
    ours = Fitter(FILTERS, redshift, settings)
    theta = np.array([[0.0, *x]])
    fluxes = {
        "ours": ours.target.model.fluxes(theta)[0],
        "bagpipes": peer.fluxes(theta)[0],
    }
    engine = ("ours", "bagpipes")[k % 2]
    mass = 100.0 / fluxes[engine].mean()  # a mean flux of 100 nJy
    error = np.full(len(FILTERS), 100.0 / snr)
    flux = mass * fluxes[engine] + error * generator(0, "peers", k).standard_normal(len(FILTERS))
    truth = dict(zip(peer.parameters, [np.log10(mass), *x], strict=True))

    ours.fit(flux, error)  # imports and compiled code, before anything is timed
    posterior, times = fit(redshift, settings, flux, error, f"simulated {k}")
    peer.fluxes(ours.target.theta(ours.target.priors.draw(500, generator(0, k)), 8.0))
    bounds = {**default_bounds(redshift), **settings.bounds}
    reply = peer.fit(flux, error, settings.priors, bounds, n_live)
    model_us = 1e6 * peer.model_seconds
    fitter = Fitter(FILTERS, redshift, replace(settings, sweep_log2=14), model=peer)
    swapped = fitter.fit(flux, error, f"{k}")
    observation = Observation.prepare(flux, error, fitter.error_floor)
    referee = nested_samples(fitter, observation, k)[0] if with_referee else None
    about = {"object": k, "engine": engine, "z": redshift, "snr": snr}
    row = {
        **about,
        **times,
        "bagpipes_s": reply["seconds"],
        "bagpipes_wall_s": reply["wall_seconds"],
        "bagpipes_setup_s": reply["setup_seconds"],
        "bagpipes_model_us": model_us,
        "bagpipes_call_us": 1e6 * reply["call_seconds"],
        "ratio": reply["seconds"] / times["ours_s"],
        "ratio_shared": (reply["seconds"] - reply["setup_seconds"]) / times["ours_shared_s"],
        "ratio_wall": reply["wall_seconds"] / times["ours_wall_s"],
        "ratio_model": 1e6 * reply["call_seconds"] / times["ours_model_us"],
        "ours_calls": posterior.n_calls,
        "bagpipes_calls": reply["calls"],
        "ours_n_effective": posterior.n_effective,
        "bagpipes_n_effective": reply["n_effective"],
        "converged": posterior.converged and swapped.converged,
        "engines_chi2": float(np.sum((mass * (fluxes["ours"] - fluxes["bagpipes"]) / error) ** 2)),
    }
    return row, compare(posterior.samples, reply["samples"], swapped.samples, referee, truth, about)


def report(objects: list[dict], parameters: list[dict]) -> None:
    """Print the tables and write them."""
    for rows, name in ((objects, "sed_peers"), (parameters, "sed_peers_parameters")):
        table = Table(rows=rows)
        for column in table.columns.values():
            if column.dtype.kind == "f":
                column.info.format = ".3f"
        table.pprint(max_lines=-1, max_width=-1)
        RESULTS.mkdir(exist_ok=True)
        table.write(RESULTS / f"{name}.csv", overwrite=True)


def main() -> None:
    """Run the comparison and report it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", required=True, help="interpreter of an environment that has bagpipes")
    parser.add_argument("--n", type=int, default=len(TRUTHS), help="objects (some minutes each)")
    parser.add_argument("--priors", default="paper", choices=["paper", "log"])
    parser.add_argument("--live", type=int, default=400, help="live points of bagpipes' nautilus")
    parser.add_argument("--referee", action="store_true", help="a longer nested run on bagpipes' models")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds after which to stop")
    options = parser.parse_args()
    check(options.python)

    curves = {name: transmission(name) for name in FILTERS}
    bounds = {"log_z_zsun": (-2.0, float(np.log10(2.5)))}
    settings = FitSettings(sfh="exp_free", priors=options.priors, bounds=bounds, error_floor=0.0)
    objects, parameters, start = [], [], time.perf_counter()
    for k in range(min(options.n, len(TRUTHS))):
        left = options.limit - (time.perf_counter() - start)
        try:
            with Bagpipes(options.python, TRUTHS[k][0], curves, left) as peer:
                row, rows = one_object(k, peer, settings, options.live, options.referee)
        except TimeoutError:
            print(f"stopped at object {k}: {options.limit:g} s are over")
            break
        objects.append(row)
        parameters += rows
        report(objects, parameters)  # after each, so that an interrupted run leaves its results


if __name__ == "__main__":
    main()
