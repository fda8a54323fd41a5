"""Multiple images of one galaxy: a test of a lens model by what they have to share."""

from collections.abc import Sequence

import numpy as np
from astropy.table import Table, vstack

from ...cosmology import pc_per_arcsec
from ...intervals import sided_errors
from ..models.model import LensModel

__all__ = ["compare_systems"]

Array = np.ndarray


def compare_systems(
    model: LensModel, images: Table, n_samples: int = 100, fluxes: Sequence[str] = ()
) -> Table:
    """Source positions, magnifications and intrinsic fluxes of the images of every multiply imaged system.

    Parameters
    ----------
    model : LensModel
        The lens.
    images : Table
        One row an image: id, system, ra, dec [deg], z. Systems of one image, and images that are not behind the
        lens, are left out.
    n_samples : int
        Posterior realisations used for the errors.
    fluxes : sequence of str
        Columns of observed quantities to which the magnification is proportional (fluxes, masses).

    Returns
    -------
    Table
        One row an image: id, system, z; source_x_arcsec, source_y_arcsec (from the model's reference, x to the
        West), offset_x_arcsec, offset_y_arcsec (from the mean of its system's images in the source plane) with their
        standard deviations over the realisations (_err); mu (signed: negative parity below zero), mu_t, mu_r,
        and mu_err_lo, mu_err_hi of its absolute value (68 %); rms_arcsec, rms_kpc: the system's root-mean-square
        distance from its mean; for every column of `fluxes` ``intrinsic_<column>``, what it is divided by |mu|.
    """
    name = np.asarray(images["system"]).astype(str)
    z = np.asarray(images["z"], dtype=float)
    parts = []
    for system in dict.fromkeys(name):
        own = np.flatnonzero((name == system) & (z > model.z_lens))
        if len(own) > 1:
            parts.append(_compare(model, images[own], float(z[own[0]]), n_samples, fluxes))
    if not parts:
        return Table({key: [] for key in ("id", "system", "z", "rms_arcsec", "rms_kpc")})
    return vstack(parts, metadata_conflicts="silent")


def _compare(model: LensModel, images: Table, z: float, n_samples: int, fluxes: Sequence[str]) -> Table:
    ra, dec = (np.asarray(images[key], dtype=float) for key in ("ra", "dec"))

    def offsets(source: Array) -> Array:
        return source - source.mean(axis=1, keepdims=True)

    source = np.array(model.source_position(ra, dec, z))
    offset = offsets(source)
    mu, mu_t, mu_r = model.magnification(ra, dec, z)
    spread = np.zeros_like(offset)
    drawn = np.empty((0, len(mu)))
    chosen = model.chosen_samples(n_samples)
    if chosen:
        spread = np.std([offsets(np.array(model.source_position(ra, dec, z, k))) for k in chosen], axis=0)
        drawn = np.abs([model.magnification(ra, dec, z, k)[0] for k in chosen])
    below, above = sided_errors(np.abs(mu), drawn.T)
    rms = float(np.sqrt((offset**2).sum(axis=0).mean()))
    result = Table(
        {
            "id": np.asarray(images["id"]).astype(str),
            "system": np.asarray(images["system"]).astype(str),
            "z": np.full(len(ra), z),
            "source_x_arcsec": source[0],
            "source_y_arcsec": source[1],
            "offset_x_arcsec": offset[0],
            "offset_x_arcsec_err": spread[0],
            "offset_y_arcsec": offset[1],
            "offset_y_arcsec_err": spread[1],
            "mu": mu,
            "mu_t": mu_t,
            "mu_r": mu_r,
            "mu_err_lo": below,
            "mu_err_hi": above,
            "rms_arcsec": np.full(len(ra), rms),
            "rms_kpc": np.full(len(ra), rms * pc_per_arcsec(z) / 1e3),
        }
    )
    for column in fluxes:
        result[f"intrinsic_{column}"] = np.asarray(images[column], dtype=float) / np.abs(mu)
    return result
