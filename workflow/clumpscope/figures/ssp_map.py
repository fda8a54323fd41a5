"""Age and metallicity of the stack of all clusters: how well each model of the grid fits (F22 Fig. 5)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .clusters import STACK_AGE_GYR, STACK_Z_ZSUN
from .columns import numbers
from .settings import Settings
from .style import COLUMN_INCH, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_LEVELS = (0, 1, 2, 3, 4, 5)


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw a cell a model, coloured by how many sigma it is worse than the best; products: ``ssp_stack``.

    With the product ``published``, F22's age and metallicity of their stack are marked. Of several stacks the first is drawn. The grid is coarse in metallicity: contours would be drawn between models that
    were never computed.
    """
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm

    table = products["ssp_stack"]
    figure = new_figure(COLUMN_INCH, 3.0)
    axes = figure.subplots()
    axes.set(xlabel="age [Gyr]", ylabel=r"$Z\ [Z_\odot]$")
    if len(table) and "galaxy" in table.colnames:
        table = table[np.asarray(table["galaxy"], str) == str(table["galaxy"][0])]
    chi2 = numbers(table, "chi2")
    if not np.isfinite(chi2).any():
        empty(axes, "no stack")
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
    best = int(np.nanargmin(chi2))
    axes.plot(numbers(table, "age_yr")[best] / 1e9, place[0][best], marker="*", ms=8, color="#D55E00", mec="white", mew=0.6,
              ls="none", label="best model")  # fmt: skip
    if "published" in products:
        (low, middle, high), (poor, rich) = STACK_AGE_GYR, np.interp(STACK_Z_ZSUN, metallicities, rows)
        axes.errorbar(middle, 0.5 * (poor + rich), xerr=[[middle - low], [high - middle]], yerr=0.5 * (rich - poor),
                      fmt="none", ecolor="#56B4E9", elinewidth=1.6, label="published")  # fmt: skip
    axes.set_yticks(rows, [f"{one:g}" for one in metallicities])
    axes.tick_params(which="minor", left=False, right=False)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    return figure, table
