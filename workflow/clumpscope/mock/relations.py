"""The relations that a mock population was drawn from, and what the draw made of them."""

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
from astropy.table import Table

from .scene import Scene

__all__ = ["true_relations"]

_FEWEST = 3  # of galaxies or clumps that give a line
_EDGES = (0.7, 1.5, 2.5, 3.5, 5.5)  # of redshift, as the population tables have them


def true_relations(scene: Scene, galaxies: Table, clumps: Table) -> dict[str, Any]:
    """Keys of the recipe (`drawn`), and the straight lines and medians of the galaxies and clumps made (`realised`).

    Every system and every clump counts once, those that the selection must reject not at all.
    """
    measured = galaxies[galaxies["fate"] == "selected"]
    _, first = np.unique(measured["system"], return_index=True)
    hosts = measured[first]
    own = clumps[np.isin(clumps["galaxy"], measured["id"])]
    _, first = np.unique(own["clump"], return_index=True)
    own = own[first]
    fraction = np.asarray(own["log_mass"]) - np.asarray(own["host_log_mass"])
    realised = {
        "n_galaxies": len(hosts),
        "n_clumps": len(own),
        "n_clump_images": len(clumps),
        "log_f_cl": _line(np.asarray(hosts["log_mass"]) - 9.5, hosts["log_f_cl"]),
        "pearson_r_f_cl_host_mass": (
            float(np.corrcoef(hosts["log_mass"], hosts["log_f_cl"])[0, 1])
            if len(hosts) >= _FEWEST
            else float("nan")
        ),
        "mass_fraction_gradient": _line(own["distance_kpc"], fraction),
        "mass_fraction_gradient_from_centre": _line(own["centre_kpc"], fraction),
        "age_mw_gradient": _line(own["distance_kpc"], own["log_age_mw_yr"]),
        "age_mw_gradient_from_centre": _line(own["centre_kpc"], own["log_age_mw_yr"]),
        "sigma_mass_gradient": _line(own["distance_kpc"], own["log_sigma_mass"]),
        "sigma_mass_evolution": _line(np.log10((1 + np.asarray(own["z"])) / 3), own["log_sigma_mass"]),
        "sigma_mass_medians": _medians(own, "log_sigma_mass"),
        "sigma_sfr_medians": _medians(own, "log_sigma_sfr"),
    }
    recipe = scene.settings.population
    return {"drawn": None if recipe is None else asdict(recipe), "realised": realised}


def _line(x, y) -> dict[str, float]:
    if len(x) < _FEWEST:
        return {"slope": float("nan"), "intercept": float("nan")}
    slope, intercept = np.polyfit(np.asarray(x, float), np.asarray(y, float), 1)
    return {"slope": float(slope), "intercept": float(intercept)}


def _medians(clumps: Table, name: str) -> list[dict[str, float]]:
    rows = []
    for low, high in pairwise(_EDGES):
        values = np.asarray(clumps[name])[(clumps["z"] >= low) & (clumps["z"] < high)]
        if values.size:
            row = {"z_low": low, "z_high": high, "n": int(values.size), "median": float(np.median(values))}
            rows.append(row)
    return rows
