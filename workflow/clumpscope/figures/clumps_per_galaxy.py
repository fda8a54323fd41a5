"""Clumps per galaxy by redshift (C25 Fig. 4)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import edge_bins
from .columns import numbers, shown
from .settings import Settings
from .style import COLUMN_INCH, empty, new_figure, ordered_colours, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_MOST_BARS = 20


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw how many galaxies have so many clumps; products: ``catalogue``."""
    clumps = shown(products["catalogue"], settings)
    names, first, counts = np.unique(np.asarray(clumps["galaxy"], str), return_index=True, return_counts=True)
    table = Table({"galaxy": names, "z": numbers(clumps, "z")[first], "n_clumps": counts})
    figure = new_figure(COLUMN_INCH, 3.0)
    axes = figure.subplots()
    axes.set(xlabel="clumps in a galaxy", ylabel="galaxies")
    groups = edge_bins(numbers(table, "z"), settings.redshift_bins)
    if not any(group.rows.any() for group in groups):
        empty(axes)
        return figure, table
    inside = counts[np.any([group.rows for group in groups], axis=0)]
    # Bars of several numbers of clumps where those of one would be hairlines.
    step = int(np.ceil(inside.max() / _MOST_BARS))
    first = np.arange(1, inside.max() + 1, step)
    coloured = zip(groups, ordered_colours(len(groups)), strict=True)
    drawn = [(group, colour) for group, colour in coloured if group.rows.any()]
    width = 0.8 * step / len(drawn)
    for number, (group, colour) in enumerate(drawn):
        own = counts[group.rows]
        galaxies = [int(((own >= low) & (own < low + step)).sum()) for low in first]
        label = f"{group.label('z')}: {own.sum()} in {own.size}"
        place = first + 0.5 * (step - 1) + (number - 0.5 * (len(drawn) - 1)) * width
        axes.bar(place, galaxies, width, color=colour, ec="white", lw=0.3, label=label)
    axes.set(xlim=(0.5, first[-1] + step - 0.5), ylim=(0, None))
    axes.locator_params(integer=True, min_n_ticks=1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(_none())
    figure.legend(loc="outside upper center", ncols=2, title="clumps in galaxies", title_fontsize=7)
    return figure, table


def _none():
    from matplotlib.ticker import NullLocator

    return NullLocator()
