import numpy as np
import pytest
from clumpscope.sed.models.igm import igm_transmission, lyman_edges


@pytest.mark.parametrize("z_absorber", [2.6, 3.0, 4.0, 4.6])
def test_lyman_alpha_forest_as_observed(z_absorber):
    # Between Lyman beta and alpha of a source at slightly higher redshift only Lyman alpha absorbs.
    # Becker et al. (2013, MNRAS 430, 2067), equation 5: tau = 0.751 [(1 + z) / 4.5]^2.90 - 0.132, good to some per cent.
    wave = np.array([1215.67 * (1.0 + z_absorber)])
    transmitted = igm_transmission(wave, z_absorber + 0.1)[0]
    observed = 0.751 * ((1.0 + z_absorber) / 4.5) ** 2.90 - 0.132
    assert -np.log(transmitted) == pytest.approx(observed, rel=0.12)


def test_only_below_lyman_alpha():
    for z in (0.5, 2.0, 6.0):
        above = np.linspace(1215.7 * (1 + z), 5e4, 100)
        assert (igm_transmission(above, z) == 1.0).all()
        at_line = igm_transmission(np.array([1215.67]) * (1 + z), z)
        assert at_line[0] < 1.0


def test_hand_computed_depths():
    # Inoue et al. (2014), equations 21 to 29 by hand. Source z = 1, just below its Lyman alpha:
    # 1.690e-2 * 2^1.2 + 1.617e-4 * 2^2 = 0.0394758.
    assert -np.log(igm_transmission(np.array([2431.3]), 1.0)[0]) == pytest.approx(0.0394758, rel=1e-3)
    # Source z = 3, observed 1823.6 (x = 2 for the Lyman limit): continuum of the forest
    # 2.55e-2 4^1.6 2^2.1 + 0.325 2^1.2 - 0.25 2^2.1 = 0.6967; of damped systems
    # 0.634 + 0.047 64 - 0.0178 4^3.3 2^-0.3 - 0.135 4 - 0.291 2^-0.3 = 1.4591; and every line of the series whose
    # x = 1823.6 / line lies between 1 and 4 (all of them), summed from Table 2 with x^1.2 and x^2.
    continuum = 0.6967 + 1.4591
    depth = -np.log(igm_transmission(np.array([1823.6]), 3.0)[0])
    alpha_to_gamma = sum(
        laf * (1823.6 / line) ** 1.2 + dla * (1823.6 / line) ** 2
        for line, laf, dla in (
            (1215.67, 1.690e-2, 1.617e-4),
            (1025.72, 4.692e-3, 1.545e-4),
            (972.537, 2.239e-3, 1.498e-4),
        )
    )
    rest_of_series = depth - continuum - alpha_to_gamma
    assert 0.0 < rest_of_series < 0.05


def test_opaque_and_transparent_limits():
    assert igm_transmission(np.array([900.0 * 8.0]), 7.0)[0] < 1e-4
    assert igm_transmission(np.array([3000.0]), 0.0)[0] == 1.0


def test_edges_are_where_it_jumps():
    z = 4.0
    edges = lyman_edges(z)
    assert edges.max() == pytest.approx(1215.67 * 5)
    both = igm_transmission(np.array([edges[0] * (1 - 1e-9), edges[0] * (1 + 1e-9)]), z)
    assert both[0] < 0.5 and both[1] == 1.0
