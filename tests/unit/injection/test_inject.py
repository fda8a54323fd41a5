"""Injection into a synthetic galaxy of two filters with different pixels."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table
from astropy.wcs import WCS
from clumpscope.errors import InputError
from clumpscope.images.cutouts import Cutout
from clumpscope.images.depth import Depth
from clumpscope.images.psf import normalise_psf
from clumpscope.injection.inject import MATCH_PX, clump_colours, clump_conditions, inject
from clumpscope.injection.recovery import environment_table
from clumpscope.injection.target import Target
from unit.photometry.clump_scenes import draw_clump, draw_psf

SIGMA = {"F150W": 0.1, "F277W": 0.08}
SCALE = {"F150W": 0.02, "F277W": 0.04}
PLACES = ((60.3, 70.8), (95.0, 61.2))


def make_target(name="G1", seed=1, host=0.0):
    rng = np.random.default_rng(seed)
    cutouts, psfs, depths = {}, {}, {}
    for band, scale in SCALE.items():
        n = round(3.0 / scale) + 1
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
        wcs.wcs.crpix, wcs.wcs.cdelt = [(n + 1) / 2, (n + 1) / 2], [-scale / 3600, scale / 3600]
        image = rng.normal(0, SIGMA[band], (n, n))
        rows, columns = np.indices((n, n)) - (n - 1) / 2
        image += host * np.exp(-np.hypot(rows, columns) * scale / 0.5) * (scale / 0.02) ** 2
        for x, y in PLACES:
            factor = 0.02 / scale
            centre = [(p - 75) * factor + (n - 1) / 2 for p in (x, y)]
            image += 40.0 * draw_clump((n, n), *centre, oversampling=3)
        cutouts[band] = Cutout(image, np.full(image.shape, SIGMA[band]), wcs, 200, 100, scale, band)
        psfs[band] = normalise_psf(draw_psf(61), scale, band)
        limit = 5 * SIGMA[band] / np.sqrt(np.sum(draw_psf() ** 2))
        white = np.zeros((17, 17))
        white[8, 8] = 1.0
        depths[band] = Depth(
            scale,
            0,
            0.0,
            0.0,
            0.0,
            1.0,
            limit,
            0.0,
            5.0,
            SIGMA[band],
            1.0,
            1.0,
            1.0,
            0.95,
            white,
            np.empty(0),
        )
    member = np.hypot(*(np.indices(cutouts["F150W"].data.shape) - 75)) < 50
    return Target(name, 150.0, 2.0, 1.1, "F150W", cutouts, psfs, depths, member)


@pytest.fixture(scope="module")
def target():
    return make_target()


@pytest.fixture(scope="module")
def clumps(target):
    found = target.detect()
    assert len(found) == 2
    return found


@pytest.fixture(scope="module")
def injected(target, clumps):
    return inject(target, clumps, 40, flux_range=(0.2, 40.0), seed=5)


def test_bright_clumps_are_found_with_their_fluxes_and_faint_ones_are_not(injected):
    bright = injected[injected["depth_ratio"] > 5]
    assert len(bright) > 10 and bright["detected"].all()
    assert not injected["detected"][injected["depth_ratio"] < 0.3].any()
    for band in SCALE:
        pull = (bright[f"flux_{band}_njy"] - bright[f"true_flux_{band}_njy"]) / bright[f"flux_{band}_err_njy"]
        assert abs(np.median(pull)) < 1.0 and np.percentile(np.abs(pull), 68) < 2.0
    sized = bright["true_sigma_px"] > 0
    np.testing.assert_allclose(
        np.median(bright["sigma_px"][sized] / bright["true_sigma_px"][sized]), 1.0, atol=0.1
    )
    # In the smallest box a clump as wide as sigma = 2 px is hardly told from its background.
    assert (bright["n_bands_snr3"][bright["true_sigma_px"] < 2] == 2).all()


def test_known_clumps_are_kept_away_from_and_never_taken_for_injected_ones(injected, clumps, target):
    for clump in clumps:
        distance = np.hypot(injected["x"] - clump["x"], injected["y"] - clump["y"])
        assert distance.min() >= 2 * MATCH_PX
    # Clumps of no flux are recovered only if something else is taken for them.
    nothing = inject(target, clumps, 40, flux_range=(1e-6, 1e-5), seed=6)
    assert not nothing["detected"].any()


def test_known_clumps_far_away_need_not_be_fitted_again(injected, target, clumps, monkeypatch):
    monkeypatch.setattr("clumpscope.injection.inject._FAR_FWHM", np.inf)
    every = inject(target, clumps, 40, flux_range=(0.2, 40.0), seed=5)
    np.testing.assert_array_equal(injected["detected"], every["detected"])
    found = injected["detected"]
    for band in SCALE:
        change = (injected[f"flux_{band}_njy"] - every[f"flux_{band}_njy"]) / every[f"flux_{band}_err_njy"]
        assert np.percentile(np.abs(change[found]), 90) < 0.05 and np.abs(change[found]).max() < 1.0
        assert np.abs(change[found]).max() > 0.0  # some were left out


def test_the_images_themselves_stay_as_they_are(target, clumps):
    before = {name: cutout.data.copy() for name, cutout in target.cutouts.items()}
    inject(target, clumps, 3, seed=1)
    for name, data in before.items():
        np.testing.assert_array_equal(target.cutouts[name].data, data)


def test_a_galaxys_numbers_do_not_depend_on_others(target, clumps):
    first = inject(target, clumps, 4, seed=9)
    other = make_target("G2", 2)
    inject(other, other.detect(), 4, seed=9)
    again = inject(target, clumps, 4, seed=9)
    assert all(
        np.array_equal(first[n], again[n], equal_nan=first[n].dtype.kind == "f") for n in first.colnames
    )
    assert not np.allclose(first["x"], inject(target, clumps, 4, seed=10)["x"])
    assert not np.allclose(first["x"], inject(replace(target, name="G3"), clumps, 4, seed=9)["x"])


def test_removed_clumps_are_kept_away_from_too(target, clumps):
    row = clumps[0]
    edits = Table({"galaxy": ["G1"], "action": ["remove"], "ra": [row["ra"]], "dec": [row["dec"]]})
    edited = replace(target, edits=edits)
    kept = edited.detect()
    assert len(kept) == 1
    table = inject(edited, kept, 12, seed=2)
    assert np.hypot(table["x"] - row["x"], table["y"] - row["y"]).min() >= 2 * MATCH_PX


def test_host_light_is_that_under_the_clumps():
    target = make_target(host=2.0)
    clumps = target.detect()[:2]  # the third is the galaxy's own centre
    host = target.host_light(target.measure(clumps)[1])["F150W"]
    rows, columns = np.indices(host.shape) - 75
    truth = 2.0 * np.exp(-np.hypot(rows, columns) * 0.02 / 0.5)
    near = np.hypot(rows, columns) < 45
    assert np.abs(host - truth)[near].mean() < 0.1
    photometry, _ = target.measure(clumps)
    conditions = clump_conditions(target, photometry)
    truth = [
        2.0 * np.exp(-np.hypot(x - 75, y - 75) * 0.02 / 0.5)
        for x, y in zip(clumps["x"] - 200, clumps["y"] - 100, strict=True)
    ]
    np.testing.assert_allclose(conditions["host_njy_arcsec2"], np.array(truth) / 0.02**2, rtol=0.25)
    np.testing.assert_allclose(conditions["flux_njy"], 40.0, rtol=0.1)
    np.testing.assert_allclose(
        conditions["depth_ratio"], conditions["flux_njy"] / target.depths["F150W"].flux_limit_njy
    )


def test_clumps_at_hard_places_are_told_apart():
    base = make_target(host=2.0)
    clumps = base.detect()[:2]
    mu = np.ones(base.reference.data.shape)
    mu[:, 110:] = -80.0
    target = replace(base, magnification=mu)
    table = inject(target, clumps, 30, flux_range=(8.0, 30.0), hard_share=1.0, seed=3)
    placed = np.asarray(table["placed"])
    assert [np.sum(placed == kind) for kind in ("light", "nucleus", "critical", "crowded")] == [
        30,
        10,
        10,
        10,
    ]
    x, y = table["x"] - 200, table["y"] - 100
    fwhm = target.fwhm_px
    # The disc's centre is its brightest place, known to the circle in which light is averaged.
    from_centre = np.hypot(x - 75, y - 75)
    assert (from_centre[placed == "nucleus"] < 2.5 * fwhm + 1).all()
    np.testing.assert_allclose(table["nucleus_arcsec"], from_centre * 0.02, atol=0.02 * fwhm)
    assert (x[placed == "critical"] > 109).all() and (table["mu"][placed == "critical"] == 80.0).all()
    to_clumps = np.min([np.hypot(x - a, y - b) for a, b in PLACES], axis=0)
    np.testing.assert_allclose(table["separation_arcsec"], to_clumps * 0.02, atol=0.02)
    crowded = placed == "crowded"
    assert (to_clumps[crowded] > MATCH_PX - 0.3).all() and (to_clumps[crowded] < 3 * fwhm + 1).all()
    assert set(table["environment"][placed == "critical"]) <= {"nucleus", "critical"}
    assert "open" not in set(table["environment"][crowded])
    # Light per pixel at the centre of the disc: 2 nJy in F150W, four times as much on the larger pixels of F277W.
    near = from_centre < 12
    truth = 2.0 * np.exp(-from_centre[near] * 0.02 / 0.5)
    np.testing.assert_allclose(table["host_snr_F150W"][near], truth / SIGMA["F150W"], rtol=0.3)
    np.testing.assert_allclose(table["host_snr_F277W"][near], 4 * truth / SIGMA["F277W"], rtol=0.3)
    # What lies at usual places does not depend on the others.
    usual = inject(target, clumps, 30, flux_range=(8.0, 30.0), seed=3)
    np.testing.assert_array_equal(usual["x"], table["x"][:30])
    rows = environment_table(table)
    for name in SIGMA:
        own = rows[rows["filter"] == name]
        assert own["n"][0] == own["n"][1:].sum() and {"all", "nucleus", "critical"} <= set(own["environment"])


def test_a_known_clump_is_not_taken_for_a_faint_one_beside_it(target, clumps):
    """Clumps too faint to be seen, put next to bright ones."""
    table = inject(target, clumps, 12, flux_range=(1e-6, 1e-5), hard_share=1.0, seed=4)
    assert (table["placed"] == "crowded").sum() == 12 and not table["detected"].any()


def test_colours_are_those_of_the_clumps_that_have_any():
    table = Table(
        {
            "snr": [20.0, 2.0],
            "flux_F150W_njy": [10.0, 1.0],
            "flux_F277W_njy": [-5.0, 9.0],
            "flux_F444W_njy": [30.0, np.nan],
        }
    )
    colours = clump_colours(table, "F150W", ["F150W", "F277W", "F444W"])
    np.testing.assert_allclose(colours, [[1.0, 0.0, 3.0]])
    np.testing.assert_allclose(clump_colours(table[1:], "F150W", ["F150W", "F277W"]), [[1.0, 1.0]])


def test_a_stacked_detection_image_sees_the_injected_clumps_of_all_its_filters(target, clumps):
    reference = target.cutouts["F150W"]
    noise = np.random.default_rng(8).normal(0, SIGMA["F150W"], reference.data.shape)
    second = replace(reference, data=noise, filter="F200W")
    both = {"F150W": reference, "F200W": second}
    psfs, depths = ({name: values["F150W"] for name in both} for values in (target.psfs, target.depths))
    deeper = replace(target, cutouts=both, psfs=psfs, depths=depths, detection={"stack": ["F200W"]})
    options = {"flux_range": (0.5, 0.8), "sigmas_px": [0.0], "seed": 3}
    alone = inject(replace(deeper, detection=None), clumps, 30, **options)
    stacked = inject(deeper, clumps, 30, **options)
    assert stacked["detected"].sum() > alone["detected"].sum() + 5


def test_a_filter_that_does_not_cover_the_galaxy_stays_empty(target, clumps):
    one = replace(target, cutouts={"F150W": target.cutouts["F150W"]})
    table = inject(one, clumps, 4, flux_range=(10.0, 20.0), seed=3)
    assert table["detected"].all() and np.isnan(table["flux_F277W_njy"]).all()


def test_a_galaxy_without_room_gets_no_clump(target, clumps):
    full = replace(target, member=np.zeros_like(target.member))
    table = inject(full, clumps, 5, seed=3)
    assert len(table) == 0 and table.colnames == inject(target, clumps, 1, seed=3).colnames


def test_bad_settings_are_refused(target, clumps):
    with pytest.raises(InputError, match="rising range"):
        inject(target, clumps, 2, flux_range=(3.0, 1.0))
    with pytest.raises(InputError, match="not negative"):
        inject(target, clumps, 2, sigmas_px=[-1.0])
