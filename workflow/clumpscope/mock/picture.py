"""A picture of the mock field with its clumps marked."""

from pathlib import Path

import numpy as np

from ..filters import get_filter
from ..pictures import save_picture
from .scene import Scene

__all__ = ["draw_picture", "thumbnail"]

_STEP_ARCSEC, _LARGEST_PX = 0.04, 2000
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


def thumbnail(image: np.ndarray, scale: float, size_arcsec: float) -> np.ndarray:
    """Sums of pixels, 0.04 arcsec wide or a multiple of it in a large field, the same for all pixel scales."""
    step = int(np.ceil(size_arcsec / _STEP_ARCSEC / _LARGEST_PX)) * max(1, round(_STEP_ARCSEC / scale))
    n = image.shape[0] // step
    image = np.nan_to_num(image[: n * step, : n * step])
    return image.reshape(n, step, n, step).sum(axis=(1, 3))


def draw_picture(path: Path, scene: Scene, images: dict[str, np.ndarray]) -> None:
    """Write a colour image, red to blue by wavelength, with galaxies and clumps marked.

    Parameters
    ----------
    path : pathlib.Path
    scene : Scene
    images : dict of str to (n, n) array
        Of `thumbnail`, by filter.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # 0.5 s of imports
    from matplotlib.figure import Figure

    filters = sorted(images, key=lambda name: get_filter(name).pivot_angstrom)
    side = min(map(len, images.values()))  # rows that pixels of one scale have and those of another have not
    images = {name: image[:side, :side] for name, image in images.items()}
    colour = np.dstack([_third(filters, part, images) for part in (2, 1, 0)])
    figure = Figure(figsize=(12, 12))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    half = scene.size_arcsec / 2
    axes.imshow(colour, origin="lower", interpolation="nearest", extent=(-half, half, -half, half))
    seen = [pattern.centroid for clump in scene.clumps for _, _, _, pattern in clump.images]
    axes.plot(*np.transpose(seen), "o", mfc="none", mec="white", ms=5, mew=0.4, ls="none")
    for galaxy in scene.galaxies:
        for image in galaxy.images:
            label = f"{image.id}  z={galaxy.z:.2f}  $\\mu$={image.mu:.1f}"
            axes.text(image.x, image.y + 1.9, label, color="white", size=7, ha="center")
    for star in scene.stars:
        axes.plot(star.x, star.y, "s", mfc="none", mec="cyan", ms=9, mew=0.4)
    axes.set_axis_off()
    save_picture(figure, path, dpi=100)
