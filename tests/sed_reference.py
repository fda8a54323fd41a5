"""Composite populations computed by FSPS itself, for tests and benchmarks of the SED engine."""

import numpy as np
from clumpscope.cosmology import luminosity_distance_cm
from clumpscope.filters import filter_names, transmission

__all__ = ["FspsModel", "unabsorbed_filters"]

_LIGHT_SPEED = 2.99792458e18  # Angstrom / s
_LSUN = 3.839e33  # erg / s, FSPS's


def unabsorbed_filters(redshift: float) -> list[str]:
    """NIRCam filters redward of Lyman alpha: FSPS has another intergalactic medium."""
    return [name for name in filter_names()[:20] if transmission(name)[0][0] > 1230.0 * (1 + redshift)]


class FspsModel:
    """Tau models of python-fsps with nebular emission and Calzetti dust; SPS_HOME must be set."""

    def __init__(self) -> None:
        import fsps

        self._population = fsps.StellarPopulation(
            zcontinuous=1,
            imf_type=1,
            sfh=1,
            add_neb_emission=True,
            nebemlineinspec=False,
            add_dust_emission=False,
            dust_type=2,
            dust1=0.0,
        )

    def fluxes(self, filters: list[str], redshift: float, theta: np.ndarray) -> np.ndarray:
        """Flux densities [nJy] for log mass formed, log age, log Z, A_V, log U, log tau."""
        log_mass, log_age, log_z, a_v, log_u, log_tau = theta
        parameters = self._population.params
        parameters["logzsol"] = parameters["gas_logz"] = log_z
        parameters["dust2"] = a_v / 1.0857362  # optical depth
        parameters["gas_logu"] = log_u
        parameters["tau"] = 10.0 ** (log_tau - 9.0)
        wave, spectrum = self._population.get_spectrum(tage=10.0 ** (log_age - 9.0))
        lines, line_wave = self._population.emline_luminosity, self._population.emline_wavelengths
        dilution = 10.0**log_mass * _LSUN / (4.0 * np.pi * luminosity_distance_cm(redshift) ** 2)
        result = []
        for name in filters:
            curve_wave, curve = transmission(name)
            x = np.unique(np.concatenate([wave * (1 + redshift), curve_wave]))
            x = x[(x >= curve_wave[0]) & (x <= curve_wave[-1])]
            x = np.unique(np.concatenate([x, 0.5 * (x[1:] + x[:-1])]))
            through = np.interp(x, curve_wave, curve)
            light = np.trapezoid(
                np.interp(x / (1 + redshift), wave, spectrum) * (1 + redshift) * through / x, x
            )
            at = line_wave * (1 + redshift)
            light += np.sum(np.interp(at, curve_wave, curve, left=0, right=0) * at * lines) / _LIGHT_SPEED
            result.append(light / np.trapezoid(through / x, x) * dilution * 1e32)
        return np.array(result)

    @property
    def stellar_mass(self) -> float:
        """Mass in living stars and remnants of the last model, per mass formed."""
        return float(self._population.stellar_mass)
