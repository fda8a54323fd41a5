"""Multiple images of one galaxy: a test of a lens model by what they have to share."""

import numpy as np
from astropy.table import Table

from ..cosmology import pc_per_arcsec
from .model import LensModel

__all__ = ["compare_systems"]

Array = np.ndarray


def compare_systems(model: LensModel, images: Table, n_samples: int = 100) -> Table:
    """Source positions and magnifications of the images of every multiply imaged system.

    Parameters
    ----------
    model : LensModel
        The lens.
    images : Table
        One row an image: id, system, ra, dec [deg], z. Systems of one image, and images that are not behind the
        lens, are left out.
    n_samples : int
        Posterior realisations used for the errors.

    Returns
    -------
    Table
        One row an image: id, system, z; source_x_arcsec, source_y_arcsec (from the model's reference, x to the
        West), offset_x_arcsec, offset_y_arcsec (from the mean of its system's images in the source plane) with their
        standard deviations over the realisations (_err); mu (signed: negative parity below zero), mu_t, mu_r;
        rms_arcsec, rms_kpc: the system's root-mean-square distance from its mean.
    """
    name = np.asarray(images["system"]).astype(str)
    z = np.asarray(images["z"], dtype=float)
    rows: list[dict] = []
    for system in dict.fromkeys(name):
        own = np.flatnonzero((name == system) & (z > model.z_lens))
        if len(own) < 2:
            continue
        redshift = float(z[own[0]])
        ra, dec = (np.asarray(images[key], dtype=float)[own] for key in ("ra", "dec"))
        source = np.array(model.source_position(ra, dec, redshift))
        offset = source - source.mean(axis=1, keepdims=True)
        drawn = [
            np.array(model.source_position(ra, dec, redshift, k)) for k in model.chosen_samples(n_samples)
        ]
        spread = np.zeros_like(offset)
        if drawn:
            spread = np.std([s - s.mean(axis=1, keepdims=True) for s in drawn], axis=0)
        rms = float(np.sqrt((offset**2).sum(axis=0).mean()))
        mu = model.magnification(ra, dec, redshift)
        for index, image in enumerate(own):
            rows.append({
                "id": str(images["id"][image]), "system": system, "z": redshift,
                "source_x_arcsec": source[0, index], "source_y_arcsec": source[1, index],
                "offset_x_arcsec": offset[0, index], "offset_x_arcsec_err": spread[0, index],
                "offset_y_arcsec": offset[1, index], "offset_y_arcsec_err": spread[1, index],
                "mu": mu[0][index], "mu_t": mu[1][index], "mu_r": mu[2][index],
                "rms_arcsec": rms, "rms_kpc": rms * pc_per_arcsec(redshift) / 1e3,
            })  # fmt: skip
    return Table(rows) if rows else Table({key: [] for key in ("id", "system", "z", "rms_arcsec", "rms_kpc")})
