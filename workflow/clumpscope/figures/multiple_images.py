"""Multiple images of one galaxy: where each says that the source is, and how bright and massive its clumps are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import numbers
from .settings import Settings
from .style import (
    GREY,
    MARKERS,
    PAGE_INCH,
    PALETTE,
    empty,
    headroom,
    legend_above,
    new_figure,
    panel_label,
    plain_logarithms,
    plain_text,
    signed,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_PER_ARCSEC = 1e3  # mas
# Chance above which clumps of two images are not known to be the same.
_CHANCE = 0.1


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw scatters in the source plane, and intrinsic fluxes and masses of counterparts; products: ``multiple_images``, ``counterparts``."""
    images, counterparts = products["multiple_images"], products["counterparts"]
    pairs = _pairs(counterparts)
    figure = new_figure(PAGE_INCH, 2.9)
    place, flux, mass = figure.subplots(1, 3)
    systems = list(dict.fromkeys(np.asarray(images["system"]).astype(str)))
    look = {
        name: (PALETTE[n % len(PALETTE)], MARKERS[n // len(PALETTE) % len(MARKERS)])
        for n, name in enumerate(systems)
    }
    _draw_scatters(place, images, counterparts, look)
    _draw_pairs(flux, pairs, "flux", look)
    _draw_pairs(mass, pairs, "mass", look)
    for axes, label in ((flux, "log intrinsic flux [nJy]"), (mass, r"$\log\, M_\star\ [M_\odot]$")):
        axes.set(xlabel=f"{label}\nmost magnified image", ylabel="the same in other images")
    if len(look) <= len(PALETTE):
        legend_above(figure)
    return figure, pairs


def _draw_scatters(axes: "Axes", images: Table, clumps: Table, look: Mapping) -> None:
    """Scatter of the images of every source around their mean, against what the lens model's posterior lets expect."""
    axes.set(
        xlabel="expected scatter [mas]\nfrom the posterior of the lens",
        ylabel="scatter in the source plane [mas]",
    )
    drawn, words = [], []
    for table, face, name in (
        (images, "full", "filled: images of galaxies"),
        (clumps, "none", "open: of clumps"),
    ):
        group = np.asarray(table["system"]).astype(str)
        for one in dict.fromkeys(group):
            own = table[group == one]
            variance = sum(np.mean(numbers(own, f"offset_{axis}_arcsec_err") ** 2) for axis in "xy")
            x, y = _PER_ARCSEC * np.sqrt(variance), _PER_ARCSEC * float(own["rms_arcsec"][0])
            if not (x > 0 and y > 0 and np.isfinite(x * y)):
                continue
            system = one if one in look else one.rsplit(".", 1)[0]
            colour, marker = look.get(system, (GREY, "o"))
            axes.plot(x, y, marker, ms=4.5, color=colour, fillstyle=face, mew=0.9,
                      label=plain_text(system) if face == "full" else None)  # fmt: skip
            drawn += [x, y]
        if len(table):
            words.append(name)
    if not drawn:
        empty(axes, "no systems")
        return
    limits = np.array([0.4 * min(drawn), 2.5 * max(drawn)])
    axes.set(xscale="log", yscale="log", xlim=limits, ylim=limits, aspect="equal")
    axes.plot(limits, limits, color=GREY, lw=0.8, ls="--", zorder=0)
    headroom(axes, 0.2)
    panel_label(axes, "\n".join(words))
    for axis in (axes.xaxis, axes.yaxis):
        plain_logarithms(axis)


def _pairs(table: Table) -> Table:
    """Every counterpart beside the first image (that of the largest magnification) of its clump."""
    rows = []
    names = ["system", "id_first", "id", "log_flux_first", "log_flux_first_err", "log_flux", "log_flux_err",
             "log_mass_first", "log_mass_first_lo", "log_mass_first_hi", "log_mass", "log_mass_lo", "log_mass_hi", "chance"]  # fmt: skip
    group = np.asarray(table["system"]).astype(str)
    for one in dict.fromkeys(group):
        own = table[group == one]
        mu = np.abs(numbers(own, "mu"))
        own, mu = own[np.argsort(-mu, kind="stable")], np.sort(mu)[::-1]
        values = numbers(own, "intrinsic_flux_njy")
        mu_error = 0.5 * (numbers(own, "mu_err_lo") + numbers(own, "mu_err_hi"))
        with np.errstate(invalid="ignore", divide="ignore"):
            flux = np.log10(values)
            error = np.hypot(numbers(own, "intrinsic_flux_njy_err_fit") / values, mu_error / mu) / np.log(
                10.0
            )
        middle = numbers(own, "log_mass_p50")
        below, above = middle - numbers(own, "log_mass_p16"), numbers(own, "log_mass_p84") - middle
        chance = numbers(own, "chance")
        measures = list(zip(flux, error, strict=True)), list(zip(middle, below, above, strict=True))
        for k in range(1, len(own)):
            rows.append((one.rsplit(".", 1)[0], str(own["id"][0]), str(own["id"][k]), *measures[0][0], *measures[0][k],
                         *measures[1][0], *measures[1][k], max(chance[0], chance[k])))  # fmt: skip
    return Table(rows=rows or None, names=names, dtype=["U64"] * 3 + [float] * 11)


def _draw_pairs(axes: "Axes", pairs: Table, what: str, look: Mapping) -> None:
    x, y = numbers(pairs, f"log_{what}_first"), numbers(pairs, f"log_{what}")
    good = np.isfinite(x) & np.isfinite(y)
    if not good.any():
        empty(axes, "no clump in several images")
        return
    symmetric = what == "flux"
    sides = ("_err", "_err") if symmetric else ("_lo", "_hi")
    x_error, y_error = (
        np.array([np.nan_to_num(numbers(pairs, f"log_{what}{first}{end}")) for end in sides])
        for first in ("_first", "")
    )
    system = np.asarray(pairs["system"]).astype(str)
    known = good & (numbers(pairs, "chance") <= _CHANCE)
    for name in dict.fromkeys(system[good]):
        colour, marker = look.get(name, (GREY, "o"))
        for own, style in (
            (known & (system == name), {"mew": 0.0, "lw": 0.7}),
            (good & ~known & (system == name), {"mew": 0.6, "lw": 0.3, "mfc": "none"}),
        ):
            errors = {"xerr": x_error[:, own], "yerr": y_error[:, own]}
            axes.errorbar(x[own], y[own], **errors, fmt=marker, ms=3.5, color=colour, **style)
    low, high = min(x[good].min(), y[good].min()), max(x[good].max(), y[good].max())
    room = 0.15 * (high - low) + 0.1
    axes.plot([low - room, high + room], [low - room, high + room], color=GREY, lw=0.8, ls="--", zorder=0)
    axes.set(xlim=(low - room, high + room), ylim=(low - room, high + room), aspect="equal")
    headroom(axes, 0.36)
    text = f"{known.sum()} pairs known\n{(good & ~known).sum()} not (open)"
    if known.any():
        text += f"\nmedian {signed(np.median((y - x)[known]), '+.2f')} dex"
        # The side of each error that faces the other value.
        sigma = np.hypot(np.where(y > x, x_error[1], x_error[0]), np.where(y > x, y_error[0], y_error[1]))
        if (sigma[known] > 0).all():
            text += f"\nwithin $1\\sigma$: {100 * np.mean((np.abs(y - x) < sigma)[known]):.0f} %"
    panel_label(axes, text)
