"""Numbers of a field as a paper quotes them: one flat list, as YAML and as LaTeX macros."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import yaml
from astropy.table import Table, vstack

from .summary import STATISTIC_COLUMNS

__all__ = ["as_latex", "as_yaml", "paper_numbers", "with_mass_functions", "with_published"]

_WORDS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_BIN_NAMES = {"redshift": "z", "magnification": "mu"}


def _appended(statistics: Table, rows: Sequence[tuple]) -> Table:
    if not rows:
        return statistics
    more = Table(
        rows=list(rows), names=STATISTIC_COLUMNS, dtype=[str, str, int, float, float, float, str, str]
    )
    return vstack([statistics, more], metadata_conflicts="silent")


def _group_of(row) -> str:
    """Name of a mass function's group."""
    low, high = float(row["low"]), float(row["high"])
    if np.isinf([low, high]).all():
        return "all"
    group = f"{_BIN_NAMES[str(row['by'])]}_{low:.3g}_{high:.3g}"
    return group.replace("-inf", "min").replace("inf", "max")


def with_mass_functions(statistics: Table, fits: Table, slopes: Table) -> Table:
    """Statistics and, below them, the mass functions: slopes above a limit (C25's way), and laws by full likelihood.

    Parameters
    ----------
    statistics : Table
        Of `clumpscope.population.summary.population_statistics`.
    fits : Table
        Of `clumpscope.population.mass_function.likelihood_fits`.
    slopes : Table
        Of `clumpscope.population.mass_function.mass_functions`.
    """
    rows = []
    for line in slopes:
        value, error = float(line["slope"]), float(line["slope_err"])
        if np.isfinite(value):
            text = (
                f"Slope of N(> M) above 10^{line['log_mass_limit']:.2f} Msun (limit: {line['limit_source']})."
            )
            rows.append(
                ("mass_function_slope", _group_of(line), int(line["n_above_limit"]), value, value - error, value + error, "", text)
            )  # fmt: skip
    preferred: dict[str, Any] = {}
    for fit in fits:
        group, law = _group_of(fit), str(fit["law"])
        best = preferred.get(group)
        if np.isfinite(fit["alpha"]) and (best is None or fit["log_bayes_factor"] > best["log_bayes_factor"]):
            preferred[group] = fit
        for key, unit, words in (
            ("alpha", "", "Slope of dN/dM"),
            ("log_mass_cut", "dex(Msun)", "log of the truncation mass"),
            ("log_mass_break", "dex(Msun)", "log of the mass where it breaks"),
            ("beta", "", "Slope of dN/dM below the break"),
        ):
            value = float(fit[key])
            if np.isfinite(value):
                ends = value - fit[f"{key}_err_lo"], value + fit[f"{key}_err_hi"]
                text = f"{words}, {law.replace('_', ' ')} mass function by full likelihood."
                rows.append(
                    (f"mass_function_{key}_{law}", group, int(fit["n_fitted"]), value, *ends, unit, text)
                )
    # Of the laws, the one that the data prefer.
    for group, fit in preferred.items():
        ends = fit["alpha"] - fit["alpha_err_lo"], fit["alpha"] + fit["alpha_err_hi"]
        law = str(fit["law"]).replace("_", " ")
        text = f"Slope of dN/dM by full likelihood, of the law with the largest evidence ({law})."
        rows.append(
            ("mass_function_alpha", group, int(fit["n_fitted"]), float(fit["alpha"]), *ends, "", text)
        )
    return _appended(statistics, rows)


def with_published(statistics: Table, comparison: Table) -> Table:
    """Statistics and, below them, our values of what was published.

    Parameters
    ----------
    statistics : Table
        Of `clumpscope.population.summary.population_statistics`.
    comparison : Table
        Of `clumpscope.population.published.compare_published`.
    """
    rows = []
    for row in comparison:
        name = re.sub(r"[^a-z0-9]+", "_", str(row["quantity"]).lower()).strip("_")
        for who, words in (("ssp", "grid of simple stellar populations"), ("reference", "reference history")):
            if np.isfinite(row[who]):
                text = f"{str(row['quantity'])[:1].upper()}{str(row['quantity'])[1:]}: {words}."
                rows.append((name, who, int(row["n"]), row[who], row[f"{who}_lo"], row[f"{who}_hi"], str(row["unit"]), text))  # fmt: skip
    return _appended(statistics, rows)


def paper_numbers(statistics: Table) -> dict[str, dict]:
    """Statistics by name, but those of single galaxies.

    Parameters
    ----------
    statistics : Table
        quantity, group, n, value, lo, hi, unit.

    Returns
    -------
    dict of str to dict
        By quantity and group (none for ``all``): value, and where known err_lo, err_hi, unit, n. What is not finite is left out.
    """
    found: dict[str, dict] = {}
    for row in statistics:
        quantity, group, value = str(row["quantity"]), str(row["group"]), float(row["value"])
        if group.startswith("galaxy_") or not np.isfinite(value):
            continue
        entry: dict = {"value": int(value) if quantity.startswith(("n_", "clusters_")) else value}
        errors = {"err_lo": value - float(row["lo"]), "err_hi": float(row["hi"]) - value}
        entry |= {name: error for name, error in errors.items() if np.isfinite(error)}
        entry |= {"unit": str(row["unit"])} if str(row["unit"]) else {}
        found[quantity if group == "all" else f"{quantity}_{group}"] = entry | {"n": int(row["n"])}
    return found


def as_yaml(numbers: Mapping[str, Mapping]) -> str:
    """YAML text."""
    return yaml.safe_dump({name: dict(row) for name, row in numbers.items()}, sort_keys=False)


def as_latex(numbers: Mapping[str, Mapping]) -> str:
    r"""One ``\newcommand`` a number, named in camel case with digits spelled out, value and errors rounded to two digits of the error."""
    return "".join(
        f"\\newcommand{{\\{_macro(name)}}}{{\\ensuremath{{{_value(row)}}}}}\n"
        for name, row in numbers.items()
    )


def _macro(name: str) -> str:
    words: Sequence[str] = re.split(r"[^A-Za-z0-9]+", name.replace(".", "p").replace("-", "m"))
    text = words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])
    return "".join(_WORDS[int(letter)] if letter.isdigit() else letter for letter in text)


def _value(row: Mapping) -> str:
    value, low, high = row["value"], row.get("err_lo"), row.get("err_hi")
    if isinstance(value, int):
        return str(value)
    error = min((e for e in (low, high) if e), default=None)
    if error is None:
        text = f"{value:.2g}" if abs(value) < 0.1 else f"{value:.2f}"
        mantissa, _, power = text.partition("e")
        return f"{mantissa} \\times 10^{{{int(power)}}}" if power else text
    digits = max(1 - int(np.floor(np.log10(error))), 0)
    if low == high:
        return f"{value:.{digits}f} \\pm {low:.{digits}f}"
    return f"{value:.{digits}f}^{{+{high or 0:.{digits}f}}}_{{-{low or 0:.{digits}f}}}"
