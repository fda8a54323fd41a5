"""Groups of clumps: by redshift, and by equal numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

__all__ = ["REDSHIFT_EDGES", "Bin", "edge_bins", "equal_number_bins"]

REDSHIFT_EDGES = (0.7, 1.5, 2.5, 3.5, 5.5)
"""Around cosmic noon (C25 section 4.2; the numbers are our choice)."""


@dataclass(frozen=True, eq=False)
class Bin:
    """Rows between two values.

    Attributes
    ----------
    low, high : float
        Edges.
    rows : (n,) bool array
        Members, low <= value < high.
    """

    low: float
    high: float
    rows: np.ndarray

    def label(self, symbol: str, digits: int = 1) -> str:
        """Text for a legend, such as ``0.7 <= z < 1.5``, with as many digits as tell the edges apart."""
        edges = [edge for edge in (self.low, self.high) if np.isfinite(edge)]
        if len(edges) == 2:
            digits = max(digits, int(np.ceil(np.log10(2.0 / (self.high - self.low)))))
        # Edges that were chosen with two digits, such as 0.75, are told as they are.
        if any(abs(edge - round(edge, 2)) < 1e-9 < abs(edge - round(edge, digits)) for edge in edges):
            digits = 2
        if np.isinf(self.high):
            return f"{symbol} ≥ {self.low:.{digits}f}"
        if np.isinf(self.low):
            return f"{symbol} < {self.high:.{digits}f}"
        return f"{self.low:.{digits}f} ≤ {symbol} < {self.high:.{digits}f}"


def edge_bins(values: np.ndarray, edges: Sequence[float] = REDSHIFT_EDGES) -> list[Bin]:
    """Bins between given edges.

    Parameters
    ----------
    values : (n,) array
        NaN is in no bin.
    edges : sequence of float
        Rising; one more than bins.
    """
    values = np.asarray(values, float)
    return [Bin(float(low), float(high), (values >= low) & (values < high)) for low, high in pairwise(edges)]


def equal_number_bins(values: np.ndarray, n_bins: int = 4) -> list[Bin]:
    """Bins that hold equal numbers, as nearly as ties allow; equal values stay together.

    Parameters
    ----------
    values : (n,) array
        Host mass of galaxies (equal numbers of galaxies) or of clumps (equal numbers of clumps, a galaxy's
        clumps together). NaN is in no bin.
    n_bins : int
        Bins wanted; fewer come back when there are fewer distinct values.

    Returns
    -------
    list of Bin
        The outermost edges are infinite.
    """
    values = np.asarray(values, float)
    known = np.sort(values[np.isfinite(values)])
    if known.size == 0:
        return []
    cuts = []
    for k in range(1, n_bins):
        # Between the two values on either side of the wanted rank, so that no member lies on an edge.
        target = k * known.size / n_bins
        breaks = np.flatnonzero(np.diff(known)) + 1
        if breaks.size:
            nearest = breaks[np.argmin(np.abs(breaks - target))]
            cuts.append(float(0.5 * (known[nearest - 1] + known[nearest])))
    return edge_bins(values, [-np.inf, *sorted(set(cuts)), np.inf])
