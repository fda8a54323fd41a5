"""The sample drawn anew: galaxies with replacement, clumps from their posteriors, magnifications with their errors."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from ..tables import numbers
from .hosts import clumps_of_hosts
from .sample import POSTERIORS, has_size, known_distances

__all__ = ["PER_MAGNIFICATION", "Sample", "interval", "observed", "realisations", "rows_by_owner"]

PER_MAGNIFICATION = {"log_mass": -1.0, "log_sfr10": -1.0, "r_eff_pc": -0.5, "m_v_ab": 2.5, "mu": 1.0}
"""Quantities that change with the magnification: their power of it; magnitudes of m_v_ab by its log10."""

_SIDED = ("r_eff_pc", "m_v_ab", "mu", "distance_kpc")
_LINEAR = ("r_eff_pc", "mu")
_FEWEST_DRAWS = 20


@dataclass(frozen=True, eq=False)
class Sample:
    """Clumps and their hosts, as arrays.

    Attributes
    ----------
    clumps : dict of str to (n,) array
        Values by the catalogue's names without ``_p50``; also owner (number of the galaxy), size_known, r_eff_limit, class, row (of
        the catalogue), age_error [dex], and the errors log_mass_error, log_sigma_mass_error [dex], distance_error [kpc].
    hosts : dict of str to (m,) array
        galaxy, z, log_mass_host, log_ssfr, log_mass_max, log_mass_central, log_f_cl, log_age_mw_max, n_clumps; errors [dex] of
        log_mass_host and log_mass_total (without the magnification's), log_mu, log_ssfr, log_sfr100, log_mass_max, log_mass_central and
        log_age_mw_max as ``<name>_error``; NaN where unknown.
    """

    clumps: dict[str, np.ndarray]
    hosts: dict[str, np.ndarray]


def rows_by_owner(owner: np.ndarray, n_owners: int) -> list[np.ndarray]:
    """Rows of each of the owners 0 to n_owners - 1."""
    ends = np.cumsum(np.bincount(owner, minlength=n_owners))
    return np.split(np.argsort(owner, kind="stable"), ends[:-1]) if n_owners else []


def observed(clumps: Table, hosts: Table | None = None) -> Sample:
    """The sample as it was measured.

    Parameters
    ----------
    clumps : Table
        Clumps that count.
    hosts : Table, optional
        Of `clumpscope.population.hosts.intrinsic_hosts`.
    """
    values = {name: numbers(clumps, f"{name}_p50") for name in POSTERIORS}
    values |= {name: numbers(clumps, name) for name in (*_SIDED, "z")}
    values["distance_kpc"] = known_distances(clumps)
    names, first, owner = np.unique(np.asarray(clumps["galaxy"], str), return_index=True, return_inverse=True)
    n = len(clumps)
    flag = {
        name: np.asarray(clumps[name], bool) if name in clumps.colnames else np.zeros(n, bool)
        for name in ("r_eff_limit", "central")
    }
    kind = np.asarray(clumps["class"], str) if "class" in clumps.colnames else np.full(n, "")
    half = _half(clumps, "log_age_mw_yr")
    # Where no errors are known both percentiles are the median.
    half[half <= 0] = np.nan
    values |= flag | {
        "log_mass_error": _half(clumps, "log_mass"),
        "log_sigma_mass_error": _half(clumps, "log_sigma_mass"),
        "distance_error": 0.5
        * (numbers(clumps, "distance_kpc_err_lo") + numbers(clumps, "distance_kpc_err_hi")),
        "log_mu_error": np.nan_to_num(_log_mu_error(clumps)),
        "owner": owner,
        "class": kind,
        "size_known": has_size(clumps),
        "row": np.arange(n),
        "age_error": half,
    }
    known = Table() if hosts is None else hosts
    rows = {str(name): row for row, name in enumerate(known["id"])} if len(known) else {}
    at = np.array([rows.get(name, len(known)) for name in names], dtype=int)

    def of_hosts(column: np.ndarray) -> np.ndarray:
        return np.append(column, np.nan)[at]

    own = {
        "galaxy": names,
        "z": values["z"][first],
        "log_mass_host": of_hosts(numbers(known, "log_mass_p50")),
        "log_ssfr": of_hosts(numbers(known, "log_ssfr_p50")),
        **{
            f"{name}_error": np.nan_to_num(of_hosts(_half(known, of)))
            for name, of in (
                ("log_mass_host", "log_mass"),
                ("log_ssfr", "log_ssfr"),
                ("log_sfr100", "log_sfr100"),
            )
        },
    }
    return _with_errors(_with_relations(values, own))


def _half(table: Table, name: str) -> np.ndarray:
    """Half of the interval between the 16 and 84 % of a quantity."""
    return 0.5 * (numbers(table, f"{name}_p84") - numbers(table, f"{name}_p16"))


def _with_relations(clumps: dict, hosts: dict) -> Sample:
    """Add what the clumps of each host add up to."""
    sums = clumps_of_hosts(
        clumps["log_mass"], clumps["log_age_mw_yr"], clumps["central"], clumps["owner"], len(hosts["z"])
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = sums["log_mass_total"] - hosts["log_mass_host"]
    fraction_of_clump = clumps["log_mass"] - hosts["log_mass_host"][clumps["owner"]]
    return Sample(clumps | {"log_mass_fraction": fraction_of_clump}, hosts | sums | {"log_f_cl": fraction})


def _with_errors(sample: Sample) -> Sample:
    """Add the errors of what the clumps of each host add up to, as they were measured."""
    clumps, hosts = sample.clumps, sample.hosts
    # Of each host's clumps together, and of single ones; the magnification's part is the same for all.
    owner, m = clumps["owner"], len(hosts["z"])
    lens = np.bincount(owner, clumps["log_mu_error"], m) / np.maximum(np.bincount(owner, minlength=m), 1)
    alone = np.nan_to_num(
        np.sqrt(np.maximum(clumps["log_mass_error"] ** 2 - clumps["log_mu_error"] ** 2, 0.0))
    )
    mass = np.where(np.isfinite(clumps["log_mass"]), 10.0 ** clumps["log_mass"], 0.0)
    errors = {"log_mu_error": lens}
    with np.errstate(invalid="ignore", divide="ignore"):
        errors["log_mass_total_error"] = np.sqrt(np.bincount(owner, (mass * alone) ** 2, m)) / np.bincount(
            owner, mass, m
        )
    for end, error in (
        ("mass_max", "log_mass_error"),
        ("mass_central", "log_mass_error"),
        ("age_mw_max", "age_error"),
    ):
        rows = hosts[f"row_{end.rpartition('_')[2]}"]
        errors[f"log_{end}_error"] = np.nan_to_num(np.append(clumps[error], np.nan)[rows])
    return Sample(clumps, hosts | errors)


def realisations(
    clumps: Table,
    hosts: Table | None,
    n_draws: int,
    rng: np.random.Generator,
    within: bool = False,
    perturbed: bool = True,
) -> Iterator[Sample]:
    """Samples that could have been measured instead.

    Parameters
    ----------
    clumps, hosts : Table
        As in `observed`.
    n_draws : int
    rng : numpy.random.Generator
    within : bool
        Draw clumps with replacement within each galaxy, instead of whole galaxies.
    perturbed : bool
        Whether values are drawn anew from their posteriors, or stay as they were measured, with the errors they have.

    Notes
    -----
    Every value is drawn from its posterior (normal on each side of the median); the part of its error that is the magnification's
    is the same for all clumps and the host of one galaxy. Measured values scatter by their errors already, so that intervals of medians and
    shares are wide rather than narrow.
    """
    base = observed(clumps, hosts)
    below, above, shared = _errors(clumps, base)
    owner, n, m = base.clumps["owner"], len(clumps), len(base.hosts["z"])
    members = rows_by_owner(owner, m)
    host_error, mu_error = base.hosts["log_mass_host_error"], base.hosts["log_mu_error"]
    for _ in range(n_draws):
        by_galaxy = rng.normal(size=m)
        values = dict(base.clumps)
        for name, (share, sign) in shared.items() if perturbed else ():
            deviate = np.sqrt(1.0 - share**2) * rng.normal(size=n) + sign * share * by_galaxy[owner]
            values[name] = base.clumps[name] + np.where(deviate < 0, below[name], above[name]) * deviate
        own = dict(base.hosts)
        own["log_mass_host"] = own["log_mass_host"] + host_error * rng.normal(size=m) - mu_error * by_galaxy
        drawn = _with_relations(values, own) if perturbed else base
        if within:
            rows = np.concatenate([rng.choice(one, one.size) for one in members]) if m else np.empty(0, int)
            picked, copies = np.arange(m), owner[rows]
        else:
            picked = rng.integers(m, size=m) if m else np.empty(0, int)
            rows = np.concatenate([members[k] for k in picked]) if m else np.empty(0, int)
            copies = np.repeat(np.arange(m), [members[k].size for k in picked]) if m else rows
        taken = {name: column[rows] for name, column in drawn.clumps.items()} | {"owner": copies}
        yield Sample(taken, {name: column[picked] for name, column in drawn.hosts.items()})


def _log_mu_error(clumps: Table) -> np.ndarray:
    """Half of the magnification's interval [dex]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (
            0.5
            * (numbers(clumps, "mu_err_lo") + numbers(clumps, "mu_err_hi"))
            / numbers(clumps, "mu")
            / np.log(10.0)
        )


def _errors(clumps: Table, base: Sample) -> tuple[dict, dict, dict]:
    """Errors on each side by quantity, and (share of it that is the magnification's, its sign); unknown errors are 0."""
    below, above, shared = {}, {}, {}
    log_mu = np.nan_to_num(_log_mu_error(clumps))
    for name in (*POSTERIORS, *_SIDED):
        if name in _SIDED:
            sides = [numbers(clumps, f"{name}_err_{end}") for end in ("lo", "hi")]
        else:
            middle = base.clumps[name]
            sides = [middle - numbers(clumps, f"{name}_p16"), numbers(clumps, f"{name}_p84") - middle]
        below[name], above[name] = (np.maximum(np.nan_to_num(side, posinf=0.0), 0.0) for side in sides)
        if name == "r_eff_pc":  # a limit is no measurement that could have been another
            below[name], above[name] = (
                np.where(base.clumps["r_eff_limit"], 0.0, side) for side in (below[name], above[name])
            )
        power = PER_MAGNIFICATION.get(name, 0.0)
        width = 0.5 * (below[name] + above[name])
        with np.errstate(divide="ignore", invalid="ignore"):
            if name in _LINEAR:
                width = width / base.clumps[name] / np.log(10.0)
            share = np.clip(np.nan_to_num(abs(power) * log_mu / width, posinf=0.0), 0.0, 1.0)
        shared[name] = (share, np.sign(power))
    return below, above, shared


def interval(value: float, draws: np.ndarray) -> tuple[float, float]:
    """68 % interval of a statistic: what drawing the sample anew does to it, taken off the value that was measured.

    Parameters
    ----------
    value : float
    draws : (n,) array
        The statistic of each realisation; NaN is left out.
    """
    draws = draws[np.isfinite(draws)]
    if not np.isfinite(value) or draws.size < _FEWEST_DRAWS:
        return np.nan, np.nan
    low, middle, high = np.percentile(draws, [16.0, 50.0, 84.0])
    return float(value - (middle - low)), float(value + (high - middle))
