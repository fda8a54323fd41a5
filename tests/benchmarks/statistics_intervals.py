"""How often the intervals of population statistics hold the truth: many fields of galaxies with known numbers.

python tests/benchmarks/statistics_intervals.py --fields 150
"""

import argparse

import numpy as np
from astropy.table import Table
from clumpscope.population.summary import population_statistics
from scipy.stats import norm

N_GALAXIES, N_DRAWS = 30, 100
MASS_ERROR, AGE_ERROR, MU_ERROR, HOST_ERROR = 0.2, 0.2, 0.1, 0.1  # dex
MASS, AGE, AGE_SCATTER, GRADIENT = 6.5, 7.8, 0.6, -0.1


def truth() -> dict[str, float]:
    """True statistics; of ages as their errors widen them."""
    return {
        "median_log_mass": MASS,
        "median_log_age_mw_yr": AGE,
        "share_older_300myr": float(norm.sf((np.log10(3e8) - AGE) / np.hypot(AGE_SCATTER, AGE_ERROR))),
        "gradient_log_mass_fraction": GRADIENT,
        "gradient_log_age_mw_yr": 0.0,
    }


def percentiles(name: str, middle: np.ndarray, error: float) -> dict[str, np.ndarray]:
    return {f"{name}_p{p}": middle + sign * error for p, sign in ((16, -1), (50, 0), (84, 1))}


def field(rng: np.random.Generator) -> tuple[Table, Table]:
    """Clumps and hosts: masses of a galaxy's clumps go with its own, and its magnification is wrong for all of them."""
    of_galaxy, wrong = rng.normal(0, 0.3, N_GALAXIES), rng.normal(0, MU_ERROR, N_GALAXIES)
    owner = np.repeat(np.arange(N_GALAXIES), 1 + rng.poisson(5, N_GALAXIES))
    n = owner.size
    distance = rng.exponential(2.0, n)
    mass = MASS + of_galaxy[owner] + GRADIENT * (distance - 2.0) + rng.normal(0, 0.4, n)
    seen = mass + wrong[owner] + rng.normal(0, MASS_ERROR, n)
    age = rng.normal(AGE, np.hypot(AGE_SCATTER, AGE_ERROR), n)
    names = [f"g{k:02d}" for k in range(N_GALAXIES)]
    mu_error = np.full(n, 5.0 * MU_ERROR * np.log(10.0))
    clumps = {
        "id": [f"c{k}" for k in range(n)], "galaxy": [names[k] for k in owner], "z": np.ones(n), "flags": np.zeros(n, int),
        "mu": np.full(n, 5.0), "mu_err_lo": mu_error, "mu_err_hi": mu_error, "distance_kpc": distance,
        **percentiles("log_mass", seen, np.hypot(MASS_ERROR, MU_ERROR)), **percentiles("log_age_mw_yr", age, AGE_ERROR),
    }  # fmt: skip
    host = 9.0 + of_galaxy + wrong + rng.normal(0, HOST_ERROR, N_GALAXIES)
    rates = np.full(N_GALAXIES, -8.0)
    return Table(clumps), Table(
        {"id": names, **percentiles("log_mass", host, HOST_ERROR), "log_ssfr_p50": rates}
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=150)
    n_fields = parser.parse_args().fields
    rng, true = np.random.default_rng(1), truth()
    inside = {name: 0 for name in true}
    for number in range(n_fields):
        statistics = population_statistics(*field(rng), seed=number, n_draws=N_DRAWS)
        for row in statistics[np.asarray(statistics["group"], str) == "all"]:
            name = str(row["quantity"])
            if name in true:
                inside[name] += int(row["lo"] <= true[name] <= row["hi"])
    for name, count in inside.items():
        print(f"{name:28s} {count / n_fields:.2f}")


if __name__ == "__main__":
    main()
