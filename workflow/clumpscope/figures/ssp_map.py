"""Age and metallicity of the stack of all clusters: the chi-squared map (F22 Fig. 5)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .clusters import STACK_AGE_GYR
from .columns import numbers
from .settings import Settings
from .style import COLUMN_INCH, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_SIGMAS = (3, 4, 5)


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the first stack's map as a grid of cells with contours; products: ``ssp_stack``."""
    table = products["ssp_stack"]
    figure = new_figure(COLUMN_INCH, 3.0)
    axes = figure.subplots()
    axes.set(xlabel="age [Gyr]", ylabel=r"$Z\ [Z_\odot]$")
    if len(table) and "galaxy" in table.colnames:
        table = table[np.asarray(table["galaxy"], str) == str(table["galaxy"][0])]
    if not np.isfinite(numbers(table, "chi2")).any():
        empty(axes, "no stack")
        return figure, table
    ages, metallicities = np.unique(numbers(table, "age_yr")) / 1e9, np.unique(numbers(table, "z_zsun"))
    column = np.searchsorted(ages, numbers(table, "age_yr") / 1e9)
    row = np.searchsorted(metallicities, numbers(table, "z_zsun"))
    rise, sigma = (np.full((len(metallicities), len(ages)), np.nan) for _ in range(2))
    chi2 = numbers(table, "chi2")
    rise[row, column] = chi2 - np.nanmin(chi2)
    sigma[row, column] = numbers(table, "significance")
    rows = np.arange(len(metallicities))  # the grid's metallicities, one step each
    picture = axes.pcolormesh(
        ages, rows, np.log10(rise + 1), cmap="cividis_r", shading="nearest", rasterized=True
    )
    figure.colorbar(picture, ax=axes, label=r"$\log\,(1 + \Delta\chi^2)$", pad=0.02)
    lines = axes.contour(ages, rows, sigma, levels=_SIGMAS, colors="white", linewidths=(1.4, 1.0, 0.7))
    axes.clabel(lines, fmt=lambda level: f"{level:g}σ", fontsize=6)
    best = np.unravel_index(np.nanargmin(rise), rise.shape)
    axes.plot(ages[best[1]], best[0], marker="x", ms=7, mew=1.6, color="white", ls="none", label="best")
    low, middle, high = STACK_AGE_GYR
    axes.errorbar(middle, np.interp(0.25, metallicities, rows), xerr=[[middle - low], [high - middle]], fmt="o", ms=4,
                  color="#E69F00", elinewidth=1, label="published")  # fmt: skip
    axes.set_yticks(rows, [f"{one:g}" for one in metallicities])
    axes.tick_params(which="minor", left=False, right=False)
    axes.legend(loc="upper right", labelcolor="white")
    return figure, table
