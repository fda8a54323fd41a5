"""Stellar populations of whole host galaxies, from their catalogue photometry (C25 section 3.2).

The same fit as for clumps, in all filters the catalogue has (HST and JWST), with a constant, exponentially
declining or double-power-law history; the star-formation rate is that of the last 100 Myr (``log_sfr100``).
"""

import re
from collections.abc import Callable

import numpy as np
from astropy.table import Table

from ..errors import InputError
from ..filters import get_filter
from ..tables import require_columns, require_finite
from .fit import Fitter
from .library import SSPLibrary, load_library
from .posterior import Posterior
from .settings import FitSettings

__all__ = ["HOST_SFHS", "fit_hosts", "host_photometry"]

HOST_SFHS = ("const", "exp_free", "double_power_law")

_FLUX = re.compile(r"f_(.+)")


def host_photometry(table: Table, where: str = "galaxies") -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Photometry in the columns ``f_<filter>`` and ``e_<filter>`` of a galaxy catalogue.

    Parameters
    ----------
    table : astropy.table.Table
        Fluxes and errors in nJy; empty or NaN cells are bands without a measurement.
    where : str
        Names the table in error messages.

    Returns
    -------
    flux_njy, error_njy : (n_galaxies, n_bands) arrays
    filters : tuple of str

    Raises
    ------
    InputError
        For an unknown filter, a flux without an error column, or an error that is not positive.
    """
    filters = tuple(match[1] for name in table.colnames if (match := _FLUX.fullmatch(name)))
    for name in filters:
        get_filter(name, f"{where}, column 'f_{name}'")
        require_columns(table, [f"e_{name}"], where)
    flux = np.full((len(table), len(filters)), np.nan)
    error = flux.copy()
    for band, name in enumerate(filters):
        for target, column in ((flux, f"f_{name}"), (error, f"e_{name}")):
            target[:, band] = np.ma.filled(np.ma.asarray(table[column], dtype=float), np.nan)
        wrong = np.flatnonzero(
            np.isfinite(flux[:, band]) & ~(error[:, band] > 0) & np.isfinite(error[:, band])
        )
        if wrong.size:
            raise InputError(
                f"{where}, column 'e_{name}', row {wrong[0] + 1} (id {table['id'][wrong[0]]})",
                f"{error[wrong[0], band]:g} nJy",
                "a positive error",
                "Leave flux and error empty where there is no measurement.",
            )
    return flux, error, filters


def fit_hosts(
    table: Table,
    settings: FitSettings,
    library: SSPLibrary | str = "bc03",
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
        If the table is not usable; see `host_photometry`.
    """
    require_columns(table, ["id", "z"], "galaxies")
    require_finite(table, "z", "galaxies", low=1e-3)
    flux, error, filters = host_photometry(table)
    if not filters:
        raise InputError(
            "galaxies", f"columns {', '.join(table.colnames)}", "columns f_<filter> and e_<filter>"
        )
    if isinstance(library, str):
        library = load_library(library)
    posteriors = []
    for row, (identity, redshift) in enumerate(zip(table["id"], table["z"], strict=True)):
        # A model belongs to one redshift, and hardly two hosts share theirs.
        fitter = Fitter(filters, float(redshift), settings, library)
        posteriors.append(fitter.fit(flux[row], error[row], str(identity)))
        if progress is not None:
            progress(f"{row + 1}/{len(table)} {posteriors[-1].summary()}")
    return posteriors
