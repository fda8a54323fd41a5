"""Contact sheets of many fits: a page of small panels, to leaf through."""

import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...filters import get_filter
from ...flags import describe
from ...pictures import save_pages
from ..inference.posterior import Posterior
from .picture import intrinsic_mass, scale_fluxes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_sheet", "save_sheets"]

_COLUMNS, _ROWS = 4, 6


def draw_sheet(posteriors: Sequence[Posterior], mu: Mapping[str, float] | None = None) -> "Figure":
    """One page: photometry, best fit, the posterior's 16-84 % band and its main numbers, for up to 24 objects.

    `mu` has magnifications by id; masses are as observed, and divided by it as well.
    """
    mu = mu or {}
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.3, 11.0))
    panels = figure.subplots(
        _ROWS,
        _COLUMNS,
        gridspec_kw={"left": 0.05, "right": 0.99, "top": 0.97, "bottom": 0.05, "wspace": 0.22, "hspace": 0.3},
    )
    for panel, posterior in itertools.zip_longest(panels.flat, posteriors):
        if posterior is None:
            panel.set_axis_off()
        else:
            _draw(panel, posterior, mu.get(posterior.id))
    figure.supxlabel(r"observed wavelength [$\mu$m]", fontsize=8)
    figure.supylabel(r"$f_\nu$ [nJy]", fontsize=8)
    return figure


def save_sheets(
    posteriors: Iterable[Posterior], path: str | os.PathLike, mu: Mapping[str, float] | None = None
) -> None:
    """Write the sheets of any number of objects as one PDF, the same bytes every time.

    Parameters
    ----------
    posteriors : iterable of Posterior
        Asked for one after the other, so that they need not fit in memory.
    path : path-like
        Ends in ``.pdf``.
    mu : mapping of str to float, optional
        Magnifications by id.
    """
    rest = iter(posteriors)
    pages = iter(lambda: list(itertools.islice(rest, _ROWS * _COLUMNS)), [])
    # An empty page when there is no object at all: a PDF has at least one.
    save_pages((draw_sheet(page, mu) for page in itertools.chain([next(pages, [])], pages)), path)


def _draw(panel: "Axes", posterior: Posterior, mu: float | None) -> None:
    from matplotlib.ticker import NullLocator

    pivot = np.array([get_filter(name).pivot_angstrom for name in posterior.filters]) / 1e4
    order = np.argsort(pivot)
    low, high = posterior.model_p16_njy[order], posterior.model_p84_njy[order]
    panel.fill_between(pivot[order], low, high, color="tab:orange", alpha=0.35, lw=0)
    panel.plot(pivot[order], posterior.model_njy[order], "-", color="tab:orange", lw=0.8)
    panel.errorbar(pivot, posterior.flux_njy, posterior.error_njy, fmt="k.", ms=3, lw=0.6)
    scale_fluxes(panel, posterior, room=0.7)
    panel.set_xscale("log")
    panel.set_xlim(pivot.min() / 1.15, pivot.max() * 1.15)
    panel.set_xticks([tick for tick in (0.5, 1, 2, 4) if pivot.min() / 1.15 < tick < pivot.max() * 1.15])
    panel.xaxis.set_major_formatter("{x:g}")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_label_coords(0.0, 0.0)  # of no label: its place is not looked for
    panel.tick_params(labelsize=5, pad=1, length=2)
    # With `y` it need not be looked whether anything is in its way.
    panel.set_title(f"{posterior.id}   z = {posterior.redshift:.2f}", fontsize=6, pad=2, y=1.0)
    if posterior.sampler != "none":
        # Plain letters: setting formulae would take most of a page's time.
        numbers = "\n".join(
            f"{label} {values[1]:.2f} (+{values[2] - values[1]:.2f}, \N{MINUS SIGN}{values[1] - values[0]:.2f})"
            for label, values in (
                ("observed log M", posterior.percentile("log_mass")),
                ("log age", posterior.percentile("log_age_mw_yr")),
                ("A_V", posterior.percentile("a_v")),
            )
        )
        if mu is not None:
            numbers = f"{intrinsic_mass(posterior, mu)}\n{numbers}"
        panel.text(0.04, 0.96, numbers, transform=panel.transAxes, fontsize=4.8, va="top")
        fit = f"\N{GREEK SMALL LETTER CHI}\N{SUPERSCRIPT TWO} {posterior.chi2:.1f} / {posterior.n_bands}"
        panel.text(0.97, 0.96, fit, transform=panel.transAxes, fontsize=4.8, ha="right", va="top")
    flags = ", ".join(describe(posterior.flags))
    panel.text(
        0.97, 0.88, flags, transform=panel.transAxes, fontsize=4.8, ha="right", va="top", color="tab:red"
    )
