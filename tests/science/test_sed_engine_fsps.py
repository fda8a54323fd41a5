"""The engine against FSPS's own composite populations, on the same isochrones, spectra and nebular tables."""

import importlib.util
import tarfile

import numpy as np
import pytest
from clumpscope.sed import PhotometryModel, load_library
from sed_reference import FspsModel, unabsorbed_filters


@pytest.fixture(scope="module")
def sps_home(shared_data, tmp_path_factory):
    archive = shared_data / "toy_sps_home.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no toy SPS_HOME at {archive}")
    if importlib.util.find_spec("fsps") is None:
        pytest.skip("python-fsps is not installed")
    folder = tmp_path_factory.mktemp("sps_home")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPS_HOME", str(folder))
        yield folder


def test_tau_models_of_fsps(sps_home, tmp_path):
    """Goals: p95 < 0.5 %, max < 3 % (tau models, nebular emission, Calzetti; age / tau < 700)."""
    from clumpscope.sed.library.build_fsps import build

    built = build(tmp_path / "fsps.npz")
    library = load_library(tmp_path / "fsps.npz")
    assert library.metadata["imf"] == "Chabrier (2003)" and "mist" in built.metadata["source"]

    reference = FspsModel()
    rng = np.random.default_rng(8)
    errors, masses = [], []
    for redshift in (0.7, 1.6, 2.3):
        filters = unabsorbed_filters(redshift)
        model = PhotometryModel(library, filters, redshift, "exp_free", dust_emission=False)
        for _ in range(12):
            log_age = rng.uniform(6.0, np.log10(model.age_max_yr))
            log_tau = max(rng.uniform(6.0, 10.0), log_age - np.log10(700.0))
            theta = np.array(
                [0.0, log_age, rng.uniform(-2.0, 0.45), rng.uniform(0, 3), rng.uniform(-4, -1), log_tau]
            )
            slow = reference.fluxes(filters, redshift, theta)
            errors.append(np.abs(model.fluxes(theta[None])[0] / slow - 1.0))
            masses.append(10.0 ** model.derived(theta[None])["log_mass"][0] / reference.stellar_mass)
    errors = np.concatenate(errors)
    assert np.percentile(errors, 95) < 5e-3
    assert errors.max() < 0.03
    np.testing.assert_allclose(masses, 1.0, atol=0.01)
