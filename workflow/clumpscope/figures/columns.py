"""Columns of a catalogue as plain arrays, missing ones as NaN, and the clumps a figure shows."""

from collections.abc import Sequence

import numpy as np
from astropy.table import Table

from ..population.sample import population_sample
from ..tables import numbers
from .settings import Settings

__all__ = ["errors", "numbers", "shown", "shown_range", "with_columns"]

_DEEPEST_DEX = 6.0
_NARROWEST_DEX = 0.2


def errors(table: Table, name: str) -> np.ndarray:
    """(2, n) lower and upper errors of a column, from ``_err_lo``/``_err_hi`` or from percentiles."""
    if f"{name}_err_lo" in table.colnames:
        sides = numbers(table, f"{name}_err_lo"), numbers(table, f"{name}_err_hi")
    else:
        middle = numbers(table, f"{name}_p50")
        sides = middle - numbers(table, f"{name}_p16"), numbers(table, f"{name}_p84") - middle
    return np.clip(np.nan_to_num(np.array(sides)), 0.0, None)


def shown_range(values: np.ndarray) -> tuple[float, float]:
    """Range of a logarithm to show: 99 % of the finite values, but not more than 6 dex below the top, nor less than 0.2 dex wide.

    Star-formation rates that have died away run down to 1e-90; what lies beyond is drawn at the edge.
    """
    low, high = np.percentile(values[np.isfinite(values)], [0.5, 99.5])
    low = max(low, high - _DEEPEST_DEX)
    # One clump, or clumps all alike, are no range.
    margin = max(_NARROWEST_DEX - (high - low), 0.0) / 2.0
    return float(low - margin), float(high + margin)


def shown(catalogue: Table, settings: Settings, min_broad_bands: int | None = None) -> Table:
    """The clumps that count in population statistics; of clusters, whose bands are few, with another number of bands."""
    bands = settings.min_broad_bands if min_broad_bands is None else min_broad_bands
    return catalogue[population_sample(catalogue, bands, settings.poor_fit)] if len(catalogue) else catalogue


def with_columns(table: Table, names: Sequence[str]) -> Table:
    """The named columns, those that there are."""
    return table[[name for name in names if name in table.colnames]]
