"""The settings of a fit, and the hash that says whether a stored posterior still answers them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ... import __version__
from ...resources import resource
from .observation import DEFAULT_FLOOR

__all__ = ["DUST_EMISSION", "FitSettings", "code_version"]

DUST_EMISSION = ("emission", "mask", "none")
_CODE = ("library", "models", "inference")
_TABLES = ("dust/draine_li2007.csv", "igm/inoue2014_table2.csv")


@cache
def code_version() -> str:
    """Version of the package and a digest of the code, tables and filter curves that make posteriors."""
    digest = hashlib.sha256(version("astro-sedpy").encode())
    rooms = Path(__file__).parents[1]
    code = [path for room in _CODE for path in sorted((rooms / room).glob("*.py"))]
    for path in [*code, *map(resource, _TABLES)]:
        digest.update(path.name.encode() + path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


@dataclass(frozen=True)
class FitSettings:
    """Everything besides the photometry that a posterior depends on.

    Attributes
    ----------
    sfh : str
        Star-formation history, a name that the photometry engine knows.
    priors : {"log", "paper"}
        Prior set, see `priors`.
    bounds : mapping
        (low, high) by parameter, replacing the defaults.
    fixed : mapping
        Parameters held at a value instead of sampled.
    nebular : bool
        Whether there is nebular emission.
    dust_emission : {"emission", "mask", "none"}
        Whether dust emits what it absorbs, bands where it would dominate are left out, or neither.
    error_floor : float, or one by filter
        Fraction of the flux added in quadrature to its error; 0.05 in filters that a mapping leaves out.
    limits : {"flux", "paper"}
        Faint bands: their measured flux and error, or C25's magnitude limits.
    mag_limit_ab : float, or one by filter, optional
        Magnitude limits for ``limits="paper"``.
    seed : int
    draws : int
        Posterior draws to return.
    n_effective : float
        Effective sample size to reach.
    rhat : float
        Split R-hat to fall below.
    sweep_log2 : int
        Log2 of the number of models in the sweep shared by all objects.
    nested : bool
        Whether a posterior that the ensembles do not settle goes to nested sampling, which takes minutes;
        otherwise it is flagged at once.
    """

    sfh: str = "exp_free"
    priors: str = "log"
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    nebular: bool = True
    dust_emission: str = "emission"
    error_floor: float | Sequence[float] | Mapping[str, float] = DEFAULT_FLOOR
    limits: str = "flux"
    mag_limit_ab: float | Sequence[float] | Mapping[str, float] | None = None
    seed: int = 0
    draws: int = 2000
    n_effective: float = 2000.0
    rhat: float = 1.01
    sweep_log2: int = 15
    nested: bool = True

    def describe(self) -> dict[str, object]:
        """Plain values of all settings, in a fixed order."""
        plain = {}
        for name, value in sorted(vars(self).items()):
            if isinstance(value, Mapping):
                value = {key: np.asarray(value[key], dtype=float).tolist() for key in sorted(value)}
            elif isinstance(value, (list, tuple, np.ndarray)):
                value = np.asarray(value, dtype=float).tolist()
            plain[name] = value
        return plain

    def digest(
        self,
        identity: str,
        flux_njy: np.ndarray,
        error_njy: np.ndarray,
        filters: Sequence[str],
        redshift: float,
        library: str,
        common_njy: np.ndarray | None = None,
    ) -> str:
        """Hash of one object's data, these settings, the library (its checksum) and the code."""
        facts = {
            "id": str(identity),
            "flux_njy": np.asarray(flux_njy, dtype=float).tolist(),
            "error_njy": np.asarray(error_njy, dtype=float).tolist(),
            "common_njy": None if common_njy is None else np.asarray(common_njy, dtype=float).tolist(),
            "filters": list(filters),
            "redshift": float(redshift),
            "library": library,
            "settings": self.describe(),
            "code": code_version(),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
