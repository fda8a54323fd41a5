"""Population tables in the words and digits of a reader."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from ..population.bins import Bin

__all__ = [
    "TextTable",
    "completeness_table",
    "correlation_table",
    "coverage_table",
    "gradient_table",
    "injection_table",
    "mass_fit_table",
    "median_table",
    "number",
    "psf_table",
    "published_table",
    "recovered_table",
    "recovery_table",
    "slope_table",
    "stack_table",
    "statements_table",
    "statistics_table",
]  # fmt: skip

_PROPERTY = {
    "log_mass_p50": ("log M★ [M☉]", 2), "log_age_mw_yr_p50": ("log mass-weighted age [yr]", 2),
    "log_sfr10_p50": ("log SFR, 10 Myr [M☉/yr]", 2), "r_eff_pc": ("R_eff [pc]", 0), "a_v_p50": ("A_V [mag]", 2),
    "log_z_zsun_p50": ("log Z [Z☉]", 2), "log_sigma_mass_p50": ("log Σ_M [M☉/pc²]", 2),
    "log_sigma_sfr_p50": ("log Σ_SFR [M☉/yr/kpc²]", 2), "m_v_ab": ("M_V [AB mag]", 2), "mu": ("magnification", 1),
}  # fmt: skip
_QUANTITY = {
    "log_mass_fraction": "log M_clump / M_host",
    "log_age_mw_yr": "log mass-weighted age",
    "log_sigma_mass": "log Σ_M",
    "log_mass_host": "log M_host",
    "log_mass_max": "log mass of the most massive non-central clump",
    "log_mass_central": "log mass of the central clump",
    "log_f_cl": "log clump mass fraction",
    "log_ssfr": "log sSFR of the host",
}
_NO_STARS = -6.0
"""Logarithmic rates below this are none: such numbers tell how a history ends, not what was seen."""
_RATES = ("log_sfr10", "log_sigma_sfr")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class TextTable:
    """A table ready for a page: title, column heads, rows of text; a mark (``good``, ``bad`` or none) by row."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...] = ()
    caption: str = ""


def number(value: float, digits: int = 2) -> str:
    """A number with its sign as a minus, a dash where there is none."""
    return f"{value:.{digits}f}".replace("-", "−") if np.isfinite(value) else "–"


def _with_errors(value: float, low: float, high: float, digits: int, quantity: str = "") -> str:
    if not np.isfinite(value):
        return "–"
    if quantity.startswith(_RATES):
        if value < _NO_STARS:
            return f"< {number(_NO_STARS, 0)}"
        if value - low < _NO_STARS:
            return f"{number(value, digits)} +{high:.{digits}f}, down to < {number(_NO_STARS, 0)}"
    if not (np.isfinite(low) and np.isfinite(high)):
        return number(value, digits)
    return f"{number(value, digits)} +{high:.{digits}f} −{low:.{digits}f}"


def _group(by: str, low: float, high: float) -> str:
    if not np.isfinite([low, high]).any():
        return "all"
    symbol, digits = {"redshift": ("z", 1), "magnification": ("μ", 1), "host_mass": ("log M_host", 2)}[by]
    return Bin(low, high, np.empty(0)).label(symbol, digits)


def _once(rows: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Rows without repetitions: all clumps are a group by redshift, and one by magnification."""
    return tuple(dict.fromkeys(rows))


def _p_value(p: float) -> str:
    if not np.isfinite(p):
        return "–"
    return (
        f"{p:.2g}" if p >= 1e-3 else f"< 10{str(int(np.ceil(np.log10(max(p, 1e-300))))).translate(_RAISED)}"
    )


def median_table(medians: Table) -> TextTable:
    """Medians of every property, one column a redshift bin."""
    bins = list(dict.fromkeys((float(r["z_low"]), float(r["z_high"])) for r in medians if r["n"]))
    rows = []
    for name, (label, digits) in _PROPERTY.items():
        own = {(float(r["z_low"]), float(r["z_high"])): r for r in medians if r["property"] == name}
        if any(row["n"] for row in own.values()):
            cells = [
                f"{_with_errors(own[b]['median'], own[b]['err_lo'], own[b]['err_hi'], digits, name)} ({own[b]['n']})"
                for b in bins
            ]
            rows.append((label, *cells))
    heads = ("median (clumps)", *(_group("redshift", *b) for b in bins))
    return TextTable("Medians by redshift", heads, tuple(rows), caption="Errors are 68 % confidence intervals of the median. "
                     "Sizes and densities use clumps whose size is measured, not limited; a rate below "
                     "10⁻⁶ is none: all stars are older than 10 Myr.")  # fmt: skip


def statistics_table(statistics: Table, published: Table) -> TextTable:
    """Statistics beside the published ones, where there are any.

    Parameters
    ----------
    statistics : Table
        Of `clumpscope.population.summary`.
    published : Table
        quantity, group, value, section, reason.
    """
    ours = {(str(row["quantity"]), str(row["group"])): row for row in statistics}
    rows = []
    for quoted in published:
        row = ours.get((str(quoted["quantity"]), str(quoted["group"])))
        if row is None or not np.isfinite(row["value"]):
            continue
        count = str(row["quantity"]).startswith("n_")
        digits = (
            0 if count or str(row["unit"]) == "pc" else 3 if str(row["quantity"]).startswith("share_") else 2
        )
        value = _with_errors(row["value"], row["value"] - row["lo"], row["hi"] - row["value"], digits)
        name = (
            f"{str(row['statement']).rstrip('.')}"
            if not count
            else f"{row['quantity']} ({row['group']})".replace("_", " ")
        )
        rows.append(
            (name, value, number(quoted["value"], digits), str(quoted["section"]), str(quoted["reason"]))
        )
    heads = ("quantity", "here", "C25, Abell 2744", "section", "why they differ")
    caption = (
        "C25's are of another field, with its own depth, lens and galaxies (a synthetic field has those it was given): they tell what is "
        "usual, not what is right. All statistics, with errors and units, are in population/statistics.ecsv."
    )
    return TextTable("Beside the published values (C25)", heads, tuple(rows), caption=caption)


def slope_table(slopes: Table) -> TextTable:
    """Power laws of the mass functions."""
    rows = [
        (_group(r["by"], r["low"], r["high"]), str(r["n"]), f"{number(r['log_mass_limit'], 1)} ({r['limit_source']})",
         str(r["n_above_limit"]), f"{number(r['slope'])} ± {r['slope_err']:.2f}" if np.isfinite(r["slope"]) else "–")
        for r in slopes if r["n"]
    ]  # fmt: skip
    heads = ("group", "clumps", "log completeness limit", "above it", "slope of N(>M)")
    caption = (
        "Maximum likelihood above the limit; −1 is the slope of a turbulent, scale-free medium (C25 section 5.4). A limit from injection "
        "is that of the injected clumps at the group's own mass-to-light ratios; one from the turnover lies 0.3 dex above it: where incompleteness sets in gradually, slopes still come out too shallow."
    )
    return TextTable("Mass functions", heads, _once(rows), caption=caption)


def mass_fit_table(fits: Table) -> TextTable:
    """Laws of the mass functions by full likelihood."""

    def value(row: Table.Row, name: str) -> str:
        if not np.isfinite(row[name]):
            return "–"
        return f"{number(row[name])} (+{row[f'{name}_err_hi']:.2f} −{row[f'{name}_err_lo']:.2f})"

    rows = [
        (_group(r["by"], r["low"], r["high"]), str(r["law"]).replace("_", " "), f"{r['n_fitted']} ({r['limit_source']})",
         value(r, "alpha"), value(r, "log_mass_cut"), value(r, "log_mass_break"), value(r, "beta"), number(r["aic"]),
         number(r["log_bayes_factor"]))
        for r in fits if np.isfinite(r["alpha"])
    ]  # fmt: skip
    heads = (
        "group",
        "law",
        "clumps (limits)",
        "α of dN/dM",
        "log M_c",
        "log M_b",
        "β below M_b",
        "AIC",
        "ln Bayes factor",
    )
    caption = (
        "Without bins, with every clump's error of mass and magnification and, where clumps were injected, its own completeness. The cumulative slope is α + 1. "
        "A broken law is what galaxies whose clumps begin at masses of their own add up to: α is then that above the break. "
        "The smaller AIC is preferred; Bayes factors are over the power law, and below about 3 decide nothing."
    )
    return TextTable("Mass functions by full likelihood", heads, _once(rows), caption=caption)


def correlation_table(correlations: Table) -> TextTable:
    """Correlations of clumps and hosts."""
    rows = [
        (_QUANTITY[r["y"]], _QUANTITY[r["x"]], number(r["r"]), _p_value(r["p"]), str(r["n"]))
        for r in correlations if r["n"]
    ]  # fmt: skip
    return TextTable(
        "Clumps and their hosts", ("quantity", "against", "Pearson r", "p", "galaxies"), tuple(rows)
    )


def gradient_table(slopes: Table) -> TextTable:
    """Slopes with galactocentric distance."""
    rows = [
        (_QUANTITY[r["quantity"]], _group(r["by"], r["low"], r["high"]), str(r["n"]),
         f"{number(r['slope'], 3)} ± {r['slope_err']:.3f}", number(r["r"]), _p_value(r["p"]))
        for r in slopes if r["n"] >= 3
    ]  # fmt: skip
    heads = ("quantity", "group", "clumps", "slope [dex/kpc]", "Pearson r", "p")
    return TextTable("Galactocentric gradients", heads, tuple(rows))


def recovery_table(summary: Table) -> TextTable:
    """Measured against true, with the goals."""
    rows, marks = [], []
    for r in summary:
        goal = np.isfinite(r["goal_low"])
        text = f"{number(r['goal_low'])} to {number(r['goal_high'])}" if goal else ""
        rows.append((str(r["meaning"]), number(r["value"], 3), str(r["n"]), text))
        marks.append({"true": "good", "false": "bad"}.get(str(r["met"]).lower(), "") if goal else "")
    return TextTable(
        "Recovery of the injected truth", ("quantity", "value", "objects", "goal"), tuple(rows), tuple(marks)
    )


_COVERAGE_GROUPS = ("all", "isolated", "on_host", "crowded", "merged", "central")
# Share of truths inside 68 % intervals that is called good; what statistics allow is added.
_GOOD_SHARE = (0.64, 0.72)


def coverage_table(coverage: Table) -> TextTable:
    """Share of true values inside their 68 % intervals, by quantity and by what surrounds clumps."""
    rows, marks = [], []
    found = {(str(r["quantity"]), str(r["filter"]), str(r["group"])): r for r in coverage}
    for quantity, name in dict.fromkeys((key[0], key[1]) for key in found):
        cells = []
        every = found.get((quantity, name, "all"))
        for group in _COVERAGE_GROUPS:
            r = found.get((quantity, name, group))
            share = np.nan if r is None else r["inside_95" if quantity == "r_eff_limit" else "inside_68"]
            cells.append("" if np.isnan(share) else f"{100 * share:.0f} % of {r['n']}")
        width = (
            ""
            if every is None or np.isnan(every["pull_width"])
            else f"{every['pull_median']:+.2f}, {every['pull_width']:.2f}"
        )
        rows.append((f"{quantity} {name}".strip(), *cells, width))
        good = every is not None and not np.isnan(every["inside_68"])
        low, high = _GOOD_SHARE
        inside = good and low - every["inside_68_err"] <= every["inside_68"] <= high + every["inside_68_err"]
        marks.append(("good" if inside else "bad") if good else "")
    heads = ("quantity", *(group.replace("_", " ") for group in _COVERAGE_GROUPS), "pull: median, width")
    left_out = ", ".join(f"{count} {name}" for name, count in coverage.meta.get("excluded", {}).items())
    caption = (
        "r_eff_limit: share of upper limits (97.5 %) above the truth. Left out, with the flag that excludes them: "
        + (left_out or "none")
        + "."
    )
    return TextTable(
        "Share of true values inside 68 % intervals", heads, tuple(rows), tuple(marks), caption=caption
    )


def recovered_table(recovered: Table) -> TextTable:
    """Population numbers of all redshifts and of each bin, beside those of the truth."""
    rows = [
        (
            f"{r['quantity']} ({r['number']}; {str(r['table']).replace('_', ' ')})".lstrip(),
            _group("redshift", r["low"], r["high"]),
            _with_errors(r["value"], r["err_lo"], r["err_hi"], 2, str(r["quantity"])),
            number(r["sample_truth"]),
            number(r["field_truth"]),
            f"{r['n']} of {r['n_field']}",
        )
        for r in recovered
    ]
    heads = (
        "quantity",
        "redshift",
        "measured",
        "of the same clumps, without errors",
        "of all clumps of the field",
        "n",
    )
    return TextTable("Population numbers beside the truth", heads, tuple(rows))


def statements_table(statements: Table) -> TextTable:
    """C25's statements, recovered beside injected."""
    rows, marks = [], []
    for r in statements:
        digits = 0 if str(r["unit"]) == "pc" else 2
        errors = r["recovered"] - r["lo"], r["hi"] - r["recovered"]
        rows.append(
            (
                f"{r['statement']} ({r['section']})",
                f"{str(r['quantity']).replace('_', ' ')}{', ' + str(r['unit']) if str(r['unit']) else ''}",
                str(r["group"]).replace("_", " "),
                number(r["injected"], digits),
                _with_errors(r["recovered"], *errors, digits, str(r["quantity"]).partition("_")[2]),
                str(r["inside"]),
                number(r["same_clumps"], digits),
                str(r["inside_same"]),
                f"{r['n']} of {r['n_injected']}",
            )
        )
        marks.append({"yes": "good", "no": "bad"}.get(str(r["inside"]), ""))
    held = {name: [str(one) for one in statements[name] if str(one)] for name in ("inside", "inside_same")}
    everything, same = (f"{found.count('yes')} of {len(found)}" for found in held.values())
    heads = ("statement (section of C25)", "number", "clumps", "injected", "recovered", "inside 68 %", "of the same clumps", "inside 68 %", "n")  # fmt: skip
    caption = (
        f"{everything} intervals hold what was injected, the number of all clump images in the measured galaxies; {same} hold that of the true values of the "
        "same clumps."
    )
    return TextTable("C25's statements beside what was injected", heads, tuple(rows), tuple(marks), caption)


def _size(sigma_px: float) -> str:
    if np.isnan(sigma_px):
        return "all"
    return f"σ = {sigma_px:g} px" if sigma_px > 0 else "point source"


def completeness_table(limits: Table) -> TextTable:
    """Limiting fluxes of injected clumps, at the median brightness of what they lie on."""
    rows = [
        (str(r["filter_ref"]), _size(r["sigma_px"]), str(r["criterion"]),
         *(f"{number(r[f'flux_{p}_njy'], 1)} ± {number(r[f'flux_{p}_err_njy'], 1)}" for p in (50, 80, 90)))
        for r in limits if not np.isfinite([r["host_low"], r["host_high"]]).any()
    ]  # fmt: skip
    heads = ("filter", "injected", "criterion", "50 % [nJy]", "80 % [nJy]", "90 % [nJy]")
    caption = "Observed fluxes at which this share is detected, or counted in statistics: with enough bands, without excluding flags."
    return TextTable("Completeness of injected clumps", heads, tuple(rows), caption=caption)


def injection_table(recovery: Table) -> TextTable:
    """How well injected clumps were measured in the reference filter."""
    rows = [
        (_size(r["sigma_px"]), f"{number(r['depth_ratio_low'], 1)} to {number(r['depth_ratio_high'], 1)}", str(r["n"]),
         f"{number(r['flux_ratio'])} ± {number(r['flux_ratio_err'])}", number(r["flux_scatter"]), number(r["pull_width"]),
         f"{100 * r['catastrophic']:.0f} %", number(r["size_ratio"]))
        for r in recovery if str(r["filter"]) == "reference"
    ]  # fmt: skip
    heads = (
        "injected",
        "flux / limit",
        "detected",
        "flux ratio",
        "scatter",
        "pull width",
        "far off",
        "size ratio",
    )
    caption = "Measured over true. Faint clumps are found where noise is in their favour, so their fluxes come out high."
    return TextTable("Recovery of injected clumps", heads, tuple(rows), caption=caption)


def psf_table(psfs: Table) -> TextTable:
    """Width, sampling and error of every filter's PSF, and what a reader should know of it."""
    rows = [
        (str(r["filter"]), f"{1e3 * r['fwhm_arcsec']:.0f}", _over_field(r), number(r["sampling_px"]), f"{r['oversampling']:.3g}",
         f"{r['n_stars']} stars" if str(r["source"]) == "stars" else "given", f"{100 * r['flux_error']:.1f} %",
         str(r["notes"]))
        for r in psfs
    ]  # fmt: skip
    heads = (
        "filter",
        "FWHM [mas]",
        "over the field",
        "FWHM [px]",
        "samples a pixel side",
        "from",
        "error of fluxes",
        "notes",
    )
    marks = tuple("bad" if r["oversampling"] == 1 and r["sampling_px"] < 2 else "" for r in psfs)
    caption = "A PSF narrower than two pixels and known on whole pixels alone biases fluxes; clumps so measured have the flag undersampled_psf."
    return TextTable("Point-spread functions", heads, tuple(rows), marks, caption)


def _over_field(row: Table.Row) -> str:
    low, high = (100 * (float(row[end]) - 1.0) for end in ("fwhm_low", "fwhm_high"))
    return f"{low:+.0f} to {high:+.0f} %" if high > low else "the same"


def published_table(comparison: Table) -> TextTable:
    """Our values beside the published ones."""

    def cell(row: Table.Row, who: str) -> str:
        low, value, high = (float(row[f"{who}{end}"]) for end in ("_lo", "", "_hi"))
        span = f"{number(low)} to {number(high)}" if np.isfinite([low, high]).all() else ""
        return (
            " ".join(
                part for part in (number(value) if np.isfinite(value) else "", span and f"({span})") if part
            )
            or "–"
        )

    rows = [
        (f"{r['quantity']} [{_unit(str(r['unit']))}]".removesuffix(" []"), cell(r, "published"), cell(r, "ssp"), cell(r, "reference"), str(r["reason"]))
        for r in comparison
    ]  # fmt: skip
    heads = ("quantity", "published", "SSP grid", "reference history", "why they differ")
    caption = (
        "In brackets 16 to 84 % of the clusters; three sigma for the stack; smallest to largest for M/L."
    )
    return TextTable("Beside the published values (F22)", heads, tuple(rows), caption=caption)


def stack_table(stacks: Table) -> TextTable:
    """Our stack's fluxes beside the published one's."""
    rows = [
        (str(r["filter"]), f"{r['flux_njy']:.2f} ± {r['flux_err_njy']:.2f}",
         f"{r['published_flux_njy']:.2f} ± {r['published_flux_err_njy']:.2f}", f"{r['ratio']:.3f}",
         *(f"{100 * (r[f'{who}flux_njy'] / r[f'{who}model_njy'] - 1):+.1f} %".replace("-", "−") for who in ("", "published_")))
        for r in stacks
    ]  # fmt: skip
    heads = (
        "filter",
        "our stack [nJy]",
        "F22 Table 2 [nJy]",
        "ratio",
        "ours over its best model",
        "Table 2 over its best model",
    )
    caption = (
        "Ours is the median of the clusters' fluxes, F22's the photometry of median-combined images. The last columns are what no model of the grid "
        "explains; compare them with the errors of 0.5 to 2 %."
    )
    return TextTable("The stack, band by band", heads, tuple(rows), caption=caption)


def _unit(unit: str) -> str:
    inside = unit[4:-1] if unit.startswith("dex(") else unit
    return inside.replace("sun", "☉")
