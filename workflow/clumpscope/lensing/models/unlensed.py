"""The model of a field without a lens: nothing moves, nothing is magnified."""

from dataclasses import dataclass, replace

import numpy as np

from .model import LensModel

__all__ = ["no_lens"]


@dataclass(frozen=True, kw_only=True)
class _NoLens(LensModel):
    def about(self, ra, dec):
        return replace(self, reference=(float(ra), float(dec)))

    def deflection(self, x, y, z_source, sample=None):
        shape = np.broadcast_shapes(np.shape(x), np.shape(y))
        return np.zeros(shape), np.zeros(shape)

    def convergence_shear(self, x, y, z_source, sample=None):
        zero = np.zeros(np.broadcast_shapes(np.shape(x), np.shape(y)))
        return zero, zero, zero


def no_lens(reference: tuple[float, float] = (0.0, 0.0)) -> LensModel:
    """Lens model with magnification 1 everywhere.

    Parameters
    ----------
    reference : (float, float)
        RA and Dec [deg] of the origin of source positions.
    """
    return _NoLens(reference=reference, z_lens=0.0)
