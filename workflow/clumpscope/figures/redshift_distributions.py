"""Distributions of clump properties in redshift bins (C25 Fig. 11)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import edge_bins
from ..population.sample import has_size
from ..population.statistics import median
from .columns import numbers, shown, shown_range, with_columns
from .settings import Settings
from .style import PAGE_INCH, empty, headroom, new_figure, ordered_colours, signed, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_N_HISTOGRAM_BINS = 20


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw one row a redshift bin, one column a property; products: ``catalogue``."""
    clumps = shown(products["catalogue"], settings)
    sized = has_size(clumps)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_radius = np.log10(numbers(clumps, "r_eff_pc"))
    quantities = [
        (r"$\log$ age [yr]", numbers(clumps, "log_age_mw_yr_p50")),
        (r"$\log\, M_\star\ [M_\odot]$", numbers(clumps, "log_mass_p50")),
        (r"$\log\, \mathrm{SFR}_{10}\ [M_\odot/\mathrm{yr}]$", numbers(clumps, "log_sfr10_p50")),
        (r"$\log\, R_\mathrm{eff}$ [pc]", np.where(sized, log_radius, np.nan)),
        (r"$A_V$ [mag]", numbers(clumps, "a_v_p50")),
        (r"$\log\, Z / Z_\odot$", numbers(clumps, "log_z_zsun_p50")),
    ]
    groups = edge_bins(numbers(clumps, "z"), settings.redshift_bins)
    colours = ordered_colours(len(groups))
    figure = new_figure(PAGE_INCH, 0.6 + 1.15 * len(groups))
    panels = figure.subplots(len(groups), len(quantities), sharex="col", squeeze=False)
    for column, (label, values) in enumerate(quantities):
        inside = np.any([group.rows for group in groups], axis=0)
        known = values[np.isfinite(values) & inside]
        edges = np.linspace(*shown_range(known), _N_HISTOGRAM_BINS + 1) if known.size else None
        panels[-1, column].set_xlabel(label)
        for row, (group, colour) in enumerate(zip(groups, colours, strict=True)):
            own = values[group.rows & np.isfinite(values)]
            _draw_panel(panels[row, column], own, edges, colour)
            if column == 0:
                panels[row, 0].set_ylabel("clumps")
    for row, group in enumerate(groups):
        panels[row, 0].set_title(
            f"{group.label('z')}: {group.rows.sum()} clumps", loc="left", fontsize=7.5, pad=3
        )
    names = [
        "id",
        "galaxy",
        "z",
        "log_age_mw_yr_p50",
        "log_mass_p50",
        "log_sfr10_p50",
        "r_eff_pc",
        "r_eff_limit",
        "a_v_p50",
        "log_z_zsun_p50",
    ]
    return figure, with_columns(clumps, names)


def _draw_panel(panel, values: np.ndarray, edges: np.ndarray | None, colour: str) -> None:
    panel.tick_params(which="minor", left=False, right=False)
    if edges is None or not values.size:
        empty(panel, "none")
        panel.set_yticks([])
        return
    # What lies beyond is counted in the outermost bins.
    panel.hist(np.clip(values, edges[0], edges[-1]), edges, color=colour, alpha=0.75, lw=0)
    middle = median(values)
    panel.axvline(middle.value, color="black", lw=1, ls="--")
    if np.isfinite(middle.err_lo):
        panel.axvspan(
            middle.value - middle.err_lo, middle.value + middle.err_hi, color="black", alpha=0.15, lw=0
        )
    headroom(panel, 0.26)
    panel.text(0.95, 0.93, signed(middle.value), transform=panel.transAxes, ha="right", va="top", fontsize=7)
    panel.yaxis.set_major_locator(_integers())


def _integers():
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=3, integer=True)
