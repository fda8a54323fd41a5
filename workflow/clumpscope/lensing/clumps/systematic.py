"""What several lens models of one cluster make of the same clumps: the systematic error of the magnification."""

import warnings
from collections.abc import Sequence

import numpy as np
from astropy.table import Table

from ...flags import bit

__all__ = ["compare_models"]

_QUANTITIES = ("mu", "mu_t", "mu_r")


def compare_models(reference: Table, others: Sequence[Table], propagate: bool = False) -> Table:
    """Scatter of the magnification between models, beside the reference's own errors.

    Parameters
    ----------
    reference : Table
        Of `clumps.magnify_clumps`, with the reference model.
    others : sequence of Table
        The same clumps, with each other model.
    propagate : bool
        Whether the samples of all models, each with the same weight, take the place of the reference's, so that all that is
        drawn from them (masses, sizes, luminosities) holds the difference between models too.

    Returns
    -------
    Table
        The reference, with mu_models, mu_t_models, mu_r_models (n_clumps, n_models), the reference first, NaN where a model
        does not reach, and mu_err_sys, mu_t_err_sys, mu_r_err_sys: the standard deviation (of a sample) over the models that
        do; NaN, and flag ``one_model``, where that is one at most. Values and statistical errors stay the reference's.
    """
    if not others:
        return reference
    table, tables = reference.copy(), [reference, *others]
    for name in _QUANTITIES:
        values = np.stack([np.asarray(t[name], dtype=float) for t in tables], axis=1)
        table[f"{name}_models"] = values
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # fewer than two models: NaN is what is meant
            table[f"{name}_err_sys"] = np.nanstd(values, axis=1, ddof=1)
    alone = np.isfinite(np.asarray(table["mu_models"])).sum(axis=1) < 2
    table["flags"] = np.asarray(table["flags"]) | np.where(alone, bit("one_model"), 0)
    if propagate:
        names = [name for name in reference.colnames if name.endswith("_samples")]
        n = max(np.asarray(t["mu_samples"]).shape[1] for t in tables)
        wide = [{name: _repeated(t[name], n) for name in names} for t in tables]
        known = [np.isfinite(samples["mu_samples"]).all(axis=1)[:, None] for samples in wide]
        for name in names:
            parts = [np.where(k, s[name], wide[0][name]) for k, s in zip(known, wide, strict=True)]
            table.replace_column(name, np.concatenate(parts, axis=1))
    return table


def _repeated(samples: np.ndarray, n: int) -> np.ndarray:
    """Samples (n_clumps, any) as (n_clumps, n): fewer are repeated evenly."""
    samples = np.asarray(samples, dtype=float)
    return samples[:, np.arange(n) % samples.shape[1]]
