"""The engine against FSPS's own composite populations, on the same isochrones, spectra and nebular tables."""

import tarfile

import numpy as np
import pytest
from clumpscope.cosmology import luminosity_distance_cm
from clumpscope.filters import filter_names, transmission
from clumpscope.sed import PhotometryModel, load_library

LIGHT_SPEED = 2.99792458e18  # Angstrom / s
LSUN = 3.839e33  # erg / s, FSPS's


@pytest.fixture(scope="module")
def sps_home(shared_data, tmp_path_factory):
    archive = shared_data / "toy_sps_home.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no toy SPS_HOME at {archive}")
    folder = tmp_path_factory.mktemp("sps_home")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPS_HOME", str(folder))
        yield folder


def photometry(wave, spectrum, line_wave, lines, filters, redshift):
    """Flux [nJy] of a spectrum [Lsun / Hz] and lines [Lsun] through filters."""
    dilution = LSUN / (4.0 * np.pi * luminosity_distance_cm(redshift) ** 2)
    fluxes = []
    for name in filters:
        curve_wave, curve = transmission(name)
        x = np.unique(np.concatenate([wave * (1 + redshift), curve_wave]))
        x = x[(x >= curve_wave[0]) & (x <= curve_wave[-1])]
        x = np.unique(np.concatenate([x, 0.5 * (x[1:] + x[:-1])]))
        through = np.interp(x, curve_wave, curve)
        light = np.trapezoid(np.interp(x / (1 + redshift), wave, spectrum) * (1 + redshift) * through / x, x)
        at = line_wave * (1 + redshift)
        light += np.sum(np.interp(at, curve_wave, curve, left=0, right=0) * at * lines) / LIGHT_SPEED
        fluxes.append(light / np.trapezoid(through / x, x) * dilution * 1e32)
    return np.array(fluxes)


def test_tau_models_of_fsps(sps_home, tmp_path):
    """Issue 3: p95 < 0.5 %, max < 3 % (tau models, nebular emission, Calzetti; age / tau < 700)."""
    pytest.importorskip("fsps", reason="python-fsps is not installed")
    import fsps
    from clumpscope.sed.build_fsps import build

    built = build(tmp_path / "fsps.npz")
    library = load_library(tmp_path / "fsps.npz")
    assert library.metadata["imf"] == "Chabrier (2003)" and "mist" in built.metadata["source"]

    population = fsps.StellarPopulation(
        zcontinuous=1,
        imf_type=1,
        sfh=1,
        add_neb_emission=True,
        nebemlineinspec=False,
        add_dust_emission=False,
        dust_type=2,
        dust1=0.0,
    )
    rng = np.random.default_rng(8)
    errors, masses = [], []
    for redshift in (0.7, 1.6, 2.3):
        # Bands that see no intergalactic absorption, which FSPS models otherwise.
        filters = [name for name in filter_names()[:20] if transmission(name)[0][0] > 1230.0 * (1 + redshift)]
        model = PhotometryModel(library, filters, redshift, "exp_free")
        for _ in range(12):
            log_age = rng.uniform(6.0, np.log10(model.age_max_yr))
            log_tau = max(rng.uniform(6.0, 10.0), log_age - np.log10(700.0))
            theta = np.array(
                [0.0, log_age, rng.uniform(-2.0, 0.45), rng.uniform(0, 3), rng.uniform(-4, -1), log_tau]
            )
            population.params["logzsol"] = population.params["gas_logz"] = theta[2]
            population.params["dust2"] = theta[3] / 1.0857362  # optical depth
            population.params["gas_logu"] = theta[4]
            population.params["tau"] = 10.0 ** (log_tau - 9.0)
            wave, spectrum = population.get_spectrum(tage=10.0 ** (log_age - 9.0))
            lines = population.emline_luminosity
            slow = photometry(wave, spectrum, population.emline_wavelengths, lines, filters, redshift)
            errors.append(np.abs(model.fluxes(theta[None])[0] / slow - 1.0))
            masses.append(10.0 ** model.derived(theta[None])["log_mass"][0] / population.stellar_mass)
    errors = np.concatenate(errors)
    assert np.percentile(errors, 95) < 5e-3
    assert errors.max() < 0.03
    np.testing.assert_allclose(masses, 1.0, atol=0.01)
