"""Data, model and residual of the galaxies with the most clumps (C25 Fig. 5)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from ..filters import get_filter
from .settings import Settings
from .style import PAGE_INCH, PALETTE, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_PLANES = ("DATA", "MODEL", "RESID")
_N_FILTERS = 3
_APART = 3  # pixels
_MARGIN, _LEAST_ARCSEC = 1.9, 1.2  # side of the pictures: in the extent of the clumps, and the least
_DEEPEST, _BRIGHTEST = -2.0, 60.0  # of the stretch, in noise


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw one row a galaxy, three filters from blue to red; products: ``residuals`` (paths), ``catalogue``.

    All three planes of a filter have the same scale, linear near the noise and logarithmic above.
    """
    catalogue = products["catalogue"]
    owner = np.asarray(catalogue["galaxy"], str)
    count = {path: int((owner == _galaxy(path)).sum()) for path in map(Path, products["residuals"])}
    chosen = sorted((path for path in count if count[path]), key=lambda path: (-count[path], _galaxy(path)))
    chosen = chosen[: settings.gallery_galaxies]
    rows: list[tuple] = []
    cell = PAGE_INCH / (3 * _N_FILTERS + 0.6)
    figure = new_figure(PAGE_INCH, max(len(chosen), 1) * cell + 0.25)
    panels = figure.subplots(max(len(chosen), 1), 3 * _N_FILTERS, squeeze=False)
    for panel in panels.ravel():
        panel.set_axis_off()
    if not chosen:
        empty(panels[0, len(panels[0]) // 2], "no galaxies")
    for line, path in zip(panels, chosen, strict=False):
        with fits.open(path) as hdus:
            own = catalogue[owner == _galaxy(path)]
            reference = str(own["filter_ref"][0]) if "filter_ref" in own.colnames else ""
            for place, name in enumerate(_filters(hdus, reference)):
                noise, side = _draw_filter(line[3 * place : 3 * place + 3], hdus, name, own)
                rows.append((_galaxy(path), name, name == reference, len(own), noise, side))
        line[0].text(-0.08, 0.5, f'{_galaxy(path)} ({side:.1f}\u2033)', transform=line[0].transAxes, rotation=90, ha="right", va="center",
                     fontsize=6.5)  # fmt: skip
    for title, panel in zip(("data", "model", "residual") * _N_FILTERS, panels[0], strict=True):
        panel.set_title(title, fontsize=6.5, pad=2)
    names = ["galaxy", "filter", "is_reference", "n_clumps", "noise_njy", "side_arcsec"]
    return figure, Table(rows=rows or None, names=names, dtype=["U64", "U8", bool, int, float, float])


def _galaxy(path: Path) -> str:
    return path.parent.name


def _filters(hdus: fits.HDUList, reference: str) -> Sequence[str]:
    """The bluest, the reference (or else the middle), and the reddest filter."""
    names = [hdu.name.removeprefix("DATA_") for hdu in hdus if hdu.name.startswith("DATA_")]
    names.sort(key=lambda name: get_filter(name).pivot_angstrom)
    middle = reference if reference in names[1:-1] else names[len(names) // 2]
    return list(dict.fromkeys([names[0], middle, names[-1]]))


def _draw_filter(panels: Sequence, hdus: fits.HDUList, name: str, clumps: Table) -> tuple[float, float]:
    """Draw the three planes; gives the noise per pixel [nJy] that sets the scale, and the side of the pictures [arcsec]."""
    residual = np.asarray(hdus[f"RESID_{name}"].data, float)
    # Pixels a few apart share the galaxy's light, but neither noise nor, mostly, its correlation.
    steps = (residual[:, _APART:] - residual[:, :-_APART]).ravel()
    steps = np.abs(steps[np.isfinite(steps)])
    noise = 1.4826 * float(np.median(steps)) / np.sqrt(2.0) if steps.size else 0.0
    noise = noise or 1.0
    for panel, plane in zip(panels, _PLANES, strict=True):
        hdu = hdus[f"{plane}_{name}"]
        panel.imshow(np.arcsinh(np.asarray(hdu.data, float) / noise), origin="lower", cmap="gray_r",
                     vmin=np.arcsinh(_DEEPEST), vmax=np.arcsinh(_BRIGHTEST), interpolation="nearest")  # fmt: skip
    panels[0].text(0.05, 0.95, name, transform=panels[0].transAxes, va="top", fontsize=5.5,
                   bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})  # fmt: skip
    x, y = WCS(hdus[f"DATA_{name}"].header).world_to_pixel_values(clumps["ra"], clumps["dec"])
    panels[1].scatter(x, y, s=16, facecolors="none", edgecolors=PALETTE[1], lw=0.6)
    scale = hdus[f"DATA_{name}"].header["PIXSCALE"]
    side = max(_MARGIN * max(np.ptp(x), np.ptp(y)), _LEAST_ARCSEC / scale)
    for panel in panels:
        panel.set_xlim(0.5 * (x.min() + x.max()) + 0.5 * side * np.array([-1, 1]))
        panel.set_ylim(0.5 * (y.min() + y.max()) + 0.5 * side * np.array([-1, 1]))
    return noise, side * scale
