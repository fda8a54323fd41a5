"""The posterior of one object, and percentile tables of many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from ...flags import describe

__all__ = ["PERCENTILES", "SAMPLE_NAMES", "Posterior", "percentile_table"]

PERCENTILES = (16, 50, 84)

# Quantities with percentile columns in every table; NaN where a star-formation history has no such parameter.
SAMPLE_NAMES = (
    "log_mass",
    "log_mass_formed",
    "log_age_yr",
    "log_age_mw_yr",
    "log_tau_yr",
    "log_sfr10",
    "log_sfr100",
    "a_v",
    "log_z_zsun",
    "log_u",
    "m_v_ab",
    "ml_v",
)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Posterior samples of one object and what is known about their quality.

    Attributes
    ----------
    id : str
        Identifier.
    samples : dict of str to (n_draws,) arrays
        Parameters and derived quantities, *observed* (not divided by the magnification). Log masses
        [log Msun], ages and tau [log yr], SFRs [log Msun/yr], a_v [mag]. NaN throughout when the object
        has no usable photometry. Single precision.
    converged : bool
        Whether the sampler met its criteria.
    rhat : float
        Largest split R-hat.
    n_effective : float
        Smallest effective sample size of the sampled parameters.
    chi2 : float
        Of the best fit.
    best : dict of str to float
        Parameters and derived quantities of the best fit.
    filters : tuple of str
    flux_njy, error_njy : (n_bands,) arrays
        The measurement; NaN where a band is not used.
    data_njy, sigma_njy : (n_bands,) arrays
        What is fitted: with limits treated and error floor added.
    model_njy : (n_bands,) array
        Fluxes of the best fit.
    model_p16_njy, model_p84_njy : (n_bands,) arrays
        16 and 84 % of the fluxes over the posterior.
    redshift : float
    sampler : str
        ``emcee``, ``nautilus``, or ``none``.
    n_calls : int
        Model evaluations for this object, the shared sweep not counted.
    n_bands, n_bands_snr3 : int
        Bands used, and broad bands among them with S/N > 3.
    flags : int
        See `clumpscope.flags`.
    hash : str
        Identifies data, priors, library, settings and code.
    settings : dict
        The settings that the hash covers, as plain values.
    """

    id: str
    samples: dict[str, np.ndarray]
    converged: bool
    rhat: float
    n_effective: float
    chi2: float
    best: dict[str, float]
    filters: tuple[str, ...]
    flux_njy: np.ndarray
    error_njy: np.ndarray
    data_njy: np.ndarray
    sigma_njy: np.ndarray
    model_njy: np.ndarray
    model_p16_njy: np.ndarray
    model_p84_njy: np.ndarray
    redshift: float
    sampler: str
    n_calls: int
    n_bands: int
    n_bands_snr3: int
    flags: int
    hash: str
    settings: Mapping[str, object]

    def summary(self) -> str:
        """One line for a log."""
        flags = f", flags {' '.join(describe(self.flags))}" if self.flags else ""
        return (
            f"{self.id}: {self.sampler}, R-hat {self.rhat:.3f}, effective size {self.n_effective:.0f}, "
            f"chi2 {self.chi2:.1f} in {self.n_bands} bands{flags}"
        )

    def percentile(self, name: str, q: float | Sequence[float] = PERCENTILES) -> np.ndarray:
        """Percentiles of one quantity (16, 50 and 84 unless told otherwise)."""
        return np.percentile(self.samples[name], q)


def percentile_table(posteriors: Sequence[Posterior]) -> Table:
    """One row per object: 16, 50 and 84 % of every quantity, observed, and the diagnostics.

    Parameters
    ----------
    posteriors : sequence of Posterior

    Returns
    -------
    astropy.table.Table
        Columns as in `clumpscope.columns`: id, ``{name}_p16`` ..., chi2, n_bands,
        n_bands_snr3, rhat, n_effective, sampler, flags.
    """
    table = Table()
    table["id"] = np.array([str(posterior.id) for posterior in posteriors], dtype=str)
    for name in SAMPLE_NAMES:
        rows = np.array(
            [p.percentile(name) if name in p.samples else [np.nan] * len(PERCENTILES) for p in posteriors]
        ).reshape(-1, len(PERCENTILES))
        for column, percent in enumerate(PERCENTILES):
            table[f"{name}_p{percent}"] = rows[:, column]
    for name, kind in [
        ("chi2", float),
        ("n_bands", int),
        ("n_bands_snr3", int),
        ("rhat", float),
        ("n_effective", float),
        ("sampler", str),
        ("flags", int),
    ]:
        table[name] = np.array([getattr(posterior, name) for posterior in posteriors], dtype=kind)
    return table
