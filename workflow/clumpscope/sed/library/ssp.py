"""SSP libraries: spectra of simple stellar populations and of the gas they ionise, per solar mass formed."""

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...resources import resource
from .storage import decode_log, encode_log, read_arrays, write_arrays

__all__ = ["LYMAN_LIMIT", "SPEED_OF_LIGHT", "SSPLibrary", "ionising_photons", "load_library"]

LYMAN_LIMIT = 911.8
"""Wavelength below which photons ionise hydrogen [Angstrom]; a pixel edge of every library."""
SPEED_OF_LIGHT = 2.99792458e18  # Angstrom / s

_FILES = {"bc03": "bc03_miles_cloudy.npz", "fsps": "fsps.npz"}
_BUILDERS = {
    "bc03": "python -m clumpscope.sed.library.build_bc03",
    "fsps": "python -m clumpscope.sed.library.build_fsps",
}

_LOG_STEP = {"stars": 2e-4, "ionising": 1e-4, "gas_lines": 5e-4, "gas_continuum": 5e-4}


_PHOTON_ENERGY = 1.98644586e-8  # h c [erg Angstrom]


def ionising_photons(wave: np.ndarray, spectra: np.ndarray, lsun_erg_s: float) -> np.ndarray:
    """Photons below the Lyman limit [1e46 / s].

    Parameters
    ----------
    wave : (n,) array
        Wavelength [Angstrom].
    spectra : (..., n) array
        Luminosity density [Lsun / Angstrom].
    lsun_erg_s : float
        The solar luminosity [erg / s].
    """
    ionises = wave <= LYMAN_LIMIT
    counts = np.trapezoid((spectra * wave)[..., ionises], wave[ionises], axis=-1)
    return counts * lsun_erg_s / _PHOTON_ENERGY * 1e-46


@dataclass(frozen=True, eq=False)
class SSPLibrary:
    """Simple stellar populations on a grid of age and metallicity, with their nebular emission.

    Attributes
    ----------
    wave_edges : (n_wave + 1,) array
        Edges of the rest-frame wavelength pixels [Angstrom].
    age_yr : (n_age,) array
        Ages [yr], the first zero. Between them spectra are linear in age.
    log_z_zsun : (n_z,) array
        log10 of metallicity over solar.
    log_u : (n_u,) array
        log10 of the ionisation parameter.
    stars : (n_z, n_age, n_wave) array
        Mean luminosity density of the stars in each pixel [Lsun / Angstrom / Msun formed].
    mass_fraction : (n_z, n_age) array
        Mass still in living stars and remnants, per mass formed.
    ionising : (n_z, n_age) array
        Hydrogen-ionising photons [1e46 / s / Msun formed].
    gas_log_z_zsun : (n_gas_z,) array
        log10 of the metallicities over solar at which nebular spectra are known.
    gas_age_yr : (n_gas,) array
        Ages at which nebular spectra are known [yr]; older populations have no gas.
    line_wave : (n_line,) array
        Rest-frame vacuum or air wavelengths of the lines, as the source gives them [Angstrom].
    gas_lines : (n_gas_z, n_u, n_gas, n_line) array
        Line luminosities [Lsun] for 1e46 ionising photons a second.
    gas_continuum : (n_gas_z, n_u, n_gas, n_wave) array
        Nebular continuum [Lsun / Angstrom] for 1e46 ionising photons a second.
    metadata : dict
        ``name``, ``source``, ``imf``, ``licence``, ``lsun_erg_s``, ``z_sun``, ``sha256`` and more.
    """

    wave_edges: np.ndarray
    age_yr: np.ndarray
    log_z_zsun: np.ndarray
    log_u: np.ndarray
    stars: np.ndarray
    mass_fraction: np.ndarray
    ionising: np.ndarray
    gas_log_z_zsun: np.ndarray
    gas_age_yr: np.ndarray
    line_wave: np.ndarray
    gas_lines: np.ndarray
    gas_continuum: np.ndarray
    metadata: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the library."""
        return self.metadata["name"]

    @property
    def checksum(self) -> str:
        """SHA-256 of the library's content, empty for one that was never written."""
        return self.metadata.get("sha256", "")

    @property
    def wave(self) -> np.ndarray:
        """Pixel centres [Angstrom], (n_wave,)."""
        return 0.5 * (self.wave_edges[1:] + self.wave_edges[:-1])

    @property
    def n_gas_ages(self) -> int:
        """Number of leading SSP ages that have gas around them."""
        return int(np.searchsorted(self.age_yr, self.gas_age_yr[-1] * (1 + 1e-6)))

    @property
    def lsun_erg_s(self) -> float:
        """The solar luminosity the library counts in [erg / s]."""
        return self.metadata["lsun_erg_s"]

    def write(self, path: str | os.PathLike) -> None:
        """Write the library to a file that `load_library` reads."""
        arrays = {}
        for name in self.__dataclass_fields__:
            if name == "metadata":
                continue
            values = np.asarray(getattr(self, name), dtype=np.float64)
            arrays[name] = encode_log(values, _LOG_STEP[name]) if name in _LOG_STEP else values
        metadata = {key: value for key, value in self.metadata.items() if key != "sha256"}
        write_arrays(path, arrays, {**metadata, "log_step": _LOG_STEP})


def _read(path: Path) -> SSPLibrary:
    arrays, metadata = read_arrays(path)
    expected = set(SSPLibrary.__dataclass_fields__) - {"metadata"}
    if set(arrays) != expected:
        raise InputError(str(path), f"arrays {sorted(arrays)}", f"arrays {sorted(expected)}")
    for name, step in metadata.pop("log_step").items():
        arrays[name] = decode_log(arrays[name], step)
    for array in arrays.values():
        array.setflags(write=False)
    return SSPLibrary(**arrays, metadata=metadata)


@lru_cache(maxsize=4)
def _cached(path: Path, _modified_ns: int) -> SSPLibrary:
    return _read(path)


def load_library(name: str | os.PathLike = "bc03") -> SSPLibrary:
    """Load an SSP library, checking its checksum.

    Parameters
    ----------
    name : str or path-like
        ``"bc03"`` (ships with the project), ``"fsps"`` (built by the user), or the path of a library file.

    Raises
    ------
    InputError
        If there is no such library, or its file is damaged.
    """
    if str(name) in _FILES:
        try:
            path = resource(f"ssp/{_FILES[str(name)]}")
        except FileNotFoundError:
            remedy = f"Build it with `{_BUILDERS[str(name)]}`."
            raise InputError(
                f"SSP library {name!r}", "no file", f"resources/ssp/{_FILES[str(name)]}", remedy
            ) from None
    else:
        path = Path(name)
        if not path.is_file():
            raise InputError(
                "SSP library", repr(str(name)), f"one of {sorted(_FILES)} or the path of a library file"
            )
    return _cached(path.resolve(), path.stat().st_mtime_ns)
