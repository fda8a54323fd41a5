"""Magnification of clumps: closed forms, intervals of the posterior, critical lines, edges of the model."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.flags import describe
from clumpscope.lensing import no_lens
from clumpscope.lensing.clumps.magnification import ellipse_points, given_magnification, magnify_clumps
from unit.lensing.lens_scenes import cluster, einstein, grid_wcs


def clump_at(x, y, **shape):
    ra, dec = cluster().sky(np.atleast_1d(x), np.atleast_1d(y))
    return Table({"id": [f"c{i}" for i in range(len(ra))], "ra": ra, "dec": dec, **shape})


def test_isothermal_sphere_magnifies_as_the_closed_form():
    radius = einstein(900.0)
    result = magnify_clumps(cluster(), clump_at([3 * radius, 0.0], [0.0, 0.5 * radius]), 2.0)
    # mu_t = 1 / (1 - theta_E / theta), mu_r = 1.
    np.testing.assert_allclose(result["mu_t"], [1.5, 1.0], rtol=1e-3)
    np.testing.assert_allclose(result["mu_r"], 1.0, rtol=1e-3)
    np.testing.assert_allclose(result["mu"], [1.5, 1.0], rtol=1e-3)


def test_posterior_interval_is_that_of_the_samples():
    v = np.random.default_rng(3).normal(900.0, 20.0, 100)
    radius = einstein(900.0)
    result = magnify_clumps(cluster(samples=v), clump_at(3 * radius, 0.0), 2.0)
    # mu grows with v: on each side of the best model, the velocity within which 68 % of that side's samples are.
    low, high = np.percentile(v[v < 900.0], 100 - 68.27), np.percentile(v[v > 900.0], 68.27)
    mu = 1 / (1 - einstein(np.array([low, high])) / (3 * radius))
    assert result["mu"][0] - result["mu_err_lo"][0] == pytest.approx(mu[0], rel=1e-3)
    assert result["mu"][0] + result["mu_err_hi"][0] == pytest.approx(mu[1], rel=1e-3)
    assert result["mu_samples"].shape == (1, 100) and result["flags"][0] == 0


def test_a_best_model_at_the_edge_of_its_posterior_has_two_errors_and_a_flag():
    # As ICLv1 of SMACS J0723 (Mahler et al. 2023), whose best model magnifies more than 90 % of its samples.
    v = np.random.default_rng(4).normal(880.0, 15.0, 100)
    assert np.mean(v > 900.0) < 0.16
    result = magnify_clumps(cluster(samples=v), clump_at(3 * einstein(900.0), 0.0), 2.0)
    assert describe(result["flags"][0]) == ["mu_off_posterior"]
    assert result["mu"][0] == pytest.approx(1.5, rel=1e-3)  # C25's value is the best model's
    mu = 1 / (1 - einstein(v) / (3 * einstein(900.0)))
    low, high = (
        result["mu"][0] + sign * result[f"mu_err_{side}"][0] for sign, side in ((-1, "lo"), (1, "hi"))
    )
    assert 0.65 <= np.mean((mu > low) & (mu < high)) <= 0.72
    assert 0.0 < result["mu_err_hi"][0] < result["mu_err_lo"][0]


def test_on_a_critical_line_nothing_is_infinite_and_the_clump_is_flagged():
    result = magnify_clumps(cluster(samples=[890.0, 900.0, 910.0]), clump_at(einstein(900.0), 0.0), 2.0)
    assert describe(result["flags"][0]) == ["near_critical"]
    assert all(np.isfinite(result[name]).all() for name in ("mu", "mu_err_hi", "mu_samples", "mu_t"))


def test_in_front_of_the_lens_and_without_one():
    front = magnify_clumps(cluster(), clump_at(5.0, 0.0), 0.3)
    assert front["mu"][0] == 1.0 and describe(front["flags"][0]) == ["not_lensed"]
    free = magnify_clumps(no_lens(), clump_at(5.0, 0.0), 2.0)
    assert free["mu"][0] == 1.0 and free["flags"][0] == 0


def test_given_magnification_keeps_its_interval():
    table = Table({"id": ["a"], "mu": [10.0], "mu_lo": [8.0], "mu_hi": [15.0]})
    result = given_magnification(table, n_samples=20000)
    low, middle, high = np.percentile(result["mu_samples"][0], [16, 50, 84])
    assert (low, middle, high) == pytest.approx((8.0, 10.0, 15.0), rel=0.02)
    assert (result["mu_err_lo"][0], result["mu_err_hi"][0]) == (2.0, 5.0)
    assert result["mu_t"][0] == pytest.approx(np.sqrt(10.0))
    np.testing.assert_allclose(result["mu_t_samples"] * result["mu_r_samples"], result["mu_samples"])
    np.testing.assert_array_equal(given_magnification(table, 20000)["mu_samples"], result["mu_samples"])


def test_given_magnification_without_an_interval_or_with_a_wide_one():
    exact = given_magnification(Table({"id": ["a"], "mu": [7.0]}))
    assert (exact["mu_samples"] == 7.0).all() and exact["mu_err_hi"][0] == 0.0
    wide = given_magnification(Table({"id": ["a"], "mu": [7.0], "mu_lo": [-1.0], "mu_hi": [9.0]}), 5000)
    assert (wide["mu_samples"] > 0).all() and np.isfinite(np.log10(wide["mu_samples"])).all()


def test_ellipse_is_that_of_the_shape_on_the_sky():
    # Position angle 30 degrees from +x, which is West here: the ellipse leans from West to North.
    scale = 0.05
    table = Table({"x": [40.0], "y": [30.0], "sigma_x_px": [4.0], "sigma_y_px": [0.1], "theta_deg": [30.0]})
    ra, dec = ellipse_points(table, grid_wcs(81, scale))
    x, y = cluster().offsets(ra[0], dec[0])
    x, y = x - 0.0, y - (30.0 - 40.0) * scale
    along, across = (
        x * np.cos(np.pi / 6) + y * np.sin(np.pi / 6),
        y * np.cos(np.pi / 6) - x * np.sin(np.pi / 6),
    )
    half_width = np.sqrt(2 * np.log(2)) * scale
    assert np.abs(along).max() == pytest.approx(4.0 * half_width, rel=1e-3)
    # An axis that is not resolved counts as 0.4 px.
    assert np.abs(across).max() == pytest.approx(0.4 * half_width, rel=0.02)
    assert (along.mean(), across.mean()) == pytest.approx((0.0, 0.0), abs=1e-6)


def test_magnification_varies_over_an_extended_clump():
    radius, scale, sigma = einstein(900.0), 0.05, 6.0
    wcs = grid_wcs(2001, scale)
    px = 1000.0 + 1.3 * radius / scale
    ra, dec = wcs.pixel_to_world_values(px, 1000.0)
    table = Table({"id": ["a"], "ra": [ra], "dec": [dec], "x": [px], "y": [1000.0],
                   "sigma_x_px": [sigma], "sigma_y_px": [sigma], "theta_deg": [0.0]})  # fmt: skip
    result = magnify_clumps(cluster(), table, 2.0, wcs)
    # By the pixels inside the half-maximum circle, mu = 1 / (1 - theta_E / theta).
    y, x = np.mgrid[-10:10:400j, -10:10:400j]
    inside = np.hypot(x, y) <= sigma * np.sqrt(2 * np.log(2))
    pixels = 1 / (1 - radius / np.hypot(1.3 * radius + x[inside] * scale, y[inside] * scale))
    assert result["mu"][0] == pytest.approx(np.median(pixels), rel=2e-3)
    assert result["mu_err_hi"][0] == pytest.approx(pixels.std(), rel=0.2)
    assert result["mu_err_lo"][0] == result["mu_err_hi"][0]  # no realisations: space alone


def test_errors_are_the_quadrature_of_space_and_posterior():
    v = np.random.default_rng(3).normal(900.0, 20.0, 100)
    radius = einstein(900.0)
    wcs = grid_wcs(2001, 0.05)
    px = 1000.0 + 1.5 * radius / 0.05
    ra, dec = wcs.pixel_to_world_values(px, 1000.0)
    shape = {"x": [px], "y": [1000.0], "sigma_x_px": [6.0], "sigma_y_px": [6.0], "theta_deg": [0.0]}
    table = Table({"id": ["a"], "ra": [ra], "dec": [dec], **shape})
    both = magnify_clumps(cluster(samples=v), table, 2.0, wcs)
    space = magnify_clumps(cluster(), table, 2.0, wcs)["mu_err_hi"][0]
    posterior = magnify_clumps(cluster(samples=v), table, 2.0)["mu_err_hi"][0]
    assert both["mu_err_hi"][0] == pytest.approx(np.hypot(space, posterior), rel=0.02)
    # The samples carry the same total error into masses and sizes.
    spread = np.subtract(*np.percentile(both["mu_samples"][0], [84, 16])) / 2
    assert spread == pytest.approx((both["mu_err_hi"][0] + both["mu_err_lo"][0]) / 2, rel=0.25)


def test_a_critical_line_that_only_some_realisations_put_there_is_flagged():
    radius = einstein(900.0)
    samples = np.concatenate([np.full(70, 900.0), np.full(30, 930.0)])
    result = magnify_clumps(cluster(samples=samples), clump_at([1.02 * radius, 2 * radius], [0.0, 0.0]), 2.0)
    assert [describe(flags) for flags in result["flags"]] == [["near_critical"], []]


def test_results_do_not_depend_on_the_other_clumps():
    model = cluster(samples=np.linspace(880.0, 920.0, 50))
    wcs, radius = grid_wcs(2001, 0.05), einstein(900.0)
    px = 1000.0 + np.array([1.2, 1.6, 2.4]) * radius / 0.05
    ra, dec = wcs.pixel_to_world_values(px, np.full(3, 1000.0))
    table = Table({"id": ["a", "b", "c"], "ra": ra, "dec": dec, "x": px, "y": [1000.0] * 3,
                   "sigma_x_px": [3.0] * 3, "sigma_y_px": [1.0] * 3, "theta_deg": [20.0] * 3})  # fmt: skip
    together, alone = magnify_clumps(model, table, 2.0, wcs), magnify_clumps(model, table[2:], 2.0, wcs)
    for name in ("mu", "mu_err_lo", "mu_t", "mu_samples"):
        np.testing.assert_array_equal(together[name][2], alone[name][0])


def test_clumps_without_a_shape_have_their_position():
    table = clump_at([3.0 * einstein(900.0)], [0.0])
    shape = {"x": [0.0], "y": [0.0], "sigma_x_px": [np.nan], "sigma_y_px": [np.nan], "theta_deg": [np.nan]}
    for name, values in shape.items():
        table[name] = values
    wcs = grid_wcs(2001, 0.05)
    table["x"], table["y"] = wcs.world_to_pixel_values(table["ra"], table["dec"])
    assert magnify_clumps(cluster(), table, 2.0, wcs)["mu"][0] == pytest.approx(1.5, rel=1e-3)


def test_a_galaxy_without_clumps():
    result = magnify_clumps(cluster(samples=[890.0, 900.0]), clump_at([], []), 2.0)
    assert len(result) == 0 and {"mu", "mu_err_lo", "mu_samples", "flags"} <= set(result.colnames)


@pytest.mark.parametrize("v", [(), np.full(10, 900.0)])
def test_samples_at_several_redshifts_follow_the_closed_form(v):
    radius, redshifts = einstein(900.0), [1.5, 2.0, 3.0]
    result = magnify_clumps(cluster(samples=v), clump_at(3 * radius, 0.0), 2.0, redshifts=redshifts)
    z = result["z_samples"][0]
    assert len(z) == (10 if len(v) else 3) and set(z) == set(redshifts)
    expected = [1 / (1 - einstein(900.0, each) / (3 * radius)) for each in z]
    np.testing.assert_allclose(result["mu_samples"][0], expected, rtol=1e-3)
    assert result["mu"][0] == pytest.approx(1.5, rel=1e-3)  # at the redshift itself
    assert result["mu_err_hi"][0] > 0.02


def test_redshifts_before_and_behind_the_lens():
    result = magnify_clumps(cluster(), clump_at(3 * einstein(900.0), 0.0), 2.0, redshifts=[0.3, 2.0])
    np.testing.assert_allclose(result["mu_samples"][0], [1.0, 1.5], rtol=1e-3)
    front = magnify_clumps(cluster(), clump_at(5.0, 0.0), 0.3, redshifts=[0.25, 0.3], n_samples=4)
    np.testing.assert_array_equal(front["z_samples"][0], [0.25, 0.3, 0.25, 0.3])
    assert describe(front["flags"][0]) == ["not_lensed"]
