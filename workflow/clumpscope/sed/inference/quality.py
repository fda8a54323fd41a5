"""Flags that say how far photometry carries a fit."""

from scipy.special import chdtrc

__all__ = ["quality_flags"]

_BROAD_BANDS_NEEDED = 4  # C25 section 3.6
_POOR_FIT_PROBABILITY = 1e-4


def quality_flags(n_bands: int, n_bands_snr3: int, n_free: int, chi2: float) -> list[str]:
    """Names of the flags of a fit.

    Parameters
    ----------
    n_bands, n_bands_snr3 : int
        Bands fitted, and broad bands among them with S/N > 3.
    n_free : int
        Free parameters, mass included.
    chi2 : float
        Of the best model.
    """
    # With as many parameters as bands, a model of the right kind fits nearly exactly.
    freedom = max(n_bands - n_free, 1)
    raised = {
        "few_bands": n_bands_snr3 < _BROAD_BANDS_NEEDED,
        "underconstrained": n_bands < n_free,
        "poor_fit": chdtrc(freedom, chi2) < _POOR_FIT_PROBABILITY,
    }
    return [name for name, is_raised in raised.items() if is_raised]
