"""The result of an SSP grid as tables: one row an object, and the chi-squared map of a stack."""

from typing import Any

import numpy as np
from astropy.table import Table

from ...flags import bit
from ..inference.grid import GridFit
from ..inference.quality import quality_flags

__all__ = ["grid_table", "map_table"]

_PERCENTILES = (16, 50, 84)
_PARAMETERS = 3  # age, metallicity, mass


def grid_table(fit: GridFit, ids: list[str]) -> Table:
    """One row an object, with the column names of the posterior tables.

    Parameters
    ----------
    fit : GridFit
    ids : list of str

    Returns
    -------
    Table
        Percentiles of the marginals over the grid; ``best_*`` of the best model, which F22 quote.
    """
    columns: dict[str, Any] = {"id": ids}
    with np.errstate(invalid="ignore"):
        for name, values in (
            ("log_mass", fit.log_mass_interval),
            ("log_age_yr", np.log10(fit.age_interval_yr)),
            ("log_age_mw_yr", np.log10(fit.age_interval_yr)),
            ("log_z_zsun", np.log10(fit.z_interval)),
        ):
            columns |= {f"{name}_p{p}": values[:, k] for k, p in enumerate(_PERCENTILES)}
        columns |= {
            "best_log_mass": fit.log_mass,
            "best_log_mass_formed": fit.log_mass_formed,
            "best_log_age_yr": np.log10(fit.age_yr),
            "best_log_z_zsun": np.log10(fit.z),
            "best_ml_v": fit.ml_v,
            "best_m_v_ab": fit.m_v_ab,
        }
    # A model without scatter: the best one's magnitude stands for its distribution.
    columns |= {f"m_v_ab_p{p}": fit.m_v_ab for p in _PERCENTILES}
    columns |= {"chi2": fit.chi2_min, "n_bands": fit.n_bands, "n_bands_snr3": fit.n_bands_snr3}
    rows = zip(fit.n_bands, fit.n_bands_snr3, fit.chi2_min, strict=True)
    columns["flags"] = np.array(
        [
            bit(*quality_flags(n_bands, bright, _PARAMETERS, chi2) if np.isfinite(chi2) else ["no_sed"])
            for n_bands, bright, chi2 in rows
        ],
        dtype=np.int64,
    )
    return Table(columns)


def map_table(fit: GridFit, row: int = 0) -> Table:
    """The chi-squared map of one object: age_yr, z_zsun, chi2, significance (sigma above the best), one row a model."""
    ages, metallicities = np.meshgrid(fit.ages_yr, fit.z_zsun, indexing="ij")
    return Table(
        {
            "age_yr": ages.ravel(),
            "z_zsun": metallicities.ravel(),
            "chi2": fit.chi2[row].ravel(),
            "significance": fit.significance[row].ravel(),
        }
    )
