"""The loops of the clump fits, as machine code: images of sources with their derivatives, and the least-squares climb."""

from .climbing import FROZEN, FULL, LINE, POINT, ROUND, climb
from .covariance import add_shape_errors, background_at, correlate, sandwich
from .drawing import add_source, source_images
from .hosts import host_evidences

__all__ = [
    "FROZEN",
    "FULL",
    "LINE",
    "POINT",
    "ROUND",
    "add_shape_errors",
    "add_source",
    "background_at",
    "climb",
    "correlate",
    "host_evidences",
    "sandwich",
    "source_images",
]
