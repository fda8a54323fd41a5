"""Coordinates for exploring a posterior: the mean age of the stars in place of the time since the first.

Photometry tells how old stars are on average, much less when the first were born: that, the time scale and the slopes of
a history trade off against each other along thin, curved sheets, which mixtures of ellipsoids cannot follow. With the
mean age as a coordinate the sheets are flat. The posterior stays the same, whatever the coordinates; so the mean age need
not be exact, and that of a double power law is taken from its two asymptotes.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from .priors import Priors

__all__ = ["MeanAge"]

_AGE, _TAU, _ALPHA, _BETA = "log_age_yr", "log_tau_yr", "log_alpha", "log_beta"
# As far as coordinates of the prior reach.
_EDGE = 8.0


@dataclass(frozen=True, eq=False)
class MeanAge:
    """The mean age of the stars, as a coordinate of about the width of a unit Gaussian, in place of the onset.

    Attributes
    ----------
    priors : Priors
        Of the sampled parameters, ``log_age_yr`` among them.
    fixed : dict
        Values of the others.
    """

    priors: Priors
    fixed: dict[str, float]

    def _shape(self, x: np.ndarray) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        """Shape of the history, tau [yr], alpha and beta at parameters x."""
        from ..models.compiled import SHAPES  # numba takes half a second to import

        def value(name: str) -> np.ndarray | None:
            if name in self.priors.names:
                return 10.0 ** x[:, self.priors.names.index(name)]
            return np.full(len(x), 10.0 ** self.fixed[name]) if name in self.fixed else None

        tau, alpha, beta = value(_TAU), value(_ALPHA), value(_BETA)
        if alpha is None or beta is None:
            return SHAPES["exponential"], tau, tau, tau
        return SHAPES["double_power_law"], tau, alpha, beta

    @property
    def _column(self) -> int:
        return self.priors.names.index(_AGE)

    def _limits(self) -> tuple[float, float, float, float]:
        """Limits of log age, and of log mean age: that of a rate rising as t^beta is 1 / (2 + beta) of the age."""
        low, high = float(self.priors.low[self._column]), float(self.priors.high[self._column])
        steepest = self.fixed.get(_BETA, -np.inf)
        if _BETA in self.priors.names:
            steepest = self.priors.high[self.priors.names.index(_BETA)]
        return low, high, low - float(np.log10(2.0 + 10.0**steepest)), high

    def forward(self, y: np.ndarray) -> np.ndarray:
        """The coordinates (n, n_dim) of points y (n, n_dim) of the prior."""
        from ..models.compiled import mean_ages

        x = self.priors.parameters(y)
        mean, _ = mean_ages(*self._shape(x), 10.0 ** x[:, self._column])
        _, _, least, most = self._limits()
        v = y.copy()
        v[:, self._column] = np.clip(ndtri((np.log10(mean) - least) / (most - least)), -_EDGE, _EDGE)
        return v

    def inverse(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The points y (n, n_dim) at coordinates v (n, n_dim), and ln |dy / dv| (n,).

        Where no age within its limits has the mean age, y is at the limit and the logarithm is -inf.
        """
        from ..models.compiled import mean_ages, onset_ages

        column, (low, high, least, most) = self._column, self._limits()
        shape = self._shape(self.priors.parameters(v))
        v_age = v[:, column]
        age = onset_ages(*shape, 10.0 ** (least + (most - least) * ndtr(v_age)), 10.0**high)
        mean, slope = mean_ages(*shape, age)
        level = (np.log10(age) - low) / (high - low)
        y = v.copy()
        y[:, column] = y_age = np.clip(ndtri(np.clip(level, 0.0, 1.0)), -_EDGE, _EDGE)
        # d ln(mean) / d ln(age) of the history, between the two coordinates' own slopes.
        log_ratio = np.log((most - least) / (high - low) * mean / (age * slope)) + 0.5 * (y_age**2 - v_age**2)
        return y, np.where(np.abs(y_age) < _EDGE, log_ratio, -np.inf)
