"""Masses and star-formation rates of the host galaxies (C25 Figs. 2 and 3)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..cosmology import age_of_universe_yr
from ..population.bins import edge_bins
from .columns import errors, numbers, shown_range
from .settings import Settings
from .style import (
    GREY,
    MARKERS,
    PAGE_INCH,
    PALETTE,
    empty,
    legend_above,
    mark_clipped,
    new_figure,
    ordered_colours,
    sfh_name,
    signed,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw", "main_sequence"]

_AXES = {
    "log_mass": r"$\log\, M_\mathrm{host}\ [M_\odot]$",
    "log_sfr100": r"$\log\, \mathrm{SFR}_{100}\ [M_\odot\,\mathrm{yr}^{-1}]$",
}
_ENDS = ("", "_err_lo", "_err_hi")


def main_sequence(log_mass: np.ndarray, redshift: float) -> np.ndarray:
    """log10 SFR of the star-forming main sequence (Speagle et al. 2014, equation 28) [Msun / yr]."""
    age_gyr = float(age_of_universe_yr(redshift)) / 1e9
    return (0.84 - 0.026 * age_gyr) * np.asarray(log_mass) - (6.51 - 0.11 * age_gyr)


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the histories against each other, and SFR against mass; products: ``hosts``, ``galaxies``.

    Masses and rates are divided by the magnification ``mu`` of the galaxies where they have one.
    """
    reference = settings.host_reference_sfh
    hosts = _side_by_side(products["hosts"], products["galaxies"], reference)
    figure = new_figure(PAGE_INCH, 2.9)
    panels = figure.subplots(1, 3)
    ending = "_log_mass"
    others = [name.removesuffix(ending) for name in hosts.colnames if name.endswith(ending)]
    for axes, (quantity, label) in zip(panels, _AXES.items(), strict=False):
        axes.set(xlabel=f"{label}\n{sfh_name(reference)}", ylabel=f"{label}, others")
        _draw_histories(axes, hosts, quantity, others)
    _draw_sequence(panels[2], hosts, settings)
    return figure, hosts


def _side_by_side(hosts: Table, galaxies: Table, reference: str) -> Table:
    """One row a galaxy: redshift, magnification, and intrinsic medians with errors; other histories' columns carry their name."""
    rows = {str(name): row for row, name in enumerate(galaxies["id"])}
    history = np.asarray(hosts["sfh"], str) if len(hosts) else np.empty(0, dtype=str)
    ids = [str(name) for name in hosts["id"][history == reference] if str(name) in rows]
    index = np.array([rows[name] for name in ids], dtype=int)
    mu = numbers(galaxies, "mu")[index]
    mu = np.where(np.isfinite(mu) & (mu > 0), mu, 1.0)
    table = Table({"id": np.array(ids, dtype=str), "z": numbers(galaxies, "z")[index], "mu": mu})
    for sfh in [reference, *sorted(set(history) - {reference})]:
        own = hosts[history == sfh]
        prefix = "" if sfh == reference else f"{sfh}_"
        for quantity in _AXES:
            columns = numbers(own, f"{quantity}_p50"), *errors(own, quantity)
            values = dict(zip(np.asarray(own["id"], str), np.transpose(columns), strict=True))
            found = np.array([values.get(name, (np.nan,) * 3) for name in ids], dtype=float).reshape(-1, 3)
            found[:, 0] -= np.log10(mu)
            for end, column in zip(_ENDS, found.T, strict=True):
                table[f"{prefix}{quantity}{end}"] = column
    return table


def _draw_histories(axes: "Axes", hosts: Table, quantity: str, others: list[str]) -> None:
    x = numbers(hosts, quantity)
    columns = {name: numbers(hosts, f"{name}_{quantity}") for name in others}
    seen = [values[np.isfinite(x) & np.isfinite(values)] for values in columns.values()]
    if not sum(map(len, seen)):
        empty(axes, "one history only" if np.isfinite(x).any() else "no hosts")
        return
    low, high = shown_range(np.concatenate([x, *seen]))
    room = 0.08 * (high - low) + 0.1
    limits = low - room, high + room
    axes.plot(limits, limits, color=GREY, lw=0.8, zorder=0)
    for (name, y), colour, marker in zip(columns.items(), PALETTE, MARKERS, strict=False):
        good = np.isfinite(x) & np.isfinite(y)
        if not good.any():
            continue
        axes.errorbar(x[good], np.clip(y[good], *limits), xerr=errors(hosts, quantity)[:, good],
                      yerr=errors(hosts, f"{name}_{quantity}")[:, good], fmt=marker, ms=3.5, mfc="none", mec=colour, mew=0.8,
                      ecolor=colour, elinewidth=0.4, label=f"{sfh_name(name)}: {signed(np.median((y - x)[good]), '+.2f')} dex")  # fmt: skip
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    legend_above(axes, ncols=1)


def _draw_sequence(axes: "Axes", hosts: Table, settings: Settings) -> None:
    x, y = (numbers(hosts, name) for name in _AXES)
    axes.set(xlabel=f"{_AXES['log_mass']}\nlines: main sequence", ylabel=_AXES["log_sfr100"])
    good = np.isfinite(x) & np.isfinite(y)
    if not good.any():
        empty(axes, "no hosts")
        return
    low, high = shown_range(y[good])
    limits = low - 0.3, high + 0.3
    groups = edge_bins(numbers(hosts, "z"), settings.redshift_bins)
    grid = np.array([x[good].min() - 0.2, x[good].max() + 0.2])
    for group, colour, marker in zip(groups, ordered_colours(len(groups)), MARKERS, strict=False):
        rows = good & group.rows
        if not rows.any():
            continue
        inside = rows & (y > limits[0])
        bars = {"xerr": errors(hosts, "log_mass")[:, inside], "yerr": errors(hosts, "log_sfr100")[:, inside]}
        axes.errorbar(x[inside], y[inside], **bars, fmt=marker, ms=3.5, mew=0, color=colour, elinewidth=0.4,
                      label=group.label("z"))  # fmt: skip
        mark_clipped(axes, x[rows], y[rows], limits, colour)
        sequence = main_sequence(grid, float(np.median(numbers(hosts, "z")[rows])))
        axes.plot(grid, sequence, color=colour, lw=0.9, zorder=0)
    axes.set(ylim=limits)
    legend_above(axes, ncols=2, columnspacing=0.6)
