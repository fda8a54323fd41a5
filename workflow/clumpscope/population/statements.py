"""What C25 say of a population of clumps, on a field whose truth is known: recovered beside injected."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.table import Table

from .hosts import intrinsic_hosts
from .numbers import with_mass_functions
from .products import population_tables
from .recovered import without_errors
from .summary import population_statistics

__all__ = ["STATEMENTS", "recovered_statements"]

_EVERY_BIN = "z_"
_SAID = (
    ("6", "The lens tells unresolved, compact and extended clumps apart", ("share_unresolved", "share_compact", "share_extended"), ()),
    ("4.4.1", "Clumps get smaller with redshift", ("evolution_log_r_eff",), ("median_r_eff_pc",)),
    ("4.4", "Masses are alike at all redshifts", ("evolution_log_mass",), ("median_log_mass",)),
    ("4.4.3", "Clumps get younger with redshift", ("evolution_log_age_mw_yr",), ("median_log_age_mw_yr",)),
    ("5.5", "Few clumps are older than 300 Myr", ("share_older_300myr",), ()),
    ("4.4.2", "Clumps form more stars with redshift", ("evolution_log_sfr10",), ("median_log_sfr10",)),
    ("4.4", "Attenuations are alike at all redshifts", ("evolution_a_v",), ("median_a_v",)),
    ("5.3", "Clumps get denser in mass with redshift", ("evolution_log_sigma_mass",), ("median_log_sigma_mass",)),
    ("5.3", "Clumps get denser in star formation with redshift", ("evolution_log_sigma_sfr",), ("median_log_sigma_sfr",)),
    ("4.5", "Massive galaxies have more massive clumps", ("intrinsic_r_log_mass_max_with_log_mass_host", "intrinsic_slope_log_mass_max_with_log_mass_host"), ()),
    ("4.5", "Massive galaxies have more massive central clumps", ("intrinsic_r_log_mass_central_with_log_mass_host", "intrinsic_slope_log_mass_central_with_log_mass_host"), ()),
    ("4.5", "Massive galaxies have older clumps", ("intrinsic_r_log_age_mw_max_with_log_mass_host", "intrinsic_slope_log_age_mw_max_with_log_mass_host"), ()),
    ("4.5", "Low-mass galaxies have more of their mass in clumps", ("intrinsic_r_log_f_cl_with_log_mass_host", "intrinsic_slope_log_f_cl_with_log_mass_host"), ()),
    ("4.5", "Active galaxies have more of their mass in clumps", ("intrinsic_r_log_f_cl_with_log_ssfr", "intrinsic_slope_log_f_cl_with_log_ssfr"), ()),
    ("4.5", "Clumps hold more mass than the fit of their galaxy", ("share_hosts_exceeded_by_clumps",), ()),
    ("4.6", "Clumps are more massive near the centre", ("intrinsic_gradient_log_mass_fraction",), ("intrinsic_gradient_log_mass_fraction",)),
    ("4.6", "Ages do not change with the distance from the centre", ("intrinsic_gradient_log_age_mw_yr",), ("intrinsic_gradient_log_age_mw_yr",)),
    ("4.6", "Clumps are denser near the centre", ("intrinsic_gradient_log_sigma_mass",), ("intrinsic_gradient_log_sigma_mass",)),
    ("5.4", "N(> M) goes as 1 / M", ("mass_function_slope",), ("mass_function_slope",)),
    ("5.4", "dN / dM goes as M^-2 (full likelihood)", ("mass_function_alpha",), ("mass_function_alpha",)),
)  # fmt: skip
"""Section of C25, what is said there, and the statistics that say it: of all clumps, and of every redshift bin."""

STATEMENTS = tuple(
    (section, statement, quantity, bins)
    for section, statement, *numbers in _SAID
    for bins, quantities in zip(("", _EVERY_BIN), numbers, strict=True)
    for quantity in quantities
)
"""Section of C25, what is said there, a statistic that says it, and its groups: all clumps, or every redshift bin."""

_COLUMNS = {
    "section": str, "statement": str, "quantity": str, "group": str, "n": int, "recovered": float, "lo": float, "hi": float, "unit": str,
    "same_clumps": float, "inside_same": str, "injected": float, "n_injected": int, "inside": str,
}  # fmt: skip


def recovered_statements(
    statistics: Table, same: Table, everything: Table, galaxies: Table, settings: Mapping[str, Any]
) -> Table:
    """Every statement with its number as it was recovered and as it was injected.

    Parameters
    ----------
    statistics : Table
        Of the catalogue, mass functions among them (`clumpscope.population.numbers.with_mass_functions`).
    same, everything : Table
        True values of the clumps that count, and of all clump images in the measured galaxies (`clumpscope.population.recovered.true_clumps`).
    galaxies : Table
        True galaxies: id, z, log_mass, log_sfr100.
    settings : mapping
        redshift_bins, min_broad_bands.

    Returns
    -------
    Table
        section (of C25), statement, quantity, group and n as in the statistics; recovered with its 68 % interval, lo to hi; same_clumps, the
        number that true values of the same clumps give (what measuring does), and inside_same, whether the interval holds it (yes or no, empty
        where there is none); injected and inside, the same of all clumps (what finding and selecting does besides), and their number.

    Notes
    -----
    Intervals are of a sample of this size, so that they hold what was injected in 68 % of cases if neither measuring nor selecting harms.
    """
    hosts = without_errors(galaxies, ("log_mass", "log_sfr100"))
    hosts["id"] = np.asarray(galaxies["id"], dtype=str)
    given = Table({"id": hosts["id"], "z": galaxies["z"], "mu": np.ones(len(galaxies))})
    true = []
    for clumps in (same, everything):
        tables = population_tables(clumps, hosts, given, **settings)
        numbers = population_statistics(
            clumps, intrinsic_hosts(hosts, given), given, n_draws=0,
            redshift_bins=settings["redshift_bins"], min_broad_bands=settings["min_broad_bands"],
            poor_fit=settings.get("poor_fit", False),
        )  # fmt: skip
        true.append(
            _by_name(
                with_mass_functions(numbers, tables["mass_function_fits"], tables["mass_function_slopes"])
            )
        )
    rows = []
    for section, statement, quantity, bins in STATEMENTS:
        for row in statistics[np.asarray(statistics["quantity"], str) == quantity]:
            group = str(row["group"])
            chosen = group.startswith(bins) and "class" not in group if bins else group == "all"
            if not chosen or not np.isfinite(row["value"]):
                continue
            same_value, _ = true[0].get((quantity, group), (np.nan, 0))
            injected, n_injected = true[1].get((quantity, group), (np.nan, 0))
            rows.append((section, statement, quantity, group, row["n"], row["value"], row["lo"], row["hi"], str(row["unit"]),
                         same_value, _inside(row, same_value), injected, n_injected, _inside(row, injected)))  # fmt: skip
    return Table(rows=rows or None, names=list(_COLUMNS), dtype=list(_COLUMNS.values()))


def _inside(row, truth: float) -> str:
    if not np.isfinite([row["lo"], row["hi"], truth]).all():
        return ""
    # Equal numbers may differ in their last digits.
    slack = 1e-9 * max(abs(truth), 1.0)
    return "yes" if row["lo"] - slack <= truth <= row["hi"] + slack else "no"


def _by_name(statistics: Table) -> dict[tuple[str, str], tuple[float, int]]:
    return {
        (str(row["quantity"]), str(row["group"])): (float(row["value"]), int(row["n"])) for row in statistics
    }
