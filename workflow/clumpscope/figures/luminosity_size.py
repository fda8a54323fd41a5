"""Absolute V magnitude against effective radius (C25 Fig. 8)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import edge_bins
from ..population.sample import has_size
from .columns import errors, numbers, shown, with_columns
from .settings import Settings
from .style import (
    COLUMN_INCH,
    GREY,
    LINES,
    MARKERS,
    empty,
    error_bars,
    legend_above,
    new_figure,
    ordered_colours,
    plain_logarithms,
    plain_text,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

# mu = M + 2.5 log10(2 pi R_eff^2) + 5 log10(206265 / 10 pc) [mag / arcsec2]: half of the light inside R_eff.
_BRIGHTNESS_CONSTANT = 2.5 * np.log10(2 * np.pi) + 5 * np.log10(206264.806 / 10)
_BRIGHTNESSES = (12, 14, 16, 18, 20, 22, 24)
_SHARES = (0.9, 0.5, 0.25)  # of a comparison sample inside its contours (C25 section 4.1)
_LEAST = 10  # clumps of a sample whose density means something


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the clumps with a magnitude and a radius; products: ``catalogue``, and ``samples`` (tables with r_eff_pc and m_v_ab)."""
    clumps = shown(products["catalogue"], settings)
    radius, magnitude = numbers(clumps, "r_eff_pc"), numbers(clumps, "m_v_ab")
    clumps = clumps[np.isfinite(magnitude) & (radius > 0)]
    radius, magnitude = numbers(clumps, "r_eff_pc"), numbers(clumps, "m_v_ab")
    sized = has_size(clumps)
    figure = new_figure(COLUMN_INCH, 3.9)
    axes = figure.subplots()
    axes.set(ylabel=r"$M_V$ [AB mag]", xlabel=r"$R_\mathrm{eff}$ [pc]", xscale="log")
    axes.set(ylim=(-7, -23), xlim=(1, 3000))
    if not len(clumps):
        empty(axes)
    else:
        axes.set_ylim(magnitude.max() + 1, magnitude.min() - 1)
        axes.set_xlim(0.6 * radius.min(), 1.6 * radius.max())
        _draw_brightnesses(axes)
    bins = edge_bins(numbers(clumps, "z"), settings.redshift_bins)
    size_errors, light_errors = errors(clumps, "r_eff_pc"), errors(clumps, "m_v_ab")
    size_errors[0] = np.minimum(size_errors[0], 0.95 * radius)  # stays on the logarithmic axis
    for group, colour, marker in zip(bins, ordered_colours(len(bins)), MARKERS, strict=False):
        if not group.rows.any():
            continue
        rows, limits = group.rows & sized, group.rows & ~sized
        error_bars(
            axes, radius[rows], magnitude[rows], colour, xerr=size_errors[:, rows], yerr=light_errors[:, rows]
        )
        error_bars(
            axes,
            radius[limits],
            magnitude[limits],
            colour,
            xerr=0.25 * radius[limits],
            xuplims=True,
            capsize=1.2,
            alpha=0.7,
        )
        axes.scatter(radius[limits], magnitude[limits], s=12, marker=marker, facecolors="white", edgecolors=colour, lw=0.7, zorder=2.5,
                     rasterized=True)  # fmt: skip
        axes.scatter(radius[rows], magnitude[rows], s=12, marker=marker, color=colour, lw=0, zorder=2.5, rasterized=True,
                     label=f"{group.label('z')} ({group.rows.sum()})")  # fmt: skip
    plain_logarithms(axes.xaxis)
    _draw_samples(axes, products.get("samples", {}))
    legend_above(axes, ncols=2)
    names = ["id", "galaxy", "z", "m_v_ab", "m_v_ab_err_lo", "m_v_ab_err_hi", "r_eff_pc", "r_eff_pc_err_lo",
             "r_eff_pc_err_hi", "r_eff_limit"]  # fmt: skip
    return figure, with_columns(clumps, names)


def _draw_samples(axes: "Axes", samples: Mapping[str, Table]) -> None:
    import seaborn
    from matplotlib.lines import Line2D

    drawn = [name for name, table in samples.items() if {"r_eff_pc", "m_v_ab"} <= set(table.colnames)]
    for name, line in zip(drawn, LINES * len(drawn), strict=False):
        radius, magnitude = (numbers(samples[name], column) for column in ("r_eff_pc", "m_v_ab"))
        good = (radius > 0) & np.isfinite(magnitude)
        if good.sum() < _LEAST:
            continue
        seaborn.kdeplot(x=radius[good], y=magnitude[good], levels=[1.0 - share for share in _SHARES], gridsize=80, ax=axes,
                        color="black", linewidths=0.8, linestyles=line, zorder=2)  # fmt: skip
        axes.add_line(
            Line2D([], [], color="black", lw=0.8, ls=line, label=f"{plain_text(name)} ({good.sum()})")
        )


def _draw_brightnesses(axes: "Axes") -> None:
    """Lines of equal mean surface brightness, labelled where they leave the panel at its lower or right side."""
    (low, high), (faint, bright) = axes.get_xlim(), axes.get_ylim()
    radius = np.geomspace(low, high, 200)
    for brightness in _BRIGHTNESSES:
        magnitude = brightness - _BRIGHTNESS_CONSTANT - 5 * np.log10(radius)
        seen = (magnitude < faint - 0.3) & (magnitude > bright + 0.3)
        if seen.sum() < 20:
            continue
        axes.plot(radius, magnitude, color="0.8", lw=0.6, zorder=0)
        edge = np.flatnonzero(seen)[-6]
        axes.text(radius[edge], magnitude[edge], f"{brightness}", color=GREY, fontsize=6, ha="center", va="center", zorder=1,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip
    axes.set(xlim=(low, high), ylim=(faint, bright))
    axes.text(
        0.03, 0.03, r"grey: mag arcsec$^{-2}$", transform=axes.transAxes, ha="left", fontsize=6, color=GREY
    )
