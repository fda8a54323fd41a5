"""Masses and star-formation rates of the host galaxies (C25 Figs. 2 and 3)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..cosmology import age_of_universe_yr
from .columns import numbers
from .settings import Settings
from .style import GREY, PAGE_INCH, PALETTE, empty, new_figure, ordered_colours, panel_label, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "main_sequence"]

_AXES = {
    "log_mass": r"$\log\, M_\mathrm{host}\ [M_\odot]$",
    "log_sfr100": r"$\log\, \mathrm{SFR}_{100}\ [M_\odot\,\mathrm{yr}^{-1}]$",
}


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
    figure = new_figure(PAGE_INCH, 2.7)
    panels = figure.subplots(1, 3)
    ending = "_log_mass"
    others = [name.removesuffix(ending) for name in hosts.colnames if name.endswith(ending)]
    for axes, (quantity, label) in zip(panels, _AXES.items(), strict=False):
        _draw_histories(axes, hosts, quantity, label, reference, others)
    _draw_sequence(panels[2], hosts, settings)
    return figure, hosts


def _side_by_side(hosts: Table, galaxies: Table, reference: str) -> Table:
    """One row a galaxy: redshift, magnification, and intrinsic medians; other histories' columns carry their name."""
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
            medians = dict(zip(np.asarray(own["id"], str), numbers(own, f"{quantity}_p50"), strict=True))
            values = np.array([medians.get(name, np.nan) for name in ids], dtype=float)
            table[f"{prefix}{quantity}"] = values - np.log10(mu)
    return table


def _draw_histories(axes, hosts: Table, quantity: str, label: str, reference: str, others: list[str]) -> None:
    axes.set(xlabel=f"{label}, {reference}", ylabel=f"{label}, others")
    x = numbers(hosts, quantity)
    drawn = []
    for name, colour, marker in zip(others, PALETTE, "os^", strict=False):
        y = numbers(hosts, f"{name}_{quantity}")
        good = np.isfinite(x) & np.isfinite(y)
        if not good.any():
            continue
        shift = np.median((y - x)[good])
        axes.scatter(
            x[good],
            y[good],
            s=9,
            color=colour,
            marker=marker,
            lw=0,
            alpha=0.7,
            label=f"{name}: {shift:+.2f} dex",
        )
        drawn += [x[good], y[good]]
    if not drawn:
        empty(axes, "one history only" if np.isfinite(x).any() else "no hosts")
        return
    ends = np.percentile(np.concatenate(drawn), [0, 100])
    axes.plot(ends, ends, color=GREY, lw=0.8, zorder=0)
    axes.legend(loc="lower right", handletextpad=0.2, fontsize=6.2)


def _draw_sequence(axes, hosts: Table, settings: Settings) -> None:
    x, y = (numbers(hosts, name) for name in _AXES)
    axes.set(xlabel=_AXES["log_mass"], ylabel=_AXES["log_sfr100"])
    redshift = numbers(hosts, "z")
    good = np.isfinite(x) & np.isfinite(y)
    if not good.any():
        empty(axes, "no hosts")
        return
    edges = np.array(settings.redshift_bins)
    colours = ordered_colours(len(edges) - 1)
    grid = np.array([x[good].min() - 0.2, x[good].max() + 0.2])
    for low, high, colour in zip(edges[:-1], edges[1:], colours, strict=True):
        rows = good & (redshift >= low) & (redshift < high)
        if not rows.any():
            continue
        axes.scatter(x[rows], y[rows], s=10, color=colour, lw=0, label=f"{low:g} ≤ z < {high:g}")
        axes.plot(grid, main_sequence(grid, float(np.median(redshift[rows]))), color=colour, lw=0.9)
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top + 0.12 * (top - bottom))
    axes.legend(loc="lower right", handletextpad=0.2, fontsize=6.2)
    panel_label(axes, "lines: main sequence")
