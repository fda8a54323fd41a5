"""Fluxes and errors from the columns of a table, checked."""

import re
from collections.abc import Sequence

import numpy as np
from astropy.table import Table

from ...errors import InputError
from ...filters import get_filter
from ...fluxes import as_njy, table_fluxes
from ...tables import require_columns
from ..inference.observation import per_filter

__all__ = ["aperture_factors", "only_filters", "table_common", "table_photometry"]

# What columns of a filter's errors are called after its name.
_ERRORS = ("err", "err_lo", "err_hi", "common")


def table_photometry(
    table: Table, flux: str = "flux_<F>_njy", error: str = "flux_<F>_err_njy", where: str = "photometry"
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Photometry in all columns named after a filter.

    Parameters
    ----------
    table : astropy.table.Table
        With a column ``id``. Fluxes and errors in nJy, or in the columns' unit where they have one; empty or NaN
        cells are bands without a measurement.
    flux, error : str
        How the columns are called, ``<F>`` standing for the filter: by default those of the clumps;
        ``f_<F>`` and ``e_<F>`` in a galaxy catalogue, ``<F>_njy`` and ``<F>_err_njy`` in a photometry field.
    where : str
        Names the table in error messages.

    Returns
    -------
    flux_njy, error_njy : (n_objects, n_bands) arrays
    filters : tuple of str

    Raises
    ------
    InputError
        If there is no such column, for an unknown filter, a flux without an error column, a cell that is not a
        number, or an error that is not positive.
    """
    # A letter and a digit begin every filter's name, and no other word in our columns (flux_iso_njy), but for those
    # that sedpy names by telescope and filter.
    find_flux, find_error = (
        re.compile(re.escape(name).replace("<F>", r"([A-Za-z]\d[A-Za-z0-9]*|[a-z][a-z0-9]+_[A-Za-z0-9_]+)"))
        for name in (flux, error)
    )
    filters = tuple(
        match[1]
        for name in table.colnames
        if (match := find_flux.fullmatch(name))
        and not find_error.fullmatch(name)
        and not match[1].endswith(tuple(f"_{one}" for one in _ERRORS))
    )
    if not filters:
        raise InputError(where, f"columns {', '.join(table.colnames)}", f"columns {flux} and {error}")
    values = np.full((2, len(table), len(filters)), np.nan)
    for band, name in enumerate(filters):
        of_flux, of_error = (pattern.replace("<F>", name) for pattern in (flux, error))
        get_filter(name, f"{where}, column {of_flux!r}")
        values[:, :, band] = table_fluxes(table, of_flux, of_error, where)
    return values[0], values[1], filters


def only_filters(table: Table, wanted: Sequence[str], where: str = "sed.filter_sets") -> Table:
    """The table without the photometry of all other filters.

    Raises
    ------
    InputError
        If an unknown filter is wanted, or the table has none of them.
    """
    names = {get_filter(name, where).name for name in wanted}
    _, _, filters = table_photometry(table)
    if not names.intersection(filters):
        raise InputError(where, ", ".join(wanted), f"some of the filters {', '.join(filters)}")
    others = [name for name in filters if name not in names]
    columns = {f"flux_{name}{end}_njy" for name in others for end in ("", *(f"_{one}" for one in _ERRORS))}
    return table[[name for name in table.colnames if name not in columns]]


def table_common(table: Table, filters: Sequence[str], where: str = "photometry") -> np.ndarray | None:
    """The part of the errors that a clump's filters have in common, (n_objects, n_bands, n_common) [nJy].

    Columns ``flux_<F>_common_njy`` hold it, one row of loadings a clump; None where there are none.

    Raises
    ------
    InputError
        If some filters have the column and others have not, or with another number of loadings.
    """
    names = [f"flux_{name}_common_njy" for name in filters]
    if not any(name in table.colnames for name in names):
        return None
    require_columns(table, names, where)
    parts = [as_njy(table[name], name) for name in names]
    if parts[0].ndim != 2 or any(part.shape != parts[0].shape for part in parts):
        shapes = sorted({part.shape[1:] for part in parts})
        raise InputError(
            where, f"columns {names[0]} ... with cells of shapes {shapes}", "(n,) in every filter"
        )
    return np.stack(parts, axis=1)


def aperture_factors(filters: Sequence[str], psfs: Table | None) -> np.ndarray:
    """Factors by which fluxes inside the PSFs' radius of normalisation become those out to their kernels' edges.

    The wings of a PSF are the broader the redder the light: in the digital twin F150W has 0.96 of a source inside 0.4 arcsec
    and F444W 0.92, so that colours are bluer, and fits read A_V low.

    Parameters
    ----------
    filters : sequence of str
    psfs : astropy.table.Table or None
        Columns ``filter`` and ``aperture_correction`` (`clumpscope.images.psf.psf_table`). None: fluxes are total ones.

    Returns
    -------
    (n_filters,) array

    Raises
    ------
    InputError
        If a filter has no PSF.
    """
    if psfs is None:
        return np.ones(len(filters))
    corrections = dict(zip(psfs["filter"], psfs["aperture_correction"], strict=True))
    return per_filter(corrections, filters, "psf.ecsv, column 'aperture_correction'")
