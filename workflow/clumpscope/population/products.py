"""Every population table of a field, from its catalogue and hosts."""

from collections.abc import Sequence

import numpy as np
from astropy.table import Table

from .bins import REDSHIFT_EDGES
from .gradients import DISTANCE_EDGES_KPC, clump_positions, gradients
from .hosts import host_correlations, host_medians, host_relations, intrinsic_hosts
from .mass_function import likelihood_fits, mass_functions
from .medians import property_medians, surface_density_medians
from .sample import population_sample

__all__ = ["population_tables"]


def population_tables(
    catalogue: Table,
    hosts: Table | None = None,
    galaxies: Table | None = None,
    reference_sfh: str | None = None,
    redshift_bins: Sequence[float] = REDSHIFT_EDGES,
    min_broad_bands: int = 4,
    poor_fit: bool = False,
    log_mass_limit: float | None = None,
    limit_share: float = 0.9,
    clump_limits: Table | None = None,
    distance_bins_kpc: Sequence[float] = DISTANCE_EDGES_KPC,
) -> dict[str, Table]:
    """Make all tables; those that need hosts or sizes which a field does not have come out empty.

    Parameters
    ----------
    catalogue : Table
        Of `clumpscope.population.catalogue`.
    hosts : Table, optional
        Host fits, observed.
    galaxies : Table, optional
        Selected galaxies: id, z, mu. Needed with `hosts`.
    reference_sfh : str, optional
        The hosts' SFH to use.
    redshift_bins : sequence of float
        Edges. Clumps at the last one or beyond are in no table (C25 end at 5.5): `clumpscope.population.summary` counts them.
    min_broad_bands : int
        Broad bands with S/N > 3 that a clump needs.
    poor_fit : bool
        Whether clumps whose best fit is improbable count.
    log_mass_limit : float, optional
        Completeness limit of the mass functions; without it that of the injected clumps, or each bin's turnover.
    limit_share : float
        See `clumpscope.population.mass_function.mass_functions`.
    clump_limits : Table, optional
        Of `clumpscope.injection`: id, flux_njy, flux_complete_njy, flux_half_njy and width_dex of every clump.
    distance_bins_kpc : sequence of float
        Edges of the galactocentric distance bins.

    Returns
    -------
    dict of str to Table
        By the names of `clumpscope.population.POPULATION_TABLES`.
    """
    clumps = catalogue[population_sample(catalogue, min_broad_bands, poor_fit)]
    clumps = clumps[~(np.asarray(clumps["z"], float) >= redshift_bins[-1])]
    if clump_limits is not None:
        # The same clump, as much fainter as it could be: its mass scales with its flux.
        rows = {str(name): row for row, name in enumerate(clump_limits["id"])}
        at = np.array([rows.get(str(name), len(rows)) for name in clumps["id"]], dtype=int)

        def of_clumps(values: np.ndarray) -> np.ndarray:
            return np.append(np.asarray(values, float), np.nan)[at]

        mass = np.asarray(clumps["log_mass_p50"], float)
        for name in ("complete", "half"):
            if f"flux_{name}_njy" in clump_limits.colnames:
                with np.errstate(invalid="ignore", divide="ignore"):  # negative fluxes have no limiting mass
                    fainter = np.log10(clump_limits[f"flux_{name}_njy"] / clump_limits["flux_njy"])
                clumps[f"log_mass_{name}"] = mass + of_clumps(fainter)
        if "width_dex" in clump_limits.colnames:
            clumps["width_dex"] = of_clumps(clump_limits["width_dex"])
    if hosts is None:
        hosts = Table({f"{n}_p{p}": np.empty(0) for n in ("log_mass", "log_sfr100") for p in (16, 50, 84)})
        hosts["id"], galaxies = (
            np.empty(0, dtype=str),
            Table({"id": np.empty(0, dtype=str), "z": np.empty(0)}),
        )
    intrinsic = intrinsic_hosts(hosts, galaxies, reference_sfh, poor_fit)
    relations = host_relations(clumps, intrinsic)
    positions = clump_positions(clumps, intrinsic)
    points, mass_slopes = mass_functions(clumps, redshift_bins, log_mass_limit, limit_share=limit_share)
    rings, ring_slopes = gradients(positions, redshift_bins, distance_edges_kpc=distance_bins_kpc)
    return {
        "medians": property_medians(clumps, redshift_bins),
        "surface_density": surface_density_medians(clumps, redshift_bins),
        "mass_function": points,
        "mass_function_slopes": mass_slopes,
        "mass_function_fits": likelihood_fits(clumps, mass_slopes, redshift_bins),
        "host_relations": relations,
        "host_medians": host_medians(relations),
        "host_correlations": host_correlations(relations),
        "positions": positions,
        "gradients": rings,
        "gradient_slopes": ring_slopes,
    }
