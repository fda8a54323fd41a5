"""Trends with galactocentric distance inside single galaxies, beside their pictures (C25 Fig. 19)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table, vstack

from ..population.statistics import correlation
from .columns import errors, numbers, shown, with_columns
from .composite import composite, draw_composite
from .composites import richest
from .settings import Settings
from .style import MIN_JOINED, PAGE_INCH, PALETTE, empty, headroom, new_figure, panel_label, signed, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_MOST = 4  # galaxies, as many as C25 show
_QUANTITIES = {
    "log_mass": r"$\log\, M_\star\ [M_\odot]$",
    "log_age_mw_yr": r"$\log$ age [yr]",
    "log_sigma_mass": r"$\log\, \Sigma_{M}\ [M_\odot\,\mathrm{pc}^{-2}]$",
}


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw one row a galaxy: its picture, and mass, age and density against distance; products: ``cutouts``, ``catalogue``."""
    clumps = shown(products["catalogue"], settings)
    placed = clumps[np.isfinite(numbers(clumps, "distance_kpc"))]
    paths = richest(products["cutouts"], placed, _MOST)
    figure = new_figure(PAGE_INCH, max(len(paths), 1) * 1.65 + 0.3)
    panels = figure.subplots(max(len(paths), 1), 1 + len(_QUANTITIES), squeeze=False)
    tables = []
    for line, path in zip(panels, paths, strict=False):
        own = placed[np.asarray(placed["galaxy"], str) == path.parent.name]
        draw_composite(line[0], composite(path), own)
        for axes, name in zip(line[1:], _QUANTITIES, strict=True):
            _draw_trend(axes, own, name)
        tables.append(own)
    for axes in panels[-1][1:]:
        axes.set_xlabel("distance [kpc]")
    for line in panels[: len(paths)]:
        for axes, label in zip(line[1:], _QUANTITIES.values(), strict=True):
            axes.set_ylabel(label)
    if not paths:
        empty(list(panels[0]))
    names = [
        "id",
        "galaxy",
        "z",
        "ra",
        "dec",
        "distance_kpc",
        "central",
        *(f"{name}_p{p}" for name in _QUANTITIES for p in (16, 50, 84)),
    ]
    return figure, with_columns(vstack(tables, metadata_conflicts="silent") if tables else placed[:0], names)


def _draw_trend(axes: "Axes", clumps: Table, name: str) -> None:
    x, y, sides = numbers(clumps, "distance_kpc"), numbers(clumps, f"{name}_p50"), errors(clumps, name)
    good = np.isfinite(y)
    if not good.any():
        empty(axes)
        return
    central = (
        np.asarray(clumps["central"], bool) if "central" in clumps.colnames else np.zeros(len(clumps), bool)
    )
    limit = (
        np.asarray(clumps["r_eff_limit"], bool) if name == "log_sigma_mass" else np.zeros(len(clumps), bool)
    )
    for rows, marker, colour in (
        (good & ~limit & ~central, "o", PALETTE[0]),
        (good & limit & ~central, "^", PALETTE[0]),
        (good & central, "s", PALETTE[1]),
    ):
        if rows.any():
            axes.errorbar(x[rows], y[rows], sides[:, rows], fmt=marker, ms=3.5, mew=0.7, mfc="white" if marker == "^" else colour,
                          mec=colour, ecolor=colour, elinewidth=0.6)  # fmt: skip
    axes.set_xlim(-0.04 * np.max(x) - 0.02, 1.08 * np.max(x) + 0.02)
    headroom(axes, 0.17)
    used = good & ~limit
    if used.sum() >= MIN_JOINED:
        found = correlation(x[used], y[used])
        panel_label(axes, f"r = {signed(found.r)}, p = {found.p:.2g}")
    else:
        panel_label(axes, f"{used.sum()} clumps")
