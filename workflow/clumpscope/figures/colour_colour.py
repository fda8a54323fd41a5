"""Colours of star clusters, their ages and metallicities, and tracks of simple stellar populations (F22 Fig. 7)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import numbers, shown
from .settings import Settings
from .style import PAGE_INCH, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "track_colours"]

_FILTERS = ("F090W", "F150W", "F200W", "F277W")
_LABELS = ("F200W - F277W [AB mag]", "F090W - F150W [AB mag]")
_TRACK_Z = (0.02, 0.2, 0.4, 1.0, 2.5)
_TRACK_AGES_YR = np.geomspace(0.5e9, 9e9, 30)
_MARKED_AGES_YR = np.array([0.5e9, 1e9, 4e9, 9e9])
_MIN_SNR = 3.0
_PER_E_FOLD = 2.5 / np.log(10.0)


def track_colours(
    library: str, redshift: float, log_z_zsun: float, ages_yr: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Colours (F200W - F277W, F090W - F150W) of dust-free SSPs without gas; two (n_ages,) arrays [AB mag]."""
    from ..sed.photometry import PhotometryModel  # compiled code and a library that only this figure needs

    model = PhotometryModel(library, _FILTERS, redshift, "ssp", nebular=False)
    fixed = {"log_mass_formed": 6.0, "log_z_zsun": log_z_zsun, "a_v": 0.0, "log_u": -3.0}
    theta = np.array(
        [[{**fixed, "log_age_yr": np.log10(age)}[name] for name in model.parameters] for age in ages_yr]
    )
    magnitude = -2.5 * np.log10(model.fluxes(theta))
    return magnitude[:, 2] - magnitude[:, 3], magnitude[:, 0] - magnitude[:, 1]


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the colours twice, by age and by metallicity; products: ``catalogue``, ``sed_all``."""
    table = _colours(shown(products["catalogue"], 0), products["sed_all"], settings.reference_sfh)
    figure = new_figure(PAGE_INCH, 3.5)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    x, y = numbers(table, "colour_x"), numbers(table, "colour_y")
    for axes in panels:
        axes.set_xlabel(_LABELS[0])
    panels[0].set_ylabel(_LABELS[1])
    if not len(table):
        empty(list(panels), "no clusters")
        return figure, table
    looks = (("log_age_yr", "log age [yr]", "viridis_r"), ("log_z_zsun", r"$\log\, Z / Z_\odot$", "plasma_r"))
    for axes, (name, label, colours) in zip(panels, looks, strict=True):
        points = axes.scatter(x, y, c=numbers(table, name), s=13, cmap=colours, lw=0, alpha=0.9, zorder=2)
        figure.colorbar(points, ax=axes, label=label, location="top", pad=0.02, aspect=30)
    horizontal, vertical = (np.percentile(values, [1, 99]) + np.array([-0.35, 0.35]) for values in (x, y))
    panels[0].set(xlim=horizontal, ylim=vertical)
    for axes in panels:
        _draw_tracks(axes, settings.library, float(np.median(numbers(table, "z"))))
    typical = [np.median(numbers(table, f"{name}_err")) for name in ("colour_x", "colour_y")]
    corner = (horizontal[1] - 1.3 * typical[0] - 0.05, vertical[0] + 1.3 * typical[1] + 0.05)
    panels[1].errorbar(*corner, xerr=typical[0], yerr=typical[1], color="black", lw=1, capsize=2)
    panels[1].text(*corner, " median error", fontsize=6, va="bottom", ha="right")
    return figure, table


def _colours(clumps: Table, sed_all: Mapping[str, Table], reference: str) -> Table:
    """Colours and errors of the clumps with S/N > 3 in all four filters, and the fit that colours them."""
    flux, error = (
        np.array([numbers(clumps, f"flux_{name}_{end}") for name in _FILTERS]) for end in ("njy", "err_njy")
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        bright = np.all(flux > _MIN_SNR * error, axis=0) & np.all(error > 0, axis=0)
        magnitude, scatter = -2.5 * np.log10(flux), _PER_E_FOLD * error / flux
    # The grid of SSPs when there is one, as F22; else the reference history.
    fit, prefix, end = (
        (sed_all["ssp"], "best_", "") if "ssp" in sed_all else (sed_all.get(reference, clumps), "", "_p50")
    )
    age = "log_age_yr" if prefix else "log_age_mw_yr"

    def joined(name: str) -> np.ndarray:
        values = dict(zip(np.asarray(fit["id"], str), numbers(fit, f"{prefix}{name}{end}"), strict=True))
        return np.array([values.get(str(one), np.nan) for one in clumps["id"]], dtype=float)

    table = Table(
        {
            "id": np.asarray(clumps["id"], str),
            "z": numbers(clumps, "z"),
            "colour_x": magnitude[2] - magnitude[3],
            "colour_x_err": np.hypot(scatter[2], scatter[3]),
            "colour_y": magnitude[0] - magnitude[1],
            "colour_y_err": np.hypot(scatter[0], scatter[1]),
            "log_age_yr": joined(age),
            "log_z_zsun": joined("log_z_zsun"),
        }
    )
    return table[bright]


def _draw_tracks(axes, library: str, redshift: float) -> None:
    from matplotlib.patheffects import withStroke

    outline = [withStroke(linewidth=2, foreground="white")]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for metallicity in _TRACK_Z:
        x, y = track_colours(library, redshift, np.log10(metallicity), _TRACK_AGES_YR)
        axes.plot(x, y, color="black", lw=0.9, zorder=3, path_effects=outline)
        x, y = track_colours(library, redshift, np.log10(metallicity), _MARKED_AGES_YR)
        axes.scatter(x, y, s=(4, 8, 14, 22), color="white", edgecolors="black", lw=0.6, zorder=4)
        if left < x[-1] < right and bottom < y[-1] < top:
            text = f"{metallicity:g} $Z_\\odot$"
            axes.annotate(text, (x[-1], y[-1]), (-4, 2), textcoords="offset points", ha="right", fontsize=6, zorder=5,
                          path_effects=outline)  # fmt: skip
