"""Widths of a Gaussian over its standard deviation."""

import numpy as np

__all__ = ["FWHM_OF_SIGMA", "HALF_LIGHT_OF_SIGMA"]

FWHM_OF_SIGMA = np.sqrt(8.0 * np.log(2.0))
"""Full width at half maximum."""

HALF_LIGHT_OF_SIGMA = np.sqrt(2.0 * np.log(2.0))
"""Half-light radius of a round one (C25 section 3.8), and half its width at half maximum."""
