"""The photometry of one object, as the likelihood uses it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..filters import get_filter

__all__ = ["LIMIT_MODES", "Observation", "check_errors", "error_floors", "limit_flux_njy", "per_filter"]

LIMIT_MODES = ("flux", "paper")

DEFAULT_FLOOR = 0.05
"""Error floor, as a fraction of the flux, of filters without one of their own."""

_AB_ZERO_NJY = 31.4  # AB magnitude of 1 nJy


@dataclass(frozen=True, eq=False)
class Observation:
    """Fluxes and total errors of the usable bands; the others have weight zero.

    Attributes
    ----------
    flux_njy, error_njy : (n_bands,) arrays
        Measured flux and error; NaN where a band is not used.
    data_njy, sigma_njy : (n_bands,) arrays
        What is fitted: fluxes after the treatment of limits, errors with the floor.
    used : (n_bands,) bool array
    """

    flux_njy: np.ndarray
    error_njy: np.ndarray
    data_njy: np.ndarray
    sigma_njy: np.ndarray
    used: np.ndarray

    @classmethod
    def prepare(
        cls,
        flux_njy: np.ndarray,
        error_njy: np.ndarray,
        error_floor: np.ndarray,
        limit_njy: np.ndarray | None = None,
    ) -> "Observation":
        """Apply the error floor and, if asked, C25's treatment of faint bands.

        Parameters
        ----------
        flux_njy, error_njy : (n_bands,) arrays
            NaN flux or error: the band is not used.
        error_floor : (n_bands,) array
            Fraction of the flux added in quadrature to the error.
        limit_njy : (n_bands,) array, optional
            Fluxes at the magnitude limits. A fainter band is then given the limit as its flux and as
            its error (C25 section 3.6); otherwise its flux is kept, negative ones too.
        """
        flux, error = np.array(flux_njy, dtype=float), np.array(error_njy, dtype=float)
        used = np.isfinite(flux) & np.isfinite(error) & (error > 0)
        flux[~used] = error[~used] = np.nan
        data, sigma = flux, np.hypot(error, error_floor * np.abs(flux))
        if limit_njy is not None:
            faint = used & (flux < limit_njy)
            data, sigma = np.where(faint, limit_njy, data), np.where(faint, limit_njy, sigma)
        return cls(flux, error, data, sigma, used)

    @property
    def n_bands(self) -> int:
        """Number of bands used."""
        return int(self.used.sum())

    @property
    def snr(self) -> np.ndarray:
        """Measured signal-to-noise of each band, zero where it is not used."""
        return np.where(
            self.used, np.nan_to_num(self.flux_njy) / np.where(self.used, self.error_njy, 1.0), 0.0
        )

    @property
    def weights(self) -> np.ndarray:
        """1 / sigma^2, zero where a band is not used."""
        return np.where(self.used, 1.0 / np.where(self.used, self.sigma_njy, 1.0) ** 2, 0.0)

    def projections(self, flux: np.ndarray, flux_squared: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Sums a = sum(f^2 / sigma^2) and b = sum(f d / sigma^2), (n,) each, and c = sum(d^2 / sigma^2).

        `flux` and `flux_squared` are (n, n_bands) templates and their squares.
        """
        weights = self.weights
        data = np.where(self.used, self.data_njy, 0.0)
        return flux_squared @ weights, flux @ (weights * data), float((weights * data**2).sum())


def per_filter(
    value: float | Sequence[float] | Mapping[str, float], filters: Sequence[str], where: str
) -> np.ndarray:
    """One number per filter, from one for all, a sequence in the order of `filters`, or a mapping by name."""
    if isinstance(value, Mapping):
        for name in value:
            get_filter(name, where)
        missing = [name for name in filters if name not in value]
        if missing:
            raise InputError(where, f"no value for {missing[0]}", "a number for every filter fitted")
        return np.array([float(value[name]) for name in filters])
    array = np.atleast_1d(np.asarray(value, dtype=float))
    if array.size not in (1, len(filters)) or array.ndim > 1:
        raise InputError(where, f"{array.size} numbers", f"one, or one for each of {len(filters)} filters")
    return np.broadcast_to(array, (len(filters),)).copy()


def error_floors(value: float | Sequence[float] | Mapping[str, float], filters: Sequence[str]) -> np.ndarray:
    """Error floor of every filter, a fraction of the flux; those that a mapping leaves out have `DEFAULT_FLOOR`.

    Raises
    ------
    InputError
        If a filter is unknown, or a floor is negative or not a number.
    """
    if isinstance(value, Mapping):
        value = {**dict.fromkeys(filters, DEFAULT_FLOOR), **value}
    floors = per_filter(value, filters, "sed.error_floor")
    if not (np.isfinite(floors) & (floors >= 0.0)).all():
        raise InputError("sed.error_floor", str(floors.tolist()), "fractions of the flux, zero or larger")
    return floors


def limit_flux_njy(
    limits: str,
    mag_limit_ab: float | Sequence[float] | Mapping[str, float] | None,
    filters: Sequence[str],
) -> np.ndarray | None:
    """Fluxes [nJy] at the magnitude limits for ``limits="paper"``; None for ``limits="flux"``.

    Raises
    ------
    InputError
        If the mode is unknown or its magnitude limits are missing.
    """
    if limits not in LIMIT_MODES:
        raise InputError("sed.limits", repr(limits), " or ".join(LIMIT_MODES))
    if limits == "flux":
        return None
    if mag_limit_ab is None:
        raise InputError("sed.limits", "'paper' without magnitude limits", "mag_limit_ab for every filter")
    return 10.0 ** (-0.4 * (per_filter(mag_limit_ab, filters, "sed.mag_limit_ab") - _AB_ZERO_NJY))


def check_errors(error_njy: np.ndarray, flux_njy: np.ndarray, filters: Sequence[str], where: str) -> None:
    """Raise `InputError` naming the first band with a flux whose error is zero or negative."""
    for name, flux, error in zip(filters, flux_njy, error_njy, strict=True):
        if np.isfinite(flux) and np.isfinite(error) and error <= 0:
            raise InputError(
                f"{where}, error of {name}",
                f"{error:g} nJy",
                "a positive error",
                "Set the flux to NaN to leave the band out.",
            )
