"""Speed and accuracy of SED posteriors, against long nested-sampling runs on the same likelihood.

Simulated clumps over S/N, redshift, both priors, multimodal ones included, are fitted by
`clumpscope.sed.Fitter` and by nautilus; the Wasserstein distance between the one-dimensional marginals is
given in units of nautilus' standard deviation. Prints a table and writes it as CSV.

    python tests/benchmarks/sed_inference.py --n 12
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
from clumpscope.sed.mass import draw_mass  # noqa: E402
from clumpscope.sed.nested import run_nested  # noqa: E402
from clumpscope.sed.observation import Observation  # noqa: E402

SNR = (3.0, 10.0, 30.0, 100.0)
REDSHIFTS = (0.9, 2.0, 4.5)


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


def main() -> None:
    """Run the comparison and report it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--n", type=int, default=12, help="objects with a nested reference (half a minute each)"
    )
    parser.add_argument("--timing", type=int, default=60, help="objects fitted for the timing")
    parser.add_argument("--sfh", default="exp_free")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds after which to stop")
    options = parser.parse_args()

    filters = [name for name in filter_names() if get_filter(name).channel in ("sw", "lw")]
    settings = [(z, priors) for z in REDSHIFTS for priors in ("paper", "log")]
    fitters, rows, start = {}, [], time.perf_counter()
    for k in range(max(options.n, options.timing)):
        redshift, priors = settings[k % len(settings)]
        if (redshift, priors) not in fitters:
            fitter = Fitter(filters, redshift, FitSettings(sfh=options.sfh, priors=priors))
            began = time.perf_counter()
            size = len(fitter.sweep.y)
            elapsed = time.perf_counter() - began
            print(
                f"z {redshift}, {priors}: sweep of {size} models in {elapsed:.2f} s, {elapsed / size * 1e6:.1f} us each"
            )
            fitters[redshift, priors] = fitter
        fitter = fitters[redshift, priors]
        # Truths are log-uniform in age whatever the prior of the fit: young clumps are the multimodal ones.
        rng = generator(0, "benchmark", k)
        span = fitter.target.priors.high - fitter.target.priors.low
        x = fitter.target.priors.low + span * rng.random((1, len(span)))
        flux = fitter.target.templates(x)[0]
        flux *= 100.0 / flux.mean()
        snr = SNR[(k // len(settings)) % len(SNR)]
        error = np.full(len(flux), 100.0 / snr)
        flux += error * rng.standard_normal(len(flux))
        began = time.perf_counter()
        posterior = fitter.fit(flux, error, f"simulated {k}")
        seconds = time.perf_counter() - began
        row = {
            "object": k,
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
        }
        if k < options.n:
            observation = Observation.prepare(flux, error, fitter.error_floor)
            began = time.perf_counter()
            reference, row["nested_calls"] = nested_samples(fitter, observation, k)
            row["nested_seconds"] = time.perf_counter() - began
            distance = {
                name: wasserstein_distance(posterior.samples[name], values) / values.std()
                for name, values in reference.items()
            }
            row["worst"] = max(distance, key=distance.get)
            row["wasserstein"] = max(distance.values())
            print({name: round(float(value), 3) for name, value in distance.items()}, flush=True)
        rows.append(row)
        if time.perf_counter() - start > options.limit:
            print(f"stopped after {k + 1} objects: {options.limit:g} s are over")
            break
    table = Table(rows=rows)
    for name, form in (
        ("seconds", ".2f"),
        ("rhat", ".4f"),
        ("n_effective", ".0f"),
        ("nested_seconds", ".1f"),
        ("wasserstein", ".3f"),
    ):
        table[name].info.format = form
    table.pprint(max_lines=-1, max_width=-1)
    print(
        f"seconds per posterior: median {np.median(table['seconds']):.2f}, mean {np.mean(table['seconds']):.2f}, "
        f"95 % {np.percentile(table['seconds'], 95):.2f}; converged {np.mean(table['converged']):.3f}; "
        f"largest R-hat {np.max(table['rhat']):.4f}; largest Wasserstein distance {np.nanmax(table['wasserstein']):.3f} sigma"
    )
    folder = ROOT / "tests" / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    table.write(folder / f"sed_inference_{options.sfh}.csv", overwrite=True)


if __name__ == "__main__":
    main()
