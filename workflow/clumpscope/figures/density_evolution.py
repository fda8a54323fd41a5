"""Surface densities of star formation and of mass by redshift (C25 Figs. 16 and 17)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..population.bins import Bin, edge_bins
from ..population.sample import has_size
from .columns import numbers, shown, shown_range, with_columns
from .settings import Settings
from .style import (
    CLASS_COLOURS,
    GREY,
    MARKERS,
    MIN_JOINED,
    ON_DATA,
    PAGE_INCH,
    empty,
    legend_above,
    mark_clipped,
    new_figure,
    ordered_colours,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_LABELS = {
    "log_sigma_mass": r"$\log\, \Sigma_{M}\ [M_\odot\,\mathrm{pc}^{-2}]$",
    "log_sigma_sfr": r"$\log\, \Sigma_\mathrm{SFR}\ [M_\odot\,\mathrm{yr}^{-1}\,\mathrm{kpc}^{-2}]$",
}
_SIDES = {"compact": -0.1, "extended": 0.1}  # the halves of a violin, and where their medians stand
_MARGIN = 0.3  # dex


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw one density against the other, and the distribution of both in every redshift bin; products: ``catalogue``."""
    clumps = shown(products["catalogue"], settings)
    clumps = clumps[has_size(clumps)]
    kind = np.asarray(clumps["class"], dtype=str) if "class" in clumps.colnames else np.full(len(clumps), "")
    mass, rate = (numbers(clumps, f"{name}_p50") for name in _LABELS)
    groups = edge_bins(numbers(clumps, "z"), settings.redshift_bins)
    figure = new_figure(PAGE_INCH, 2.9)
    left, *violins = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
    _draw_densities(left, mass, rate, groups)
    for axes, label, values in zip(violins, _LABELS.values(), (mass, rate), strict=True):
        axes.set(xlabel="redshift", ylabel=label)
        _draw_violins(axes, values, kind, groups)
    legend_above(left, ncols=2)
    for name, colour in CLASS_COLOURS.items():
        if name in _SIDES:
            violins[0].fill_between([], [], color=colour, alpha=0.6, label=name)
    if violins[0].lines:
        legend_above(violins[0])
        violins[1].set_title("filled: medians", fontsize=7)
    names = ["id", "galaxy", "z", "class", *(f"{name}_p{p}" for name in _LABELS for p in (16, 50, 84))]
    return figure, with_columns(clumps, names)


def _draw_densities(axes: "Axes", mass: np.ndarray, rate: np.ndarray, groups: list[Bin]) -> None:
    axes.set(xlabel=_LABELS["log_sigma_mass"], ylabel=_LABELS["log_sigma_sfr"])
    good = np.isfinite(mass) & np.isfinite(rate) & np.any([group.rows for group in groups], axis=0)
    if not good.any():
        empty(axes)
        return
    low, high = shown_range(rate[good])
    limits = low - _MARGIN, high + _MARGIN
    for group, colour, marker in zip(groups, ordered_colours(len(groups)), MARKERS, strict=False):
        rows = good & group.rows
        if not rows.any():
            continue
        inside = rows & (rate > limits[0])
        axes.scatter(mass[inside], rate[inside], s=10, lw=0, color=colour, marker=marker, rasterized=True,
                     label=f"{group.label('z')} ({rows.sum()})")  # fmt: skip
        mark_clipped(axes, mass[rows], rate[rows], limits, colour)
    axes.set(ylim=limits)
    # Clumps that formed all of their mass in the 10 Myr over which the rate is measured lie at the upper line.
    ends = np.array(axes.get_xlim())
    for age, shift in (("10 Myr", -7.0 + 6.0), ("1 Gyr", -9.0 + 6.0)):
        axes.plot(ends, ends + shift, color="0.75", lw=0.7, zorder=0)
        place = min(ends[1], limits[1] - shift)
        if place > ends[0] and place + shift > limits[0]:
            axes.annotate(
                age,
                (place, place + shift),
                (-3, -6),
                textcoords="offset points",
                ha="right",
                fontsize=6,
                color=GREY,
                zorder=2.5,
                bbox=ON_DATA,
            )
    axes.set(xlim=ends, ylim=limits)


def _draw_violins(axes: "Axes", values: np.ndarray, kind: np.ndarray, groups: list[Bin]) -> None:
    known = values[np.isfinite(values) & np.isin(kind, list(_SIDES))]
    if not known.size:
        empty(axes)
        return
    import pandas
    import seaborn

    low, high = shown_range(known)
    limits = low - _MARGIN, high + _MARGIN
    places = np.select([group.rows for group in groups], range(len(groups)), -1)
    data = pandas.DataFrame({"place": places, "kind": kind, "value": np.clip(values, low, high)})
    data = data[(data.place >= 0) & data.kind.isin(_SIDES) & data.value.notna()]
    each = data.groupby(["place", "kind"]).value
    # Few clumps are shown as they are: their violin would be made up.
    many = (each.transform("size") >= MIN_JOINED) & (each.transform("std") > 0)
    look = {"x": "place", "y": "value", "hue": "kind", "order": range(len(groups)), "hue_order": list(_SIDES),
            "palette": CLASS_COLOURS, "ax": axes, "legend": False}  # fmt: skip
    seaborn.violinplot(data[many], split=True, inner=None, cut=0, width=0.85, density_norm="width", linewidth=0, alpha=0.6,
                       saturation=1, **look)  # fmt: skip
    seaborn.stripplot(data[~many], dodge=True, jitter=False, marker="_", size=7, linewidth=0.9, **look)
    for (place, name), middle in data[many].groupby(["place", "kind"]).value.median().items():
        axes.plot(
            place + _SIDES[name], middle, "o", ms=5, color=CLASS_COLOURS[name], mec="black", mew=0.7, zorder=3
        )
    axes.set_xticks(
        range(len(groups)), [f"{group.low:g}\N{EN DASH}{group.high:g}" for group in groups], fontsize=6.5
    )
    axes.tick_params(axis="x", which="minor", bottom=False, top=False)
    axes.set(xlim=(-0.6, len(groups) - 0.4), ylim=limits)
