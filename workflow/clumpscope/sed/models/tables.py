"""Band fluxes of a library's populations, tabulated once for a set of bands.

Fluxes are linear in the SSP weights, so a band needs, for every metallicity and attenuation, one number per SSP
age. Attenuation is removed to first order from the tables: they hold the flux over that of a flat spectrum behind
the same dust, which varies so little that linear interpolation in A_V is exact to a few 1e-4.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..library.ssp import LYMAN_LIMIT, SSPLibrary
from .bands import AV_NODES, BandSet, absorbed_light
from .dust_emission import dust_spectrum
from .gas import bracket, ionising_at

__all__ = ["BandTables", "build_tables"]

# Nebular emission is a power law of metallicity and ionisation in each cell of the library. Cells are divided until no
# line that carries this share of the brightest one's light changes by more than _CONTRAST e-folds between nodes;
# parabolas through three nodes then follow all of them.
_SHARE, _CONTRAST = 0.005, 0.35

_JUMPS = np.array([3646.0, 8204.0, 14584.0, 22788.0, 32814.0])
"""Where hydrogen's free-bound continua begin (Balmer to Humphreys) [Angstrom]."""
_BIN = 0.01
"""Width of bins of the nebular continuum, in ln wavelength, within which spectra are taken to have the same shape."""

_DUST_DEGREE = 5
_VECTOR = 8  # bands are padded to whole vectors of this many floats
_TINY = 1e-37


@dataclass(frozen=True, eq=False)
class BandTables:
    """Tables of one library in one set of bands (fluxes in nJy per solar mass formed).

    Their columns are the bands and, when the dust emits, a last one for the luminosity it absorbs [Lsun].

    Attributes
    ----------
    n_bands : int
        Number of bands.
    dust : (n_columns, degree + 1) array
        Polynomials in A_V, highest power first: natural logarithm of the flux of a flat spectrum behind dust.
    glow : (n_columns - 1,) or (0,) array
        Flux in the bands for one Lsun that the dust absorbs and emits [nJy / Lsun].
    stars : (n_z, n_av, n_columns, n_age) float32 array
        Stars, at the library's metallicities.
    gas_z, gas_u : (n_zf,), (n_uf,) arrays
        Metallicities and ionisation parameters of the nebular table, spaced evenly in pairs of intervals.
    ionising : (n_zf, n_gas_ages) array
        Ionising photons of the SSPs that have gas [1e46 / s].
    gas_hat_index, gas_hat_fraction : (n_gas_ages,) arrays
        Place of those SSP ages between the gas ages.
    gas : (n_zf, n_uf, n_av, n_gas * n_padded) float32 array
        Nebular emission for 1e46 ionising photons a second, by gas age and column; the columns are padded with zeros.
    """

    n_bands: int
    dust: np.ndarray
    glow: np.ndarray
    stars: np.ndarray
    gas_z: np.ndarray
    gas_u: np.ndarray
    ionising: np.ndarray
    gas_hat_index: np.ndarray
    gas_hat_fraction: np.ndarray
    gas: np.ndarray


def build_tables(
    library: SSPLibrary, bands: BandSet, age_max_yr: float, nebular: bool = True, dust_emission: bool = True
) -> BandTables:
    """Tabulate a library in a set of bands.

    Parameters
    ----------
    library : SSPLibrary
    bands : BandSet
        Made with the library's pixels and lines.
    age_max_yr : float
        Populations older than this are not needed.
    nebular : bool
        Whether there is gas; without it the ionising photons escape.
    dust_emission : bool
        Whether the dust emits what it absorbs.
    """
    n_bands = bands.pixel.shape[1]
    n_age = min(int(np.searchsorted(library.age_yr, age_max_yr)) + 1, len(library.age_yr))
    spectra = library.stars[:, :n_age]
    if nebular:
        spectra = spectra.copy()
        spectra[:, : library.n_gas_ages, library.wave_edges[1:] <= LYMAN_LIMIT * (1 + 1e-9)] = 0.0
        gas_z, gas_u = _gas_spectra(library).gas_z, _gas_spectra(library).gas_u
    else:
        gas_z, gas_u = (np.linspace(grid[0], grid[-1], 3) for grid in (library.log_z_zsun, library.log_u))
    dust = _dust_polynomials(library, bands)
    responses = [_band_responses(library, bands, dust)]
    glow = np.zeros(0)
    if dust_emission:
        light = absorbed_light(library.wave_edges, library.line_wave)
        polynomial = _dust_polynomials(library, light)
        responses.append(_absorption_responses(light, polynomial))
        dust = np.concatenate([dust, polynomial])
        glow = dust_spectrum(library.wave_edges) @ bands.pixel * library.lsun_erg_s

    n_columns = n_bands + dust_emission
    stars = np.zeros((len(library.log_z_zsun), len(AV_NODES), n_columns, n_age), dtype=np.float32)
    shape = (len(gas_z), len(gas_u), len(AV_NODES), len(library.gas_age_yr), n_columns + -n_columns % _VECTOR)
    gas = np.zeros(shape, dtype=np.float32)
    for columns, response in zip((slice(n_bands), slice(n_bands, n_columns)), responses, strict=False):
        _fill_stars(stars[:, :, columns], spectra, response)
        if nebular:
            _fill_gas(gas[..., columns], _gas_spectra(library), response)
    hat_index, hat_fraction = bracket(library.gas_age_yr, library.age_yr[: library.n_gas_ages])
    return BandTables(
        n_bands=n_bands,
        dust=dust,
        glow=glow,
        stars=stars,
        gas_z=gas_z,
        gas_u=gas_u,
        ionising=np.array([ionising_at(library, z) for z in gas_z]),
        gas_hat_index=hat_index,
        gas_hat_fraction=hat_fraction,
        gas=gas.reshape(*gas.shape[:3], -1),
    )


@dataclass(frozen=True, eq=False)
class _Responses:
    """Of columns to pixels (n_wave, n_av, n_columns) and lines (n_line, n_av, n_columns), attenuation as in the tables."""

    pixel: np.ndarray
    line: np.ndarray


def _band_responses(library: SSPLibrary, bands: BandSet, dust: np.ndarray) -> _Responses:
    flat = np.exp(np.array([np.polyval(p, AV_NODES) for p in dust]).T)  # (n_av, n_bands)
    pixel = np.stack([bands.dusty_pixel(a) for a in AV_NODES], axis=1) / flat * library.lsun_erg_s
    line = np.stack([bands.dusty_line(a) for a in AV_NODES], axis=1) / flat * library.lsun_erg_s
    return _Responses(pixel.astype(np.float32), line.astype(np.float32))


def _absorption_responses(light: BandSet, dust: np.ndarray) -> _Responses:
    """Absorbed luminosity, over that of a flat spectrum."""
    nodes = np.maximum(AV_NODES, 1e-3)  # the ratio has a limit at zero
    flat = -np.expm1(np.array([np.polyval(p, nodes) for p in dust]).T)
    pixel = np.stack([light.pixel - light.dusty_pixel(a) for a in nodes], axis=1) / flat
    line = np.stack([light.line - light.dusty_line(a) for a in nodes], axis=1) / flat
    return _Responses(pixel.astype(np.float32), line.astype(np.float32))


def _gas_nodes(library: SSPLibrary) -> tuple[np.ndarray, np.ndarray]:
    """Metallicities and ionisation parameters at which to tabulate the nebular emission."""
    # Photons bend at the stars' metallicities and spectra at the gas's: cells of both.
    cells = np.union1d(library.log_z_zsun, library.gas_log_z_zsun)
    log_lines = _interpolate(_log(library.gas_lines), library.gas_log_z_zsun, cells)
    return _divide(cells, log_lines), _divide(library.log_u, np.swapaxes(log_lines, 0, 1))


def _dust_polynomials(library: SSPLibrary, bands: BandSet) -> np.ndarray:
    """Ln of the transmission of a flat f_nu spectrum against A_V, highest power first, (n_bands, degree + 1)."""
    # Without ionising light, of which hardly any reaches the dust.
    flat = np.where(library.wave > LYMAN_LIMIT, library.wave**-2.0, 0.0)[:, None]
    unattenuated = (bands.pixel * flat).sum(axis=0)
    seen = unattenuated > 0.0
    log_ratio = np.zeros((len(AV_NODES), bands.pixel.shape[1]))
    for row, a_v in zip(log_ratio, AV_NODES, strict=True):
        row[seen] = np.log((bands.dusty_pixel(a_v) * flat).sum(axis=0)[seen] / unattenuated[seen])
    # Divided by A_V, so that the polynomial is exactly zero where there is no dust.
    coefficients = np.polyfit(AV_NODES[1:], log_ratio[1:] / AV_NODES[1:, None], _DUST_DEGREE - 1).T
    return np.pad(coefficients, [(0, 0), (0, 1)])


def _divide(grid: np.ndarray, log_lines: np.ndarray) -> np.ndarray:
    """Divide each cell of `grid`, along the first axis of `log_lines`, into an even number of equal intervals."""
    nodes = [grid[:1]]
    weakest = np.log(_SHARE) + log_lines.max()
    for k in range(len(grid) - 1):
        low, high = log_lines[k], log_lines[k + 1]
        contrast = np.abs(high - low)[np.maximum(low, high) > weakest]
        pairs = max(1, int(np.ceil(np.percentile(contrast, 99) / (2.0 * _CONTRAST)))) if contrast.size else 1
        nodes.append(np.linspace(grid[k], grid[k + 1], 2 * pairs + 1)[1:])
    return np.concatenate(nodes)


def _fill_stars(table: np.ndarray, spectra: np.ndarray, response: _Responses) -> None:
    """Set zeros to the light of stars seen in some columns, (n_z, n_av, n_columns, n_age)."""
    for column in range(table.shape[2]):
        to_column = response.pixel[..., column]
        lit = np.flatnonzero(to_column.any(axis=1))
        if len(lit):
            pixels = slice(lit[0], lit[-1] + 1)
            table[:, :, column] = np.swapaxes(spectra[..., pixels] @ to_column[pixels], 1, 2)


@dataclass(frozen=True, eq=False)
class _GasSpectra:
    """Nebular spectra at the nodes of the tables, for bands of any redshift.

    Attributes
    ----------
    gas_z, gas_u : (n_zf,), (n_uf,) arrays
        Nodes.
    light : (n_zf, n_line + n_bin, n_uf, n_gas) float32 array
        Luminosities of the lines, then of bins of the continuum.
    first : (n_bin,) int array
        First pixel of each bin.
    shape : (n_wave,) float32 array
        Luminosity density of a pixel over the luminosity of its bin.
    """

    gas_z: np.ndarray
    gas_u: np.ndarray
    light: np.ndarray
    first: np.ndarray
    shape: np.ndarray


@lru_cache(maxsize=4)
def _gas_spectra(library: SSPLibrary) -> _GasSpectra:
    gas_z, gas_u = _gas_nodes(library)
    # The continuum changes evenly with wavelength between its jumps.
    number = np.floor(np.log(library.wave) / _BIN) + len(library.wave) * np.searchsorted(_JUMPS, library.wave)
    first = np.flatnonzero(np.diff(number, prepend=-np.inf))
    binned = np.add.reduceat(library.gas_continuum, first, axis=-1)
    mean = library.gas_continuum.mean(axis=(0, 1, 2))
    n_pixels = np.diff(first, append=len(mean))
    of_bin = np.repeat(np.add.reduceat(mean, first), n_pixels)
    shape = np.divide(mean, of_bin, out=np.zeros(len(mean)), where=of_bin > 0.0)
    log_light = np.moveaxis(_log(np.concatenate([library.gas_lines, binned], axis=-1)), 3, 1)
    along_u = np.moveaxis(_interpolate(np.moveaxis(log_light, 2, 0), library.log_u, gas_u), 0, 2)
    light = np.exp(_interpolate(along_u, library.gas_log_z_zsun, gas_z))
    return _GasSpectra(gas_z, gas_u, light, first, shape.astype(np.float32))


def _fill_gas(table: np.ndarray, gas: _GasSpectra, response: _Responses) -> None:
    """Set the nebular emission seen in some columns, (n_zf, n_uf, n_av, n_gas, n_columns)."""
    bins = np.add.reduceat(response.pixel * gas.shape[:, None, None], gas.first)
    to_columns = np.ascontiguousarray(np.moveaxis(np.concatenate([response.line, bins]), 2, 0))
    # A band sees few lines and bins.
    seen = [np.flatnonzero(to_column.any(axis=1)) for to_column in to_columns]
    responses = [to_column[where].T for to_column, where in zip(to_columns, seen, strict=True)]
    n_u, n_av, n_gas = table.shape[1:4]
    for at_z, light in zip(table, gas.light, strict=True):
        light = light.reshape(len(light), -1)
        for column, (where, to_column) in enumerate(zip(seen, responses, strict=True)):
            flux = (to_column @ light[where]).reshape(n_av, n_u, n_gas)
            at_z[..., column] = np.swapaxes(flux, 0, 1)


def _log(table: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(table, _TINY), dtype=np.float32)


def _interpolate(table: np.ndarray, grid: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Linear interpolation along the first axis of `table`."""
    index, fraction = bracket(grid, nodes)
    fraction = fraction.astype(np.float32).reshape(-1, *[1] * (table.ndim - 1))
    return table[index] * (1 - fraction) + table[index + 1] * fraction
