"""The photometry of one object, as the likelihood uses it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...errors import InputError
from ...filters import get_filter

__all__ = [
    "LIMIT_MODES",
    "Observation",
    "check_common",
    "check_errors",
    "error_floors",
    "limit_flux_njy",
    "per_filter",
]

LIMIT_MODES = ("flux", "paper")

DEFAULT_FLOOR = 0.05
"""Error floor, as a fraction of the flux, of filters without one of their own."""

_AB_ZERO_NJY = 31.4  # AB magnitude of 1 nJy

# Of a band's variance, at least this much is its own: rounding may make the common part as large as the whole.
_LEAST_OWN = 1e-4


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
    own_njy : (n_bands,) array
        The part of `sigma_njy` that is each band's own; all of it where bands have no errors in common.
    common_njy : (n_bands, n_common) array, optional
        Loadings of the errors that bands have in common: the covariance of two bands is the product of their loadings.
        Zero where a band is not used.
    grey : (n_common,) array, optional
        How much the logarithm of all model fluxes changes with each common error, beside what `common_njy` says
        (see `relative_to`).
    """

    flux_njy: np.ndarray
    error_njy: np.ndarray
    data_njy: np.ndarray
    sigma_njy: np.ndarray
    used: np.ndarray
    own_njy: np.ndarray
    common_njy: np.ndarray | None = None
    grey: np.ndarray | None = None

    @classmethod
    def prepare(
        cls,
        flux_njy: np.ndarray,
        error_njy: np.ndarray,
        error_floor: np.ndarray,
        limit_njy: np.ndarray | None = None,
        common_njy: np.ndarray | None = None,
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
        common_njy : (n_bands, n_common) array, optional
            The part of the errors that bands have in common; NaN: the band has none. A band at its limit has none either.
        """
        flux, error = np.array(flux_njy, dtype=float), np.array(error_njy, dtype=float)
        used = np.isfinite(flux) & np.isfinite(error) & (error > 0)
        flux[~used] = error[~used] = np.nan
        data, sigma = flux, np.hypot(error, error_floor * np.abs(flux))
        if limit_njy is not None:
            faint = used & (flux < limit_njy)
            data, sigma = np.where(faint, limit_njy, data), np.where(faint, limit_njy, sigma)
        if common_njy is None:
            return cls(flux, error, data, sigma, used, own_njy=sigma)
        shared = used if limit_njy is None else used & ~faint
        common = np.where(shared[:, None], np.nan_to_num(common_njy), 0.0)
        own = np.sqrt(np.maximum(sigma**2 - (common**2).sum(axis=1), _LEAST_OWN * sigma**2))
        return cls(flux, error, data, sigma, used, own, common)

    def alone(self) -> "Observation":
        """The same with each band's own errors only."""
        return replace(self, sigma_njy=self.own_njy, common_njy=None)

    def relative_to(self, model_njy: np.ndarray) -> "Observation":
        """The same with common errors as factors of a model's fluxes (n_bands,), the grey part of them apart.

        Common errors are factors, but loadings come from measured fluxes, so that the covariance repeats their noise:
        all that fits badly is pulled down (Peelle's pertinent puzzle; D'Agostini 1994, NIM A 346, 306). The ratio to the
        model takes the noise out where a band has a signal. What then changes all bands by the same factor, `grey`, can
        not be told from the mass: it leaves the covariance, and the mass fitted is that times the factor (`draw_grey`).
        """
        if self.common_njy is None:
            return self
        flux = np.where(self.used, self.flux_njy, 0.0)
        variance = np.where(self.used, self.own_njy, 1.0) ** 2
        loadings = self.common_njy * ((flux * model_njy + variance) / (flux**2 + variance))[:, None]
        weighted = self.weights * model_njy
        # The added 1 is a signal-to-noise of one: without a signal there is no factor. Any choice is exact to first order.
        grey = weighted @ loadings / (weighted @ model_njy + 1.0)
        grey /= max(1.0, float(np.linalg.norm(grey)))
        shared = (self.common_njy != 0.0).any(axis=1)[:, None]
        return replace(
            self, common_njy=np.where(shared, loadings - model_njy[:, None] * grey, 0.0), grey=grey
        )

    def draw_grey(self, model_njy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Logarithm (n,) of the factor by which common errors changed all fluxes, drawn given models (n, n_bands)."""
        loaded = self.weights[:, None] * self.common_njy
        residual = np.where(self.used, self.data_njy, 0.0) - model_njy
        inner = np.eye(len(self.grey)) + self.common_njy.T @ loaded
        mean = np.linalg.solve(inner, (residual @ loaded).T)
        scatter = np.linalg.solve(np.linalg.cholesky(inner).T, rng.standard_normal(mean.shape))
        return self.grey @ (mean + scatter)

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

    @cached_property
    def weights(self) -> np.ndarray:
        """One over the variance that is a band's own, zero where a band is not used."""
        return np.where(self.used, 1.0 / np.where(self.used, self.own_njy, 1.0) ** 2, 0.0)

    @cached_property
    def _downweighted(self) -> np.ndarray:
        """Vectors v (n_bands, n_common) with which the inverse covariance is diag(weights) - v v^T (Woodbury)."""
        loaded = self.weights[:, None] * self.common_njy
        inner = np.eye(self.common_njy.shape[1]) + self.common_njy.T @ loaded
        return np.linalg.solve(np.linalg.cholesky(inner), loaded.T).T

    def projections(self, flux: np.ndarray, flux_squared: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Products a = f C^-1 f and b = f C^-1 d, (n,) each, and c = d C^-1 d, with C the covariance of the bands.

        `flux` and `flux_squared` are (n, n_bands) templates and their squares. Where bands have no error in common,
        the products are sums over them, as sum(f^2 / sigma^2).
        """
        weights = self.weights
        data = np.where(self.used, self.data_njy, 0.0)
        if self.common_njy is None:
            return flux_squared @ weights, flux @ (weights * data), float((weights * data**2).sum())
        v = self._downweighted
        weighted = weights * data - v @ (v.T @ data)
        return flux_squared @ weights - ((flux @ v) ** 2).sum(axis=1), flux @ weighted, float(data @ weighted)


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


def check_common(common_njy: np.ndarray, error_njy: np.ndarray, filters: Sequence[str], where: str) -> None:
    """Raise `InputError` where a common part (n_bands, n_common) has another shape or exceeds its band's error."""
    if common_njy.ndim != 2 or len(common_njy) != len(filters):
        raise InputError("common", f"shape {common_njy.shape}", f"({len(filters)}, n): a row for each filter")
    for name, part, error in zip(filters, np.sqrt((common_njy**2).sum(axis=1)), error_njy, strict=True):
        if part > error * (1.0 + 1e-6):
            raise InputError(
                f"{where}, common error of {name}", f"{part:g} nJy", f"at most the whole error, {error:g} nJy"
            )
