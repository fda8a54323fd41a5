"""Whether intervals hold the truth of a field where it is known."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .settings import Settings
from .style import GREY, PAGE_INCH, PALETTE, empty, legend_above, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_GROUPS = {"all": ("k", "o"), "isolated": (PALETTE[0], "s"), "on_host": (PALETTE[1], "D"), "crowded": (PALETTE[2], "^"),
           "central": (PALETTE[3], "v")}  # fmt: skip
_PANELS = (
    ("inside_68", "share inside 68 %", (0.3, 1.0), (0.64, 0.72)),
    ("pull_median", "median pull", (-1.5, 1.5), (-0.15, 0.15)),
    ("pull_width", "width of pulls", (0.4, 2.5), (0.9, 1.15)),
)

_WORDS = {
    "mu": r"$\mu$", "mu_t": r"$\mu_t$", "mu_r": r"$\mu_r$", "r_eff_pc": r"$R_\mathrm{eff}$", "m_v_ab": r"$M_V$", "distance_kpc": "distance",
    "log_mass": r"$\log\, M_\star$", "log_mass_formed": r"$\log\, M$ formed", "log_age_mw_yr": r"$\log$ mean age", "log_age_yr": r"$\log$ age",
    "log_tau_yr": r"$\log\,\tau$", "log_sfr10": r"$\log\,$SFR$_{10}$", "a_v": "$A_V$", "log_z_zsun": r"$\log\, Z$", "log_u": r"$\log\, U$",
    "log_sigma_mass": r"$\log\,\Sigma_M$", "log_sigma_sfr": r"$\log\,\Sigma_\mathrm{SFR}$",
    "log_sfr100": r"$\log\,$SFR$_{100}$", "log_ssfr": r"$\log\,$sSFR",
}  # fmt: skip


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw coverage, median and width of the pulls of every quantity, by what surrounds clumps.

    Products: ``coverage``, of `clumpscope.population.coverage`.
    """
    coverage = products["coverage"]
    judged = coverage[np.isfinite(np.asarray(coverage["inside_68"], dtype=float))]
    names = [_name(r) for r in judged]
    labels = list(dict.fromkeys(names))
    figure = new_figure(PAGE_INCH, 1.0 + 0.17 * max(len(labels), 6))
    panels = figure.subplots(1, 3, sharey=True)
    for panel, (column, label, ends, band) in zip(panels, _PANELS, strict=True):
        panel.axvspan(*band, color="0.88", lw=0)
        panel.set(xlabel=label, xlim=ends)
        for place, (group, (colour, marker)) in enumerate(_GROUPS.items()):
            own = np.asarray(judged["group"]) == group
            rows = judged[own]
            if not len(rows):
                continue
            height = np.array([labels.index(name) for name, there in zip(names, own, strict=True) if there])
            values = np.asarray(rows[column], dtype=float)
            error = np.asarray(rows["inside_68_err"], dtype=float) if column == "inside_68" else None
            marks = panel.errorbar(
                np.clip(values, *ends), height + 0.15 * (place - 2), xerr=error, fmt=marker, ms=3, lw=0.6, color=colour,
                label=group.replace("_", " "), clip_on=False,
            )  # fmt: skip
            for bars in marks[2]:
                bars.set_clip_on(True)  # those of few clumps are wider than the panel
        for edge in range(len(labels)):
            panel.axhline(edge + 0.5, color=GREY, lw=0.2)
    if labels:
        panels[0].set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.5, -0.5))
        legend_above(figure, ncols=len(_GROUPS))
    else:
        empty(panels[0])
    return figure, coverage


def _name(row) -> str:
    """What a row is of, as astronomers write it."""
    quantity = str(row["quantity"])
    own = quantity.removeprefix("host_")
    host = "host " if own != quantity else ""
    return f"{host}{_WORDS.get(own, own.replace('_', ' '))} {row['filter']}".strip()
