"""Prior distributions of the SED parameters, and coordinates in which the prior is a unit Gaussian.

Two sets are offered:

``paper``
    C25 section 3.6: uniform in age and in tau, uniform in A_V and log U, log-uniform in metallicity
    and in the mass formed.
``log``
    The same, but log-uniform in age and in tau. The uniform ones put 90 % of the prior above a tenth
    of the age of the Universe, and so pull young clumps old.

The limits of metallicity, log U and mass are lost from the text of C25; the values here are our own
choice and can be replaced through `bounds`. "Uniform mass formed" is read as uniform in its logarithm,
which is what the code used there (BAGPIPES) does by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from ...cosmology import age_of_universe_yr
from ...errors import InputError

__all__ = ["PRIOR_SETS", "Priors", "check_reach", "default_bounds", "make_priors"]

PRIOR_SETS = ("paper", "log")

_UNIFORM_IN_LINEAR = {"paper": ("log_age_yr", "log_tau_yr"), "log": ()}

# Beyond 8 standard deviations the unit-Gaussian coordinate no longer resolves the edge of the box.
_EDGE = 8.0


def default_bounds(redshift: float) -> dict[str, tuple[float, float]]:
    """Limits of every known parameter at `redshift`; ages end at the age of the Universe."""
    oldest = float(np.log10(age_of_universe_yr(redshift)))
    return {
        "log_mass_formed": (4.0, 13.0),
        "log_age_yr": (6.0, oldest),
        "log_tau_yr": (6.0, 10.0),
        "a_v": (0.0, 4.0),
        "log_z_zsun": (-2.0, float(np.log10(3.0))),
        "log_u": (-4.0, -1.0),
        "log_alpha": (-2.0, 3.0),
        "log_beta": (-2.0, 3.0),
    }


@dataclass(frozen=True, eq=False)
class Priors:
    """Independent priors of some parameters.

    A parameter x in [low, high] is carried as y = Phi^-1((x - low) / (high - low)), with Phi the normal
    distribution function: a prior uniform in x is then a unit Gaussian in y, and a sampler meets no edge.

    Attributes
    ----------
    kind : str
        Name of the prior set.
    names : tuple of str
        Parameters.
    low, high : (n_dim,) arrays
        Their limits.
    linear : (n_dim,) bool array
        True where the prior is uniform in 10**x instead of in x.
    """

    kind: str
    names: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    linear: np.ndarray

    @property
    def n_dim(self) -> int:
        """Number of parameters."""
        return len(self.names)

    def parameters(self, y: np.ndarray) -> np.ndarray:
        """Parameters x (n, n_dim) at the coordinates y (n, n_dim)."""
        return self.low + (self.high - self.low) * ndtr(y)

    def coordinates(self, x: np.ndarray) -> np.ndarray:
        """Coordinates y (n, n_dim) of the parameters x (n, n_dim), held within 8 sigma."""
        return np.clip(ndtri((x - self.low) / (self.high - self.low)), -_EDGE, _EDGE)

    def log_density(self, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Normalised log prior density (n,) in y, where `x` are the parameters at `y`.

        It is ln p(x) + ln |dx/dy|. For a prior uniform in 10**x,
        p(x) = ln(10) 10**x / (10**high - 10**low).
        """
        log_density = -0.5 * (y**2).sum(axis=1) - 0.5 * self.n_dim * np.log(2.0 * np.pi)
        if self.linear.any():
            low, high = self.low[self.linear], self.high[self.linear]
            norm = np.log(10.0) * (high - low) / -np.expm1((low - high) * np.log(10.0))
            log_density += (np.log(norm) + np.log(10.0) * (x[:, self.linear] - high)).sum(axis=1)
        return log_density

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Parameters (n, n_dim) drawn from the prior."""
        u = rng.random((n, self.n_dim))
        x = self.low + (self.high - self.low) * u
        low, high = 10.0**self.low, 10.0**self.high
        return np.where(self.linear, np.log10(low + (high - low) * u), x)

    def describe(self) -> dict[str, list]:
        """Plain numbers that fix the priors, for provenance and hashes."""
        shape = np.where(self.linear, "uniform in 10**x", "uniform")
        return {
            name: [float(low), float(high), str(kind)]
            for name, low, high, kind in zip(self.names, self.low, self.high, shape, strict=True)
        }


def make_priors(
    names: tuple[str, ...],
    redshift: float,
    kind: str = "paper",
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> Priors:
    """Priors of the named parameters.

    Parameters
    ----------
    names : tuple of str
        Parameters to sample.
    redshift : float
        Sets the largest age.
    kind : {"paper", "log"}
        The prior set.
    bounds : mapping, optional
        (low, high) by parameter name, replacing `default_bounds`. An upper limit of age beyond the age
        of the Universe is lowered to it.

    Raises
    ------
    InputError
        If the set or a parameter is unknown, or limits are not increasing.
    """
    if kind not in PRIOR_SETS:
        raise InputError("sed.priors", repr(kind), " or ".join(PRIOR_SETS))
    limits = default_bounds(redshift)
    oldest = limits["log_age_yr"][1]
    for name, pair in (bounds or {}).items():
        if name not in limits:
            raise InputError(f"sed.bounds.{name}", "an unknown parameter", f"one of {', '.join(limits)}")
        limits[name] = (float(pair[0]), float(pair[1]))
    limits["log_age_yr"] = (limits["log_age_yr"][0], min(limits["log_age_yr"][1], oldest))
    for name in names:
        if name not in limits:
            raise InputError("sed.priors", f"parameter {name!r}", f"one of {', '.join(limits)}")
        low, high = limits[name]
        if name == "log_age_yr" and low >= oldest:
            raise InputError(
                f"sed.bounds.{name}",
                f"ages from 10**{low:g} yr at z = {redshift:g}",
                f"less than the age of the Universe, 10**{oldest:.2f} yr",
            )
        if not low < high:
            raise InputError(
                f"sed.bounds.{name}", f"[{low:g}, {high:g}]", "low < high", "To hold it, use `sed.fixed`."
            )
    low, high = np.array([limits[name] for name in names], dtype=float).reshape(-1, 2).T
    linear = np.array([name in _UNIFORM_IN_LINEAR[kind] for name in names], dtype=bool)
    return Priors(kind, tuple(names), low, high, linear)


def check_reach(
    bounds: Mapping[str, tuple[float, float]],
    fixed: Mapping[str, float],
    redshift: float,
    reach: Mapping[str, tuple[float, float]],
) -> None:
    """Refuse limits and values of parameters that no model can have.

    Parameters
    ----------
    bounds, fixed : mapping
        The user's limits, and values held, by parameter name.
    redshift : float
    reach : mapping
        Ranges that the models cover; beyond them nothing changes, but a posterior would still report it.

    Raises
    ------
    InputError
        If a parameter of `fixed` is unknown, or a number lies outside both `reach` and `default_bounds`.
    """
    defaults = default_bounds(redshift)
    mass = "log_mass_formed"
    for name in fixed:
        if name not in defaults or name == mass:
            known = ", ".join(other for other in defaults if other != mass)
            raise InputError(f"sed.fixed.{name}", "a parameter that cannot be held", f"one of {known}")
    given = [("bounds", name, pair) for name, pair in bounds.items() if name in reach]
    held = {**reach, "log_age_yr": (0.0, defaults["log_age_yr"][1])}
    given += [("fixed", name, (value, value)) for name, value in fixed.items() if name in held]
    for key, name, (low, high) in given:
        least, most = np.sort([*held[name], *defaults[name]])[[0, -1]]
        if not (least <= low and high <= most):
            found = f"{low:g}" if key == "fixed" else f"[{low:g}, {high:g}]"
            raise InputError(
                f"sed.{key}.{name}",
                f"{found} at z = {redshift:g}",
                f"a number from {least:.3g} to {most:.3g}",
            )
