"""Our masses and ages of star clusters against those of Faisst et al. (2022), one by one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .clusters import STACK_AGE_GYR, compared
from .columns import errors, numbers, shown
from .settings import Settings
from .style import (
    GREY,
    PAGE_INCH,
    PALETTE,
    empty,
    headroom,
    legend_above,
    new_figure,
    panel_label,
    sfh_name,
    signed,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw masses against published masses, and our ages; products: ``catalogue``, ``sed_all``, ``published``."""
    table = compared(
        shown(products["catalogue"], settings, 0),
        products["sed_all"],
        products["published"],
        settings.reference_sfh,
    )
    figure = new_figure(PAGE_INCH, 2.7)
    panels = figure.subplots(1, 3)
    kinds = (("ssp_log_mass", "grid of SSPs"), ("reference_log_mass", sfh_name(settings.reference_sfh)))
    published = numbers(table, "published_log_mass")
    everything = np.concatenate([published, *(numbers(table, name) for name, _ in kinds)])
    known = everything[np.isfinite(everything)]
    limits = (known.min() - 0.2, known.max() + 0.2) if known.size else (5, 9)
    for axes, (name, label), colour in zip(panels, kinds, PALETTE, strict=False):
        axes.set(xlabel=r"published $\log\, M_\star\ [M_\odot]$", ylabel=rf"$\log\, M_\star$, {label}")
        axes.set(xlim=limits, ylim=limits, aspect="equal")
        good = np.isfinite(published) & np.isfinite(numbers(table, name))
        if not good.any():
            empty(axes, "not fitted" if len(table) else "no clusters")
            continue
        axes.plot(limits, limits, color=GREY, lw=0.8, zorder=0)
        bars = errors(table, name)[:, good] if f"{name}_err_lo" in table.colnames else None
        across = np.nan_to_num(numbers(table, "published_log_mass_err")[good])
        axes.errorbar(published[good], numbers(table, name)[good], yerr=bars, xerr=across, fmt="o", ms=2.5, color=colour,
                      elinewidth=0.4, alpha=0.6, mew=0)  # fmt: skip
        offset = (numbers(table, name) - published)[good]
        low, middle, high = np.percentile(offset, [16, 50, 84])
        headroom(axes, 0.25)
        panel_label(
            axes,
            f"offset {signed(middle, '+.2f')} dex\nscatter {(high - low) / 2:.2f} dex\n{good.sum()} clusters",
        )
    _draw_ages(panels[2], table, settings)
    return figure, table


def _draw_ages(axes, table: Table, settings: Settings) -> None:
    axes.set(xlabel="log age [yr]", ylabel="clusters")
    kinds = (
        ("ssp_log_age_yr", "grid of SSPs", PALETTE[0], "-"),
        ("reference_log_age_mw_yr", f"{sfh_name(settings.reference_sfh)}, mass-weighted", PALETTE[1], "--"),
    )
    columns = [numbers(table, name) for name, *_ in kinds]
    known = np.concatenate([values[np.isfinite(values)] for values in columns])
    if not known.size:
        empty(axes, "no clusters")
        return
    edges = np.arange(np.floor(known.min() * 5) / 5, known.max() + 0.2, 0.2)
    for values, (_, label, colour, look) in zip(columns, kinds, strict=True):
        values = values[np.isfinite(values)]
        if values.size:
            middle = f"{label}: {10 ** np.median(values) / 1e9:.2g} Gyr"
            axes.hist(values, edges, histtype="step", color=colour, ls=look, lw=1.4, label=middle)
    low, middle, high = np.log10(np.array(STACK_AGE_GYR) * 1e9)
    axes.axvspan(low, high, color="0.85", lw=0, zorder=0)
    axes.axvline(middle, color=GREY, lw=1, zorder=0, label=f"published, stack: {STACK_AGE_GYR[1]:g} Gyr")
    legend_above(axes, ncols=1, fontsize=6.2)
