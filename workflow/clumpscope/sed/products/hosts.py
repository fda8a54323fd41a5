"""Stellar populations of whole host galaxies, from their catalogue photometry (C25 section 3.2).

The same fit as for clumps, in all filters the catalogue has (HST and JWST), with a constant, exponentially
declining or double-power-law history; the star-formation rate is that of the last 100 Myr (``log_sfr100``). Whose
light: of the whole galaxy, or of what is between its clumps (`clumpscope.sed.products.smooth_light`).
"""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from astropy.table import Table

from ...tables import require_columns, require_finite
from ..inference.fit import Fitter
from ..inference.posterior import PERCENTILES, Posterior, percentile_table
from ..inference.settings import FitSettings
from ..library.ssp import SSPLibrary, load_library
from .columns_photometry import table_photometry
from .store import fit_or_reuse

__all__ = ["HOST_SFHS", "fit_hosts", "host_percentiles"]

HOST_SFHS = ("const", "exp_free", "double_power_law")
_SWEEP_LOG2 = 14


def fit_hosts(
    table: Table,
    settings: FitSettings,
    library: SSPLibrary | str = "bc03",
    path: str | os.PathLike | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Posterior]:
    """Posterior of every galaxy of a catalogue.

    Parameters
    ----------
    table : astropy.table.Table
        Columns id, z, and ``f_<filter>``, ``e_<filter>`` [nJy].
    settings : FitSettings
        ``sfh`` is one of `HOST_SFHS`.
    library : SSPLibrary or str
    path : path-like, optional
        File of the posterior samples: what it already holds is not fitted again (see `fit_or_reuse`).
    progress : callable, optional
        Called with one line of text after each galaxy.

    Returns
    -------
    list of Posterior
        In the order of the rows, observed (not divided by the magnification). Galaxies without photometry
        are flagged ``no_sed``.

    Raises
    ------
    InputError
        If the table is not usable; see `table_photometry`.
    """
    require_columns(table, ["id", "z"], "galaxies")
    require_finite(table, "z", "galaxies", low=1e-3)
    flux, error, filters = table_photometry(table, "f_<F>", "e_<F>", "galaxies")
    if isinstance(library, str):
        library = load_library(library)
    # A model belongs to one redshift, and hardly two hosts share theirs: a sweep that serves one galaxy is kept short.
    settings = replace(settings, sweep_log2=min(settings.sweep_log2, _SWEEP_LOG2))
    # But images of the same galaxy, which follow each other, do.
    fitter = lru_cache(maxsize=1)(lambda redshift: Fitter(filters, redshift, settings, library))
    fitters = (fitter(float(redshift)) for redshift in table["z"])
    return fit_or_reuse(fitters, flux, error, table["id"], path, progress)


def host_percentiles(posteriors: list[Posterior], sfh: str, n_clumps_apart: np.ndarray) -> Table:
    """Percentiles of hosts, with those of the specific star-formation rate.

    Parameters
    ----------
    posteriors : list of Posterior
    sfh : str
        Their history.
    n_clumps_apart : (n,) int array
        Clumps of each that were taken apart.

    Returns
    -------
    Table
        As of `percentile_table`, with sfh, n_clumps_apart, and log_ssfr percentiles (rate over 100 Myr over stellar mass).
    """
    table = percentile_table(posteriors)
    table.add_column(sfh, name="sfh", index=1)
    table.add_column(n_clumps_apart, name="n_clumps_apart", index=2)
    specific = [
        np.percentile(posterior.samples["log_sfr100"] - posterior.samples["log_mass"], PERCENTILES)
        for posterior in posteriors
    ]
    at = table.colnames.index("log_sfr100_p84") + 1
    for place, (percent, values) in enumerate(zip(PERCENTILES, np.transpose(specific), strict=True)):
        table.add_column(values, name=f"log_ssfr_p{percent}", index=at + place)
    return table
