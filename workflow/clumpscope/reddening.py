"""Galactic reddening, taken off the observed fluxes."""

from collections.abc import Mapping, Sequence

import numpy as np

from .errors import InputError
from .filters import get_filter

__all__ = ["dereddening_factors"]

_R_V = 3.1


def dereddening_factors(filters: Sequence[str], reddening: Mapping[str, float] | None) -> np.ndarray:
    """Factors by which observed fluxes are multiplied.

    Parameters
    ----------
    filters : sequence of str
        Filter names.
    reddening : mapping or None
        ``{"ebv": E(B-V)}``, with the curve of Fitzpatrick (1999, R_V = 3.1) at the filters' pivot wavelengths, as
        F22 section 2.5; or attenuation in magnitudes by filter, as C25 Table 1. None: fluxes are corrected already.

    Returns
    -------
    (n_filters,) array

    Raises
    ------
    InputError
        If a filter has no magnitude.
    """
    if not reddening:
        return np.ones(len(filters))
    if "ebv" in reddening:
        from astropy import units
        from dust_extinction.parameter_averages import F99  # takes long to import

        pivots = np.array([get_filter(name).pivot_angstrom for name in filters])
        # Beyond the curve's 3.3 micron end attenuation falls as the -1.6 power (Fitzpatrick 1999's infrared slope).
        end = 1e4 / F99.x_range[0]
        curve = F99(Rv=_R_V)(np.minimum(pivots, end) * units.AA) * (np.maximum(pivots, end) / end) ** -1.6
        magnitudes = reddening["ebv"] * _R_V * curve
    else:
        missing = [name for name in filters if name not in reddening]
        if missing:
            raise InputError(
                "configuration key reddening", f"no value for {missing[0]}", "one for every filter"
            )
        magnitudes = np.array([reddening[name] for name in filters], dtype=float)
    return 10.0 ** (0.4 * magnitudes)
