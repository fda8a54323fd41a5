"""How much wider than their errors injected fluxes scatter, as a smooth function of signal-to-noise and host."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import scipy
from astropy.table import Table
from scipy.special import expit

from ..flags import bit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["correct_errors", "draw_error_model", "error_factors", "fit_error_model"]

Array = np.ndarray
_TERMS = ("constant", "log_snr", "log_host")
# Gaussian priors on the terms [natural logarithm of the width, per unit of the variable]: widths of 1 without information.
_PRIOR = np.array([0.3, 0.3, 0.3])
# The width is that of the central 68.27 % of the pulls, whatever the rest does: a quantile of their sizes.
_QUANTILE = 0.6827
# Density of ln |pull| there, if pulls are Gaussian, and with it the variance of the quantile of one of them.
_DENSITY = 0.484
_VARIANCE = _QUANTILE * (1.0 - _QUANTILE) / _DENSITY**2
# Over this much of ln |pull| the loss's kink is rounded.
_SMOOTH = 0.1
# Standard deviations by which a width must lie below 1 for errors to shrink at all.
_SIGNIFICANT = 2.0
_MIDDLE_SNR = 10.0
# Host over noise that parts the picture's two groups.
_SPLIT = 1.0
# Of the flag low_snr.
_LOW_SNR = 3.0


def _variables(snr: Array, host_snr: Array) -> Array:
    """Terms of the logarithm of the width, (n, 3): 1, log10 of S/N over 10, log10 of 1 + host over noise."""
    snr, host_snr = np.nan_to_num(snr, nan=_MIDDLE_SNR), np.nan_to_num(host_snr)
    return np.column_stack([
        np.ones(len(snr)), np.clip(np.log10(np.maximum(snr, 1e-3) / _MIDDLE_SNR), -1.0, 1.0), np.log10(1.0 + host_snr)
    ])  # fmt: skip


def fit_error_model(injected: Table, filters: Sequence[str]) -> Table:
    """Width of the pulls of every filter's fluxes.

    Parameters
    ----------
    injected : Table
        Of `clumpscope.injection.inject.inject`, all galaxies of a field.
    filters : sequence of str

    Returns
    -------
    Table
        filter, n (clumps used: detected, with a flux), the terms constant, log_snr, log_host of

            ln(width) = constant + log_snr log10(S/N / 10) + log_host log10(1 + host over noise),

        S/N as measured, within 1 to 100, and term_covariance (3, 3). Most probable values with Gaussian priors around 0
        (standard deviation 0.3): a quantile regression (Koenker & Bassett 1978, Econometrica 46, 33) of ln |pull|.
    """
    detected = np.asarray(injected["detected"], dtype=bool)
    rows = []
    for name in filters:
        true, flux, error, host = (
            np.asarray(injected[column], dtype=float)
            for column in (
                f"true_flux_{name}_njy",
                f"flux_{name}_njy",
                f"flux_{name}_err_njy",
                f"host_snr_{name}",
            )
        )
        used = detected & np.isfinite(flux) & (error > 0)
        terms, covariance = _fit(
            (flux - true)[used] / error[used], _variables(flux[used] / error[used], host[used])
        )
        rows.append((name, int(used.sum()), *terms, covariance))
    return Table(rows=rows, names=["filter", "n", *_TERMS, "term_covariance"])


def _fit(pull: Array, variables: Array) -> tuple[Array, Array]:
    """Terms and their covariance."""
    size = np.log(np.maximum(np.abs(pull), 1e-6))

    def loss(terms: Array) -> tuple[float, Array]:
        above = (size - variables @ terms) / _SMOOTH
        value = _SMOOTH * np.sum(_QUANTILE * above + np.logaddexp(0.0, -above))
        slope = (expit(-above) - _QUANTILE) @ variables
        # In units in which the curvature is the information that the sample has.
        scale = 1.0 / (_DENSITY * _VARIANCE)
        return scale * value + 0.5 * np.sum((terms / _PRIOR) ** 2), scale * slope + terms / _PRIOR**2

    terms = scipy.optimize.minimize(loss, np.zeros(3), jac=True, method="BFGS").x
    return terms, np.linalg.inv(variables.T @ variables / _VARIANCE + np.diag(_PRIOR**-2))


def error_factors(row: Table.Row, snr: Array, host_snr: Array) -> Array:
    """Factors for the errors of one filter.

    Parameters
    ----------
    row : Table.Row
        Of `fit_error_model`.
    snr, host_snr : (n,) arrays
        Flux over its error; diffuse light per pixel over the noise of a pixel.

    Returns
    -------
    (n,) array
        The width where it is above 1; below, only what two standard deviations of it leave.
    """
    variables = _variables(np.asarray(snr, float), np.asarray(host_snr, float))
    log_width = variables @ np.array([row[name] for name in _TERMS])
    spread = np.sqrt(np.einsum("ni,ij,nj->n", variables, np.asarray(row["term_covariance"]), variables))
    return np.exp(np.maximum(log_width, 0.0) + np.minimum(log_width + _SIGNIFICANT * spread, 0.0))


def correct_errors(photometry: Table, conditions: Table, model: Table) -> Table:
    """Photometry with the errors that injected clumps ask for.

    Parameters
    ----------
    photometry : Table
        Of `clumpscope.photometry.galaxy.measure_galaxy`.
    conditions : Table
        Of `clumpscope.injection.inject.clump_conditions`, of the same clumps in the same order.
    model : Table
        Of `fit_error_model`.
    """
    table = photometry.copy()
    for row in model:
        name = row["filter"]
        flux, error = (np.asarray(photometry[f"flux_{name}{end}_njy"], dtype=float) for end in ("", "_err"))
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = error_factors(row, flux / error, conditions[f"host_snr_{name}"])
        for column in (f"flux_{name}_{end}_njy" for end in ("err", "err_lo", "err_hi")):
            if column in table.colnames:
                table[column] = np.asarray(photometry[column], dtype=float) * factor
        if (common := f"flux_{name}_common_njy") in table.colnames:
            # What is more is the filter's own; what is common is never more than the whole.
            table[common] = np.asarray(photometry[common], float) * np.minimum(factor, 1.0)[:, None]
        own = np.asarray(photometry["filter_ref"] == name)
        table["snr"][own] = (np.asarray(photometry["snr"], float) / factor)[own]
        table["flags"][own & (table["snr"] < _LOW_SNR)] |= bit("low_snr")
    return table


def draw_error_model(model: Table, injected: Table) -> "Figure":
    """Draw, one panel a filter, the pulls of faint and bright hosts' clumps, and the factors of both against S/N.

    Parameters
    ----------
    model : Table
        Of `fit_error_model`.
    injected : Table
        That it was fitted to.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.4 * len(model), 3.2), layout="constrained")
    snr = np.logspace(0.0, 2.5, 60)
    detected = injected[np.asarray(injected["detected"], dtype=bool)]
    for axis, row in zip(np.atleast_1d(figure.subplots(1, len(model), sharey=True)), model, strict=True):
        true, flux, error, host = (
            np.asarray(detected[column.format(row["filter"])], dtype=float)
            for column in ("true_flux_{}_njy", "flux_{}_njy", "flux_{}_err_njy", "host_snr_{}")
        )
        for colour, rows in (("tab:blue", host < _SPLIT), ("tab:red", host >= _SPLIT)):
            middle = float(np.median(host[rows])) if rows.any() else 0.0
            axis.plot((flux / error)[rows], np.abs((flux - true) / error)[rows], ".", ms=2, color=colour)
            axis.plot(snr, error_factors(row, snr, np.full(snr.size, middle)), color=colour,
                      label=f"host {middle:.1f} of the noise")  # fmt: skip
        axis.set(
            xscale="log", yscale="log", xlim=(1, 300), ylim=(0.03, 30), xlabel="S/N", title=row["filter"]
        )
        axis.axhline(1.0, color="0.6", lw=0.6)
        axis.legend(fontsize=6)
    figure.axes[0].set_ylabel("|measured - true| / error; factor")
    return figure
