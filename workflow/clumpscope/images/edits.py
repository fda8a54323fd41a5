"""A person's corrections to the detected clumps."""

import logging

import numpy as np
from astropy.table import Table, vstack

from ..errors import InputError
from ..flags import bit
from .cutouts import Cutout

__all__ = ["apply_edits"]

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
    """Remove and add clumps.

    Parameters
    ----------
    clumps : Table
        ra, dec [deg], x, y [mosaic pixels], flux_iso_njy, snr, flags.
    labels : (ny, nx) int array
        0, or 1 + row of `clumps`.
    edits : Table
        action (add or remove), ra, dec [deg] of this galaxy, in the order in which they are applied.
    cutout : Cutout
        Where they apply.
    galaxy : str
        For messages.
    tolerance_arcsec : float
        ``remove`` takes the nearest clump, no farther than this; when there is none, which happens when the
        settings of the detection were changed, a warning is logged.
    apart_arcsec : float
        ``add`` nearer than this to a clump does nothing, with a warning.

    Returns
    -------
    clumps, labels
        Added clumps have the flag ``manual`` and no pixels.

    Raises
    ------
    InputError
        If an edit lies outside the cutout, or its action is neither add nor remove.
    """
    clumps, labels = clumps.copy(), labels.copy()
    height, width = cutout.data.shape
    for number, edit in enumerate(edits, start=1):
        where = (
            f"edit {number} of galaxy {galaxy} ({edit['action']} ra={edit['ra']:.6f} dec={edit['dec']:.6f})"
        )
        x, y = (float(value) for value in cutout.wcs.all_world2pix(edit["ra"], edit["dec"], 0))
        if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
            raise InputError(
                where, f"pixel x={x:.1f}, y={y:.1f} of its cutout", f"a position inside {width} x {height}"
            )
        distance = (
            np.hypot(clumps["x"] - cutout.x0 - x, clumps["y"] - cutout.y0 - y) * cutout.pixel_scale_arcsec
        )
        nearest = int(np.argmin(distance)) if len(clumps) else -1
        reach = tolerance_arcsec if edit["action"] == "remove" else apart_arcsec
        near = nearest >= 0 and distance[nearest] <= reach
        if edit["action"] == "remove":
            if not near:
                _log.warning("%s: no clump within %.2g arcsec", where, reach)
                continue
            clumps.remove_row(nearest)
            labels[labels == nearest + 1] = 0
            labels[labels > nearest + 1] -= 1
        elif edit["action"] == "add":
            if near:
                _log.warning("%s: there is a clump within %.2g arcsec", where, reach)
                continue
            row = {
                "ra": [float(edit["ra"])], "dec": [float(edit["dec"])], "x": [x + cutout.x0], "y": [y + cutout.y0],
                "flux_iso_njy": [np.nan], "snr": [0.0], "flags": [bit("manual")],
            }  # fmt: skip
            clumps = vstack([clumps, Table(row)])
        else:
            raise InputError(where, f"action {str(edit['action'])!r}", "'add' or 'remove'")
    return clumps, labels
