"""A model of the photometry with a closed form: a power law that ages, behind a dust screen."""

import numpy as np

FILTERS = ("F070W", "F090W", "F115W", "F150W", "F200W", "F277W", "F356W", "F444W")
WAVE = np.array([0.70, 0.90, 1.15, 1.50, 2.00, 2.77, 3.56, 4.44])


class ToyModel:
    """Flux = M age^-0.7 wave^(age slope) 10^(-0.4 A_V / wave), for M in solar masses."""

    parameters = ("log_mass_formed", "log_age_yr", "a_v")

    def fluxes(self, theta):
        log_mass, log_age, a_v = theta.T[:, :, None]
        log_flux = log_mass - 0.7 * log_age + 0.6 * (log_age - 7.0) * np.log10(WAVE) - 0.4 * a_v / WAVE
        return 10.0**log_flux

    def derived(self, theta):
        return {
            "log_mass": theta[:, 0] - 0.1,
            "log_age_mw_yr": theta[:, 1] - 0.3,
            "log_sfr10": theta[:, 0] - 7.0,
            "log_sfr100": theta[:, 0] - 8.0,
            "m_v_ab": -2.5 * theta[:, 0],
            "ml_v": 10.0 ** (theta[:, 1] - 9.0),
        }
