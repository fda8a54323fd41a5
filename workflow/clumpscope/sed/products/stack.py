"""The median photometry of many objects (F22 section 2.4, on fluxes instead of images)."""

import numpy as np

__all__ = ["median_stack"]

# Standard error of a median over that of a mean, for normal scatter: sqrt(pi / 2).
_MEDIAN_OVER_MEAN = np.sqrt(np.pi / 2.0)


def median_stack(flux_njy: np.ndarray, error_njy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median flux of every band and its measurement error; the objects' own scatter is not in it.

    Parameters
    ----------
    flux_njy, error_njy : (n_objects, n_bands) arrays
        NaN is left out.

    Returns
    -------
    flux_njy, error_njy : (n_bands,) arrays
    """
    good = np.isfinite(flux_njy) & np.isfinite(error_njy)
    count = np.maximum(good.sum(axis=0), 1)
    quadratic = np.sqrt((np.where(good, error_njy, 0.0) ** 2).sum(axis=0))
    return np.nanmedian(np.where(good, flux_njy, np.nan), axis=0), _MEDIAN_OVER_MEAN * quadratic / count
