"""Age and metallicity of the stack of all clusters: how well each model of the grid fits, and the stack itself (F22 Fig. 5)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .clusters import STACK_AGE_GYR, STACK_Z_ZSUN
from .columns import numbers
from .settings import Settings
from .style import GREY, PAGE_INCH, PALETTE, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_LEVELS = (0, 1, 2, 3, 4, 5)
_CONTOURS = {3: "-", 4: "--", 5: ":"}
_FINE = 16
_OTHERS = ((1.5, 0.02), (1.5, 2.5), (9.0, 0.2))
"""Ages [Gyr] and metallicities [Zsun] of models drawn for comparison, as in F22 Fig. 5."""


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw a cell a model, coloured by how many sigma it is worse than the best, and the SED beside it.

    Products: ``ssp_stack``, ``ssp_stack_photometry``, ``catalogue`` (for the redshift); with ``published``, F22's age and metallicity of their stack
    are marked, and with ``published_stack`` their fluxes. Of several stacks the first is drawn. The grid is coarse in metallicity: contours
    follow the cells.
    """
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm

    table = _first(products["ssp_stack"])
    figure = new_figure(PAGE_INCH, 3.2)
    axes, spectrum = figure.subplots(1, 2, width_ratios=[1.1, 1])
    axes.set(xlabel="age [Gyr]", ylabel=r"$Z\ [Z_\odot]$")
    chi2 = numbers(table, "chi2")
    if not np.isfinite(chi2).any():
        empty([axes, spectrum], "no stack")
        return figure, table
    ages, metallicities = np.unique(numbers(table, "age_yr")) / 1e9, np.unique(numbers(table, "z_zsun"))
    sigma = np.full((len(metallicities), len(ages)), np.nan)
    place = (
        np.searchsorted(metallicities, numbers(table, "z_zsun")),
        np.searchsorted(ages, numbers(table, "age_yr") / 1e9),
    )
    # The best model is at minus infinity where chi-squared does not rise at all.
    sigma[place] = np.clip(numbers(table, "significance"), 0.0, 1e3)
    rows = np.arange(len(metallicities))
    norm = BoundaryNorm(_LEVELS, 256, extend="max")
    picture = axes.pcolormesh(ages, rows, sigma, cmap=colormaps["cividis_r"], norm=norm, shading="nearest",
                              edgecolors="white", linewidth=0.2)  # fmt: skip
    figure.colorbar(picture, ax=axes, label="worse than the best model [sigma]", pad=0.02, extend="max")
    _draw_contours(axes, ages, rows, sigma)
    best = int(np.nanargmin(chi2))
    axes.plot(numbers(table, "age_yr")[best] / 1e9, place[0][best], marker="*", ms=9, color="#D55E00", mec="white", mew=0.6,
              ls="none", label="best model")  # fmt: skip
    if "published" in products:
        (low, middle, high), (poor, rich) = STACK_AGE_GYR, np.interp(STACK_Z_ZSUN, metallicities, rows)
        axes.errorbar(middle, 0.5 * (poor + rich), xerr=[[middle - low], [high - middle]], yerr=0.5 * (rich - poor),
                      fmt="none", ecolor="#56B4E9", elinewidth=1.6, label="published")  # fmt: skip
    redshift = np.median(numbers(products["catalogue"], "z")) if len(products["catalogue"]) else np.nan
    if np.isfinite(redshift):
        from ..cosmology import age_of_universe_yr

        limit = float(age_of_universe_yr(redshift)) / 1e9
        axes.axvline(limit, color="black", lw=1.0, ls="-.", label="age of the Universe")
        axes.set_xlim(ages[0] - 0.25, max(ages[-1] + 0.25, limit + 0.3))
    axes.set_yticks(rows, [f"{one:g}" for one in metallicities])
    axes.tick_params(which="minor", left=False, right=False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, columnspacing=1.0)
    _draw_spectrum(spectrum, products, settings, redshift, (ages, metallicities, sigma), (numbers(table, "age_yr")[best] / 1e9, numbers(table, "z_zsun")[best]))  # fmt: skip
    return figure, table


def _draw_contours(axes: "Axes", ages: np.ndarray, rows: np.ndarray, sigma: np.ndarray) -> None:
    """Outlines of the cells within 3, 4 and 5 sigma: between models nothing was computed."""
    n = _FINE
    if min(sigma.shape) < 2:
        return
    step = float(np.median(np.diff(ages)))
    x = np.interp(np.arange(len(ages) * n), np.arange(len(ages)) * n + 0.5 * (n - 1), ages, ages[0], ages[-1])
    x[: n // 2], x[-(n // 2) :] = (
        np.linspace(ages[0] - 0.5 * step, ages[0], n // 2),
        np.linspace(ages[-1], ages[-1] + 0.5 * step, n // 2),
    )
    y = (np.arange(len(rows) * n) - 0.5 * (n - 1)) / n
    fine = np.kron(sigma, np.ones((n, n)))
    for level, style in _CONTOURS.items():
        if np.nanmin(sigma) < level < np.nanmax(sigma):
            axes.contour(x, y, fine, levels=[level], colors="white", linewidths=1.5, linestyles=style)
            axes.plot([], [], color="0.6", lw=1.5, ls=style, label=rf"{level}$\sigma$")


def _first(table: Table) -> Table:
    """Rows of the first stack."""
    if len(table) and "galaxy" in table.colnames:
        return table[np.asarray(table["galaxy"], str) == str(table["galaxy"][0])]
    return table


def _draw_spectrum(
    axes: "Axes", products: Mapping, settings: Settings, redshift: float, grid: tuple, best: tuple
) -> None:
    """Fluxes of the stack, its best model and others, all scaled to the stack."""
    from ..filters import get_filter

    photometry = _first(products["ssp_stack_photometry"])
    axes.set(xlabel=r"observed wavelength [$\mu$m]", ylabel="flux density [nJy]")
    if not len(photometry) or not np.isfinite(redshift):
        empty(axes, "no stack")
        return
    wave = np.array([get_filter(str(name)).pivot_angstrom for name in photometry["filter"]]) / 1e4
    flux, error = numbers(photometry, "flux_njy"), numbers(photometry, "flux_err_njy")
    span = np.geomspace(0.93 * wave.min(), 1.07 * wave.max(), 400)
    ages, metallicities, _ = grid
    wanted = [(*best, "-", "0.2", 1.2)]
    for (age, z), colour in zip(_OTHERS, (PALETTE[1], PALETTE[3], PALETTE[0]), strict=True):
        if ages[0] <= age <= ages[-1] and metallicities[0] <= z <= metallicities[-1] and (age, z) != best:
            wanted.append((age, z, "--", colour, 0.8))
    for age, z, style, colour, width in wanted:
        shape = _model(settings.library, redshift, age, z, span)
        at = np.interp(wave, span, shape)
        scale = np.sum(at * flux / error**2) / np.sum(at**2 / error**2)
        axes.plot(
            span,
            scale * shape,
            ls=style,
            color=colour,
            lw=width,
            zorder=1,
            label=f"{age:g} Gyr, {z:g} $Z_\\odot$",
        )
    axes.errorbar(wave, flux, yerr=error, fmt="o", ms=4.5, color="black", zorder=4, label="stack")
    axes.plot(
        wave,
        numbers(photometry, "model_njy"),
        ls="none",
        marker="s",
        ms=6,
        mfc="none",
        mec="0.2",
        zorder=3,
        label="best model, in the filters",
    )
    if "published_stack" in products:
        theirs = products["published_stack"]
        at = np.array([get_filter(str(name)).pivot_angstrom for name in theirs["filter"]]) / 1e4
        axes.errorbar(at, numbers(theirs, "published_flux_njy"), yerr=numbers(theirs, "published_flux_err_njy"), fmt="D", ms=4,
                      mfc="white", color=PALETTE[2], zorder=5, label="published stack")  # fmt: skip
    axes.set_ylim(0, 1.75 * np.nanmax(flux))
    axes.legend(loc="upper right", fontsize=6, ncols=2)
    axes.text(0.03, 0.04, f"redshift {redshift:.3g}", transform=axes.transAxes, color=GREY, fontsize=7)


def _model(library: str, redshift: float, age_gyr: float, z_zsun: float, wave_um: np.ndarray) -> np.ndarray:
    """Spectrum of a dust-free SSP without gas at observed wavelengths, in F_nu with any scale."""
    from ..sed.library.ssp import load_library
    from ..sed.models.sfh import get_sfh
    from ..sed.models.spectrum import rest_spectrum

    stars = load_library(library)
    parameters = {
        "log_mass_formed": 6.0,
        "log_age_yr": np.log10(1e9 * age_gyr),
        "log_z_zsun": np.log10(z_zsun),
        "log_u": -3.0,
    }
    spectrum = rest_spectrum(stars, get_sfh("ssp"), parameters, nebular=False)
    centre = 0.5 * (spectrum.wave_edges[1:] + spectrum.wave_edges[:-1])
    return np.interp(wave_um * 1e4 / (1.0 + redshift), centre, spectrum.continuum * centre**2)
