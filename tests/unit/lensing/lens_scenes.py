"""A simple lens and frames for tests of what follows from a lens model."""

import numpy as np
from astropy.wcs import WCS
from clumpscope.cosmology import distance_ratio
from clumpscope.lensing.models.parametric import ParametricModel
from clumpscope.lensing.models.potentials import CORE, CUT, FIELDS, STRENGTH, einstein_arcsec

REFERENCE = (10.0, 0.0)
Z_LENS = 0.4


def cluster(v_disp=900.0, samples=()):
    """A singular isothermal sphere, and realisations of other velocity dispersions."""

    def rows(v):
        row = np.zeros((1, len(FIELDS)))
        row[0, [CORE, CUT, STRENGTH]] = 1e-4, 1e5, einstein_arcsec(v, 6.0)
        return row

    return ParametricModel(
        reference=REFERENCE,
        z_lens=Z_LENS,
        profiles=np.array([81]),
        rows=rows(v_disp),
        samples=[rows(v) for v in samples],
    )


def einstein(v_disp, z=2.0):
    return einstein_arcsec(v_disp, 6.0) * distance_ratio(Z_LENS, z)


def grid_wcs(n, scale):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = REFERENCE, ((n + 1) / 2, (n + 1) / 2)
    wcs.wcs.cdelt = (-scale / 3600, scale / 3600)
    return wcs
