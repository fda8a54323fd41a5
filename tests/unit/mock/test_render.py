"""Drawing: profiles, ray tracing that conserves surface brightness, convolution."""

import numpy as np
import pytest
from clumpscope.mock import render
from clumpscope.mock.cluster import make_cluster
from clumpscope.mock.lens import Lens, Shear
from clumpscope.mock.optics import OVERSAMPLING, make_psf
from clumpscope.mock.profiles import PROFILES, TRUNCATION, clump_profile, disc_profile, sersic_image
from scipy import integrate, signal


@pytest.mark.parametrize("kind", PROFILES)
def test_clump_profiles_have_unit_flux_and_their_half_light_radius(kind):
    def light_inside(radius):
        return integrate.quad(
            lambda r: 2 * np.pi * r * float(clump_profile(np.array(r), 0.7, kind)), 0, radius
        )[0]

    assert light_inside(0.7 * TRUNCATION) == pytest.approx(1.0, abs=1e-3)
    assert light_inside(0.7) == pytest.approx(0.5, abs=1e-3)


def test_disc_and_sersic_profiles_have_unit_flux():
    x, y = np.meshgrid(np.arange(-12, 12, 0.05), np.arange(-12, 12, 0.05))
    assert disc_profile(x, y, 0.8, 0.5, 30.0).sum() * 0.05**2 == pytest.approx(1.0, abs=2e-3)
    image = sersic_image(x, y, 2.0, 1.0, 0.6, 30.0, 0.05)
    along, across = (
        x * np.cos(np.pi / 6) + y * np.sin(np.pi / 6),
        -x * np.sin(np.pi / 6) + y * np.cos(np.pi / 6),
    )
    inside = along**2 * 0.6 + across**2 / 0.6 <= 2.0**2
    assert image[inside].sum() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("kind", PROFILES)
def test_traced_flux_in_a_uniform_lens_is_the_magnification(kind):
    lens = Lens((Shear("O1", 0.6, 20.0),))
    source = tuple(float(v) for v in lens.source(np.array(1.0), np.array(2.0), 2.0))
    mu = float(lens.magnification(np.array(1.0), np.array(2.0), 2.0)[0])
    pattern = render.trace_clump(lens, 2.0, source, (1.0, 2.0), 0.02, kind)
    assert pattern.magnification == pytest.approx(mu, rel=1e-3)
    assert pattern.centroid == pytest.approx((1.0, 2.0), abs=1e-6)


def test_traced_flux_in_the_cluster_is_that_of_a_plain_fine_grid():
    lens, _ = make_cluster(np.random.default_rng(4), 40.0)
    image, r_eff, z = (6.0, 9.0), 0.03, 2.0
    source = tuple(float(v) for v in lens.source(*map(np.array, image), z))
    pattern = render.trace_clump(lens, z, source, image, r_eff, "gaussian")
    step = 0.003
    x, y = np.meshgrid(image[0] + np.arange(-1.2, 1.2, step), image[1] + np.arange(-1.2, 1.2, step))
    beta_x, beta_y = lens.source(x, y, z)
    flux = clump_profile(np.hypot(beta_x - source[0], beta_y - source[1]), r_eff, "gaussian") * step**2
    assert pattern.magnification == pytest.approx(flux.sum(), rel=1e-3)
    total = flux.sum()
    assert pattern.centroid == pytest.approx(((flux * x).sum() / total, (flux * y).sum() / total), abs=1e-4)


def test_point_source_between_pixels_is_the_psf_sampled_there():
    psf = make_psf("F200W", 1)
    transform = render.psf_transform(psf, 192)
    # 2/5 of a pixel: a sample of the oversampled PSF.
    stamp = render.make_stamp(np.array([300.4]), np.array([250.0]), np.array([1.0]), 192)
    image = np.zeros((600, 600))
    render.add_stamp(image, stamp, render.stamp_image(stamp, transform))
    centre = psf.shape[0] // 2
    for dy, dx in [(0, 0), (0, 1), (-3, 2), (5, -4)]:
        expected = psf[centre + OVERSAMPLING * dy, centre + OVERSAMPLING * dx - 2] * OVERSAMPLING**2
        assert image[250 + dy, 300 + dx] == pytest.approx(expected, rel=1e-3, abs=1e-8)
    assert image.sum() == pytest.approx(1.0, abs=2e-3)


def test_stamp_is_the_direct_convolution():
    rng = np.random.default_rng(0)
    psf = make_psf("F277W", 1)
    x, y = 200 + 3 * rng.normal(size=50), 220 + 3 * rng.normal(size=50)
    weight = rng.uniform(size=50)
    # Points on samples, so that no light is shared between cells.
    x, y = np.round(x * OVERSAMPLING) / OVERSAMPLING, np.round(y * OVERSAMPLING) / OVERSAMPLING
    stamp = render.make_stamp(x, y, weight, 96)
    values = render.stamp_image(stamp, render.psf_transform(psf, 96))
    fine = np.zeros((96 * OVERSAMPLING, 96 * OVERSAMPLING))
    columns, rows = (np.rint((p - o) * OVERSAMPLING).astype(int) for p, o in ((x, stamp.x0), (y, stamp.y0)))
    np.add.at(fine, (rows, columns), weight)
    seen = signal.fftconvolve(fine, psf, mode="same")[::OVERSAMPLING, ::OVERSAMPLING] * OVERSAMPLING**2
    assert np.allclose(values, seen, atol=1e-5)


def test_stamps_over_the_edge_lose_only_what_is_outside():
    stamp = render.make_stamp(np.array([2.0]), np.array([50.0]), np.array([1.0]), 96)
    values = render.stamp_image(stamp, render.psf_transform(make_psf("F277W", 1), 96))
    image, wide = np.zeros((100, 100)), np.zeros((300, 300))
    render.add_stamp(image, stamp, values)
    shifted = render.make_stamp(np.array([102.0]), np.array([150.0]), np.array([1.0]), 96)
    render.add_stamp(wide, shifted, values)
    assert np.allclose(image, wide[100:200, 100:200])


def test_smooth_light_keeps_its_flux():
    psf = make_psf("F444W", 1)
    light = np.zeros((200, 200), dtype=np.float32)
    light[80:120, 80:120] = 1.0
    image = render.blurred(light, [psf], lambda rows, columns: [np.ones_like(light[rows, columns])])
    assert image.sum() == pytest.approx(light.sum(), rel=2e-3)
    # A slightly lopsided PSF moves the centroid by its own.
    for axis in (0, 1):
        own = (np.arange(psf.shape[0]) - psf.shape[0] // 2) @ psf.sum(axis=1 - axis) / OVERSAMPLING
        place = np.arange(200) @ image.sum(axis=1 - axis) / image.sum()
        assert place == pytest.approx(99.5 + own, abs=5e-3)


def test_tiles_of_smooth_light_are_the_convolution_of_all_of_it(monkeypatch):
    psfs = [make_psf(name, 1) for name in ("F277W", "F444W")]
    light = np.random.default_rng(0).uniform(size=(150, 170)).astype(np.float32)
    share = np.broadcast_to(np.linspace(0, 1, 170, dtype=np.float32), light.shape)
    monkeypatch.setattr(render, "_TILE_PX", 60)
    image = render.blurred(
        light, psfs, lambda rows, columns: [share[rows, columns], 1 - share[rows, columns]]
    )
    kernels = [psf[::OVERSAMPLING, ::OVERSAMPLING] * OVERSAMPLING**2 for psf in psfs]
    whole = [signal.fftconvolve(light, kernel, mode="same") for kernel in kernels]
    assert np.allclose(image, share * whole[0] + (1 - share) * whole[1], atol=1e-5)
