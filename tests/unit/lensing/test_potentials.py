"""Lens profiles against closed forms and numerical derivatives."""

import numpy as np
import pytest
from clumpscope.lensing import potentials
from clumpscope.lensing.parametric import LensModel, magnification_of

RNG = np.random.default_rng(5)
X, Y = RNG.uniform(-25, 25, (2, 60))


def row(**values):
    result = np.zeros(len(potentials.FIELDS))
    for name, value in values.items():
        result[potentials.FIELDS.index(name)] = value
    return result[None]


ROWS = {
    81: row(x=1.0, y=-2.0, ellipticity=0.4, angle_rad=0.7, r_core=3.0, r_cut=60.0, v_disp=800.0),
    8: row(x=1.0, y=-2.0, ellipticity=0.4, angle_rad=0.7, r_core=3.0, v_disp=800.0),
    14: row(gamma=0.07, angle_rad=0.7),
}


@pytest.mark.parametrize("profile", ROWS)
def test_hessian_is_the_derivative_of_the_deflection(profile):
    h = 1e-4

    def alpha(x, y):
        return np.array(potentials.deflection(profile, ROWS[profile], x, y))

    along_x = (alpha(X + h, Y) - alpha(X - h, Y)) / (2 * h)
    along_y = (alpha(X, Y + h) - alpha(X, Y - h)) / (2 * h)
    xx, yy, xy = potentials.hessian(profile, ROWS[profile], X, Y)
    np.testing.assert_allclose(along_x[0], xx, atol=1e-8)
    np.testing.assert_allclose(along_y[1], yy, atol=1e-8)
    np.testing.assert_allclose(along_x[1], xy, atol=1e-8)
    np.testing.assert_allclose(along_y[0], xy, atol=1e-8)


@pytest.mark.parametrize("ellipticity", [0.0, 1e-6, 1e-3])
def test_round_dpie_deflects_as_the_closed_form(ellipticity):
    """Eliasdottir et al. (2007), equation A21 for the circular profile."""
    core, cut, v = 2.0, 40.0, 900.0
    r = np.hypot(X, Y)
    strength = 6 * np.pi * (v / 299792.458) ** 2 * 206264.80624709636 * cut / (cut - core)
    expected = strength * (np.sqrt(core**2 + r**2) - core - np.sqrt(cut**2 + r**2) + cut) / r
    a, b = potentials.deflection(81, row(ellipticity=ellipticity, r_core=core, r_cut=cut, v_disp=v), X, Y)
    np.testing.assert_allclose(np.hypot(a, b), expected, rtol=max(2 * ellipticity, 1e-6))


def test_elliptical_dpie_has_the_convergence_of_its_definition():
    """kappa is a function of R^2 = x^2 / (1 + eps)^2 + y^2 / (1 - eps)^2 alone (Kassiola and Kovner 1993)."""
    e, core, cut, v = 0.5, 1.5, 30.0, 700.0
    eps = (1 - np.sqrt(1 - e**2)) / e
    radius = np.sqrt((X / (1 + eps)) ** 2 + (Y / (1 - eps)) ** 2)
    strength = 6 * np.pi * (v / 299792.458) ** 2 * 206264.80624709636 * cut / (cut - core)
    expected = 0.5 * strength * (1 / np.hypot(core, radius) - 1 / np.hypot(cut, radius))
    xx, yy, _ = potentials.hessian(81, row(ellipticity=e, r_core=core, r_cut=cut, v_disp=v), X, Y)
    np.testing.assert_allclose(0.5 * (xx + yy), expected, rtol=1e-10)


def test_shear_is_traceless_and_stretches_along_its_angle():
    angle = 0.4
    xx, yy, xy = potentials.hessian(14, row(gamma=0.1, angle_rad=angle), X, Y)
    np.testing.assert_allclose(xx + yy, 0.0, atol=1e-15)
    np.testing.assert_allclose(xx, 0.1 * np.cos(2 * angle))
    np.testing.assert_allclose(xy, 0.1 * np.sin(2 * angle))


def test_magnification_is_the_inverse_jacobian_of_the_lens_map():
    model = LensModel((150.0, 2.0), 0.3, np.array([81, 14]), np.concatenate([ROWS[81], ROWS[14]]))
    ra, dec = model.sky(X, Y)
    h = 1e-3
    sx = [model.source_position(*model.sky(X + d, Y), 2.0) for d in (-h, h)]
    sy = [model.source_position(*model.sky(X, Y + d), 2.0) for d in (-h, h)]
    jacobian = np.array([(np.array(sx[1]) - sx[0]) / (2 * h), (np.array(sy[1]) - sy[0]) / (2 * h)])
    determinant = jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0]
    mu, mu_t, mu_r = model.magnification(ra, dec, 2.0)
    np.testing.assert_allclose(1 / mu, determinant, atol=1e-6)
    np.testing.assert_allclose(mu_t * mu_r, mu)


def test_x_grows_to_the_west():
    model = LensModel((150.0, 60.0), 0.3, np.array([14]), ROWS[14])
    x, y = model.offsets(150.0 + 1.0 / 3600.0, 60.0 + 2.0 / 3600.0)
    assert x == pytest.approx(-0.5) and y == pytest.approx(2.0)
    assert model.offsets(*model.sky(3.0, -4.0)) == pytest.approx((3.0, -4.0))


def test_a_source_in_front_of_the_lens_is_not_lensed():
    model = LensModel((150.0, 2.0), 0.3, np.array([81]), ROWS[81])
    ra, dec = model.sky(X, Y)
    np.testing.assert_allclose(model.magnification(ra, dec, 0.2)[0], 1.0)
    np.testing.assert_allclose(model.source_position(ra, dec, 0.2)[0], X)


def test_magnification_diverges_without_a_warning():
    _, mu_t, mu_r = magnification_of(np.array([0.5]), np.array([0.5]))
    assert np.isinf(mu_t[0]) and mu_r[0] == 1.0
