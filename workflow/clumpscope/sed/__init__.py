"""SED models and fits: SSP libraries, model photometry, posteriors."""

from .grid import GridFit, fit_grid
from .library import SSPLibrary, load_library
from .photometry import PhotometryModel
from .spectrum import rest_spectrum, synthesize

__all__ = ["GridFit", "PhotometryModel", "SSPLibrary", "fit_grid", "load_library", "rest_spectrum", "synthesize"]
