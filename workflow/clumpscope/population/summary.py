"""Every statistic of a field in one long table, each with its error and in words (C25 sections 4 and 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from astropy.table import Table

from ..cosmology import pc_per_arcsec
from ..flags import FLAGS, has
from ..randomness import generator
from .bins import REDSHIFT_EDGES, equal_number_bins
from .medians import CLASSES
from .resampling import Sample, interval, observed, realisations, rows_by_owner
from .sample import population_sample
from .statistics import correlation, fit_line, share_below, share_interval

__all__ = ["N_DRAWS", "STATISTIC_COLUMNS", "population_statistics"]

N_DRAWS = 200
STATISTIC_COLUMNS = ("quantity", "group", "n", "value", "lo", "hi", "unit", "statement")

_MEDIANS = {
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
_RELATIONS = {
    "log_mass_max": "log mass of the most massive clump off the centre",
    "log_mass_central": "log mass of the central clump",
    "log_f_cl": "log share of the host's mass in clumps",
}
_GRADIENTS = {
    "log_mass_fraction": "log clump mass over host mass",
    "log_age_mw_yr": "log mass-weighted age",
    "log_sigma_mass": "log mass surface density",
}
_SIZES_PC = (20, 100, 200)
_OLD_YR, _YOUNG_YR = 3e8, 1e7
# The thresholds of C25 sections 4.3, 5.2 and 5.3 are not in our copy of its text: these are round numbers near its shares.
_LOG_SIGMA_MASS, _LOG_SIGMA_SFR, _LOG_SSFR = (2.0, 3.0), (0.0,), (-9.0, -8.0)
_INNER_KPC, _OUTER_KPC = 1.0, 4.0
_MOVED_DEX = 0.2
_ENDS = {"min": "Smallest", "max": "Largest"}
_FEWEST_IN_GALAXY = 5
_N_MASS_BINS = 4
_HWHM = np.sqrt(2.0 * np.log(2.0))


@dataclass(frozen=True)
class _Group:
    """Rows of clumps or hosts: those whose `column` is from low to below high, or is `low` itself for words."""

    name: str
    words: str
    column: str = ""
    low: float | str = -np.inf
    high: float = np.inf

    def rows(self, values: Mapping[str, np.ndarray], size: int) -> np.ndarray:
        if not self.column:
            return np.ones(size, dtype=bool)
        if isinstance(self.low, str):
            return values[self.column] == self.low
        return (values[self.column] >= self.low) & (values[self.column] < self.high)


def population_statistics(
    catalogue: Table,
    hosts: Table | None = None,
    galaxies: Table | None = None,
    sed_all: Mapping[str, Table] | None = None,
    reference_sfh: str = "exp_free",
    redshift_bins: Sequence[float] = REDSHIFT_EDGES,
    min_broad_bands: int = 4,
    min_sigma_px: float = 0.4,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> Table:
    """Make the table.

    Parameters
    ----------
    catalogue : Table
        Of `clumpscope.population.catalogue`; which clumps count is decided here.
    hosts : Table, optional
        Of `clumpscope.population.hosts.intrinsic_hosts`.
    galaxies : Table, optional
        id, z, z_lo, z_hi: which redshifts are spectroscopic.
    sed_all : mapping of str to Table, optional
        Fits by star-formation history, to compare with `reference_sfh`.
    redshift_bins : sequence of float
        Edges. What lies at the last one or beyond is in no group of ``all``, but has its own.
    min_broad_bands : int
    min_sigma_px : float
        Smallest resolved standard deviation, for sizes without the lens.
    seed, n_draws : int
        Of the realisations that errors come from.

    Returns
    -------
    Table
        quantity, group, n (what it is made of), value, lo, hi (68 % interval), unit, statement. Counts and probabilities have no
        interval. Groups: ``all`` (below the last redshift edge), ``z_<low>_<high>``, ``class_<name>``, ``host_mass_<low>_<high>``,
        ``galaxy_<id>``.

    Notes
    -----
    Intervals are of galaxies drawn with replacement, values drawn from their posteriors, and a magnification error that a galaxy's clumps
    and their host share (`clumpscope.population.resampling`). Where there is one galaxy, and within single galaxies, clumps are drawn. Those of
    shares are not narrower than of so many independent clumps.
    """
    counts = population_sample(catalogue, min_broad_bands)
    clumps = catalogue[counts]
    nominal = observed(clumps, hosts)
    fixed = _fixed(nominal, clumps, sed_all or {}, reference_sfh, min_sigma_px)
    groups = _groups(nominal, redshift_bins)
    one = len(nominal.hosts["z"]) < 2
    rows = [
        *_counted(catalogue, counts, redshift_bins, galaxies),
        *_measured(nominal, groups, fixed),
        *_galaxies(nominal),
    ]

    n_of_galaxies = len(list(_galaxies(nominal)))
    # Groups of one galaxy have no others to draw.
    lonely = [g for g in groups["redshift"] if g.rows(nominal.hosts, nominal.hosts["z"].size).sum() == 1]
    of_lonely = {"redshift": [groups["redshift"][0], *lonely], "class": [], "host": [], "clump": []}
    single = {group.name for group in lonely}
    drawn = {False: [], True: []}
    for within in {one, True} if n_of_galaxies or lonely else {one}:
        rng = generator(seed, "statistics", str(within))
        for sample in realisations(clumps, hosts, n_draws if len(clumps) else 0, rng, within):
            entries = _measured(sample, of_lonely if within and not one else groups, fixed)
            if within:
                entries = [*entries, *_galaxies(sample)]
            drawn[within].append({(entry[0], entry[1]): entry[3] for entry in entries})
    table = []
    for quantity, group, n, value, unit, statement in rows:
        low = high = np.nan
        if not quantity.startswith(("n_", "p_")):
            within = one or group in single or group.startswith("galaxy_")
            found = np.array([values.get((quantity, group), np.nan) for values in drawn[within]])
            low, high = interval(value, found)
            if quantity.startswith("share_"):
                # Drawing anew what is all alike tells nothing: not less than the scatter of independent values.
                least = share_interval(value, n)
                low, high = np.clip([np.fmin(low, least[0]), np.fmax(high, least[1])], 0.0, 1.0)
            elif quantity.startswith("r_"):
                low, high = np.clip([low, high], -1.0, 1.0)
        table.append((quantity, group, n, value, low, high, unit, statement))
    kinds = [str, str, int, float, float, float, str, str]
    return Table(rows=table or None, names=STATISTIC_COLUMNS, dtype=kinds)


def _edge(value: float) -> str:
    return f"{value:.4g}".replace("-inf", "min").replace("inf", "max")


def _between(symbol: str, low: float, high: float) -> str:
    if np.isinf(low):
        return f"{symbol} < {high:.4g}"
    return f"{symbol} >= {low:.4g}" if np.isinf(high) else f"{low:.4g} <= {symbol} < {high:.4g}"


def _groups(sample: Sample, edges: Sequence[float]) -> dict[str, list[_Group]]:
    """Groups by what they are of: ``redshift`` (``all`` first), ``class``, ``host`` (equal numbers of galaxies), ``clump`` (of clumps)."""
    redshift = sample.clumps["z"]
    spans = list(pairwise(edges))
    if (redshift < edges[0]).any() and (redshift >= edges[0]).any():
        spans.insert(0, (-np.inf, edges[0]))
    if (redshift >= edges[-1]).any():
        spans.append((edges[-1], np.inf))
    # Without a clump beyond the last edge everything is all; a redshift that is not known is below nothing.
    by_redshift = [_Group("all", _between("z", -np.inf, edges[-1]), "z", -np.inf, edges[-1])]
    by_redshift += [
        _Group(f"z_{_edge(low)}_{_edge(high)}", _between("z", low, high), "z", low, high)
        for low, high in spans
    ]
    classes = [
        _Group(f"class_{name}", f"{name} clumps", "class", name)
        for name in CLASSES
        if (sample.clumps["class"] == name).any()
    ]
    inside = sample.hosts["z"] < edges[-1]

    def mass_bins(values: np.ndarray) -> list[_Group]:
        return [
            _Group(
                f"host_mass_{_edge(b.low)}_{_edge(b.high)}",
                _between("log M_host", b.low, b.high),
                "log_mass_host",
                b.low,
                b.high,
            )
            for b in equal_number_bins(values, _N_MASS_BINS)
        ]

    of_clumps = sample.hosts["log_mass_host"][sample.clumps["owner"]]
    return {
        "redshift": by_redshift,
        "class": classes,
        "host": mass_bins(np.where(inside, sample.hosts["log_mass_host"], np.nan)),
        "clump": mass_bins(np.where(redshift < edges[-1], of_clumps, np.nan)),
    }


def _joined(clumps: Table, fits: Mapping[str, Table], name: str) -> dict[str, np.ndarray]:
    """Column `name` of fits under other histories, in the order of the clumps; NaN where a clump has none."""
    found = {}
    for sfh, table in fits.items():
        if name in table.colnames:
            known = dict(zip(np.asarray(table["id"], str), np.asarray(table[name], float), strict=True))
            found[sfh] = np.array([known.get(str(one), np.nan) for one in clumps["id"]], dtype=float)
    return found


def _fixed(
    nominal: Sample, clumps: Table, sed_all: Mapping[str, Table], reference: str, min_sigma_px: float
) -> dict:
    """What no realisation changes: quantities that there are; by the clumps' rows sizes without a lens, shifts between histories."""
    known = {name for name in _MEDIANS if np.isfinite(nominal.clumps[name]).any()}
    fixed: dict[str, Any] = {"moved": {}, "known": known | {"log_mass"}}
    if "pixel_scale_arcsec" in clumps.colnames:
        scale = pc_per_arcsec(np.asarray(clumps["z"], float)) * np.asarray(
            clumps["pixel_scale_arcsec"], float
        )
        fixed["lens_free_pc"] = _HWHM * min_sigma_px * scale
    for name in ("log_mass", "log_age_mw_yr"):
        values = _joined(clumps, sed_all, f"{name}_p50")
        if reference in values:
            fixed["moved"] |= {
                (name, sfh): v - values[reference] for sfh, v in values.items() if sfh != reference
            }
    return fixed


def _counted(
    catalogue: Table, counts: np.ndarray, edges: Sequence[float], galaxies: Table | None
) -> list[tuple]:
    """Numbers of clumps, galaxies, spectroscopic redshifts, and of clumps with flags that exclude."""
    redshift = np.asarray(catalogue["z"], float)
    owner = np.asarray(catalogue["galaxy"], str)
    spectroscopic = None
    if galaxies is not None and {"z_lo", "z_hi"} <= set(galaxies.colnames):
        ends = [np.ma.asarray(galaxies[name], dtype=float).filled(np.nan) for name in ("z_lo", "z", "z_hi")]
        secure = (ends[0] == ends[1]) & (ends[1] == ends[2])
        spectroscopic = set(np.asarray(galaxies["id"], str)[secure])
    spans = [("all", -np.inf, edges[-1]), *((f"z_{_edge(a)}_{_edge(b)}", a, b) for a, b in pairwise(edges)),
             (f"z_{_edge(edges[-1])}_max", edges[-1], np.inf)]  # fmt: skip
    rows = []
    for group, low, high in spans:
        words = _between("z", low, high)
        inside = counts & (redshift >= low) & (redshift < high)
        names = set(owner[inside])
        rows += [
            (
                "n_clumps",
                group,
                len(catalogue),
                int(inside.sum()),
                "",
                f"{inside.sum()} clumps count in statistics at {words}.",
            ),
            ("n_galaxies", group, len(catalogue), len(names), "", f"Galaxies that these are in ({words})."),
        ]
        if spectroscopic is not None:
            text = f"Galaxies of these with a spectroscopic redshift ({words})."
            rows.append(("n_spec_z", group, len(names), len(names & spectroscopic), "", text))
    flags = np.asarray(catalogue["flags"])
    for name, flag in FLAGS.items():
        n = int(has(flags, name).sum()) if flag.excludes else 0
        if n:
            rows.append(
                (
                    f"n_left_out_{name}",
                    "all",
                    len(catalogue),
                    n,
                    "",
                    f"Clumps with the flag {name}: {flag.text}",
                )
            )
    return [(q, g, n, float(v), u, s) for q, g, n, v, u, s in rows]


def _middle(values: np.ndarray) -> tuple[int, float]:
    known = values[np.isfinite(values)]
    return known.size, float(np.median(known)) if known.size else np.nan


def _measured(sample: Sample, groups: Mapping[str, Sequence[_Group]], fixed: Mapping) -> list[tuple]:
    """(quantity, group, n, value, unit, statement) of every statistic but those of single galaxies and counts."""
    clumps, hosts = sample.clumps, sample.hosts
    rows: list[tuple] = []

    def put(quantity: str, group: _Group, n: int, value: float, unit: str, statement: str) -> None:
        rows.append((quantity, group.name, int(n), float(value), unit, f"{statement} ({group.words})."))

    def put_medians(group: _Group, own: np.ndarray, names: Sequence[str]) -> None:
        for name in (name for name in names if name in fixed["known"]):
            unit, words = _MEDIANS[name]
            chosen = own & clumps["size_known"] if name in _OF_SIZE else own
            put(f"median_{name}", group, *_middle(clumps[name][chosen]), unit, f"Median {words}")

    def put_share(
        group: _Group,
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
        put_medians(group, own, list(_MEDIANS))
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
        error = clumps["age_error"][own & np.isfinite(clumps["age_error"])]
        for name, percent in (("quartile_1", 25), ("median", 50), ("quartile_3", 75)):
            value = np.percentile(error, percent) if error.size else np.nan
            put(
                f"age_error_{name}",
                group,
                error.size,
                value,
                "dex",
                f"{name.replace('_', ' ').capitalize()} of the errors of ages",
            )
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
            both = _Group(f"{span.name}_{group.name}", f"{group.words}, {span.words}")
            put_medians(
                both,
                group.rows(clumps, no_limit.size) & span.rows(clumps, no_limit.size),
                ("log_sigma_mass", "log_sigma_sfr"),
            )
    _put_without_lens(put, everything, inside, sample, fixed)
    for (name, sfh), shift in fixed["moved"].items():
        shift = shift[clumps["row"]][inside]
        known = shift[np.isfinite(shift)]
        share = np.mean(np.abs(known) > _MOVED_DEX) if known.size else np.nan
        put(
            f"share_{name}_moved_{sfh}",
            everything,
            known.size,
            share,
            "",
            f"Share of clumps whose {_MEDIANS[name][1]} moves by more than 0.2 dex with the history {sfh}",
        )
        put(
            f"median_shift_{name}_{sfh}",
            everything,
            *_middle(known),
            "dex",
            f"Median shift of the {_MEDIANS[name][1]} with the history {sfh}",
        )

    at = everything.rows(hosts, hosts["z"].size)
    for group in groups["host"]:
        own = at & group.rows(hosts, at.size)
        for name, words in {
            **_RELATIONS,
            "log_ssfr": "log sSFR",
            "log_age_mw_max": "log age of the most massive clump",
        }.items():
            unit = {"log_f_cl": "", "log_ssfr": "dex(1 / yr)", "log_age_mw_max": "dex(yr)"}.get(
                name, "dex(Msun)"
            )
            put(f"median_{name}", group, *_middle(hosts[name][own]), unit, f"Median {words} in galaxies")
    for x, y in [*(("log_mass_host", name) for name in _RELATIONS), ("log_ssfr", "log_f_cl")]:
        found, line = correlation(hosts[x][at], hosts[y][at]), fit_line(hosts[x][at], hosts[y][at])
        against = {"log_mass_host": "log mass of the host", "log_ssfr": "log sSFR of the host"}[x]
        words = f"{_RELATIONS[y]} with the {against}"
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


def _put_distances(put, group: _Group, own: np.ndarray, clumps: Mapping[str, np.ndarray]) -> None:
    """Gradients, and mass fractions inside and outside."""
    distance = clumps["distance_kpc"]
    if not np.isfinite(distance).any():
        return
    for name, words in _GRADIENTS.items():
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
        for name, words in _GRADIENTS.items():
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
    put, group: _Group, own: np.ndarray, clumps: Mapping, hosts: Mapping, known: set[str]
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
        unit, words = _MEDIANS[name]
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


def _put_without_lens(put, group: _Group, own: np.ndarray, sample: Sample, fixed: Mapping) -> None:
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


def _galaxies(sample: Sample) -> list[tuple]:
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
        for name, words in _GRADIENTS.items():
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
