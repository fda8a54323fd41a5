"""Magnification against what it lets us see (C25 Fig. 9)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import edge_bins
from .columns import errors, numbers, shown, with_columns
from .settings import Settings
from .style import (
    MARKERS,
    PAGE_INCH,
    empty,
    error_bars,
    new_figure,
    ordered_colours,
    panel_label,
    plain_logarithms,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

# Name, axis label, whether an unresolved clump has only a limit, and which arrow shows it.
_PANELS = (
    ("r_eff_pc", r"$R_\mathrm{eff}$ [pc]", "<"),
    ("log_mass_p50", r"$\log\, M_\star\ [M_\odot]$", ""),
    ("m_v_ab", r"$M_V$ [AB mag]", ""),
    ("log_sigma_mass_p50", r"$\log\, \Sigma_{M}\ [M_\odot\,\mathrm{pc}^{-2}]$", ">"),
)


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the magnification against size, mass, magnitude and mass density; products: ``catalogue``."""
    clumps = shown(products["catalogue"], settings)
    magnification, mu_errors = numbers(clumps, "mu"), errors(clumps, "mu")
    mu_errors[0] = np.minimum(mu_errors[0], 0.95 * magnification)  # stays on the logarithmic axis
    limit = (
        np.asarray(clumps["r_eff_limit"], bool)
        if "r_eff_limit" in clumps.colnames
        else np.zeros(len(clumps), bool)
    )
    bins = edge_bins(numbers(clumps, "z"), settings.redshift_bins)
    figure = new_figure(PAGE_INCH, 5.4)
    panels = figure.subplots(2, 2, sharey=True).ravel()
    for axes, (name, label, arrow) in zip(panels, _PANELS, strict=True):
        values = numbers(clumps, name)
        good = np.isfinite(values) & np.isfinite(magnification)
        axes.set(xlabel=label, yscale="log")
        if not good.any():
            empty(axes)
            continue
        if name == "r_eff_pc":
            axes.set_xscale("log")
        if name == "m_v_ab":
            axes.invert_xaxis()
        for group, colour, marker in zip(bins, ordered_colours(len(bins)), MARKERS, strict=False):
            rows = good & group.rows
            if not rows.any():
                continue
            error_bars(axes, values[rows], magnification[rows], colour, yerr=mu_errors[:, rows])
            measured = rows & ~(limit & (arrow != ""))
            axes.scatter(values[measured], magnification[measured], s=9, color=colour, marker=marker, lw=0,
                         label=group.label("z"), rasterized=True)  # fmt: skip
            bounds = rows & ~measured
            if bounds.any():
                axes.scatter(values[bounds], magnification[bounds], s=12, marker=arrow, facecolors="none", edgecolors=colour,
                             lw=0.7, rasterized=True)  # fmt: skip
        if arrow and (limit & good).any():
            panel_label(axes, f"open: {'upper' if arrow == '<' else 'lower'} limits", "upper right")
    for axes in panels[::2]:
        axes.set_ylabel(r"$\mu$")
    for axis in (panels[0].xaxis, *(axes.yaxis for axes in panels[::2])):
        plain_logarithms(axis)
    handles, labels = panels[1].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper center", ncols=len(handles), handletextpad=0.2)
    names = [
        "id",
        "galaxy",
        "z",
        "mu",
        "mu_err_lo",
        "mu_err_hi",
        *(name for name, _, _ in _PANELS),
        "r_eff_limit",
    ]
    return figure, with_columns(clumps, names)
