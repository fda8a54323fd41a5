"""Cumulative mass functions N(> M) and their slopes (C25 section 5.4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from .bins import REDSHIFT_EDGES, Bin, edge_bins, equal_number_bins
from .mass_likelihood import LAWS, Sample, fit_mass_function

__all__ = ["PowerLaw", "cumulative", "likelihood_fits", "mass_functions", "power_law", "turnover"]

_MIN_CLUMPS = 5  # fewer do not give a slope
_TURNOVER_STEP = 0.1  # dex
_MARGIN = 0.3  # dex above the turnover
_N_MAGNIFICATION_BINS = 3
_LIMIT_SHARE = 0.9


@dataclass(frozen=True)
class PowerLaw:
    """N(> M) proportional to M^slope above a limit.

    Attributes
    ----------
    slope, slope_err : float
        Of the cumulative function; the differential dN/dM has slope - 1. NaN with fewer than five clumps.
    log_mass_limit : float
        log10 of the limit.
    n : int
        Clumps above it.
    """

    slope: float
    slope_err: float
    log_mass_limit: float
    n: int


def power_law(log_mass: np.ndarray, log_mass_limit: float) -> PowerLaw:
    """Slope by maximum likelihood (Crawford et al. 1970), free of its bias.

    Parameters
    ----------
    log_mass : (n,) array
        log10 masses; those below the limit, and NaN, are left out.
    log_mass_limit : float
        log10 of the mass above which the sample is complete.

    Notes
    -----
    With s = sum ln(M_i / M_limit) over n clumps, (n - 1) / s is unbiased and its standard deviation is the
    true value over sqrt(n - 2). Errors of the masses are not taken out: symmetric ones in log M leave the slope of
    a power law unchanged, except next to the limit.
    """
    log_mass = np.asarray(log_mass, float)
    above = log_mass[log_mass >= log_mass_limit]
    n = above.size
    total = float(np.sum(above - log_mass_limit) * np.log(10.0))
    if n < _MIN_CLUMPS or total <= 0:
        return PowerLaw(np.nan, np.nan, float(log_mass_limit), n)
    slope = (n - 1) / total
    return PowerLaw(-slope, slope / np.sqrt(n - 2), float(log_mass_limit), n)


def turnover(log_mass: np.ndarray) -> float:
    """Most frequent log10 mass, where incompleteness begins to hide the power law.

    Notes
    -----
    The maximum of a Gaussian kernel density estimate (Scott's width), on steps of 0.1 dex. NaN below five values.
    """
    values = np.asarray(log_mass, float)
    values = values[np.isfinite(values)]
    if values.size < _MIN_CLUMPS or np.ptp(values) == 0:
        return np.nan
    width = values.std(ddof=1) * values.size**-0.2
    grid = np.arange(np.floor(values.min() * 10) / 10, values.max() + _TURNOVER_STEP, _TURNOVER_STEP)
    density = np.exp(-0.5 * ((grid[:, None] - values) / width) ** 2).sum(axis=1)
    return float(np.round(grid[np.argmax(density)], 1))


def cumulative(log_mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masses in rising order and the number of clumps at least as massive as each."""
    values = np.asarray(log_mass, float)
    values = np.sort(values[np.isfinite(values)])
    return values, np.arange(values.size, 0, -1)


def _limit(clumps: Table, given: float | None, share: float) -> tuple[float, str]:
    """log10 completeness limit of a bin, and where it comes from."""
    if given is not None:
        return given, "given"
    if "log_mass_complete" in clumps.colnames:
        complete = np.asarray(clumps["log_mass_complete"], float)
        complete = complete[np.isfinite(complete)]
        if complete.size >= _MIN_CLUMPS:
            return float(np.quantile(complete, share)), "injection"
    return turnover(clumps["log_mass_p50"]) + _MARGIN, "turnover"


def _groups(
    clumps: Table, redshift_edges: Sequence[float], n_magnification_bins: int
) -> list[tuple[str, Bin]]:
    """All clumps together, by redshift, and by magnification."""
    groups = [("all", Bin(-np.inf, np.inf, np.ones(len(clumps), dtype=bool)))]
    groups += [("redshift", b) for b in edge_bins(clumps["z"], redshift_edges)]
    groups += [("magnification", b) for b in equal_number_bins(clumps["mu"], n_magnification_bins)]
    return groups


def mass_functions(
    clumps: Table,
    redshift_edges: Sequence[float] = REDSHIFT_EDGES,
    log_mass_limit: float | None = None,
    n_magnification_bins: int = _N_MAGNIFICATION_BINS,
    limit_share: float = _LIMIT_SHARE,
) -> tuple[Table, Table]:
    """Mass functions of all clumps, per redshift bin and per magnification bin.

    Parameters
    ----------
    clumps : Table
        z, mu, log_mass_p50 of the clumps that count (`clumpscope.population.sample`); where clumps were injected also
        log_mass_complete, log10 of the mass at which each would be at the limit of completeness.
    redshift_edges : sequence of float
        Edges of the redshift bins.
    log_mass_limit : float, optional
        Completeness limit of every bin; without it the one from injected clumps, and without these 0.3 dex above
        the bin's `turnover`.
    n_magnification_bins : int
        Magnification bins, with equal numbers of clumps.
    limit_share : float
        Share of a bin's clumps whose log_mass_complete is below the bin's limit (Pozzetti et al. 2010, section 5.2).

    Returns
    -------
    points : Table
        by (``all``, ``redshift`` or ``magnification``), low, high, log_mass, n_above.
    slopes : Table
        by, low, high, n, log_mass_limit, limit_source (``given``, ``injection`` or ``turnover``), n_above_limit, slope, slope_err.

    Notes
    -----
    A clump's limiting mass is its own mass times its limiting over its own flux: at its mass-to-light ratio, redshift and
    magnification. Clumps too faint to be found have none, which lets the limit come out low where these differ much: with
    mass-to-light ratios that scatter by 0.1, 0.3 or 0.5 dex, a share of 0.9 at a completeness of 0.8 makes limits at which 0.9, 0.8 or
    0.65 of the clumps are found, and a slope of -1 comes out as -0.97, -0.94 or -0.89. The turnover is no measured completeness:
    where a logistic detection rate of width 0.1 or 0.2 dex hides a slope of -1, the limit 0.3 dex above it gives -0.99
    or -0.96; a width of 0.4 dex gives -0.6.
    """
    mass = np.asarray(clumps["log_mass_p50"], float)
    groups = _groups(clumps, redshift_edges, n_magnification_bins)
    points, slopes = [], []
    for kind, group in groups:
        masses, counts = cumulative(mass[group.rows])
        points += [(kind, group.low, group.high, m, int(n)) for m, n in zip(masses, counts, strict=True)]
        limit, source = _limit(clumps[group.rows], log_mass_limit, limit_share)
        fit = power_law(masses, limit)
        slopes.append(
            (kind, group.low, group.high, masses.size, limit, source, fit.n, fit.slope, fit.slope_err)
        )
    number, word, count = float, "U13", int
    return (
        Table(
            rows=points or None,
            names=["by", "low", "high", "log_mass", "n_above"],
            dtype=[word, number, number, number, count],
        ),
        Table(
            rows=slopes,
            names=[
                "by",
                "low",
                "high",
                "n",
                "log_mass_limit",
                "limit_source",
                "n_above_limit",
                "slope",
                "slope_err",
            ],
            dtype=[word, number, number, count, number, word, count, number, number],
        ),
    )


def likelihood_fits(
    clumps: Table,
    slopes: Table,
    redshift_edges: Sequence[float] = REDSHIFT_EDGES,
    n_magnification_bins: int = _N_MAGNIFICATION_BINS,
) -> Table:
    """Every law of every group by full likelihood, beside C25's way in `mass_functions`.

    Parameters
    ----------
    clumps : Table
        As of `mass_functions`, with log_mass_p16 and log_mass_p84 (errors of fit and magnification); where clumps were injected also
        log_mass_half and width_dex, each clump's own completeness.
    slopes : Table
        Of `mass_functions`: the limits of groups that have no injected clumps, and of those with a given limit.
    redshift_edges : sequence of float
    n_magnification_bins : int

    Returns
    -------
    Table
        by, low, high, law, limit_source, n_fitted, alpha, log_mass_cut, log_mass_break and beta with errors, aic,
        log_bayes_factor (over the power law).
    """
    middle = np.asarray(clumps["log_mass_p50"], float)
    below, above = (
        middle - np.asarray(clumps["log_mass_p16"], float),
        np.asarray(clumps["log_mass_p84"], float) - middle,
    )
    rows = []
    parameters = [
        f"{name}{end}"
        for name in ("alpha", "log_mass_cut", "log_mass_break", "beta")
        for end in ("", "_err_lo", "_err_hi")
    ]
    groups = _groups(clumps, redshift_edges, n_magnification_bins)
    for (kind, group), slope in zip(groups, slopes, strict=True):
        own, source = group.rows, str(slope["limit_source"])
        injected = source == "injection" and "log_mass_half" in clumps.colnames
        if injected:
            limit, width = (np.asarray(clumps[name], float)[own] for name in ("log_mass_half", "width_dex"))
        else:
            limit, width = np.full(own.sum(), float(slope["log_mass_limit"])), np.zeros(own.sum())
        sample = Sample(middle[own], below[own], above[own], limit, width, shared=injected)
        fits = {law: fit_mass_function(sample, law) for law in LAWS}
        for law, fit in fits.items():
            numbers = (getattr(fit, name) for name in parameters)
            rows.append((kind, group.low, group.high, law, source, fit.n, *numbers, fit.aic,
                         fit.log_evidence - fits["power_law"].log_evidence))  # fmt: skip
    names = ["by", "low", "high", "law", "limit_source", "n_fitted"]
    names += [*parameters, "aic", "log_bayes_factor"]
    kinds = ["U13", float, float, "U10", "U13", int, *[float] * (len(parameters) + 2)]
    return Table(rows=rows, names=names, dtype=kinds)
