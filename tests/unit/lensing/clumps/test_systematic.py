"""Several models of one lens: the scatter between them, models that do not reach, samples of all."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.flags import bit, has
from clumpscope.lensing import no_lens
from clumpscope.lensing.clumps.magnification import magnify_clumps
from clumpscope.lensing.clumps.systematic import compare_models
from unit.lensing.lens_scenes import cluster, einstein


def models(*velocities, samples=()):
    """Clumps at 3, 4 and 5 Einstein radii of 900 km/s, lensed by isothermal spheres: mu = mu_t = 1 / (1 - theta_E / theta)."""
    theta = einstein(900.0) * np.array([3.0, 4.0, 5.0])
    ra, dec = cluster().sky(theta, np.zeros(3))
    clumps = Table({"id": ["a", "b", "c"], "ra": ra, "dec": dec})
    tables = [magnify_clumps(cluster(v, **dict(samples)), clumps, 2.0) for v in velocities]
    return tables, [1.0 / (1.0 - einstein(v) / theta) for v in velocities]


def test_scatter_is_that_of_the_closed_forms():
    (reference, *others), mu = models(900.0, 850.0, 960.0)
    table = compare_models(reference, others)
    np.testing.assert_allclose(table["mu_models"], np.transpose(mu), rtol=1e-3)
    mean = sum(mu) / 3
    expected = np.sqrt(sum((m - mean) ** 2 for m in mu) / 2)
    np.testing.assert_allclose(table["mu_err_sys"], expected, rtol=0.02)
    np.testing.assert_allclose(table["mu_t_err_sys"], expected, rtol=0.02)
    np.testing.assert_allclose(table["mu_r_err_sys"], 0.0, atol=1e-3)
    for name in ("mu", "mu_err_lo", "mu_err_hi", "mu_samples", "flags"):
        np.testing.assert_array_equal(table[name], reference[name])


def test_one_model_is_left_as_it_is():
    (reference,), _ = models(900.0)
    assert compare_models(reference, []) is reference


def test_a_model_that_does_not_reach_does_not_count():
    (reference, second, third), mu = models(900.0, 850.0, 960.0)
    for name in ("mu", "mu_t", "mu_r"):
        second[name][:2] = np.nan
        third[name][0] = np.nan
        second[f"{name}_samples"][:2] = np.nan
        third[f"{name}_samples"][0] = np.nan
    table = compare_models(reference, [second, third], propagate=True)
    assert np.isnan(table["mu_err_sys"][0]) and has(table["flags"], "one_model").tolist() == [
        True,
        False,
        False,
    ]
    assert table["mu_err_sys"][1] == pytest.approx(abs(mu[0][1] - mu[2][1]) / np.sqrt(2), rel=0.02)
    assert np.isfinite(table["mu_samples"]).all()
    assert (table["mu_samples"][0] == reference["mu_samples"][0, 0]).all()


def test_samples_of_all_models_have_the_same_weight():
    (reference, other), mu = models(900.0, 960.0)
    reference.replace_column("mu_samples", np.repeat(mu[0][:, None], 100, axis=1))
    reference.replace_column("mu_t_samples", np.asarray(reference["mu_samples"]))
    reference.replace_column("mu_r_samples", np.ones((3, 100)))
    table = compare_models(reference, [other], propagate=True)
    assert table["mu_samples"].shape == table["mu_r_samples"].shape == (3, 200)
    np.testing.assert_allclose(np.mean(table["mu_samples"], axis=1), (mu[0] + mu[1]) / 2, rtol=1e-3)
    # The value and its statistical error are the reference's.
    np.testing.assert_array_equal(table["mu"], reference["mu"])


def test_a_source_in_front_of_the_lens_has_no_scatter():
    clumps = Table({"id": ["a"], "ra": [3.5], "dec": [-30.0]})
    table = magnify_clumps(no_lens(), clumps, 2.0)
    assert compare_models(table, [table])["mu_err_sys"][0] == 0.0
    assert table["flags"][0] & bit("one_model") == 0
