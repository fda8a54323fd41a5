"""Masses and specific star-formation rates of the host galaxies by redshift (C25 Fig. 10)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import edge_bins
from ..population.statistics import median
from .columns import numbers, shown_range
from .settings import Settings
from .style import PAGE_INCH, empty, headroom, new_figure, ordered_colours, signed, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_PANELS = {
    "log_mass_host": r"$\log\, M_\mathrm{host}\ [M_\odot]$",
    "log_ssfr": r"$\log\,$sSFR$_{100}\ [\mathrm{yr}^{-1}]$",
}
_N_HISTOGRAM_BINS = 14
_LEAST = 3  # galaxies that have a median worth drawing


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw one row a redshift bin; products: ``population`` (host_relations)."""
    hosts = products["population"]["host_relations"]
    groups = edge_bins(numbers(hosts, "z"), settings.redshift_bins)
    figure = new_figure(PAGE_INCH, 0.6 + 1.05 * len(groups))
    panels = figure.subplots(len(groups), len(_PANELS), sharex="col", squeeze=False)
    for column, (name, label) in enumerate(_PANELS.items()):
        values = numbers(hosts, name)
        inside = np.isfinite(values) & np.any([group.rows for group in groups], axis=0)
        panels[-1, column].set_xlabel(label)
        edges = np.linspace(*shown_range(values[inside]), _N_HISTOGRAM_BINS + 1) if inside.any() else None
        for axes, group, colour in zip(panels[:, column], groups, ordered_colours(len(groups)), strict=True):
            own = values[inside & group.rows]
            if not own.size:
                empty(axes, "no hosts")
                axes.set_yticks([])
                continue
            # The outermost bins also count what lies beyond them.
            axes.hist(np.clip(own, edges[0], edges[-1]), edges, color=colour, alpha=0.75, lw=0)
            middle = median(own)
            if middle.n >= _LEAST:
                axes.axvline(middle.value, color="black", lw=1, ls="--")
                axes.axvspan(
                    middle.value - middle.err_lo,
                    middle.value + middle.err_hi,
                    color="black",
                    alpha=0.15,
                    lw=0,
                )
            headroom(axes, 0.26)
            axes.text(
                0.97,
                0.92,
                signed(middle.value),
                transform=axes.transAxes,
                ha="right",
                va="top",
                fontsize=7,
            )
            axes.yaxis.get_major_locator().set_params(integer=True, nbins=3)
            axes.tick_params(axis="y", which="minor", left=False, right=False)
    for axes, group in zip(panels[:, 0], groups, strict=True):
        axes.set_ylabel("galaxies")
        n = int(group.rows.sum())
        words = f"{group.label('z')}: {n} {'galaxy' if n == 1 else 'galaxies'}"
        axes.set_title(words, loc="left", fontsize=7.5, pad=3)
    return figure, hosts
