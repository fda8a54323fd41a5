"""Every injection table of a field, from those of its galaxies."""

from collections.abc import Sequence

import numpy as np
from astropy.table import Table, vstack

from ..errors import InputError
from .completeness import clump_limits, completeness_limits, completeness_table
from .recovery import environment_table, recovery_table

__all__ = ["injection_tables"]


def injection_tables(
    injected: Sequence[Table],
    conditions: Sequence[Table],
    completeness: float = 0.8,
    min_broad_bands: int = 4,
) -> dict[str, Table]:
    """Gather the galaxies and make all tables.

    Parameters
    ----------
    injected, conditions : sequences of Table
        Of `clumpscope.injection.inject.inject` and `clump_conditions`, one of each a galaxy.
    completeness : float
        At which the clumps' limiting fluxes are stated.
    min_broad_bands : int
        Broad bands with S/N > 3 that population statistics ask for.

    Returns
    -------
    dict of str to Table
        By the names of `clumpscope.injection.INJECTION_TABLES`.

    Raises
    ------
    InputError
        If nothing was injected.
    """
    filled = [table for table in injected if len(table)]
    if not filled:
        raise InputError(
            "injected clumps", "none", "galaxies with room for some", "Set injection.clumps to 0."
        )
    together = vstack(filled, metadata_conflicts="silent")
    # Hard places have more clumps than clumps have hard places.
    drawn = together[np.asarray(together["placed"] == "light")]
    if not len(drawn):
        raise InputError("injected clumps", "at hard places only", "galaxies with room for some elsewhere",
                         "Set injection.clumps to 0.")  # fmt: skip
    clumps = vstack(list(conditions), metadata_conflicts="silent")
    return {
        "injected": together,
        "completeness": completeness_table(drawn, min_broad_bands),
        "completeness_limits": completeness_limits(drawn, min_broad_bands),
        "recovery": recovery_table(drawn),
        "environments": environment_table(together),
        "clump_limits": clump_limits(clumps, drawn, completeness, min_broad_bands),
    }
