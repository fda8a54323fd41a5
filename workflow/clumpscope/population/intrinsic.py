"""Relations and gradients without what measuring errors do to them: flattened slopes, diluted or made-up correlations."""

from collections.abc import Mapping, Sequence

import numpy as np

from .groups import Group
from .quantities import GRADIENTS, RELATIONS
from .regression import IntrinsicLine, intrinsic_line
from .resampling import Sample

__all__ = ["intrinsic_quantities"]


def intrinsic_quantities(sample: Sample, groups: Mapping[str, Sequence[Group]]) -> list[tuple]:
    """(quantity, group, n, value, unit, statement) of relations with the hosts and of gradients, between true values.

    Errors in common are taken as such: the host's mass is in the share of it that clumps hold, and in the specific rate; the
    magnification in masses of clumps and host alike. A galaxy's clumps share their host's error, which moves no gradient within it.
    """
    clumps, hosts = sample.clumps, sample.hosts
    rows: list[tuple] = []
    everything = groups["redshift"][0]
    at = everything.rows(hosts, hosts["z"].size)
    host, lens = hosts["log_mass_host_error"], hosts["log_mu_error"]
    of_host = np.hypot(host, lens)
    clumps_alone = hosts["log_mass_total_error"]
    # mass = rate - specific rate: what errors of the last two have in common follows from those of all three.
    with_specific = 0.5 * (hosts["log_sfr100_error"] ** 2 - host**2 - hosts["log_ssfr_error"] ** 2)
    of_fraction = np.hypot(clumps_alone, host)
    pairs = {
        ("log_mass_host", "log_mass_max"): (of_host, hosts["log_mass_max_error"], lens**2),
        ("log_mass_host", "log_mass_central"): (of_host, hosts["log_mass_central_error"], lens**2),
        ("log_mass_host", "log_age_mw_max"): (of_host, hosts["log_age_mw_max_error"], 0.0 * lens),
        ("log_mass_host", "log_f_cl"): (of_host, of_fraction, -(host**2)),
        ("log_ssfr", "log_f_cl"): (hosts["log_ssfr_error"], of_fraction, -with_specific),
    }
    for (x, y), (x_error, y_error, common) in pairs.items():
        line = intrinsic_line(hosts[x][at], hosts[y][at], x_error[at], y_error[at], common[at])
        against = {"log_mass_host": "log mass of the host", "log_ssfr": "log sSFR of the host"}[x]
        words = f"{RELATIONS[y]} with the {against}, without errors of either"
        rows.append(
            _row(f"intrinsic_r_{y}_with_{x}", everything, line, line.r, "", f"Pearson's r of the {words}")
        )
        rows.append(
            _row(f"intrinsic_slope_{y}_with_{x}", everything, line, line.slope, "", f"Slope of the {words}")
        )
    distance = clumps["distance_kpc"]
    if not np.isfinite(distance).any():
        return rows
    of_clump = {
        "log_mass_fraction": np.hypot(clumps["log_mass_error"], host[clumps["owner"]]),
        "log_age_mw_yr": clumps["age_error"],
        "log_sigma_mass": clumps["log_sigma_mass_error"],
    }
    for group in groups["redshift"]:
        own = group.rows(clumps, distance.size)
        for name, words in GRADIENTS.items():
            chosen = own & clumps["size_known"] if name == "log_sigma_mass" else own
            line = intrinsic_line(
                distance[chosen],
                clumps[name][chosen],
                clumps["distance_error"][chosen],
                of_clump[name][chosen],
            )
            statement = f"Slope of the {words} with galactocentric distance, without errors of either"
            rows.append(_row(f"intrinsic_gradient_{name}", group, line, line.slope, "dex / kpc", statement))
    return rows


def _row(quantity: str, group: Group, line: IntrinsicLine, value: float, unit: str, statement: str) -> tuple:
    return quantity, group.name, line.n, float(value), unit, f"{statement} ({group.words})."
