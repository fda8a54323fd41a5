"""Magnitudes of star clusters, and their light at 2.2 micron against their mass (F22 Fig. 4, left and right)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .clusters import compared
from .columns import numbers, shown
from .settings import Settings
from .style import GREY, PAGE_INCH, PALETTE, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "rest_k_flux"]

_AB_ZERO_NJY = 31.4
_K_UM = 2.2
_STEP = 0.25  # mag
_MIN_SNR = 3.0


def _magnitude(flux_njy: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(flux_njy > 0, _AB_ZERO_NJY - 2.5 * np.log10(flux_njy), np.nan)


def _filters(catalogue: Table) -> list[str]:
    """Filters of the catalogue, by wavelength."""
    from ..filters import measured_filters

    return [name for name in measured_filters(catalogue.colnames) if "_" not in name]


def rest_k_flux(catalogue: Table) -> np.ndarray:
    """Observed flux at a rest-frame wavelength of 2.2 micron [nJy], (n,), between the two filters on its sides.

    Linear in the logarithm of the wavelength. NaN where no two filters enclose it.
    """
    from ..filters import get_filter

    names = _filters(catalogue)
    wave = np.array([get_filter(name).pivot_angstrom for name in names]) / 1e4
    wanted = _K_UM * (1.0 + numbers(catalogue, "z"))
    flux = np.array([numbers(catalogue, f"flux_{name}_njy") for name in names]).reshape(
        len(names), len(catalogue)
    )
    if len(names) < 2:
        return np.full(len(catalogue), np.nan)
    at = np.clip(np.searchsorted(wave, wanted), 1, len(names) - 1)
    share = np.log(wanted / wave[at - 1]) / np.log(wave[at] / wave[at - 1])
    rows = np.arange(len(catalogue))
    between = (1.0 - share) * flux[at - 1, rows] + share * flux[at, rows]
    return np.where((wanted >= wave[0]) & (wanted <= wave[-1]), between, np.nan)


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw histograms of the bluest, the middle and the reddest band, and mass against light.

    Products: ``catalogue``, ``sed_all``; with ``published``, published masses too.
    """
    catalogue = shown(products["catalogue"], settings, 0)
    nothing = Table(
        {"id": np.empty(0, str), "published_log_mass": np.empty(0), "published_log_mass_err": np.empty(0)}
    )
    table = compared(
        catalogue, products["sed_all"], products.get("published", nothing), settings.reference_sfh
    )
    figure = new_figure(PAGE_INCH, 3.1)
    histogram, masses = figure.subplots(1, 2)
    histogram.set(xlabel="observed magnitude [AB]", ylabel="clusters")
    masses.set(
        xlabel=r"observed magnitude at rest-frame 2.2 $\mu$m [AB]", ylabel=r"$\log\, M_\star\ [M_\odot]$"
    )
    names = _filters(catalogue)
    chosen = [names[k] for k in sorted({0, len(names) // 3, len(names) - 1})] if names else []
    for name in names:
        table[f"mag_{name}_ab"] = _magnitude(numbers(catalogue, f"flux_{name}_njy"))
    table["mag_rest_k_ab"] = _magnitude(rest_k_flux(catalogue))
    known = np.concatenate([np.empty(0), *(numbers(table, f"mag_{name}_ab") for name in chosen)])
    known = known[np.isfinite(known)]
    if not known.size:
        empty([histogram, masses], "no clusters")
        return figure, table
    edges = np.arange(np.floor(known.min()), np.ceil(known.max()) + _STEP, _STEP)
    for name, colour, style in zip(chosen, PALETTE, ("-", "--", "-."), strict=False):
        values = numbers(table, f"mag_{name}_ab")
        values = values[np.isfinite(values)]
        if not values.size:
            continue
        histogram.hist(
            values, edges, histtype="step", color=colour, ls=style, lw=1.3, label=f"{name} ({values.size})"
        )
        limit = _magnitude(_MIN_SNR * np.array([np.nanmedian(numbers(catalogue, f"flux_{name}_err_njy"))]))[0]
        if np.isfinite(limit):
            histogram.plot(
                limit, 0.0, marker="^", ms=7, color=colour, mec="white", mew=0.5, clip_on=False, zorder=5
            )
    histogram.set_ylim(0, 1.3 * histogram.get_ylim()[1])
    histogram.legend(loc="upper left", title=r"triangles: 3$\sigma$ limits", title_fontsize=7)
    x = numbers(table, "mag_rest_k_ab")
    looks = (("published_log_mass", "published", "0.55", "o"), ("ssp_log_mass", "grid of SSPs", PALETTE[0], "s"),
             ("reference_log_mass", "reference history", PALETTE[1], "^"))  # fmt: skip
    drawn = False
    for name, label, colour, marker in looks:
        y = numbers(table, name)
        good = np.isfinite(x) & np.isfinite(y)
        if good.any():
            masses.scatter(
                x[good],
                y[good],
                s=9,
                marker=marker,
                lw=0,
                color=colour,
                alpha=0.65,
                label=f"{label} ({good.sum()})",
            )
            drawn = True
    if not drawn:
        empty(masses, "no filters on both sides of 2.2 micron")
        return figure, table
    low, high = masses.get_xlim()
    y = numbers(
        table,
        "published_log_mass" if np.isfinite(numbers(table, "published_log_mass")).any() else "ssp_log_mass",
    )
    middle = np.nanmedian(y + 0.4 * x)
    masses.plot(
        [low, high], middle - 0.4 * np.array([low, high]), color=GREY, lw=0.9, ls=":", label="equal M/L"
    )
    masses.set_xlim(high, low)
    masses.legend(loc="upper left")
    return figure, table
