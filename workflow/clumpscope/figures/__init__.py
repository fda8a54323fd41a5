"""Figures: one a module, listed in `clumpscope.figures.registry`."""
