"""Pictures on disk: whole or not at all, and the same bytes every time."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .files import replacing
from .made_by import picture_metadata

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["save_pages", "save_picture"]


def save_picture(figure: "Figure", path: str | os.PathLike, dpi: float | None = 110) -> None:
    """Write a figure as PNG or PDF, whichever `path` ends in; `dpi` None is the style's."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=dpi, metadata=picture_metadata(temporary.suffix))


def save_pages(figures: Iterable["Figure"], path: str | os.PathLike) -> None:
    """Write figures as the pages of a PDF, asking for one after the other."""
    from matplotlib.backends.backend_pdf import PdfPages

    with replacing(path) as temporary, PdfPages(temporary, metadata=picture_metadata(".pdf")) as pages:
        for figure in figures:
            pages.savefig(figure)
