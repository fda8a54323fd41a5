"""The style guide (`docs/figures.md`) held against a figure."""

import re

import numpy as np
from clumpscope.figures.style import COLUMN_INCH, PAGE_INCH
from matplotlib.text import Text


def faults_of(figure):
    """What a figure does against the guide."""
    faults = []
    figure.draw_without_rendering()
    width = figure.get_figwidth()
    if min(abs(width - COLUMN_INCH), abs(width - PAGE_INCH)) > 1e-9:
        faults.append(f"width of {width:.2f} inch")
    for text in figure.findobj(Text):
        # Formulas turn a hyphen into a minus sign by themselves.
        plain = re.sub(r"\$[^$]*\$", "", text.get_text())
        if re.search(r"(?<![\w.\"'])-[\d.]", plain):
            faults.append(f"hyphen for a minus sign: {plain}")
    legends = [legend for legend in (*figure.legends, *(axes.get_legend() for axes in figure.axes)) if legend]
    for axes in figure.axes:
        frame = axes.get_window_extent().padded(2)
        places = np.array([place for place in _data(axes) if frame.contains(*place)]).reshape(-1, 2)
        for box in (legend.get_window_extent() for legend in legends):
            if np.all((places > box.p0) & (places < box.p1), axis=1).any():
                faults.append("legend on data")
    return faults


def _data(axes):
    """Places (display) of what is drawn from data; reference lines lie below (zorder 0)."""
    for artist in axes.collections:
        if artist.get_zorder() > 0 and len(artist.get_offsets()):
            yield from artist.get_offset_transform().transform(np.ma.filled(artist.get_offsets(), np.nan))
    for line in axes.lines:
        if line.get_zorder() > 0 and len(line.get_xdata()):
            yield from line.get_transform().transform(np.column_stack(line.get_data()).astype(float))
    for bar in axes.patches:
        if hasattr(bar, "get_height") and bar.get_height() > 0:
            box = bar.get_window_extent()
            yield from ((x, box.y1) for x in (box.x0, 0.5 * (box.x0 + box.x1), box.x1))
