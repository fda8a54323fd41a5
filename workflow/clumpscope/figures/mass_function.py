"""Cumulative mass functions by redshift and by magnification (C25 Fig. 18)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import Bin
from .columns import numbers
from .settings import Settings
from .style import (
    COLUMN_INCH,
    GREY,
    ON_DATA,
    PAGE_INCH,
    empty,
    legend_above,
    new_figure,
    ordered_colours,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_MOST_STEPS = 3000  # of a curve that is drawn as one
_LOWEST_TOP = 10.0  # of the axis of numbers, a decade even for one clump
_SYMBOLS = {"redshift": "z", "magnification": r"$\mu$"}


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw N(> M) and its power laws; products: ``population`` (mass_function, mass_function_slopes)."""
    points = products["population"]["mass_function"]
    slopes = products["population"]["mass_function_slopes"]
    kinds = np.asarray(slopes["by"], str)
    bounded = np.isfinite(numbers(slopes, "low")) | np.isfinite(numbers(slopes, "high"))
    grouped = bounded & (numbers(slopes, "n") > 0)
    # Clusters of one redshift and without a lens have no groups.
    drawn = [kind for kind in _SYMBOLS if grouped[kinds == kind].any()] or ["all"]
    figure = new_figure(PAGE_INCH if len(drawn) > 1 else COLUMN_INCH, 3.6)
    panels = figure.subplots(1, len(drawn), sharex=True, sharey=True, squeeze=False)[0]
    log_mass, count = numbers(points, "log_mass"), numbers(points, "n_above")
    for axes, kind in zip(panels, drawn, strict=True):
        axes.set(xlabel=r"$\log\, M_\star\ [M_\odot]$", yscale="log")
        if not len(points):
            empty(axes)
            continue
        axes.set(
            xlim=(log_mass.min() - 0.3, log_mass.max() + 0.3), ylim=(0.7, max(2 * count.max(), _LOWEST_TOP))
        )
        _draw_reference(axes, log_mass, count)
        groups = slopes[(kinds == kind) & grouped]
        colours = ["black", *ordered_colours(len(groups))]
        everything = slopes[kinds == "all"]
        for row, colour in zip([*everything, *groups], colours, strict=True):
            _draw_group(axes, points, row, _SYMBOLS.get(kind, ""), colour)
        sources = dict.fromkeys(map(str, [*everything["limit_source"], *groups["limit_source"]]))
        title = rf"slope of $N(>M)$, limit: {', '.join(sources)}"
        legend_above(
            axes,
            ncols=1 + (len(groups) > 0),
            fontsize=6.2,
            title=title,
            title_fontsize=6.5,
            columnspacing=0.8,
        )
    panels[0].set_ylabel(r"$N(>M_\star)$")
    return figure, points


def _draw_reference(axes, log_mass: np.ndarray, count: np.ndarray) -> None:
    """N(> M) proportional to 1 / M, through the clump at a tenth of the sample by mass."""
    pivot = np.percentile(log_mass, 90)
    height = 3 * count[np.argmin(np.abs(log_mass - pivot))]
    grid = np.array(axes.get_xlim())
    axes.plot(grid, height * 10 ** (pivot - grid), color="0.75", lw=3, zorder=0)
    # Beside where the line enters from above: there is room to the right of it.
    left, width, top = grid[0], np.ptp(grid), axes.get_ylim()[1]
    x = np.clip(pivot + np.log10(height / top), left, left + 0.65 * width) + 0.05 * width
    axes.text(x, 0.8 * top, r"$N(>M)\propto M^{-1}$", color=GREY, fontsize=6.5, va="top", bbox=ON_DATA)


def _draw_group(axes, points: Table, row, symbol: str, colour: str) -> None:
    own = (
        (np.asarray(points["by"], str) == str(row["by"]))
        & (points["low"] == row["low"])
        & (points["high"] == row["high"])
    )
    log_mass, count = numbers(points[own], "log_mass"), numbers(points[own], "n_above")
    name = "all" if str(row["by"]) == "all" else Bin(row["low"], row["high"], own).label(symbol)
    fit = f"${row['slope']:.2f}\\pm{row['slope_err']:.2f}$" if np.isfinite(row["slope"]) else "no slope"
    # Each step falls at the mass of a clump: N(> M) counts it up to its own mass.
    axes.step(
        log_mass,
        count,
        where="pre",
        color=colour,
        lw=1.2,
        marker="o" if len(count) == 1 else None,  # one clump makes no step
        ms=3.5,
        rasterized=len(count) > _MOST_STEPS,
        label=f"{name}: {fit}",
    )
    if np.isfinite(row["slope"]):
        limit = float(row["log_mass_limit"])
        grid = np.array([limit, max(log_mass[-1], limit)])
        axes.plot(
            grid, row["n_above_limit"] * 10 ** (row["slope"] * (grid - limit)), color=colour, lw=0.9, ls="--"
        )
        axes.plot(limit, row["n_above_limit"], marker="o", ms=3.5, color=colour)
