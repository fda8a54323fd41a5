"""Pictures of many panels, painted pixel by pixel: those of every galaxy, in a tenth of the time that axes take.

Places on a montage are (x, y) in its pixels, from the upper left corner; places in a panel are those of the image it shows,
whose pixel (0, 0) is at the lower left.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from .files import replacing
from .made_by import picture_metadata

__all__ = ["GREY", "GROWING", "TWO_SIDED", "Montage", "Panel", "coloured"]

Array = np.ndarray
# Where there is no data.
_NOTHING = (214, 221, 232)
# Lines are painted so many times finer and averaged: they look smooth.
_FINER = 4
# Room around a text or a bar in a panel [px].
_MARGIN = 10
# Half of the room that a mark needs, and where words are tried beside it: distance [px] and direction, the nearest first.
_RING = 9.0
_WAYS = [
    (distance, np.pi * step / 8)
    for distance in (12.0, 28.0, 46.0, 68.0, 94.0, 125.0)
    for step in (1, -1, 7, -7, 2, -2, 6, -6, 3, -3, 5, -5, 0, 8)
]
_ROUND = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


def _table(*anchors: tuple[int, int, int]) -> Array:
    """Colours of 256 steps between equally spaced anchors, and the one of no data."""
    steps, places = np.linspace(0.0, 1.0, 256), np.linspace(0.0, 1.0, len(anchors))
    colours = [np.interp(steps, places, channel) for channel in zip(*anchors, strict=True)]
    return np.vstack([np.transpose(colours), _NOTHING]).round().astype(np.uint8)


GREY = _table((255, 255, 255), (0, 0, 0))
"""Dark where there is light."""
TWO_SIDED = _table(
    (5, 48, 97), (50, 125, 185), (145, 197, 222), (215, 231, 241), (248, 248, 248),
    (253, 220, 200), (243, 165, 130), (202, 80, 70), (103, 0, 31),
)  # fmt: skip
"""Blue below, red above the middle."""
GROWING = _table((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""From violet to yellow."""


def coloured(image: Array, low: float, high: float, colours: Array) -> Array:
    """Image as colours, shape (ny, nx, 3).

    Parameters
    ----------
    image : (ny, nx) array
        Not finite where there is no data.
    low, high : float
        Values of the first and the last colour.
    colours : (257, 3) array
        One of this module's.
    """
    step = np.clip((image - low) * (255.0 / (high - low)), 0.0, 255.0)
    return colours[np.where(np.isfinite(image), step, 256.0).astype(int)]


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # Matplotlib brings its fonts along: the letters are the same on every machine. It is not imported for them.
    folder = Path(find_spec("matplotlib").submodule_search_locations[0])
    return ImageFont.truetype(str(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


class Montage:
    """A picture to be filled.

    Parameters
    ----------
    width, height : int
        Of it [px].
    """

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width, height), "white")
        self._draw = ImageDraw.Draw(self.image)

    def panel(self, colours: Array, left: int, top: int, side: int) -> "Panel":
        """Show an image.

        Parameters
        ----------
        colours : (ny, nx, 3) array
            Of `coloured`.
        left, top : int
            Its upper left corner.
        side : int
            Of the square that it fills in its longer direction.
        """
        shape = colours.shape[:2]
        panel = Panel(self, left, top, side / max(shape), shape)
        self.image.paste(Image.fromarray(colours[::-1]).resize(panel.size, Image.Resampling.BOX), (left, top))
        return panel

    def text(
        self, x: float, y: float, words: str, size: int = 15, anchor: str = "la", colour: str = "black",
        on_image: bool = False,
    ) -> None:  # fmt: skip
        """Write words, with a white rim on images.

        `anchor` is Pillow's (``la``: the upper left corner is at x, y; ``ms``: the middle of the base line).
        """
        self._draw.text((x, y), words, fill=colour, font=_font(size), anchor=anchor,
                        stroke_width=2 if on_image else 0, stroke_fill="white")  # fmt: skip

    def bar(self, x: int, y: int, width: int, height: int, colour: str = "black") -> None:
        """A filled rectangle."""
        self._draw.rectangle((x, y, x + width - 1, y + height - 1), fill=colour)

    def colour_bar(
        self, colours: Array, left: int, top: int, height: int, ticks: Sequence[tuple[float, str]], label: str
    ) -> None:
        """A strip of all colours, with ticks (share of the height, label) at its right, and a label above."""
        self.image.paste(Image.fromarray(colours[255::-1, None]).resize((18, height)), (left, top))
        for share, words in ticks:
            y = round(top + (1.0 - share) * (height - 1))
            self.bar(left + 18, y, 5, 1)
            self.text(left + 27, y, words, anchor="lm")
        self.text(left, top - 12, label, anchor="ls")

    def stroke(self, points: Sequence[Sequence[float] | np.ndarray], width: float, colour: str) -> None:
        """A smooth line through points."""
        low = np.floor(np.min(points, axis=0)) - width
        size = tuple(int(side) for side in np.ceil(np.ptp(points, axis=0)) + 2 * width + 2)
        mask = Image.new("L", tuple(_FINER * side for side in size))
        fine = [tuple(_FINER * (place - low + 0.5)) for place in np.asarray(points)]
        ImageDraw.Draw(mask).line(fine, fill=255, width=round(_FINER * width))
        self.image.paste(colour, tuple(int(place) for place in low), mask.resize(size, Image.Resampling.BOX))

    def save(self, path: str | os.PathLike) -> None:
        """Write the picture as PNG, the same bytes every time."""
        told = PngInfo()
        for name, text in picture_metadata(".png").items():
            if text:
                told.add_text(name, text)
        with replacing(path) as temporary:
            # Noise does not get smaller by trying harder.
            self.image.save(temporary, compress_level=1, pnginfo=told)


@dataclass(frozen=True)
class Panel:
    """An image on a montage.

    Attributes
    ----------
    montage : Montage
    left, top : int
        Its upper left corner [px of the montage].
    zoom : float
        Pixels of the montage a pixel of the image.
    shape : (int, int)
        Of the image.
    """

    montage: Montage
    left: int
    top: int
    zoom: float
    shape: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [px of the montage]."""
        height, width = (max(round(side * self.zoom), 1) for side in self.shape)
        return width, height

    def place(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Places on the montage of places in the image."""
        return self.left + (x + 0.5) * self.zoom, self.top + self.size[1] - (y + 0.5) * self.zoom

    def inside(self, x: Array, y: Array) -> Array:
        """Whether places in the image are on it."""
        return (x > -0.5) & (x < self.shape[1] - 0.5) & (y > -0.5) & (y < self.shape[0] - 0.5)

    def rings(self, x: Array, y: Array, radius: float, colour: str) -> None:
        """Mark places in the image by circles, of a radius in pixels of the montage."""
        mask, (x, y) = _ring(radius), (np.asarray(x, float), np.asarray(y, float))
        here = self.inside(x, y)
        for place in zip(*self.place(x[here], y[here]), strict=True):
            corner = tuple(round(float(middle) - 0.5 * mask.width) for middle in place)
            self.montage.image.paste(colour, corner, mask)

    def cross(self, x: float, y: float, colour: str) -> None:
        """Mark a place in the image by a plus sign."""
        if self.inside(x, y):
            x, y = (round(float(place)) for place in self.place(x, y))
            self.montage.bar(x - 7, y - 1, 15, 2, colour)
            self.montage.bar(x - 1, y - 7, 2, 15, colour)

    def names(
        self, x: Array, y: Array, words: Sequence[str], colours: Sequence[str], size: int = 15
    ) -> list[tuple[float, float, float, float]]:
        """Write words beside places in the image, none over another one or over a place; lines lead to those farther off.

        Returns
        -------
        list of (float, float, float, float)
            Left, upper, right and lower end of every word written [px of the montage].
        """
        x, y = np.atleast_1d(x).astype(float), np.atleast_1d(y).astype(float)
        here = np.flatnonzero(self.inside(x, y))
        places = np.transpose(self.place(x[here], y[here]))
        taken = [(px - _RING, py - _RING, px + _RING, py + _RING) for px, py in places]
        written = []
        for (px, py), row in zip(places, here, strict=True):
            width, height = _font(size).getlength(words[row]) + 4.0, size + 3.0
            boxes = [self._beside(px, py, width, height, *way) for way in _WAYS]
            free = [box for box in boxes if box and not any(_overlap(box, other) for other in taken)]
            # In a crowd without room the nearest that is on the panel.
            box = next(iter([*free, *filter(None, boxes)]), (px, py, px + width, py + height))
            near = np.clip((px, py), box[:2], box[2:])
            if np.hypot(*(near - (px, py))) > 1.5 * _RING:
                self.montage.stroke([(px, py), tuple(near)], 1.0, colours[row])
            self.montage.text(box[0] + 2, box[1], words[row], size, "la", colours[row], on_image=True)
            taken.append(box)
            written.append(box)
        return written

    def _beside(
        self, x: float, y: float, width: float, height: float, distance: float, angle: float
    ) -> tuple[float, float, float, float] | None:
        """Box of a word in a direction from a place on the montage; None where it would leave the panel."""
        x, y = x + distance * np.cos(angle), y - distance * np.sin(angle)
        left, top = x - (width if np.cos(angle) < -0.1 else 0.0), y - 0.5 * height
        inside = left >= self.left and top >= self.top
        wide, high = self.size
        inside &= left + width <= self.left + wide and top + height <= self.top + high
        return (left, top, left + width, top + height) if inside else None

    def contour(self, values: Array, colour: str) -> None:
        """Paint the line where an image of the panel's shape changes its sign."""
        image = Image.fromarray(np.asarray(values, np.float32)[::-1])
        fine = np.asarray(image.resize(self.size, Image.Resampling.BILINEAR))
        mask = np.zeros(fine.shape, np.uint8)
        mask[:, 1:][fine[:, 1:] * fine[:, :-1] < 0] = 255
        mask[1:][fine[1:] * fine[:-1] < 0] = 255
        self.montage.image.paste(colour, (self.left, self.top), Image.fromarray(mask))

    def scale_bar(self, unit_px: float, unit: str) -> None:
        """A bar of a round length, at most a third of the panel, at its lower left; a unit is so many pixels of the image."""
        wide, high = self.size
        most = 0.33 * wide / (unit_px * self.zoom)
        length = max((step for step in _ROUND if step <= most), default=_ROUND[0])
        left, bottom = self.left + _MARGIN, self.top + high - _MARGIN
        # White around, to be seen on everything.
        long = round(length * unit_px * self.zoom)
        self.montage.bar(left - 1, bottom - 4, long + 2, 5, "white")
        self.montage.bar(left, bottom - 3, long, 3)
        self.montage.text(left, bottom - 9, f"{length:g}{unit}", anchor="ls", on_image=True)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@cache
def _ring(radius: float) -> Image.Image:
    """Mask of a circle's line."""
    side = 2 * int(np.ceil(radius + 2.0)) + 1
    rows, columns = np.indices((side, side)) - side // 2
    share = np.clip(1.2 - np.abs(np.hypot(rows, columns) - radius), 0.0, 1.0)
    return Image.fromarray((255 * share).astype(np.uint8))
