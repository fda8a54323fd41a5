"""Multiple images of one galaxy: where each says that the source is, and how bright and massive its clumps are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from .columns import numbers
from .settings import Settings
from .style import GREY, MARKERS, PAGE_INCH, PALETTE, empty, new_figure, panel_label, plain_text, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_LEAST_ARCSEC = 0.01


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw source positions, and intrinsic fluxes and masses of counterparts; products: ``multiple_images``, ``counterparts``."""
    images = products["multiple_images"]
    pairs = _pairs(products["counterparts"])
    figure = new_figure(PAGE_INCH, 2.5)
    place, flux, mass = figure.subplots(1, 3)
    systems = list(dict.fromkeys(np.asarray(images["system"]).astype(str)))
    look = {
        name: (PALETTE[n % len(PALETTE)], MARKERS[n // len(PALETTE) % len(MARKERS)])
        for n, name in enumerate(systems)
    }
    _draw_places(place, images, look, numbers(products["counterparts"], "rms_arcsec"))
    _draw_pairs(flux, pairs, "flux", look)
    _draw_pairs(mass, pairs, "mass", look)
    flux.set_title("log intrinsic flux [nJy]")
    mass.set_title(r"$\log\, M_\star\ [M_\odot]$")
    for axes in (flux, mass):
        axes.set(xlabel="most magnified image", ylabel="other images")
    return figure, pairs


def _length(arcsec: float) -> str:
    return f"{arcsec:.3f}\u2033" if arcsec >= 0.01 else f"{1e3 * arcsec:.2g} mas"


def _draw_places(axes: "Axes", images: Table, look: Mapping, clumps_rms: np.ndarray) -> None:
    axes.set(
        xlabel=r"$\Delta$ RA [arcsec]", ylabel=r"$\Delta$ Dec [arcsec]", aspect="equal", adjustable="datalim"
    )
    if not len(images):
        empty(axes, "no systems")
        return
    name, rms = np.asarray(images["system"]).astype(str), []
    for system, (colour, marker) in look.items():
        own = images[name == system]
        rms.append(float(own["rms_arcsec"][0]))
        # x of the lens frame grows to the West.
        axes.errorbar(-own["offset_x_arcsec"], own["offset_y_arcsec"], xerr=own["offset_x_arcsec_err"],
                      yerr=own["offset_y_arcsec_err"], fmt=marker, ms=3.5, mew=0, lw=0.7, color=colour,
                      label=plain_text(system) if len(look) <= len(PALETTE) else None)  # fmt: skip
    for line in (axes.axhline, axes.axvline):
        line(0.0, color=GREY, lw=0.5, ls=":", zorder=0)
    # Equal scales both ways, the origin in the middle.
    reach = 1.2 * max(
        np.max(np.abs(images[f"offset_{axis}_arcsec"]) + images[f"offset_{axis}_arcsec_err"]) for axis in "xy"
    )
    reach = max(reach, _LEAST_ARCSEC)
    axes.set(xlim=(reach, -reach), ylim=(-reach, reach), adjustable="box")
    axes.set_title("images in the source plane")
    text = f"median rms:\nimages {_length(np.median(rms))}"
    if np.isfinite(clumps_rms).any():
        text += f"\ntheir clumps {_length(np.nanmedian(clumps_rms))}"
    panel_label(axes, text)
    panel_label(axes, "bars: posterior of the lens", "lower left")
    if len(look) <= len(PALETTE):
        axes.legend(loc="upper right", handletextpad=0.1, borderaxespad=0.2)


def _pairs(table: Table) -> Table:
    """Every counterpart beside the first image (that of the largest magnification) of its clump."""
    rows = []
    names = ["system", "id_first", "id", "log_flux_first", "log_flux_first_err", "log_flux", "log_flux_err",
             "log_mass_first", "log_mass_first_lo", "log_mass_first_hi", "log_mass", "log_mass_lo", "log_mass_hi"]  # fmt: skip
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
        measures = list(zip(flux, error, strict=True)), list(zip(middle, below, above, strict=True))
        for k in range(1, len(own)):
            rows.append((one.rsplit(".", 1)[0], str(own["id"][0]), str(own["id"][k]), *measures[0][0], *measures[0][k],
                         *measures[1][0], *measures[1][k]))  # fmt: skip
    return Table(rows=rows or None, names=names, dtype=["U64"] * 3 + [float] * 10)


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
    for name in dict.fromkeys(system[good]):
        own = good & (system == name)
        colour, marker = look.get(name, (GREY, "o"))
        axes.errorbar(
            x[own],
            y[own],
            xerr=x_error[:, own],
            yerr=y_error[:, own],
            fmt=marker,
            ms=3.5,
            mew=0,
            lw=0.7,
            color=colour,
        )
    low, high = min(x[good].min(), y[good].min()), max(x[good].max(), y[good].max())
    room = 0.15 * (high - low) + 0.1
    axes.plot([low - room, high + room], [low - room, high + room], color=GREY, lw=0.8, ls="--", zorder=0)
    axes.set(xlim=(low - room, high + room), ylim=(low - room, high + room), aspect="equal")
    difference = (y - x)[good]
    # The side of each error that faces the other value.
    sigma = np.hypot(np.where(y > x, x_error[1], x_error[0]), np.where(y > x, y_error[0], y_error[1]))[good]
    # No minus before a difference that rounds to zero.
    text = f"{good.sum()} pairs\nmedian {round(float(np.median(difference)), 2) + 0.0:+.2f} dex"
    if (sigma > 0).all():
        text += f"\nwithin $1\\sigma$: {np.mean(np.abs(difference) < sigma):.0%}"
    panel_label(axes, text)
