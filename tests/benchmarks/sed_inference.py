"""Speed and accuracy of SED posteriors, against long nested-sampling runs on the same likelihood.

Simulated clumps over S/N, redshift, both priors and several star-formation histories, multimodal ones included, are
fitted by `clumpscope.sed.Fitter` and by nautilus; the Wasserstein distance between the one-dimensional marginals is
given in units of nautilus' standard deviation. Where one exceeds 0.1, nautilus runs again with another seed: how far
its two runs are apart says how much of the distance is its own. Times are those of the processor. Prints tables and
writes them as CSV.

    python tests/benchmarks/sed_inference.py --n 24
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from astropy.table import Table
from scipy.stats import wasserstein_distance

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from clumpscope.filters import filter_names, get_filter  # noqa: E402
from clumpscope.randomness import generator  # noqa: E402
from clumpscope.sed import FitSettings, Fitter  # noqa: E402
from clumpscope.sed.inference.mass import draw_mass  # noqa: E402
from clumpscope.sed.inference.nested import run_nested  # noqa: E402
from clumpscope.sed.inference.observation import Observation  # noqa: E402
from clumpscope.sed.inference.priors import default_bounds  # noqa: E402

SNR = (3.0, 10.0, 30.0, 100.0, 300.0)
SETTINGS = [(z, priors) for z in (0.9, 2.0, 4.5) for priors in ("paper", "log")]
GOAL = 0.1  # sigma
NAMES = tuple(default_bounds(1.0))


def nested_samples(fitter: Fitter, observation: Observation, seed: int) -> tuple[dict[str, np.ndarray], int]:
    """Draws of every parameter by nested sampling, and the model calls they took."""
    target, rng = fitter.target, np.random.default_rng(seed)
    chains = run_nested(
        lambda y: target.log_prob(observation, y),
        target.priors.n_dim,
        rng,
        n_live=1000,
        n_effective=10_000,
        max_calls=10**6,
        n_draws=20_000,
    )
    x = target.priors.parameters(chains.y)
    flux = target.templates(x)
    a, b, _ = observation.projections(flux, flux * flux)
    samples = dict(zip(target.priors.names, x.T, strict=True))
    return {**samples, "log_mass_formed": draw_mass(a, b, target.log_mass, rng)}, chains.n_calls


def distances(samples: dict[str, np.ndarray], reference: dict[str, np.ndarray]) -> dict[str, float]:
    """Wasserstein distance of each marginal, in standard deviations of the reference."""
    return {
        name: wasserstein_distance(samples[name], values) / values.std() for name, values in reference.items()
    }


def simulate(fitter: Fitter, snr: float, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes and errors [nJy] of object `k`, of mean flux 100."""
    # Truths are log-uniform in age whatever the prior of the fit: young clumps are the multimodal ones.
    rng = generator(0, "benchmark", k)
    priors = fitter.target.priors
    x = priors.low + (priors.high - priors.low) * rng.random((1, priors.n_dim))
    flux = fitter.target.templates(x)[0]
    flux *= 100.0 / flux.mean()
    error = np.full(len(flux), 100.0 / snr)
    return flux + error * rng.standard_normal(len(flux)), error


def main() -> None:
    """Run the comparison and report it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--n", type=int, default=24, help="objects with a nested reference (half a minute each)"
    )
    parser.add_argument("--timing", type=int, default=60, help="objects fitted for the timing")
    parser.add_argument(
        "--sfh", nargs="+", default=["exp_free", "double_power_law", "const"], help="histories, in turn"
    )
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds after which to stop")
    options = parser.parse_args()

    filters = [name for name in filter_names() if get_filter(name).channel in ("sw", "lw")]
    fitters, rows, start = {}, [], time.perf_counter()
    for k in range(max(options.n, options.timing)):
        # Six settings and five S/N: in thirty objects each pair occurs once.
        redshift, priors = SETTINGS[k % len(SETTINGS)]
        snr = SNR[k % len(SNR)]
        sfh = options.sfh[(k // len(SETTINGS)) % len(options.sfh)]
        if (sfh, redshift, priors) not in fitters:
            fitter = Fitter(filters, redshift, FitSettings(sfh=sfh, priors=priors))
            began = time.process_time()
            size = len(fitter.sweep.y)
            elapsed = time.process_time() - began
            print(
                f"{sfh}, z {redshift}, {priors}: sweep of {size} models in {elapsed:.2f} s, "
                f"{elapsed / size * 1e6:.1f} us each"
            )
            fitters[sfh, redshift, priors] = fitter
        fitter = fitters[sfh, redshift, priors]
        flux, error = simulate(fitter, snr, k)
        began = time.process_time()
        posterior = fitter.fit(flux, error, f"simulated {k}")
        seconds = time.process_time() - began
        row = {
            "object": k,
            "sfh": sfh,
            "z": redshift,
            "priors": priors,
            "snr": snr,
            "seconds": seconds,
            "calls": posterior.n_calls,
            "sampler": posterior.sampler,
            "converged": posterior.converged,
            "rhat": posterior.rhat,
            "n_effective": posterior.n_effective,
            "nested_seconds": np.nan,
            "nested_calls": 0,
            "worst": "",
            "wasserstein": np.nan,
            "nested_again": np.nan,
        }
        row |= dict.fromkeys(NAMES, np.nan)
        if k < options.n:
            observation = Observation.prepare(flux, error, fitter.error_floor)
            began = time.process_time()
            reference, row["nested_calls"] = nested_samples(fitter, observation, k)
            row["nested_seconds"] = time.process_time() - began
            distance = distances(posterior.samples, reference)
            row |= distance
            row["worst"] = max(distance, key=distance.get)
            row["wasserstein"] = max(distance.values())
            if row["wasserstein"] > GOAL:
                again = distances(nested_samples(fitter, observation, 10_000 + k)[0], reference)
                row["nested_again"] = max(again.values())
                print(k, "nautilus and nautilus:", {n: round(float(d), 3) for n, d in again.items()})
            print(
                k,
                sfh,
                redshift,
                priors,
                snr,
                {n: round(float(d), 3) for n, d in distance.items()},
                flush=True,
            )
        rows.append(row)
        if time.perf_counter() - start > options.limit:
            print(f"stopped after {k + 1} objects: {options.limit:g} s are over")
            break
    table = Table(rows=rows)
    for column in table.columns.values():
        if column.dtype.kind == "f":
            column.info.format = ".3f"
    table.pprint(max_lines=-1, max_width=-1)
    summary = Table(
        rows=[
            (
                name,
                np.nanmedian(table[name]),
                np.nanmax(table[name]),
                table["object"][np.nanargmax(table[name])],
            )
            for name in NAMES
            if np.isfinite(table[name]).any()
        ],
        names=("parameter", "median", "worst", "object"),
    )
    summary["median"].info.format = summary["worst"].info.format = ".3f"
    summary.pprint(max_lines=-1)
    print(
        f"seconds per posterior: median {np.median(table['seconds']):.2f}, mean {np.mean(table['seconds']):.2f}, "
        f"95 % {np.percentile(table['seconds'], 95):.2f}; converged {np.mean(table['converged']):.3f}; "
        f"largest R-hat {np.max(table['rhat']):.4f}; largest Wasserstein distance {np.nanmax(table['wasserstein']):.3f} sigma"
    )
    folder = ROOT / "tests" / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    table.write(folder / "sed_inference.csv", overwrite=True)


if __name__ == "__main__":
    main()
