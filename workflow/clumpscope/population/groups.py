"""Groups of clumps and galaxies that statistics are told of: spans of redshift, classes of size, bins of mass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .bins import equal_number_bins
from .medians import CLASSES
from .resampling import Sample

__all__ = ["Group", "between_text", "edge_text", "groups_of"]


_N_MASS_BINS = 4


@dataclass(frozen=True)
class Group:
    """Rows of clumps or hosts: those whose `column` is from low to below high, or is `low` itself for words."""

    name: str
    words: str
    column: str = ""
    low: float | str = -np.inf
    high: float = np.inf

    def rows(self, values: Mapping[str, np.ndarray], size: int) -> np.ndarray:
        """Which of `size` rows belong to it, of columns of this length."""
        if not self.column:
            return np.ones(size, dtype=bool)
        if isinstance(self.low, str):
            return values[self.column] == self.low
        return (values[self.column] >= self.low) & (values[self.column] < self.high)


def edge_text(value: float) -> str:
    """An edge in the name of a group; ``min`` and ``max`` where there is none."""
    return f"{value:.4g}".replace("-inf", "min").replace("inf", "max")


def between_text(symbol: str, low: float, high: float) -> str:
    """A span in words."""
    if np.isinf(low):
        return f"{symbol} < {high:.4g}"
    return f"{symbol} >= {low:.4g}" if np.isinf(high) else f"{low:.4g} <= {symbol} < {high:.4g}"


def groups_of(sample: Sample, edges: Sequence[float]) -> dict[str, list[Group]]:
    """Groups by what they are of: ``redshift`` (``all`` first), ``class``, ``host`` (equal numbers of galaxies), ``clump`` (of clumps)."""
    redshift = sample.clumps["z"]
    spans = list(pairwise(edges))
    if (redshift < edges[0]).any() and (redshift >= edges[0]).any():
        spans.insert(0, (-np.inf, edges[0]))
    if (redshift >= edges[-1]).any():
        spans.append((edges[-1], np.inf))
    # Without a clump beyond the last edge everything is all; a redshift that is not known is below nothing.
    by_redshift = [Group("all", between_text("z", -np.inf, edges[-1]), "z", -np.inf, edges[-1])]
    by_redshift += [
        Group(f"z_{edge_text(low)}_{edge_text(high)}", between_text("z", low, high), "z", low, high)
        for low, high in spans
    ]
    classes = [
        Group(f"class_{name}", f"{name} clumps", "class", name)
        for name in CLASSES
        if (sample.clumps["class"] == name).any()
    ]
    inside = sample.hosts["z"] < edges[-1]

    def mass_bins(values: np.ndarray) -> list[Group]:
        return [
            Group(
                f"host_mass_{edge_text(b.low)}_{edge_text(b.high)}",
                between_text("log M_host", b.low, b.high),
                "log_mass_host",
                b.low,
                b.high,
            )
            for b in equal_number_bins(values, _N_MASS_BINS)
        ]

    of_clumps = sample.hosts["log_mass_host"][sample.clumps["owner"]]
    return {
        "redshift": by_redshift,
        "class": classes,
        "host": mass_bins(np.where(inside, sample.hosts["log_mass_host"], np.nan)),
        "clump": mass_bins(np.where(redshift < edges[-1], of_clumps, np.nan)),
    }
