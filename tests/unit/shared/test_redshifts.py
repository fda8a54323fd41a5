"""Photometric redshifts as quantiles, against the distribution they stand for."""

import numpy as np
import pytest
from clumpscope.redshifts import redshift_quantiles


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_symmetric_redshifts_have_the_mean_and_scatter_of_their_distribution(n):
    z = redshift_quantiles(2.0, 1.9, 2.1, n)
    assert len(z) == n and np.all(np.diff(z) > 0)
    assert np.mean(z) == pytest.approx(2.0)
    assert np.std(z) == pytest.approx(0.1 / 0.994458, rel=1e-6)


def test_each_side_has_its_own_error():
    # Against draws of the split normal: five values know the mean and scatter of a skewed distribution to a tenth.
    normal = np.random.default_rng(0).standard_normal(200_000) / 0.994458
    draws = 2.0 + np.where(normal < 0, 0.1, 0.4) * normal
    z = redshift_quantiles(2.0, 1.9, 2.4, 5)
    assert z[2] == 2.0
    assert np.mean(z) == pytest.approx(draws.mean(), abs=0.1 * draws.std())
    assert np.std(z) == pytest.approx(draws.std(), rel=0.1)


def test_certain_redshifts_stay_alone():
    assert redshift_quantiles(2.0, 1.9, 2.1, 1) == [2.0]
    assert redshift_quantiles(2.0, 2.0, 2.0, 5) == [2.0]
    assert redshift_quantiles(2.0, np.nan, np.nan, 5) == [2.0]


def test_an_error_as_large_as_the_redshift_does_not_reach_zero():
    assert min(redshift_quantiles(1.0, 0.1, 1.9, 9)) == 0.5
