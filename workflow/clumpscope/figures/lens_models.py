"""Magnification in each of several lens models."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import errors, numbers, with_columns
from .settings import Settings
from .style import (
    COLUMN_INCH,
    MARKERS,
    empty,
    error_bars,
    headroom,
    legend_above,
    new_figure,
    ordered_colours,
    panel_label,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the magnification in each other lens model against the reference's; products: ``lens_models``, the catalogue."""
    clumps = products["lens_models"]
    figure = new_figure(COLUMN_INCH, COLUMN_INCH + 0.3)
    axes = figure.subplots()
    axes.set(
        xlabel=r"$\mu$ in the reference model", ylabel=r"$\mu$ in other models", xscale="log", yscale="log"
    )
    table = with_columns(clumps, ["id", "galaxy", "mu", "mu_err_lo", "mu_err_hi", "mu_err_sys", "mu_models"])
    reference, sides = numbers(clumps, "mu"), errors(clumps, "mu")
    models = np.asarray(clumps["mu_models"], dtype=float)
    models = models[:, 1:] if len(clumps) else np.empty((0, 1))
    compared = np.isfinite(models) & np.isfinite(reference)[:, None]
    if not compared.any():
        empty(axes)
        return figure, table
    differ = np.where(models > reference[:, None], sides[1][:, None], sides[0][:, None])
    differ = np.abs(models - reference[:, None]) > differ
    sides[0] = np.minimum(
        sides[0], 0.95 * np.nan_to_num(reference, nan=np.inf)
    )  # stays on the logarithmic axis
    n_models = models.shape[1]
    for k, (colour, marker) in enumerate(zip(ordered_colours(n_models), MARKERS * n_models, strict=False)):
        rows = compared[:, k]
        error_bars(axes, reference[rows], models[rows, k], colour, xerr=sides[:, rows])
        axes.scatter(reference[rows], models[rows, k], s=9, lw=0, marker=marker, color=colour, rasterized=True, zorder=2,
                     label=f"model {k + 2}")  # fmt: skip
    axes.axline((1.0, 1.0), (10.0, 10.0), color="0.5", lw=0.8, ls="--")
    headroom(axes, 0.1)
    legend_above(axes, ncols=3)
    share = np.mean(differ[compared])
    panel_label(axes, f"{share:.0%} differ by more than the reference's error", "upper left")
    return figure, table
