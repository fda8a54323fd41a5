"""Photometric redshifts as a few redshifts of equal probability."""

import numpy as np
from scipy.special import ndtri

from .intervals import DEVIATE_84

__all__ = ["redshift_quantiles"]


def redshift_quantiles(z: float, z_lo: float, z_hi: float, n: int) -> list[float]:
    """Redshifts that stand for equal shares of a photometric redshift's distribution.

    Parameters
    ----------
    z, z_lo, z_hi : float
        Redshift, and its 16 and 84 % points.
    n : int
        How many; 1 gives `z`.

    Returns
    -------
    list of float
        In rising order; `z` alone where it has no error (a spectroscopic one).

    Notes
    -----
    The distribution is a split normal about its median `z`. The deviates are the middles of n equal shares, stretched to
    unit variance, so that n redshifts scatter as the distribution does (the middles of three have 0.79 of it, of five 0.88).
    None is below half of `z`: an error as large as that has no lower end.
    """
    if n < 2 or not (np.isfinite([z_lo, z_hi]).all() and z_lo <= z <= z_hi and z_lo < z_hi):
        return [float(z)]
    deviate = ndtri((np.arange(n) + 0.5) / n)
    deviate /= deviate.std() * DEVIATE_84
    side = np.where(deviate < 0.0, z - z_lo, z_hi - z)
    return np.maximum(z + deviate * side, 0.5 * z).tolist()
