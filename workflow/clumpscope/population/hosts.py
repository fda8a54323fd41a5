"""Host galaxies without the lens, and their clumps' masses against theirs (C25 section 4.5)."""

from collections.abc import Sequence

import numpy as np
from astropy.table import Table

from ..flags import has
from .bins import equal_number_bins
from .medians import with_units
from .statistics import correlation, fit_line, median

__all__ = ["clumps_of_hosts", "host_correlations", "host_medians", "host_relations", "intrinsic_hosts"]

_MAGNIFIED = ("log_mass", "log_mass_formed", "log_sfr10", "log_sfr100")
_DOUBTED = ["no_sed", "not_converged", "poor_fit", "underconstrained"]
_PERCENTS = ("_p16", "_p50", "_p84")
_RELATIONS = ("log_mass_max", "log_mass_central", "log_f_cl")
_NUMBERS = (
    "z", "mu", "log_mass_host", "log_mass_host_err_lo", "log_mass_host_err_hi", "log_ssfr", "log_mass_max",
    "log_age_mw_max", "log_mass_central", "log_age_mw_central", "log_f_cl", "log_f_cl_err",
)  # fmt: skip


def intrinsic_hosts(
    hosts: Table, galaxies: Table, reference_sfh: str | None = None, poor_fit: bool = False
) -> Table:
    """Hosts with masses and SFRs divided by their magnification.

    Parameters
    ----------
    hosts : Table
        id, log_mass, log_sfr100 percentiles (observed); optional log_ssfr percentiles, sfh and flags.
    galaxies : Table
        id, z, mu of the galaxies; mu not finite counts as 1.
    reference_sfh : str, optional
        Keep only this SFH, where `hosts` has several.
    poor_fit : bool
        Whether hosts whose best fit is improbable have a mass, as clumps then have.

    Returns
    -------
    Table
        The rows of `hosts` whose galaxy is in `galaxies` and whose fit is believed, with z, mu and log_ssfr_p50 (SFR over 100 Myr over
        stellar mass, which magnification does not change; without percentiles of it the difference of the medians).
    """
    if reference_sfh is not None and "sfh" in hosts.colnames:
        hosts = hosts[np.asarray(hosts["sfh"]) == reference_sfh]
    if "flags" in hosts.colnames:
        doubted = _DOUBTED if not poor_fit else [name for name in _DOUBTED if name != "poor_fit"]
        hosts = hosts[~np.asarray(has(np.asarray(hosts["flags"]), doubted), dtype=bool)]
    rows = {str(name): row for row, name in enumerate(galaxies["id"])}
    hosts = hosts[np.array([str(name) in rows for name in hosts["id"]], dtype=bool)]
    index = np.array([rows[str(name)] for name in hosts["id"]], dtype=int)
    known = "mu" in galaxies.colnames
    mu = np.asarray(galaxies["mu"], float)[index] if known else np.ones(len(index))
    mu = np.where(np.isfinite(mu) & (mu > 0), mu, 1.0)
    table = hosts.copy()
    for name in _MAGNIFIED:
        for ending in _PERCENTS:
            if name + ending in table.colnames:
                table[name + ending] = np.asarray(hosts[name + ending], float) - np.log10(mu)
    table["z"] = np.asarray(galaxies["z"], float)[index]
    table["mu"] = mu
    if "log_ssfr_p50" not in table.colnames:
        table["log_ssfr_p50"] = np.asarray(hosts["log_sfr100_p50"], float) - np.asarray(
            hosts["log_mass_p50"], float
        )
    return table


def clumps_of_hosts(
    log_mass: np.ndarray, log_age: np.ndarray, central: np.ndarray, owner: np.ndarray, n_hosts: int
) -> dict[str, np.ndarray]:
    """What the clumps of every host add up to.

    Parameters
    ----------
    log_mass, log_age, central, owner : (n,) arrays
        Of the clumps; `owner` is the number of the host, `central` tells its central clump. Masses that are NaN count as none.
    n_hosts : int

    Returns
    -------
    dict of str to (n_hosts,) array
        n_clumps; log_mass_total; log_mass_max and log_age_mw_max (the most massive clump but the central one); log_mass_central and
        log_age_mw_central, NaN where there is none; row_max and row_central, their rows among the clumps, -1 where there is none.
    """
    known = np.flatnonzero(np.isfinite(log_mass))
    log_mass, log_age, central, owner = (a[known] for a in (log_mass, log_age, central, owner))
    with np.errstate(divide="ignore"):
        total = np.log10(np.bincount(owner, 10.0**log_mass, n_hosts))
    found = {
        "n_clumps": np.bincount(owner, minlength=n_hosts),
        "log_mass_total": np.where(np.isfinite(total), total, np.nan),
    }
    rising = np.argsort(log_mass, kind="stable")
    for end, rows in (("max", rising[~central[rising]]), ("central", np.flatnonzero(central)[::-1])):
        found[f"row_{end}"] = np.full(n_hosts, -1)
        found[f"row_{end}"][owner[rows]] = known[rows]
        for name, values in (("log_mass", log_mass), ("log_age_mw", log_age)):
            # Of repeated indices the last one stays.
            found[f"{name}_{end}"] = np.full(n_hosts, np.nan)
            found[f"{name}_{end}"][owner[rows]] = values[rows]
    return found


def host_relations(clumps: Table, hosts: Table) -> Table:
    """One row a galaxy: its mass and sSFR, and what its clumps add up to.

    Parameters
    ----------
    clumps : Table
        galaxy, log_mass percentiles, log_age_mw_yr_p50, central of the clumps that count.
    hosts : Table
        Of `intrinsic_hosts`, one row a galaxy.

    Returns
    -------
    Table
        galaxy, z, mu, log_mass_host and errors, log_ssfr, n_clumps, log_mass_max and log_age_mw_max (the most massive
        clump but the central one), log_mass_central and log_age_mw_central, log_f_cl (sum of all clumps' masses over the
        host's) with its error, exceeds_host. Galaxies without clumps that count are left out.
    """
    names, owner = np.unique(np.asarray(clumps["galaxy"], dtype=str), return_inverse=True)
    place = {name: k for k, name in enumerate(names)}
    mass = np.asarray(clumps["log_mass_p50"], float)
    central = (
        np.asarray(clumps["central"], bool) if "central" in clumps.colnames else np.zeros(len(mass), bool)
    )
    age = (
        np.asarray(clumps["log_age_mw_yr_p50"], float)
        if "log_age_mw_yr_p50" in clumps.colnames
        else np.full(len(mass), np.nan)
    )
    half = 0.5 * (np.asarray(clumps["log_mass_p84"], float) - np.asarray(clumps["log_mass_p16"], float))
    sums = clumps_of_hosts(mass, age, central, owner, len(names))
    scatter = np.sqrt(np.bincount(owner, (10.0**mass * half) ** 2, len(names)))
    rows = []
    for host in hosts:
        if str(host["id"]) not in place:
            continue
        k = place[str(host["id"])]
        own = {name: values[k] for name, values in sums.items()}
        fraction = own.pop("log_mass_total") - host["log_mass_p50"]
        error = scatter[k] / 10.0 ** sums["log_mass_total"][k]
        rows.append(
            own
            | {
                "galaxy": str(host["id"]),
                "exceeds_host": bool(fraction > 0),
                "z": host["z"],
                "mu": host["mu"],
                "log_mass_host": host["log_mass_p50"],
                "log_mass_host_err_lo": host["log_mass_p50"] - host["log_mass_p16"],
                "log_mass_host_err_hi": host["log_mass_p84"] - host["log_mass_p50"],
                "log_ssfr": host["log_ssfr_p50"],
                "log_f_cl": fraction,
                "log_f_cl_err": np.hypot(error, 0.5 * (host["log_mass_p84"] - host["log_mass_p16"])),
            }
        )
    names = ("galaxy", *_NUMBERS[:2], "n_clumps", *_NUMBERS[2:], "exceeds_host")
    kinds = {"galaxy": "U64", "n_clumps": int, "exceeds_host": bool}
    columns = {name: [row[name] for row in rows] for name in names}
    table = Table(columns, names=names, dtype=[kinds.get(name, float) for name in names])
    return table


def host_medians(relations: Table, n_bins: int = 4) -> Table:
    """Medians of the relations in host-mass bins with equal numbers of galaxies.

    Parameters
    ----------
    relations : Table
        Of `host_relations`.
    n_bins : int

    Returns
    -------
    Table
        quantity (also log_ssfr and log_age_mw_max), log_mass_low, log_mass_high, log_mass_host (median), n,
        median and its errors, unit.
    """
    rows = []
    host_mass = np.asarray(relations["log_mass_host"], float)
    for quantity in (*_RELATIONS, "log_ssfr", "log_age_mw_max"):
        for group in equal_number_bins(host_mass, n_bins):
            middle = median(np.asarray(relations[quantity], float)[group.rows])
            place = median(host_mass[group.rows])
            rows.append(
                (
                    quantity,
                    group.low,
                    group.high,
                    place.value,
                    middle.n,
                    middle.value,
                    middle.err_lo,
                    middle.err_hi,
                )
            )
    table = _rows_table(
        rows,
        ["quantity", "log_mass_low", "log_mass_high", "log_mass_host", "n", "median", "err_lo", "err_hi"],
        ["U16", float, float, float, int, float, float, float],
    )
    return with_units(table, "quantity")


def host_correlations(relations: Table) -> Table:
    """Pearson's r and p of the relations with host mass, and of the clump fraction with sSFR, and their straight lines.

    Returns
    -------
    Table
        x, y, r, p, n, slope, slope_err. Errors of x, such as those of host masses, are not taken out: they flatten slopes.
    """
    pairs = [("log_mass_host", name) for name in _RELATIONS] + [("log_ssfr", "log_f_cl")]
    rows = []
    for x, y in pairs:
        found = correlation(relations[x], relations[y])
        line = fit_line(relations[x], relations[y])
        rows.append((x, y, found.r, found.p, found.n, line.slope, line.slope_err))
    names = ["x", "y", "r", "p", "n", "slope", "slope_err"]
    return _rows_table(rows, names, ["U16", "U16", float, float, int, float, float])


def _rows_table(rows: Sequence[tuple], names: Sequence[str], dtype: Sequence) -> Table:
    return Table(rows=rows or None, names=names, dtype=dtype)
