"""Every statistic of one sample of clumps, with its unit and in words (C25 sections 4 and 5)."""

from collections.abc import Mapping, Sequence

import numpy as np

from .groups import Group
from .medians import CLASSES
from .resampling import Sample, rows_by_owner
from .statistics import correlation, fit_line, share_below

__all__ = ["GRADIENTS", "MEDIANS", "RELATIONS", "measured_quantities", "quantities_of_galaxies"]


MEDIANS = {
    "log_mass": ("dex(Msun)", "log stellar mass"),
    "log_age_mw_yr": ("dex(yr)", "log mass-weighted age"),
    "log_sfr10": ("dex(Msun / yr)", "log star-formation rate over 10 Myr"),
    "a_v": ("mag", "attenuation A_V"),
    "log_z_zsun": ("", "log metallicity over solar"),
    "m_v_ab": ("mag", "absolute V magnitude"),
    "mu": ("", "magnification"),
    "r_eff_pc": ("pc", "effective radius, of measured sizes"),
    "log_sigma_mass": ("dex(Msun / pc2)", "log mass surface density, of measured sizes"),
    "log_sigma_sfr": ("dex(Msun / (yr kpc2))", "log surface density of star formation, of measured sizes"),
}
_OF_SIZE = ("r_eff_pc", "log_sigma_mass", "log_sigma_sfr")
_OF_CLASSES = ("log_mass", "log_age_mw_yr", *_OF_SIZE)
RELATIONS = {
    "log_mass_max": "log mass of the most massive clump off the centre",
    "log_mass_central": "log mass of the central clump",
    "log_f_cl": "log share of the host's mass in clumps",
    "log_age_mw_max": "log age of the most massive clump off the centre",
}
GRADIENTS = {
    "log_mass_fraction": "log clump mass over host mass",
    "log_age_mw_yr": "log mass-weighted age",
    "log_sigma_mass": "log mass surface density",
}
_EVOLVING = {
    "log_mass": "",
    "log_age_mw_yr": "",
    "log_sfr10": "",
    "a_v": "mag",
    "r_eff_pc": "",
    "log_sigma_mass": "",
    "log_sigma_sfr": "",
}
"""Quantities whose change with redshift is told, and the unit of their slopes with log (1 + z)."""
# Rates below this are of clumps that no longer form stars: how far below tells of the history's end, not of what was seen.
_NO_STARS = -6.0
_SIZES_PC = (20, 100, 200)
_OLD_YR, _YOUNG_YR = 3e8, 1e7
# The thresholds of C25 sections 4.3, 5.2 and 5.3 are not in our copy of its text: these are round numbers near its shares.
_LOG_SIGMA_MASS, _LOG_SIGMA_SFR, _LOG_SSFR = (2.0, 3.0), (0.0,), (-9.0, -8.0)
_INNER_KPC, _OUTER_KPC = 1.0, 4.0
_MOVED_DEX = 0.2
_ENDS = {"min": "Smallest", "max": "Largest"}
_FEWEST_IN_GALAXY = 5


def _middle(values: np.ndarray) -> tuple[int, float]:
    known = values[np.isfinite(values)]
    return known.size, float(np.median(known)) if known.size else np.nan


def measured_quantities(sample: Sample, groups: Mapping[str, Sequence[Group]], fixed: Mapping) -> list[tuple]:
    """(quantity, group, n, value, unit, statement) of every statistic but those of single galaxies and counts."""
    clumps, hosts = sample.clumps, sample.hosts
    rows: list[tuple] = []

    def put(quantity: str, group: Group, n: int, value: float, unit: str, statement: str) -> None:
        rows.append((quantity, group.name, int(n), float(value), unit, f"{statement} ({group.words})."))

    def put_medians(group: Group, own: np.ndarray, names: Sequence[str]) -> None:
        for name in (name for name in names if name in fixed["known"]):
            unit, words = MEDIANS[name]
            chosen = own & clumps["size_known"] if name in _OF_SIZE else own
            put(f"median_{name}", group, *_middle(clumps[name][chosen]), unit, f"Median {words}")

    def put_share(
        group: Group,
        name: str,
        own: np.ndarray,
        values: np.ndarray,
        limit: np.ndarray,
        threshold: float,
        words: str,
    ) -> None:
        known = own & np.isfinite(values)
        unknown = known & limit & (values > threshold)
        also = (
            f"; {unknown.sum()} limits that do not tell count as what lies below them"
            if unknown.any()
            else ""
        )
        put(
            name,
            group,
            known.sum(),
            share_below(values[own], limit[own], threshold),
            "",
            f"Share of clumps {words}{also}",
        )

    no_limit = np.zeros(clumps["z"].size, dtype=bool)
    classified = clumps["class"] != ""
    everything = groups["redshift"][0]
    for group in groups["redshift"]:
        own = group.rows(clumps, no_limit.size)
        put_medians(group, own, list(MEDIANS))
        for name in CLASSES if classified.any() else ():
            known = clumps["class"][own & classified]
            put(
                f"share_{name}",
                group,
                known.size,
                np.mean(known == name) if known.size else np.nan,
                "",
                f"Share of {name} clumps",
            )
        for size in _SIZES_PC if np.isfinite(clumps["r_eff_pc"]).any() else ():
            put_share(
                group,
                f"share_below_{size}pc",
                own,
                clumps["r_eff_pc"],
                clumps["r_eff_limit"],
                size,
                f"smaller than {size} pc",
            )
        age = clumps["log_age_mw_yr"]
        put_share(
            group,
            "share_older_300myr",
            own,
            -age,
            no_limit,
            -np.log10(_OLD_YR),
            "older than 300 Myr (mass-weighted)",
        )
        put_share(
            group,
            "share_younger_10myr",
            own,
            age,
            no_limit,
            np.log10(_YOUNG_YR),
            "younger than 10 Myr (mass-weighted)",
        )
        for name, thresholds, unit in (
            ("log_sigma_mass", _LOG_SIGMA_MASS, "Msun/pc2"),
            ("log_sigma_sfr", _LOG_SIGMA_SFR, "Msun/yr/kpc2"),
        ):
            for threshold in thresholds if np.isfinite(clumps[name]).any() else ():
                # Densities of unresolved clumps are lower limits.
                put_share(group, f"share_{name}_above_{threshold:g}", own, -clumps[name], clumps["r_eff_limit"], -threshold,
                          f"denser than 1e{threshold:g} {unit}")  # fmt: skip
        _put_age_errors(put, group, clumps["age_error"][own])
        _put_extremes(put, group, own, clumps, hosts, fixed["known"])
        at = group.rows(hosts, hosts["z"].size)
        for name, unit, words in (
            ("log_mass_host", "dex(Msun)", "log mass of the galaxies"),
            ("log_ssfr", "dex(1 / yr)", "log sSFR of the galaxies"),
        ):
            put(f"median_{name}", group, *_middle(hosts[name][at]), unit, f"Median {words}")
        rate = hosts["log_ssfr"][at & np.isfinite(hosts["log_ssfr"])]
        for threshold in _LOG_SSFR if np.isfinite(hosts["log_ssfr"]).any() else ():
            value = np.mean(rate > threshold) if rate.size else np.nan
            put(
                f"share_hosts_log_ssfr_above_{threshold:g}",
                group,
                rate.size,
                value,
                "",
                f"Share of galaxies with an sSFR above 1e{threshold:g} /yr",
            )
        _put_distances(put, group, own, clumps)
    inside = everything.rows(clumps, no_limit.size)
    for group in groups["class"]:
        own = inside & group.rows(clumps, no_limit.size)
        put_medians(group, own, _OF_CLASSES)
        for span in groups["redshift"][1:]:
            both = Group(f"{span.name}_{group.name}", f"{group.words}, {span.words}")
            put_medians(
                both,
                group.rows(clumps, no_limit.size) & span.rows(clumps, no_limit.size),
                ("log_sigma_mass", "log_sigma_sfr"),
            )
    _put_evolution(put, everything, inside, clumps, fixed["known"])
    _put_without_lens(put, everything, inside, sample, fixed)
    for (name, sfh), shift in fixed["moved"].items():
        _put_shifts(put, everything, name, shift[clumps["row"]][inside], f"_{sfh}", f"with the history {sfh}")
    for filters, (errors, shifts) in fixed["sets"].items():
        group = Group(f"set_{filters}", f"{everything.words}, fitted in {filters}")
        _put_age_errors(put, group, errors[clumps["row"]][inside])
        for name, shift in shifts.items():
            _put_shifts(put, group, name, shift[clumps["row"]][inside], "", "with fewer filters")

    at = everything.rows(hosts, hosts["z"].size)
    for group in groups["host"]:
        own = at & group.rows(hosts, at.size)
        for name, words in {**RELATIONS, "log_ssfr": "log sSFR"}.items():
            unit = {"log_f_cl": "", "log_ssfr": "dex(1 / yr)", "log_age_mw_max": "dex(yr)"}.get(
                name, "dex(Msun)"
            )
            put(f"median_{name}", group, *_middle(hosts[name][own]), unit, f"Median {words} in galaxies")
    for x, y in [*(("log_mass_host", name) for name in RELATIONS), ("log_ssfr", "log_f_cl")]:
        found, line = correlation(hosts[x][at], hosts[y][at]), fit_line(hosts[x][at], hosts[y][at])
        against = {"log_mass_host": "log mass of the host", "log_ssfr": "log sSFR of the host"}[x]
        words = f"{RELATIONS[y]} with the {against}"
        put(f"r_{y}_with_{x}", everything, found.n, found.r, "", f"Pearson's r of the {words}")
        put(
            f"p_{y}_with_{x}",
            everything,
            found.n,
            found.p,
            "",
            f"Probability of so large an r by chance, of the {words}",
        )
        put(f"slope_{y}_with_{x}", everything, line.n, line.slope, "", f"Slope of the {words}")
    fraction = hosts["log_f_cl"][at & np.isfinite(hosts["log_f_cl"])]
    put(
        "n_hosts_exceeded_by_clumps",
        everything,
        fraction.size,
        np.sum(fraction > 0),
        "",
        "Galaxies whose clumps hold more mass than their own fit",
    )
    put(
        "share_hosts_exceeded_by_clumps",
        everything,
        fraction.size,
        np.mean(fraction > 0) if fraction.size else np.nan,
        "",
        "Share of galaxies whose clumps hold more mass than their own fit",
    )
    of_host = {"log_mass_host": hosts["log_mass_host"][clumps["owner"]] if hosts["z"].size else np.empty(0)}
    for group in groups["clump"]:
        _put_distances(put, group, inside & group.rows(of_host, inside.size), clumps)
    return rows


def _put_age_errors(put, group: Group, errors: np.ndarray) -> None:
    """Median and quartiles of the errors of ages."""
    known = errors[np.isfinite(errors)]
    for name, percent in (("quartile_1", 25), ("median", 50), ("quartile_3", 75)):
        value = np.percentile(known, percent) if known.size else np.nan
        words = f"{name.replace('_', ' ').capitalize()} of the errors of ages"
        put(f"age_error_{name}", group, known.size, value, "dex", words)


def _put_shifts(put, group: Group, name: str, shifts: np.ndarray, ending: str, cause: str) -> None:
    """How much another fit moves a quantity."""
    known, words = shifts[np.isfinite(shifts)], MEDIANS[name][1]
    share = np.mean(np.abs(known) > _MOVED_DEX) if known.size else np.nan
    moved = f"Share of clumps whose {words} moves by more than {_MOVED_DEX:g} dex {cause}"
    put(f"share_{name}_moved{ending}", group, known.size, share, "", moved)
    median = f"Median shift of the {words} {cause}"
    put(f"median_shift_{name}{ending}", group, *_middle(known), "dex", median)


def _put_evolution(
    put, group: Group, own: np.ndarray, clumps: Mapping[str, np.ndarray], known: set[str]
) -> None:
    """Slopes of the clumps' properties with redshift."""
    with np.errstate(invalid="ignore"):
        expansion = np.log10(1.0 + clumps["z"])
    for name in (name for name in _EVOLVING if name in known):
        values, (_, words) = clumps[name], MEDIANS[name]
        chosen = own & clumps["size_known"] if name in _OF_SIZE else own
        if name == "r_eff_pc":
            values, words = np.log10(np.where(values > 0, values, np.nan)), f"log {words}"
        elif "sfr" in name:
            chosen = chosen & (values > _NO_STARS)
            words += " (of clumps that form stars)"
        line = fit_line(expansion[chosen], values[chosen])
        quantity = "log_r_eff" if name == "r_eff_pc" else name
        put(
            f"evolution_{quantity}",
            group,
            line.n,
            line.slope,
            _EVOLVING[name],
            f"Slope of the {words} with log (1 + z)",
        )


def _put_distances(put, group: Group, own: np.ndarray, clumps: Mapping[str, np.ndarray]) -> None:
    """Gradients, and mass fractions inside and outside."""
    distance = clumps["distance_kpc"]
    if not np.isfinite(distance).any():
        return
    for name, words in GRADIENTS.items():
        chosen = own & clumps["size_known"] if name in _OF_SIZE else own
        line = fit_line(distance[chosen], clumps[name][chosen])
        put(
            f"gradient_{name}",
            group,
            line.n,
            line.slope,
            "dex / kpc",
            f"Slope of the {words} with galactocentric distance",
        )
    for place, there in (("inner", distance < _INNER_KPC), ("outer", distance >= _OUTER_KPC)):
        for name, words in GRADIENTS.items():
            where = f"within {_INNER_KPC:g} kpc" if place == "inner" else f"at {_OUTER_KPC:g} kpc or more"
            chosen = own & there & clumps["size_known"] if name in _OF_SIZE else own & there
            unit = {"log_age_mw_yr": "dex(yr)", "log_sigma_mass": "dex(Msun / pc2)"}.get(name, "")
            put(
                f"{place}_median_{name}",
                group,
                *_middle(clumps[name][chosen]),
                unit,
                f"Median {words} {where} of the centre",
            )


def _put_extremes(
    put, group: Group, own: np.ndarray, clumps: Mapping, hosts: Mapping, known: set[str]
) -> None:
    """Smallest and largest values, and the most clumps of a galaxy."""
    unlimited: dict[str, np.ndarray] = {
        name: own for name in ("log_mass", "log_age_mw_yr", "mu") if name in known
    }
    if "r_eff_pc" in known:
        unlimited["r_eff_pc"] = own & clumps["size_known"]
        limits = own & clumps["r_eff_limit"]
        for end, of in (("min", np.min), ("max", np.max)):
            value = of(clumps["r_eff_pc"][limits]) if limits.any() else np.nan
            put(
                f"{end}_r_eff_limit_pc",
                group,
                limits.sum(),
                value,
                "pc",
                f"{_ENDS[end]} upper limit of a size",
            )
    for name, chosen in unlimited.items():
        unit, words = MEDIANS[name]
        values = clumps[name][chosen & np.isfinite(clumps[name])]
        for end, of in (("min", np.min), ("max", np.max)):
            put(
                f"{end}_{name}",
                group,
                values.size,
                of(values) if values.size else np.nan,
                unit,
                f"{_ENDS[end]} {words}",
            )
    there = group.rows(hosts, hosts["z"].size)
    count = hosts["n_clumps"][there]
    for end, of in (("min", np.min), ("max", np.max)):
        value = of(count) if count.size else np.nan
        put(
            f"{end}_clumps_per_galaxy",
            group,
            count.size,
            value,
            "",
            f"{_ENDS[end]} number of clumps that count of a galaxy",
        )


def _put_without_lens(put, group: Group, own: np.ndarray, sample: Sample, fixed: Mapping) -> None:
    """What would be smallest without the lens."""
    clumps = sample.clumps
    as_seen = (clumps["log_mass"] + np.log10(np.where(clumps["mu"] > 0, clumps["mu"], np.nan)))[own]
    known = as_seen[np.isfinite(as_seen)]
    words = "Smallest mass times magnification, the least that would be seen without the lens"
    put(
        "min_log_mass_lens_free", group, known.size, known.min() if known.size else np.nan, "dex(Msun)", words
    )
    if "lens_free_pc" in fixed:
        smallest = fixed["lens_free_pc"][clumps["row"]]
        put(
            "min_r_eff_lens_free_pc",
            group,
            own.sum(),
            np.min(smallest[own], initial=np.inf) if own.any() else np.nan,
            "pc",
            "Smallest size that could be measured without the lens",
        )
        ratio = clumps["r_eff_pc"] / smallest
        value = share_below(ratio[own], clumps["r_eff_limit"][own], 1.0)
        put(
            "share_below_lens_free_size",
            group,
            np.isfinite(ratio[own]).sum(),
            value,
            "",
            "Share of clumps smaller than what could be measured at their redshift without the lens",
        )


def quantities_of_galaxies(sample: Sample) -> list[tuple]:
    """Gradients of single galaxies with enough clumps."""
    rows = []
    clumps = sample.clumps
    if not np.isfinite(clumps["distance_kpc"]).any():
        return rows
    placed = np.flatnonzero(np.isfinite(clumps["distance_kpc"]))
    for galaxy, members in zip(
        sample.hosts["galaxy"],
        rows_by_owner(clumps["owner"][placed], len(sample.hosts["galaxy"])),
        strict=True,
    ):
        if members.size < _FEWEST_IN_GALAXY:
            continue
        own = placed[members]
        for name, words in GRADIENTS.items():
            chosen = own[clumps["size_known"][own]] if name in _OF_SIZE else own
            line = fit_line(clumps["distance_kpc"][chosen], clumps[name][chosen])
            if np.isfinite(line.slope):
                rows.append(
                    (
                        f"gradient_{name}",
                        f"galaxy_{galaxy}",
                        line.n,
                        line.slope,
                        "dex / kpc",
                        f"Slope of the {words} with galactocentric distance (galaxy {galaxy}).",
                    )
                )
    return rows
