"""Injected clumps: how often they are found, and how well they are measured."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import Bin
from .columns import numbers
from .settings import Settings
from .style import GREY, MARKERS, PAGE_INCH, PALETTE, empty, legend_above, new_figure, ordered_colours, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_MIN_CLUMPS = 5  # fewer say nothing of a scatter
_FLUX = "flux / point-source limit"


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw completeness by size, host and criterion, and flux ratio, pulls and size ratio; products: ``injection``."""
    cells, recovery = products["injection"]["completeness"], products["injection"]["recovery"]
    figure = new_figure(PAGE_INCH, 5.0)
    panels = figure.subplots(2, 3, sharex=True)
    for axes in panels.ravel():
        axes.set_xscale("log")
    for axes in panels[1]:
        axes.set_xlabel(_FLUX)
    if not len(cells):
        empty(list(panels.ravel()), "no injected clumps")
        return figure, cells
    sizes, hosts = np.isfinite(numbers(cells, "sigma_px")), _bounded(cells)
    detected = np.asarray(cells["criterion"], str) == "detected"
    widths = np.unique(numbers(cells, "sigma_px")[sizes])
    colours = dict(zip(widths, ordered_colours(len(widths)), strict=True))

    for sigma, marker in zip(widths, MARKERS, strict=False):
        rows = cells[detected & ~hosts & (numbers(cells, "sigma_px") == sigma)]
        _draw_share(panels[0, 0], rows, colours[sigma], marker, _size_label(sigma))
    edges = sorted({(float(r["host_low"]), float(r["host_high"])) for r in cells[hosts]})
    for (low, high), colour, marker in zip(edges, PALETTE, MARKERS, strict=False):
        rows = cells[detected & ~sizes & (cells["host_low"] == low) & (cells["host_high"] == high)]
        label = Bin(low, high, np.empty(0)).label("host / noise")
        _draw_share(panels[0, 1], rows, colour, marker, label)
    for criterion, colour, marker in zip(("detected", "counted"), PALETTE, MARKERS, strict=False):
        rows = cells[(np.asarray(cells["criterion"], str) == criterion) & ~sizes & ~hosts]
        _draw_share(panels[0, 2], rows, colour, marker, criterion)
    titles = ("detected, by size", "detected, by host brightness", "detected, and counted")
    for axes, title in zip(panels[0], titles, strict=True):
        axes.set(ylim=(-0.04, 1.04))
        legend_above(axes, ncols=1, fontsize=6.3, title=title, title_fontsize=8)
    panels[0, 0].set_ylabel("completeness")
    _draw_recovery(panels[1], recovery, colours)
    return figure, cells


def _bounded(cells: Table) -> np.ndarray:
    return np.isfinite(numbers(cells, "host_low")) | np.isfinite(numbers(cells, "host_high"))


def _size_label(sigma: float) -> str:
    return rf"$\sigma = {sigma:g}$ px" if sigma > 0 else "point source"


def _middle(rows: Table) -> np.ndarray:
    return np.sqrt(numbers(rows, "depth_ratio_low") * numbers(rows, "depth_ratio_high"))


def _draw_share(axes: "Axes", rows: Table, colour: str, marker: str, label: str) -> None:
    """Shares with their intervals, and the logistic's mean over the same clumps."""
    share = numbers(rows, "completeness")
    # Rounding can put an end of the interval a hair on the wrong side.
    bars = np.maximum([share - numbers(rows, "completeness_lo"), numbers(rows, "completeness_hi") - share], 0)
    axes.errorbar(
        _middle(rows), share, bars, color=colour, marker=marker, ms=4, ls="", elinewidth=0.8, label=label
    )
    # A mean over the clumps of a bin, not a value at its middle: a step, not a line that bends.
    edges = np.append(numbers(rows, "depth_ratio_low"), numbers(rows, "depth_ratio_high")[-1:])
    if len(rows):
        axes.stairs(numbers(rows, "model"), edges, baseline=None, color=colour, lw=1.0, alpha=0.8)


def _draw_recovery(panels: "list[Axes]", recovery: Table, colours: Mapping[float, str]) -> None:
    rows = recovery[
        (np.asarray(recovery["filter"], str) == "reference") & (numbers(recovery, "n") >= _MIN_CLUMPS)
    ]
    drawn = (
        ("flux_ratio", "flux_scatter", "measured / true flux", 1.0, (0.4, 1.6)),
        ("pull_width", None, "width of pulls (flux)", 1.0, (0.0, 2.5)),
        ("size_ratio", "size_scatter", r"measured / true $\sigma$", 1.0, (0.4, 1.6)),
    )
    for axes, (name, bar, label, goal, limits) in zip(panels, drawn, strict=True):
        axes.axhline(goal, color=GREY, lw=1, ls=":")
        axes.set(ylabel=label, ylim=limits)
        for number, ((sigma, colour), marker) in enumerate(zip(colours.items(), MARKERS, strict=False)):
            own = rows[numbers(rows, "sigma_px") == sigma]
            # Sizes side by side inside their bin.
            x = _middle(own) * 10 ** (0.06 * (number - (len(colours) - 1) / 2))
            values, bars = numbers(own, name), numbers(own, bar) if bar else None
            axes.errorbar(x, values, bars, color=colour, marker=marker, ms=4, lw=0.8, elinewidth=0.8)
