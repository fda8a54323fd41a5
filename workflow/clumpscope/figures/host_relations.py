"""Clump masses against the mass of their host (C25 Fig. 12)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import numbers
from .settings import Settings
from .style import GREY, PAGE_INCH, PALETTE, empty, new_figure, panel_label, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_HOST_LABEL = r"$\log\, M_\mathrm{host}\ [M_\odot]$"
_CLUMPS = {
    "log_mass_max": ("most massive clump off the centre", PALETTE[0], "o"),
    "log_mass_central": ("central clump", PALETTE[1], "s"),
}


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw masses and mass fraction; products: ``population`` (host_relations, host_medians, host_correlations)."""
    tables = products["population"]
    relations, medians, correlations = (
        tables[f"host_{name}"] for name in ("relations", "medians", "correlations")
    )
    figure = new_figure(PAGE_INCH, 3.3)
    left, right = figure.subplots(1, 2)
    host = numbers(relations, "log_mass_host")
    if np.isfinite(host).any():
        _draw_masses(left, relations, medians, correlations)
        _draw_fraction(right, relations, medians, correlations)
    else:
        empty([left, right], "no hosts")
    left.set(xlabel=_HOST_LABEL, ylabel=r"$\log\, M_\star$ of the clump $[M_\odot]$")
    right.set(xlabel=_HOST_LABEL, ylabel=r"$\log\, f_\mathrm{cl} = \log\,(\sum M_\star / M_\mathrm{host})$")
    return figure, relations


def _statistics(correlations: Table, x: str, y: str) -> str:
    found = correlations[
        (np.asarray(correlations["x"], str) == x) & (np.asarray(correlations["y"], str) == y)
    ]
    if not len(found) or not np.isfinite(found["r"][0]):
        return f"{int(found['n'][0]) if len(found) else 0} galaxies"
    p = float(found["p"][0])
    chance = f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001"
    return f"r = {float(found['r'][0]):.2f}, {chance}"


def _draw_medians(axes, medians: Table, quantity: str, colour: str, marker: str) -> None:
    own = medians[(np.asarray(medians["quantity"], str) == quantity) & (numbers(medians, "n") > 0)]
    bars = np.nan_to_num([numbers(own, "err_lo"), numbers(own, "err_hi")])
    axes.errorbar(numbers(own, "log_mass_host"), numbers(own, "median"), yerr=bars, color=colour, marker=marker, ms=6,
                  mec="black", mew=0.7, elinewidth=1.1, lw=1, zorder=3)  # fmt: skip


def _draw_masses(axes, relations: Table, medians: Table, correlations: Table) -> None:
    host = numbers(relations, "log_mass_host")
    for quantity, (label, colour, marker) in _CLUMPS.items():
        text = f"{label}\n{_statistics(correlations, 'log_mass_host', quantity)}"
        axes.scatter(
            host, numbers(relations, quantity), s=10, color=colour, marker=marker, lw=0, alpha=0.5, label=text
        )
        _draw_medians(axes, medians, quantity, colour, marker)
    ends = np.array(axes.get_xlim())
    height = axes.get_ylim()
    for shift, name in ((0, "1:1"), (-1, "10 %"), (-2, "1 %")):
        axes.plot(ends, ends + shift, color="0.75", lw=0.7, zorder=0)
        x = min(ends[1], height[1] - shift)
        axes.annotate(name, (x, x + shift), (-3, -5), textcoords="offset points", ha="right", fontsize=6, color=GREY,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8}, zorder=4)  # fmt: skip
    axes.set(xlim=ends, ylim=(height[0], height[1] + 0.25 * np.ptp(height)))
    axes.legend(loc="upper left", handletextpad=0.2)


def _draw_fraction(axes, relations: Table, medians: Table, correlations: Table) -> None:
    from matplotlib.colors import Normalize

    host, fraction, ssfr = (numbers(relations, name) for name in ("log_mass_host", "log_f_cl", "log_ssfr"))
    known = ssfr[np.isfinite(ssfr)]
    limits = Normalize(*np.percentile(known, [5, 95])) if known.size else None
    axes.errorbar(host, fraction, yerr=np.nan_to_num(numbers(relations, "log_f_cl_err")), fmt="none", ecolor="0.7",
                  elinewidth=0.5)  # fmt: skip
    points = axes.scatter(
        host, fraction, c=ssfr, s=16, cmap="cividis", norm=limits, lw=0, plotnonfinite=True, zorder=2
    )
    axes.figure.colorbar(points, ax=axes, label=r"$\log\,$sSFR $[\mathrm{yr}^{-1}]$", pad=0.02)
    _draw_medians(axes, medians, "log_f_cl", "black", "o")
    axes.axhline(0, color="0.75", lw=0.7, zorder=0)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.2 * (high - low))
    text = f"with mass: {_statistics(correlations, 'log_mass_host', 'log_f_cl')}\n"
    panel_label(axes, text + f"with sSFR: {_statistics(correlations, 'log_ssfr', 'log_f_cl')}")
