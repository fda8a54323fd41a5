"""Clump properties under different star-formation histories (C25 Fig. 7)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table, vstack

from .columns import numbers, shown, shown_range
from .settings import Settings
from .style import LINES, PAGE_INCH, PALETTE, empty, headroom, legend_above, new_figure, sfh_name, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_PANELS = {
    "log_mass": r"$\log\, M_\star\ [M_\odot]$",
    "log_age_mw_yr": r"$\log$ mass-weighted age [yr]",
    "a_v": r"$A_V$ [mag]",
    "log_sigma_mass": r"$\log\, \Sigma_{M}\ [M_\odot\,\mathrm{pc}^{-2}]$",
    "log_sfr10": r"$\log\, \mathrm{SFR}_{10}\ [M_\odot\,\mathrm{yr}^{-1}]$",
    "log_z_zsun": r"$\log\, Z / Z_\odot$",
    "log_sigma_sfr": r"$\log\, \Sigma_\mathrm{SFR}\ [M_\odot\,\mathrm{yr}^{-1}\,\mathrm{kpc}^{-2}]$",
    "log_chi2_per_band": r"$\log\, \chi^2$ / band",
}
_N_HISTOGRAM_BINS = 24
_N_COLUMNS = 4


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the distribution of every property for every history; products: ``catalogue``, ``sed_all``."""
    clumps = shown(products["catalogue"], settings)
    tables = [_intrinsic(clumps, sed, name) for name, sed in products["sed_all"].items()]
    fitted = [name for name in _PANELS if any(np.isfinite(numbers(table, name)).any() for table in tables)]
    fitted = fitted or list(_PANELS)
    n_rows = -(-len(fitted) // 3)
    # Two rows of four; of one row less where a field has no sizes, dust or metallicity.
    n_rows = -(-len(fitted) // _N_COLUMNS)
    figure = new_figure(PAGE_INCH, 0.6 + 1.75 * n_rows)
    panels = figure.subplots(n_rows, _N_COLUMNS, squeeze=False).ravel()
    for axes in panels[len(fitted) :]:
        axes.set_visible(False)
    for axes, quantity in zip(panels, fitted, strict=False):
        axes.set_xlabel(_PANELS[quantity])
        columns = [numbers(table, quantity) for table in tables]
        known = np.concatenate([values[np.isfinite(values)] for values in columns] or [np.empty(0)])
        if not known.size:
            empty(axes)
            continue
        edges = np.linspace(*shown_range(known), _N_HISTOGRAM_BINS + 1)
        for number, (values, sfh) in enumerate(zip(columns, products["sed_all"], strict=True)):
            values = values[np.isfinite(values)]
            if not values.size:
                continue
            colour = PALETTE[number % len(PALETTE)]
            # The outermost bins also count what lies beyond them.
            axes.hist(np.clip(values, *edges[[0, -1]]), edges, histtype="step", color=colour, lw=1.2,
                      ls=LINES[number % len(LINES)], label=f"{sfh_name(sfh)} ({len(clumps)})")  # fmt: skip
            middle = np.clip(np.median(values), *edges[[0, -1]])
            # Above each other, where medians agree.
            axes.plot(middle, 0.97 - 0.06 * number, marker="v", ms=5, mec="white", mew=0.4, color=colour,
                      transform=axes.get_xaxis_transform())  # fmt: skip
        headroom(axes, 0.1 + 0.06 * len(tables))
        axes.yaxis.get_major_locator().set_params(integer=True, nbins=4)
    for axes in panels[::_N_COLUMNS]:
        axes.set_ylabel("clumps")
    legend_above(figure, ncols=4, title="triangles: medians", title_fontsize=7)
    return figure, vstack(tables) if tables else Table({"id": np.empty(0, dtype=str)})


def _intrinsic(clumps: Table, sed: Table, sfh: str) -> Table:
    """Medians of one history for the clumps shown, divided by their magnification."""
    rows = {str(name): row for row, name in enumerate(sed["id"])}
    index = np.array([rows.get(str(name), -1) for name in clumps["id"]], dtype=int)
    known = index >= 0
    magnification = np.log10(numbers(clumps, "mu")) if "mu" in clumps.colnames else np.zeros(len(clumps))

    def taken(name: str, end: str = "_p50") -> np.ndarray:
        values = numbers(sed, name + end)
        return np.where(known, values[index], np.nan) if len(values) else np.full(len(clumps), np.nan)

    mass, rate = taken("log_mass") - magnification, taken("log_sfr10") - magnification
    chi2, bands = (taken(name, "") for name in ("chi2", "n_bands"))
    with np.errstate(divide="ignore", invalid="ignore"):
        goodness = np.log10(chi2 / bands)
    # The area is that of the reference history's catalogue.
    log_area = numbers(clumps, "log_mass_p50") - numbers(clumps, "log_sigma_mass_p50")
    return Table(
        {
            "id": np.asarray(clumps["id"], dtype=str),
            "sfh": np.full(len(clumps), sfh, dtype="U20"),
            "log_mass": mass,
            "log_age_mw_yr": taken("log_age_mw_yr"),
            "a_v": taken("a_v"),
            "log_sigma_mass": mass - log_area,
            "log_sfr10": rate,
            "log_z_zsun": taken("log_z_zsun"),
            "log_sigma_sfr": rate - log_area + 6.0,  # per kpc2
            "log_chi2_per_band": np.where(np.isfinite(goodness), goodness, np.nan),
        }
    )
