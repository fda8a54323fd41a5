"""A figure on disk: PDF for the paper, PNG for the screen, and the data drawn, the same bytes every time."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from astropy.table import Table

from ..files import replacing
from ..tables import write_table
from .style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["save"]

# Neither dates nor versions, which would change the bytes.
_METADATA = {
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".png": {"Software": None},
}


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
    for ending, metadata in _METADATA.items():
        with replacing(path.with_suffix(ending)) as temporary:
            figure.savefig(temporary, metadata=metadata)
    write_table(table, path.with_suffix(".ecsv"))
