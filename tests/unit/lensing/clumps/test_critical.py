"""Critical lines, multiple images, and the products of a galaxy."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.cosmology import pc_per_arcsec
from clumpscope.images.cutouts import Cutout
from clumpscope.lensing import no_lens
from clumpscope.lensing.clumps import products
from clumpscope.lensing.clumps.critical import critical_lines
from clumpscope.lensing.clumps.systems import compare_systems
from clumpscope.lensing.models.parametric import ParametricModel
from clumpscope.tables import read_table, write_table
from unit.lensing.lens_scenes import REFERENCE, cluster, einstein, grid_wcs

BOX = (-15.0, 15.0, -15.0, 15.0)


def test_einstein_ring_of_a_sphere():
    lines = critical_lines(cluster(600.0), 2.0, BOX)
    (ring,) = [line for line in lines if line.kind == "tangential"]
    np.testing.assert_allclose(np.hypot(ring.x, ring.y), einstein(600.0), rtol=1e-3)
    # Its caustic is the point behind the lens.
    assert np.hypot(ring.source_x, ring.source_y).max() < 0.02
    assert np.hypot(ring.x[0] - ring.x[-1], ring.y[0] - ring.y[-1]) < 1e-9  # it is closed


def test_radial_line_of_a_core():
    # For kappa = b / 2 / sqrt(s^2 + r^2) the radial line is where the derivative of the deflection is one.
    core, strength = 2.0, 15.0
    row = np.array([[0.0, 0.0, 0.0, 0.0, core, np.inf, strength]])
    model = ParametricModel(reference=REFERENCE, z_lens=0.4, profiles=np.array([8]), rows=row)
    ratio = model.distance_ratio(2.0)
    r = np.linspace(0.1, 10.0, 100001)
    alpha = strength * ratio * (np.hypot(core, r) - core) / r
    expected = r[np.argmin(np.abs(np.gradient(alpha, r) - 1.0))]
    (line,) = [line for line in critical_lines(model, 2.0, BOX, 0.1) if line.kind == "radial"]
    np.testing.assert_allclose(np.hypot(line.x, line.y), expected, rtol=3e-3)


def test_no_lens_and_sources_in_front_have_no_critical_line():
    assert critical_lines(no_lens(), 2.0, BOX) == []
    assert critical_lines(cluster(), 0.3, BOX) == []


def two_images(beta, v_disp=600.0):
    """The two images of a source at distance beta West of a sphere's axis."""
    radius = einstein(v_disp)
    return np.array([beta + radius, beta - radius]), np.zeros(2)


def image_table(*betas, names=None):
    x = np.concatenate([two_images(beta)[0] for beta in betas])
    ra, dec = cluster().sky(x, np.zeros(x.size))
    systems = [f"S{n}" for n in range(len(betas)) for _ in (0, 1)]
    return Table(
        {"id": [f"i{n}" for n in range(x.size)], "system": systems, "ra": ra, "dec": dec, "z": [2.0] * x.size}
    )


def test_images_of_the_true_lens_share_a_source():
    table = compare_systems(cluster(600.0, samples=[590.0, 600.0, 610.0]), image_table(1.0, 2.5))
    np.testing.assert_allclose(table["source_x_arcsec"], [1.0, 1.0, 2.5, 2.5], atol=1e-3)
    assert (table["rms_arcsec"] < 1e-3).all()
    assert list(np.sign(table["mu"])) == [1, -1, 1, -1]  # parities
    # A change of the deflection moves the two images apart by twice as much: half of that from their mean.
    spread = np.std(einstein(np.array([590.0, 600.0, 610.0])))
    np.testing.assert_allclose(table["offset_x_arcsec_err"], spread, rtol=1e-2)


def test_intrinsic_fluxes_of_the_images_agree():
    images = image_table(1.0, 2.5)
    # A sphere magnifies a source at beta by 1 + theta_E / beta and theta_E / beta - 1.
    radius = einstein(600.0)
    images["f"] = [1 + radius, radius - 1, 1 + radius / 2.5, radius / 2.5 - 1]
    model = cluster(600.0, samples=np.linspace(590.0, 610.0, 21))
    table = compare_systems(model, images, fluxes=["f"])
    np.testing.assert_allclose(table["intrinsic_f"], 1.0, rtol=1e-3)
    # 68 % of the ten samples above the best one reach to the seventh; so below.
    beta = 1.0 + einstein(600.0)
    mu = 1 / (1 - einstein(600.0 + np.array([-1.0, 0.0, 1.0]) * (1.0 + 0.6827 * 9)) / beta)
    assert table["mu_err_hi"][0] == pytest.approx(mu[2] - mu[1], rel=1e-2)
    assert table["mu_err_lo"][0] == pytest.approx(mu[1] - mu[0], rel=1e-2)


def test_a_wrong_lens_shows():
    table = compare_systems(cluster(630.0), image_table(1.0))
    wrong = einstein(630.0) - einstein(600.0)
    np.testing.assert_allclose(table["rms_arcsec"], wrong, rtol=1e-3)
    np.testing.assert_allclose(table["offset_x_arcsec"], [-wrong, wrong], rtol=1e-3)


def test_single_images_and_foreground_are_left_out():
    images = image_table(1.0, 2.0)
    images["system"][3] = "S9"
    assert list(compare_systems(cluster(600.0), images)["system"]) == ["S0", "S0"]
    images["z"] = 0.2
    assert len(compare_systems(cluster(600.0), images)) == 0


def test_products_of_a_galaxy(tmp_path):
    model, scale, n = cluster(600.0, samples=np.linspace(590, 610, 12)), 0.05, 161
    wcs = grid_wcs(n, scale)
    wcs.wcs.crval = [float(v) for v in model.sky(einstein(600.0) + 3.0, 0.0)]
    rows, columns = np.indices((n, n))
    sx, sy = model.source_position(*wcs.pixel_to_world_values(columns, rows), 2.0)
    image = np.exp(-((sx - 3.0) ** 2 + sy**2) / (2 * 0.2**2)) * scale**2
    member = image > 1e-5 * scale**2
    image += 0.3 * scale**2  # light of the cluster, which is neither the galaxy's flux nor in its barycentre
    cutout = Cutout(image, np.full((n, n), 1e-6), wcs, 100, 200, scale, "F150W")
    shape = {"sigma_x_px": [2.0, 1.0], "sigma_y_px": [1.0, 0.1], "theta_deg": [10.0, 0.0]}
    clumps = Table({"id": ["a", "b"], "x": [180.0, 195.0], "y": [280.0, 280.0], **shape})
    clumps["ra"], clumps["dec"] = wcs.pixel_to_world_values(clumps["x"] - 100, clumps["y"] - 200)
    table, plane = products.lens_galaxy(model, clumps, cutout, member, 2.0, n_samples=10)
    assert list(table["central"]) == [True, False]
    assert table["mu"][0] == pytest.approx(1 + einstein(600.0) / 3.0, rel=0.02)
    assert plane.flux_njy == pytest.approx(2 * np.pi * 0.2**2, rel=0.01)
    mu = products.magnification_map(model, cutout, 2.0)
    assert mu[80, 80] == pytest.approx(1 + einstein(600.0) / 3.0, rel=1e-3)
    for name in ("a", "b"):  # twice, for the same bytes
        write_table(table, tmp_path / f"{name}.fits")
        products.write_map(tmp_path / f"{name}_map.fits", mu, cutout)
        products.write_source_plane(tmp_path / f"{name}_plane.fits", plane, table, 2.0)
        products.draw_galaxy(tmp_path / f"{name}.png", "G", cutout, mu, plane, clumps, model, 2.0)
    for ending in (".fits", "_map.fits", "_plane.fits", ".png"):
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
    back = read_table(tmp_path / "a.fits")
    assert back["mu_samples"].shape == (2, 10) and back["distance_samples_kpc"].shape == (2, 10)
    # Another model adds its scatter, and changes nothing else.
    both, _ = products.lens_galaxy(model, clumps, cutout, member, 2.0, n_samples=10, others=[cluster(620.0)])
    mu = [1 + einstein(v) / (einstein(600.0) + 3.0 - einstein(v)) for v in (600.0, 620.0)]
    assert both["mu_err_sys"][0] == pytest.approx((mu[1] - mu[0]) / np.sqrt(2), rel=0.05)
    assert all(
        (np.asarray(both[name]) == np.asarray(table[name])).all() for name in ("mu", "mu_samples", "flags")
    )


def test_an_unlensed_galaxy_far_from_the_equator_keeps_its_shape():
    wcs = grid_wcs(121, 0.05)
    wcs.wcs.crval = (110.8, -73.45)
    y, x = np.indices((121, 121)) - 60.0
    image = np.exp(-(x**2 + y**2) / (2 * 8.0**2))
    cutout = Cutout(image, np.full(image.shape, 1e-6), wcs, 0, 0, 0.05, "F150W")
    clumps = Table({"id": ["a", "b"], "x": [60.0, 80.0], "y": [60.0, 60.0], "sigma_x_px": [1.0, 1.0],
                    "sigma_y_px": [1.0, 1.0], "theta_deg": [0.0, 0.0]})  # fmt: skip
    clumps["ra"], clumps["dec"] = wcs.pixel_to_world_values(clumps["x"], clumps["y"])
    table, plane = products.lens_galaxy(no_lens(), clumps, cutout, image > 1e-4, 2.0)
    kpc = pc_per_arcsec(2.0) / 1e3
    np.testing.assert_allclose(table["distance_kpc"], [0.0, 20 * 0.05 * kpc], atol=5e-3)
    assert (plane.x, plane.y) == pytest.approx((0.0, 0.0), abs=1e-3)
    assert plane.flux_njy == pytest.approx(image.sum(), rel=1e-3)
    assert list(table["mu"]) == [1.0, 1.0] and list(table["mu_err_hi"]) == [0.0, 0.0]
