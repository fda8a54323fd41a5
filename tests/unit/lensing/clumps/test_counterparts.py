"""The same clump in several images: found again among others, whatever the model leaves between the images."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.flags import bit
from clumpscope.lensing.clumps.counterparts import chances, counterparts, match_clumps
from unit.lensing.lens_scenes import cluster, einstein

KNOTS = np.array([[0.0, 0.0], [0.21, 0.05], [-0.1, 0.17], [0.05, -0.24], [0.33, 0.3]])


def test_images_of_the_same_knots_are_laid_upon_one_another():
    rng = np.random.default_rng(3)
    seen = [[0, 1, 2, 3], [4, 2, 0, 1, 3], [3, 1]]  # in no order; the fifth knot is seen once
    shifts = np.array([[0.0, 0.0], [0.21, -0.12], [-0.2, 0.1]])  # as much as the knots are apart
    images = [
        KNOTS[own] + shift + rng.normal(0, 0.008, (len(own), 2))
        for own, shift in zip(seen, shifts, strict=True)
    ]
    found = {frozenset((image, seen[image][row]) for image, row in group) for group in match_clumps(images)}
    expected = {frozenset((image, knot) for image in range(3) if knot in seen[image]) for knot in range(4)}
    assert found == expected


def test_other_galaxies_are_not_matched():
    assert match_clumps([KNOTS[:3], KNOTS[:3] + 5.0]) == []
    assert match_clumps([KNOTS[:1], KNOTS[:1] + 0.3]) == [[(0, 0), (1, 0)]]
    assert match_clumps([KNOTS[:0], KNOTS[:0]]) == []


def test_chance_tells_which_counterparts_are_known():
    """Galaxies of nine knots, the fainter image showing some of them and knots of its own; and pairs of other galaxies."""
    rng = np.random.default_rng(5)
    right, claimed, by_chance = 0, 0, []
    for _ in range(60):
        knots, others = rng.normal(0.0, 0.25, (9, 2)), rng.normal(0.0, 0.25, (5, 2))
        shown = rng.permutation(9)[: rng.integers(1, 6)]
        images = [
            knots + rng.normal(0, 0.01, knots.shape),
            knots[shown] + rng.normal(0, 0.01, (len(shown), 2)),
        ]
        images[1] += rng.uniform(-0.2, 0.2, 2)
        one, other = chances(images)
        assert one == other and 1 / 24 <= other <= 1.0
        if other <= 0.1:
            pairs = [(group[0][1], shown[group[1][1]]) for group in match_clumps(images)]
            claimed, right = claimed + len(pairs), right + sum(first == second for first, second in pairs)
            assert len(shown) >= 3
        by_chance.append(chances([knots, others])[1] <= 0.1)
    assert claimed > 60 and right > 0.97 * claimed
    # One of 24 copies is the image itself; of the others as many as chance has it.
    assert np.mean(by_chance) < 0.2
    assert (chances([KNOTS[:1], KNOTS[:1] + 0.3]) == 1.0).all()
    assert (chances([KNOTS[:2], KNOTS[:2] + 9.0]) == 1.0).all()


def catalogue(v_disp=600.0):
    """Two images of three knots behind a sphere, with the fluxes and masses that it makes of them."""
    radius = einstein(v_disp)
    rows = []
    for knot, (offset, flux) in enumerate([(1.0, 3.0), (1.2, 5.0), (1.45, 2.0)]):
        for galaxy, sign in (("A", 1.0), ("B", -1.0)):
            ra, dec = cluster().sky(offset + sign * radius, 0.0)
            mu = radius / offset + sign  # of the image on this side, absolute
            rows.append((f"{galaxy}{knot}", galaxy, "S", float(ra), float(dec), 2.0, 0, "F150W", flux * mu, 0.1 * mu,
                         7.0, 7.1, 7.2))  # fmt: skip
    names = ("id", "galaxy", "system", "ra", "dec", "z", "flags", "filter_ref", "flux_F150W_njy", "flux_F150W_err_njy",
             "log_mass_p16", "log_mass_p50", "log_mass_p84")  # fmt: skip
    return Table(rows=rows, names=names)


@pytest.mark.parametrize("v_disp", [600.0, 604.0])
def test_counterparts_have_one_intrinsic_flux_in_the_true_lens(v_disp):
    table = counterparts(cluster(v_disp, samples=[590.0, 610.0]), catalogue())
    assert len(table) == 6 and len(set(table["system"])) == 3
    # Knots on one line: mirrored they are the same.
    assert (table["chance"] > 0).all()
    for group in set(table["system"]):
        own = table[table["system"] == group]
        assert {name[1:] for name in own["id"]} == {own["id"][0][1:]} and set(own["galaxy"]) == {"A", "B"}
        ratio = own["intrinsic_flux_njy"][0] / own["intrinsic_flux_njy"][1]
        assert abs(ratio - 1.0) < (3e-3 if v_disp == 600.0 else 0.3)
        assert v_disp == 600.0 or abs(ratio - 1.0) > 1e-2  # a wrong lens shows
    if v_disp == 600.0:
        fluxes = {name: flux for name, flux in zip(table["id"], table["intrinsic_flux_njy"], strict=True)}
        np.testing.assert_allclose([fluxes[f"A{k}"] for k in range(3)], [3.0, 5.0, 2.0], rtol=3e-3)
        np.testing.assert_allclose(table["intrinsic_flux_njy_err_fit"], 0.1, rtol=3e-3)


def test_unusable_clumps_and_single_images_are_left_out():
    clumps = catalogue()
    clumps["flags"][0] = bit("near_critical")
    table = counterparts(cluster(600.0), clumps)
    assert sorted(table["id"]) == ["A1", "A2", "B1", "B2"]
    clumps["system"] = clumps["galaxy"]
    assert len(counterparts(cluster(600.0), clumps)) == 0
    assert len(counterparts(cluster(600.0), clumps[:0])) == 0
