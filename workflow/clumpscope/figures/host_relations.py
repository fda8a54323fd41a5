"""Clump masses against the mass of their host (C25 Fig. 12)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import numbers
from .settings import Settings
from .style import (
    GREY,
    ON_DATA,
    PAGE_INCH,
    PALETTE,
    draw_medians,
    empty,
    error_bars,
    headroom,
    legend_above,
    new_figure,
    panel_label,
    signed,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
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
    figure = new_figure(PAGE_INCH, 3.4)
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
    return f"r = {signed(float(found['r'][0]))}, {chance}"


def _draw_medians(axes: "Axes", medians: Table, quantity: str, colour: str, marker: str) -> None:
    own = medians[np.asarray(medians["quantity"], str) == quantity]
    draw_medians(axes, numbers(own, "log_mass_host"), numbers(own, "median"),
                 [numbers(own, "err_lo"), numbers(own, "err_hi")], numbers(own, "n"), colour, marker)  # fmt: skip


def _ages(relations: Table) -> "Normalize | None":
    from matplotlib.colors import Normalize

    known = numbers(relations, "log_age_mw_central")
    known = known[np.isfinite(known)]
    return Normalize(*np.percentile(known, [5, 95])) if known.size > 1 else None


def _draw_masses(axes: "Axes", relations: Table, medians: Table, correlations: Table) -> None:
    host = numbers(relations, "log_mass_host")
    for quantity, (label, colour, marker) in _CLUMPS.items():
        text = f"{label}\n{_statistics(correlations, 'log_mass_host', quantity)}"
        look = {"color": colour, "lw": 0, "s": 10, "alpha": 0.7}
        if quantity == "log_mass_central":
            # Ages in one hue: the symbol alone tells the central clump.
            look = {"c": numbers(relations, "log_age_mw_central"), "cmap": "YlOrBr", "norm": _ages(relations), "s": 16, "lw": 0.5,
                    "edgecolors": colour, "plotnonfinite": True}  # fmt: skip
        points = axes.scatter(
            host, numbers(relations, quantity), marker=marker, label=text, zorder=2, rasterized=True, **look
        )
        if quantity == "log_mass_central" and _ages(relations) is not None:
            axes.figure.colorbar(points, ax=axes, label=r"$\log$ age of the central clump [yr]", pad=0.02)
        _draw_medians(axes, medians, quantity, colour, marker)
    masses = np.concatenate([numbers(relations, quantity) for quantity in _CLUMPS])
    if not np.isfinite(masses).any():
        empty(axes, "no masses of clumps")
        return
    ends, height = np.array(axes.get_xlim()), axes.get_ylim()
    for shift, name in ((0, "1:1"), (-1, "10 %"), (-2, "1 %"), (-3, "0.1 %")):
        axes.plot(ends, ends + shift, color="0.8", lw=0.7, zorder=0)
        x = min(ends[1], height[1] - shift)
        if x > ends[0] + 0.1 * np.ptp(ends):
            axes.annotate(name, (x, x + shift), (-3, -5), textcoords="offset points", ha="right", fontsize=6, color=GREY,
                          bbox=ON_DATA, zorder=0.5)  # fmt: skip
    axes.set(xlim=ends, ylim=height)
    legend_above(axes, ncols=1)


def _draw_fraction(axes: "Axes", relations: Table, medians: Table, correlations: Table) -> None:
    from matplotlib.colors import Normalize

    host, fraction, ssfr = (numbers(relations, name) for name in ("log_mass_host", "log_f_cl", "log_ssfr"))
    known = ssfr[np.isfinite(ssfr)]
    error_bars(axes, host, fraction, "0.7", yerr=np.nan_to_num(numbers(relations, "log_f_cl_err")), alpha=1.0)
    without = ~np.isfinite(ssfr)
    look = {"s": 16, "zorder": 2, "rasterized": True}
    axes.scatter(host[without], fraction[without], color="0.6", lw=0, **look)
    if known.size:
        limits = Normalize(*np.percentile(known, [5, 95]))
        points = axes.scatter(
            host, fraction, c=ssfr, cmap="cividis", norm=limits, edgecolors=GREY, lw=0.3, **look
        )
        label = r"$\log\,$sSFR$_{100}$ $[\mathrm{yr}^{-1}]$"
        axes.figure.colorbar(points, ax=axes, label=label, pad=0.02)
    _draw_medians(axes, medians, "log_f_cl", "black", "o")
    # A line at the whole mass where shares come near to it.
    if np.any(fraction > -0.5):
        axes.axhline(0, color="0.75", lw=0.7, zorder=0)
    headroom(axes, 0.17)
    text = f"with mass: {_statistics(correlations, 'log_mass_host', 'log_f_cl')}\n"
    panel_label(axes, text + f"with sSFR: {_statistics(correlations, 'log_ssfr', 'log_f_cl')}")
