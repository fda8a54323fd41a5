import numpy as np
import pytest
from clumpscope.sed import PhotometryModel, load_library, rest_spectrum
from clumpscope.sed.models.attenuation import calzetti
from clumpscope.sed.models.dust_emission import dust_emission_bands, dust_spectrum
from clumpscope.sed.models.sfh import SFHS

YOUNG = [6.0, 6.5, -0.4, 1.0, -2.5]


def test_spectrum_as_published():
    edges = np.geomspace(1e3, 6e4, 2001)
    density = dust_spectrum(edges)
    wave = 0.5 * (edges[1:] + edges[:-1])
    assert (density >= 0.0).all() and (density[wave < 9900.0] == 0.0).all()
    # The 3.3 micron feature of PAHs (Draine & Li 2007, table 1 gives 3.300) stands out.
    beyond = (wave > 2.5e4) & (wave < 4.5e4)
    assert wave[beyond][density[beyond].argmax()] == pytest.approx(3.3e4, rel=0.01)
    # Most of the energy comes out in the far infrared: of the light below 6 micron a few per cent.
    share = (density * np.diff(edges)).sum()
    assert 0.005 < share < 0.06


def test_energy_balance():
    """The flux that dust adds is the energy it takes away, spread as its spectrum."""
    from clumpscope.cosmology import luminosity_distance_cm

    library, z, a_v = load_library("bc03"), 0.39, 1.0
    theta = np.array([YOUNG])
    filters = ["F277W", "F356W", "F444W", "F150W"]
    with_dust, without = (
        PhotometryModel(library, filters, z, "ssp", dust_emission=on).fluxes(theta)[0] for on in (True, False)
    )
    added = with_dust - without
    assert (added > 0.0)[:3].all() and added[3] < 0.1 * without[3]

    parameters = dict(zip(SFHS["ssp"].parameters, theta[0], strict=True))
    spectrum = rest_spectrum(library, SFHS["ssp"], parameters)
    energy = spectrum.continuum * np.diff(spectrum.wave_edges)
    absorbed = (energy * (1.0 - 10.0 ** (-0.4 * a_v * calzetti(library.wave)))).sum()
    absorbed += (spectrum.lines * (1.0 - 10.0 ** (-0.4 * a_v * calzetti(spectrum.line_wave)))).sum()
    # F356W sees 2.26 to 2.98 micron, where the dust's f_nu is smooth: compare with its value at the pivot.
    from clumpscope.filters import transmission

    wave, curve = transmission("F356W")
    edges = np.geomspace(wave[0], wave[-1], 4001)
    middle = 0.5 * (edges[1:] + edges[:-1])
    through = np.interp(middle, wave, curve)
    density = dust_spectrum(edges / (1 + z)) * absorbed * library.lsun_erg_s / (1 + z)
    density /= 4 * np.pi * luminosity_distance_cm(z) ** 2
    light = (density * middle * through * np.diff(edges)).sum()
    expected = light / (2.99792458e18 * (through / middle * np.diff(edges)).sum()) * 1e32
    assert added[1] == pytest.approx(expected, rel=0.01)


def test_no_dust_no_emission():
    theta = np.array([[*YOUNG[:3], 0.0, YOUNG[4]]])
    fluxes = [
        PhotometryModel("bc03", ["F444W"], 0.39, "ssp", dust_emission=on).fluxes(theta)[0, 0]
        for on in (True, False)
    ]
    assert fluxes[0] == pytest.approx(fluxes[1], rel=1e-9)


def test_absolute_magnitudes_are_the_same():
    theta = np.array([YOUNG])
    one, other = (
        PhotometryModel("bc03", ["F444W"], 0.39, "ssp", dust_emission=on).derived(theta)
        for on in (True, False)
    )
    assert one["m_v_ab"][0] == other["m_v_ab"][0]


def test_dust_emission_bands():
    filters = ["F150W", "F277W", "F356W", "F444W"]
    assert dust_emission_bands(filters, 0.39).tolist() == [False, False, True, True]
    assert dust_emission_bands(filters, 0.7).tolist() == [False] * 4
    assert dust_emission_bands(filters, 0.39, rest_micron=3.0).tolist() == [False, False, False, True]
