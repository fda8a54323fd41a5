"""How often clumps are found, by flux, size and the light they lie on, and the flux above which they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from astropy.stats import binom_conf_interval
from astropy.table import Table

from ..flags import EXCLUDING, has
from .logistic import Logistic, fit_logistic

__all__ = [
    "LEVELS", "clump_limits", "completeness_limits", "completeness_table", "flux_bins", "found_by", "host_bins",
    "logistic_of",
]  # fmt: skip

Array = np.ndarray
LEVELS = (50, 80, 90)
"""Completenesses [%] whose fluxes are tabulated."""
CRITERIA = ("detected", "counted")
_STEP_DEX = 0.25
_N_HOST_BINS = 3


def found_by(injected: Table, min_broad_bands: int = 4) -> dict[str, Array]:
    """Which injected clumps were found, by two criteria.

    Parameters
    ----------
    injected : Table
        Of `clumpscope.injection.inject.inject`.
    min_broad_bands : int
        Broad bands with S/N > 3 that population statistics ask for.

    Returns
    -------
    dict of str to (n,) bool array
        ``detected``; and ``counted``: detected, measured without a flag that excludes, and in enough bands.
    """
    detected = np.asarray(injected["detected"], dtype=bool)
    good = ~np.asarray(has(injected["flags"], EXCLUDING)) & np.isfinite(injected["flux_njy"])
    bright = np.asarray(injected["n_bands_snr3"]) >= min_broad_bands
    return {"detected": detected, "counted": detected & good & bright}


def _variables(table: Table) -> Array:
    """What the logistic is a function of, (n, 3): logarithms of flux, size and host brightness, in shared units."""
    return np.column_stack(
        [
            np.log10(np.maximum(table["depth_ratio"], 1e-9)),
            np.log10(table["width"]),
            np.log10(1.0 + table["host_over_noise"]),
        ]
    )


def logistic_of(injected: Table, found: Array) -> Logistic:
    """Completeness as a function of log flux over depth, log width over the PSF's, and log (1 + host over noise)."""
    return fit_logistic(_variables(injected), found)


def flux_bins(injected: Table, step_dex: float = _STEP_DEX) -> list[tuple[float, float]]:
    """Bins of flux over depth, of about `step_dex`, from the faintest injected clump to just above the brightest."""
    ratio = np.asarray(injected["depth_ratio"], float)
    low, high = np.log10(ratio.min()), np.log10(ratio.max() * (1 + 1e-9))
    return list(pairwise(np.logspace(low, high, max(1, round((high - low) / step_dex)) + 1)))


def host_bins(injected: Table) -> list[tuple[float, float]]:
    """Three bins of host brightness over noise with equal numbers of clumps, the outermost open."""
    edges = np.quantile(injected["host_over_noise"], np.arange(1, _N_HOST_BINS) / _N_HOST_BINS)
    return list(pairwise([-np.inf, *np.unique(edges), np.inf]))


@dataclass(frozen=True)
class _Cell:
    """Clumps of one size (NaN: of every size) on one brightness of host (infinite: any)."""

    sigma_px: float
    low: float
    high: float
    rows: Array


def _cells(injected: Table) -> Iterator[_Cell]:
    """Everything; by size; by host; by both."""
    sizes = np.unique(injected["true_sigma_px"])
    host = np.asarray(injected["host_over_noise"])
    for sigma in (np.nan, *sizes):
        of_size = np.ones(len(injected), bool) if np.isnan(sigma) else injected["true_sigma_px"] == sigma
        for low, high in ((-np.inf, np.inf), *host_bins(injected)):
            yield _Cell(float(sigma), float(low), float(high), of_size & (host >= low) & (host < high))


def completeness_table(injected: Table, min_broad_bands: int = 4) -> Table:
    """Share of injected clumps that were found, in bins of flux, size and host brightness.

    Parameters
    ----------
    injected : Table
    min_broad_bands : int
        See `found_by`.

    Returns
    -------
    Table
        criterion, sigma_px (NaN: every size), host_low, host_high (over noise; infinite: any), depth_ratio_low,
        depth_ratio_high, n, n_found, completeness, its 68 % Wilson interval completeness_lo and completeness_hi, and
        model, the mean of the logistic over the same clumps.
    """
    rows = []
    for criterion, found in found_by(injected, min_broad_bands).items():
        model = logistic_of(injected, found).probability(_variables(injected))
        for cell in _cells(injected):
            for low, high in flux_bins(injected):
                inside = cell.rows & (injected["depth_ratio"] >= low) & (injected["depth_ratio"] < high)
                n, k = int(inside.sum()), int(found[inside].sum())
                if n:
                    interval = binom_conf_interval(k, n, interval="wilson")
                    rows.append((criterion, cell.sigma_px, cell.low, cell.high, low, high, n, k, k / n,
                                 *interval, float(model[inside].mean())))  # fmt: skip
    names = ["criterion", "sigma_px", "host_low", "host_high", "depth_ratio_low", "depth_ratio_high", "n", "n_found",
             "completeness", "completeness_lo", "completeness_hi", "model"]  # fmt: skip
    return Table(rows=rows, names=names)


def completeness_limits(injected: Table, min_broad_bands: int = 4) -> Table:
    """Fluxes of 50, 80 and 90 % completeness from the logistic, by filter, size and host brightness.

    Returns
    -------
    Table
        criterion, filter_ref, sigma_px, host_low, host_high, host_over_noise (median of the bin), and flux_50_njy,
        flux_50_err_njy, ... (standard errors of the fit; NaN where not reached); lapse (share missed however bright).
    """
    rows = []
    sizes = np.unique(injected["true_sigma_px"])
    host = np.asarray(injected["host_over_noise"])
    for criterion, found in found_by(injected, min_broad_bands).items():
        logistic = logistic_of(injected, found)
        for name in np.unique(injected["filter_ref"]):
            own = injected["filter_ref"] == name
            depth = float(np.median(injected["true_flux_njy"][own] / injected["depth_ratio"][own]))
            for sigma in sizes:
                alike = own & (injected["true_sigma_px"] == sigma)
                if not alike.any():
                    continue
                width = float(np.median(injected["width"][alike]))
                for low, high in ((-np.inf, np.inf), *host_bins(injected)):
                    typical = float(np.median(host[(host >= low) & (host < high)]))
                    others = np.array([[np.log10(width), np.log10(1.0 + typical)]])
                    fluxes = []
                    for level in LEVELS:
                        value, error = (float(v[0]) for v in logistic.level(level / 100, others))
                        fluxes += [depth * 10**value, depth * 10**value * np.log(10) * error]
                    rows.append((criterion, str(name), sigma, low, high, typical, *fluxes, logistic.lapse))
    names = ["criterion", "filter_ref", "sigma_px", "host_low", "host_high", "host_over_noise"]
    names += [f"flux_{level}{end}_njy" for level in LEVELS for end in ("", "_err")]
    names += ["lapse"]
    return Table(rows=rows, names=names)


def clump_limits(
    conditions: Table, injected: Table, completeness: float = 0.8, min_broad_bands: int = 4
) -> Table:
    """How faint each real clump could be and still be counted.

    Parameters
    ----------
    conditions : Table
        Of `clumpscope.injection.inject.clump_conditions`.
    injected : Table
    completeness : float
        At which the limit is stated.
    min_broad_bands : int
        See `found_by`.

    Returns
    -------
    Table
        The conditions with completeness (of clumps as this one); flux_complete_njy: the flux of a clump of its
        size and place at which a share of `completeness` is counted; flux_half_njy and width_dex: centre and width of the logistic
        in log flux (NaN where the share counted does not rise with flux).
    """
    table = conditions.copy()
    logistic = logistic_of(injected, found_by(injected, min_broad_bands)["counted"])
    variables = _variables(table)
    value, _ = logistic.level(completeness, variables[:, 1:])
    table["completeness"] = logistic.probability(variables)
    depth = table["flux_njy"] / table["depth_ratio"]
    table["flux_complete_njy"] = depth * 10**value
    half, _ = logistic.level(0.5 * (1.0 - logistic.lapse), variables[:, 1:])
    table["flux_half_njy"] = depth * 10**half
    table["width_dex"] = np.where(np.isfinite(half), 1.0 / logistic.coefficients[1], np.nan)
    return table
