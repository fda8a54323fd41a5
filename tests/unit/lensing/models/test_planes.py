"""Several lens planes: sheets of mass by hand, Jacobians by differences, planes that fall together."""

import numpy as np
import pytest
from clumpscope.cosmology import distance_ratio
from clumpscope.lensing.models.parametric import ParametricModel

HALO = [1.0, -2.0, 0.2, 0.7, 3.0, 60.0, 25.0]
GROUP = [-6.0, 5.0, 0.3, 2.0, 0.3, 8.0, 4.0]
FRONT = [4.0, 7.0, 0.1, 1.0, 0.2, 6.0, 3.0]
PLACES = np.random.default_rng(5).uniform(-22, 22, (2, 80))


def model_of(rows, redshifts, profiles=None, z_lens=0.4):
    profiles = np.full(len(rows), 81) if profiles is None else np.array(profiles)
    return ParametricModel(
        reference=(150.0, 2.0), z_lens=z_lens, profiles=profiles, rows=np.array(rows), redshifts=np.array(redshifts)
    )  # fmt: skip


def test_sheets_of_mass_in_two_planes():
    kappa = 0.3, 0.2
    sheets = [[0.0, 0.0, k, 0.0, 0.0, np.inf, 0.0] for k in kappa]
    model = model_of(sheets, [0.4, 1.05], [14, 14])
    one, between, two = distance_ratio(0.4, 3.0), distance_ratio(0.4, 1.05), distance_ratio(1.05, 3.0)
    factor = 1 - one * kappa[0] - two * kappa[1] * (1 - between * kappa[0])
    alpha = np.array(model.deflection(*PLACES, 3.0))
    np.testing.assert_allclose(PLACES - alpha, factor * PLACES, rtol=1e-12)
    total, *shear = model.convergence_shear(*PLACES, 3.0)
    np.testing.assert_allclose(total, 1 - factor, rtol=1e-12)
    np.testing.assert_allclose(shear, 0.0, atol=1e-12)
    # Sources between the planes, and in front of both.
    np.testing.assert_allclose(model.convergence_shear(*PLACES, 0.9)[0], distance_ratio(0.4, 0.9) * kappa[0])
    assert not np.any(model.deflection(*PLACES, 0.3))


@pytest.mark.parametrize("z_source", [0.8, 2.0, 6.0])
def test_magnification_is_the_inverse_jacobian_of_the_lens_map(z_source):
    model = model_of([HALO, GROUP, FRONT], [0.4, 1.05, 0.2])
    x, y = PLACES
    h = 1e-3
    sx = [model.source_position(*model.sky(x + d, y), z_source) for d in (-h, h)]
    sy = [model.source_position(*model.sky(x, y + d), z_source) for d in (-h, h)]
    along, up = (np.subtract(s[1], s[0]) / (2 * h) for s in (sx, sy))
    determinant = along[0] * up[1] - along[1] * up[0]
    mu, mu_t, mu_r = model.magnification(*model.sky(x, y), z_source)
    np.testing.assert_allclose(1 / mu, determinant, atol=2e-6)
    # The factors are the inverse singular values of the Jacobian.
    singular = np.linalg.svd(np.moveaxis(np.array([along, up]), 2, 0), compute_uv=False)
    found = np.sort(np.abs([1 / mu_t, 1 / mu_r]), axis=0)[::-1]
    np.testing.assert_allclose(found, singular.T, atol=2e-6)
    assert (mu < 0).any() and (mu > 0).any()


def test_planes_that_fall_together_are_one():
    one, two = model_of([HALO, GROUP], [0.4, 0.4]), model_of([HALO, GROUP], [0.4, 0.4 + 1e-9])
    for what in ("deflection", "convergence_shear"):
        np.testing.assert_allclose(
            getattr(two, what)(*PLACES, 2.0), getattr(one, what)(*PLACES, 2.0), rtol=1e-6, atol=1e-7
        )


def test_a_potential_behind_others_is_seen_where_it_is_said_to_be():
    # The deflector's centre and the light that is seen there leave the first plane together.
    alone = [[*HALO], [*GROUP[:2], 0.0, 0.0, 0.3, 8.0, 4.0]]
    model, first = model_of(alone, [0.4, 1.05]), model_of(alone[:1], [0.4])
    at = np.array(GROUP[0]), np.array(GROUP[1])
    np.testing.assert_allclose(model.deflection(*at, 3.0), first.deflection(*at, 3.0), atol=1e-9)
