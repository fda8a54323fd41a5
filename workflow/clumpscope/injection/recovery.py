"""How well the injected clumps were measured: bias, scatter, pulls, failures."""

import numpy as np
from astropy.table import Table

from .completeness import flux_bins
from .environment import ENVIRONMENTS

__all__ = ["environment_table", "recovery_table"]

Array = np.ndarray
_STEP_DEX = 0.5
_SNR_JUDGED = 5.0
_FAR_OFF = (2.0, 5.0)  # a factor, and a number of errors
_NAMES = ("filter", "sigma_px", "depth_ratio_low", "depth_ratio_high", "n", "flux_ratio", "flux_ratio_err",
          "flux_scatter", "pull_median", "pull_width", "catastrophic", "resolved", "size_ratio",
          "size_scatter")  # fmt: skip


def recovery_table(injected: Table) -> Table:
    """Measured against true, of the injected clumps that were detected.

    Parameters
    ----------
    injected : Table
        Of `clumpscope.injection.inject.inject`.

    Returns
    -------
    Table
        filter (``reference``: by size and flux bin; else every filter over all clumps whose true flux there is above 5
        of their errors), sigma_px (NaN: every size), depth_ratio_low and depth_ratio_high; n; flux_ratio (median measured
        over true) and its standard error, flux_scatter (half of the 16-84 % range); pull_median and pull_width of (measured -
        true) / error; catastrophic (share without a flux, or off by more than a factor of two and more than 5
        errors); resolved (share with a measured size); size_ratio and size_scatter of those of clumps that have one.
    """
    detected = injected[np.asarray(injected["detected"], dtype=bool)]
    rows = []
    if len(detected):
        for sigma in (np.nan, *np.unique(injected["true_sigma_px"])):
            alike = np.ones(len(detected), bool) if np.isnan(sigma) else detected["true_sigma_px"] == sigma
            for low, high in flux_bins(injected, _STEP_DEX):
                own = detected[alike & (detected["depth_ratio"] >= low) & (detected["depth_ratio"] < high)]
                fluxes = own["flux_njy"], own["true_flux_njy"], own["flux_err_njy"]
                rows.append(("reference", float(sigma), low, high, *_numbers(*fluxes), *_sizes(own)))
        for name in _filters(detected):
            column = f"true_flux_{name}_njy"
            true, error = detected[column], detected[f"flux_{name}_err_njy"]
            own = detected[np.asarray(true > _SNR_JUDGED * error) & np.isfinite(error)]
            fluxes = own[f"flux_{name}_njy"], own[column], own[f"flux_{name}_err_njy"]
            rows.append((name, np.nan, np.nan, np.nan, *_numbers(*fluxes), np.nan, np.nan, np.nan))
    rows = [row for row in rows if row[4]]
    kinds = [str if name == "filter" else int if name == "n" else float for name in _NAMES]
    return Table(rows=rows or None, names=_NAMES, dtype=None if rows else kinds)


def environment_table(injected: Table) -> Table:
    """Measured against true, by filter and environment, of the injected clumps that were detected.

    Parameters
    ----------
    injected : Table
        Of `clumpscope.injection.inject.inject`, with those at hard places.

    Returns
    -------
    Table
        filter, environment (``all``, or one of `clumpscope.injection.environment.ENVIRONMENTS`), n (with a true flux above
        5 of their errors), flux_ratio to catastrophic as in `recovery_table`, share_68 and share_95 (of true fluxes within
        1 and 1.96 errors).
    """
    names = ["filter", "environment", *_NAMES[4:11], "share_68", "share_95"]
    detected = np.asarray(injected["detected"], dtype=bool)
    rows = []
    for name in _filters(injected):
        true, flux, error = (
            np.asarray(injected[column], dtype=float)
            for column in (f"true_flux_{name}_njy", f"flux_{name}_njy", f"flux_{name}_err_njy")
        )
        with np.errstate(invalid="ignore"):
            judged = detected & (true > _SNR_JUDGED * error)
        for environment in ("all", *ENVIRONMENTS):
            own = judged & ((environment == "all") | np.asarray(injected["environment"] == environment))
            if own.any():
                distance = np.abs(flux - true)[own] / error[own]
                shares = float(np.mean(distance < 1.0)), float(np.mean(distance < 1.96))
                rows.append((name, environment, *_numbers(flux[own], true[own], error[own]), *shares))
    kinds = [str, str, int, *[float] * (len(names) - 3)]
    return Table(rows=rows or None, names=names, dtype=kinds)


def _filters(injected: Table) -> list[str]:
    return [name.split("_")[2] for name in injected.colnames if name.startswith("true_flux_F")]


def _spread(values: Array) -> tuple[float, float]:
    """Median and half of the central 68 %; NaN without values."""
    values = values[np.isfinite(values)]
    if not values.size:
        return np.nan, np.nan
    low, middle, high = np.percentile(values, [15.87, 50.0, 84.13])
    return float(middle), float(high - low) / 2.0


def _numbers(measured: Array, true: Array, error: Array) -> tuple[float, ...]:
    measured, true, error = (np.asarray(v, dtype=float) for v in (measured, true, error))
    if not measured.size:
        return (0, *[np.nan] * 6)
    ratio, pull = measured / true, (measured - true) / error
    (middle, scatter), (offset, width) = _spread(ratio), _spread(pull)
    factor, far = _FAR_OFF
    off = (ratio > factor) | (ratio < 1.0 / factor)
    lost = ~np.isfinite(measured) | (off & (np.abs(pull) > far))
    # Standard error of a Gaussian sample's median.
    standard = np.sqrt(np.pi / 2.0) * scatter / np.sqrt(measured.size)
    return measured.size, middle, standard, scatter, offset, width, float(lost.mean())


def _sizes(own: Table) -> tuple[float, float, float]:
    if not len(own):
        return np.nan, np.nan, np.nan
    measured, true = np.asarray(own["sigma_px"], float), np.asarray(own["true_sigma_px"], float)
    resolved = measured > 0
    sized = resolved & (true > 0)
    return float(resolved.mean()), *_spread(measured[sized] / true[sized])
