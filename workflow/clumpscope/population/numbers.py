"""Numbers of a field as a paper quotes them: one flat list, as YAML and as LaTeX macros."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import yaml
from astropy.table import Table

from .statistics import clustered_variance, share_below

__all__ = ["as_latex", "as_yaml", "paper_numbers"]

_WORDS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def paper_numbers(clumps: Table, tables: Mapping[str, Table]) -> dict[str, dict]:
    """Counts, shares, medians, correlations, gradients and slopes.

    Parameters
    ----------
    clumps : Table
        Clumps that count (`clumpscope.population.sample`).
    tables : mapping of str to Table
        Of `clumpscope.population.products.population_tables`.

    Returns
    -------
    dict of str to dict
        By name: value, and where known err_lo, err_hi, unit, n. What is not finite is left out.
    """
    found: dict[str, dict] = {}

    def put(
        name: str,
        value: float,
        low: float = np.nan,
        high: float = np.nan,
        unit: str = "",
        n: int | None = None,
    ) -> None:
        if not np.isfinite(value):
            return
        row = {"value": float(value) if isinstance(value, (float, np.floating)) else int(value)}
        row |= {key: float(error) for key, error in (("err_lo", low), ("err_hi", high)) if np.isfinite(error)}
        row |= {"unit": unit} if unit else {}
        found[name] = row | ({"n": int(n)} if n is not None else {})

    owner = np.asarray(clumps["galaxy"], str)
    put("n_clumps", len(clumps))
    put("n_galaxies", np.unique(owner).size)
    if "class" in clumps.colnames:
        kind = np.asarray(clumps["class"], str)
        for name in ("unresolved", "compact", "extended"):
            _put_share(put, f"share_{name}", kind == name, owner)
    if "r_eff_pc" in clumps.colnames:
        radius = _floats(clumps, "r_eff_pc")
        is_limit = np.asarray(clumps["r_eff_limit"], bool)
        for limit in (20, 100, 200):
            share = share_below(radius, is_limit, limit)
            unknown = is_limit & (radius > limit)
            put(f"share_below_{limit}pc", share, n=int((np.isfinite(radius) & ~unknown).sum()))
            put(f"n_size_limits_above_{limit}pc", int(unknown.sum()))
    age = _floats(clumps, "log_age_mw_yr_p50")
    known = np.isfinite(age)
    _put_share(put, "share_older_300myr", age[known] > np.log10(3e8), owner[known])
    error = 0.5 * (_floats(clumps, "log_age_mw_yr_p84") - _floats(clumps, "log_age_mw_yr_p16"))
    if np.isfinite(error).any():
        low, middle, high = np.nanpercentile(error, [25, 50, 75])
        for name, value in (("median", middle), ("quartile_1", low), ("quartile_3", high)):
            put(f"age_error_{name}", value, unit="dex", n=int(np.isfinite(error).sum()))
    for row in tables["medians"]:
        put(f"median_{_plain(row['property'])}{_bin('z', row['z_low'], row['z_high'])}", row["median"], row["err_lo"],
            row["err_hi"], n=row["n"])  # fmt: skip
    for row in tables["mass_function_fits"]:
        name = f"{row['law']}{_bin(str(row['by']), row['low'], row['high'])}"
        for key, unit in (("alpha", ""), ("log_mass_cut", "dex(Msun)")):
            put(
                f"mass_function_{key}_{name}",
                row[key],
                row[f"{key}_err_lo"],
                row[f"{key}_err_hi"],
                unit,
                row["n_fitted"],
            )
    for row in tables["host_correlations"]:
        name = f"{row['y']}_with_{row['x']}"
        put(f"r_{name}", row["r"], n=row["n"])
        put(f"p_{name}", row["p"])
        put(f"slope_{name}", row["slope"], row["slope_err"], row["slope_err"])
    for row in tables["gradient_slopes"]:
        name = f"gradient_{row['quantity']}{_bin(str(row['by']), row['low'], row['high'])}"
        put(name, row["slope"], row["slope_err"], row["slope_err"], "dex / kpc", row["n"])
    if len(tables["host_relations"]):
        put("n_hosts_exceeded_by_clumps", int(np.sum(tables["host_relations"]["exceeds_host"])))
    return found


def _floats(table: Table, name: str) -> np.ndarray:
    return (
        np.ma.asarray(table[name], dtype=float).filled(np.nan)
        if name in table.colnames
        else np.full(len(table), np.nan)
    )


def _put_share(put, name: str, member: np.ndarray, owner: np.ndarray) -> None:
    """A share with its standard error: values of one galaxy are drawn together, as sums over galaxies scatter."""
    if not member.size:
        return
    share = float(member.mean())
    error = np.sqrt(clustered_variance(member - share, owner))
    put(name, share, error, error, n=member.size)


def _plain(name: str) -> str:
    return str(name).removesuffix("_p50")


def _bin(by: str, low: float, high: float) -> str:
    """Ending that names a bin; none for everything."""
    if by == "all" or (np.isinf(low) and np.isinf(high)):
        return ""
    return f"_{by}_{low:.3g}_{high:.3g}".replace("-inf", "min").replace("inf", "max")


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
        return f"{value:.2g}" if abs(value) < 0.1 else f"{value:.2f}"
    digits = max(1 - int(np.floor(np.log10(error))), 0)
    if low == high:
        return f"{value:.{digits}f} \\pm {low:.{digits}f}"
    return f"{value:.{digits}f}^{{+{high or 0:.{digits}f}}}_{{-{low or 0:.{digits}f}}}"
