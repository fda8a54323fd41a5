"""A picture of the mock field with its clumps marked."""

from pathlib import Path

import numpy as np
from astropy.table import Table

from ..filters import get_filter
from ..pictures import save_picture
from .images import Mosaics
from .scene import Scene

__all__ = ["draw_picture"]

_STRETCH = 0.04  # softening of the asinh, over the image's 99.9 % level


def _third(filters: list[str], part: int, images: dict[str, np.ndarray]) -> np.ndarray:
    chosen = (
        np.array_split(np.arange(len(filters)), 3)[part]
        if len(filters) >= 3
        else [min(part, len(filters) - 1)]
    )
    total = sum(images[filters[k]] for k in chosen)
    total = total - np.nanmedian(total)
    level = np.nanpercentile(total, 99.7)
    return np.clip(np.arcsinh(total / (_STRETCH * level)) / np.arcsinh(1 / _STRETCH), 0, 1)


def draw_picture(path: Path, scene: Scene, mosaics: list[Mosaics], truth: Table) -> None:
    """Write a colour image, red to blue by wavelength, with galaxies and clumps marked.

    Parameters
    ----------
    path : pathlib.Path
    scene : Scene
    mosaics : list of Mosaics
    truth : Table
        Of the clumps.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = round(scene.size_arcsec / 0.04)
    images = {}
    for mosaic in mosaics:
        for name in mosaic.filters:
            image = np.nan_to_num(mosaic.observe(name)[0])
            step = mosaic.n // size
            images[name] = image.reshape(size, step, size, step).sum(axis=(1, 3)) if step > 1 else image
    filters = sorted(images, key=lambda name: get_filter(name).pivot_angstrom)
    colour = np.dstack([_third(filters, part, images) for part in (2, 1, 0)])
    figure = Figure(figsize=(12, 12))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(colour, origin="lower", interpolation="nearest")
    axes.plot(truth["x"] / 2, truth["y"] / 2, "o", mfc="none", mec="white", ms=5, mew=0.4, ls="none")
    for galaxy in scene.galaxies:
        for image in galaxy.images:
            x, y = (p / 0.04 + (size - 1) / 2 for p in (image.x, image.y))
            label = f"{image.id}  z={galaxy.z:.2f}  $\\mu$={image.mu:.1f}"
            axes.text(x, y + 48, label, color="white", size=7, ha="center")
    for star in scene.stars:
        axes.plot(
            star.x / 0.04 + size / 2, star.y / 0.04 + size / 2, "s", mfc="none", mec="cyan", ms=9, mew=0.4
        )
    axes.set_axis_off()
    save_picture(figure, path, dpi=100)
