"""Absolute V magnitude against effective radius (C25 Fig. 8)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import edge_bins
from ..population.sample import has_size
from .columns import errors, numbers, shown, with_columns
from .settings import Settings
from .style import COLUMN_INCH, GREY, MARKERS, empty, new_figure, ordered_colours, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

# mu = M + 2.5 log10(2 pi R_eff^2) + 5 log10(206265 / 10 pc) [mag / arcsec2]: half of the light inside R_eff.
_BRIGHTNESS_CONSTANT = 2.5 * np.log10(2 * np.pi) + 5 * np.log10(206264.806 / 10)
_BRIGHTNESSES = (14, 16, 18, 20, 22, 24)


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the clumps with a magnitude and a radius; products: ``catalogue``."""
    clumps = shown(products["catalogue"], settings.min_broad_bands)
    radius, magnitude = numbers(clumps, "r_eff_pc"), numbers(clumps, "m_v_ab")
    clumps = clumps[np.isfinite(magnitude) & (radius > 0)]
    radius, magnitude = numbers(clumps, "r_eff_pc"), numbers(clumps, "m_v_ab")
    sized = has_size(clumps)
    figure = new_figure(COLUMN_INCH, COLUMN_INCH)
    axes = figure.subplots()
    axes.set(xlabel=r"$M_V$ [AB mag]", ylabel=r"$R_\mathrm{eff}$ [pc]", yscale="log")
    axes.set(xlim=(-7, -23), ylim=(1, 3000))
    if not len(clumps):
        empty(axes)
    else:
        axes.set_xlim(magnitude.max() + 1, magnitude.min() - 1)
        axes.set_ylim(0.4 * radius.min(), 3 * radius.max())
        _draw_brightnesses(axes)
    bins = edge_bins(numbers(clumps, "z"), settings.redshift_bins)
    size_errors, light_errors = errors(clumps, "r_eff_pc"), errors(clumps, "m_v_ab")
    for group, colour, marker in zip(bins, ordered_colours(len(bins)), MARKERS, strict=False):
        rows, limits = group.rows & sized, group.rows & ~sized
        if not group.rows.any():
            continue
        label = f"{group.label('z')} ({group.rows.sum()})"
        axes.errorbar(
            magnitude[rows], radius[rows], yerr=size_errors[:, rows], xerr=light_errors[:, rows], fmt="none",
            ecolor=colour, elinewidth=0.5, alpha=0.35,
        )  # fmt: skip
        axes.scatter(magnitude[rows], radius[rows], s=11, color=colour, marker=marker, lw=0, label=label)
        axes.errorbar(
            magnitude[limits], radius[limits], yerr=0.2 * radius[limits], uplims=True, fmt="none", ecolor=colour,
            elinewidth=0.6, capsize=1.5, alpha=0.8,
        )  # fmt: skip
    if len(clumps):
        axes.legend(loc="upper left", handletextpad=0.2)
    names = ["id", "galaxy", "z", "m_v_ab", "m_v_ab_err_lo", "m_v_ab_err_hi", "r_eff_pc", "r_eff_pc_err_lo",
             "r_eff_pc_err_hi", "r_eff_limit"]  # fmt: skip
    return figure, with_columns(clumps, names)


def _draw_brightnesses(axes) -> None:
    """Lines of equal mean surface brightness, inside the limits of the axes."""
    faint, bright = axes.get_xlim()
    low, high = axes.get_ylim()
    magnitude = np.linspace(bright, faint, 200)
    for brightness in _BRIGHTNESSES:
        radius = 10 ** ((brightness - _BRIGHTNESS_CONSTANT - magnitude) / 5)
        seen = (radius > 1.3 * low) & (radius < high / 1.3)
        if seen.sum() < 20:
            continue
        axes.plot(magnitude, radius, color="0.8", lw=0.6, zorder=0)
        edge = np.flatnonzero(seen)[-8]
        axes.text(magnitude[edge], radius[edge], f"{brightness}", color=GREY, fontsize=6, ha="center", va="center",
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip
    axes.set(xlim=(faint, bright), ylim=(low, high))
    axes.text(
        0.97, 0.03, r"grey: mag arcsec$^{-2}$", transform=axes.transAxes, ha="right", fontsize=6, color=GREY
    )
