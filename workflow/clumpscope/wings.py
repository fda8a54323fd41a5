"""Clumps whose light has wings: how many there are of each profile, and what that makes of sizes and fluxes that are a Gaussian's."""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

__all__ = ["profile_factors", "profile_scatter", "winged_profiles"]

Array = np.ndarray


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
