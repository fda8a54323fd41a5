"""Clumps whose light has wings: how many there are of each profile, and what that makes of sizes and fluxes that are a Gaussian's."""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

__all__ = ["profile_factors", "profile_interval", "profile_scatter", "winged_profiles"]

Array = np.ndarray
# Halvings of the range in which an end of an interval lies.
_HALVINGS = 40


def winged_profiles(shares: Mapping[str, float]) -> list[str]:
    """Names of the profiles with wings that some clumps have, those with the most light in the wings last."""
    return [name for name in ("plummer", "eff") if shares.get(name, 0.0) > 0.0]


def profile_factors(ratios: Array, shares: Mapping[str, float], normal_draws: Array) -> Array:
    """What the profile makes of a size or flux, drawn: 1 for Gaussians, the ratio of a profile as often as clumps have it.

    Parameters
    ----------
    ratios : (n, n_winged) array
        Of the profiles of `winged_profiles`.
    shares : mapping of str to float
        Share of the clumps that have each profile.
    normal_draws : (n, n_draws) array
        Standard normal numbers; the larger ones become the profiles with the most light in the wings.

    Returns
    -------
    (n, n_draws) array
    """
    names = ["gaussian", *winged_profiles(shares)]
    edges = np.cumsum([shares.get(name, 0.0) for name in names])
    profile = np.searchsorted(edges[:-1] / edges[-1], ndtr(normal_draws))
    return np.take_along_axis(np.column_stack([np.ones(len(ratios)), ratios]), profile, axis=1)


def profile_scatter(ratios: Mapping[str, Array], shares: Mapping[str, float]) -> Array:
    """Root mean square of ``ratio - 1`` over profiles of which clumps have their shares; Gaussians have a ratio of 1.

    Parameters
    ----------
    ratios : mapping of str to (n,) array
        Of fluxes or sizes, by profile.
    shares : mapping of str to float
        Share of the clumps that have each profile.
    """
    total = sum(shares.values())
    return np.sqrt(sum(shares[name] / total * (ratio - 1.0) ** 2 for name, ratio in ratios.items()))


def profile_interval(
    value: Array, error: Array, ratios: Mapping[str, Array], shares: Mapping[str, float]
) -> tuple[Array, Array]:
    """Errors below and above a value measured as a Gaussian's, of which 68 % hold whatever the profile is.

    The distances to the 16 and 84 % points of the values that clumps may have: with each profile as often as clumps have it.

    Parameters
    ----------
    value, error : (n,) arrays
        Measured, and its error but for the profile.
    ratios : mapping of str to (n,) array
        What the value would be with each profile of `winged_profiles`, over what it is.
    shares : mapping of str to float
        Share of the clumps that have each profile.

    Returns
    -------
    below, above : (n,) arrays
        Not below zero; NaN where the value or its error is.
    """
    weights = np.array([shares.get("gaussian", 0.0), *(shares[name] for name in ratios)])
    means = np.stack([np.ones_like(value), *ratios.values()]) * value
    errors = np.broadcast_to(error, means.shape)

    def point(share: float) -> Array:
        low, high = (means - 6.0 * errors).min(axis=0), (means + 6.0 * errors).max(axis=0)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            with np.errstate(divide="ignore", invalid="ignore"):
                below = weights @ ndtr((middle - means) / errors) < share * weights.sum()
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)

    return tuple(np.maximum(side, 0.0) for side in (value - point(ndtr(-1.0)), point(ndtr(1.0)) - value))
