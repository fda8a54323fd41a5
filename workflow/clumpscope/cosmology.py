"""The cosmology of the workflow: flat LCDM, H0 = 70 km/s/Mpc, Om0 = 0.3 (F22 section 1, C25 section 1)."""

import numpy as np
from astropy.cosmology import FlatLambdaCDM

__all__ = ["COSMOLOGY", "age_of_universe_yr", "distance_ratio", "luminosity_distance_cm", "pc_per_arcsec"]

COSMOLOGY = FlatLambdaCDM(H0=70.0, Om0=0.3)


def pc_per_arcsec(redshift: float | np.ndarray) -> float | np.ndarray:
    """Proper transverse size of one arcsecond [pc]."""
    return 1e3 / COSMOLOGY.arcsec_per_kpc_proper(redshift).value


def luminosity_distance_cm(redshift: float | np.ndarray) -> float | np.ndarray:
    """Luminosity distance [cm]."""
    return COSMOLOGY.luminosity_distance(redshift).to("cm").value


def age_of_universe_yr(redshift: float | np.ndarray) -> float | np.ndarray:
    """Age of the Universe at `redshift` [yr]."""
    return COSMOLOGY.age(redshift).to("yr").value


def distance_ratio(z_lens: float, z_source: float | np.ndarray) -> float | np.ndarray:
    """D_LS / D_S of angular-diameter distances; zero for sources in front of the lens."""
    z_source = np.asarray(z_source, dtype=float)
    # In a flat universe comoving distances subtract, so D_LS / D_S = 1 - D_C(lens) / D_C(source).
    distance = COSMOLOGY.comoving_distance(np.maximum(z_source, z_lens)).value
    return (1.0 - COSMOLOGY.comoving_distance(z_lens).value / distance)[()]
