"""Profiles with wings: transforms against their light curves, fits against images drawn in real space."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.photometry.fit import fit_clumps
from clumpscope.photometry.model import SpectralPSF
from clumpscope.photometry.profiles import PROFILES, winged_fits
from scipy import signal
from scipy.integrate import quad
from scipy.special import j1

HALF = np.sqrt(2.0 * np.log(2.0))
# Light inside a radius, in half-light radii: Plummer (1911); (1 + r^2/a^2)^(-3/2) has half of it inside sqrt(3) a.
CURVES = {
    "gaussian": lambda r: 1.0 - 0.5 ** (r**2),
    "plummer": lambda r: r**2 / (1.0 + r**2),
    "eff": lambda r: 1.0 - 1.0 / np.sqrt(1.0 + 3.0 * r**2),
}
# Surface brightness, of any normalisation, by radius over half-light radius.
SHAPES = {"plummer": lambda r2: (1.0 + r2) ** -2.0, "eff": lambda r2: (1.0 + 3.0 * r2) ** -1.5}
FWHM_PX, FINE, HALF_PX = 3.2, 5, 40


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("radius", [0.3, 1.0, 2.5])
def test_transforms_have_the_light_curves_of_their_profiles(name, radius):
    # Light inside r: r times the integral of J1(k r) f(k) dk, damped so that the integral ends.
    light = quad(
        lambda k: radius * HALF * j1(k * radius * HALF) * float(PROFILES[name](np.array(k**2))),
        0.0,
        60.0,
        limit=400,
    )[0]
    assert light == pytest.approx(CURVES[name](radius), abs=2e-3)


@pytest.fixture(scope="module")
def kernel() -> np.ndarray:
    fine = (np.arange(49 * FINE) - (49 * FINE - 1) / 2) / FINE
    r2 = fine[:, None] ** 2 + fine[None, :] ** 2
    pixels = np.exp(-4.0 * np.log(2.0) * r2 / FWHM_PX**2).reshape(49, FINE, 49, FINE).mean(axis=(1, 3))
    return pixels / pixels.sum()


def drawn(name: str, half_light_px: float, axis_ratio: float = 1.0) -> np.ndarray:
    """A source of unit flux behind the same PSF, on fine samples in real space; flattened along y, with the same area."""
    place = np.arange(-HALF_PX * FINE, HALF_PX * FINE + 1) / FINE
    r2 = place[:, None] ** 2 / axis_ratio + place[None, :] ** 2 * axis_ratio
    # The middle sample is finer than its neighbours: sharp peaks are averaged over it.
    inside = (np.arange(21) - 10) / 21 / FINE
    light = SHAPES[name](r2 / half_light_px**2)
    light[HALF_PX * FINE, HALF_PX * FINE] = SHAPES[name](
        (inside[:, None] ** 2 + inside[None, :] ** 2) / half_light_px**2
    ).mean()
    whole = {"plummer": np.pi * half_light_px**2, "eff": 2.0 * np.pi * half_light_px**2 / 3.0}[name]
    near = place[np.abs(place) <= 12]
    psf = np.exp(-4.0 * np.log(2.0) * (near[:, None] ** 2 + near[None, :] ** 2) / FWHM_PX**2)
    box = np.ones((FINE, FINE)) / FINE**2
    image = signal.fftconvolve(light / whole / FINE**2, psf / psf.sum(), mode="same")
    return signal.fftconvolve(image, box, mode="same")[::FINE, ::FINE] * FINE**2


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("sigma_px", [0.6, 1.2])
def test_ratios_are_those_of_gaussian_fits_to_images_with_wings(kernel, name, sigma_px):
    image = drawn(name, HALF * sigma_px)
    middle = np.array([float(HALF_PX)])
    fitted = fit_clumps(image, np.full(image.shape, 1e-4), kernel, middle, middle, box=9, host_fwhm=0)
    size = np.sqrt(fitted["sigma_x_px"][0] * fitted["sigma_y_px"][0])
    found = winged_fits(SpectralPSF(kernel, 6), np.array([[size**2, size**2, 0.0]]), name, 9)
    # The PSF's own pixel sampling and the two directions of the fit agree to a tenth of what the wings change.
    assert fitted["flux"][0] * found.flux_ratio[0] == pytest.approx(1.0, abs=0.03)
    assert size * found.size_ratio[0] == pytest.approx(sigma_px, rel=0.06)
    assert fitted["flux"][0] < 0.95


@pytest.mark.parametrize("name", SHAPES)
def test_wings_of_long_clumps_are_those_of_their_axis_ratio(kernel, name):
    """A clump five times as long as wide: as round ones of its mean variance go, wings would be counted twice."""
    image, middle = drawn(name, HALF * 0.9, 0.2), np.array([float(HALF_PX)])
    fitted = fit_clumps(image, np.full(image.shape, 1e-4), kernel, middle, middle, box=9, host_fwhm=0)[0]
    found = winged_fits(SpectralPSF(kernel, 6), fitted["moments"][None], name, 9)
    assert fitted["flux"] < 0.9
    assert fitted["flux"] * found.flux_ratio[0] == pytest.approx(1.0, abs=0.05)
    round_one = np.array([[1.0, 1.0, 0.0]]) * fitted["moments"][:2].mean()
    assert fitted["flux"] * winged_fits(SpectralPSF(kernel, 6), round_one, name, 9).flux_ratio[0] > 1.1


def test_points_have_no_profile_and_wings_count_more_in_larger_clumps(kernel):
    found = winged_fits(
        SpectralPSF(kernel, 6), np.outer([0.05, 0.5, 1.0, 2.0], [1.0, 1.0, 0.0]) ** 2, "plummer", 9
    )
    assert found.flux_ratio[0] == pytest.approx(1.0, abs=0.01)
    assert (np.diff(found.flux_ratio) > 0).all()


def light_of(host: bool) -> np.ndarray:
    """A disc off the source's centre, on the pixels of `drawn`; dark without a host."""
    rows, columns = np.indices((2 * HALF_PX + 1, 2 * HALF_PX + 1))
    return host * 0.02 * np.exp(-np.hypot(rows - 50.0, columns - 30.0) / 12.0)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("host", [False, True])
def test_forced_fits_tell_what_their_fluxes_would_be_with_wings(kernel, name, host):
    """The image of a profile with wings, fitted with the shape of a smaller Gaussian: also where wings go into the host's light."""
    image, middle = drawn(name, HALF * 1.2), np.array([float(HALF_PX)])
    shape = Table({"sigma_x_px": [0.9], "sigma_y_px": [0.9], "theta_deg": [0.0]})
    winged = {name: np.array([1.2 / 0.9])}
    fitted = fit_clumps(image + light_of(host), np.full(image.shape, 1e-4), kernel, middle, middle, shape=shape,
                        host_fwhm=4.0 if host else 0.0, winged=winged)  # fmt: skip
    assert fitted["flux"][0] < 0.95
    assert fitted["flux"][0] * fitted[f"winged_{name}"][0] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("host", [False, True])
def test_free_fits_tell_sizes_and_fluxes_with_wings(kernel, name, host):
    image, middle = drawn(name, HALF * 1.0), np.array([float(HALF_PX)])
    fitted = fit_clumps(image + light_of(host), np.full(image.shape, 1e-4), kernel, middle, middle,
                        host_fwhm=4.0 if host else 0.0, winged=[name])[0]  # fmt: skip
    sigma = np.sqrt(fitted["moments"][:2].mean())
    # Half of what the wings change, at least, is known; the fit with a host to less, since the host's light bends, too.
    reached = 0.04 if not host else 0.12
    assert fitted["flux"] * fitted[f"winged_{name}"] == pytest.approx(1.0, abs=reached)
    assert sigma * fitted[f"winged_size_{name}"] == pytest.approx(1.0, abs=2 * reached)
    assert fitted["flux"] < 1.0 - 1.5 * reached
