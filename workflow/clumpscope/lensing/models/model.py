"""What every lens model gives: source positions and magnification, for the best model and its realisations."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ...cosmology import COSMOLOGY, hubble_distances
from ...errors import InputError

if TYPE_CHECKING:
    from astropy.cosmology import FLRW

__all__ = ["LensModel", "magnification_of"]

Array = np.ndarray


def magnification_of(kappa: Array, gamma: Array) -> tuple[Array, Array, Array]:
    """Magnification (signed) and its tangential and radial factors.

    Parameters
    ----------
    kappa, gamma : arrays
        Convergence and modulus of the shear, scaled to the source.

    Returns
    -------
    mu, mu_t, mu_r : arrays
        1 / ((1 - kappa)^2 - gamma^2), 1 / (1 - kappa - gamma), 1 / (1 - kappa + gamma); infinite on critical lines.
        The signs of mu_t and mu_r are the two parities of an image.
    """
    with np.errstate(divide="ignore"):
        mu_t, mu_r = 1.0 / (1.0 - kappa - gamma), 1.0 / (1.0 - kappa + gamma)
    return mu_t * mu_r, mu_t, mu_r


@dataclass(frozen=True, kw_only=True)
class LensModel:
    """Lens in one plane: the frame it is given in, and all that follows from its deflection and its convergence.

    Subclasses give `deflection`, `convergence_shear` and `n_samples`.

    Attributes
    ----------
    reference : (float, float)
        RA and Dec [deg] of the origin; x grows to the West, y to the North [arcsec].
    z_lens : float
        Redshift of the lens.
    cosmology : astropy.cosmology.FLRW
        The cosmology the model was made with; it gives D_LS / D_S.
    """

    reference: tuple[float, float]
    z_lens: float
    cosmology: "FLRW" = field(default_factory=lambda: COSMOLOGY, repr=False)

    @property
    def n_samples(self) -> int:
        """Number of posterior realisations."""
        return 0

    @property
    def traces(self) -> bool:
        """Whether the model has deflections, so that positions can be traced to the source."""
        return True

    @property
    def z_only(self) -> float | None:
        """The one source redshift that the model holds for; None where it holds for all."""
        return None

    def about(self, ra: float, dec: float) -> "LensModel":
        """The same lens; a model without a frame of its own counts its positions from here [deg]."""
        return self

    def covered(self, ra: Array, dec: Array) -> Array:
        """Finite at sky positions [deg] for which the model holds."""
        return self.offsets(ra, dec)[0]

    def deflection(
        self, x: Array, y: Array, z_source: float, sample: int | None = None
    ) -> tuple[Array, Array]:
        """Deflection [arcsec], scaled to the source, at positions of the model's frame [arcsec]; shapes broadcast."""
        raise NotImplementedError

    def convergence_shear(
        self, x: Array, y: Array, z_source: float, sample: int | None = None
    ) -> tuple[Array, Array, Array]:
        """Convergence and the shear's components (along x and diagonal), scaled to the source; as `deflection`."""
        raise NotImplementedError

    def cosmology_of(self, sample: int | None) -> "FLRW":
        """Cosmology of a realisation, or of the best model."""
        return self.cosmology

    def distance_ratio(
        self, z_source: float, sample: int | None = None, z_lens: float | None = None
    ) -> float:
        """D_LS / D_S, in a realisation or the best model; zero for a source that is not behind the lens.

        `z_lens` is that of another plane than the model's main one.
        """
        z_lens = self.z_lens if z_lens is None else z_lens
        if np.ndim(z_source) or not 0.0 <= z_source < np.inf:
            raise InputError(
                "z_source",
                repr(z_source)[:80],
                "one finite number, not below 0",
                "Ask for the sources of each redshift apart.",
            )
        if z_source <= z_lens:
            return 0.0
        # Transverse comoving distances over the Hubble distance; their difference bends with space (Hogg 1999, eq. 19).
        cosmology = self.cosmology_of(sample)
        if cosmology is COSMOLOGY:
            near, far = np.asarray(hubble_distances(np.array([z_lens, z_source])))
            return float(1.0 - near / far)
        near, far = (
            float(cosmology.comoving_transverse_distance(z) / cosmology.hubble_distance)
            for z in (z_lens, z_source)
        )
        curvature = cosmology.Ok0
        return float(np.sqrt(1.0 + curvature * near**2) - near / far * np.sqrt(1.0 + curvature * far**2))

    def chosen_samples(self, n_samples: int) -> list[int]:
        """Indices of at most `n_samples` realisations, evenly spaced."""
        if not self.n_samples or n_samples < 1:
            return []
        steps = np.linspace(0, self.n_samples - 1, min(n_samples, self.n_samples))
        return [int(step) for step in np.round(steps)]

    def offsets(self, ra: Array, dec: Array) -> tuple[Array, Array]:
        """Positions in the model's frame [arcsec] of sky positions [deg]."""
        cos = np.cos(np.deg2rad(self.reference[1]))
        # The nearer way round at RA = 0.
        delta = (np.asarray(ra, dtype=float) - self.reference[0] + 180.0) % 360.0 - 180.0
        return -delta * cos * 3600.0, (np.asarray(dec, dtype=float) - self.reference[1]) * 3600.0

    def sky(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Sky positions [deg] of positions in the model's frame [arcsec]."""
        cos = np.cos(np.deg2rad(self.reference[1]))
        ra = (self.reference[0] - np.asarray(x, dtype=float) / cos / 3600.0) % 360.0
        return ra, self.reference[1] + np.asarray(y, dtype=float) / 3600.0

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
            See `magnification_of`: mu is signed, negative for images of negative parity; 1 for a source that is not behind the lens, NaN outside the model's maps.
        """
        x, y = self.offsets(ra, dec)
        kappa, gamma1, gamma2 = self.convergence_shear(x, y, z_source, sample)
        return magnification_of(kappa, np.hypot(gamma1, gamma2))

    def galaxy_magnification(self, galaxies: Table) -> Array:
        """Magnification (absolute) at the centre of every galaxy of a catalogue (ra, dec, z), shape (n,)."""
        redshifts = np.asarray(galaxies["z"], dtype=float)
        ra, dec = (np.asarray(galaxies[name], dtype=float) for name in ("ra", "dec"))
        mu = np.empty(len(galaxies))
        for z in np.unique(redshifts):
            own = redshifts == z
            mu[own] = np.abs(self.magnification(ra[own], dec[own], float(z))[0])
        return mu
