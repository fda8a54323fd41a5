"""What fewer filters change: the same clumps fitted with all of them and with sets of them (C25 Figs. 20 and 21)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table, vstack

from .columns import errors, numbers, shown, shown_range
from .settings import Settings
from .style import (
    GREY,
    MARKERS,
    PAGE_INCH,
    PALETTE,
    empty,
    error_bars,
    legend_above,
    new_figure,
    plain_text,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_QUANTITIES = {
    "log_age_mw_yr": r"$\log$ age [yr]",
    "log_mass": r"$\log\, M_\star\ [M_\odot]$",
    "log_sfr10": r"$\log\, \mathrm{SFR}_{10}$",
    "a_v": r"$A_V$ [mag]",
    "log_z_zsun": r"$\log\, Z/Z_\odot$",
}
_MOVED = 0.2  # dex or mag; C25 count the masses that move by more


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw every set against all filters, and the difference by redshift; products: ``filter_sets``, ``sed_all``, ``catalogue``."""
    clumps = shown(products["catalogue"], settings)
    whole = products["sed_all"][settings.reference_sfh]
    tables = [_differences(clumps, whole, table, name) for name, table in products["filter_sets"].items()]
    figure = new_figure(PAGE_INCH, 3.7)
    panels = figure.subplots(2, len(_QUANTITIES), height_ratios=(1.25, 1))
    for (above, below), (name, label) in zip(panels.T, _QUANTITIES.items(), strict=True):
        above.set(xlabel=f"{label}\nall filters")
        below.set(xlabel="redshift")
        _draw_quantity(above, below, tables, name)
    panels[0, 0].set_ylabel("fewer filters")
    panels[1, 0].set_ylabel("fewer minus all")
    legend_above(
        figure,
        title=rf"above the panels: median error with all filters and with fewer; share moved by > {_MOVED:g}",
        title_fontsize=7,
    )
    return figure, vstack(tables) if tables else Table({"id": np.empty(0, dtype=str)})


def _differences(clumps: Table, whole: Table, part: Table, name: str) -> Table:
    """One row a clump that both fits have: values with all filters, with the set, and their errors (half of 16 to 84 %)."""
    rows = [{str(one): row for row, one in enumerate(table["id"])} for table in (whole, part)]
    both = [row for row, one in enumerate(clumps["id"]) if all(str(one) in index for index in rows)]
    ids = np.asarray(clumps["id"], str)[both]
    table = Table({"id": ids, "z": numbers(clumps, "z")[both], "set": np.full(len(ids), name, dtype="U32")})
    for quantity in _QUANTITIES:
        for source, index, end in ((whole, rows[0], "all"), (part, rows[1], "set")):
            place = np.array([index[one] for one in ids], dtype=int)
            table[f"{quantity}_{end}"] = numbers(source, f"{quantity}_p50")[place]
            table[f"{quantity}_{end}_err"] = errors(source, quantity).mean(axis=0)[place]
    return table


def _draw_quantity(above: "Axes", below: "Axes", tables: list[Table], name: str) -> None:
    columns = [(numbers(one, f"{name}_all"), numbers(one, f"{name}_set"), one) for one in tables]
    known = [values[np.isfinite(x) & np.isfinite(y)] for x, y, _ in columns for values in (x, y)]
    if not sum(map(len, known)):
        empty([above, below])
        return
    low, high = shown_range(np.concatenate(known))
    room = 0.08 * (high - low) + 0.05
    limits = low - room, high + room
    words = []
    for (x, y, one), colour, marker in zip(
        columns, (PALETTE[0], PALETTE[1], *PALETTE[2:]), MARKERS, strict=False
    ):
        good = np.isfinite(x) & np.isfinite(y)
        if not good.any():
            continue
        sides = numbers(one, f"{name}_all_err")[good], numbers(one, f"{name}_set_err")[good]
        shift = (y - x)[good]
        error_bars(above, x[good], np.clip(y[good], *limits), colour, xerr=sides[0], yerr=sides[1])
        for axes, place, values in (
            (above, np.clip(x[good], *limits), np.clip(y[good], *limits)),
            (below, numbers(one, "z")[good], shift),
        ):
            axes.scatter(place, values, s=9, lw=0, color=colour, marker=marker, rasterized=True, zorder=2,
                         label=f"{plain_text(one['set'][0])} ({len(one)} clumps)" if axes is above else None)  # fmt: skip
        moved = np.mean(np.abs(shift) > _MOVED)
        words.append(f"{np.median(sides[0]):.2f}, {np.median(sides[1]):.2f}; {100 * moved:.0f} %")
    above.plot(limits, limits, color=GREY, lw=0.8, zorder=0)
    above.set(xlim=limits, ylim=limits)
    above.set_title("\n".join(words), fontsize=6.5, pad=3)
    below.axhline(0.0, color=GREY, lw=0.8, zorder=0)
    reach = 1.1 * max(
        np.max(np.abs(np.clip(y - x, -high + low, high - low)[np.isfinite(y - x)]), initial=0.1)
        for x, y, _ in columns
    )
    below.set_ylim(-reach, reach)
