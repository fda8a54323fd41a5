"""SED models and fits: SSP libraries, model photometry, posteriors."""

from .library import SSPLibrary, load_library
from .photometry import PhotometryModel
from .spectrum import rest_spectrum, synthesize

__all__ = ["PhotometryModel", "SSPLibrary", "load_library", "rest_spectrum", "synthesize"]
