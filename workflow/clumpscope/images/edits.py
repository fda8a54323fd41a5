"""A person's corrections to the detected clumps, and what is said of whole galaxies."""

import logging
from collections.abc import Mapping

import numpy as np
from astropy.table import Table, vstack

from ..errors import InputError
from ..flags import bit
from ..logs import in_doubt
from .cutouts import Cutout

__all__ = ["CLUMP_ACTIONS", "GALAXY_ACTIONS", "apply_edits", "merge_edits", "places_of"]

CLUMP_ACTIONS = ("add", "remove", "move")
"""What may be done to a clump; only these measure a galaxy again."""
GALAXY_ACTIONS = ("reject", "comment", "inspected")
"""What may be said of a galaxy."""

_SAME_ARCSEC = 0.01
"""Places nearer than this are one: a table has those of the clumps it is about."""

_log = logging.getLogger(__name__)


def apply_edits(
    clumps: Table,
    labels: np.ndarray,
    edits: Table,
    cutout: Cutout,
    galaxy: str,
    tolerance_arcsec: float,
    apart_arcsec: float,
) -> tuple[Table, np.ndarray]:
    """Remove, add and move clumps.

    Parameters
    ----------
    clumps : Table
        ra, dec [deg], x, y [mosaic pixels], flux_iso_njy, snr, flags.
    labels : (ny, nx) int array
        0, or 1 + row of `clumps`.
    edits : Table
        action (add, remove or move), ra, dec [deg], of ``move`` also ra_to, dec_to, of this galaxy, in the order in which
        they are applied.
    cutout : Cutout
        Where they apply.
    galaxy : str
        For messages.
    tolerance_arcsec : float
        ``remove`` and ``move`` take the nearest clump, no farther than this; when there is none, which happens when the
        settings of the detection were changed, a warning is logged.
    apart_arcsec : float
        ``add`` nearer than this to a clump does nothing, with a warning.

    Returns
    -------
    clumps, labels
        Added and moved clumps have the flag ``manual``; added ones have no pixels.

    Raises
    ------
    InputError
        If a place lies outside the cutout, or the action is not one of clumps.
    """
    clumps, labels = clumps.copy(), labels.copy()
    height, width = cutout.data.shape
    for number, edit in enumerate(edits, start=1):
        where = (
            f"edit {number} of galaxy {galaxy} ({edit['action']} ra={edit['ra']:.6f} dec={edit['dec']:.6f})"
        )
        action = str(edit["action"])
        if action not in CLUMP_ACTIONS:
            raise InputError(where, f"action {action!r}", f"one of {', '.join(CLUMP_ACTIONS)}")
        for ra, dec in places_of(edit):
            x_to, y_to = (float(value) for value in cutout.wcs.all_world2pix(ra, dec, 0))
            if not (-0.5 <= x_to < width - 0.5 and -0.5 <= y_to < height - 0.5):
                raise InputError(
                    where,
                    f"pixel x={x_to:.1f}, y={y_to:.1f} of its cutout",
                    f"a position inside {width} x {height}",
                )
        x, y = (float(value) for value in cutout.wcs.all_world2pix(edit["ra"], edit["dec"], 0))
        distance = (
            np.hypot(clumps["x"] - cutout.x0 - x, clumps["y"] - cutout.y0 - y) * cutout.pixel_scale_arcsec
        )
        nearest = int(np.argmin(distance)) if len(clumps) else -1
        reach = apart_arcsec if action == "add" else tolerance_arcsec
        near = nearest >= 0 and distance[nearest] <= reach
        if near == (action == "add"):
            found = "there is a clump" if near else "no clump"
            in_doubt(f"{where}: {found} within {reach:.2g} arcsec: nothing is done")
        elif action == "remove":
            clumps.remove_row(nearest)
            labels[labels == nearest + 1] = 0
            labels[labels > nearest + 1] -= 1
        elif action == "move":
            moved = {
                "ra": float(edit["ra_to"]),
                "dec": float(edit["dec_to"]),
                "x": x_to + cutout.x0,
                "y": y_to + cutout.y0,
            }
            for name, value in moved.items():
                clumps[name][nearest] = value
            clumps["flags"][nearest] |= bit("manual")
        else:
            row = {
                "ra": [float(edit["ra"])], "dec": [float(edit["dec"])], "x": [x + cutout.x0], "y": [y + cutout.y0],
                "flux_iso_njy": [np.nan], "snr": [0.0], "flags": [bit("manual")],
            }  # fmt: skip
            clumps = vstack([clumps, Table(row)])
    return clumps, labels


def places_of(edit: Mapping) -> list[tuple[float, float]]:
    """RA and Dec [deg] that an edit of a clump names: where the clump is, and where it goes."""
    places = [(float(edit["ra"]), float(edit["dec"]))]
    if edit["action"] == "move":
        places.append((float(edit["ra_to"]), float(edit["dec_to"])))
    return places


def merge_edits(edits: Table, where: str) -> Table:
    """Take rows that say the same once, and refuse those that contradict each other.

    Parameters
    ----------
    edits : Table
        galaxy, action, ra, dec, ra_to, dec_to, who, of `clumpscope.inputs.read_edits`.
    where : str
        Their file, for messages.

    Returns
    -------
    Table
        What is left out is logged.

    Raises
    ------
    InputError
        If two rows do different things to one clump, or one person rejects the galaxy whose clumps another corrects.
    """
    kept: list[int] = []
    rows = list(edits)
    for number, edit in enumerate(rows):
        repeated = False
        for other in (k for k in kept if rows[k]["galaxy"] == edit["galaxy"]):
            pair = rows[other]
            if (
                edit["action"] in CLUMP_ACTIONS
                and pair["action"] in CLUMP_ACTIONS
                and _same_place(edit, pair)
            ):
                repeated = edit["action"] == pair["action"] and all(
                    map(_near, places_of(edit), places_of(pair))
                )
                contradiction = "" if repeated else "of one clump"
            else:
                contradiction = "of one galaxy" if _rejected_by_another(edit, pair) else ""
            if contradiction:
                told = " and ".join(map(_told, (pair, edit)))
                raise InputError(
                    f"{where}, rows {other + 1} and {number + 1} (galaxy {edit['galaxy']})", f"{told} {contradiction}",
                    "one of them", "Delete the row that is not to hold.",
                )  # fmt: skip
            if repeated:
                _log.warning(
                    "%s, row %d: says what row %d says, and is left out", where, number + 1, other + 1
                )
                break
        if not repeated:
            kept.append(number)
    return edits[kept]


def _told(edit: Mapping) -> str:
    return f"{edit['action']!r} by {edit['who']}" if edit["who"] else repr(edit["action"])


def _near(place: tuple[float, float], other: tuple[float, float]) -> bool:
    east = (place[0] - other[0]) * np.cos(np.deg2rad(place[1]))
    return float(np.hypot(east, place[1] - other[1])) * 3600.0 < _SAME_ARCSEC


def _same_place(edit: Mapping, other: Mapping) -> bool:
    return _near(places_of(edit)[0], places_of(other)[0])


def _rejected_by_another(edit: Mapping, other: Mapping) -> bool:
    if not (edit["who"] and other["who"] and edit["who"] != other["who"]):
        return False
    return any(
        one["action"] == "reject" and two["action"] in CLUMP_ACTIONS
        for one, two in ((edit, other), (other, edit))
    )
