"""Lens models of published clusters, and what they make of clumps."""

from collections.abc import Mapping
from typing import Any

from .files.lenstool import read_lenstool
from .files.maps import read_maps
from .models.model import LensModel
from .models.unlensed import no_lens

__all__ = ["LensModel", "no_lens", "read_lens", "read_lenstool", "read_maps"]


def read_lens(lens: Mapping[str, Any]) -> LensModel:
    """Read the lens model that a configuration's `lens` section describes.

    Parameters
    ----------
    lens : mapping
        ``kind`` (lenstool, maps or none) and that kind's keys.
    """
    options = {key: value for key, value in lens.items() if key != "kind"}
    if lens["kind"] == "lenstool":
        return read_lenstool(options.pop("model"), **options)
    if lens["kind"] == "maps":
        return read_maps(**options)
    return no_lens()
