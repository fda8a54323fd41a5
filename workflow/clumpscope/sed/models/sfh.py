"""Star-formation histories: their names, parameters and formulas.

Time t runs from the onset of star formation; `age` is the time since then, so that stars of age a formed
at t = age - a. Every history is normalised to one solar mass formed.

=================  ==================================  ===============================================
name               psi(t), for 0 < t < age             parameters beyond the common ones
=================  ==================================  ===============================================
exp_free           exp(-t / tau)                       log_tau_yr
exp_1Myr           exp(-t / 1 Myr)
exp_10Myr          exp(-t / 10 Myr)
exp_100Myr         exp(-t / 100 Myr)
const              constant
ssp                everything at t = 0
double_power_law   1 / [(t/tau)^alpha + (t/tau)^-beta] log_tau_yr, log_alpha, log_beta
=================  ==================================  ===============================================

The common parameters are, in this order, log_mass_formed, log_age_yr, log_z_zsun, a_v, log_u. All logarithms
are decimal. Sources: C25 sections 3.2 and 3.6; Carnall et al. (2018), equation 10 (double power law).
"""

import difflib
from dataclasses import dataclass

import numpy as np

from ...errors import InputError

__all__ = ["COMMON_PARAMETERS", "SFH", "SFHS", "get_sfh", "sfr_shape"]

COMMON_PARAMETERS = ("log_mass_formed", "log_age_yr", "log_z_zsun", "a_v", "log_u")


@dataclass(frozen=True)
class SFH:
    """A family of star-formation histories.

    Attributes
    ----------
    name : str
        Name in configurations.
    shape : str
        ``exponential``, ``constant``, ``burst`` or ``double_power_law``.
    tau_yr : float or None
        The e-folding time when it is fixed [yr].
    extra : tuple of str
        Free parameters after the common ones.
    """

    name: str
    shape: str
    tau_yr: float | None = None
    extra: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all free parameters, in order."""
        return COMMON_PARAMETERS + self.extra


SFHS: dict[str, SFH] = {
    sfh.name: sfh
    for sfh in (
        SFH("exp_free", "exponential", None, ("log_tau_yr",)),
        SFH("exp_1Myr", "exponential", 1e6),
        SFH("exp_10Myr", "exponential", 1e7),
        SFH("exp_100Myr", "exponential", 1e8),
        SFH("const", "constant"),
        SFH("ssp", "burst"),
        SFH("double_power_law", "double_power_law", None, ("log_tau_yr", "log_alpha", "log_beta")),
    )
}


def get_sfh(name: str) -> SFH:
    """A star-formation history by name.

    Raises
    ------
    InputError
        If the name is unknown; it suggests the nearest one.
    """
    if name not in SFHS:
        near = difflib.get_close_matches(str(name), SFHS, n=1)
        hint = f"Did you mean {near[0]}?" if near else ""
        raise InputError("star-formation history", repr(name), f"one of {', '.join(SFHS)}", hint)
    return SFHS[name]


def sfr_shape(sfh: SFH, t_yr: np.ndarray, parameters: dict[str, float]) -> np.ndarray:
    """The star-formation rate at time `t_yr` after the onset, up to a factor.

    Parameters
    ----------
    sfh : SFH
        Any but ``ssp``, whose rate is a delta function.
    t_yr : (n,) array
        Positive times [yr].
    parameters : dict
        Values of the parameters in `sfh.extra`.
    """
    t = np.asarray(t_yr, dtype=float)
    if sfh.shape == "constant":
        return np.ones_like(t)
    if sfh.shape == "exponential":
        return np.exp(-t / (sfh.tau_yr or 10.0 ** parameters["log_tau_yr"]))
    u = np.log(t) - np.log(10.0) * parameters["log_tau_yr"]
    alpha, beta = 10.0 ** parameters["log_alpha"], 10.0 ** parameters["log_beta"]
    log_rate = -np.logaddexp(alpha * u, -beta * u)
    return np.exp(log_rate - log_rate.max())  # far from the peak the rate itself underflows
