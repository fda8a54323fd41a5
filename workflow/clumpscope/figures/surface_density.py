"""Surface densities of mass and star formation by redshift and resolution class (C25 Figs. 15 and 17)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import numbers, shown, shown_range, with_columns
from .settings import Settings
from .style import (
    CLASS_COLOURS,
    LINES,
    PAGE_INCH,
    draw_medians,
    empty,
    legend_above,
    mark_clipped,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_ROWS = {
    "log_sigma_mass": r"$\log\, \Sigma_{M}\ [M_\odot\,\mathrm{pc}^{-2}]$",
    "log_sigma_sfr": r"$\log\, \Sigma_\mathrm{SFR}\ [M_\odot\,\mathrm{yr}^{-1}\,\mathrm{kpc}^{-2}]$",
}
_N_HISTOGRAM_BINS = 18
_MARKERS = {"unresolved": "^", "compact": "o", "extended": "s", "resolved": "D"}


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw densities against redshift and their distributions; products: ``catalogue``, ``population`` (surface_density)."""
    clumps = shown(products["catalogue"], settings)
    medians = products["population"]["surface_density"]
    kind = np.asarray(clumps["class"], dtype=str) if "class" in clumps.colnames else np.full(len(clumps), "")
    redshift = numbers(clumps, "z")
    figure = new_figure(PAGE_INCH, 5.6)
    panels = figure.subplots(2, 2, sharex="col", sharey="row", width_ratios=[2.6, 1])
    for row, (quantity, label) in enumerate(_ROWS.items()):
        values = numbers(clumps, f"{quantity}_p50")
        points, histogram = panels[row]
        points.set_ylabel(label)
        known = values[np.isfinite(values) & np.isin(kind, list(CLASS_COLOURS))]
        if not known.size:
            empty([points, histogram])
            continue
        edges = np.linspace(*shown_range(known), _N_HISTOGRAM_BINS + 1)
        limits = edges[0] - 0.3, edges[-1] + 0.3
        for (name, colour), line in zip(CLASS_COLOURS.items(), LINES, strict=False):
            own = (kind == name) & np.isfinite(values)
            if not own.any():
                continue
            marker = _MARKERS[name]
            inside = own & (values > limits[0]) & (values < limits[1])
            points.scatter(redshift[inside], values[inside], s=11, lw=0.5, edgecolors="white", color=colour, marker=marker,
                           rasterized=True)  # fmt: skip
            mark_clipped(points, redshift[own], values[own], limits, colour)
            _draw_medians(points, medians, quantity, name, colour)
            label = f"{name} ({own.sum()}){', lower limits' if name == 'unresolved' else ''}"
            # The outermost bins also count what lies beyond them.
            histogram.hist(np.clip(values[own], *edges[[0, -1]]), edges, orientation="horizontal", histtype="step", color=colour,
                           ls=line, lw=1.3, label=label)  # fmt: skip
        _draw_medians(points, medians, quantity, "resolved", "black")
        points.set_ylim(limits)
        histogram.xaxis.get_major_locator().set_params(integer=True)
    # Medians stand in the middle of their redshift bins, which are seen whole even where all clumps are at one redshift.
    ends = np.isfinite(numbers(medians, "z_low")) & np.isfinite(numbers(medians, "z_high"))
    filled = medians[ends & (numbers(medians, "n") > 0)]
    if len(filled):
        left, right = panels[0, 0].get_xlim()
        panels[0, 0].set_xlim(min(left, *filled["z_low"]), max(right, *filled["z_high"]))
    legend_above(figure)
    panels[0, 0].set_title(
        "large symbols: medians; black: compact and extended together", fontsize=7.5, loc="left"
    )
    panels[1, 0].set_xlabel("redshift")
    panels[1, 1].set_xlabel("clumps")
    names = ["id", "galaxy", "z", "class", *(f"{name}_p{p}" for name in _ROWS for p in (16, 50, 84))]
    return figure, with_columns(clumps, names)


def _draw_medians(axes: "Axes", medians: Table, quantity: str, name: str, colour: str) -> None:
    own = medians[
        (np.asarray(medians["quantity"], str) == quantity)
        & (np.asarray(medians["class"], str) == name)
        & np.isfinite(numbers(medians, "z_low"))
    ]
    # Side by side, so that none hides another.
    aside = {"unresolved": -0.08, "compact": 0.0, "extended": 0.08, "resolved": 0.16}[name]
    middle = 0.5 * (numbers(own, "z_low") + numbers(own, "z_high")) + aside
    draw_medians(axes, middle, numbers(own, "median"), [numbers(own, "err_lo"), numbers(own, "err_hi")], numbers(own, "n"),
                 colour, _MARKERS[name], joined=name == "resolved")  # fmt: skip
