"""Star clusters of a photometry field beside the published values of F22 (section 3.1)."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from ..cosmology import age_of_universe_yr
from ..flags import has
from ..resources import resource
from ..sed.inference.grid import fit_grid
from ..sed.products.grid_table import grid_table, map_table
from ..tables import read_table

__all__ = ["REASONS", "Stack", "compare_published", "compare_stacks", "fit_published_stack"]

REASONS = {
    "mass": "F22 multiply the V luminosity that one band, F090W, stands for with the M/L of each cluster's best simple stellar "
    "population (SSP); so does the grid here where mass_filter is F090W. See M/L for why theirs are lower. The reference history also allows dust, gas, ages below "
    "0.5 Gyr and extended star formation. Clusters with a poor fit are left out.",
    "table": "As above, for the clusters that are compared.",
    "difference": "Cluster by cluster. Where the scatter is small beside the offset a common factor sets them apart, not other ages or metallicities (see "
    "M/L). Published errors hold the photometry only, not the M/L.",
    "formed": "Not published. The mass ever formed; at 1.5 Gyr about a third of it is gone with the massive stars.",
    "age": "Published for the stack only. The SSP grid has no dust and starts at 0.5 Gyr, so it cannot answer with a young, dusty "
    "cluster; in six bands age, metallicity and dust are degenerate, and the prior of the reference history shows.",
    "stack": "F22 stack images and measure the stack; here the stack is the median of the clusters' fluxes, which is redder (fluxes below).",
    "table2": "F22's own stack (Table 2) in our grid: models that differ from theirs in the stellar spectra (MILES; BaSeL and STELIB) but not in the tracks "
    "(Padova 1994). What it leaves of the difference above is the spectra's; the rest is the stacks'.",
    "chi2": "Not published. Of six bands without an error floor: where it is far above the number of bands, no model of the grid is a fit, and the "
    "age and metallicity above are those of the least bad one; their ranges are not errors.",
    "excluded": "The least number of sigma by which such a model is worse than the best, without an error floor. The published value is what F22 state to be exceeded.",
    "stack_ml": "M/L goes with the age of the best model. Ours is of living stars and remnants, with an IMF of Kroupa & Boily (2002), theirs of Chabrier (2003): about "
    "0.03 dex.",
    "stack_mass": "V luminosities times the M/L of the stack. Theirs need a median luminosity of 8.7 million Lsun (3.9e6 / 0.45), above what F22 state for the clusters (more than half above 5 million).",
    "light": "From F090W, with each cluster's best model. The lower end is that of the faintest F090W flux in Table 1.",
    "superluminous": "F22 state more than half.",
    "magnitude": "Of all clusters with a positive flux; ours from 2.5 to 97.5 % of them, F22's by eye.",
    "poor": "Clusters whose best model is improbable (p < 1e-4); they are left out of the values above.",
    "old": "Median or best age above the age of the Universe at the cluster's redshift, of all clusters. F22's grid ends at 11 Gyr whatever the redshift; "
    "here it ends at the age of the Universe unless sed: {universe_age_limit: false}.",
    "oldest": "The best model is the oldest of the grid: these six bands do not tell how old.",
    "ml": "Smallest to largest. Light in the reference history is dimmed by dust, which raises M/L; young ages lower it.",
    "implied": "Published: Table 1's masses over the V luminosities fitted here. Where the luminosities agree with those F22 quote and this is below the M/L they quote, "
    "Table 1 and the text of F22 do not go together: the likely cause of our heavier clusters, rather than the models' giant stars (thermally pulsing "
    "AGB), which would change M/L cluster by cluster (docs/sed.md).",
}
"""Why our numbers need not be the published ones."""

# F22 sections 3.1.2, 3.1.3 and 3.3: median 2.4 (+3.0 -1.5) 1e6 Msun; stack 1.5 +- 0.5 Gyr, 0.2-0.3 Zsun (3 sigma), M/L_V 0.45, which gives 3.9
# (+3.2 -1.8) 1e6 Msun; M/L_V 0.2-4.8; L_V 2.5e6 to 3.1e7 Lsun; 4 sigma against less than 0.2 Zsun, solar or more, and more than 5 Gyr.
_MASS = tuple(float(np.log10(m)) for m in (0.9e6, 2.4e6, 5.4e6))
_STACK_MASS = tuple(float(np.log10(m)) for m in (2.1e6, 3.9e6, 7.1e6))
_LIGHT = (float(np.log10(2.5e6)), np.nan, float(np.log10(3.1e7)))
_STACK_AGE_GYR, _STACK_Z, _ML_RANGE, _STACK_ML = (1.0, 1.5, 2.0), (0.2, 0.2, 0.3), (0.2, 4.8), 0.45
_SUPERLUMINOUS, _EXCLUDED_SIGMA, _OLD_YR = 6.7, 4.0, 5e9
_MAGNITUDES = {"F090W": (28.0, 30.0), "F200W": (27.5, 29.5)}
_NOTHING = (np.nan, np.nan, np.nan)
_SIGMA = 3.0
_COLUMNS = [f"{who}{end}" for who in ("published", "ssp", "reference") for end in ("_lo", "", "_hi")]


@dataclass(frozen=True, eq=False)
class Stack:
    """A stack's photometry and its fits of the SSP grid.

    Attributes
    ----------
    photometry : Table
        filter, flux_njy, flux_err_njy, model_njy.
    chi2_map : Table
        Of `clumpscope.sed.products.grid_table.map_table`.
    fit : Table
        Of `clumpscope.sed.products.grid_table.grid_table`, one row.
    """

    photometry: Table
    chi2_map: Table
    fit: Table


def fit_published_stack(
    redshift: float, library: str, ages_yr: np.ndarray, mass_filter: str | None = None
) -> Stack:
    """Fit the photometry of F22's stack (Table 2) as it is, without an error floor."""
    photometry = read_table(resource("faisst2022/table2.csv"))
    filters = [str(name) for name in photometry["filter"]]
    fluxes = np.asarray(photometry["flux_njy"], float), np.asarray(photometry["flux_err_njy"], float)
    fit = fit_grid(*fluxes, filters, redshift, library, ages_yr)
    photometry["model_njy"] = fit.flux_njy[0]
    if mass_filter in filters:
        fit = fit_grid(*fluxes, filters, redshift, library, ages_yr, mass_filter=mass_filter)
    return Stack(photometry, map_table(fit), grid_table(fit, ["table2"]))


def compare_stacks(own: Table, published: Table) -> Table:
    """Our stack beside the published one, filter by filter.

    Parameters
    ----------
    own, published : Table
        `Stack.photometry` of each.

    Returns
    -------
    Table
        filter; flux_njy, flux_err_njy and model_njy of ours; the same with ``published_``; ratio of the fluxes. Filters of one of them
        alone are left out.
    """
    theirs = {str(row["filter"]): row for row in published}
    rows = [row for row in own if str(row["filter"]) in theirs]
    names = ("flux_njy", "flux_err_njy", "model_njy")
    columns: dict[str, list] = {"filter": [str(row["filter"]) for row in rows]}
    columns |= {name: [float(row[name]) for row in rows] for name in names}
    columns |= {
        f"published_{name}": [float(theirs[one][name]) for one in columns["filter"]] for name in names
    }
    table = Table(columns)
    table["ratio"] = np.asarray(columns["flux_njy"], float) / np.asarray(columns["published_flux_njy"], float)
    for name in table.colnames:
        if name.endswith("njy"):
            table[name].unit = "nJy"
    return table


def compare_published(
    reference: Table, ssp: Table, own: Stack, published: Table, published_stack: Stack | None = None
) -> Table:
    """Put our medians beside those of F22, with the reason where they differ.

    Parameters
    ----------
    reference : Table
        The catalogue, or any table with percentiles of the reference SFH: id, log_mass, log_mass_formed,
        log_age_mw_yr, ml_v; optional z, flags.
    ssp : Table
        Fits of the SSP grid by id: best_log_mass, best_log_mass_formed, best_log_age_yr, best_ml_v, optional flags.
    own : Stack
        Of our stack.
    published : Table
        id, published_log_mass (F22 Table 1).
    published_stack : Stack, optional
        Of `fit_published_stack`.

    Returns
    -------
    Table
        quantity, unit, value and range of ``published``, ``ssp`` and ``reference``, n (clusters compared), reason. Ranges are 16
        and 84 % of the clusters; three sigma for stacks; the extremes for M/L and luminosities. NaN where there is no value.
    """
    ours = {str(row["id"]): row for row in reference}
    grid = {str(row["id"]): row for row in ssp}
    table_mass = {str(row["id"]): float(row["published_log_mass"]) for row in published}
    names = [name for name in table_mass if name in ours and name in grid]

    def every(rows: dict, column: str) -> np.ndarray:
        return np.array([float(rows[name][column]) for name in names])

    def poor(rows: dict, table: Table) -> np.ndarray:
        if "flags" not in table.colnames:
            return np.zeros(len(names), dtype=bool)
        return np.asarray(
            has(np.array([int(rows[name]["flags"]) for name in names], dtype=int), "poor_fit"), bool
        )

    bad, bad_grid = poor(ours, reference), poor(grid, ssp)

    def of(rows: dict, column: str) -> np.ndarray:
        return np.where(bad if rows is ours else bad_grid, np.nan, every(rows, column))

    known = np.array([table_mass[name] for name in names])
    mass, best = of(ours, "log_mass_p50"), of(grid, "best_log_mass")
    formed, best_formed = of(ours, "log_mass_formed_p50"), of(grid, "best_log_mass_formed")
    age, best_age = (
        10 ** (of(rows, name) - 9) for rows, name in ((ours, "log_age_mw_yr_p50"), (grid, "best_log_age_yr"))
    )
    ml = of(ours, "ml_v_p50") if "ml_v_p50" in reference.colnames else np.array([])
    best_ml = of(grid, "best_ml_v")
    light = best - np.log10(best_ml)
    implied = 10 ** (known - light)
    bright = light[np.isfinite(light)] > _SUPERLUMINOUS
    rows = [
        ("median log mass, F22 text", "dex(Msun)", _MASS, _spread(best), _spread(mass), "mass"),
        ("median log mass, F22 Table 1", "dex(Msun)", _spread(known), _spread(best), _spread(mass), "table"),
        ("log mass minus F22 Table 1", "dex", _NOTHING, _spread(best - known), _spread(mass - known), "difference"),
        ("median log mass formed", "dex(Msun)", _NOTHING, _spread(best_formed), _spread(formed), "formed"),
        ("median age", "Gyr", _NOTHING, _spread(best_age), _spread(age), "age"),
        ("M/L in V", "Msun / Lsun", (_ML_RANGE[0], np.nan, _ML_RANGE[1]), _extremes(best_ml), _extremes(ml), "ml"),
        ("median M/L in V", "Msun / Lsun", _spread(implied), _spread(best_ml), _spread(ml), "implied"),
        ("log V luminosity", "dex(Lsun)", _LIGHT, _extremes(light), _NOTHING, "light"),
        ("share of log V luminosity > 6.7", "", (0.5, np.nan, 1.0), _one(np.mean(bright) if bright.size else np.nan), _NOTHING, "superluminous"),
        ("age of the stack", "Gyr", _STACK_AGE_GYR, _allowed(own.chi2_map, "age_yr", 1e-9), _NOTHING, "stack"),
        ("metallicity of the stack", "Zsun", _STACK_Z, _allowed(own.chi2_map, "z_zsun"), _NOTHING, "stack"),
    ]  # fmt: skip
    rows += _of_stack(own, "the stack", light)
    if published_stack is not None:
        rows += [
            ("age of Table 2's stack", "Gyr", _STACK_AGE_GYR, _allowed(published_stack.chi2_map, "age_yr", 1e-9), _NOTHING, "table2"),
            ("metallicity of Table 2's stack", "Zsun", _STACK_Z, _allowed(published_stack.chi2_map, "z_zsun"), _NOTHING, "table2"),
        ]  # fmt: skip
        rows += _of_stack(published_stack, "Table 2's stack", light)
    if "flags" in ssp.colnames and "flags" in reference.colnames:
        counts = _one(np.sum(bad_grid)), _one(np.sum(bad))
        rows.append(("clusters with a poor fit", "", _NOTHING, *counts, "poor"))
    for name, (low, high) in _MAGNITUDES.items():
        if f"flux_{name}_njy" in reference.colnames:
            flux = every(ours, f"flux_{name}_njy")
            magnitude = 31.4 - 2.5 * np.log10(flux[flux > 0])
            rows.append((f"magnitude in {name}", "mag", (low, np.nan, high), _NOTHING, _spread(magnitude, 2.5), "magnitude"))  # fmt: skip
    if "z" in reference.colnames:
        limit = np.log10(np.array([float(age_of_universe_yr(z)) for z in every(ours, "z")]))
        counts = (
            _one(np.sum(every(rows_, name) > limit))
            for rows_, name in ((grid, "best_log_age_yr"), (ours, "log_age_mw_yr_p50"))
        )
        rows.append(("clusters older than the Universe", "", _NOTHING, *counts, "old"))
        oldest = np.log10(np.max(np.asarray(own.chi2_map["age_yr"], float)))
        at_end = np.isclose(every(grid, "best_log_age_yr"), oldest)
        rows.append(("clusters of the grid's oldest age", "", _NOTHING, _one(np.sum(at_end)), _NOTHING, "oldest"))  # fmt: skip
    return Table(
        rows=[(name, unit, *a, *b, *c, len(names), REASONS[why]) for name, unit, a, b, c, why in rows],
        names=["quantity", "unit", *_COLUMNS, "n", "reason"],
        dtype=["U64", "U16", *[float] * 9, int, "U600"],
    )


def _of_stack(stack: Stack, name: str, light: np.ndarray) -> list[tuple]:
    """Rows of what a stack's fit says: M/L, masses with it, quality, and what it excludes."""
    ml = float(stack.fit["best_ml_v"][0])
    table = stack.chi2_map
    metallicity, age, sigma = (np.asarray(table[n], float) for n in ("z_zsun", "age_yr", "significance"))
    rows = [
        (f"M/L of {name}", "Msun / Lsun", _one(_STACK_ML), _one(ml), _NOTHING, "stack_ml"),
        (f"log mass, M/L of {name}", "dex(Msun)", _STACK_MASS, _spread(light + np.log10(ml)), _NOTHING, "stack_mass"),
        (f"chi2 of the best model of {name}", "", _NOTHING, _one(np.min(np.asarray(table["chi2"], float))), _NOTHING, "chi2"),
    ]  # fmt: skip
    for words, excluded in (
        ("less than 0.2 Zsun", metallicity < 0.199),
        ("1 Zsun or more", metallicity > 0.999),
        ("more than 5 Gyr", age > 1.001 * _OLD_YR),
    ):
        if excluded.any():
            least = _one(sigma[excluded].min())
            rows.append((f"sigma against {words}, {name}", "", _one(_EXCLUDED_SIGMA), least, _NOTHING, "excluded"))  # fmt: skip
    return rows


def _one(value: float) -> tuple[float, float, float]:
    """A value without a range."""
    return np.nan, float(value), np.nan


def _spread(values: np.ndarray, percent: float = 16.0) -> tuple[float, float, float]:
    values = values[np.isfinite(values)]
    if not values.size:
        return _NOTHING
    low, middle, high = (float(v) for v in np.percentile(values, [percent, 50.0, 100.0 - percent]))
    return low, middle, high


def _extremes(values: np.ndarray) -> tuple[float, float, float]:
    values = values[np.isfinite(values)]
    return (float(values.min()), float(np.median(values)), float(values.max())) if values.size else _NOTHING


def _allowed(stack: Table, name: str, factor: float = 1.0) -> tuple[float, float, float]:
    """Best value and the range of models within three sigma."""
    values = np.asarray(stack[name], float) * factor
    allowed = values[np.asarray(stack["significance"], float) <= _SIGMA]
    best = values[int(np.argmin(np.asarray(stack["chi2"], float)))]
    return float(allowed.min()), float(best), float(allowed.max())
