import numpy as np
import pytest
from clumpscope.sed.models.attenuation import R_V, calzetti


@pytest.mark.parametrize(
    ("wave", "k"),
    # k of the Calzetti et al. (2000) curve as the literature uses it: Balmer lines (Dominguez et al. 2013), 1600 Angstrom
    # (A = 9.97 E(B-V)), and R_V at V.
    [(6562.8, 3.33), (4861.3, 4.60), (1600.0, 9.97), (5500.0, 4.05), (22000.0, 0.37)],
)
def test_published_values(wave, k):
    assert calzetti(wave) * R_V == pytest.approx(k, rel=0.01)


def test_smooth_and_positive_everywhere():
    wave = np.geomspace(500.0, 60000.0, 20000)
    curve = calzetti(wave)
    assert (curve >= 0.0).all() and curve[-1] == 0.0
    # It falls steadily, but for the published polynomials' own step of 0.025 in k where they meet at 6300 Angstrom.
    rises = np.diff(curve) > 0.0
    assert rises.sum() == 1 and wave[:-1][rises] == pytest.approx(6300.0, rel=1e-3)
    assert np.abs(np.diff(curve)).max() < 0.007
