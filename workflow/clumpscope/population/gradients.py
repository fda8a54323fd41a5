"""Mass fraction, age and density of clumps against galactocentric distance (C25 section 4.6)."""

from collections.abc import Sequence

import numpy as np
from astropy.table import Table

from .bins import REDSHIFT_EDGES, Bin, edge_bins, equal_number_bins
from .medians import with_units
from .sample import has_size, known_distances
from .statistics import correlation, fit_line, median

__all__ = ["DISTANCE_EDGES_KPC", "QUANTITIES", "clump_positions", "gradients"]

DISTANCE_EDGES_KPC = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Edges of the distance bins (our choice; C25 separates clumps within 1 kpc)."""

QUANTITIES = ("log_mass_fraction", "log_age_mw_yr", "log_sigma_mass")


def clump_positions(clumps: Table, hosts: Table) -> Table:
    """Distance and the quantities that may depend on it, one row a clump of a galaxy with a known mass.

    Parameters
    ----------
    clumps : Table
        Clumps that count: id, galaxy, z, distance_kpc, percentiles; densities of unresolved clumps are left out.
    hosts : Table
        Of `clumpscope.population.hosts.intrinsic_hosts`.

    Returns
    -------
    Table
        id, galaxy, z, log_mass_host, distance_kpc, log_mass_fraction (clump over host), log_age_mw_yr,
        log_sigma_mass; NaN where unknown, as distances from a centre that may be another galaxy's.
    """
    masses = {str(row["id"]): float(row["log_mass_p50"]) for row in hosts}
    host = np.array([masses.get(str(name), np.nan) for name in clumps["galaxy"]], dtype=float)
    missing = np.full(len(clumps), np.nan)
    names = clumps.colnames

    def taken(name: str) -> np.ndarray:
        return np.asarray(clumps[name], float) if name in names else missing

    return Table(
        {
            "id": np.asarray(clumps["id"], dtype=str),
            "galaxy": np.asarray(clumps["galaxy"], dtype=str),
            "z": taken("z"),
            "log_mass_host": host,
            "distance_kpc": known_distances(clumps),
            "log_mass_fraction": taken("log_mass_p50") - host,
            "log_age_mw_yr": taken("log_age_mw_yr_p50"),
            "log_sigma_mass": np.where(has_size(clumps), taken("log_sigma_mass_p50"), np.nan),
        }
    )


def gradients(
    positions: Table,
    redshift_edges: Sequence[float] = REDSHIFT_EDGES,
    n_mass_bins: int = 4,
    distance_edges_kpc: Sequence[float] = DISTANCE_EDGES_KPC,
) -> tuple[Table, Table]:
    """Medians in distance bins and straight lines, for all clumps, by redshift and by host mass.

    Parameters
    ----------
    positions : Table
        Of `clump_positions`.
    redshift_edges : sequence of float
    n_mass_bins : int
        Host-mass bins, with equal numbers of clumps.
    distance_edges_kpc : sequence of float

    Returns
    -------
    medians : Table
        quantity, by (``all``, ``redshift``, ``host_mass``), low, high, distance_low, distance_high, distance_kpc
        (median), n, median, err_lo, err_hi, unit.
    slopes : Table
        quantity, by, low, high, n, slope and slope_err [dex / kpc], intercept, r, p.
    """
    groups = [("all", Bin(-np.inf, np.inf, np.ones(len(positions), dtype=bool)))]
    groups += [("redshift", b) for b in edge_bins(positions["z"], redshift_edges)]
    groups += [("host_mass", b) for b in equal_number_bins(positions["log_mass_host"], n_mass_bins)]
    distance, owner = np.asarray(positions["distance_kpc"], float), np.asarray(positions["galaxy"])
    medians, slopes = [], []
    for quantity in QUANTITIES:
        values = np.asarray(positions[quantity], float)
        for kind, group in groups:
            for ring in edge_bins(distance, distance_edges_kpc):
                rows = group.rows & ring.rows & np.isfinite(values)
                middle = median(values[rows], owner[rows])
                place = median(distance[rows]).value
                medians.append(
                    (quantity, kind, group.low, group.high, ring.low, ring.high, place, middle.n, middle.value,
                     middle.err_lo, middle.err_hi)
                )  # fmt: skip
            line = fit_line(distance[group.rows], values[group.rows], owner[group.rows])
            found = correlation(distance[group.rows], values[group.rows])
            slopes.append(
                (quantity, kind, group.low, group.high, line.n, line.slope, line.slope_err, line.intercept, found.r,
                 found.p)
            )  # fmt: skip
    binned = Table(
        rows=medians,
        names=["quantity", "by", "low", "high", "distance_low", "distance_high", "distance_kpc", "n", "median", "err_lo",
               "err_hi"],
        dtype=["U17", "U9", float, float, float, float, float, int, float, float, float],
    )  # fmt: skip
    lines = Table(
        rows=slopes,
        names=["quantity", "by", "low", "high", "n", "slope", "slope_err", "intercept", "r", "p"],
        dtype=["U17", "U9", float, float, int, float, float, float, float, float],
    )
    for name in ("slope", "slope_err"):
        lines[name].unit = "dex / kpc"
    return with_units(binned, "quantity"), lines
