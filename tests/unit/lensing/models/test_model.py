"""Frames, magnification and distances, which every lens model shares."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM, LambdaCDM
from astropy.table import Table
from clumpscope.cosmology import COSMOLOGY, distance_ratio
from clumpscope.errors import InputError
from clumpscope.lensing import no_lens
from clumpscope.lensing.models.model import LensModel, magnification_of
from clumpscope.lensing.models.parametric import ParametricModel

X, Y = np.random.default_rng(5).uniform(-25, 25, (2, 60))
HALO = [1.0, -2.0, 0.2, 0.7, 3.0, 60.0, 25.0]
SHEAR = [0.0, 0.0, 0.0, 0.7, 0.0, np.inf, 0.07]


def model_of(reference=(150.0, 2.0), **changes) -> ParametricModel:
    parts = {"z_lens": 0.3, "profiles": np.array([81, 14]), "rows": np.array([HALO, SHEAR]), **changes}
    return ParametricModel(reference=reference, **parts)


def test_magnification_is_the_inverse_jacobian_of_the_lens_map():
    model = model_of()
    h = 1e-3
    sx = [model.source_position(*model.sky(X + d, Y), 2.0) for d in (-h, h)]
    sy = [model.source_position(*model.sky(X, Y + d), 2.0) for d in (-h, h)]
    jacobian = np.array([(np.array(sx[1]) - sx[0]) / (2 * h), (np.array(sy[1]) - sy[0]) / (2 * h)])
    determinant = jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0]
    mu, mu_t, mu_r = model.magnification(*model.sky(X, Y), 2.0)
    np.testing.assert_allclose(1 / mu, determinant, atol=1e-6)
    np.testing.assert_allclose(mu_t * mu_r, mu)
    assert (mu < 0).any() and (mu > 0).any()


def test_x_grows_to_the_west():
    model = model_of((150.0, 60.0))
    assert model.offsets(150.0 + 1 / 3600, 60.0 + 2 / 3600) == pytest.approx((-0.5, 2.0))
    assert model.offsets(*model.sky(3.0, -4.0)) == pytest.approx((3.0, -4.0))


def test_frame_reaches_across_right_ascension_zero():
    model = model_of((359.9999, 0.0))
    assert model.offsets(0.0001, 0.0)[0] == pytest.approx(-0.72)
    assert model.sky(-0.72, 0.0)[0] == pytest.approx(0.0001)


def test_a_source_in_front_of_the_lens_is_not_lensed():
    model = model_of()
    ra, dec = model.sky(X, Y)
    assert (model.magnification(ra, dec, 0.2)[0] == 1.0).all()
    np.testing.assert_allclose(model.source_position(ra, dec, 0.2), [X, Y], atol=1e-9)


def test_magnification_diverges_without_a_warning():
    _, mu_t, mu_r = magnification_of(np.array([0.5]), np.array([0.5]))
    assert np.isinf(mu_t[0]) and mu_r[0] == 1.0


def test_shapes_broadcast():
    model = model_of()
    kappa, _, _ = model.convergence_shear(X[:, None], Y[None, :7], 2.0)
    assert kappa.shape == (60, 7)
    assert kappa[3, 2] == pytest.approx(model.convergence_shear(X[3], Y[2], 2.0)[0])
    assert np.shape(model.magnification(150.0, 2.0, 2.0)[0]) == ()


@pytest.mark.parametrize(
    "cosmology", [COSMOLOGY, FlatLambdaCDM(H0=50, Om0=1.0), LambdaCDM(H0=70, Om0=0.3, Ode0=0.5)]
)
def test_distance_ratio_is_that_of_the_models_cosmology(cosmology):
    ratio = LensModel(reference=(0, 0), z_lens=0.4, cosmology=cosmology).distance_ratio(2.5)
    # By the distances that an observer at the lens measures.
    near, far = (cosmology.comoving_transverse_distance(z).value for z in (0.4, 2.5))
    curved = cosmology.Ok0 / cosmology.hubble_distance.value**2
    between = far * np.sqrt(1 + curved * near**2) - near * np.sqrt(1 + curved * far**2)
    assert ratio == pytest.approx(between / far, rel=1e-10)
    if cosmology is COSMOLOGY:
        assert ratio == pytest.approx(distance_ratio(0.4, 2.5), rel=1e-10)
    if cosmology.Om0 == 1.0:  # Einstein and de Sitter's universe in closed form
        assert ratio == pytest.approx(1 - (1 - 1 / np.sqrt(1.4)) / (1 - 1 / np.sqrt(3.5)), rel=1e-8)


@pytest.mark.parametrize("z_source", [np.nan, np.inf, np.array([1.0, 2.0])])
def test_one_redshift_is_asked_for_at_a_time(z_source):
    with pytest.raises(InputError, match=r"z_source: found .* one finite number"):
        no_lens().distance_ratio(z_source)


def test_galaxies_have_the_magnification_of_their_own_redshift():
    model = model_of()
    ra, dec = model.sky(X[:4], Y[:4])
    galaxies = Table({"ra": ra, "dec": dec, "z": [1.0, 2.0, 1.0, 0.1]})
    expected = [abs(model.magnification(ra[i], dec[i], z)[0]) for i, z in enumerate(galaxies["z"])]
    np.testing.assert_allclose(model.galaxy_magnification(galaxies), expected)


def test_realisations_are_chosen_evenly_and_named_by_index():
    model = model_of(samples=[np.array([HALO, SHEAR])] * 11)
    assert model.chosen_samples(3) == [0, 5, 10]
    assert model.chosen_samples(50) == list(range(11))
    assert model.chosen_samples(0) == [] and no_lens().chosen_samples(5) == []
    with pytest.raises(InputError, match=r"realisation 11; expected 0 to 10"):
        model.magnification(150.0, 2.0, 2.0, sample=11)


def test_no_lens_moves_and_magnifies_nothing():
    model = no_lens((10.0, 0.0))
    mu, mu_t, mu_r = model.magnification(np.array([10.1, 9.9]), np.array([0.0, 0.1]), 2.0)
    assert (mu == 1).all() and (mu_t == 1).all() and (mu_r == 1).all()
    assert model.source_position(10.0 - 1 / 3600, 0.0, 2.0)[0] == pytest.approx(1.0)
