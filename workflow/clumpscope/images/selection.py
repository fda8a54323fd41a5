"""Which galaxies are measured, and in which reference filter (C25 sections 3.1 and 3.3)."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ..errors import InputError
from ..filters import get_filter
from .edits import CLUMP_ACTIONS

if TYPE_CHECKING:
    from .mosaic import Mosaic

__all__ = [
    "REFERENCE_FILTERS", "covering_filters", "enough_clumps", "galaxy_rows", "reference_filter", "require_clumps",
    "require_galaxies", "select_galaxies",
]  # fmt: skip

# C25 section 3.3: F150W below z = 3.5, F200W below 6, F277W above (the limits are our reading).
REFERENCE_FILTERS = ((3.5, "F150W"), (6.0, "F200W"), (np.inf, "F277W"))


_PLACES = ("ra", "dec", "ra_to", "dec_to")


def select_galaxies(
    catalogue: Table,
    mu: Sequence[float] | None,
    filters: Collection[str],
    min_redshift: float = 0.7,
    min_magnification: float = 2.0,
    max_redshift_error: float = 0.5,
    reject: Collection[str] = (),
    rejected: Collection[str] = (),
    radius_arcsec: float = 1.5,
    reference_filters: Sequence[tuple[float, str]] = REFERENCE_FILTERS,
    covering: Sequence[Collection[str]] | None = None,
) -> Table:
    """Apply C25's criteria; keep every galaxy with the reason why it is or is not selected.

    Parameters
    ----------
    catalogue : Table
        id, ra, dec [deg], z; optional z_lo, z_hi (16 and 84 %), z_spec (true, or the redshift itself, where
        it is spectroscopic), mu, system, radius_arcsec. Checked already (`clumpscope.inputs.read_galaxies`).
    mu : (n,) sequence of float, optional
        Magnification of each galaxy. None: the catalogue's column ``mu``, else the criterion is not applied.
    filters : collection of str
        Filters with images.
    min_redshift, min_magnification : float
        Galaxies with z and |mu| above them are taken (C25: 0.7 and 2).
    max_redshift_error : float
        Photometric redshifts need (z84 - z16) / 2 below it. A catalogue without ``z_spec`` and
        without ``z_lo``, ``z_hi`` is taken as secure.
    reject : collection of str
        Identifiers refused in the configuration.
    rejected : collection of str
        Identifiers refused in the table of edits.
    radius_arcsec : float
        Radius of a galaxy without ``radius_arcsec`` in the catalogue.
    reference_filters : sequence of (float, str)
        Upper redshift and reference filter, in rising order.
    covering : (n,) sequence of collections of str, optional
        Filters whose images cover each galaxy, of `covering_filters`; its reference filter is one of them. Default: all.

    Returns
    -------
    Table
        id, ra, dec, z, z_lo, z_hi (equal to z where it is spectroscopic), system, mu, filter_ref, radius_arcsec, selected (bool), reason, in the catalogue's order.

    Raises
    ------
    InputError
        If there is no filter, or a rejected id is not in the catalogue.
    """
    names = catalogue.colnames
    identifiers = [str(value) for value in catalogue["id"]]
    unknown = sorted({str(value) for value in reject} - set(identifiers))
    if unknown:
        raise InputError("selection.reject", repr(unknown[0]), "an id of the galaxy catalogue")
    size = len(catalogue)
    redshift = np.asarray(catalogue["z"], dtype=float)
    if mu is None:
        mu = _filled(catalogue["mu"]) if "mu" in names else np.full(size, np.nan)
        unlensed = "mu" not in names
    else:
        mu, unlensed = np.asarray(mu, dtype=float), False
    secure, z_error = redshift_quality(catalogue)
    refused = {str(value) for value in reject}
    reasons = []
    for row in range(size):
        if identifiers[row] in refused:
            reason = "on the reject list"
        elif identifiers[row] in rejected:
            reason = "rejected in the edits table"
        elif covering is not None and not covering[row]:
            reason = "on no image"
        elif not redshift[row] > min_redshift:
            reason = f"z = {redshift[row]:.3f}, not above {min_redshift:g}"
        elif not secure[row] and not np.isfinite(z_error[row]):
            reason = "photometric redshift without an error"
        elif not secure[row] and not z_error[row] < max_redshift_error:
            reason = f"(z84 - z16) / 2 = {z_error[row]:.3f}, not below {max_redshift_error:g}"
        elif not unlensed and not np.isfinite(mu[row]):
            reason = "magnification unknown: outside the lens model, or not at the redshift it is for"
        elif not unlensed and not abs(mu[row]) > min_magnification:
            reason = f"mu = {mu[row]:.3f}, not above {min_magnification:g}"
        else:
            reason = ""
        reasons.append(reason)
    selected = [reason == "" for reason in reasons]
    here = [filters] * size if covering is None else [own or filters for own in covering]
    best = [reference_filter(z, own, reference_filters) for z, own in zip(redshift, here, strict=True)]
    radii = _filled(catalogue["radius_arcsec"]) if "radius_arcsec" in names else np.full(size, np.nan)
    system = [str(value) for value in catalogue["system"]] if "system" in names else identifiers
    table = Table(
        {
            "id": identifiers,
            "ra": np.asarray(catalogue["ra"], dtype=float),
            "dec": np.asarray(catalogue["dec"], dtype=float),
            "z": redshift,
            **_redshift_ends(catalogue, secure),
            "system": [s if s not in ("", "--") else i for s, i in zip(system, identifiers, strict=True)],
            "mu": np.abs(mu),
            "filter_ref": best,
            "radius_arcsec": np.where(radii > 0, radii, radius_arcsec),
            "selected": selected,
            "reason": reasons,
        }
    )
    table["radius_arcsec"].unit = "arcsec"
    return table


def covering_filters(mosaics: "Iterable[Mosaic]", galaxies: Table) -> list[list[str]]:
    """Filters whose images have data at each galaxy (ra, dec [deg]); mosaics are needed one at a time."""
    covering: list[list[str]] = [[] for _ in galaxies]
    for mosaic in mosaics:
        for own, row in zip(covering, galaxies, strict=True):
            if mosaic.covers(row["ra"], row["dec"]):
                own.append(mosaic.name)
    return covering


def galaxy_rows(selection: Table, edits: Table | None) -> dict[str, dict]:
    """What the jobs of every selected galaxy need to know: plain values, its own edits among them.

    Parameters
    ----------
    selection : Table
        Of `select_galaxies`.
    edits : Table, optional
        galaxy, action, ra, dec, ra_to, dec_to. What is said of whole galaxies measures nothing again, and is left out.
    """
    rows, chosen = {}, selection[selection["selected"]]
    for row in chosen:
        own = [] if edits is None else edits[np.asarray(edits["galaxy"]) == row["id"]]
        rows[str(row["id"])] = {
            **{key: str(row[key]) for key in ("id", "system", "filter_ref")},
            **{key: float(row[key]) for key in ("ra", "dec", "z", "z_lo", "z_hi", "radius_arcsec")},
            "edits": [
                {
                    **{key: str(edit[key]) for key in ("galaxy", "action")},
                    **{key: float(edit[key]) for key in _PLACES[: 4 if edit["action"] == "move" else 2]},
                }
                for edit in own
                if edit["action"] in CLUMP_ACTIONS
            ],
            "neighbours": _neighbours(chosen, row),
        }
    return rows


def _neighbours(galaxies: Table, row: Table.Row) -> list[list[float]]:
    """Centres [deg] and radii [arcsec] of the other galaxies whose circles overlap with one's."""
    east = (np.asarray(galaxies["ra"]) - row["ra"] + 180.0) % 360.0 - 180.0
    apart = 3600.0 * np.hypot(east * np.cos(np.deg2rad(row["dec"])), np.asarray(galaxies["dec"]) - row["dec"])
    near = (apart < row["radius_arcsec"] + np.asarray(galaxies["radius_arcsec"])) & (
        galaxies["id"] != row["id"]
    )
    return [[float(other[key]) for key in ("ra", "dec", "radius_arcsec")] for other in galaxies[near]]


def reference_filter(
    redshift: float,
    filters: Collection[str],
    reference_filters: Sequence[tuple[float, str]] = REFERENCE_FILTERS,
) -> str:
    """Detection and shape filter of a galaxy: C25's for its redshift, else the nearest in wavelength.

    Parameters
    ----------
    redshift : float
        Of the galaxy.
    filters : collection of str
        Filters with images.
    reference_filters : sequence of (float, str)
        Upper redshift and reference filter, in rising order; the last one's filter goes on above it.

    Raises
    ------
    InputError
        If there are none.
    """
    if not filters:
        raise InputError("images", "no filter", "at least one image")
    wanted = next((name for limit, name in reference_filters if redshift < limit), reference_filters[-1][1])
    if wanted in filters:
        return wanted
    pivot = get_filter(wanted).pivot_angstrom
    # Sorted first, so that equal distances do not depend on the configuration's order.
    return min(sorted(filters), key=lambda name: abs(np.log(get_filter(name).pivot_angstrom / pivot)))


def enough_clumps(n_clumps: int, redshift: float, n_min: int = 2, z_single: float = 5.5) -> bool:
    """Whether a galaxy has the clumps it needs: `n_min` below `z_single`, one above (C25 section 3.1)."""
    return n_clumps >= (n_min if redshift < z_single else 1)


def require_galaxies(selection: Table, where: str) -> None:
    """Refuse a selection of no galaxy, with the reasons and how often each was one.

    Parameters
    ----------
    selection : Table
        Of `select_galaxies`.
    where : str
        The catalogue.
    """
    if np.any(selection["selected"]):
        return
    # Numbers differ from galaxy to galaxy; what is said of them does not.
    kinds = Counter(re.sub(r" = -?[\d.]+", "", str(reason)) for reason in selection["reason"])
    told = "; ".join(f"{n} x {kind}" for kind, n in kinds.most_common())
    raise InputError(
        where, f"no galaxy of {len(selection)} to measure ({told})", "one at least",
        "Look at redshifts, positions and the lens model, or at the limits in `selection`.",
    )  # fmt: skip


def require_clumps(counts: Mapping[str, int], n_galaxies: int, where: str) -> None:
    """Refuse a field in which no galaxy has the clumps it needs.

    Parameters
    ----------
    counts : mapping of str to int
        Clumps of the galaxies that have enough.
    n_galaxies : int
        Galaxies looked at.
    where : str
        The field.
    """
    if not counts:
        raise InputError(
            where, f"none of {n_galaxies} galaxies with the clumps it needs", "one at least",
            "Look at the pictures detection.png; lower `detection.threshold` or `selection.min_clumps`, or add clumps by `edits`.",
        )  # fmt: skip


def redshift_quality(catalogue: Table) -> tuple[np.ndarray, np.ndarray]:
    """Tell spectroscopic redshifts, and half the 68 % interval of the others."""
    size, names = len(catalogue), catalogue.colnames
    error = np.full(size, np.nan)
    bounded = "z_lo" in names and "z_hi" in names
    if bounded:
        error = (_filled(catalogue["z_hi"]) - _filled(catalogue["z_lo"])) / 2
    if "z_spec" in names:
        values = catalogue["z_spec"]
        if values.dtype.kind in "US":
            secure = np.array([str(value).strip().lower() in ("true", "1", "yes", "t") for value in values])
        elif values.dtype.kind == "f":  # the spectroscopic redshift itself, empty where there is none
            secure = _filled(values) > 0
        else:
            secure = np.asarray(np.ma.filled(values, 0), dtype=bool)
    else:
        secure = np.full(size, not bounded)
    return secure, error


def _redshift_ends(catalogue: Table, secure: np.ndarray) -> dict[str, np.ndarray]:
    """The 16 and 84 % points of redshifts; of secure ones, and where they are unknown, the redshift itself."""
    redshift, ends = np.asarray(catalogue["z"], dtype=float), {}
    for name in ("z_lo", "z_hi"):
        end = _filled(catalogue[name]) if name in catalogue.colnames else redshift
        ends[name] = np.where(secure | ~np.isfinite(end), redshift, end)
    return ends


def _filled(column) -> np.ndarray:
    return np.ma.filled(np.ma.asarray(column, dtype=float), np.nan)
