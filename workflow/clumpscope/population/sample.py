"""Which clumps enter population statistics."""

import numpy as np
from astropy.table import Table

from ..flags import EXCLUDING, has
from ..tables import numbers

__all__ = ["POSTERIORS", "has_size", "known_distances", "population_sample"]

POSTERIORS = (
    "log_mass",
    "log_age_mw_yr",
    "log_sfr10",
    "a_v",
    "log_z_zsun",
    "log_sigma_mass",
    "log_sigma_sfr",
)
"""Quantities of clumps in population numbers that the catalogue has as percentiles."""

_NO_SIZE = ("unresolved", "size_undetermined")


def population_sample(catalogue: Table, min_broad_bands: int = 4, poor_fit: bool = False) -> np.ndarray:
    """Tell the clumps that count.

    Parameters
    ----------
    catalogue : Table
        flags; n_bands_snr3 and log_mass_p50 where there was an SED fit.
    min_broad_bands : int
        Broad bands with S/N > 3 that a clump needs (C25 section 4.2).
    poor_fit : bool
        Whether clumps whose best fit is improbable count.

    Returns
    -------
    (n,) bool array
        Rows without an excluding flag, with enough bands and a finite mass.
    """
    counted = "n_bands_snr3" in catalogue.colnames
    # The flag is of C25's four bands; here any number may do.
    aside = (*(["few_bands"] if counted else []), *(["poor_fit"] if poor_fit else []))
    excluding = [name for name in EXCLUDING if name not in aside]
    good = ~np.asarray(has(np.asarray(catalogue["flags"]), excluding), dtype=bool)
    if counted:
        good &= np.asarray(catalogue["n_bands_snr3"]) >= min_broad_bands
    if "log_mass_p50" in catalogue.colnames:
        good &= np.isfinite(np.asarray(catalogue["log_mass_p50"], float))
    return good


def has_size(catalogue: Table) -> np.ndarray:
    """Tell the clumps whose effective radius is measured, not an upper limit; (n,) bool array."""
    if "r_eff_pc" not in catalogue.colnames:
        return np.zeros(len(catalogue), dtype=bool)
    measured = np.isfinite(np.asarray(catalogue["r_eff_pc"], float)) & ~np.asarray(
        catalogue["r_eff_limit"], bool
    )
    return measured & ~np.asarray(has(np.asarray(catalogue["flags"]), _NO_SIZE), dtype=bool)


def known_distances(catalogue: Table) -> np.ndarray:
    """Distances from the centres of galaxies [kpc], (n,); NaN where the centre may be another's (flag ``off_centre``)."""
    doubtful = has(np.asarray(catalogue["flags"]), "off_centre") if "flags" in catalogue.colnames else False
    return np.where(doubtful, np.nan, numbers(catalogue, "distance_kpc"))
