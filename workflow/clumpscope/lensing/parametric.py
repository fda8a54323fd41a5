"""A lens of analytic potentials: source positions and magnification, for the best model and its realisations."""

from dataclasses import dataclass, field, replace

import numpy as np
from astropy.table import Table

from ..cosmology import distance_ratio
from ..errors import InputError
from . import potentials

__all__ = ["LensModel", "magnification_of"]

Array = np.ndarray
# Positions times potentials held at once: bounds the memory of a large map.
_CHUNK = 400_000


def magnification_of(kappa: Array, gamma: Array) -> tuple[Array, Array, Array]:
    """Magnification (signed) and its tangential and radial factors.

    Parameters
    ----------
    kappa, gamma : arrays
        Convergence and shear, scaled to the source.

    Returns
    -------
    mu, mu_t, mu_r : arrays
        1 / ((1 - kappa)^2 - gamma^2), 1 / (1 - kappa - gamma), 1 / (1 - kappa + gamma); infinite on critical lines.
    """
    with np.errstate(divide="ignore"):
        mu_t, mu_r = 1.0 / (1.0 - kappa - gamma), 1.0 / (1.0 - kappa + gamma)
    return mu_t * mu_r, mu_t, mu_r


@dataclass(frozen=True)
class LensModel:
    """Sum of analytic potentials in one lens plane.

    Attributes
    ----------
    reference : (float, float)
        RA and Dec [deg] of the origin; x grows to the West, y to the North [arcsec].
    z_lens : float
        Redshift of the lens.
    profiles : (n_potentials,) int array
        Lenstool's profile numbers.
    rows : (n_potentials, n_fields) array
        The best model; columns as `potentials.FIELDS`.
    samples : (n_samples, n_potentials, n_fields) array
        Posterior realisations; may be empty.
    """

    reference: tuple[float, float]
    z_lens: float
    profiles: Array
    rows: Array
    samples: Array = field(default_factory=lambda: np.empty((0, 0, 0)))

    def with_samples(self, samples: Array) -> "LensModel":
        """Return the same model with these posterior realisations."""
        return replace(self, samples=samples)

    @property
    def n_samples(self) -> int:
        """Number of posterior realisations."""
        return len(self.samples)

    def offsets(self, ra: Array, dec: Array) -> tuple[Array, Array]:
        """Positions in the model's frame [arcsec] of sky positions [deg]."""
        cos = np.cos(np.deg2rad(self.reference[1]))
        # The nearer way round at RA = 0.
        delta = (np.asarray(ra, dtype=float) - self.reference[0] + 180.0) % 360.0 - 180.0
        return -delta * cos * 3600.0, (np.asarray(dec, dtype=float) - self.reference[1]) * 3600.0

    def sky(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Sky positions [deg] of positions in the model's frame [arcsec]."""
        cos = np.cos(np.deg2rad(self.reference[1]))
        return (self.reference[0] - np.asarray(x) / cos / 3600.0) % 360.0, self.reference[1] + np.asarray(
            y
        ) / 3600.0

    def _rows(self, sample: int | None) -> Array:
        if sample is None:
            return self.rows
        if not 0 <= sample < self.n_samples:
            raise InputError("lens model", f"realisation {sample}", f"0 to {self.n_samples - 1}")
        return self.samples[sample]

    def _sum(self, function, n_parts: int, x: Array, y: Array, rows: Array) -> list[Array]:
        shape = np.broadcast_shapes(np.shape(x), np.shape(y))
        x, y = (np.broadcast_to(np.asarray(a, dtype=float), shape).ravel() for a in (x, y))
        totals = [np.zeros(x.size) for _ in range(n_parts)]
        step = max(1, _CHUNK // len(rows))
        for start in range(0, x.size, step):
            part = slice(start, start + step)
            for profile in np.unique(self.profiles):
                chosen = rows[self.profiles == profile]
                for total, value in zip(
                    totals, function(int(profile), chosen, x[part], y[part]), strict=True
                ):
                    total[part] += value
        return [total.reshape(shape) for total in totals]

    def deflection(
        self, x: Array, y: Array, z_source: float, sample: int | None = None
    ) -> tuple[Array, Array]:
        """Scaled deflection [arcsec] at positions of the model's frame [arcsec]; shapes broadcast."""
        ratio = distance_ratio(self.z_lens, z_source)
        a, b = self._sum(potentials.deflection, 2, x, y, self._rows(sample))
        return ratio * a, ratio * b

    def convergence_shear(
        self, x: Array, y: Array, z_source: float, sample: int | None = None
    ) -> tuple[Array, Array, Array]:
        """Convergence and the shear's components (along x and diagonal), scaled to the source."""
        ratio = distance_ratio(self.z_lens, z_source)
        xx, yy, xy = self._sum(potentials.hessian, 3, x, y, self._rows(sample))
        return 0.5 * ratio * (xx + yy), 0.5 * ratio * (xx - yy), ratio * xy

    def source_position(
        self, ra: Array, dec: Array, z_source: float, sample: int | None = None
    ) -> tuple[Array, Array]:
        """Trace sky positions to the source plane.

        Parameters
        ----------
        ra, dec : arrays
            Image-plane positions [deg].
        z_source : float
            Redshift of the source; positions are unchanged when it is not behind the lens.
        sample : int, optional
            Index of a posterior realisation; the best model when missing.

        Returns
        -------
        x, y : arrays
            Source-plane positions [arcsec] from the model's reference, x to the West.
        """
        x, y = self.offsets(ra, dec)
        alpha_x, alpha_y = self.deflection(x, y, z_source, sample)
        return x - alpha_x, y - alpha_y

    def magnification(
        self, ra: Array, dec: Array, z_source: float, sample: int | None = None
    ) -> tuple[Array, Array, Array]:
        """Magnification at sky positions.

        Parameters
        ----------
        ra, dec, z_source, sample
            As in `source_position`.

        Returns
        -------
        mu, mu_t, mu_r : arrays
            See `magnification_of`; 1 for a source that is not behind the lens.
        """
        x, y = self.offsets(ra, dec)
        kappa, gamma1, gamma2 = self.convergence_shear(x, y, z_source, sample)
        return magnification_of(kappa, np.hypot(gamma1, gamma2))

    def galaxy_magnification(self, galaxies: Table) -> Array:
        """Magnification at the centre of every galaxy of a catalogue (ra, dec, z), shape (n,)."""
        redshifts = np.asarray(galaxies["z"], dtype=float)
        x, y = self.offsets(galaxies["ra"], galaxies["dec"])
        mu = np.empty(len(galaxies))
        for z in np.unique(redshifts):
            own = redshifts == z
            kappa, gamma1, gamma2 = self.convergence_shear(x[own], y[own], z)
            mu[own] = np.abs(magnification_of(kappa, np.hypot(gamma1, gamma2))[0])
        return mu
