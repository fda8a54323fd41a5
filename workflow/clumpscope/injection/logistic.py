"""Logistic regression with lapses: a probability that rises with flux, and the flux at which it reaches a level."""

from dataclasses import dataclass

import numpy as np
import scipy
from scipy.special import expit, logit

from ..errors import InputError

__all__ = ["Logistic", "fit_logistic"]

Array = np.ndarray
# Standard deviation of the Gaussian prior on the slopes, per dex: far above any real one (about 10), it only
# keeps a sample in which flux separates found from missed without a single exception finite.
_PRIOR_SLOPE = 50.0
_MAX_LAPSE = 0.3


@dataclass(frozen=True)
class Logistic:
    """``p = (1 - lapse) / (1 + exp(-(b_0 + b_1 v_1 + b_2 v_2 + ...)))``.

    Attributes
    ----------
    coefficients : (k + 1,) array
        b_0, and one slope a variable.
    lapse : float
        Share that is missed however bright, such as next to a much brighter clump.
    covariance : (k + 2, k + 2) array
        Inverse Fisher information of the coefficients and the lapse.
    """

    coefficients: Array
    lapse: float
    covariance: Array

    def probability(self, variables: Array) -> Array:
        """(n,) probabilities at (n, k) variables."""
        eta = self.coefficients[0] + np.asarray(variables, dtype=float) @ self.coefficients[1:]
        return (1.0 - self.lapse) * expit(eta)

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
            NaN where the probability does not rise with the first variable, or lapses keep it from being reached.
        """
        others = np.asarray(others, dtype=float)
        intercept, slope = self.coefficients[:2]
        share = probability / (1.0 - self.lapse)
        if not (slope > 0 and share < 1):
            return np.full((2, len(others)), np.nan)
        value = (logit(share) - intercept - others @ self.coefficients[2:]) / slope
        by_lapse = np.full(len(others), -1.0 / ((1.0 - share) * (1.0 - self.lapse)))
        gradient = -np.column_stack([np.ones(len(others)), value, others, by_lapse]) / slope
        return value, np.sqrt(np.einsum("ni,ij,nj->n", gradient, self.covariance, gradient))


def fit_logistic(variables: Array, found: Array) -> Logistic:
    """Maximum a-posteriori fit.

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

    Notes
    -----
    Without lapses, a single bright clump that is missed would flatten the slope and so bias every limit
    (Wichmann & Hill 2001, Perception & Psychophysics 63, 1293).
    """
    variables, found = np.asarray(variables, dtype=float), np.asarray(found, dtype=bool)
    if not len(found):
        raise InputError("completeness", "no injected clump", "at least one")
    design = np.column_stack([np.ones(len(found)), variables])
    n = design.shape[1]
    prior = np.array([1e-4, *np.full(n - 1, _PRIOR_SLOPE**-2)])

    def loss(theta: Array) -> tuple[float, Array]:
        eta, lapse = design @ theta[:n], theta[n]
        share, miss = expit(eta), expit(-eta)
        missed = miss + lapse * share
        value = -np.sum(np.where(found, np.log1p(-lapse) - np.logaddexp(0.0, -eta), np.log(missed)))
        by_eta = np.where(found, -miss, (1.0 - lapse) * share * miss / missed)
        by_lapse = np.sum(np.where(found, 1.0 / (1.0 - lapse), -share / missed))
        return value + 0.5 * theta[:n] @ (prior * theta[:n]), np.append(
            by_eta @ design + prior * theta[:n], by_lapse
        )

    bounds = [(None, None)] * n + [(0.0, _MAX_LAPSE)]
    start = np.append(np.zeros(n), 0.01)
    theta = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds,
                              options={"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-7}).x  # fmt: skip
    coefficients, lapse = theta[:n], float(theta[n])
    share = expit(design @ coefficients)
    chance = (1.0 - lapse) * share
    slopes = np.column_stack([((1.0 - lapse) * share * (1.0 - share))[:, None] * design, -share])
    # A probability of exactly 0 or 1 has no slope either.
    information = slopes.T @ (slopes / np.maximum(chance * (1.0 - chance), 1e-12)[:, None])
    information[np.diag_indices(n)] += prior
    covariance = np.zeros((n + 1, n + 1))
    free = n + (0.0 < lapse < _MAX_LAPSE)
    covariance[:free, :free] = np.linalg.inv(information[:free, :free])
    return Logistic(coefficients, lapse, covariance)
