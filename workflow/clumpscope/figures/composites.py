"""Colour pictures of the galaxies with the most clumps (C25 Fig. 1)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .composite import composite, draw_composite
from .settings import Settings
from .style import PAGE_INCH, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "richest"]

_N_COLUMNS = 4
_MOST = 16  # as many as C25 show


def richest(paths: list, catalogue: Table, most: int) -> list[Path]:
    """Files (below a folder with the galaxy's name) of the galaxies with the most clumps, those first."""
    owner = np.asarray(catalogue["galaxy"], str)
    count = {path: int((owner == path.parent.name).sum()) for path in map(Path, paths)}
    ordered = sorted(
        (path for path in count if count[path]), key=lambda path: (-count[path], path.parent.name)
    )
    return ordered[:most]


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw up to 16 galaxies by redshift; products: ``cutouts`` (paths), ``catalogue``."""
    catalogue = products["catalogue"]
    pictures = sorted(map(composite, richest(products["cutouts"], catalogue, _MOST)), key=lambda one: one.z)
    n_rows = max(-(-len(pictures) // _N_COLUMNS), 1)
    figure = new_figure(PAGE_INCH, n_rows * PAGE_INCH / _N_COLUMNS + 0.2)
    panels = figure.subplots(n_rows, _N_COLUMNS, squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    if not pictures:
        empty(panels[1], "no galaxies")
    rows = []
    for panel, picture in zip(panels, pictures, strict=False):
        own = catalogue[np.asarray(catalogue["galaxy"], str) == picture.galaxy]
        side = draw_composite(panel, picture, own)
        rows.append((picture.galaxy, picture.z, *picture.filters, len(own), side))
    if pictures:
        figure.suptitle(f"red, green, blue: {', '.join(pictures[0].filters)}", fontsize=7.5)
    names = ["galaxy", "z", "red", "green", "blue", "n_clumps", "side_arcsec"]
    return figure, Table(rows=rows or None, names=names, dtype=["U64", float, "U8", "U8", "U8", int, float])
