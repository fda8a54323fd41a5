"""Lens models of published clusters, and what they make of clumps."""

from .lenstool import read_lenstool
from .parametric import LensModel

__all__ = ["LensModel", "read_lenstool"]
