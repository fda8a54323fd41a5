"""Photometry of clumps: shapes, fluxes, backgrounds."""

from .fit import fit_clumps

__all__ = ["fit_clumps"]
