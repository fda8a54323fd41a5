"""A lens of analytic potentials."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import InputError
from .model import LensModel
from .potentials import PROFILES

__all__ = ["ParametricModel"]

Array = np.ndarray
# Positions worked on at once: bounds the memory of a large map with many potentials of the uncompiled profiles.
_CHUNK = 20_000


@dataclass(frozen=True, kw_only=True)
class ParametricModel(LensModel):
    """Sum of analytic potentials in one lens plane.

    Attributes
    ----------
    profiles : (n_potentials,) int array
        Lenstool's profile numbers.
    rows : (n_potentials, n_fields) array
        The best model; columns as `potentials.FIELDS`.
    samples : sequence of (n_potentials, n_fields) arrays
        Posterior realisations; may be empty.
    """

    profiles: Array
    rows: Array
    samples: Sequence[Array] = field(default=(), repr=False)

    def with_samples(self, samples: Sequence[Array]) -> "ParametricModel":
        """Return the same model with these posterior realisations."""
        return replace(self, samples=samples)

    @property
    def n_samples(self) -> int:  # noqa: D102
        return len(self.samples)

    def cosmology_of(self, sample):  # noqa: D102
        sampled = getattr(self.samples, "cosmologies", ())
        return sampled[sample] if sampled and sample is not None else self.cosmology

    def _rows(self, sample: int | None) -> Array:
        if sample is None:
            return self.rows
        if not 0 <= sample < self.n_samples:
            raise InputError("lens model", f"realisation {sample}", f"0 to {self.n_samples - 1}")
        return self.samples[sample]

    def _sum(self, what: str, n_parts: int, x: Array, y: Array, sample: int | None) -> list[Array]:
        rows = np.asarray(self._rows(sample), dtype=float)
        shape = np.broadcast_shapes(np.shape(x), np.shape(y))
        x, y = (
            np.ascontiguousarray(np.broadcast_to(np.asarray(a, dtype=float), shape).ravel()) for a in (x, y)
        )
        totals = np.zeros((n_parts, x.size))
        for number in np.unique(self.profiles):
            chosen = np.ascontiguousarray(rows[self.profiles == number])
            function = getattr(PROFILES[int(number)], what)
            for start in range(0, x.size, _CHUNK):
                part = slice(start, start + _CHUNK)
                totals[:, part] += function(chosen, x[part], y[part])
        return [total.reshape(shape) for total in totals]

    def deflection(self, x, y, z_source, sample=None):  # noqa: D102
        ratio = self.distance_ratio(z_source, sample)
        a, b = self._sum("deflection", 2, x, y, sample)
        return ratio * a, ratio * b

    def convergence_shear(self, x, y, z_source, sample=None):  # noqa: D102
        ratio = self.distance_ratio(z_source, sample)
        kappa, gamma1, gamma2 = self._sum("convergence_shear", 3, x, y, sample)
        return ratio * kappa, ratio * gamma1, ratio * gamma2
