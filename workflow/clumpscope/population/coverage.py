"""Do intervals hold? Every quantity of a catalogue beside its truth, by class: bias, scatter, pulls, shares inside."""

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
from astropy.table import Table

from ..flags import EXCLUDING, has
from ..tables import require_columns
from .truth import match_clumps, merged_clumps, picked, reference_fwhm

__all__ = ["coverage_table", "excluded_clumps", "host_coverage"]

Array = np.ndarray
# Quantities with a value and an error on each side, and those given by percentiles of their posterior.
_SIDED = ("mu", "mu_t", "mu_r", "r_eff_pc", "m_v_ab", "distance_kpc")
_PERCENTILES = ("log_mass", "log_mass_formed", "log_age_mw_yr", "log_age_yr", "log_tau_yr", "log_sfr10", "a_v", "log_z_zsun",
                "log_u", "log_sigma_mass", "log_sigma_sfr")  # fmt: skip
_OF_HOSTS = ("log_mass", "log_sfr100", "log_ssfr", "log_age_mw_yr", "a_v")
# Ratios to the truth are what these scatter in; the others are differences.
_RELATIVE = ("flux", "mu", "mu_t", "mu_r", "r_eff_pc", "distance_kpc")
# Mean nothing where the size is an upper limit.
_OF_SIZE = ("r_eff_pc", "log_sigma_mass", "log_sigma_sfr")
# Surface brightness of smooth light, over the noise of a pixel, from which a clump is on a host; and below which it is not.
_ON_HOST, _OFF_HOST = 3.0, 1.0
# Neighbours nearer than this, in FWHM of the PSF, crowd a clump.
_CROWDED_FWHM = 2.0
_SNR_EDGES, _MU_EDGES = (3.0, 5.0, 10.0, 20.0, 50.0), (2.0, 5.0, 10.0, 100.0)
# Normal deviates of the ends of the 68 and 95 % intervals, where p16 and p84 are one deviate.
_ONE, _TWO = 1.0, 1.96
_FEWEST = 5
_FAR = 1e6


def excluded_clumps(measured: Table) -> dict[str, int]:
    """Clumps that statistics leave out, by the flag that excludes them."""
    flags = np.asarray(measured["flags"])
    counts = {name: int(has(flags, name).sum()) for name in EXCLUDING}
    return {name: count for name, count in counts.items() if count}


def coverage_table(measured: Table, truth: Table, psf: Table) -> Table:
    """Bias, scatter, pulls and coverage of all quantities, in all filters, by class.

    Parameters
    ----------
    measured : Table
        The catalogue.
    truth : Table
        True clump images, in the catalogue's words; with separation_arcsec, host_snr_<F>, profile and z_type, those classes
        are told apart too.
    psf : Table
        filter, fwhm_arcsec.

    Returns
    -------
    Table
        quantity, filter ('' where it has none), group, n; bias and scatter (median, and half of the 16-84 % range, of the
        ratio to the truth minus one for fluxes, magnifications, sizes and distances, of the difference otherwise);
        pull_median, pull_width (median, and half of the 16-84 % range, of (measured - true) / error on the truth's side);
        inside_68, its binomial error, inside_95. ``r_eff_limit``: inside_95 is the share of upper limits (97.5 %) that are
        above the truth.

    Notes
    -----
    Clumps whose flags exclude them from population statistics are left out (`excluded_clumps` counts them), and galaxies
    that were not measured. A clump is ``merged`` where a true one beside it was not told apart (`merged_clumps`; of fluxes, in their filter): then it is not
    one clump that was measured, and it is in none of ``isolated``, ``crowded`` and ``on_host``. Of quantities whose 2.5 and 97.5 % points are not in the catalogue the 95 % interval is 1.96
    times as wide as the 68 % one on each side.
    """
    sizes = ["sigma_x_px", "sigma_y_px", "pixel_scale_arcsec"]
    require_columns(truth, ["ra", "dec", "filter_ref", "snr_ref", *sizes], "truth")
    require_columns(measured, ["id", "ra", "dec", "flags"], "catalogue")
    fwhm = dict(zip(psf["filter"], np.asarray(psf["fwhm_arcsec"], dtype=float), strict=True))
    reach = reference_fwhm(truth, psf)
    partner, _ = match_clumps(measured, truth, reach)
    left_out = has(np.asarray(measured["flags"]), EXCLUDING)
    found = partner >= 0
    found[found] = ~left_out[partner[found]]
    filters = [
        name
        for name in fwhm
        if f"flux_{name}_njy" in measured.colnames and f"flux_{name}_njy" in truth.colnames
    ]
    # A neighbour that is told apart in the reference filter's PSF may be in that of another.
    width = {"": reach} | {name: np.full(len(truth), fwhm[name]) for name in filters}
    merged = {name: merged_clumps(truth, partner, width[name], name)[found] for name in width}
    truth, rows = truth[found], measured[partner[found]]
    classes = dict(_classes(rows, truth))

    def groups_of(name: str) -> dict[str, Array]:
        around = _surroundings(truth, name, fwhm, ~merged[name])
        return classes | {"merged": merged[name]} | dict(around)

    limit = picked(rows, "r_eff_limit", np.arange(len(rows)), 1.0) > 0.5
    table = []

    def add(quantity: str, name: str, value: Array, true: Array, below: Array, above: Array) -> None:
        table.extend(_rows(quantity, name, value, true, below, above, groups_of(name)))

    for name in filters:
        value, true = (np.asarray(t[f"flux_{name}_njy"], dtype=float) for t in (rows, truth))
        sides = [f"flux_{name}_err_{end}_njy" for end in ("lo", "hi")]
        if not set(sides) <= set(rows.colnames):
            sides = [f"flux_{name}_err_njy"] * 2
        below, above = (np.asarray(rows[side], dtype=float) for side in sides)
        add("flux", name, value, true, below, above)
    for quantity in _SIDED:
        if quantity in rows.colnames and quantity in truth.colnames:
            value, below, above = (
                np.asarray(rows[f"{quantity}{end}"], dtype=float) for end in ("", "_err_lo", "_err_hi")
            )
            true = np.asarray(truth[quantity], dtype=float)
            add(quantity, "", np.where(limit & (quantity in _OF_SIZE), np.nan, value), true, below, above)
    for quantity in _PERCENTILES:
        if f"{quantity}_p50" in rows.colnames and quantity in truth.colnames:
            low, value, high = (np.asarray(rows[f"{quantity}_p{p}"], dtype=float) for p in (16, 50, 84))
            true = np.asarray(truth[quantity], dtype=float)
            add(
                quantity,
                "",
                np.where(limit & (quantity in _OF_SIZE), np.nan, value),
                true,
                value - low,
                high - value,
            )
    if "r_eff_pc" in rows.colnames and "r_eff_pc" in truth.colnames:
        bound, true = (np.asarray(t["r_eff_pc"], dtype=float) for t in (rows, truth))
        held = np.where(limit & np.isfinite(bound), bound >= true, np.nan)
        for group, members in groups_of("").items():
            known = held[members & np.isfinite(held)]
            if known.size >= _FEWEST:
                table.append(("r_eff_limit", "", group, known.size, *[np.nan] * 6, float(known.mean())))
    result = _as_table(table)
    result.meta["matched"], result.meta["excluded"] = int(found.sum()), excluded_clumps(measured)
    return result


def host_coverage(hosts: Table, truth: Table) -> Table:
    """The same of host galaxies: of all, of those with clumps taken apart, and of those without.

    Parameters
    ----------
    hosts : Table
        Of `clumpscope.population.hosts.intrinsic_hosts`; n_clumps_apart, where there is.
    truth : Table
        True galaxies: id, log_mass, log_sfr100, log_ssfr, log_age_mw_yr, a_v.

    Returns
    -------
    Table
        As of `coverage_table`, quantities ``host_<name>``; a true age and A_V are those of the light between the clumps. Errors are
        those of the fits: the magnification's are not among them.
    """
    rows = {str(name): row for row, name in enumerate(truth["id"])}
    hosts = hosts[np.array([str(name) in rows for name in hosts["id"]], dtype=bool)]
    true = truth[np.array([rows[str(name)] for name in hosts["id"]], dtype=int)]
    groups = {"all": np.ones(len(hosts), dtype=bool)}
    if "n_clumps_apart" in hosts.colnames:
        apart = np.asarray(hosts["n_clumps_apart"]) > 0
        groups |= {"clumps_apart": apart, "no_clumps_apart": ~apart}
    table = []
    for quantity in _OF_HOSTS:
        if f"{quantity}_p16" in hosts.colnames and quantity in true.colnames:
            low, value, high = (np.asarray(hosts[f"{quantity}_p{p}"], dtype=float) for p in (16, 50, 84))
            truths = np.asarray(true[quantity], dtype=float)
            table += _rows(f"host_{quantity}", "", value, truths, value - low, high - value, groups)
    return _as_table(table)


def _rows(
    quantity: str,
    name: str,
    value: Array,
    true: Array,
    below: Array,
    above: Array,
    groups: Mapping[str, Array],
) -> Iterator[tuple]:
    """Rows of one quantity, in one filter if it has any, of every group with enough values."""
    error = np.where(true < value, below, above)
    with np.errstate(divide="ignore", invalid="ignore"):
        pull = (value - true) / error
        off = value / true - 1.0 if quantity in _RELATIVE else value - true
    for group, members in groups.items():
        row = _row(pull[members], off[members])
        if row:
            yield (quantity, name, group, *row)


def _as_table(rows: list[tuple]) -> Table:
    names = ["quantity", "filter", "group", "n", "bias", "scatter", "pull_median", "pull_width", "inside_68", "inside_68_err",
             "inside_95"]  # fmt: skip
    types = [str, str, str, int, *[float] * 7]
    return Table(rows=rows, names=names, dtype=types) if rows else Table(names=names, dtype=types)


def _row(pull: Array, off: Array) -> tuple[float, ...] | None:
    known = ~np.isnan(pull) & np.isfinite(off)
    # An error of zero, missed, is far out.
    pull, off = np.clip(pull[known], -_FAR, _FAR), off[known]
    if pull.size < _FEWEST:
        return None
    inside, far = (float(np.mean(np.abs(pull) <= end)) for end in (_ONE, _TWO))
    low, middle, high = np.percentile(pull, [16, 50, 84])
    below, bias, above = np.percentile(off, [16, 50, 84])
    # Agresti & Coull (1998): not zero where all are inside.
    share = (inside * pull.size + 2.0) / (pull.size + 4.0)
    error = np.sqrt(share * (1.0 - share) / (pull.size + 4.0))
    return (pull.size, bias, (above - below) / 2, middle, (high - low) / 2, inside, float(error), far)


def _classes(rows: Table, truth: Table) -> Iterator[tuple[str, Array]]:
    """Groups that are the same for all quantities."""
    yield "all", np.ones(len(rows), dtype=bool)
    central = np.zeros(len(rows), dtype=bool)
    for table in (rows, truth):
        if "central" in table.colnames:
            central |= np.asarray(table["central"]).astype(bool)
    yield "central", central
    snr = picked(rows, "snr", np.arange(len(rows)))
    for low, high in zip(_SNR_EDGES, (*_SNR_EDGES[1:], np.inf), strict=True):
        yield f"snr_{low:g}_{high:g}", (snr >= low) & (snr < high)
    if "mu" in rows.colnames:
        mu = np.asarray(rows["mu"], dtype=float)
        for low, high in itertools.pairwise(_MU_EDGES):
            yield f"mu_{low:g}_{high:g}", (mu >= low) & (mu < high)
    for name, table in (("class", rows), ("profile", truth), ("z_type", truth)):
        if name in table.colnames:
            values = np.asarray(table[name]).astype(str)
            for value in np.unique(values):
                yield f"{name}_{value}" if name != "z_type" else f"z_{value}", values == value


def _surroundings(
    truth: Table, name: str, fwhm: Mapping[str, float], single: Array
) -> Iterator[tuple[str, Array]]:
    """Isolated, crowded, on a host, of single clumps: by the filter, or by each clump's reference filter where there is none."""
    if "separation_arcsec" not in truth.colnames or len(truth) == 0:
        return
    bands = [name] * len(truth) if name else list(truth["filter_ref"])
    width = np.array([fwhm[band] for band in bands])
    crowded = np.asarray(truth["separation_arcsec"], dtype=float) < _CROWDED_FWHM * width
    host = np.array([truth[f"host_snr_{band}"][row] for row, band in enumerate(bands)], dtype=float)
    yield "isolated", single & ~crowded & (host < _OFF_HOST)
    yield "crowded", single & crowded
    yield "on_host", single & ~crowded & (host >= _ON_HOST)
