"""What resolution makes of clumps: idealised ones behind the field's own PSF (C25 Fig. 14)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from astropy.io import fits
from astropy.table import Table

from ..gaussian import FWHM_OF_SIGMA
from .columns import shown
from .settings import Settings
from .style import GREY, PAGE_INCH, PALETTE, empty, legend_above, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "observed", "true_light"]

_HALF = 10  # pixels around the middle


class _Case(NamedTuple):
    """Standard deviation [px] of the sources, and their separation [px]; 0 for a single one."""

    name: str
    text: str
    kind: str
    sigma_px: float
    separation_px: float


def _cases(fwhm_px: float, min_sigma_px: float) -> list[_Case]:
    """The five of C25 section 5.1, in this PSF."""
    compact = 0.5 * (min_sigma_px + fwhm_px / FWHM_OF_SIGMA)
    return [
        _Case("A", "unresolved", "unresolved", 0.5 * min_sigma_px, 0.0),
        _Case("B1", "compact", "compact", compact, 0.0),
        _Case("B2", "two, blended", "compact", 0.5 * min_sigma_px, 0.6 * fwhm_px),
        _Case("B3", "two, separated", "compact", 0.5 * min_sigma_px, 1.5 * fwhm_px),
        _Case("C", "extended", "extended", 1.3 * fwhm_px / FWHM_OF_SIGMA, 0.0),
    ]


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw true light, what is observed, and cuts through both; products: ``psfs`` (paths), ``catalogue``."""
    clumps = shown(products["catalogue"], settings)
    figure = new_figure(PAGE_INCH, 4.6)
    names = ["case", "class", "sigma_px", "separation_px", "x_px", "true", "observed", "psf"]
    path, filter_name = _reference(products["psfs"], clumps)
    if path is None:
        axes = figure.subplots()
        empty(axes, "no PSF")
        return figure, Table(names=names, dtype=["U2", "U10", *[float] * 6])
    with fits.open(path) as hdus:
        psf = np.asarray(hdus[0].data, float)
        fwhm_px = hdus[0].header["FWHM"] / hdus[0].header["PIXSCALE"]
    kind = np.asarray(clumps["class"], str) if "class" in clumps.colnames else np.empty(0, str)
    cases = _cases(fwhm_px, settings.min_sigma_px)
    panels = figure.subplots(3, len(cases), height_ratios=(1, 1, 0.85))
    place = np.arange(-_HALF, _HALF + 1.0)
    point = observed(0.0, 0.0, psf)
    cut = point[_HALF] / point.max()
    rows = []
    for line, case in zip(panels.T, cases, strict=True):
        light = true_light(case.sigma_px, case.separation_px)
        seen = observed(case.sigma_px, case.separation_px, psf)
        for axes, image in zip(line, (light, seen), strict=False):
            axes.imshow(image, origin="lower", cmap="gray_r", extent=(-_HALF - 0.5, _HALF + 0.5) * 2)
            axes.set(xticks=(), yticks=())
        share = (
            f"{100 * np.mean(kind == case.kind):.0f} % of clumps"
            if kind.size and case.name in ("A", "B1", "C")
            else ""
        )
        line[0].set_title(f"{case.name}: {case.text}\n{share}", fontsize=7.5, linespacing=1.3)
        line[2].step(
            place, light[_HALF] / light.max(), where="mid", color=GREY, lw=0.8, ls=":", label="true light"
        )
        line[2].plot(place, cut, color=PALETTE[1], lw=1.0, ls="--", label="PSF")
        line[2].plot(place, seen[_HALF] / seen.max(), color=PALETTE[0], lw=1.3, label="observed")
        line[2].set(xlim=(-_HALF, _HALF), ylim=(0, 1.08), xlabel="pixels")
        line[2].set_title(
            rf"$\sigma$ = {case.sigma_px:.1f} px"
            + (f", {case.separation_px:.1f} px apart" if case.separation_px else ""),
            fontsize=7,
            pad=3,
        )
        rows += [
            (case.name, case.kind, case.sigma_px, case.separation_px, *one)
            for one in zip(place, light[_HALF], seen[_HALF], point[_HALF], strict=True)
        ]
    for axes, label in zip(panels[:, 0], ("true light", f"in {filter_name}", "over peak"), strict=True):
        axes.set_ylabel(label)
    for axes in panels[2, 1:]:
        axes.set_yticklabels(())
    legend_above(figure)
    return figure, Table(rows=rows, names=names, dtype=["U2", "U10", *[float] * 6])


def _reference(paths: list[Path], clumps: Table) -> tuple[Path | None, str]:
    """PSF file of the filter in which most clumps have their shapes; of the first one where they do not tell."""
    by_filter = {path.stem: path for path in paths}
    if not by_filter:
        return None, ""
    names, counts = np.unique(
        np.asarray(clumps["filter_ref"], str) if "filter_ref" in clumps.colnames else [], return_counts=True
    )
    known = [str(name) for name in names[np.argsort(-counts)] if str(name) in by_filter]
    chosen = known[0] if known else next(iter(by_filter))
    return by_filter[chosen], chosen


def true_light(sigma_px: float, separation_px: float) -> np.ndarray:
    """Round Gaussians of one sum, integrated over pixels: one in the middle, or two of half the light along x; (21, 21) array."""
    from scipy.special import ndtr

    edges = np.arange(-_HALF - 0.5, _HALF + 1.0)
    sigma = max(sigma_px, 1e-3)

    def line(middle: float) -> np.ndarray:
        return np.diff(ndtr((edges - middle) / sigma))

    places = (-0.5 * separation_px, 0.5 * separation_px) if separation_px else (0.0,)
    return np.sum([np.outer(line(0.0), line(middle)) for middle in places], axis=0) / len(places)


def observed(sigma_px: float, separation_px: float, psf: np.ndarray) -> np.ndarray:
    """The same light seen through a PSF, which includes the pixel already; (21, 21) array.

    The product of transforms is exact for a source of any width and place, where sums over pixels are not.
    """
    kernel = np.pad(psf, _HALF)
    fy, fx = np.meshgrid(*(np.fft.fftfreq(n) for n in kernel.shape), indexing="ij")
    source = np.exp(-2.0 * (np.pi * sigma_px) ** 2 * (fx**2 + fy**2)) * np.cos(np.pi * fx * separation_px)
    seen = np.fft.ifft2(np.fft.fft2(kernel) * source).real
    middle = kernel.shape[0] // 2
    return seen[middle - _HALF : middle + _HALF + 1, middle - _HALF : middle + _HALF + 1]
