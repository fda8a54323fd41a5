"""Star clusters of a photometry field beside the published values of F22 (section 3.1)."""

import numpy as np
from astropy.table import Table

from ..cosmology import age_of_universe_yr
from ..flags import has

__all__ = ["REASONS", "compare_published"]

REASONS = {
    "mass": "F22 multiply the V luminosity that one band, F090W, stands for with the M/L of each cluster's best simple stellar "
    "population (SSP); here the mass is fitted to all bands at once. The reference history also allows dust, gas, ages below "
    "0.5 Gyr and extended star formation.",
    "table": "As above, for the clusters that are compared.",
    "difference": "Cluster by cluster. The grids have the same ages and metallicities but not the same spectra (F22: BaSeL and "
    "STELIB; here: MILES), and F22 do not say how faint bands and errors below the models' accuracy enter. Published errors hold "
    "the photometry only, not the M/L.",
    "formed": "Not published. The mass ever formed; at 1.5 Gyr about a third of it is gone with the massive stars.",
    "age": "Published for the stack only. The SSP grid has no dust and starts at 0.5 Gyr, so it cannot answer with a young, dusty "
    "cluster; in six bands age, metallicity and dust are degenerate, and the prior of the reference history shows.",
    "stack": "F22 stack images and measure the stack; here the stack is the median of the clusters' fluxes.",
    "chi2": "Not published. Of six bands without an error floor: where it is far above the number of bands, no model of the grid is a fit, and the "
    "age and metallicity above are those of the least bad one; their ranges are not errors.",
    "poor": "Clusters whose best model is improbable (p < 1e-4); they are counted in the medians above.",
    "old": "Median or best age above the age of the Universe at the cluster's redshift: the grid of F22 ends at 11 Gyr whatever the redshift.",
    "ml": "Smallest to largest. Light in the reference history is dimmed by dust, which raises M/L; young ages lower it.",
    "implied": "Published: their masses over the V luminosities fitted here, which is not what F22 quote as M/L; the two differ "
    "where the luminosities do.",
}
"""Why our numbers need not be the published ones."""

# F22 sections 3.1.2 and 3.1.3: median 2.4 (+3.0 -1.5) 1e6 Msun; stack 1.5 +- 0.5 Gyr, 0.2-0.3 Zsun (3 sigma); M/L_V.
_MASS = tuple(float(np.log10(m)) for m in (0.9e6, 2.4e6, 5.4e6))
_STACK_AGE_GYR, _STACK_Z, _ML_RANGE = (1.0, 1.5, 2.0), (0.2, 0.2, 0.3), (0.2, 4.8)
_NOTHING = (np.nan, np.nan, np.nan)
_SIGMA = 3.0
_COLUMNS = [f"{who}{end}" for who in ("published", "ssp", "reference") for end in ("_lo", "", "_hi")]


def compare_published(reference: Table, ssp: Table, ssp_stack: Table, published: Table) -> Table:
    """Put our medians beside those of F22, with the reason where they differ.

    Parameters
    ----------
    reference : Table
        The catalogue, or any table with percentiles of the reference SFH: id, log_mass, log_mass_formed,
        log_age_mw_yr, ml_v; optional z, flags.
    ssp : Table
        Fits of the SSP grid by id: best_log_mass, best_log_mass_formed, best_log_age_yr, best_ml_v, optional flags.
    ssp_stack : Table
        chi-squared map of the stack: age_yr, z_zsun, chi2, significance.
    published : Table
        id, published_log_mass (F22 Table 1).

    Returns
    -------
    Table
        quantity, unit, value and range of ``published``, ``ssp`` and ``reference``, n (clusters compared), reason. Ranges are 16
        and 84 % of the clusters; three sigma for the stack; the extremes for M/L. NaN where there is no value.
    """
    ours = {str(row["id"]): row for row in reference}
    grid = {str(row["id"]): row for row in ssp}
    table_mass = {str(row["id"]): float(row["published_log_mass"]) for row in published}
    names = [name for name in table_mass if name in ours and name in grid]

    def of(rows: dict, column: str) -> np.ndarray:
        return np.array([float(rows[name][column]) for name in names])

    known = np.array([table_mass[name] for name in names])
    mass, best = of(ours, "log_mass_p50"), of(grid, "best_log_mass")
    formed, best_formed = of(ours, "log_mass_formed_p50"), of(grid, "best_log_mass_formed")
    age, best_age = (
        10 ** (of(rows, name) - 9) for rows, name in ((ours, "log_age_mw_yr_p50"), (grid, "best_log_age_yr"))
    )
    ml = of(ours, "ml_v_p50") if "ml_v_p50" in reference.colnames else np.array([])
    best_ml = of(grid, "best_ml_v")
    implied = 10 ** (known - best) * best_ml
    rows = [
        ("median log mass, F22 text", "dex(Msun)", _MASS, _spread(best), _spread(mass), "mass"),
        ("median log mass, F22 Table 1", "dex(Msun)", _spread(known), _spread(best), _spread(mass), "table"),
        ("log mass minus F22 Table 1", "dex", _NOTHING, _spread(best - known), _spread(mass - known), "difference"),
        ("median log mass formed", "dex(Msun)", _NOTHING, _spread(best_formed), _spread(formed), "formed"),
        ("median age", "Gyr", _NOTHING, _spread(best_age), _spread(age), "age"),
        ("age of the stack", "Gyr", _STACK_AGE_GYR, _allowed(ssp_stack, "age_yr", 1e-9), _NOTHING, "stack"),
        ("metallicity of the stack", "Zsun", _STACK_Z, _allowed(ssp_stack, "z_zsun"), _NOTHING, "stack"),
        ("M/L in V", "Msun / Lsun", (_ML_RANGE[0], np.nan, _ML_RANGE[1]), _extremes(best_ml), _extremes(ml), "ml"),
        ("median M/L in V", "Msun / Lsun", _spread(implied), _spread(best_ml), _spread(ml), "implied"),
    ]  # fmt: skip
    chi2 = float(np.min(np.asarray(ssp_stack["chi2"], float)))
    rows.append(("chi2 of the stack's best model", "", _NOTHING, (np.nan, chi2, np.nan), _NOTHING, "chi2"))
    if "flags" in ssp.colnames and "flags" in reference.colnames:
        counts = (
            _number(has(np.array([int(r[name]["flags"]) for name in names]), "poor_fit"))
            for r in (grid, ours)
        )
        rows.append(("clusters with a poor fit", "", _NOTHING, *counts, "poor"))
    if "z" in reference.colnames:
        limit = np.array([float(age_of_universe_yr(z)) / 1e9 for z in of(ours, "z")])
        rows.append(
            (
                "clusters older than the Universe",
                "",
                _NOTHING,
                _number(best_age > limit),
                _number(age > limit),
                "old",
            )
        )
    return Table(
        rows=[(name, unit, *a, *b, *c, len(names), REASONS[why]) for name, unit, a, b, c, why in rows],
        names=["quantity", "unit", *_COLUMNS, "n", "reason"],
        dtype=["U32", "U16", *[float] * 9, int, "U400"],
    )


def _number(chosen: np.ndarray) -> tuple[float, float, float]:
    """How many, without a range."""
    return np.nan, float(np.sum(chosen)), np.nan


def _spread(values: np.ndarray) -> tuple[float, float, float]:
    values = values[np.isfinite(values)]
    return tuple(float(v) for v in np.percentile(values, [16, 50, 84])) if values.size else _NOTHING


def _extremes(values: np.ndarray) -> tuple[float, float, float]:
    values = values[np.isfinite(values)]
    return (float(values.min()), float(np.median(values)), float(values.max())) if values.size else _NOTHING


def _allowed(stack: Table, name: str, factor: float = 1.0) -> tuple[float, float, float]:
    """Best value and the range of models within three sigma."""
    values = np.asarray(stack[name], float) * factor
    allowed = values[np.asarray(stack["significance"], float) <= _SIGMA]
    best = values[int(np.argmin(np.asarray(stack["chi2"], float)))]
    return float(allowed.min()), float(best), float(allowed.max())
