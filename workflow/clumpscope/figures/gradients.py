"""Clump properties against galactocentric distance (C25 Fig. 13)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import Bin
from .columns import numbers, shown_range
from .settings import Settings
from .style import (
    MARKER_SIGNS,
    MARKERS,
    PAGE_INCH,
    draw_medians,
    empty,
    headroom,
    legend_above,
    new_figure,
    ordered_colours,
    plain_logarithms,
    signed,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
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
    """Draw clumps, medians by distance and slopes; products: ``population`` (positions, gradients, gradient_slopes)."""
    from matplotlib.ticker import FixedLocator

    tables = products["population"]
    positions, medians = tables["positions"], tables["gradients"]
    figure = new_figure(PAGE_INCH, 7.6)
    panels = figure.subplots(len(_ROWS), len(_COLUMNS), sharex=True, sharey="row")
    distance = numbers(positions, "distance_kpc")
    for row, (quantity, label) in enumerate(_ROWS.items()):
        values = numbers(positions, quantity)
        good = np.isfinite(distance) & np.isfinite(values)
        for axes, (by, (grouping, symbol)) in zip(panels[row], _COLUMNS.items(), strict=True):
            if not good.any():
                empty(axes)
                continue
            _draw_panel(axes, distance, np.where(good, values, np.nan), numbers(positions, grouping),
                        _of(medians, quantity, by), _of(tables["gradient_slopes"], quantity, by), symbol)  # fmt: skip
        panels[row, 0].set_ylabel(label)
        if good.any():
            panels[row, 0].set_ylim(shown_range(values) + np.array([-0.25, 0.25]))
            # Panels of a row share their axis: room for both once.
            headroom(panels[row, 0], 0.18)
    for axes in panels[-1]:
        axes.set_xlabel("galactocentric distance [kpc]")
    for axes in panels[0]:
        legend_above(axes, ncols=2)
    if np.isfinite(distance).any():
        panels[0, 0].set_xscale("symlog", linthresh=1.0, linscale=0.6)
        panels[0, 0].set_xlim(0, max(1.3 * np.nanmax(distance), 1.0))
        plain_logarithms(panels[0, 0].xaxis)
        panels[0, 0].xaxis.set_major_locator(FixedLocator([0, 0.5, 1, 2, 5, 10, 20, 50]))
        panels[0, 0].xaxis.set_minor_locator(FixedLocator([0.25, 0.75, 1.5, 3, 4, 6, 7, 8, 9, 15, 30, 40]))
    return figure, medians


def _of(table: Table, quantity: str, by: str) -> Table:
    return table[(np.asarray(table["quantity"], str) == quantity) & (np.asarray(table["by"], str) == by)]


def _draw_panel(
    axes: "Axes",
    distance: np.ndarray,
    values: np.ndarray,
    grouping: np.ndarray,
    medians: Table,
    slopes: Table,
    symbol: str,
) -> None:
    edges = list(dict.fromkeys((float(row["low"]), float(row["high"])) for row in medians))
    if not edges:
        empty(axes, "no clumps in these bins")
    places = zip(edges, ordered_colours(len(edges)), MARKERS, strict=False)
    for number, ((low, high), colour, marker) in enumerate(places):
        rows = (grouping >= low) & (grouping < high) & np.isfinite(values)
        if not rows.any():
            continue
        axes.scatter(
            distance[rows], values[rows], s=7, color=colour, marker=marker, alpha=0.55, lw=0, rasterized=True
        )
        own = medians[(medians["low"] == low) & (medians["high"] == high)]
        draw_medians(axes, numbers(own, "distance_kpc"), numbers(own, "median"),
                     [numbers(own, "err_lo"), numbers(own, "err_hi")], numbers(own, "n"), colour, marker,
                     Bin(low, high, rows).label(symbol))  # fmt: skip
        slope = slopes[(slopes["low"] == low) & (slopes["high"] == high)]
        if not len(slope) or not np.isfinite(slope["slope"][0]):
            continue
        ends = np.linspace(0.0, float(distance[rows].max()), 60)
        axes.plot(
            ends, slope["intercept"][0] + slope["slope"][0] * ends, color=colour, lw=0.8, ls="--", zorder=1
        )
        # Two columns of slopes, in the order of the legend above.
        words = rf"{MARKER_SIGNS[marker]} {signed(slope['slope'][0], '+.2f')} ± {slope['slope_err'][0]:.2f} dex kpc$^{{-1}}$"
        axes.text(
            0.03 + 0.5 * (number // 2),
            0.97 - 0.085 * (number % 2),
            words,
            transform=axes.transAxes,
            va="top",
            fontsize=6.5,
        )
