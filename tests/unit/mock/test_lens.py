"""The mock lens against direct integrals of the convergence, exact cases, and the workflow's own lens model."""

import numpy as np
import pytest
from clumpscope.cosmology import distance_ratio
from clumpscope.lensing.files.lenstool import read_lenstool
from clumpscope.mock.cluster import make_cluster
from clumpscope.mock.field import REFERENCE
from clumpscope.mock.given_lens import given_members, read_given
from clumpscope.mock.lens import DPIE, Z_LENS, Lens, Shear, find_images
from clumpscope.mock.lens_files import lens_posterior, write_lens

HALO = DPIE("O1", 0.7, -0.4, 0.45, 35.0, 2.0, 60.0, 700.0)


def schramm_deflection(halo: DPIE, x: float, y: float) -> tuple[float, float]:
    """Deflection of elliptical mass shells by quadrature (Schramm 1990, A&A 231, 19)."""
    angle = np.deg2rad(halo.angle_deg)
    along = (x - halo.x_arcsec) * np.cos(angle) + (y - halo.y_arcsec) * np.sin(angle)
    across = -(x - halo.x_arcsec) * np.sin(angle) + (y - halo.y_arcsec) * np.cos(angle)
    q_squared = (1 - halo.ellipticity) / (1 + halo.ellipticity)  # of e = (a2 - b2) / (a2 + b2)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    root = (nodes + 1) / 2  # u = root^2 takes off the integrand's square root at u = 0
    u, weights = root**2, weights * root
    shell = np.sqrt(u * (along**2 + across**2 / (1 - (1 - q_squared) * u)))
    kappa = halo.convergence(halo.x_arcsec + shell * np.cos(angle), halo.y_arcsec + shell * np.sin(angle))
    q = np.sqrt(q_squared)
    a = q * along * (weights * kappa / (1 - (1 - q_squared) * u) ** 0.5).sum()
    b = q * across * (weights * kappa / (1 - (1 - q_squared) * u) ** 1.5).sum()
    return a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)


@pytest.mark.parametrize("place", [(3.0, 1.0), (-8.0, 5.0), (0.2, -0.9), (40.0, 90.0)])
def test_deflection_is_the_integral_of_the_convergence(place):
    expected = schramm_deflection(HALO, *place)
    got = HALO.deflection(np.array(place[0]), np.array(place[1]))
    assert np.allclose(got, expected, rtol=1e-7)


def test_shear_alone_magnifies_uniformly():
    lens = Lens((Shear("O1", 0.2, 25.0),))
    ratio = distance_ratio(Z_LENS, 2.0)
    mu, mu_t, mu_r = lens.magnification(np.array([3.0, -1.0]), np.array([0.0, 7.0]), 2.0)
    assert np.allclose(mu, 1 / (1 - (0.2 * ratio) ** 2), rtol=1e-7)
    assert np.allclose(mu_t, 1 / (1 - 0.2 * ratio), rtol=1e-7)
    assert np.allclose(mu_r, 1 / (1 + 0.2 * ratio), rtol=1e-7)


def test_images_of_a_nearly_round_lens_lie_where_the_lens_equation_says():
    # On the axis of a round lens the equation is one-dimensional: its roots are found by bisection.
    halo = DPIE("O1", 0.0, 0.0, 1e-4, 0.0, 1.0, 60.0, 700.0)
    lens, z, beta = Lens((halo,)), 2.0, 0.8
    x = np.linspace(-19.9, 19.9, 200001)
    error = lens.source(x, np.zeros_like(x), z)[0] - beta
    roots = x[:-1][np.sign(error[:-1]) != np.sign(error[1:])]
    images = sorted(find_images(lens, beta, 0.0, z, 20.0))
    assert len(roots) == len(images) == 3
    assert np.allclose([image[0] for image in images], roots, atol=1e-3)
    assert np.allclose([image[1] for image in images], 0.0, atol=1e-6)


def test_number_of_images_is_odd():
    lens, _ = make_cluster(np.random.default_rng(3), 40.0)
    # Cored lenses make an odd number; a member's faint central image may be lost in one of the tiles.
    numbers = [len(find_images(lens, x, y, 2.5, 60.0)) for x, y in [(-1.0, -0.5), (0.5, -2.0), (-3.0, -2.0)]]
    assert max(numbers) >= 3
    assert all(number % 2 == 1 for number in numbers)


def test_written_model_is_the_lens_for_the_workflow(tmp_path):
    lens, _ = make_cluster(np.random.default_rng(5), 40.0)
    rng = np.random.default_rng(6)
    write_lens(tmp_path, lens, lens_posterior(lens, rng, 1.0), rng, REFERENCE)
    model = read_lenstool(tmp_path / "best.par", samples=tmp_path / "bayes.dat")
    assert model.n_samples >= 100
    x, y = np.array([12.0, -7.3, 3.1, 15.0]), np.array([4.0, 9.1, -11.7, -13.0])
    ra = REFERENCE[0] - x / np.cos(np.deg2rad(REFERENCE[1])) / 3600
    dec = REFERENCE[1] + y / 3600
    for z in (0.9, 3.0, 6.1):
        assert np.allclose(model.source_position(ra, dec, z), lens.source(x, y, z), atol=1e-6)
        assert np.allclose(model.magnification(ra, dec, z), lens.magnification(x, y, z), rtol=1e-4)
    samples = np.array([model.magnification(ra, dec, 3.0, sample=k)[0] for k in range(0, model.n_samples, 4)])
    spread = samples.std(axis=0) / np.abs(lens.magnification(x, y, 3.0)[0])
    assert np.all((spread > 1e-3) & (spread < 0.5))


def test_a_given_model_is_the_lens_that_wrote_it(tmp_path):
    lens, members = make_cluster(np.random.default_rng(8), 40.0)
    rng = np.random.default_rng(9)
    posterior = lens_posterior(lens, rng, 1.0)
    write_lens(tmp_path, lens, posterior, rng, REFERENCE)
    best, samples = read_given(str(tmp_path / "best.par"), str(tmp_path / "bayes.dat"))
    x, y = np.array([12.0, -7.3, 3.1]), np.array([4.0, 9.1, -11.7])
    # Both pairs are other code: real arctangents here, complex numbers there.
    for ours, theirs in ((lens, best), (posterior[17], samples[17])):
        for z in (0.9, 4.0):
            assert np.allclose(ours.source(x, y, z), theirs.source(x, y, z), atol=2e-6)
            assert np.allclose(ours.magnification(x, y, z), theirs.magnification(x, y, z), rtol=1e-3)
    # Galaxies stand where the potentials are; velocity dispersions give their magnitudes.
    found = {(round(m.x_arcsec, 3), round(m.y_arcsec, 3)): m for m in given_members(best, 40.0)}
    for member in members:
        if member.name.startswith("M") and max(abs(member.x_arcsec), abs(member.y_arcsec)) < 19:
            twin = found[round(member.x_arcsec, 3), round(member.y_arcsec, 3)]
            assert twin.mag == pytest.approx(member.mag, abs=0.05)
            assert twin.axis_ratio == pytest.approx(member.axis_ratio, abs=0.01)
