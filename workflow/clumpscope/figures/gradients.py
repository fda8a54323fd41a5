"""Clump properties against galactocentric distance (C25 Fig. 13)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import Bin
from .columns import numbers
from .settings import Settings
from .style import MARKERS, PAGE_INCH, empty, new_figure, ordered_colours, plain_logarithms, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_ROWS = {
    "log_mass_fraction": r"$\log\,(M_\star / M_\mathrm{host})$",
    "log_age_mw_yr": r"$\log$ age [yr]",
    "log_sigma_mass": r"$\log\, \Sigma_{M}\ [M_\odot\,\mathrm{pc}^{-2}]$",
}
_COLUMNS = {"redshift": ("z", "z"), "host_mass": ("log_mass_host", r"$\log M_\mathrm{host}$")}


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw clumps and medians by distance; products: ``population`` (positions, gradients)."""
    positions, medians = products["population"]["positions"], products["population"]["gradients"]
    figure = new_figure(PAGE_INCH, 6.2)
    panels = figure.subplots(len(_ROWS), len(_COLUMNS), sharex=True, sharey="row")
    distance = numbers(positions, "distance_kpc")
    for row, (quantity, label) in enumerate(_ROWS.items()):
        values = numbers(positions, quantity)
        for column, (by, (grouping, symbol)) in enumerate(_COLUMNS.items()):
            axes = panels[row, column]
            good = np.isfinite(distance) & np.isfinite(values)
            if not good.any():
                empty(axes)
            chosen = medians[
                (np.asarray(medians["quantity"], str) == quantity) & (np.asarray(medians["by"], str) == by)
            ]
            _draw_panel(
                axes, distance, np.where(good, values, np.nan), numbers(positions, grouping), chosen, symbol
            )
            if column == 0:
                axes.set_ylabel(label)
    for axes in panels[-1]:
        axes.set_xlabel("galactocentric distance [kpc]")
    for axes, by in zip(panels[0], ("by redshift", "by host mass"), strict=True):
        axes.set_title(by)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(ncols=2, columnspacing=0.8, handletextpad=0.3, loc="lower left", fontsize=6.5)
    if np.isfinite(distance).any():
        panels[0, 0].set_xscale("symlog", linthresh=1.0, linscale=0.6)
        panels[0, 0].set_xlim(0, 1.3 * np.nanmax(distance))
        plain_logarithms(panels[0, 0].xaxis)
    return figure, medians


def _draw_panel(axes, distance, values, grouping, medians: Table, symbol: str) -> None:
    edges = list(dict.fromkeys((float(row["low"]), float(row["high"])) for row in medians))
    for (low, high), colour, marker in zip(edges, ordered_colours(len(edges)), MARKERS, strict=False):
        rows = (grouping >= low) & (grouping < high) & np.isfinite(values)
        if not rows.any():
            continue
        axes.scatter(distance[rows], values[rows], s=4, color=colour, alpha=0.25, lw=0)
        own = medians[(medians["low"] == low) & (medians["high"] == high) & (medians["n"] > 0)]
        bars = np.nan_to_num([numbers(own, "err_lo"), numbers(own, "err_hi")])
        axes.errorbar(
            numbers(own, "distance_kpc"), numbers(own, "median"), yerr=bars, color=colour, marker=marker, ms=4.5,
            mec="white", mew=0.5, lw=1, elinewidth=1, label=Bin(low, high, rows).label(symbol),
        )  # fmt: skip
