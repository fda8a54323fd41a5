import numpy as np
import pytest
from clumpscope.sed import load_library
from clumpscope.sed.models.gas import age_hats, bracket, gas_spectra, ionising_at


@pytest.fixture(scope="module")
def library():
    return load_library("bc03")


def test_bracket():
    grid = np.array([0.0, 1.0, 3.0])
    index, fraction = bracket(grid, np.array([-1.0, 0.25, 1.0, 2.0, 3.0, 9.0]))
    assert index.tolist() == [0, 0, 1, 1, 1, 1]
    np.testing.assert_allclose(fraction, [0.0, 0.25, 0.0, 0.5, 1.0, 1.0])


def test_exact_at_the_nodes(library):
    lines, continuum = gas_spectra(library, library.log_z_zsun[2], library.log_u[4])
    np.testing.assert_allclose(lines, library.gas_lines[2, 4], rtol=1e-6, atol=1e-20)
    np.testing.assert_allclose(continuum, library.gas_continuum[2, 4], rtol=1e-6, atol=1e-20)


def test_geometric_between_the_nodes(library):
    middle_z, middle_u = library.log_z_zsun[2:4].mean(), library.log_u[3:5].mean()
    lines, _ = gas_spectra(library, middle_z, middle_u)
    corners = library.gas_lines[2:4, 3:5].astype(float)
    strong = corners.min(axis=(0, 1)) > 1e-10
    expected = np.exp(np.log(np.maximum(corners, 1e-30)).mean(axis=(0, 1)))
    np.testing.assert_allclose(lines[strong], expected[strong], rtol=1e-5)
    shape = ionising_at(library, middle_z)
    np.testing.assert_allclose(
        shape, np.sqrt(library.ionising[2] * library.ionising[3])[: library.n_gas_ages], rtol=1e-5
    )


def test_age_hats_interpolate(library):
    hats = age_hats(library)
    age = library.age_yr[: library.n_gas_ages]
    np.testing.assert_allclose(hats.sum(axis=1), 1.0)
    np.testing.assert_allclose(hats @ library.gas_age_yr, np.maximum(age, library.gas_age_yr[0]), rtol=1e-9)


def test_case_b_recombination(library):
    # Osterbrock & Ferland (2006), Table 4.2: H alpha / H beta = 2.86 at 10^4 K (2.81 to 3.03 from 15 000 to 5 000 K),
    # H gamma / H beta = 0.468.
    def ratio(wave):
        line = library.gas_lines[..., np.argmin(np.abs(library.line_wave - wave))]
        beta = library.gas_lines[..., np.argmin(np.abs(library.line_wave - 4861.3))]
        return (line / beta)[:5, :7, :8]

    assert ratio(6562.8).min() > 2.72 and ratio(6562.8).max() < 3.1
    np.testing.assert_allclose(ratio(4340.5), 0.468, rtol=0.05)


def test_every_model_uses_all_ionising_photons(library):
    # Case B at 10^4 K: 4.78e-13 erg in H beta per ionising photon (Osterbrock & Ferland 2006; Leitherer & Heckman 1995).
    # Cloudy models that stopped early have factors less, and were replaced.
    line = np.argmin(np.abs(library.line_wave - 4861.3))
    hbeta = library.gas_lines[..., line].astype(float) * library.lsun_erg_s / 1e46
    np.testing.assert_allclose(hbeta[:, :7, :10], 4.78e-13, rtol=0.12)
