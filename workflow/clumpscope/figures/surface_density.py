"""Surface densities of mass and star formation by redshift and resolution class (C25 Figs. 15 and 17)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import numbers, shown, shown_range, with_columns
from .settings import Settings
from .style import CLASS_COLOURS, PAGE_INCH, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_ROWS = {
    "log_sigma_mass": r"$\log\, \Sigma_{M}\ [M_\odot\,\mathrm{pc}^{-2}]$",
    "log_sigma_sfr": r"$\log\, \Sigma_\mathrm{SFR}\ [M_\odot\,\mathrm{yr}^{-1}\,\mathrm{kpc}^{-2}]$",
}
_N_HISTOGRAM_BINS = 18


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw densities against redshift and their distributions; products: ``catalogue``, ``population`` (surface_density)."""
    clumps = shown(products["catalogue"], settings.min_broad_bands)
    medians = products["population"]["surface_density"]
    kind = np.asarray(clumps["class"], dtype=str) if "class" in clumps.colnames else np.full(len(clumps), "")
    redshift = numbers(clumps, "z")
    figure = new_figure(PAGE_INCH, 5.4)
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
        values = np.clip(values, *edges[[0, -1]])
        points.set_ylim(edges[0] - 0.3, edges[-1] + 0.3)
        for name, colour in CLASS_COLOURS.items():
            own = (kind == name) & np.isfinite(values)
            if not own.any():
                continue
            limit = name == "unresolved"
            points.scatter(
                redshift[own], values[own], s=9, lw=0, color=colour, alpha=0.35, marker="^" if limit else "o"
            )
            _draw_medians(points, medians, quantity, name, colour)
            label = f"{name} ({own.sum()}){', lower limits' if limit else ''}"
            histogram.hist(values[own], edges, orientation="horizontal", histtype="step", color=colour,
                           ls=":" if limit else "-", lw=1.3, label=label)  # fmt: skip
        _draw_medians(points, medians, quantity, "resolved", "black")
    if panels[0, 1].get_legend_handles_labels()[0]:
        panels[0, 1].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
        panels[0, 0].set_title(
            "large symbols: medians; black: compact and extended together", fontsize=7.5, loc="left"
        )
    panels[1, 0].set_xlabel("redshift")
    panels[1, 1].set_xlabel("clumps")
    names = ["id", "galaxy", "z", "class", *(f"{name}_p{p}" for name in _ROWS for p in (16, 50, 84))]
    return figure, with_columns(clumps, names)


def _draw_medians(axes, medians: Table, quantity: str, name: str, colour: str) -> None:
    own = medians[
        (np.asarray(medians["quantity"], str) == quantity)
        & (np.asarray(medians["class"], str) == name)
        & np.isfinite(numbers(medians, "z_low"))
        & (numbers(medians, "n") > 0)
    ]
    if not len(own):
        return
    bars = np.nan_to_num([numbers(own, "err_lo"), numbers(own, "err_hi")])
    # The black symbols would hide those of the classes in the middle of the bins.
    middle = 0.5 * (numbers(own, "z_low") + numbers(own, "z_high")) + 0.06 * (name == "resolved")
    axes.errorbar(middle, numbers(own, "median"), yerr=bars, color=colour, mec="white", mew=0.5, ms=6, elinewidth=1.1,
                  ls="-" if name == "resolved" else "none", lw=1, marker="^" if name == "unresolved" else "o", zorder=3)  # fmt: skip
