"""The one table of filters, and their transmission curves (from sedpy)."""

import csv
import difflib
from dataclasses import dataclass
from functools import cache

import numpy as np

from .errors import InputError
from .resources import resource

__all__ = ["Filter", "filter_names", "get_filter", "transmission"]


@dataclass(frozen=True)
class Filter:
    """One filter.

    Attributes
    ----------
    name : str
        Name in configurations and columns, such as ``F150W``.
    sedpy : str
        Name of its transmission curve in sedpy.
    kind : str
        ``broad`` or ``medium``.
    channel : str
        ``sw`` or ``lw`` (NIRCam), ``acs``, ``uvis`` or ``ir`` (HST).
    mag_limit_ab, psf_fwhm_arcsec, reddening_mag : float
        Values of C25 Table 1 (NaN for HST); only the mock field uses them.
    """

    name: str
    sedpy: str
    kind: str
    channel: str
    mag_limit_ab: float
    psf_fwhm_arcsec: float
    reddening_mag: float

    @property
    def pivot_angstrom(self) -> float:
        """Pivot wavelength [Angstrom]."""
        wave, throughput = transmission(self.name)
        return float(np.sqrt(np.trapezoid(throughput * wave, wave) / np.trapezoid(throughput / wave, wave)))


@cache
def _table() -> dict[str, Filter]:
    with resource("filters.csv").open(newline="") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    texts = ("name", "sedpy", "kind", "channel")
    values = (
        {key: cell if key in texts else float(cell or "nan") for key, cell in row.items()} for row in rows
    )
    return {row["name"]: Filter(**row) for row in values}


def filter_names() -> list[str]:
    """Names of all known filters."""
    return list(_table())


def get_filter(name: str, where: str = "filter name") -> Filter:
    """One filter by name.

    Raises
    ------
    InputError
        If the name is unknown; it suggests the nearest one. `where` tells the user the place.
    """
    table = _table()
    if name not in table:
        near = difflib.get_close_matches(str(name).upper(), table, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(table)}."
        raise InputError(where, repr(name), "a filter of resources/filters.csv", hint)
    return table[name]


@cache
def transmission(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Transmission curve of a filter (photon-counting, as for an energy-flux integral of f_nu / nu).

    Returns
    -------
    wavelength_angstrom, throughput : (n,) arrays
        Increasing wavelength; throughput in arbitrary normalisation.
    """
    from sedpy import observate  # 0.4 s of imports that only synthetic photometry needs

    curve = observate.Filter(get_filter(name).sedpy)
    return curve.wavelength.copy(), curve.transmission.copy()
