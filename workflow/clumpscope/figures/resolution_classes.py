"""Size, mass, age and density of unresolved, compact and extended clumps (C25 Fig. 15)."""

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
    empty,
    headroom,
    legend_above,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_PANELS = {
    "log_r_eff": r"$\log\, R_\mathrm{eff}$ [pc]",
    "log_mass": r"$\log\, M_\star\ [M_\odot]$",
    "log_age_mw_yr": r"$\log$ age [yr]",
    "log_sigma_mass": r"$\log\, \Sigma_{M}\ [M_\odot\,\mathrm{pc}^{-2}]$",
}
# How a size that is an upper limit bounds what is shown.
_BOUNDS = {"log_r_eff": "upper limits", "log_sigma_mass": "lower limits"}
_N_HISTOGRAM_BINS = 20


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the distributions by class, with medians; products: ``catalogue``."""
    clumps = shown(products["catalogue"], settings)
    kind = np.asarray(clumps["class"], dtype=str) if "class" in clumps.colnames else np.full(len(clumps), "")
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {"log_r_eff": np.log10(numbers(clumps, "r_eff_pc"))}
    columns |= {name: numbers(clumps, f"{name}_p50") for name in _PANELS if name not in columns}
    figure = new_figure(PAGE_INCH, 2.5)
    panels = figure.subplots(1, len(_PANELS))
    for axes, (name, label) in zip(panels, _PANELS.items(), strict=True):
        axes.set_xlabel(label)
        values = columns[name]
        known = values[np.isfinite(values) & np.isin(kind, list(CLASS_COLOURS))]
        if not known.size:
            empty(axes)
            continue
        edges = np.linspace(*shown_range(known), _N_HISTOGRAM_BINS + 1)
        for number, ((one, colour), line) in enumerate(zip(CLASS_COLOURS.items(), LINES, strict=False)):
            own = values[(kind == one) & np.isfinite(values)]
            if not own.size:
                continue
            # The outermost bins also count what lies beyond them.
            axes.hist(np.clip(own, *edges[[0, -1]]), edges, histtype="step", color=colour, ls=line, lw=1.3,
                      label=f"{one} ({(kind == one).sum()})")  # fmt: skip
            middle = np.clip(np.median(own), *edges[[0, -1]])
            axes.plot(middle, 0.96 - 0.07 * number, marker="v", ms=5.5, mec="black", mew=0.4, color=colour,
                      transform=axes.get_xaxis_transform())  # fmt: skip
        headroom(axes, 0.27)
        if name in _BOUNDS:
            axes.set_title(f"unresolved: {_BOUNDS[name]}", fontsize=7, pad=3)
        axes.yaxis.get_major_locator().set_params(integer=True, nbins=4)
    panels[0].set_ylabel("clumps")
    legend_above(figure, title="triangles: medians", title_fontsize=7)
    names = ["id", "galaxy", "z", "class", "r_eff_pc", "r_eff_limit", *(f"{name}_p50" for name in _PANELS)]
    return figure, with_columns(clumps, names)
