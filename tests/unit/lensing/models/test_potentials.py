"""Lens profiles against formulas of other papers, integrals of their mass, and numerical derivatives."""

import numpy as np
import pytest
from astropy import constants, units
from clumpscope.cosmology import COSMOLOGY
from clumpscope.lensing.files.parameters import potential_row
from clumpscope.lensing.models.potentials import PROFILES, einstein_arcsec, flattening
from scipy.integrate import quad

Z_LENS = 0.4
GRID = np.random.default_rng(5).uniform(-25.0, 25.0, (2, 60))
VALUES = {
    "x_centre": 1.2, "y_centre": -0.7, "ellipticite": 0.35, "angle_pos": 37.0, "core_radius": 2.0,
    "cut_radius": 30.0, "v_disp": 700.0, "masse": 90.0, "gamma": 0.08,
}  # fmt: skip


def row_of(profile: int, **changes) -> np.ndarray:
    values = {key: value for key, value in {**VALUES, **changes}.items() if value is not None}
    return potential_row(profile, values, Z_LENS, COSMOLOGY, "test")


def deflection(profile: int, x, y, **changes):
    x, y = np.atleast_1d(x).astype(float), np.atleast_1d(y).astype(float)
    return np.array(PROFILES[profile].deflection(row_of(profile, **changes)[None], x, y))


def convergence_shear(profile: int, x, y, **changes):
    x, y = np.atleast_1d(x).astype(float), np.atleast_1d(y).astype(float)
    return np.array(PROFILES[profile].convergence_shear(row_of(profile, **changes)[None], x, y))


def derivative(function, step=1e-2):
    """Eight-point central difference of function(offset)."""
    weights = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))
    return sum(w * (function(n * step) - function(-n * step)) for n, w in weights) / step


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_convergence_and_shear_are_derivatives_of_the_deflection(profile):
    x, y = GRID
    far = np.hypot(x - 1.2, y + 0.7) > 1.0  # a difference over a singular centre is no derivative
    x, y = x[far], y[far]
    changes = {"masse": None} if profile == 12 else {}
    xx, yx = derivative(lambda h: deflection(profile, x + h, y, **changes))
    xy, yy = derivative(lambda h: deflection(profile, x, y + h, **changes))
    kappa, gamma1, gamma2 = convergence_shear(profile, x, y, **changes)
    size = np.abs([xx, yy, xy]).max()
    assert np.allclose(xy, yx, atol=1e-9 * size)
    assert np.allclose(kappa, 0.5 * (xx + yy), rtol=1e-9, atol=1e-10 * size)
    assert np.allclose(gamma1, 0.5 * (xx - yy), rtol=1e-9, atol=1e-10 * size)
    assert np.allclose(gamma2, xy, rtol=1e-9, atol=1e-10 * size)


def kassiola_kovner(x, y, eps, radius):
    """Complex deflection of unit strength: Kassiola and Kovner (1993, ApJ 417, 450), equation 4.1.2."""
    q, root = (1 - eps) / (1 + eps), np.sqrt(eps)
    scaled = np.sqrt(radius**2 + (x / (1 + eps)) ** 2 + (y / (1 - eps)) ** 2)
    ratio = (q * x + 1j * (2 * root * scaled - y / q)) / (x + 1j * (2 * root * radius - y))
    return -0.5j * (1 - eps**2) / root * np.log(ratio)


@pytest.mark.parametrize("ellipticity", [0.01, 0.35, 0.83])
@pytest.mark.parametrize("profile", [8, 81])
def test_isothermal_deflection_is_kassiola_and_kovners(profile, ellipticity):
    x, y = GRID
    eps = (1 - np.sqrt(1 - ellipticity**2)) / ellipticity
    turn = np.exp(1j * np.deg2rad(37.0))
    own = ((x - 1.2) + 1j * (y + 0.7)) / turn
    alpha = kassiola_kovner(own.real, own.imag, eps, 2.0)
    if profile == 81:
        alpha = (alpha - kassiola_kovner(own.real, own.imag, eps, 30.0)) * 30.0 / 28.0
    alpha = alpha * turn * 6 * np.pi * (700.0 / 299792.458) ** 2 * np.rad2deg(1) * 3600
    got = deflection(profile, x, y, ellipticite=ellipticity)
    assert np.allclose(got, [alpha.real, alpha.imag], rtol=1e-11, atol=1e-11)


def test_dual_isothermal_convergence_is_constant_on_ellipses():
    eps, theta = flattening(0.35), np.linspace(0.0, 2 * np.pi, 50)
    along, across = 7.0 * (1 + eps) * np.cos(theta), 7.0 * (1 - eps) * np.sin(theta)
    turn = np.exp(1j * np.deg2rad(37.0)) * (along + 1j * across)
    kappa, _, _ = convergence_shear(81, 1.2 + turn.real, -0.7 + turn.imag)
    strength = einstein_arcsec(700.0, 6.0) * 30.0 / 28.0 / 2.0
    expected = strength * (1 / np.hypot(2.0, 7.0) - 1 / np.hypot(30.0, 7.0))
    assert np.allclose(kappa, expected, rtol=1e-12)


def test_round_dual_isothermal_deflection():
    # Eliasdottir et al. (2007, arXiv:0710.5636), appendix A.
    r = np.array([0.01, 0.5, 3.0, 40.0, 500.0])
    got, across = deflection(81, 1.2 + r, np.full(5, -0.7), ellipticite=0.0)
    factor = einstein_arcsec(700.0, 6.0) * 30.0 / 28.0 / r
    assert np.allclose(got, factor * (np.hypot(2.0, r) - 2.0 - np.hypot(30.0, r) + 30.0), rtol=1e-10)
    assert np.allclose(across, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("centre", "eps", "strength", "place", "expected"),
    [
        ((0.5, -0.7), 0.0, 5.2, (0.1625, 0.1875), (-0.39286169026, 1.033080741)),
        ((0.1, -0.1), 0.0, 20.0, (0.1625, 0.1875), (0.308977765378, 1.4212977207)),
        ((0.0, 0.0), 0.333333, 4.0, (0.1625, 0.1625), (0.10753914, 0.21461366)),
    ],
)
def test_lenstools_own_deflections(centre, eps, strength, place, expected):
    # Numbers made with Lenstool, from the tests of PyAutoGalaxy's dPIEMass (core 2, cut 3), which keep 4 digits.
    row = np.array([[*centre, eps, 0.0, 2.0, 3.0, strength]])
    got = PROFILES[81].deflection(row, *np.array([place]).T)
    assert np.allclose(np.ravel(got), expected, rtol=1e-3 if eps else 1e-4)


def test_vanishing_ellipticity_is_a_smooth_limit():
    x, y = GRID
    for function in (deflection, convergence_shear):
        assert np.allclose(
            function(81, x, y, ellipticite=0.0), function(81, x, y, ellipticite=1e-9), rtol=1e-7
        )


def test_negative_ellipticity_turns_by_a_right_angle():
    x, y = GRID
    turned = convergence_shear(81, x, y, angle_pos=127.0)
    assert np.allclose(convergence_shear(81, x, y, ellipticite=-0.35), turned, rtol=1e-10)


def test_core_and_cut_exchanged_are_the_same_profile():
    x, y = GRID
    # The strength is that of the sphere without core, which the cut over the core scales.
    swapped = {"core_radius": 30.0, "cut_radius": 2.0}
    for function in (deflection, convergence_shear):
        assert np.allclose(function(81, x, y, **swapped) * 15.0, function(81, x, y), rtol=1e-9)


def test_centre_of_a_singular_galaxy_gives_numbers():
    changes = {"core_radius": 0.0, "ellipticite": 0.0}
    assert np.isfinite(convergence_shear(81, 1.2, -0.7, **changes)).all()
    assert np.allclose(deflection(81, 1.2, -0.7, **changes), 0.0)


def test_isothermal_sphere_deflects_alike_everywhere():
    alpha = deflection(0, *GRID)
    expected = 4 * np.pi * (700e3 / constants.c.value) ** 2 * np.rad2deg(1) * 3600
    assert np.allclose(np.hypot(*alpha), expected, rtol=1e-12)


def test_elliptical_isothermal_potential():
    # Its potential: strength sqrt((1 - e) x^2 + (1 + e) y^2), with a third of the mass's ellipticity.
    x, y = GRID
    turn = np.exp(-1j * np.deg2rad(37.0)) * ((x - 1.2) + 1j * (y + 0.7))

    def potential(u, v):
        e = 0.35 / 3
        return einstein_arcsec(700.0, 4.0) * np.sqrt((1 - e) * u**2 + (1 + e) * v**2)

    along = derivative(lambda h: potential(turn.real + h, turn.imag), 1e-3)
    across = derivative(lambda h: potential(turn.real, turn.imag + h), 1e-3)
    alpha = (along + 1j * across) * np.exp(1j * np.deg2rad(37.0))
    assert np.allclose(deflection(1, x, y), [alpha.real, alpha.imag], rtol=1e-7)


def test_point_mass_has_its_einstein_radius():
    mass, distance = 9e13 * units.M_sun, COSMOLOGY.angular_diameter_distance(Z_LENS)
    squared = (4 * constants.G * mass / constants.c**2 / distance).to_value("") * (np.rad2deg(1) * 3600) ** 2
    alpha = deflection(7, 1.2 + np.sqrt(squared), -0.7)
    assert np.allclose(alpha[0], np.sqrt(squared), rtol=1e-4)
    assert np.allclose(convergence_shear(7, *GRID)[0], 0.0, atol=1e-12)


def nfw_mass(r, scale, density):
    return 4 * np.pi * density * scale**3 * (np.log1p(r / scale) - r / scale / (1 + r / scale))


def test_nfw_deflection_is_that_of_the_projected_mass():
    # v^2 = 8/3 G r_s^2 rho_s is Lenstool's scale velocity.
    changes = {"ellipticite": 0.0, "core_radius": 20.0, "masse": None, "cut_radius": None}
    distance = COSMOLOGY.angular_diameter_distance(Z_LENS)
    scale = (20.0 * units.arcsec).to_value("rad") * distance
    density = (700 * units.km / units.s) ** 2 / (8 / 3 * constants.G * scale**2)

    def projected(
        radius,
    ):  # mass in a cylinder, in units of density scale^3: the profile along the line of sight
        def surface(r):
            depth = quad(lambda t: 1 / (np.cosh(t) * (1 + r * np.cosh(t)) ** 2) * np.cosh(t), 0, 30)[0]
            return 2 * depth

        return quad(lambda r: 2 * np.pi * r * surface(r), 0, radius)[0]

    for radius in (0.3, 1.0, 2.7):
        mass = projected(radius) * density * scale**3
        bend = (
            (4 * constants.G * mass / constants.c**2 / (radius * scale)).to_value("") * np.rad2deg(1) * 3600
        )
        assert np.isclose(deflection(12, 1.2 + 20 * radius, -0.7, **changes)[0, 0], bend, rtol=1e-5)


@pytest.mark.parametrize("given", [{"masse": 8e14}, {"cut_radius": 1.0}, {"core_radius": 45.0}])
def test_nfw_of_a_concentration_holds_200_critical_densities(given):
    changes = {"masse": None, "cut_radius": None, "core_radius": None, "v_disp": None, "beta": 5.0, **given}
    arcsec_per_mpc = 1e3 * COSMOLOGY.arcsec_per_kpc_proper(Z_LENS).value
    if "cut_radius" in given:
        changes["cut_radius"] = 1.8 * arcsec_per_mpc
    row = row_of(12, **changes)
    scale = row[4] / arcsec_per_mpc * units.Mpc
    velocity = np.sqrt(row[6] / einstein_arcsec(1.0, 6.0)) * units.km / units.s
    density = velocity**2 / (8 / 3 * constants.G * scale**2)
    mass = nfw_mass(5.0 * scale, scale, density)
    expected = 200 * COSMOLOGY.critical_density(Z_LENS) * 4 / 3 * np.pi * (5.0 * scale) ** 3
    assert np.isclose((mass / expected).to_value(""), 1.0, rtol=1e-4)
    if "masse" in given:
        assert np.isclose(mass.to_value("Msun"), 8e14, rtol=1e-4)
    if "cut_radius" in given:
        assert np.isclose(5.0 * scale.value, 1.8, rtol=1e-12)


@pytest.mark.parametrize("other", [{"masse": 8e14}, {"cut_radius": 300.0}])
def test_nfw_of_a_scale_radius_and_its_mass_or_extent(other):
    nothing = {"masse": None, "cut_radius": None, "core_radius": None, "beta": None}
    by_concentration = row_of(12, **{**nothing, "beta": 5.0, **other})
    by_scale = row_of(12, **{**nothing, "core_radius": by_concentration[4], "v_disp": None, **other})
    np.testing.assert_allclose(by_scale, by_concentration, rtol=1e-12)


def test_nfw_is_smooth_through_its_scale_radius():
    changes = {"ellipticite": 0.0, "core_radius": 20.0, "masse": None, "cut_radius": None}
    x = 1.2 + 20.0 * (1.0 + np.array([-1e-4, -1e-5, -1e-7, 0.0, 1e-7, 1e-5, 1e-4]))
    kappa = convergence_shear(12, x, np.full(7, -0.7), **changes)[0]
    straight = np.polyval(np.polyfit(x - x[3], kappa, 1), x - x[3])
    assert np.allclose(kappa, straight, rtol=1e-7)


def test_a_sheet_of_convergence_beside_the_shear():
    kappa, gamma1, gamma2 = convergence_shear(14, *GRID, kappa=0.06)
    assert np.allclose(kappa, 0.06) and np.allclose(np.hypot(gamma1, gamma2), 0.08)
    sheet = deflection(14, *GRID, kappa=0.06) - deflection(14, *GRID)
    assert np.allclose(sheet, 0.06 * (GRID - np.array([[1.2], [-0.7]])))


def test_shear_is_uniform_and_counted_twice_the_angle():
    kappa, gamma1, gamma2 = convergence_shear(14, *GRID)
    assert np.all(kappa == 0.0)
    assert np.allclose(gamma1, 0.08 * np.cos(np.deg2rad(74.0)))
    assert np.allclose(gamma2, 0.08 * np.sin(np.deg2rad(74.0)))


def test_potentials_add_up():
    rows = np.array([row_of(81), row_of(81, x_centre=-9.0), row_of(81, ellipticite=0.0, v_disp=80.0)])
    x, y = np.random.default_rng(1).uniform(-30, 30, (2, 1300))  # more than one block of the compiled loop
    for what, n_parts in (("deflection", 2), ("convergence_shear", 3)):
        function = getattr(PROFILES[81], what)
        total = sum(np.array(function(row[None], x, y)) for row in rows)
        assert np.array(function(rows, x, y)).shape == (n_parts, 1300)
        assert np.allclose(function(rows, x, y), total, rtol=1e-12)


@pytest.mark.parametrize("ellipticity", [0.05, 0.6])
def test_singular_isothermal_ellipsoid(ellipticity):
    # Kormann, Schneider and Bartelmann (1994, A&A 284, 285), equation 27a, the major axis along theirs; Lenstool's
    # normalisation (e_grad.c) makes the convergence 4 pi (v / c)^2 / 2 / sqrt((1 - e) x^2 + (1 + e) y^2).
    x, y = GRID
    turn = np.exp(1j * np.deg2rad(37.0))
    own = ((x - 1.2) + 1j * (y + 0.7)) / turn
    f = np.sqrt((1 - ellipticity) / (1 + ellipticity))
    root = np.sqrt(1 - f**2)
    strength = einstein_arcsec(700.0, 4.0) / np.sqrt(1 + ellipticity) / root
    cos, sin = own.real / np.abs(own), own.imag / np.abs(own)
    alpha = strength * (np.arcsin(root * cos) + 1j * np.arcsinh(root / f * sin)) * turn
    assert np.allclose(deflection(-1, x, y, ellipticite=ellipticity), [alpha.real, alpha.imag], rtol=1e-9)
    e = ellipticity
    kappa = einstein_arcsec(700.0, 4.0) / 2 / np.sqrt((1 - e) * own.real**2 + (1 + e) * own.imag**2)
    assert np.allclose(convergence_shear(-1, x, y, ellipticite=e)[0], kappa, rtol=1e-9)


def test_round_isothermal_profiles_are_one():
    alike = [deflection(profile, *GRID, ellipticite=0.0) for profile in (-1, 0, 1)]
    assert np.allclose(alike[0], alike[1], rtol=1e-8) and np.allclose(alike[1], alike[2])
