"""Measured against true: flux, size, magnification, mass and age of a field with known truth."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .settings import Settings
from .style import GREY, PAGE_INCH, empty, new_figure, panel_label, plain_logarithms, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_PANELS = (
    ("flux_njy", "flux [nJy]", True),
    ("r_eff_pc", r"$R_\mathrm{eff}$ [pc]", True),
    ("mu", r"$\mu$", True),
    ("log_mass", r"$\log\, M_\star\ [M_\odot]$", False),
    ("log_age_mw_yr", r"$\log$ mean age [yr]", False),
)
_SUMMARY = {
    "flux_njy": ("flux_ratio", "flux_scatter"),
    "r_eff_pc": ("size_ratio", "size_scatter"),
    "mu": ("mu_ratio", "mu_scatter"),
    "log_mass": ("log_mass_offset", "log_mass_scatter"),
    "log_age_mw_yr": ("log_age_mw_offset", "log_age_mw_scatter"),
}


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw measured against true for five quantities, and how many clumps were found by S/N.

    Products: ``truth`` and ``truth_summary``, the comparison and the summary of `clumpscope.population.truth`.
    """
    comparison, summary = products["truth"], products["truth_summary"]
    detected = comparison[comparison["status"] == "detected"]
    numbers = {row["quantity"]: row["value"] for row in summary}
    figure = new_figure(PAGE_INCH, 5.2)
    axes = figure.subplots(2, 3).ravel()
    snr = np.log10(np.clip(detected["snr_ref"], 1, None)) if len(detected) else []
    points = None
    for panel, (name, label, logarithmic) in zip(axes, _PANELS, strict=False):
        true, measured = (
            np.asarray(detected[f"{kind}_{name}"], dtype=float) for kind in ("true", "measured")
        )
        good = np.isfinite(true) & np.isfinite(measured) & ((measured > 0) | (not logarithmic))
        limit = (
            np.asarray(detected["size_limit"], dtype=bool)
            if name == "r_eff_pc"
            else np.zeros(len(detected), bool)
        )
        for rows, marker in ((good & ~limit, "o"), (good & limit, "v")):
            if rows.any():
                points = panel.scatter(
                    true[rows], measured[rows], c=np.asarray(snr)[rows], marker=marker, s=11, cmap="viridis",
                    vmin=0.5, vmax=2.5, edgecolors="none", alpha=0.85,
                )  # fmt: skip
        if good.any():
            ends = np.array(
                [min(true[good].min(), measured[good].min()), max(true[good].max(), measured[good].max())]
            )
            panel.plot(ends, ends, color=GREY, lw=1, zorder=0)
        else:
            empty(panel)
        if logarithmic:
            panel.set(xscale="log", yscale="log")
            for axis in (panel.xaxis, panel.yaxis):
                plain_logarithms(axis)
        middle, scatter = (numbers.get(key) for key in _SUMMARY[name])
        if middle is not None:
            word = "median ratio" if logarithmic else "offset"
            text = f"{word} {middle:.3f}\nscatter {scatter:.3f}"
            panel_label(panel, text)
        panel.set(xlabel=f"true {label}", ylabel=f"measured {label}")
    if points is not None:
        figure.colorbar(
            points, ax=axes[:5].tolist(), label=r"$\log$ true S/N", shrink=0.6, location="bottom", aspect=40
        )
    _draw_completeness(axes[5], comparison)
    return figure, comparison


def _draw_completeness(panel, comparison: Table) -> None:
    """Number of true clumps by S/N, stacked by what became of them."""
    measured = comparison[comparison["status"] != "galaxy not measured"]
    snr = np.asarray(measured["snr_ref"], dtype=float)
    edges = np.geomspace(2.0, 600.0, 11)
    status = [name for name in ("detected", "blended", "outside the galaxy's radius", "low S/N", "missed")]
    colours = ["#35608d", "#6ece58", "#c7e020", "0.7", "#c0392b"]
    heights = [np.clip(snr[np.asarray(measured["status"]) == name], edges[0], edges[-1]) for name in status]
    panel.hist(heights, edges, stacked=True, color=colours, label=status)
    panel.axvline(10.0, color=GREY, lw=1, ls=":")
    panel.set(xscale="log", xlabel="true S/N in the PSF aperture", ylabel="true clump images")
    panel.set_ylim(0, 1.75 * panel.get_ylim()[1])
    panel.legend(fontsize=6, loc="upper right", labelspacing=0.25)
