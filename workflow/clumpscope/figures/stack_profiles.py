"""Light profiles of stacked clumps beside the PSF, and of clumps that would be resolved (F22 Fig. 2)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..filters import get_filter
from .columns import numbers
from .settings import Settings
from .style import GREY, PAGE_INCH, PALETTE, empty, new_figure, ordered_colours, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_REACH_FWHM = 3.0


def _stacked(table: Table, profiles: Table) -> list[str]:
    """Filters with a profile, by wavelength; broad ones alone if there are any."""
    drawn = set(np.asarray(profiles["filter"], str)) if "filter" in profiles.colnames else set()
    names = [str(name) for name in table["filter"] if str(name) in drawn]
    broad = [name for name in names if get_filter(name).kind == "broad"]
    return sorted(broad or names, key=lambda name: get_filter(name).pivot_angstrom)


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw the bluest and the reddest stack and the simulation; products: ``stack``, ``stack_profiles``."""
    table, profiles = products["stack"], products["stack_profiles"]
    figure = new_figure(PAGE_INCH, 2.7)
    panels = figure.subplots(1, 3, sharey=True)
    for axes in panels:
        axes.set(xlabel="radius [arcsec]", ylim=(-0.15, 1.4))
    panels[0].set_ylabel("surface brightness, 1 in the middle")
    names = _stacked(table, profiles)
    if not names:
        empty(list(panels), "no stack")
        return figure, profiles
    owner = np.asarray(profiles["filter"], str)
    rows = {str(row["filter"]): row for row in table}
    limits = [rows[name]["r_limit_pc"] for name in names]
    best = names[int(np.nanargmin(limits))] if np.isfinite(limits).any() else names[0]
    for axes, name in zip(panels[:2], (names[0], names[-1]), strict=True):
        own = profiles[owner == name]
        _draw_stack(axes, own)
        axes.legend(loc="upper right", title=f"{name}, {rows[name]['n_clumps']} clumps", title_fontsize=7)
    own = profiles[owner == best]
    _draw_stack(panels[2], own)
    sizes, simulated = np.asarray(own["r_half_pc"], float)[0], np.asarray(own["simulated"], float)
    shown = np.flatnonzero(sizes > 0)[::2]
    for k, colour in zip(shown, ordered_colours(len(shown)), strict=True):
        panels[2].plot(
            numbers(own, "radius_arcsec"),
            simulated[:, k],
            color=colour,
            lw=1.0,
            ls="--",
            label=f"{sizes[k]:.0f} pc",
        )
    limit = float(rows[best]["r_limit_pc"])
    if np.isfinite(limit):
        k = int(np.argmin(np.abs(sizes - limit)))
        panels[2].plot(
            numbers(own, "radius_arcsec"),
            simulated[:, k],
            color=PALETTE[1],
            lw=1.8,
            ls=":",
            label=f"limit, {limit:.0f} pc",
        )
    panels[2].legend(loc="upper right", title=best, title_fontsize=7, fontsize=6, ncols=2)
    return figure, profiles


def _draw_stack(axes, own: Table) -> None:
    radius = numbers(own, "radius_arcsec")
    axes.axhline(0.0, color=GREY, lw=0.5)
    axes.errorbar(
        radius,
        numbers(own, "profile"),
        yerr=numbers(own, "profile_err"),
        fmt="o",
        ms=3,
        color=PALETTE[0],
        elinewidth=0.8,
        label="stack",
    )
    axes.plot(radius, numbers(own, "psf"), color="0.3", lw=1.3, label="PSF")
    half = np.interp(-0.5, -numbers(own, "psf"), radius)
    axes.set_xlim(-0.1 * half, min(2 * _REACH_FWHM * half, radius.max()))
