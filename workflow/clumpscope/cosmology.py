"""The cosmology of the workflow: flat LCDM, H0 = 70 km/s/Mpc, Om0 = 0.3 (F22 section 1, C25 section 1)."""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import hyp2f1

if TYPE_CHECKING:
    from astropy.cosmology import FlatLambdaCDM

__all__ = [
    "COSMOLOGY",
    "age_of_universe_yr",
    "arcsec_per_kpc",
    "distance_ratio",
    "hubble_distances",
    "luminosity_distance_cm",
    "pc_per_arcsec",
]

_H0, _OM0 = 70.0, 0.3
_MPC_CM = 3.085677581491367e24
_HUBBLE_MPC = 299792458.0 / _H0 / 1e3
_HUBBLE_GYR = 1.0 / _H0 * (_MPC_CM / 1e5) / (365.25 * 86400.0 * 1e9)
_ARCSEC_PER_RADIAN = 206264.80624709636


class _Cosmology:
    """The workflow's cosmology, with all that astropy's knows; astropy.cosmology, half a second of imports, is asked then."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by copying and pickling, which are not of astropy's object
            raise AttributeError(name)
        return getattr(_astropy(), name)


COSMOLOGY = _Cosmology()


@cache
def _astropy() -> "FlatLambdaCDM":
    from astropy.cosmology import FlatLambdaCDM

    return FlatLambdaCDM(H0=_H0, Om0=_OM0)


def _comoving_mpc(redshift: float | np.ndarray) -> float | np.ndarray:
    """Comoving distance in closed form (Baes, Camps & Van De Putte 2017), as astropy has it."""
    ratio = ((1 - _OM0) / _OM0) ** (1.0 / 3)

    def to(x):
        return 2 * np.sqrt(x) * hyp2f1(1.0 / 6, 1.0 / 2, 7.0 / 6, -(x**3))

    return _HUBBLE_MPC / np.sqrt(ratio * _OM0) * (to(ratio) - to(ratio / (np.asarray(redshift, float) + 1.0)))


def hubble_distances(redshift: float | np.ndarray) -> float | np.ndarray:
    """Comoving distance over the Hubble distance."""
    return _comoving_mpc(redshift) / _HUBBLE_MPC


def arcsec_per_kpc(redshift: float | np.ndarray) -> float | np.ndarray:
    """Angle of a proper transverse kpc [arcsec]."""
    with np.errstate(divide="ignore"):
        return _ARCSEC_PER_RADIAN / (_comoving_mpc(redshift) / (np.asarray(redshift, float) + 1.0) * 1e3)


def pc_per_arcsec(redshift: float | np.ndarray) -> float | np.ndarray:
    """Proper transverse size of one arcsecond [pc]."""
    return 1e3 / arcsec_per_kpc(redshift)


def luminosity_distance_cm(redshift: float | np.ndarray) -> float | np.ndarray:
    """Luminosity distance [cm]."""
    return (np.asarray(redshift, float) + 1.0) * _comoving_mpc(redshift) * _MPC_CM


def age_of_universe_yr(redshift: float | np.ndarray) -> float | np.ndarray:
    """Age of the Universe at `redshift` [yr] (Thomas & Kantowski 2000)."""
    ratio = (1 / _OM0 - 1 + 0j) / (np.asarray(redshift, float) + 1.0) ** 3
    return ((2.0 / 3) * _HUBBLE_GYR / np.sqrt(1 - _OM0) * np.arcsinh(np.sqrt(ratio))).real * 1e9


def distance_ratio(z_lens: float, z_source: float | np.ndarray) -> float | np.ndarray:
    """D_LS / D_S of angular-diameter distances; zero for sources in front of the lens."""
    z_source = np.asarray(z_source, dtype=float)
    # In a flat universe comoving distances subtract, so D_LS / D_S = 1 - D_C(lens) / D_C(source).
    return np.subtract(1.0, _comoving_mpc(z_lens) / _comoving_mpc(np.maximum(z_source, z_lens)))[()]
