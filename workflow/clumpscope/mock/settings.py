"""What a mock field is asked to be: the keys of the configuration's `mock`, and what follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .population import Recipe

__all__ = ["Settings"]

_CLUMPS_PER_GALAXY, _GALAXIES_PER_STAR = 5.08, 4
_SMALLEST_ARCSEC, _SPACING_ARCSEC, _STEP_ARCSEC = 40.0, 7.75, 2.0
_FEWEST_STARS = 14


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Keys of `mock`, see config/README.md; the defaults are the small field of the default configuration.

    Attributes
    ----------
    size_arcsec : float, optional
        Default: 40, growing with the number of galaxies beyond 26.
    n_galaxies : int
    n_clumps, n_stars : int, optional
        Default: in proportion to the galaxies.
    lens_truth : str
        ``best``: the given best model is the truth. ``sample``: the truth is one of the given samples.
    lens_model, lens_samples : str, optional
        A user's Lenstool model and its samples, in place of the mock's own.
    multiple_share, critical_share : float
        Shares of the galaxies that have several images, and that lie on a critical line.
    mu_max : float
        Largest magnification of a clump image.
    crowded_share : float
        Share of clumps with a neighbour down to one FWHM away.
    profiles : mapping
        Shares of the clumps' profiles.
    psf_variation : float
        Largest minus smallest FWHM over the field, over the mean.
    photometric_share, photometric_error, outlier_share : float
        Share of galaxies with a photometric redshift, its error over 1 + z, and the share of those that are wrong.
    sky : mapping
        Filter -> image of real empty sky, from which the noise is cut.
    population : Recipe, optional
        Relations that masses, ages and sizes follow; without it they are drawn where they are easily measured.
    """

    size_arcsec: float | None = None
    n_galaxies: int = 13
    n_clumps: int | None = None
    n_stars: int | None = None
    lens_truth: str = "best"
    lens_model: str | None = None
    lens_samples: str | None = None
    multiple_share: float = 0.0
    critical_share: float = 0.0
    mu_max: float = 30.0
    crowded_share: float = 0.1
    profiles: Mapping[str, float] = field(
        default_factory=lambda: {"gaussian": 0.5, "exponential": 0.25, "plummer": 0.25}
    )
    psf_variation: float = 0.0
    photometric_share: float = 0.25
    photometric_error: float = 0.01
    outlier_share: float = 0.0
    sky: Mapping[str, str] = field(default_factory=dict)
    population: Recipe | None = None

    def __post_init__(self) -> None:
        size = max(_SMALLEST_ARCSEC, _SPACING_ARCSEC * np.sqrt(self.n_galaxies))
        derived = {
            "size_arcsec": float(_STEP_ARCSEC * np.ceil(size / _STEP_ARCSEC)),
            "n_clumps": round(_CLUMPS_PER_GALAXY * self.n_galaxies),
            "n_stars": max(_FEWEST_STARS, self.n_galaxies // _GALAXIES_PER_STAR),
        }
        for name, value in derived.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    @classmethod
    def read(cls, keys: Mapping[str, Any]) -> "Settings":
        """Settings of a configuration's `mock`."""
        keys = dict(keys)
        if "population" in keys:
            keys["population"] = Recipe(**keys["population"])
        return cls(**keys)
