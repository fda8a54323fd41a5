"""Images of a galaxy in a few hundred kilobytes: one byte a pixel, linear in the noise and logarithmic above."""

import base64
import gzip
from dataclasses import dataclass

import numpy as np

__all__ = ["Packer", "binned", "decode", "encode"]

Array = np.ndarray

_STEPS_A_SIGMA = 20.0
"""Finest steps: a twentieth of the noise near zero, five per cent of bright pixels."""


@dataclass(frozen=True)
class Plane:
    """An image as bytes: `noise` * sinh((byte - `zero`) / `scale`); byte 0 has no data."""

    values: Array
    noise: float
    zero: int
    scale: float


def encode(image: Array, noise: float) -> Plane:
    """Take an image to bytes.

    Parameters
    ----------
    image : (ny, nx) array
        NaN where there is no data.
    noise : float
        Standard deviation of a pixel, below which steps are of equal size.

    Returns
    -------
    Plane
        Its whole range is kept: the steps are as coarse as that needs.
    """
    stretched = np.arcsinh(image / noise)
    good = np.isfinite(stretched)
    low = min(float(stretched[good].min(initial=0.0)), 0.0)
    high = max(float(stretched[good].max(initial=0.0)), 0.0)
    scale = min(_STEPS_A_SIGMA, 253.0 / max(high - low, 1e-9))
    zero = 1 + int(np.ceil(-low * scale))
    values = np.zeros(image.shape, np.uint8)
    values[good] = np.clip(np.rint(stretched[good] * scale) + zero, 1, 255)
    return Plane(values, float(noise), zero, scale)


def decode(plane: Plane) -> Array:
    """The image of a plane, as a page's script makes it."""
    image = plane.noise * np.sinh((plane.values.astype(float) - plane.zero) / plane.scale)
    return np.where(plane.values == 0, np.nan, image)


def binned(image: Array, n: int) -> Array:
    """Mean of n x n pixels, without those that are NaN; incomplete blocks at the upper edges are left out."""
    if n == 1:
        return image
    ny, nx = (side // n for side in image.shape)
    blocks = image[: ny * n, : nx * n].reshape(ny, n, nx, n)
    good = np.isfinite(blocks)
    count = good.sum(axis=(1, 3))
    total = np.where(good, blocks, 0.0).sum(axis=(1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


class Packer:
    """All planes of a page, one after the other."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def add(self, image: Array, noise: float) -> dict[str, float | int]:
        """Keep an image; gives what a script needs to find and decode it."""
        plane = encode(image, noise)
        where = {
            "start": self._length,
            "noise": plane.noise,
            "zero": plane.zero,
            "scale": round(plane.scale, 6),
        }
        self._parts.append(plane.values.tobytes())
        self._length += plane.values.size
        return where

    def text(self) -> str:
        """Everything, compressed (gzip), in letters (base64); the same for the same planes."""
        return base64.b64encode(gzip.compress(b"".join(self._parts), 6, mtime=0)).decode("ascii")
