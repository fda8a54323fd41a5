"""Masses of star clusters beside the published ones (F22 Fig. 4, inset)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .clusters import compared
from .columns import numbers, shown
from .settings import Settings
from .style import COLUMN_INCH, PALETTE, empty, legend_above, new_figure, sfh_name, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_STEP = 0.2  # dex


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the histograms with their medians; products: ``catalogue``, ``sed_all``, ``published``."""
    catalogue = shown(products["catalogue"], settings, 0)
    table = compared(catalogue, products["sed_all"], products["published"], settings.reference_sfh)
    figure = new_figure(COLUMN_INCH, 2.9)
    axes = figure.subplots()
    axes.set(xlabel=r"$\log\, M_\star\ [M_\odot]$", ylabel="clusters")
    kinds = [
        ("published_log_mass", "published", "0.45", {"histtype": "stepfilled", "alpha": 0.35}),
        ("ssp_log_mass", "grid of SSPs", PALETTE[0], {"histtype": "step", "lw": 1.4}),
        (
            "reference_log_mass",
            sfh_name(settings.reference_sfh),
            PALETTE[1],
            {"histtype": "step", "lw": 1.4, "ls": "--"},
        ),
    ]
    columns = {name: numbers(table, name) for name, *_ in kinds}
    known = np.concatenate([values[np.isfinite(values)] for values in columns.values()])
    if not known.size:
        empty(axes, "no clusters")
        return figure, table
    edges = np.arange(np.floor(known.min() / _STEP) * _STEP, known.max() + _STEP, _STEP)
    for name, label, colour, look in kinds:
        values = columns[name][np.isfinite(columns[name])]
        if not values.size:
            continue
        middle = float(np.median(values))
        text = f"{label}: median {10**middle / 1e6:.1f}" + r"$\times 10^6\,M_\odot$" + f" ({values.size})"
        axes.hist(values, edges, color=colour, label=text, **look)
        axes.plot(
            middle, 0.98, marker="v", ms=6, color=colour, transform=axes.get_xaxis_transform(), clip_on=False
        )
    legend_above(axes, ncols=1)
    return figure, table
