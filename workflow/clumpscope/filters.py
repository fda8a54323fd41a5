"""The one table of filters, the names that people call them by, and their transmission curves (from sedpy)."""

import csv
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from .errors import InputError
from .resources import resource

__all__ = [
    "Filter",
    "Resolved",
    "filter_names",
    "get_filter",
    "measured_filters",
    "resolve_filter",
    "three_filters",
    "transmission",
]

# Cameras beyond the table: what their filters' names here end in, and the channel.
_CAMERAS = {
    "jwst": ("", ""),
    "jwst_niriss": ("n", "niriss"),
    "wfc3_uvis": ("u", "uvis"),
    "wfc3_ir": ("", "ir"),
    "acs_wfc": ("", "acs"),
}
# A filter's name as its makers write it: F150W, F850LP, F150W2; grizli marks UVIS by u and NIRISS by n.
_ELEMENT = re.compile(r"(?P<short>f\d{3,4}(?P<width>w2|lp|w|m|n))(?P<camera>[un]?)")
_WIDTHS = {"n": 0, "m": 1, "w": 2, "lp": 2, "w2": 3}
_CHANNELS = {name: (name,) for name in ("acs", "uvis", "ir", "niriss", "miri")} | {"nircam": ("sw", "lw")}


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
        ``broad``, ``medium`` or ``narrow``.
    channel : str
        ``sw`` or ``lw`` (NIRCam), ``niriss``, ``miri``, ``acs``, ``uvis`` or ``ir`` (HST); empty for other telescopes.
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
    return {str(row["name"]): Filter(**row) for row in values}


def filter_names() -> list[str]:
    """Names of all filters of the table."""
    return list(_table())


@cache
def _beyond_table() -> dict[str, Filter]:
    """Every other filter that sedpy knows: those of HST and JWST by a short name, the rest by sedpy's own."""
    from sedpy import observate  # slow to import, and seldom needed

    known = {band.sedpy for band in _table().values()}
    found = {}
    for sedpy in observate.list_available_filters():
        camera, _, short = sedpy.rpartition("_")
        if sedpy in known or camera in (
            "jwst_moda",
            "jwst_modb",
        ):  # one module's curves; `jwst_` is their mean
            continue
        suffix, channel = _CAMERAS.get(camera, (None, ""))
        if camera == "jwst" and re.fullmatch(r"f\d{4}w|f560w|f770w", short):
            channel = "miri"
        name = sedpy if suffix is None else f"{short}{suffix}".upper()
        kind = (
            {"m": "medium", "n": "narrow"}.get(short.rstrip("0123456789")[-1:], "broad")
            if channel
            else "broad"
        )
        found[name] = Filter(name, sedpy, kind, channel, *[float("nan")] * 3)
    return found


def get_filter(name: str, where: str = "filter name") -> Filter:
    """One filter by its name in configurations and columns.

    Raises
    ------
    InputError
        If the name is unknown; it suggests the filter that is meant, or the nearest one. `where` tells the user the
        place.
    """
    if name in _table():
        return _table()[name]
    if name in _beyond_table():
        return _beyond_table()[name]
    try:
        near = [resolve_filter(name).name]
    except InputError:
        near = difflib.get_close_matches(str(name).upper(), _table(), n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(_table())}, and the filters of sedpy."
    raise InputError(where, repr(name), "a filter of resources/filters.csv", hint)


class Resolved(NamedTuple):
    """A filter that was found by one of its names, and what was taken for it."""

    name: str
    how: str


@cache
def resolve_filter(text: str, where: str = "filter name") -> Resolved:
    """Find the filter that people mean by a name.

    Parameters
    ----------
    text : str
        Such as ``f200w``, ``F200W-CLEAR``, ``CLEAR;F200W``, ``f150w2-f162m`` (F162M in the pupil wheel, behind F150W2),
        ``acs_wfc_f814w``, ``HST/WFC3_UVIS.F606W``, ``f606wu`` and ``f150wn`` (UVIS and NIRISS in grizli's files), or any
        filter of sedpy.
    where : str
        The place of the name, for messages.

    Returns
    -------
    Resolved
        The filter's name here, and a sentence that says what was taken.

    Raises
    ------
    InputError
        If no filter, or more than one, is meant.
    """
    text = str(text).strip()
    for name, band in _table().items():
        if text.lower() in (name.lower(), band.sedpy.lower()):
            return Resolved(name, f"{text} is {name} ({band.sedpy})")
    words = [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]
    elements = [match for word in words if (match := _ELEMENT.fullmatch(word))]
    # Light passes filter and pupil wheel: the narrower of two elements makes the band.
    elements = sorted(
        {match[0]: match for match in elements}.values(), key=lambda match: _WIDTHS[match["width"]]
    )
    bands, camera, short = _table(), "", elements[0]["short"] if elements else ""
    if elements:
        camera = {"u": "uvis", "n": "niriss"}.get(elements[0]["camera"], "")
        camera = next((word for word in words if word in _CHANNELS), camera)
    # By the short name alone, the camera of the table is meant; only beyond it are sedpy's own names looked at.
    if camera or short.upper() not in bands:
        bands = {**bands, **_beyond_table()}
        for name, band in bands.items():
            if text.lower() in (name.lower(), band.sedpy.lower()):
                return Resolved(name, f"{text} is {name} ({band.sedpy})")
    if not elements or (len(elements) > 1 and len({_WIDTHS[match["width"]] for match in elements[:2]}) == 1):
        found = " and ".join(match[0].upper() for match in elements) or "no filter's name in it"
        raise InputError(
            where, f"{text!r}: {found}", "one filter, such as F150W, F200W-CLEAR or acs_wfc_f814w"
        )
    candidates = {
        name: band
        for name, band in bands.items()
        if band.sedpy.rpartition("_")[2] == short and (not camera or band.channel in _CHANNELS[camera])
    }
    chosen = next(iter(candidates), None)
    if chosen is None or (short.upper() not in candidates and len(candidates) > 1):
        raise InputError(
            where, f"{text!r}, of which {', '.join(candidates) or 'no transmission curve'} is known",
            "a filter that sedpy has", "Name it as sedpy does.",
        )  # fmt: skip
    other = [match[0].upper() for match in elements[1:]]
    behind = f", in the pupil wheel with {other[0]}" if other else ""
    return Resolved(chosen, f"{text} is {chosen} ({candidates[chosen].sedpy}){behind}")


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


def measured_filters(columns: Sequence[str]) -> list[str]:
    """Filters of which a catalogue has a flux and its error among its columns, by wavelength."""
    fluxes = (name.removeprefix("flux_").removesuffix("_njy") for name in columns if name.startswith("flux_"))
    # Nothing but a flux has an error: columns of errors, which are called like fluxes, have none.
    names = [name for name in fluxes if f"flux_{name}_err_njy" in columns]
    return sorted(names, key=lambda name: get_filter(name).pivot_angstrom)


def three_filters(names: Sequence[str]) -> tuple[str, str, str]:
    """Filters for red, green and blue: the broad ones (W) where there are three, at the ends and in the middle in log wavelength."""
    broad = [name for name in names if name.endswith("W")]
    ordered = sorted(broad if len(broad) >= 3 else names, key=lambda name: get_filter(name).pivot_angstrom)
    logarithm = np.log([get_filter(name).pivot_angstrom for name in ordered])
    middle = int(np.argmin(np.abs(logarithm - 0.5 * (logarithm[0] + logarithm[-1]))))
    return ordered[-1], ordered[middle], ordered[0]
