"""Population numbers beside those of the truth: of the same clumps, and of all there are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.table import Table

from .products import population_tables
from .sample import POSTERIORS, population_sample
from .truth import match_clumps, reference_fwhm

__all__ = ["recovered_populations", "true_clumps", "without_errors"]

_PERCENTS = (16, 50, 84)
# Of each table: what tells its rows apart (bins last), and its numbers with their errors on each side.
_NUMBERS: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, str]]]] = {
    "medians": (("property", "z_low", "z_high"), {"median": ("err_lo", "err_hi")}),
    "surface_density": (("quantity", "class", "z_low", "z_high"), {"median": ("err_lo", "err_hi")}),
    "mass_function_slopes": (("by", "low", "high"), {"slope": ("slope_err", "slope_err")}),
    "host_correlations": (("x", "y"), {"slope": ("slope_err", "slope_err"), "r": ("", "")}),
    "gradient_slopes": (
        ("quantity", "by", "low", "high"),
        {"slope": ("slope_err", "slope_err"), "r": ("", "")},
    ),
}
# Bins of equal numbers lie elsewhere for other clumps.
_OF_NUMBERS = ("host_mass", "magnification")
_FEWEST = 3


def true_clumps(
    measured: Table, truth: Table, galaxies: Table, psf: Table, min_broad_bands: int, poor_fit: bool = False
) -> tuple[Table, Table]:
    """True clumps as catalogues that statistics take: those that count, and all in the measured galaxies.

    Parameters
    ----------
    measured, truth, galaxies, psf
        As of `recovered_populations`.
    min_broad_bands : int
        Broad bands with S/N > 3 that a clump needs.
    poor_fit : bool
        Whether clumps whose best fit is improbable count.

    Returns
    -------
    same, everything : Table
        The first in the bins, classes and with the size limits of the measured ones.
    """
    partner, _ = match_clumps(measured, truth, reference_fwhm(truth, psf))
    counted = population_sample(measured, min_broad_bands, poor_fit)
    matched = partner >= 0
    matched[matched] = counted[partner[matched]]
    measured_there = np.isin(truth["galaxy"], galaxies["id"][galaxies["fate"] == "selected"])
    return _catalogue(truth[matched], measured[partner[matched]]), _catalogue(truth[measured_there])


def recovered_populations(measured: Table, truth: Table, galaxies: Table, psf: Table, tables: Mapping[str, Table],
                          settings: Mapping[str, Any]) -> Table:  # fmt: skip
    """Numbers of population tables, with what they would be if every clump were measured without an error.

    Parameters
    ----------
    measured : Table
        The catalogue.
    truth : Table
        True clump images, in the catalogue's words.
    galaxies : Table
        True galaxies: id, fate, log_mass, log_sfr100.
    psf : Table
        filter, fwhm_arcsec.
    tables : mapping of str to Table
        Population tables of the catalogue (`clumpscope.population.products.population_tables`).
    settings : mapping
        Of these tables: redshift_bins, min_broad_bands and so on.

    Returns
    -------
    Table
        table, quantity, number (slope, median, r), low, high (of the redshift bin; infinite where there is none), n, value,
        err_lo, err_hi; sample_truth (the same number from the true values of the same clumps: what measuring does);
        field_truth (from all true images of clumps: what finding and selecting does besides), n_field.

    Notes
    -----
    Errors are those of a sample of this size: they hold for field_truth if the selection does no harm; of sample_truth they
    are larger than need be. Errors of r by Fisher's transformation.
    """
    hosts = without_errors(galaxies, ("log_mass", "log_sfr100"))
    hosts["id"] = np.asarray(galaxies["id"], dtype=str)
    given = Table({"id": hosts["id"], "z": galaxies["z"], "mu": np.ones(len(galaxies))})

    def numbers_of(catalogue: Table) -> dict[tuple, tuple]:
        return _numbers(population_tables(catalogue, hosts, given, **settings))

    same, everything = true_clumps(
        measured, truth, galaxies, psf, settings["min_broad_bands"], settings.get("poor_fit", False)
    )
    own, of_sample, of_field = _numbers(tables), numbers_of(same), numbers_of(everything)
    missing = np.nan, 0, np.nan, np.nan
    rows = []
    for key, (value, n, below, above) in own.items():
        if n >= _FEWEST and np.isfinite(value):
            in_sample, in_field = of_sample.get(key, missing), of_field.get(key, missing)
            rows.append((*key, n, value, below, above, in_sample[0], in_field[0], in_field[1]))
    names = ["table", "quantity", "number", "low", "high", "n", "value", "err_lo", "err_hi", "sample_truth", "field_truth", "n_field"]  # fmt: skip
    types = [str, str, str, float, float, int, *[float] * 5, int]
    return Table(rows=rows, names=names, dtype=types) if rows else Table(names=names, dtype=types)


def without_errors(table: Table, names: tuple[str, ...]) -> Table:
    """True values (columns `names`, those there are) as percentiles without an error."""
    return Table({f"{name}_p{p}": np.asarray(table[name], dtype=float) for name in names if name in table.colnames
                  for p in _PERCENTS})  # fmt: skip


def _catalogue(truth: Table, like: Table | None = None) -> Table:
    """True clumps as a catalogue that statistics take; in the bins, classes and with the size limits of the measured ones."""
    catalogue = without_errors(truth, POSTERIORS)
    for name in ("id", "galaxy", "z", "class", "central", "distance_kpc", "mu", "m_v_ab", "r_eff_pc"):
        if name in truth.colnames:
            catalogue[name] = truth[name]
    catalogue["flags"], catalogue["r_eff_limit"] = 0, False
    for name in ("z", "class", "flags", "r_eff_limit", "n_bands_snr3") if like is not None else ():
        if name in like.colnames:
            catalogue[name] = like[name]
    if like is None:
        catalogue["n_bands_snr3"] = np.iinfo(np.int32).max
    return catalogue


def _numbers(tables: Mapping[str, Table]) -> dict[tuple, tuple]:
    """(value, n, error below, error above) by table, quantity, number, and bin."""
    found = {}
    for name, (keys, numbers) in _NUMBERS.items():
        for row in tables.get(name, ()):
            binned = keys[-2].endswith("low")
            words, bin_ = (keys[:-2], keys[-2:]) if binned else (keys, ())
            if any(str(row[word]) in _OF_NUMBERS for word in words):
                continue
            quantity = ", ".join(
                str(row[word]) for word in words if str(row[word]) not in ("all", "redshift")
            )
            edges = tuple(float(row[edge]) for edge in bin_) or (-np.inf, np.inf)
            for number, errors in numbers.items():
                value, n = float(row[number]), int(row["n"])
                below, above = (
                    float(row[e]) if e else _fisher(value, n, sign)
                    for e, sign in zip(errors, (-1, 1), strict=True)
                )
                found[name, quantity, number, *edges] = value, n, below, above
    return found


def _fisher(r: float, n: int, sign: int) -> float:
    """Error of a correlation on one side."""
    if n <= 3 or not abs(r) < 1:
        return np.nan
    return abs(np.tanh(np.arctanh(r) + sign / np.sqrt(n - 3)) - r)
