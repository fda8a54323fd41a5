"""Colours of star clusters, their ages and metallicities, and tracks of simple stellar populations (F22 Fig. 7)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import numbers, shown
from .settings import Settings
from .style import PAGE_INCH, empty, legend_above, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

__all__ = ["draw", "track_colours"]

_FILTERS = ("F090W", "F150W", "F200W", "F277W")
_LABELS = ("F200W \N{MINUS SIGN} F277W [AB mag]", "F090W \N{MINUS SIGN} F150W [AB mag]")
_TRACK_Z = (0.02, 0.2, 0.4, 1.0, 2.5)
_TRACK_AGES_YR = np.geomspace(0.5e9, 9e9, 30)
_MARKED_AGES_YR = np.array([0.5e9, 1e9, 4e9, 9e9])
_MIN_SNR = 3.0
_PER_E_FOLD = 2.5 / np.log(10.0)


def track_colours(
    library: str, redshift: float, log_z_zsun: float, ages_yr: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Colours (F200W - F277W, F090W - F150W) of dust-free SSPs without gas; two (n_ages,) arrays [AB mag]."""
    from ..sed.models.photometry import (
        PhotometryModel,  # compiled code and a library that only this figure needs
    )

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
    table = _colours(shown(products["catalogue"], settings, 0), products["sed_all"], settings.reference_sfh)
    figure = new_figure(PAGE_INCH, 4.0)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    x, y = numbers(table, "colour_x"), numbers(table, "colour_y")
    for axes in panels:
        axes.set_xlabel(_LABELS[0])
    panels[0].set_ylabel(_LABELS[1])
    if not len(table):
        empty(list(panels), "no clusters")
        return figure, table
    limits = [np.percentile(values, [1, 99]) + np.array([-0.35, 0.35]) for values in (x, y)]
    typical = [np.median(numbers(table, f"{name}_err")) for name in ("colour_x", "colour_y")]
    # A strip below the data for the typical error.
    limits[1][0] -= 2.6 * typical[1]
    beyond = ~((x > limits[0][0]) & (x < limits[0][1]) & (y > limits[1][0]) & (y < limits[1][1]))
    looks = (
        ("log_age_yr", "log age [yr]", "viridis_r"),
        ("log_z_zsun", r"$\log\, Z / Z_\odot$", "cividis_r"),
    )
    for axes, (name, label, colours) in zip(panels, looks, strict=True):
        look = {"c": numbers(table, name), "cmap": colours, "lw": 0.3, "edgecolors": "0.4", "plotnonfinite": True,
                "norm": _scale(numbers(table, name))}  # fmt: skip
        look = {key: value for key, value in look.items() if value is not None}
        points = axes.scatter(*(np.clip(values, *ends) for values, ends in zip((x, y), limits, strict=True)), s=np.where(beyond, 22, 13),
                              zorder=2, rasterized=True, **look)  # fmt: skip
        figure.colorbar(points, ax=axes, label=label, location="top", pad=0.02, aspect=30)
    panels[0].set(xlim=limits[0], ylim=limits[1])
    for axes in panels:
        _draw_tracks(axes, settings.library, float(np.median(numbers(table, "z"))))
    corner = (limits[0][1] - 1.5 * typical[0], limits[1][0] + 1.3 * typical[1])
    for axes in panels:
        axes.errorbar(*corner, xerr=typical[0], yerr=typical[1], color="black", lw=1, capsize=2)
        axes.annotate("median error", (corner[0] - typical[0], corner[1]), (-4, 0), textcoords="offset points", fontsize=6.5, va="center",
                      ha="right")  # fmt: skip
    legend_above(figure, title="ages along every line of one metallicity", title_fontsize=7)
    return figure, table


def _scale(values: np.ndarray) -> "Normalize | None":
    from matplotlib.colors import Normalize

    known = values[np.isfinite(values)]
    return Normalize(known.min(), known.max()) if known.size else None


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


def _draw_tracks(axes: "Axes", library: str, redshift: float) -> None:
    from matplotlib.patheffects import withStroke

    outline = [withStroke(linewidth=2.2, foreground="white")]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for metallicity, line in zip(_TRACK_Z, ("-", "--", "-.", ":", "-"), strict=True):
        x, y = track_colours(library, redshift, np.log10(metallicity), _TRACK_AGES_YR)
        axes.plot(x, y, color="black", lw=0.9, ls=line, zorder=3, path_effects=outline)
        x, y = track_colours(library, redshift, np.log10(metallicity), _MARKED_AGES_YR)
        for k, (age, size) in enumerate(zip(_MARKED_AGES_YR, (2.5, 3.5, 4.5, 5.5), strict=True)):
            label = f"{age / 1e9:g} Gyr" if metallicity == _TRACK_Z[0] else None
            axes.plot(
                x[k],
                y[k],
                "o",
                ms=size,
                color="white",
                mec="black",
                mew=0.7,
                zorder=4,
                ls="none",
                label=label,
            )
        if left < x[-1] < right and bottom < y[-1] < top:
            text = rf"{metallicity:g} $Z_\odot$"
            axes.annotate(text, (x[-1], y[-1]), (-5, 3), textcoords="offset points", ha="right", fontsize=6.5, zorder=5,
                          path_effects=outline)  # fmt: skip
