"""Model photometry, fast: thousands of models at one redshift in one set of filters.

>>> model = PhotometryModel("bc03", ["F115W", "F150W", "F200W"], 1.4, "exp_free")  # doctest: +SKIP
>>> model.parameters  # doctest: +SKIP
('log_mass_formed', 'log_age_yr', 'log_z_zsun', 'a_v', 'log_u', 'log_tau_yr')
>>> model.fluxes(theta)  # (n, 6) -> (n, 3) nJy  # doctest: +SKIP
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ...cosmology import age_of_universe_yr
from ...errors import InputError
from ..library.ssp import SSPLibrary, load_library
from .bands import AV_NODES, observed_bands, rest_bands
from .sfh import get_sfh
from .tables import BandTables, build_tables

__all__ = ["LOG_SFR_FLOOR", "PhotometryModel", "reach_of"]

LOG_SFR_FLOOR = -99.0
"""log10 of a star-formation rate of zero."""

_REST_CURVES = {"v": "bessell_V", "b": "bessell_B", "i": "bessell_I"}
_LN10 = np.log(10.0)

# More models at once than samplers ask for: points of a sweep, all over the tables.
_SCATTERED = 4096


def reach_of(library: SSPLibrary) -> dict[str, tuple[float, float]]:
    """Ranges of metallicity, ionisation parameter and A_V within which models differ."""
    nodes = {"log_z_zsun": library.log_z_zsun, "log_u": library.log_u, "a_v": AV_NODES}
    return {name: (float(values[0]), float(values[-1])) for name, values in nodes.items()}


class PhotometryModel:
    """Photometry of composite stellar populations with gas, dust and intergalactic absorption.

    Stars and gas share the metallicity; dust follows Calzetti et al. (2000), dims both alike, and emits what it
    absorbs with a spectrum of Draine & Li (2007); the intergalactic medium is that of Inoue et al. (2014).
    Magnification is not applied.

    Parameters
    ----------
    library : SSPLibrary or str
        A library, or its name or path.
    filters : sequence of str
        Filter names.
    redshift : float
        Redshift, > 0.
    sfh : str
        Star-formation history (see `clumpscope.sed.models.sfh`).
    nebular : bool
        Whether there is nebular emission.
    dust_emission : bool
        Whether the dust emits what it absorbs. It matters beyond 1 micron in the rest frame: 10 % and more of the flux
        of populations younger than 10 Myr behind a magnitude of dust.

    Attributes
    ----------
    parameters : tuple of str
        Names of the columns of theta: ``log_mass_formed`` [Msun], ``log_age_yr``, ``log_z_zsun``, ``a_v`` [mag],
        ``log_u``, then those of the history.
    n_bands : int
        Number of filters.

    Raises
    ------
    InputError
        Unknown library, filter or history; redshift not positive.

    Notes
    -----
    Outside their ranges, age is taken as the nearest of 1 yr and the age of the Universe, metallicity and
    ionisation parameter as the nearest of the library, A_V as the nearest of 0 and 5.
    """

    def __init__(
        self,
        library: SSPLibrary | str,
        filters: Sequence[str],
        redshift: float,
        sfh: str,
        nebular: bool = True,
        dust_emission: bool = True,
    ) -> None:
        self.library = library if isinstance(library, SSPLibrary) else load_library(library)
        self.filters, self.redshift = tuple(filters), float(redshift)
        self.sfh = get_sfh(sfh)
        if not self.redshift > 0.0:
            raise InputError("redshift", str(redshift), "a positive number")
        self.nebular = nebular
        self.parameters = self.sfh.parameters
        self.n_bands = len(self.filters)
        self.age_max_yr = min(float(age_of_universe_yr(self.redshift)), self.library.age_yr[-1])
        bands = observed_bands(self.filters, self.redshift, self.library.wave_edges, self.library.line_wave)
        self._tables = build_tables(self.library, bands, self.age_max_yr, nebular, dust_emission)

    @property
    def reach(self) -> dict[str, tuple[float, float]]:
        """Ranges of metallicity, ionisation parameter and A_V within which models differ."""
        return reach_of(self.library)

    def fluxes(self, theta: np.ndarray) -> np.ndarray:
        """Flux densities of models.

        Parameters
        ----------
        theta : (n, n_parameters) array
            Parameters, one model a row.

        Returns
        -------
        (n, n_bands) array
            nJy.
        """
        return self._fluxes(theta, self._tables)

    def derived(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Physical quantities of models.

        Parameters
        ----------
        theta : (n, n_parameters) array

        Returns
        -------
        dict of str to (n,) array
            ``log_mass`` living stars and remnants [Msun]; ``log_age_mw_yr`` mass-weighted age;
            ``log_sfr10``, ``log_sfr100`` mean star-formation rates over the last 10 and 100 Myr [Msun / yr], not below
            `LOG_SFR_FLOOR`; ``m_v_ab``, ``m_b_ab``, ``m_i_ab`` rest-frame absolute AB magnitudes (Bessell B, V, I) with
            dust and gas, ``m_v_vega``, ``m_b_vega``, ``m_i_vega`` the same in the Vega system; ``ml_v`` `log_mass`'s mass over
            the V luminosity with dust [Msun / Lsun].
        """
        theta = self._check(theta)
        columns = self._columns(theta)
        weights = self._weights(columns)
        log_formed = theta[:, 0]
        cell, fraction = self._metallicity_cell(columns["log_z"])
        at_nodes = weights @ self.library.mass_fraction.T
        row = np.arange(len(theta))
        alive = (1.0 - fraction) * at_nodes[row, cell] + fraction * at_nodes[row, cell + 1]
        result = {
            "log_mass": log_formed + np.log10(alive),
            "log_age_mw_yr": np.log10(weights @ self.library.age_yr[: weights.shape[1]]),
            "log_sfr10": log_formed + self._log_rate(columns, 1e7),
            "log_sfr100": log_formed + self._log_rate(columns, 1e8),
        }
        for name in ("log_sfr10", "log_sfr100"):
            result[name] = np.maximum(result[name], LOG_SFR_FLOOR)
        rest_tables, curves = _rest_tables(self.library, self.nebular)
        magnitudes = -2.5 * np.log10(self._fluxes(theta, rest_tables)) + 31.4
        for column, (letter, curve) in enumerate(curves.items()):
            result[f"m_{letter}_ab"] = magnitudes[:, column]
            result[f"m_{letter}_vega"] = magnitudes[:, column] + curve.ab_to_vega
        log_luminosity_v = -0.4 * (result["m_v_ab"] - curves["v"].solar_ab_mag)
        result["ml_v"] = 10.0 ** (result["log_mass"] - log_luminosity_v)
        return result

    def _check(self, theta: np.ndarray) -> np.ndarray:
        theta = np.asarray(theta, dtype=float)
        if theta.ndim != 2 or theta.shape[1] != len(self.parameters):
            raise InputError(
                "theta", f"shape {theta.shape}", f"(n, {len(self.parameters)}): {', '.join(self.parameters)}"
            )
        return theta

    def _columns(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Parameters as the kernels take them: linear times and slopes, clipped to their ranges."""
        named = dict(zip(self.parameters, theta.T, strict=True))
        unused = np.ones(len(theta))
        if "log_tau_yr" in named:
            tau = np.exp(_LN10 * named["log_tau_yr"])
        else:
            tau = np.full(len(theta), self.sfh.tau_yr or 1.0)
        return {
            "age": np.clip(np.exp(_LN10 * named["log_age_yr"]), 1.0, self.age_max_yr),
            "log_z": named["log_z_zsun"],
            "a_v": np.clip(named["a_v"], AV_NODES[0], AV_NODES[-1]),
            "log_u": named["log_u"],
            "tau": tau,
            "alpha": np.exp(_LN10 * named["log_alpha"]) if "log_alpha" in named else unused,
            "beta": np.exp(_LN10 * named["log_beta"]) if "log_beta" in named else unused,
        }

    def _fluxes(self, theta: np.ndarray, tables: BandTables) -> np.ndarray:
        from .compiled import SHAPES, fill_fluxes  # numba takes half a second to import

        theta = self._check(theta)
        fluxes = np.empty((len(theta), tables.n_bands))
        columns = self._columns(theta)
        # Neighbours in the tables one after the other, which then are in the processor's cache: where points are many and far apart.
        order = self._by_cell(columns, tables) if len(theta) > _SCATTERED else slice(None)
        columns = {name: np.ascontiguousarray(values[order]) for name, values in columns.items()}
        fill_fluxes(
            fluxes,
            SHAPES[self.sfh.shape],
            **columns,
            age_yr=self.library.age_yr,
            z_nodes=self.library.log_z_zsun,
            av_nodes=AV_NODES,
            dust=tables.dust,
            glow=tables.glow,
            stars=tables.stars,
            gas_z=tables.gas_z,
            gas_u=tables.gas_u,
            ionising=tables.ionising,
            hat_index=tables.gas_hat_index,
            hat_fraction=tables.gas_hat_fraction,
            gas=tables.gas,
            n_gas=len(self.library.gas_age_yr),
        )
        if len(theta) > _SCATTERED:
            in_order, fluxes = fluxes, np.empty_like(fluxes)
            fluxes[order] = in_order
        fluxes *= np.exp(_LN10 * theta[:, :1])
        return fluxes

    @staticmethod
    def _by_cell(columns: dict[str, np.ndarray], tables: BandTables) -> np.ndarray:
        """Indices (n,) that sort models by their cell of the table of the gas."""
        key = np.searchsorted(tables.gas_z, columns["log_z"])
        for nodes, values in ((AV_NODES, columns["a_v"]), (tables.gas_u, columns["log_u"])):
            key = key * (len(nodes) + 1) + np.searchsorted(nodes, values)
        return np.argsort(key)

    def _weights(self, columns: dict[str, np.ndarray]) -> np.ndarray:
        """SSP weights of the models, (n, n_age)."""
        from .compiled import SHAPES, fill_all_weights

        weights = np.empty((len(columns["age"]), len(self.library.age_yr)))
        history = (columns[name] for name in ("age", "tau", "alpha", "beta"))
        fill_all_weights(weights, self.library.age_yr, SHAPES[self.sfh.shape], *history)
        return weights

    def _log_rate(self, columns: dict[str, np.ndarray], recent_yr: float) -> np.ndarray:
        """log10 of the mean star-formation rate over the last `recent_yr`, per solar mass formed."""
        from .compiled import SHAPES, log_fractions_younger

        history = (columns[name] for name in ("age", "tau", "alpha", "beta"))
        log_fraction = log_fractions_younger(self.library.age_yr, SHAPES[self.sfh.shape], *history, recent_yr)
        return log_fraction / _LN10 - np.log10(recent_yr)

    def _metallicity_cell(self, log_z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from .gas import bracket

        return bracket(self.library.log_z_zsun, log_z)


@lru_cache(maxsize=4)
def _rest_tables(library: SSPLibrary, nebular: bool) -> tuple[BandTables, dict]:
    """Tables of the rest-frame bands, the same at every redshift, and their curves by letter."""
    from sedpy.observate import Filter  # 0.4 s of imports

    curves = {letter: Filter(name) for letter, name in _REST_CURVES.items()}
    transmissions = [(curve.wavelength, curve.transmission) for curve in curves.values()]
    bands = rest_bands(transmissions, library.wave_edges, library.line_wave)
    return build_tables(library, bands, library.age_yr[-1], nebular, dust_emission=False), curves
