import numpy as np
import pytest
from clumpscope.errors import InputError
from clumpscope.resources import resource
from clumpscope.sed import load_library
from clumpscope.sed.library.ssp import LYMAN_LIMIT


@pytest.fixture(scope="module")
def library():
    return load_library("bc03")


def test_shapes_and_axes(library):
    n_z, n_u = len(library.log_z_zsun), len(library.log_u)
    n_age, n_gas, n_wave = len(library.age_yr), len(library.gas_age_yr), len(library.wave)
    assert library.stars.shape == (n_z, n_age, n_wave)
    assert library.mass_fraction.shape == library.ionising.shape == (n_z, n_age)
    n_z = len(library.gas_log_z_zsun)
    assert library.gas_lines.shape == (n_z, n_u, n_gas, len(library.line_wave))
    assert library.gas_continuum.shape == (n_z, n_u, n_gas, n_wave)
    for axis in (library.wave_edges, library.age_yr, library.log_z_zsun, library.log_u, library.gas_age_yr):
        assert (np.diff(axis) > 0).all()
    assert library.age_yr[0] == 0.0 and LYMAN_LIMIT in library.wave_edges
    assert (
        library.age_yr[library.n_gas_ages - 1]
        <= library.gas_age_yr[-1] * 1.000001
        < library.age_yr[library.n_gas_ages]
    )
    assert {"imf", "licence", "source", "sha256"} <= set(library.metadata)


def _ionising_energy(library):
    ionises = library.wave_edges[1:] <= LYMAN_LIMIT * (1 + 1e-9)
    return (library.stars[..., ionises] * np.diff(library.wave_edges)[ionises]).sum(axis=-1).astype(float)


def test_energy_of_the_gas_is_that_of_the_ionising_photons(library):
    # Ionising light is reprocessed, so lines and continuum together carry it all (some lie beyond 6 micron).
    line = library.gas_lines.sum(axis=-1)
    continuum = (library.gas_continuum * np.diff(library.wave_edges)).sum(axis=-1)
    per_photon = _ionising_energy(library) / library.ionising
    young = library.gas_age_yr < 4e6
    for k in range(5):
        share = (line + continuum)[k][:, young] / np.interp(
            library.gas_age_yr[young], library.age_yr, per_photon[k]
        )
        assert share.min() > 0.75 and share.max() < 1.05


def test_ionising_photons_match_the_spectra(library):
    energy = _ionising_energy(library) * library.lsun_erg_s
    mean_photon_erg = (energy / (library.ionising.astype(float) * 1e46))[:, library.age_yr < 1e7]
    # Between 1 and 4 Rydberg.
    assert mean_photon_erg.min() > 2.18e-11 and mean_photon_erg.max() < 8.7e-11
    # Photons counted on the library's own pixels, 30 an e-fold there.
    ionises = library.wave_edges[1:] <= LYMAN_LIMIT * (1 + 1e-9)
    per_pixel = library.stars[..., ionises] * (np.diff(library.wave_edges) * library.wave)[ionises]
    photons = per_pixel.sum(axis=-1).astype(float) * library.lsun_erg_s / 1.98645e-8 / 1e46
    young = library.age_yr < 1e7
    np.testing.assert_allclose(photons[:, young], library.ionising[:, young], rtol=0.01)


def test_surviving_mass_falls_with_age(library):
    fraction = library.mass_fraction
    np.testing.assert_allclose(fraction[:, 0], 1.0, atol=1e-3)
    assert (np.diff(fraction, axis=1) < 3e-3).all()
    # Return fraction near 0.41 for IMFs of this kind (Madau & Dickinson 2014, section 2.1, for Chabrier).
    at_10_gyr = fraction[:, np.argmin(np.abs(library.age_yr - 1e10))]
    assert (at_10_gyr > 0.56).all() and (at_10_gyr < 0.62).all()


def test_library_is_cached_and_read_only(library):
    assert load_library("bc03") is library
    with pytest.raises(ValueError, match="read-only"):
        library.stars[0, 0, 0] = 1.0


def test_unknown_and_missing_libraries(tmp_path):
    with pytest.raises(InputError, match="bc03"):
        load_library("bc30")
    with pytest.raises(InputError, match="build_fsps"):
        load_library("fsps")


def test_corrupted_library_is_refused(tmp_path):
    content = bytearray(resource("ssp/bc03_miles_cloudy.npz").read_bytes())
    content[len(content) // 2] ^= 0x10
    path = tmp_path / "damaged.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged\.npz"):
        load_library(path)


def test_written_library_comes_back(tmp_path, library):
    library.write(tmp_path / "copy.npz")
    copy = load_library(tmp_path / "copy.npz")
    np.testing.assert_allclose(copy.stars, library.stars, rtol=2e-4)
    assert copy.checksum == library.checksum
