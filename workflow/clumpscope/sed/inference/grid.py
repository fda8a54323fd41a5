"""Fits on a grid of simple stellar populations, as F22 section 2.5 does: no dust, no gas, chi-squared for every model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, ndtr, ndtri_exp

from ...cosmology import age_of_universe_yr
from ...errors import InputError
from ...filters import get_filter
from ...fluxes import as_njy
from ..library.ssp import SSPLibrary, load_library
from ..models.bands import observed_bands, rest_bands
from ..models.gas import bracket
from .observation import error_floors

__all__ = ["AGES_YR", "Z_ZSUN", "GridFit", "fit_grid", "grid_ages_yr", "sigma_levels"]

AGES_YR = 0.5e9 * np.arange(1, 23)
"""Ages from 0.5 to 11 Gyr in steps of 0.5 Gyr [yr] (F22 section 2.5)."""

Z_ZSUN = np.array([0.005, 0.02, 0.2, 0.4, 1.0, 2.5])
"""Six metallicities [Zsun] (F22 section 2.5)."""


@dataclass(frozen=True, eq=False)
class GridFit:
    """Result of `fit_grid` for n objects.

    Attributes
    ----------
    ages_yr : (n_age,) array
        Ages of the grid [yr].
    z_zsun : (n_z,) array
        Metallicities of the grid [Zsun].
    chi2 : (n, n_age, n_z) array
        chi-squared, minimal in the mass.
    n_bands, n_bands_snr3 : (n,) arrays
        Bands used, and broad bands among them with S/N > 3.
    age_yr, z : (n,) arrays
        The best-fit model; NaN for objects without data or without light.
    chi2_min : (n,) array
        Its chi-squared; NaN for objects without data.
    log_mass, log_mass_formed : (n,) arrays
        log10 of its mass in living stars and remnants, and formed [Msun]; not corrected for magnification.
    ml_v : (n,) array
        Its rest-frame V-band mass-to-light ratio, from `log_mass` [Msun / Lsun].
    m_v_ab : (n,) array
        Its rest-frame absolute V magnitude (AB).
    flux_njy : (n, n_bands) array
        Its photometry.
    age_interval_yr, z_interval : (n, 3) arrays
        16, 50 and 84 % of the marginal distributions, for a prior that is flat over the grid's points.
    log_mass_interval : (n, 3) array
        16, 50 and 84 % of log_mass over the grid, each model weighted with its likelihood.
    significance : (n, n_age, n_z) array
        How many sigma a model is worse than the best one (two parameters).
    """

    ages_yr: np.ndarray
    z_zsun: np.ndarray
    chi2: np.ndarray
    n_bands: np.ndarray
    n_bands_snr3: np.ndarray
    age_yr: np.ndarray
    z: np.ndarray
    chi2_min: np.ndarray
    log_mass: np.ndarray
    log_mass_formed: np.ndarray
    ml_v: np.ndarray
    m_v_ab: np.ndarray
    flux_njy: np.ndarray
    age_interval_yr: np.ndarray
    z_interval: np.ndarray
    log_mass_interval: np.ndarray
    significance: np.ndarray


def sigma_levels(sigmas: Sequence[float] = (3.0, 4.0, 5.0), n_parameters: int = 2) -> np.ndarray:
    """Rise of chi-squared that encloses the probability of so many Gaussian sigma, for joint parameters."""
    return chdtri(n_parameters, 2.0 * ndtr(-np.asarray(sigmas)))


def grid_ages_yr(redshift: float, universe_age_limit: bool) -> np.ndarray:
    """Ages of F22's grid; with `universe_age_limit` those the Universe allows at a redshift, at least the youngest [yr]."""
    allowed = max(float(age_of_universe_yr(redshift)), AGES_YR[0])
    return AGES_YR[allowed >= AGES_YR] if universe_age_limit else AGES_YR


def fit_grid(
    flux_njy: np.ndarray,
    error_njy: np.ndarray,
    filters: Sequence[str],
    redshift: float,
    library: SSPLibrary | str = "bc03",
    ages_yr: np.ndarray = AGES_YR,
    z_zsun: np.ndarray = Z_ZSUN,
    error_floor: float | Sequence[float] | Mapping[str, float] = 0.0,
    mass_filter: str | None = None,
) -> GridFit:
    """Chi-squared of every SSP of a grid, for one object or many.

    Parameters
    ----------
    flux_njy, error_njy : (n_bands,) or (n, n_bands) arrays
        Photometry [nJy]. Bands without a finite flux and a finite, positive error are left out, object by object.
    filters : sequence of str
        Filter names.
    redshift : float
        Redshift, > 0.
    library : SSPLibrary or str
        A library, its name or path.
    ages_yr : (n_age,) array
        Ages [yr]; they are not limited by the age of the Universe, which F22's grid exceeds.
    z_zsun : (n_z,) array
        Metallicities [Zsun].
    error_floor : float, or one by filter
        Fraction of the flux added to the errors in quadrature.
    mass_filter : str, optional
        Scale the best model's mass and V luminosity to the flux in this filter alone (F22 section 3.1.3: F090W).

    Returns
    -------
    GridFit

    Raises
    ------
    InputError
        Shapes that do not match, unknown filter or library, redshift not positive, metallicity or age outside
        the library, `mass_filter` not among the filters.
    """
    library = library if isinstance(library, SSPLibrary) else load_library(library)
    flux = np.atleast_2d(as_njy(flux_njy, "flux_njy"))
    error = np.atleast_2d(as_njy(error_njy, "error_njy"))
    _check(library, flux, error, filters, redshift, ages_yr, z_zsun, mass_filter)
    bands = observed_bands(filters, redshift, library.wave_edges, library.line_wave)
    models = _on_grid(library, library.stars @ (bands.pixel * library.lsun_erg_s), ages_yr, z_zsun)

    used = np.isfinite(flux) & np.isfinite(error) & (error > 0.0)
    floor = error_floors(error_floor, filters)
    variance = error**2 + (floor * flux) ** 2
    weight = np.where(used, 1.0 / np.where(used, variance, 1.0), 0.0)
    data = np.where(used, flux, 0.0)
    # chi2(mass) is a parabola; its lowest point with a mass that is not negative.
    cross = np.einsum("nb,azb->naz", weight * data, models)
    square = np.einsum("nb,azb->naz", weight, models**2)
    mass = np.maximum(cross, 0.0) / np.where(square > 0.0, square, 1.0)
    chi2 = (weight * data**2).sum(axis=1)[:, None, None] - 2.0 * mass * cross + mass**2 * square

    n, shape = len(flux), chi2.shape[1:]
    best = chi2.reshape(n, -1).argmin(axis=1)
    a, z = np.unravel_index(best, shape)
    masses, mass = mass, mass[np.arange(n), a, z]
    has_data = used.any(axis=1) & (mass > 0.0)  # without light all models are alike
    if mass_filter is not None:
        column = list(filters).index(mass_filter)
        mass = np.where(used[:, column], np.maximum(data[:, column], 0.0), np.nan) / models[a, z, column]
    mass = np.where(has_data & (mass > 0.0), mass, np.nan)
    fractions = _on_grid(library, library.mass_fraction, ages_yr, z_zsun)
    surviving = fractions[a, z]
    v_magnitude, v_sun = _rest_v(library, ages_yr, z_zsun)
    m_v = v_magnitude[a, z] - 2.5 * np.log10(mass)
    chi2_min = np.maximum(chi2.reshape(n, -1).min(axis=1), 0.0)
    rise = chi2 - chi2_min[:, None, None]
    probability = np.exp(-0.5 * rise) * np.where(has_data, 1.0, np.nan)[:, None, None]
    bright = used & (flux > 3.0 * error) & np.array([get_filter(name).kind == "broad" for name in filters])
    return GridFit(
        ages_yr=np.asarray(ages_yr, float),
        z_zsun=np.asarray(z_zsun, float),
        chi2=chi2,
        n_bands=used.sum(axis=1),
        n_bands_snr3=bright.sum(axis=1),
        age_yr=np.where(has_data, np.asarray(ages_yr)[a], np.nan),
        z=np.where(has_data, np.asarray(z_zsun)[z], np.nan),
        chi2_min=np.where(has_data, chi2_min, np.nan),
        log_mass=np.log10(mass * surviving),
        log_mass_formed=np.log10(mass),
        ml_v=np.where(has_data, 1.0, np.nan) * surviving * 10.0 ** (0.4 * (v_magnitude[a, z] - v_sun)),
        m_v_ab=m_v,
        flux_njy=mass[:, None] * models[a, z],
        age_interval_yr=_interval(np.asarray(ages_yr, float), probability.sum(axis=2)),
        z_interval=_interval(np.asarray(z_zsun, float), probability.sum(axis=1)),
        log_mass_interval=_weighted_percentiles(masses * fractions, probability),
        # For two parameters the probability of a larger rise is exp(-rise / 2).
        significance=-ndtri_exp(np.log(0.5) - 0.5 * rise),
    )


def _check(
    library: SSPLibrary,
    flux: np.ndarray,
    error: np.ndarray,
    filters: Sequence[str],
    redshift: float,
    ages_yr: np.ndarray,
    z_zsun: np.ndarray,
    mass_filter: str | None,
) -> None:
    if flux.shape != error.shape or flux.shape[1] != len(filters):
        found = f"{flux.shape} and {error.shape} for {len(filters)} filters"
        raise InputError("shapes of fluxes and errors", found, "(n, n_bands) both")
    if not redshift > 0.0:
        raise InputError("redshift", str(redshift), "a positive number")
    if mass_filter is not None and mass_filter not in filters:
        raise InputError("mass_filter", repr(mass_filter), f"one of {', '.join(filters)}")
    for name, values, limits in (
        ("ages_yr", np.asarray(ages_yr), library.age_yr[[0, -1]]),
        ("z_zsun", np.asarray(z_zsun), 10.0 ** library.log_z_zsun[[0, -1]]),
    ):
        if values.min() < limits[0] * (1 - 1e-9) or values.max() > limits[1] * (1 + 1e-9):
            raise InputError(name, f"{values.min():g} to {values.max():g}", f"{limits[0]:g} to {limits[1]:g}")


def _on_grid(library: SSPLibrary, table: np.ndarray, ages_yr: np.ndarray, z_zsun: np.ndarray) -> np.ndarray:
    """Interpolate a (n_z, n_age, ...) table: linearly in age and in log Z; gives (n_ages, n_metallicities, ...)."""
    k, f_z = bracket(library.log_z_zsun, np.log10(z_zsun))
    i, f_age = bracket(library.age_yr, np.asarray(ages_yr, dtype=float))
    extra = (1,) * (table.ndim - 2)
    f_z, f_age = f_z.reshape(-1, 1, *extra), f_age.reshape(1, -1, *extra)
    at_z = (1.0 - f_z) * table[k] + f_z * table[k + 1]
    return np.swapaxes((1.0 - f_age) * at_z[:, i] + f_age * at_z[:, i + 1], 0, 1)


def _rest_v(library: SSPLibrary, ages_yr: np.ndarray, z_zsun: np.ndarray) -> tuple[np.ndarray, float]:
    """Absolute V magnitude (AB) of a solar mass formed, (n_ages, n_metallicities), and that of the Sun."""
    from sedpy.observate import Filter  # 0.4 s of imports

    curve = Filter("bessell_V")
    bands = rest_bands([(curve.wavelength, curve.transmission)], library.wave_edges, library.line_wave)
    flux = _on_grid(library, library.stars @ (bands.pixel * library.lsun_erg_s), ages_yr, z_zsun)[..., 0]
    return 31.4 - 2.5 * np.log10(flux), curve.solar_ab_mag


def _weighted_percentiles(masses: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """16, 50 and 84 % of log10 mass over the models of each object, (n, 3); models without mass weigh nothing."""
    result = np.full((len(masses), 3), np.nan)
    for row, (mass, weight) in enumerate(zip(masses, probability, strict=True)):
        good = (mass > 0.0) & (weight > 0.0)
        if good.any():
            order = np.argsort(mass[good])
            cumulative = np.cumsum(weight[good][order])
            middle = (cumulative - 0.5 * weight[good][order]) / cumulative[-1]
            result[row] = np.interp([0.16, 0.5, 0.84], middle, np.log10(mass[good][order]))
    return result


def _interval(values: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """16, 50 and 84 % of distributions over few values, each spread evenly between the midpoints to its neighbours.

    Parameters
    ----------
    values : (m,) array
    probability : (n, m) array

    Returns
    -------
    (n, 3) array
    """
    order = np.argsort(values)
    values, probability = values[order], probability[:, order]
    middle = 0.5 * (values[1:] + values[:-1])
    edges = np.concatenate([values[:1], middle, values[-1:]])
    cumulative = np.cumsum(probability, axis=1) / probability.sum(axis=1, keepdims=True)
    cumulative = np.concatenate([np.zeros((len(probability), 1)), cumulative], axis=1)
    return np.array([np.interp((0.16, 0.5, 0.84), row, edges) for row in cumulative])
