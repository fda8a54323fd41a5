"""Stacks of unresolved clumps, fitted point sources and residuals, filter by filter (F22 Fig. 3)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from astropy.table import Table

from ..filters import get_filter
from .settings import Settings
from .style import PAGE_INCH, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_PLANES = {"DATA": "stack", "MODEL": "model", "RESID": "residual"}
_MOST = 8
_SIDE_ARCSEC = 0.8
_STRETCH = (-3.0, 60.0)  # in noise


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw one column a filter, broad ones before others, eight at most; products: ``stack``, ``stack_images`` (path)."""
    table = products["stack"]
    known = {str(row["filter"]): row for row in table if np.isfinite(row["flux"])}
    # Broad filters first, then those that are left.
    names = (
        sorted(known, key=lambda name: get_filter(name).kind != "broad")[:_MOST]
        if products["stack_images"]
        else []
    )
    names.sort(key=lambda name: get_filter(name).pivot_angstrom)
    figure = new_figure(PAGE_INCH, max(3.0 * PAGE_INCH / max(len(names), 4), 1.5) + 0.3)
    panels = figure.subplots(3, max(len(names), 1), squeeze=False)
    for panel in panels.ravel():
        panel.set(xticks=[], yticks=[])
        panel.minorticks_off()
    if not names:
        empty(list(panels[:, 0]), "no stack")
        return figure, table
    with fits.open(products["stack_images"][0]) as hdus:
        for column, name in zip(panels.T, names, strict=True):
            residual, scale = (
                np.asarray(hdus[f"RESID_{name}"].data, float),
                hdus[f"DATA_{name}"].header["PIXSCALE"],
            )
            noise = 1.4826 * np.nanmedian(np.abs(residual - np.nanmedian(residual))) or 1.0
            half = 0.5 * _SIDE_ARCSEC / scale
            middle = residual.shape[0] // 2
            model = np.asarray(hdus[f"MODEL_{name}"].data, float)
            background = np.nanmedian(model[[0, -1]])
            for panel, kind in zip(column, _PLANES, strict=True):
                plane = np.asarray(hdus[f"{kind}_{name}"].data, float)
                if kind != "RESID":
                    plane = plane - background
                panel.imshow(np.arcsinh(plane / noise), origin="lower", cmap="gray_r", vmin=np.arcsinh(_STRETCH[0]),
                             vmax=np.arcsinh(_STRETCH[1]), interpolation="nearest")  # fmt: skip
                reach = min(half, middle + 0.5)
                panel.set(xlim=(middle - reach, middle + reach), ylim=(middle - reach, middle + reach))
            row = known[name]
            column[0].set_title(
                f"{name}, {row['n_clumps']} clumps\n{row['flux']:.2f} ± {row['flux_err']:.2f} nJy", fontsize=6
            )
    for panel, label in zip(panels[:, 0], _PLANES.values(), strict=True):
        panel.set_ylabel(label)
    return figure, table[[str(name) in names for name in table["filter"]]]
