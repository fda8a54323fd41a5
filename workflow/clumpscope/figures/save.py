"""A figure on disk: PDF for the paper, PNG for the screen, and the data drawn, the same bytes every time."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from astropy.table import Table

from ..pictures import save_picture
from ..tables import write_table
from .style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["save"]


@styled
def save(figure: "Figure", table: Table, path_pdf: str | os.PathLike) -> None:
    """Write a figure and its data.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    table : Table
        The data drawn.
    path_pdf : path-like
        Ends in ``.pdf``; the picture (``.png``) and the table (``.ecsv``) go beside it.
    """
    path = Path(path_pdf)
    if (layout := figure.get_layout_engine()) is not None:
        # On the screen as in the paper, and found once, without a drawing that nobody sees.
        layout.execute(figure)
        figure.set_layout_engine("none")
    for ending in (".pdf", ".png"):
        save_picture(figure, path.with_suffix(ending), dpi=None)  # that of the style
    write_table(table, path.with_suffix(".ecsv"))
