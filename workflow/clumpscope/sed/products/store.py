"""Posteriors on disk: one netCDF file per batch of objects, and a resume that cannot lie.

A file is readable with `read_posterior`, or as any netCDF-4 file:

>>> import xarray
>>> xarray.open_dataset("clumps.nc")["log_mass"].sel(id="7").median()  # doctest: +SKIP

Every object carries the hash of its data, priors, settings, library and code (`settings`).
"""

import io
import itertools
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ...columns import column_info
from ...errors import InputError
from ...files import replacing
from ...made_by import header
from ..inference.fit import Fitter
from ..inference.mixture import RedshiftMixture
from ..inference.posterior import Posterior
from ..inference.settings import code_version

if TYPE_CHECKING:
    import xarray

__all__ = ["fit_or_reuse", "read_posterior", "to_dataset", "write_posteriors"]

_PER_OBJECT = (
    "redshift",
    "converged",
    "rhat",
    "n_effective",
    "chi2",
    "n_calls",
    "n_bands",
    "n_bands_snr3",
    "flags",
)
_PER_BAND = {
    "flux_njy": "Flux density, corrected for Galactic reddening and for light outside the aperture",
    "error_njy": "Error of the observed flux density",
    "data_njy": "Flux density fitted, limits treated",
    "sigma_njy": "Error fitted, error floor included",
    "model_njy": "Flux density of the best fit",
    "model_p16_njy": "16 % of the flux densities over the posterior",
    "model_p84_njy": "84 % of the flux densities over the posterior",
}


def to_dataset(posteriors: Sequence[Posterior]) -> "xarray.Dataset":
    """Dataset of posteriors that share filters and settings.

    Parameters
    ----------
    posteriors : sequence of Posterior
        At least one.

    Returns
    -------
    xarray.Dataset
        Samples (id, draw) as float32 with units; best-fit values ``best_{name}`` and diagnostics (id);
        photometry and best-fit fluxes (id, filter).
    """
    import xarray  # half a second of imports that only writing and reading need

    first = posteriors[0]
    variables: dict[str, tuple] = {}
    missing = np.full(len(next(iter(first.samples.values()))), np.nan, dtype=np.float32)
    for name in dict.fromkeys(name for p in posteriors for name in p.samples):
        info = column_info(name) or column_info(f"{name}_p50")
        attributes = (
            {"units": info.unit, "long_name": info.text.removesuffix(": 50 % of the posterior")}
            if info
            else {}
        )
        # Only uncertain redshifts are sampled.
        values = np.stack([p.samples.get(name, missing) for p in posteriors])
        variables[name] = (("id", "draw"), values, attributes)
        best = np.array([p.best.get(name, np.nan) for p in posteriors])
        variables[f"best_{name}"] = ("id", best, attributes)
    for name, text in _PER_BAND.items():
        values = np.stack([getattr(p, name) for p in posteriors])
        variables[name] = (("id", "filter"), values, {"units": "nJy", "long_name": text})
    for name in _PER_OBJECT:
        info = column_info({"redshift": "z"}.get(name, name))
        values = np.array([getattr(p, name) for p in posteriors])
        values = values.astype(np.int8) if values.dtype == bool else values
        variables[name] = ("id", values, {"long_name": info.text} if info else {})
    variables["sampler"] = ("id", np.array([p.sampler for p in posteriors], dtype=object))
    variables["hash"] = ("id", np.array([p.hash for p in posteriors], dtype=object))
    return xarray.Dataset(
        variables,
        coords={
            "id": np.array([p.id for p in posteriors], dtype=object),
            "filter": np.array(first.filters, dtype=object),
        },
        attrs={
            **{name.lower(): text for name, text in header().items()},
            "title": "Posterior samples of stellar populations, observed (not divided by the magnification)",
            "settings": json.dumps(first.settings, sort_keys=True),
            "code": code_version(),
        },
    )


def write_posteriors(posteriors: Sequence[Posterior], path: str | os.PathLike) -> None:
    """Write a batch as netCDF; the same bytes for the same content."""
    dataset = to_dataset(posteriors)
    encoding = {
        name: {"fletcher32": True, "zlib": v.ndim == 2, "shuffle": v.ndim == 2}
        for name, v in dataset.items()
        if v.dtype != object
    }
    # Written in memory: the HDF5 library ends the process when a disk is full.
    content = io.BytesIO()
    dataset.to_netcdf(content, engine="h5netcdf", encoding=encoding)
    with replacing(path) as temporary:
        temporary.write_bytes(content.getvalue())


def _read(path: str | os.PathLike) -> "xarray.Dataset":
    import xarray

    if not Path(path).exists():
        raise InputError(str(path), "no such file", "a netCDF file of posteriors")
    try:
        # From memory: the HDF5 library keeps damaged files open, and locks files, which network disks refuse.
        with xarray.open_dataset(io.BytesIO(Path(path).read_bytes()), engine="h5netcdf") as dataset:
            return dataset.load()
    except Exception as error:  # damaged files raise whatever their first damaged byte leads to
        raise InputError(str(path), f"unreadable content ({error})", "a netCDF file of posteriors") from error


def _posterior(
    columns: Mapping[str, np.ndarray], samples: Iterable[str], settings: dict, k: int
) -> Posterior:
    names = [name for name in samples if not (name == "z" and np.isnan(columns[name][k]).all())]
    return Posterior(
        id=str(columns["id"][k]),
        samples={name: columns[name][k] for name in names},
        best={name: float(columns[f"best_{name}"][k]) for name in names},
        filters=tuple(map(str, columns["filter"])),
        settings=settings,
        sampler=str(columns["sampler"][k]),
        hash=str(columns["hash"][k]),
        **{name: columns[name][k] for name in _PER_BAND},
        **{name: columns[name][k].item() for name in _PER_OBJECT if name != "converged"},
        converged=bool(columns["converged"][k]),
    )


@overload
def read_posterior(path: str | os.PathLike, id: None = None) -> dict[str, Posterior]: ...
@overload
def read_posterior(path: str | os.PathLike, id: str) -> Posterior: ...
def read_posterior(path, id=None):
    """Posteriors of a file, or of all in a folder, by id; or the one whose `id` is given.

    Raises
    ------
    InputError
        If the file is missing, is not one of ours, or lacks the id.
    """
    if Path(path).is_dir():
        # The newest last: a galaxy that is gone moves others' clumps to another file.
        files = sorted(Path(path).glob("*.nc"), key=lambda file: file.stat().st_mtime)
        posteriors = {name: one for file in files for name, one in read_posterior(file).items()}
        return posteriors if id is None else _one(posteriors, id, path)
    dataset = _read(path)
    try:
        # Taken out at once: rows of a dataset take 2 ms each.
        columns = {str(name): variable.values for name, variable in dataset.variables.items()}
        samples = [str(name) for name, variable in dataset.items() if variable.dims == ("id", "draw")]
        settings = json.loads(dataset.attrs["settings"])
        rows = {str(name): k for k, name in enumerate(columns["id"])}
        posteriors = {
            name: _posterior(columns, samples, settings, k)
            for name, k in rows.items()
            if id is None or name == str(id)
        }
    except (KeyError, ValueError) as error:
        raise InputError(
            str(path), f"other content ({error})", "a file written by write_posteriors"
        ) from error
    return posteriors if id is None else _one(posteriors or rows, id, path)


def _one(posteriors: Mapping[str, Any], id: str, path: str | os.PathLike) -> Posterior:
    if str(id) not in posteriors:
        raise InputError(str(path), f"ids {', '.join(posteriors)}", f"id {id!r}")
    return posteriors[str(id)]


def _stored(path: Path) -> dict[str, Posterior]:
    """Posteriors of a file by their hashes."""
    try:
        return {posterior.hash: posterior for posterior in read_posterior(path).values()}
    except InputError:
        # A file that cannot be read, or is not there, answers nothing: it is made anew.
        return {}


def fit_or_reuse(
    fitters: Fitter | RedshiftMixture | Iterable[Fitter],
    flux_njy: np.ndarray,
    error_njy: np.ndarray,
    ids: Sequence[str],
    path: str | os.PathLike | None,
    progress: Callable[[str], None] | None = None,
    every_s: float = 60.0,
    common_njy: np.ndarray | None = None,
) -> list[Posterior]:
    """Bring the file of a batch up to date: fit what is new or changed, keep what is not.

    Parameters
    ----------
    fitters : Fitter or RedshiftMixture, or one for each object
        Those of several objects share filters and settings; each is asked for when its turn comes.
    flux_njy, error_njy : (n_objects, n_bands) arrays
    ids : sequence of str
    path : path-like or None
        The batch's file; need not exist. None: nothing is read or written. What is done of a batch is kept beside it in
        ``{path}.partial`` until the batch is whole: Snakemake takes away the outputs of a job that fails.
    progress : callable, optional
        Called with one line of text after each object.
    every_s : float
        Seconds between writings of what is done, so that an interrupted job loses no more.
    common_njy : (n_objects, n_bands, n_common) array, optional
        The part of the errors that bands have in common (see `fit_posterior`).

    Returns
    -------
    list of Posterior
        In the order of `ids`.
    """
    partial = None if path is None else Path(f"{path}.partial")
    stored = {} if path is None else {**_stored(partial), **_stored(Path(path))}
    posteriors, written = [], time.monotonic()

    @cache
    def beside() -> dict[str, Posterior]:
        """What other batches hold: a galaxy that is gone moves the following ones to their neighbours' files."""
        others = sorted(set(Path(path).parent.glob("*.nc")) - {Path(path)}) if stored else []
        return {digest: posterior for other in others for digest, posterior in _stored(other).items()}

    one_each = itertools.repeat(fitters) if isinstance(fitters, (Fitter, RedshiftMixture)) else fitters
    commons = itertools.repeat(None) if common_njy is None else common_njy
    for name, fitter, flux, error, common in zip(
        map(str, ids), one_each, flux_njy, error_njy, commons, strict=False
    ):
        digest = fitter.digest(name, flux, error, common)
        known = stored.get(digest) or beside().get(digest)
        posteriors.append(known or fitter.fit(flux, error, name, common))
        if progress is not None:
            kind = "kept" if known else "fitted"
            progress(f"{len(posteriors)}/{len(ids)} {kind} {posteriors[-1].summary()}")
        if partial is not None and time.monotonic() - written > every_s:
            write_posteriors(posteriors, partial)
            written = time.monotonic()
    if path is not None:
        write_posteriors(posteriors, path)
        partial.unlink(missing_ok=True)
    return posteriors
