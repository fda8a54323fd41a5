"""Rest-frame B - I against the absolute I magnitude of star clusters, in the Vega system (F22 Fig. 8)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import numbers, shown
from .settings import Settings
from .style import COLUMN_INCH, GREY, PALETTE, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "rest_magnitudes"]

_EDGE = 0.6  # mag beyond the 1 and 99 % of the points


def rest_magnitudes(library: str, clumps: Table, ssp: Table) -> Table:
    """Rest-frame magnitudes of the best dust-free SSP of every clump.

    Parameters
    ----------
    library : str
        SSP library.
    clumps : Table
        id, z, mu.
    ssp : Table
        id, best_log_mass_formed, best_log_age_yr, best_log_z_zsun (not divided by the magnification).

    Returns
    -------
    Table
        id, m_b_vega, m_i_vega (intrinsic), b_i_vega, best_log_age_yr; NaN for clumps without a fit.
    """
    from ..sed.models.photometry import (
        PhotometryModel,
    )  # compiled code and a library that only figures of clusters need

    fits = {str(row["id"]): row for row in ssp}
    names = ("log_mass_formed", "log_age_yr", "log_z_zsun")
    missing = (np.nan,) * 3
    best = np.array(
        [
            [float(fits[str(one)][f"best_{n}"]) for n in names] if str(one) in fits else missing
            for one in clumps["id"]
        ]
    )
    best = best.reshape(len(clumps), 3)
    redshift = numbers(clumps, "z")
    found = {name: np.full(len(clumps), np.nan) for name in ("m_b_vega", "m_i_vega")}
    for z in np.unique(redshift[np.isfinite(best).all(axis=1) & (redshift > 0)]):
        rows = (redshift == z) & np.isfinite(best).all(axis=1)
        model = PhotometryModel(library, ("F200W",), float(z), "ssp", nebular=False)
        values = dict(zip(names, best[rows].T, strict=True)) | {
            "a_v": np.zeros(rows.sum()),
            "log_u": np.full(rows.sum(), -3.0),
        }
        derived = model.derived(np.column_stack([values[name] for name in model.parameters]))
        for name in found:
            found[name][rows] = derived[name]
    with np.errstate(invalid="ignore", divide="ignore"):
        dimmer = 2.5 * np.log10(numbers(clumps, "mu")) if "mu" in clumps.colnames else 0.0
    table = {"id": np.asarray(clumps["id"], str)} | {name: values + dimmer for name, values in found.items()}
    return Table(table | {"b_i_vega": found["m_b_vega"] - found["m_i_vega"], "best_log_age_yr": best[:, 1]})


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw colour and magnitude, coloured by age, with the medians; products: ``catalogue``, ``ssp_fits``."""
    figure = new_figure(COLUMN_INCH, 3.2)
    axes = figure.subplots()
    axes.set(xlabel=r"$B - I$ [Vega mag]", ylabel=r"$M_I$ [Vega mag]")
    catalogue, ssp = shown(products["catalogue"], settings, 0), products["ssp_fits"]
    if not len(catalogue):
        empty(axes, "no clusters in a grid of SSPs")
        return figure, Table({name: np.empty(0) for name in ("m_i_vega", "b_i_vega")})
    table = rest_magnitudes(settings.library, catalogue, ssp)
    x, y = numbers(table, "b_i_vega"), numbers(table, "m_i_vega")
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        empty(axes, "no clusters in a grid of SSPs")
        return figure, table
    ages = numbers(table, "best_log_age_yr")[known]
    points = axes.scatter(
        x[known], y[known], c=10 ** (ages - 9), s=13, cmap="viridis_r", edgecolors=GREY, lw=0.3
    )
    figure.colorbar(points, ax=axes, label="age of the best model [Gyr]", location="top", pad=0.02, aspect=30)
    middle = np.median(x[known]), np.median(y[known])
    axes.plot(
        *middle,
        marker="*",
        ms=11,
        color=PALETTE[1],
        mec="white",
        mew=0.7,
        ls="none",
        label=f"median ({known.sum()})",
    )
    low, high = np.percentile(y[known], [1, 99])
    axes.set_ylim(high + _EDGE, low - _EDGE)
    left, right = np.percentile(x[known], [0, 100])
    axes.set_xlim(left - 0.15, right + 0.15)
    axes.legend(loc="lower left")
    return figure, table
