"""Measured against true: flux, size, magnification, mass and age of a field with known truth."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import errors, numbers
from .settings import Settings
from .style import (
    GREY,
    MOST_BARS,
    PAGE_INCH,
    PALETTE,
    empty,
    error_bars,
    headroom,
    legend_above,
    new_figure,
    panel_label,
    plain_logarithms,
    signed,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
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


_SNR_SHOWN = (0.5, 2.5)  # log10
# Neighbours in the stack differ in grey too.
_FATES = {"detected": PALETTE[0], "blended": PALETTE[3], "outside the galaxy's radius": PALETTE[2], "low S/N": "0.88",
          "missed": PALETTE[1]}  # fmt: skip


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw measured against true for five quantities, and how many clumps were found by S/N.

    Products: ``truth`` and ``truth_summary``, the comparison and the summary of `clumpscope.population.truth`; errors are those
    of the ``catalogue``, where it is given.
    """
    comparison, summary = products["truth"], products["truth_summary"]
    detected = comparison[comparison["status"] == "detected"]
    values = {row["quantity"]: row["value"] for row in summary}
    figure = new_figure(PAGE_INCH, 5.4)
    axes = figure.subplots(2, 3).ravel()
    points = None
    for panel, (name, label, logarithmic) in zip(axes, _PANELS, strict=False):
        panel.set(xlabel=f"true {label}", ylabel=f"measured {label}")
        drawn = _draw_panel(
            panel, detected, _measured_errors(detected, products.get("catalogue"), name), name, logarithmic
        )
        if drawn is None:
            empty(panel)
            continue
        points = drawn
        middle, scatter = (values.get(key) for key in _SUMMARY[name])
        if middle is not None:
            word = f"median ratio {middle:.3f}" if logarithmic else f"offset {signed(middle, '+.3f')} dex"
            panel_label(panel, f"{word}\nscatter {scatter:.3f}")
    if points is not None:
        figure.colorbar(
            points,
            ax=axes[:5].tolist(),
            label=r"$\log$ true S/N",
            shrink=0.6,
            location="bottom",
            aspect=40,
            extend="both",
        )
    _draw_fates(axes[5], comparison)
    return figure, comparison


def _measured_errors(detected: Table, catalogue: Table | None, name: str) -> np.ndarray:
    """(2, n) errors of a quantity in the catalogue; NaN where unknown."""
    missing = np.full((2, len(detected)), np.nan)
    if catalogue is None or not len(catalogue) or "match" not in detected.colnames:
        return missing
    place = {str(one): row for row, one in enumerate(catalogue["id"])}
    rows = np.array([place.get(str(one), -1) for one in detected["match"]], dtype=int)
    if name == "flux_njy":
        known = {
            band: numbers(catalogue, f"flux_{band}_err_njy") for band in set(map(str, detected["filter_ref"]))
        }
        both = np.array(
            [known[str(band)][row] for band, row in zip(detected["filter_ref"], rows, strict=True)]
        )
        sides = np.stack([both, both])
    else:
        sides = errors(catalogue, name)[:, rows]
    return np.where(rows >= 0, sides, np.nan)


def _draw_panel(
    panel: "Axes", detected: Table, bars: np.ndarray, name: str, logarithmic: bool
) -> "PathCollection | None":
    true, measured = (np.asarray(detected[f"{kind}_{name}"], dtype=float) for kind in ("true", "measured"))
    good = np.isfinite(true) & np.isfinite(measured) & ((measured > 0) | (not logarithmic))
    if not good.any():
        return None
    is_limit = name == "r_eff_pc"
    limit = np.asarray(detected["size_limit"], dtype=bool) if is_limit else np.zeros(len(detected), bool)
    snr = np.log10(np.clip(np.asarray(detected["snr_ref"], dtype=float), 1, None))
    bars = np.nan_to_num(bars)
    if logarithmic:
        panel.set(xscale="log", yscale="log")
        bars[0] = np.minimum(bars[0], 0.95 * measured)  # stays on the logarithmic axis
    sure = good & ~limit
    error_bars(panel, true[sure], measured[sure], "0.6", yerr=bars[:, sure], alpha=1.0, zorder=1)
    points = None
    for rows, marker in ((sure, "o"), (good & limit, "v")):
        if rows.any():
            rims = GREY if len(true) <= MOST_BARS else "none"  # half of the time that a crowd takes
            points = panel.scatter(
                true[rows], measured[rows], c=snr[rows], marker=marker, s=12, cmap="viridis", vmin=_SNR_SHOWN[0],
                vmax=_SNR_SHOWN[1], edgecolors=rims, lw=0.3, zorder=2, rasterized=True,
            )  # fmt: skip
    ends = np.array(
        [min(true[good].min(), measured[good].min()), max(true[good].max(), measured[good].max())]
    )
    panel.plot(ends, ends, color=GREY, lw=1, zorder=0)
    low, high = np.log10(ends) if logarithmic else ends
    limits = np.array([low, high]) + (0.05 * (high - low) + 0.02) * np.array([-1.0, 1.0])
    limits = 10**limits if logarithmic else limits
    panel.set(xlim=limits, ylim=limits)
    headroom(panel, 0.2)
    for axis in (panel.xaxis, panel.yaxis):
        plain_logarithms(axis)
    if is_limit and (good & limit).any():
        panel_label(panel, "triangles: upper limits", "lower right")
    return points


def _draw_fates(panel: "Axes", comparison: Table) -> None:
    """Number of true clumps by S/N, stacked by what became of them."""
    measured = comparison[comparison["status"] != "galaxy not measured"]
    snr = np.asarray(measured["snr_ref"], dtype=float)
    edges = np.geomspace(2.0, 600.0, 11)
    status = np.asarray(measured["status"])
    heights = [np.clip(snr[status == name], edges[0], edges[-1]) for name in _FATES]
    panel.hist(
        heights, edges, stacked=True, color=list(_FATES.values()), ec="0.3", lw=0.3, label=list(_FATES)
    )
    panel.axvline(10.0, color=GREY, lw=1, ls=":")
    panel.set(
        xscale="log", xlabel="true S/N in the PSF aperture", ylabel="true clump images", xlim=edges[[0, -1]]
    )
    plain_logarithms(panel.xaxis)
    panel.locator_params(axis="y", integer=True)
    legend_above(panel, ncols=2, fontsize=6, columnspacing=0.7)
