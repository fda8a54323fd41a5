"""Every statistic of a field in one long table, each with its error and in words (C25 sections 4 and 5)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from astropy.table import Table

from ..cosmology import pc_per_arcsec
from ..flags import FLAGS, has
from ..gaussian import HALF_LIGHT_OF_SIGMA
from ..randomness import generator
from .bins import REDSHIFT_EDGES
from .groups import between_text, edge_text, groups_of
from .intrinsic import intrinsic_quantities
from .quantities import MEDIANS, measured_quantities, quantities_of_galaxies
from .resampling import Sample, interval, observed, realisations
from .sample import population_sample
from .statistics import share_interval

__all__ = ["N_DRAWS", "STATISTIC_COLUMNS", "population_statistics"]

N_DRAWS = 200
STATISTIC_COLUMNS = ("quantity", "group", "n", "value", "lo", "hi", "unit", "statement")


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
    filter_sets: Mapping[str, Table] | None = None,
    poor_fit: bool = False,
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
    filter_sets : mapping of str to Table, optional
        Fits of `reference_sfh` by set of filters: their errors of ages, and what they move from that of `sed_all`.
    poor_fit : bool
        Whether clumps whose best fit is improbable count.

    Returns
    -------
    Table
        quantity, group, n (what it is made of), value, lo, hi (68 % interval), unit, statement. Counts and probabilities have no
        interval. Groups: ``all`` (below the last redshift edge), ``z_<low>_<high>``, ``class_<name>``, ``host_mass_<low>_<high>``,
        ``set_<name>`` (filters), ``galaxy_<id>``.

    Notes
    -----
    Intervals are of galaxies drawn with replacement, values drawn from their posteriors, and a magnification error that a galaxy's clumps
    and their host share (`clumpscope.population.resampling`). Where there is one galaxy, and within single galaxies, clumps are drawn. Those of
    shares are not narrower than of so many independent clumps.
    """
    counts = population_sample(catalogue, min_broad_bands, poor_fit)
    clumps = catalogue[counts]
    nominal = observed(clumps, hosts)
    fixed = _fixed(nominal, clumps, sed_all or {}, reference_sfh, min_sigma_px, filter_sets or {})
    groups = groups_of(nominal, redshift_bins)
    one = len(nominal.hosts["z"]) < 2
    rows = [
        *_counted(catalogue, counts, redshift_bins, galaxies, poor_fit),
        *measured_quantities(nominal, groups, fixed),
        *quantities_of_galaxies(nominal),
        *intrinsic_quantities(nominal, groups),
    ]

    n_of_galaxies = len(list(quantities_of_galaxies(nominal)))
    # Groups of one galaxy have no others to draw.
    lonely = [g for g in groups["redshift"] if g.rows(nominal.hosts, nominal.hosts["z"].size).sum() == 1]
    of_lonely = {"redshift": [groups["redshift"][0], *lonely], "class": [], "host": [], "clump": []}
    single = {group.name for group in lonely}
    drawn = {False: [], True: []}
    for within in {one, True} if n_of_galaxies or lonely else {one}:
        rng = generator(seed, "statistics", str(within))
        for sample in realisations(clumps, hosts, n_draws if len(clumps) else 0, rng, within):
            entries = measured_quantities(sample, of_lonely if within and not one else groups, fixed)
            if within:
                entries = [*entries, *quantities_of_galaxies(sample)]
            drawn[within].append({(entry[0], entry[1]): entry[3] for entry in entries})
        # These know the errors of their values: drawing those anew would count them twice.
        rng = generator(seed, "statistics-intrinsic", str(within))
        same = realisations(clumps, hosts, n_draws if len(clumps) else 0, rng, within, perturbed=False)
        for values, sample in zip(drawn[within], same, strict=True):
            entries = intrinsic_quantities(sample, of_lonely if within and not one else groups)
            values |= {(entry[0], entry[1]): entry[3] for entry in entries}
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
            elif quantity.startswith(("r_", "intrinsic_r_")):
                low, high = np.clip([low, high], -1.0, 1.0)
        table.append((quantity, group, n, value, low, high, unit, statement))
    kinds = [str, str, int, float, float, float, str, str]
    return Table(rows=table or None, names=STATISTIC_COLUMNS, dtype=kinds)


def _joined(clumps: Table, fits: Mapping[str, Table], name: str) -> dict[str, np.ndarray]:
    """Column `name` of fits under other histories, in the order of the clumps; NaN where a clump has none."""
    found = {}
    for sfh, table in fits.items():
        if name in table.colnames:
            known = dict(zip(np.asarray(table["id"], str), np.asarray(table[name], float), strict=True))
            found[sfh] = np.array([known.get(str(one), np.nan) for one in clumps["id"]], dtype=float)
    return found


def _fixed(
    nominal: Sample,
    clumps: Table,
    sed_all: Mapping[str, Table],
    reference: str,
    min_sigma_px: float,
    filter_sets: Mapping[str, Table],
) -> dict:
    """What no realisation changes: quantities that there are; by the clumps' rows sizes without a lens, shifts between histories and sets of filters."""
    known = {name for name in MEDIANS if np.isfinite(nominal.clumps[name]).any()}
    fixed: dict[str, Any] = {"moved": {}, "sets": {}, "known": known | {"log_mass"}}
    if "pixel_scale_arcsec" in clumps.colnames:
        scale = pc_per_arcsec(np.asarray(clumps["z"], float)) * np.asarray(
            clumps["pixel_scale_arcsec"], float
        )
        fixed["lens_free_pc"] = HALF_LIGHT_OF_SIGMA * min_sigma_px * scale
    low, high = (_joined(clumps, filter_sets, f"log_age_mw_yr_p{percent}") for percent in (16, 84))
    fixed["sets"] = {name: (0.5 * (high[name] - low[name]), {}) for name in filter_sets}
    for name in ("log_mass", "log_age_mw_yr"):
        values = _joined(clumps, sed_all, f"{name}_p50")
        if reference not in values:
            continue
        fixed["moved"] |= {
            (name, sfh): v - values[reference] for sfh, v in values.items() if sfh != reference
        }
        for filters, v in _joined(clumps, filter_sets, f"{name}_p50").items():
            fixed["sets"][filters][1][name] = v - values[reference]
    return fixed


def _counted(
    catalogue: Table, counts: np.ndarray, edges: Sequence[float], galaxies: Table | None, poor_fit: bool
) -> list[tuple]:
    """Numbers of clumps, galaxies, spectroscopic redshifts, and of clumps with flags that exclude."""
    redshift = np.asarray(catalogue["z"], float)
    owner = np.asarray(catalogue["galaxy"], str)
    spectroscopic = None
    if galaxies is not None and {"z_lo", "z_hi"} <= set(galaxies.colnames):
        ends = [np.ma.asarray(galaxies[name], dtype=float).filled(np.nan) for name in ("z_lo", "z", "z_hi")]
        secure = (ends[0] == ends[1]) & (ends[1] == ends[2])
        spectroscopic = set(np.asarray(galaxies["id"], str)[secure])
    spans = [("all", -np.inf, edges[-1]), *((f"z_{edge_text(a)}_{edge_text(b)}", a, b) for a, b in pairwise(edges)),
             (f"z_{edge_text(edges[-1])}_max", edges[-1], np.inf)]  # fmt: skip
    rows = []
    for group, low, high in spans:
        words = between_text("z", low, high)
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
    for name in ("no_host", "off_centre"):
        n = int((counts & has(flags, name)).sum())
        if n:
            words = f"Clumps that count, with the flag {name}: {FLAGS[name].text}"
            rows.append((f"n_counted_{name}", "all", int(counts.sum()), n, "", words))
    for name, flag in FLAGS.items():
        excludes = flag.excludes and not (poor_fit and name == "poor_fit")
        n = int(has(flags, name).sum()) if excludes else 0
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
