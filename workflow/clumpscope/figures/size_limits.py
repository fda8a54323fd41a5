"""Sizes and their upper limits against mass (F22 Fig. 6)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.sample import has_size
from .columns import errors, numbers, shown, with_columns
from .settings import Settings
from .style import (
    COLUMN_INCH,
    GREY,
    MARKERS,
    ON_DATA,
    PALETTE,
    empty,
    error_bars,
    new_figure,
    plain_logarithms,
    plain_text,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_GLOBULAR_PC = 10.0
"""Few globular clusters are larger (Larsen et al. 2001; F22 section 2.2)."""
_DENSITIES = (2.0, 4.0)  # log Msun / pc2


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw limits as arrows and sizes with errors; products: ``catalogue``, and ``samples`` (tables with r_eff_pc and log_mass)."""
    clumps = shown(products["catalogue"], settings)
    figure = new_figure(COLUMN_INCH, 3.3)
    axes = figure.subplots()
    axes.set(xlabel=r"$\log\, M_\star\ [M_\odot]$", ylabel=r"$R_\mathrm{eff}$ [pc]", yscale="log")
    mass, size = numbers(clumps, "log_mass_p50"), numbers(clumps, "r_eff_pc")
    limit = (
        np.asarray(clumps["r_eff_limit"], bool)
        if "r_eff_limit" in clumps.colnames
        else np.zeros(len(clumps), bool)
    )
    good = np.isfinite(mass) & np.isfinite(size) & (size > 0)
    measured = has_size(clumps) & good if len(clumps) else good
    limit = limit & good
    if not (measured | limit).any():
        empty(axes)
        return figure, with_columns(clumps, ["id", "log_mass_p50", "r_eff_pc", "r_eff_limit"])
    axes.axhspan(1e-3, _GLOBULAR_PC, color="0.88", lw=0, label="globular clusters", zorder=0)
    if measured.any():
        error_bars(axes, mass[measured], size[measured], "0.45", xerr=errors(clumps, "log_mass")[:, measured],
                   yerr=errors(clumps, "r_eff_pc")[:, measured])  # fmt: skip
        axes.scatter(mass[measured], size[measured], s=9, color="0.45", lw=0, alpha=0.7, zorder=2, rasterized=True,
                     label=f"measured ({measured.sum()})")  # fmt: skip
    if limit.any():
        axes.scatter(
            mass[limit],
            size[limit],
            marker="v",
            s=26,
            color=PALETTE[0],
            lw=0,
            rasterized=True,
            label=f"upper limits ({limit.sum()})",
            zorder=3,
        )
    for (name, sample), marker in zip(products.get("samples", {}).items(), MARKERS[1:] * 9, strict=False):
        other_mass, other_size = numbers(sample, "log_mass"), numbers(sample, "r_eff_pc")
        there = np.isfinite(other_mass) & (other_size > 0)
        if there.any():
            axes.scatter(other_mass[there], other_size[there], s=6, marker=marker, color="0.65", lw=0, zorder=0.5, rasterized=True,
                         label=f"{plain_text(name)} ({there.sum()})")  # fmt: skip
    seen = mass[measured | limit]
    left, right = seen.min() - 0.4, seen.max() + 0.4
    low, high = min(4.0, 0.5 * size[measured | limit].min()), 2.2 * size[measured | limit].max()
    for density in _DENSITIES:
        # Half of the mass inside R: Sigma = M / (2 pi R^2).
        radius = np.sqrt(10 ** (np.array([left, right]) - density) / (2.0 * np.pi))
        axes.plot([left, right], radius, color=GREY, lw=0.8, ls=":", zorder=0)
        at = np.clip(np.log10(2.0 * np.pi * (0.6 * high) ** 2) + density, left, right - 0.9)
        axes.text(at, np.sqrt(10 ** (at - density) / (2.0 * np.pi)), rf" $10^{{{density:g}}}\,M_\odot\,\mathrm{{pc}}^{{-2}}$", fontsize=6, color=GREY,
                  ha="left", va="top", bbox=ON_DATA, zorder=2.5)  # fmt: skip
    axes.set(xlim=(left, right), ylim=(low, high))
    plain_logarithms(axes.yaxis)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    names = [
        "id",
        "galaxy",
        "z",
        "log_mass_p16",
        "log_mass_p50",
        "log_mass_p84",
        "r_eff_pc",
        "r_eff_pc_err_lo",
        "r_eff_pc_err_hi",
        "r_eff_limit",
    ]
    return figure, with_columns(clumps, names)
