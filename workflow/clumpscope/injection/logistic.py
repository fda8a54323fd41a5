"""Logistic regression: a probability that rises with flux, and the flux at which it reaches a level."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from ..errors import InputError

__all__ = ["Logistic", "fit_logistic"]

Array = np.ndarray
# Standard deviation of the Gaussian prior on the slopes, per dex: far above any real one (about 10), it only
# keeps a sample in which flux separates found from missed without a single exception finite.
_PRIOR_SLOPE = 50.0
_N_STEPS = 100


@dataclass(frozen=True)
class Logistic:
    """``p = 1 / (1 + exp(-(b_0 + b_1 v_1 + b_2 v_2 + ...)))``.

    Attributes
    ----------
    coefficients : (k + 1,) array
        b_0, and one slope a variable.
    covariance : (k + 1, k + 1) array
        Inverse Fisher information.
    """

    coefficients: Array
    covariance: Array

    def probability(self, variables: Array) -> Array:
        """(n,) probabilities at (n, k) variables."""
        return expit(self.coefficients[0] + np.asarray(variables, dtype=float) @ self.coefficients[1:])

    def level(self, probability: float, others: Array) -> tuple[Array, Array]:
        """First variable at which the probability is reached, given the others, and its standard error.

        Parameters
        ----------
        probability : float
            Between 0 and 1.
        others : (n, k - 1) array
            Further variables.

        Returns
        -------
        value, error : (n,) arrays
            NaN where the probability does not rise with the first variable.
        """
        others = np.asarray(others, dtype=float)
        intercept, slope = self.coefficients[:2]
        if not slope > 0:
            return np.full((2, len(others)), np.nan)
        value = (logit(probability) - intercept - others @ self.coefficients[2:]) / slope
        gradient = -np.column_stack([np.ones(len(others)), value, others]) / slope
        return value, np.sqrt(np.einsum("ni,ij,nj->n", gradient, self.covariance, gradient))


def fit_logistic(variables: Array, found: Array) -> Logistic:
    """Maximum a-posteriori fit by Newton's method (iteratively reweighted least squares).

    Parameters
    ----------
    variables : (n, k) array
        Finite.
    found : (n,) bool array

    Returns
    -------
    Logistic

    Raises
    ------
    InputError
        Without a row.
    """
    variables, found = np.asarray(variables, dtype=float), np.asarray(found, dtype=float)
    if not len(found):
        raise InputError("completeness", "no injected clump", "at least one")
    design = np.column_stack([np.ones(len(found)), variables])
    prior = np.diag([1e-4, *np.full(variables.shape[1], _PRIOR_SLOPE**-2)])

    def height(coefficients: Array) -> float:
        eta = design @ coefficients
        return float(np.sum(found * eta - np.logaddexp(0.0, eta)) - 0.5 * coefficients @ prior @ coefficients)

    coefficients = np.zeros(design.shape[1])
    for _ in range(_N_STEPS):
        chance = expit(design @ coefficients)
        information = (design * (chance * (1.0 - chance))[:, None]).T @ design + prior
        step = np.linalg.solve(information, design.T @ (found - chance) - prior @ coefficients)
        # The posterior is concave: a step that is halved often enough climbs.
        here = height(coefficients)
        while height(coefficients + step) < here and np.abs(step).max() > 1e-9:
            step *= 0.5
        coefficients = coefficients + step
        if np.abs(step).max() < 1e-8:
            break
    chance = expit(design @ coefficients)
    information = (design * (chance * (1.0 - chance))[:, None]).T @ design + prior
    return Logistic(coefficients, np.linalg.inv(information))
