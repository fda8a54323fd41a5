"""Build an SSP library from FSPS (Conroy, Gunn & White 2009; Conroy & Gunn 2010) through python-fsps.

Command line::

    git clone https://github.com/cconroy20/fsps
    export SPS_HOME=$PWD/fsps
    pip install "fsps>=0.5,<0.6"
    python -m clumpscope.sed.library.build_fsps [--out resources/ssp/fsps.npz]

It takes the isochrones and spectra that the installed python-fsps was compiled for (MIST and C3K in the wheels),
a Chabrier (2003) IMF, and FSPS's nebular emission (Byler et al. 2017) at the stellar metallicity.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from ...errors import InputError
from .condensing import average_in_bins, library_edges, lines_inside
from .ssp import LYMAN_LIMIT, SPEED_OF_LIGHT, SSPLibrary, ionising_photons

__all__ = ["build", "main"]

_LSUN_ERG_S = 3.839e33  # FSPS's
_CHABRIER = 1
_OLDEST_YR = 1.5e10
_REMEDY = (
    "Get the data of the FSPS version that python-fsps was compiled with: `git clone https://github.com/cconroy20/fsps`, "
    "then `export SPS_HOME=/path/to/fsps`."
)


def check_sps_home() -> str:
    """Version-and-libraries line of a working FSPS; python-fsps is tried in a process of its own, which it may end.

    Raises
    ------
    InputError
        If SPS_HOME is not set, python-fsps is not installed, or its data do not fit it.
    """
    home = os.environ.get("SPS_HOME")
    if not home:
        raise InputError("SPS_HOME", "no such environment variable", "the folder of FSPS's data", _REMEDY)
    probe = (
        "import fsps; p = fsps.StellarPopulation(compute_vega_mags=False); s = p.get_spectrum(tage=1.0)[1]; "
        "assert s.max() > 0; print('FSPS', fsps.__version__, *[name.decode() for name in p.libraries])"
    )
    # FSPS ends the process when a file is missing, and reads past the end of others: only a trial can tell.
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    if "No module named 'fsps'" in result.stderr:
        raise InputError(
            "python-fsps", "not installed", "fsps 0.5", "Install it: `pip install 'fsps>=0.5,<0.6'`."
        )
    lines = (result.stdout + result.stderr).strip().splitlines()
    if result.returncode != 0 or not result.stdout.strip().splitlines()[-1].startswith("FSPS"):
        said = next((line.strip() for line in lines[::-1] if "ERROR" in line.upper()), "no reason given")
        raise InputError(f"SPS_HOME={home}", f"data that FSPS cannot use ({said})", "its data", _REMEDY)
    return result.stdout.strip().splitlines()[-1]


def build(out: str | os.PathLike) -> SSPLibrary:
    """Compute and write the library; about a minute.

    Parameters
    ----------
    out : path-like
        Library file to write.

    Returns
    -------
    SSPLibrary
        What was written (before rounding).

    Raises
    ------
    InputError
        If FSPS or its data are missing or do not fit together.
    """
    version = check_sps_home()
    import fsps  # optional, compiled, and reads 100 MB when used

    population = fsps.StellarPopulation(
        zcontinuous=0,
        sfh=0,
        imf_type=_CHABRIER,
        add_dust_emission=False,
        add_neb_emission=False,
        nebemlineinspec=False,
    )
    z_zsun = np.asarray(population.zlegend) / population.solar_metallicity
    log_age = np.asarray(population.ssp_ages)
    gas_log_z, gas_log_age, log_u = _nebular_nodes(population.libraries[0].decode())
    keep = 10.0**log_age <= _OLDEST_YR
    # Nebular spectra at the SSP ages from the first to the last of FSPS's nebular tables; it ignores older ones.
    gas = (log_age > gas_log_age[0] - 0.01) & (log_age < gas_log_age[-1])
    wave = population.wavelengths
    per_angstrom = SPEED_OF_LIGHT / wave**2
    edges = library_edges()
    line_wave = population.emline_wavelengths
    order = lines_inside(line_wave, edges)

    bare, surviving = [], []
    for k in range(len(z_zsun)):
        population.params["zmet"] = k + 1
        bare.append(population.get_spectrum()[1] * per_angstrom)
        surviving.append(population.stellar_mass)
    photons = ionising_photons(wave, np.array(bare), _LSUN_ERG_S)

    # Per photon the gas depends on its own metallicity, age and log U only, so stars of any metallicity will do.
    lines = np.empty((len(gas_log_z), len(log_u), gas.sum(), len(order)))
    continuum = np.empty((*lines.shape[:3], len(edges) - 1))
    population.params["add_neb_emission"] = True
    for k, log_z in enumerate(gas_log_z):
        for u, value in enumerate(log_u):
            population.params["gas_logz"], population.params["gas_logu"] = float(log_z), float(value)
            glow = population.get_spectrum()[1] * per_angstrom - bare[-1]
            glow[:, wave <= LYMAN_LIMIT] = 0.0  # there FSPS takes the ionising photons away
            per_photon = 1.0 / photons[-1, gas, None]
            lines[k, u] = population.emline_luminosity[gas][:, order] * per_photon
            continuum[k, u] = average_in_bins(wave, glow[gas], edges) * per_photon

    library = SSPLibrary(
        wave_edges=edges,
        age_yr=np.concatenate([[0.0], 10.0 ** log_age[keep]]),
        log_z_zsun=np.log10(z_zsun),
        log_u=log_u,
        stars=_with_age_zero(np.array([average_in_bins(wave, spectra[keep], edges) for spectra in bare])),
        mass_fraction=_with_age_zero(np.array(surviving)[:, keep]),
        ionising=_with_age_zero(photons[:, keep]),
        gas_log_z_zsun=gas_log_z,
        gas_age_yr=10.0 ** log_age[gas],
        line_wave=line_wave[order],
        gas_lines=lines,
        gas_continuum=continuum,
        metadata={
            "name": "fsps",
            "source": version,
            "imf": "Chabrier (2003)",
            "mass_fraction": "living stars and remnants (FSPS)",
            "licence": "MIT (FSPS); its isochrones and spectra have their own terms",
            "lsun_erg_s": _LSUN_ERG_S,
            "z_sun": float(population.solar_metallicity),
        },
    )
    library.write(out)
    return library


def _nebular_nodes(isochrones: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log Z, log age and log U of FSPS's nebular tables: rows of three numbers head each of their spectra."""
    path = Path(os.environ["SPS_HOME"]) / "nebular" / f"ZAU_ND_{isochrones}.lines"
    rows = [line.split() for line in path.read_text().splitlines()]
    nodes = np.array([row for row in rows if len(row) == 3], dtype=float)
    log_z, age, log_u = (np.unique(column) for column in nodes.T)
    return log_z, np.log10(age), log_u


def _with_age_zero(table: np.ndarray) -> np.ndarray:
    """Repeat the youngest SSP at age zero (second axis)."""
    return np.concatenate([table[:, :1], table], axis=1)


def main(arguments: list[str] | None = None) -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(
        description="Build an SSP library from python-fsps and the data in SPS_HOME."
    )
    parser.add_argument("--out", type=Path, default=Path("resources/ssp/fsps.npz"))
    options = parser.parse_args(arguments)
    library = build(options.out)
    print(f"{options.out}: {library.metadata['source']}, {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
