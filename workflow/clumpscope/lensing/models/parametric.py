"""A lens of analytic potentials."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...errors import InputError
from .model import LensModel
from .planes import position_behind, shear_behind
from .potentials import PROFILES, X, Y

__all__ = ["ParametricModel"]

Array = np.ndarray
# Positions worked on at once: bounds the memory of a large map with many potentials of the uncompiled profiles.
_CHUNK = 20_000


@dataclass(frozen=True, kw_only=True)
class ParametricModel(LensModel):
    """Sum of analytic potentials, in one lens plane or in several.

    Attributes
    ----------
    profiles : (n_potentials,) int array
        Lenstool's profile numbers.
    rows : (n_potentials, n_fields) array
        The best model; columns as `potentials.FIELDS`.
    samples : sequence of (n_potentials, n_fields) arrays
        Posterior realisations; may be empty.
    redshifts : (n_potentials,) array, optional
        Of every potential; all at `z_lens`, the redshift of the main plane, when missing.
    """

    profiles: Array
    rows: Array
    samples: Sequence[Array] = field(default=(), repr=False)
    redshifts: Array | None = field(default=None, repr=False)

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

    def _sum(self, what: str, n_parts: int, x: Array, y: Array, rows: Array, chosen: Array) -> list[Array]:
        """Sum of the chosen potentials, for D_LS / D_S = 1."""
        shape = np.broadcast_shapes(np.shape(x), np.shape(y))
        x, y = (
            np.ascontiguousarray(np.broadcast_to(np.asarray(a, dtype=float), shape).ravel()) for a in (x, y)
        )
        totals = np.zeros((n_parts, x.size))
        for number in np.unique(self.profiles[chosen]):
            own = np.ascontiguousarray(rows[chosen & (self.profiles == number)])
            function = getattr(PROFILES[int(number)], what)
            for start in range(0, x.size, _CHUNK):
                part = slice(start, start + _CHUNK)
                totals[:, part] += function(own, x[part], y[part])
        return [total.reshape(shape) for total in totals]

    def _planes(self, sample: int | None) -> tuple[list[float], Callable, Callable]:
        """Redshifts of the planes, and the deflection and distortion of each (`planes.position_behind`).

        Positions of potentials are those seen on the sky: that of one behind others is traced to its own plane.
        """
        redshifts = np.full(len(self.profiles), self.z_lens) if self.redshifts is None else self.redshifts
        rows = np.array(self._rows(sample), dtype=float)
        planes = [float(z) for z in np.unique(redshifts)]

        def deflect(plane: float, x: Array, y: Array) -> list[Array]:
            return self._sum("deflection", 2, x, y, rows, redshifts == plane)

        def distort(plane: float, x: Array, y: Array) -> list[Array]:
            return self._sum("convergence_shear", 3, x, y, rows, redshifts == plane)

        for plane in planes[1:]:
            own = redshifts == plane
            rows[own, X], rows[own, Y] = position_behind(
                planes, deflect, self._between(sample), rows[own, X], rows[own, Y], plane
            )
        return planes, deflect, distort

    def _between(self, sample: int | None) -> Callable[[float, float], float]:
        return lambda near, far: self.distance_ratio(far, sample, near)

    def deflection(self, x, y, z_source, sample=None):  # noqa: D102
        planes, deflect, _ = self._planes(sample)
        if len(planes) == 1:
            ratio = self.distance_ratio(z_source, sample)
            return tuple(ratio * part for part in deflect(planes[0], x, y))
        x, y = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        behind = position_behind(planes, deflect, self._between(sample), x, y, z_source)
        return x - behind[0], y - behind[1]

    def convergence_shear(self, x, y, z_source, sample=None):  # noqa: D102
        planes, deflect, distort = self._planes(sample)
        if len(planes) == 1:
            ratio = self.distance_ratio(z_source, sample)
            return tuple(ratio * part for part in distort(planes[0], x, y))
        x, y = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        return shear_behind(planes, deflect, distort, self._between(sample), x, y, z_source)
