"""One sweep of the prior, computed once for all objects of the same redshift, filters and SFH."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtri

from ...randomness import generator
from .exploration import log_unit_gaussian, worth_keeping
from .mass import best_mass, log_mass_integral
from .observation import Observation
from .priors import Priors

__all__ = ["PhotometryLike", "Sweep", "Target"]

MASS = "log_mass_formed"

_FIRST_LOG2, _CHUNK = 14, 8192


class PhotometryLike(Protocol):
    """What a model of the photometry offers to the sampler.

    `parameters` names its parameters, ``log_mass_formed`` among them; `fluxes(theta)` gives (n, n_bands)
    fluxes in nJy, proportional to the mass formed, and `derived(theta)` a mapping of (n,) arrays.
    """

    parameters: tuple[str, ...]

    def fluxes(self, theta: np.ndarray) -> np.ndarray: ...  # noqa: D102

    def derived(self, theta: np.ndarray) -> dict[str, np.ndarray]: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Target:
    """A model with its priors: the posterior of everything but the mass, for any object.

    Attributes
    ----------
    model : PhotometryLike
    priors : Priors
        Of the sampled parameters.
    fixed : dict
        Values of the parameters that are not sampled.
    log_mass : (float, float)
        Limits of log10 mass formed.
    """

    model: PhotometryLike
    priors: Priors
    fixed: dict[str, float]
    log_mass: tuple[float, float]

    @property
    def n_free(self) -> int:
        """Number of free parameters, mass included."""
        return self.priors.n_dim + 1

    def theta(self, x: np.ndarray, log_mass: np.ndarray | float = 0.0) -> np.ndarray:
        """The model's full parameter array (n, n_parameters) at sampled parameters x (n, n_dim)."""
        theta = np.empty((len(x), len(self.model.parameters)))
        for column, name in enumerate(self.model.parameters):
            if name == MASS:
                theta[:, column] = log_mass
            elif name in self.fixed:
                theta[:, column] = self.fixed[name]
            else:
                theta[:, column] = x[:, self.priors.names.index(name)]
        return theta

    def templates(self, x: np.ndarray) -> np.ndarray:
        """Fluxes (n, n_bands) [nJy] of one solar mass formed."""
        return np.asarray(self.model.fluxes(self.theta(x)), dtype=float)

    def log_prob(self, observation: Observation, y: np.ndarray) -> np.ndarray:
        """Log posterior density (n,) at coordinates y (n, n_dim), the mass integrated out."""
        return self.log_prob_and_mass(observation, y)[:, 0]

    def log_prob_and_mass(self, observation: Observation, y: np.ndarray) -> np.ndarray:
        """Log posterior density, and the log mass of least chi2, (n, 2)."""
        x = self.priors.parameters(y)
        flux = self.templates(x)
        a, b, c = observation.projections(flux, flux * flux)
        log_prob = log_mass_integral(a, b, c, self.log_mass) + self.priors.log_density(y, x)
        return np.stack([log_prob, best_mass(a, b, c, self.log_mass)[0]], axis=1)


class Sweep:
    """Templates at points that cover the prior evenly, computed as far as the objects ask for them.

    The points are a scrambled Sobol sequence, so that any power of two of them covers the prior. What an object finds
    does not depend on how far others have made the sweep grow.

    Parameters
    ----------
    target : Target
    seed : int
    n_log2 : int
        Log2 of the largest number of points.

    Attributes
    ----------
    y : (n, n_dim) array
        Quasi-random points of a unit Gaussian, as many as there are so far.
    log_prior_ratio : (n,) array
        Log of the prior's density over that of the unit Gaussian.
    flux, flux_squared : (n, n_bands) arrays
        Templates of one solar mass [nJy] and their squares.
    """

    def __init__(self, target: Target, seed: int, n_log2: int = 15) -> None:
        from scipy.stats import qmc  # half a second of imports

        self.target, self.n_log2 = target, n_log2
        self._sobol = qmc.Sobol(target.priors.n_dim, rng=generator(seed, "sed sweep", *target.priors.names))
        self.y = np.empty((0, target.priors.n_dim))
        self._grow(min(_FIRST_LOG2, n_log2))

    def _grow(self, n_log2: int) -> None:
        new = 2**n_log2 - len(self.y)
        if new <= 0:
            return
        y = ndtri(np.clip(self._sobol.random(new), 1e-12, 1.0 - 1e-12))
        x = self.target.priors.parameters(y)
        flux = np.concatenate([self.target.templates(x[i : i + _CHUNK]) for i in range(0, new, _CHUNK)])
        ratio = self.target.priors.log_density(y, x) - log_unit_gaussian(y)
        if len(self.y):
            y, flux = np.concatenate([self.y, y]), np.concatenate([self.flux, flux])
            ratio = np.concatenate([self.log_prior_ratio, ratio])
        self.y, self.log_prior_ratio, self.flux, self.flux_squared = y, ratio, flux, flux * flux

    def nearest(self, observation: Observation) -> np.ndarray:
        """Fluxes (n_bands,) [nJy] of the model nearest to one object, among the first of the sweep."""
        n = 2 ** min(_FIRST_LOG2, self.n_log2)
        log_mass, chi2 = best_mass(
            *observation.projections(self.flux[:n], self.flux_squared[:n]), self.target.log_mass
        )
        best = int(np.argmin(chi2))
        return self.flux[best] * 10.0 ** log_mass[best]

    def search(self, observation: Observation) -> tuple[np.ndarray, np.ndarray, int]:
        """Points that carry weight for one object.

        Returns
        -------
        y : (k, n_dim) array
        log_prob : (k,) array
        n_drawn : int
            How many points of the sweep were searched for them.
        """
        for n_log2 in range(min(_FIRST_LOG2, self.n_log2), self.n_log2 + 1):
            self._grow(n_log2)
            n = 2**n_log2
            a, b, c = observation.projections(self.flux[:n], self.flux_squared[:n])
            _, chi2 = best_mass(a, b, c, self.target.log_mass)
            kept, n_drawn = worth_keeping(self.log_prior_ratio[:n] - 0.5 * chi2)
            if n_drawn < n:  # more than enough points lie in a broad posterior
                break
        y = self.y[kept]
        log_prior = self.log_prior_ratio[kept] + log_unit_gaussian(y)
        return y, log_mass_integral(a[kept], b[kept], c, self.target.log_mass) + log_prior, n_drawn
