"""What the figures of star clusters share: published masses joined to ours, and the names of the fits."""

import numpy as np
from astropy.table import Table

from .columns import numbers

__all__ = ["STACK_AGE_GYR", "STACK_Z_ZSUN", "compared"]

STACK_AGE_GYR = (1.0, 1.5, 2.0)
"""Age of F22's stack with its errors (section 3.1.2)."""

STACK_Z_ZSUN = (0.2, 0.3)
"""Range of its metallicity (section 3.1.2)."""


def compared(catalogue: Table, sed_all: dict[str, Table], published: Table, reference_sfh: str) -> Table:
    """Masses and ages of our fits beside the published masses, one row a cluster of the catalogue.

    Returns
    -------
    Table
        id, published_log_mass, published_log_mass_err; where the fits were made ssp_log_mass and ssp_log_age_yr (the best
        model of the grid), reference_log_mass, its errors, and reference_log_age_mw_yr; NaN where unknown. The grid's masses are
        divided by the magnification, as the catalogue's are.
    """

    def joined(table: Table, name: str) -> np.ndarray:
        values = dict(zip(np.asarray(table["id"], str), numbers(table, name), strict=True))
        return np.array([values.get(str(one), np.nan) for one in catalogue["id"]], dtype=float)

    columns = {"id": np.asarray(catalogue["id"], str)}
    columns |= {name: joined(published, name) for name in ("published_log_mass", "published_log_mass_err")}
    if "ssp" in sed_all:
        log_mu = np.log10(numbers(catalogue, "mu")) if "mu" in catalogue.colnames else 0.0
        columns["ssp_log_mass"] = joined(sed_all["ssp"], "best_log_mass") - log_mu
        columns["ssp_log_age_yr"] = joined(sed_all["ssp"], "best_log_age_yr")
    if reference_sfh != "ssp":
        columns["reference_log_mass"] = numbers(catalogue, "log_mass_p50")
        columns["reference_log_mass_err_lo"] = columns["reference_log_mass"] - numbers(
            catalogue, "log_mass_p16"
        )
        columns["reference_log_mass_err_hi"] = (
            numbers(catalogue, "log_mass_p84") - columns["reference_log_mass"]
        )
        columns["reference_log_age_mw_yr"] = numbers(catalogue, "log_age_mw_yr_p50")
    return Table(columns)
