"""What the catalogue of a mock field says of redshifts."""

import numpy as np

from .galaxies import turn
from .settings import Settings
from .sources import Galaxy, Redshift

__all__ = ["draw_known_redshifts"]

_UNCERTAIN = 0.7  # error of the galaxy that the selection must reject for it
_OUTLIERS = (0.8, 6.3)
_OUTLIER_SIGMA = 5.0


def draw_known_redshifts(
    rng: np.random.Generator, galaxies: list[Galaxy], settings: Settings
) -> list[Redshift]:
    """Spectroscopic redshifts, and photometric ones that scatter as their errors say but for the outliers.

    An outlier lies anywhere between 0.8 and 6.3 at more than five of the errors it is given.
    """
    known = []
    n_photometric = 0
    for k, galaxy in enumerate(galaxies):
        if galaxy.fate == "photometric redshift":
            # Stays a redshift whatever the seed.
            z = galaxy.z + _UNCERTAIN * float(np.clip(rng.normal(), -1.5, 1.5))
            known.append(Redshift(z, _UNCERTAIN))
        elif not turn(k, settings.photometric_share):
            known.append(Redshift(galaxy.z, 0.0))
        else:
            outlier = turn(n_photometric, settings.outlier_share)
            n_photometric += 1
            error = settings.photometric_error * (1 + galaxy.z)
            z = galaxy.z + error * float(rng.normal())
            while outlier and abs(z - galaxy.z) < _OUTLIER_SIGMA * error:
                z = float(rng.uniform(*_OUTLIERS))
            known.append(Redshift(z, settings.photometric_error * (1 + z), outlier))
    return known
