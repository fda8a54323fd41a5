"""A galaxy is weighed behind the young clumps that outshine it."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.flags import bit
from clumpscope.sed import FitSettings, PhotometryModel
from clumpscope.sed.inference.posterior import percentile_table
from clumpscope.sed.products.hosts import fit_hosts, host_percentiles
from clumpscope.sed.products.smooth_light import clumps_apart, smooth_light, with_clumps

FILTERS = ("F435W", "F606W", "F814W", "F090W", "F115W", "F150W", "F200W", "F277W", "F356W", "F444W")
OWN = FILTERS[3:]  # those that the clumps have
Z, MU = 1.5, 2.0
OLD, YOUNG = (9.3, 9.3, -0.3, 0.4, -3.0), (6.8, 6.8, -0.3, 0.3, -2.5)  # age, tau, Z, A_V, U


def _flux(filters, log_mass, population):
    age, tau, z, a_v, u = population
    theta = np.array([[log_mass, age, z, a_v, u, tau]])
    return PhotometryModel("bc03", filters, Z, "exp_free").fluxes(theta)[0]


def _percentiles(log_mass, log_age, rows):
    table = Table({"id": [f"c{k}" for k in range(rows)], "flags": np.zeros(rows, int)})
    values = {"log_mass": log_mass, "log_mass_formed": log_mass + 0.1, "log_sfr10": -0.3, "log_sfr100": -1.3,
              "log_age_mw_yr": log_age, "m_v_ab": -19.0}  # fmt: skip
    for name, value in values.items():
        for end, step in (("p16", -0.05), ("p50", 0.0), ("p84", 0.05)):
            table[f"{name}_{end}"] = np.full(rows, value + step)
    return table


@pytest.fixture(scope="module")
def scene():
    """An old galaxy of 10^9.5 Msun formed, and three young clumps of 10^7.6 each (4 %), seen with errors of 3 %."""
    old, young = _flux(FILTERS, 9.5, OLD), _flux(FILTERS, 7.6, YOUNG)
    total = old + 3.0 * young
    galaxy = Table({"id": ["g"], "z": [Z]})
    for name, flux in zip(FILTERS, total, strict=True):
        galaxy[f"f_{name}"], galaxy[f"e_{name}"] = [flux], [0.03 * flux]
    # The aperture has 0.8 of a clump's light.
    clumps = Table({"id": ["c0", "c1", "c2"], "galaxy": ["g"] * 3, "flags": np.zeros(3, int)})
    for name, flux in zip(FILTERS, young, strict=True):
        if name in OWN:
            clumps[f"flux_{name}_njy"], clumps[f"flux_{name}_err_njy"] = [0.8 * flux] * 3, [0.02 * flux] * 3
    lensed = Table({"id": clumps["id"], "mu": [2.0 * MU] * 3, "flags": np.zeros(3, int)})
    return galaxy, clumps, lensed, old, young


def test_light_of_clumps_is_taken_off_in_every_filter(scene):
    galaxy, clumps, lensed, old, young = scene
    apart = clumps_apart(clumps, lensed, _percentiles(7.5, 6.5, 3))
    smooth = smooth_light(galaxy, {"g": apart}, dict.fromkeys(OWN, 1.0 / 0.8))
    for band, name in enumerate(FILTERS):
        left, error = smooth[f"f_{name}"][0], smooth[f"e_{name}"][0]
        if name in OWN:
            assert left == pytest.approx(old[band], rel=1e-6)
            whole = old[band] + 3.0 * young[band]
            assert error == pytest.approx(
                np.hypot(0.03 * whole, np.sqrt(3.0) * 0.02 / 0.8 * young[band]), rel=1e-6
            )
        else:  # beyond the clumps' filters all that is taken is in doubt
            assert abs(left - old[band]) < error
            assert error > 3.0 * 0.03 * (old[band] + 3.0 * young[band])
    assert smooth_light(galaxy, {}, {})["f_F150W"][0] == galaxy["f_F150W"][0]


def test_clumps_that_are_not_known_stay_in_the_light(scene):
    _, clumps, lensed, _, _ = scene
    fits = _percentiles(7.5, 6.5, 2)  # none of the third
    fits["flags"][1] = bit("poor_fit")
    assert list(clumps_apart(clumps, lensed, fits)["id"]) == ["c0"]
    near = lensed.copy()
    near["flags"][0] = bit("near_critical")
    assert len(clumps_apart(clumps, near, fits)) == 0


def test_the_galaxy_is_weighed_behind_its_clumps(scene):
    galaxy, clumps, lensed, _, _ = scene
    settings = FitSettings(priors="paper", sweep_log2=13)
    truth = np.log10(10**9.5 + 3 * 10**7.6)
    whole = fit_hosts(galaxy, settings)[0].percentile("log_mass_formed")
    # One history for all of it reads a fraction of the mass: this is what it is for.
    assert whole[1] < truth - 0.25
    fits = _percentiles(7.6 - 0.1, 6.5, 3)
    apart = clumps_apart(clumps, lensed, fits)
    smooth = smooth_light(galaxy, {"g": apart}, dict.fromkeys(OWN, 1.0 / 0.8))
    posterior = fit_hosts(smooth, settings)[0]
    low, _, high = np.percentile(posterior.samples["log_mass_formed"], [2.5, 50.0, 97.5])
    assert low < 9.5 < high
    added = with_clumps(posterior, apart, 2.0 * MU, 1).percentile("log_mass_formed")
    assert added[1] == pytest.approx(
        np.log10(10 ** posterior.percentile("log_mass_formed")[1] + 3 * 10**7.6), abs=0.01
    )


def test_what_clumps_hold_is_added_at_the_galaxys_magnification(scene):
    galaxy, clumps, lensed, _, _ = scene
    posterior = fit_hosts(galaxy, FitSettings(sweep_log2=12, draws=4000))[0]
    known = {"log_mass": 9.0, "log_mass_formed": 9.2, "log_sfr10": 0.0, "log_sfr100": 0.0, "log_age_mw_yr": 9.0,
             "m_v_ab": -20.0, "ml_v": 0.5}  # fmt: skip
    posterior = replace(
        posterior, samples=posterior.samples | {n: np.full(4000, v) for n, v in known.items()}
    )
    apart = clumps_apart(clumps, lensed, _percentiles(8.0, 7.0, 3))
    # Seen at twice the galaxy's magnification, each holds half of what it seems to at the galaxy's.
    table = host_percentiles([with_clumps(posterior, apart, MU, 1)], "exp_free", np.array([3]))
    clump = 0.5 * 3
    assert table["n_clumps_apart"][0] == 3
    assert 10 ** table["log_mass_p50"][0] == pytest.approx(1e9 + clump * 1e8, rel=0.01)
    assert 10 ** table["log_sfr100_p50"][0] == pytest.approx(1.0 + clump * 10**-1.3, rel=0.02)
    assert table["log_ssfr_p50"][0] == pytest.approx(
        table["log_sfr100_p50"][0] - table["log_mass_p50"][0], abs=0.01
    )
    light = 10 ** (0.4 * 20.0) + clump * 10 ** (0.4 * 19.0)
    assert table["m_v_ab_p50"][0] == pytest.approx(-2.5 * np.log10(light), abs=0.01)
    # Mass over light of both together.
    expected = 0.5 * (1e9 + clump * 1e8) / 1e9 / (light / 10 ** (0.4 * 20.0))
    assert table["ml_v_p50"][0] == pytest.approx(expected, rel=0.02)
    formed, young = 10**9.2, clump * 10**8.1
    age = (formed * 1e9 + young * 1e7) / (formed + young)
    assert 10 ** table["log_age_mw_yr_p50"][0] == pytest.approx(age, rel=0.02)
    untouched = percentile_table([posterior])
    assert table["a_v_p50"][0] == untouched["a_v_p50"][0]
