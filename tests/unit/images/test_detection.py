import logging

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.flags import has
from clumpscope.images.coadd import coadd_cutouts
from clumpscope.images.cutouts import Cutout, galaxy_pixels
from clumpscope.images.deblend import deblend
from clumpscope.images.detection import detect_clumps, write_segmentation
from clumpscope.images.pictures import draw_detection
from clumpscope.images.selection import galaxy_rows
from image_fields import DEC, RA, moffat, place, tan_wcs
from scipy import ndimage

SIZE, SIGMA, ALPHA, BETA = 161, 0.3, 2.6, 2.6
FWHM = 0.058
# (x, y, flux): well separated, but for the last two, 5 px apart.
CLUMPS = [
    (60.3, 70.8, 60.0),
    (100.6, 90.2, 40.0),
    (80.1, 110.4, 30.0),
    (95.0, 60.0, 60.0),
    (99.0, 57.0, 50.0),
]


def cutout(clumps=CLUMPS, diffuse=0.0, seed=5, shape=(SIZE, SIZE)):
    image = np.random.default_rng(seed).normal(0, SIGMA, shape)
    rows, columns = np.indices(shape)
    image += diffuse * np.exp(-np.hypot(rows - 80, (columns - 80) / 1.5) / 15)
    for x, y, flux in clumps:
        place(
            image,
            moffat((61, 61), 30 + x - int(x), 30 + y - int(y), ALPHA, BETA, flux),
            int(x) - 30,
            int(y) - 30,
        )
    return Cutout(image, np.full(shape, SIGMA), tan_wcs(shape, 0.02), 1000, 500, 0.02, "F150W")


def detect(image, **options):
    return detect_clumps(image, "g1", RA, DEC, options.pop("radius_arcsec", 1.3), FWHM, **options)


def matches(table, clumps, tolerance=1.0):
    return [
        int((np.hypot(table["x"] - 1000 - x, table["y"] - 500 - y) < tolerance).sum()) for x, y, _ in clumps
    ]


@pytest.mark.parametrize("diffuse", [0.0, 3.0])
@pytest.mark.parametrize("rho", [None, np.ones((1, 1))])
def test_clumps_are_found_once_each(diffuse, rho):
    detection = detect(cutout(diffuse=diffuse), rho=rho)
    assert matches(detection.table, CLUMPS) == [1] * len(CLUMPS)
    bright = detection.table[detection.table["snr"] > 6]
    # Beside the clumps only the cusp of the diffuse light may stand out.
    assert len(bright) <= len(CLUMPS) + (diffuse > 0)


def test_measures_of_an_isolated_clump():
    image = cutout([(60.3, 70.8, 80.0)])
    detection = detect(image, rho=np.ones((1, 1)))
    row = detection.table[0]
    assert (row["x"], row["y"]) == (pytest.approx(1060.3, abs=0.25), pytest.approx(570.8, abs=0.25))
    ra, dec = image.wcs.all_pix2world(row["x"] - 1000, row["y"] - 500, 0)
    np.testing.assert_allclose([row["ra"], row["dec"]], [ra, dec], atol=1e-9)
    # Signal-to-noise of the best linear measurement of a point source: flux sqrt(sum psf^2) / sigma.
    best = 80.0 * np.sqrt((moffat((61, 61), 30, 30, ALPHA, BETA) ** 2).sum()) / SIGMA
    assert row["snr"] == pytest.approx(best, rel=0.1)
    assert 0.5 * 80 < row["flux_iso_njy"] < 1.05 * 80
    assert str(detection.table["flux_iso_njy"].unit) == "nJy"
    label = detection.segmentation[round(row["y"] - 500), round(row["x"] - 1000)]
    assert label == 1
    # 19.8 px of 0.02 arcsec to the east, 9.2 to the south of the centre.
    east, south = (80 - (row["x"] - 1000)) * 2, (80 - (row["y"] - 500)) * 2
    assert row["id"] == f"g1_e{round(east):03d}s{round(south):03d}"


def test_noise_alone_is_quiet():
    counts = [len(detect(cutout([], seed=seed)).table) for seed in range(8)]
    assert np.mean(counts) < 2


def test_correlated_noise_does_not_flood():
    rng = np.random.default_rng(8)
    noise = ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), 1.0)
    rows, columns = np.indices((7, 7)) - 3
    rho = np.exp(-(rows**2 + columns**2) / 4.0)
    base = cutout([])
    image = Cutout(noise / noise.std() * SIGMA, base.error, base.wcs, 0, 0, 0.02, "F150W")
    white = len(detect(image, rho=np.ones((1, 1))).table)
    assert len(detect(image, rho=rho).table) <= 4 < white
    assert len(detect(image).table) <= 4


def test_membership_by_radius_and_by_footprint():
    assert matches(detect(cutout(), radius_arcsec=0.5).table, CLUMPS) == [1, 1, 0, 0, 0]
    footprint = np.zeros((SIZE, SIZE), dtype=bool)
    footprint[100:120, 70:90] = True
    detection = detect(cutout(), footprint=footprint)
    assert matches(detection.table, CLUMPS) == [0, 0, 1, 0, 0]
    assert set(np.unique(detection.segmentation)) == {0, 1}


def edits(image, *rows):
    world = [image.wcs.all_pix2world(x, y, 0) for _, x, y in rows]
    return Table(
        {
            "galaxy": ["g1"] * len(rows) + ["other"],
            "action": [row[0] for row in rows] + ["remove"],
            "ra": [float(w[0]) for w in world] + [RA],
            "dec": [float(w[1]) for w in world] + [DEC],
        }
    )


def test_edits_leave_other_clumps_alone(caplog):
    image = cutout()
    before = detect(image)
    corrections = edits(
        image, ("remove", 61.5, 70.0), ("add", 40.0, 40.5), ("remove", 20.0, 140.0), ("add", 100.0, 90.0)
    )
    with caplog.at_level(logging.WARNING):
        after = detect(image, edits=corrections)
    assert matches(after.table, CLUMPS) == [0, 1, 1, 1, 1]
    assert "no clump within" in caplog.text and "there is a clump within" in caplog.text
    old = {row["id"]: tuple(row) for row in before.table}
    kept = [row for row in after.table if not has(row["flags"], "manual")]
    assert len(kept) == len(old) - 1
    assert all(tuple(row) == old[row["id"]] for row in kept)
    (added,) = (row for row in after.table if has(row["flags"], "manual"))
    assert (added["x"], added["y"]) == (pytest.approx(1040.0, abs=1e-3), pytest.approx(540.5, abs=1e-3))
    for index, row in enumerate(after.table, start=1):
        pixel = after.segmentation[round(row["y"] - 500), round(row["x"] - 1000)]
        assert pixel == (0 if has(row["flags"], "manual") else index)


def test_a_clump_beside_another_can_be_added(caplog):
    """C25 fit clumps closer than 0.08 arcsec together: a person can see such pairs and add one of them."""
    image = cutout()
    with caplog.at_level(logging.WARNING):
        table = detect(image, edits=edits(image, ("add", 102.6, 90.2), ("add", 100.6, 91.2))).table
    assert has(table["flags"], "manual").sum() == 1
    assert matches(table, [(102.6, 90.2, 0.0)]) == [1]
    assert caplog.text.count("there is a clump within 0.029 arcsec") == 1


def test_unusable_edits():
    image = cutout()
    with pytest.raises(InputError, match=r"edit 1 of galaxy g1 .*inside 161 x 161"):
        detect(image, edits=edits(image, ("add", 400.0, 20.0)))
    with pytest.raises(InputError, match="'shift'"):
        detect(image, edits=edits(image, ("shift", 60.0, 70.0)))
    away = edits(image, ("move", 60.0, 70.0))
    away["ra_to"], away["dec_to"] = away["ra"], away["dec"] + 1.0
    with pytest.raises(InputError, match="inside 161 x 161"):
        detect(image, edits=away)


def test_a_moved_clump_keeps_its_pixels():
    image = cutout()
    before = detect(image)
    first = before.table[0]
    x, y = first["x"] - 1000, first["y"] - 500
    corrections = edits(image, ("move", x, y))
    ra, dec = image.wcs.all_pix2world(x + 3.0, y - 2.0, 0)
    corrections["ra_to"], corrections["dec_to"] = float(ra), float(dec)
    after = detect(image, edits=corrections)
    assert len(after.table) == len(before.table)
    (moved,) = (row for row in after.table if has(row["flags"], "manual"))
    assert (moved["x"] - first["x"], moved["y"] - first["y"]) == (
        pytest.approx(3.0, abs=1e-3),
        pytest.approx(-2.0, abs=1e-3),
    )
    assert moved["flux_iso_njy"] == first["flux_iso_njy"] and moved["snr"] < first["snr"]
    others = {tuple(row) for row in before.table if row["id"] != first["id"]}
    assert others == {tuple(row) for row in after.table if row["id"] != moved["id"]}


def test_cutouts_with_holes_or_nothing(caplog):
    image = cutout()
    image.data[:, :30] = np.nan
    image.error[90:95, 100:104] = np.nan
    table = detect(image).table
    assert matches(table, CLUMPS)[0] == 1
    assert np.isfinite(table["snr"]).all() and (table["x"] > 1029).all()
    empty = Cutout(
        np.full((21, 21), np.nan), np.full((21, 21), np.nan), tan_wcs((21, 21), 0.02), 0, 0, 0.02, "F150W"
    )
    with caplog.at_level(logging.WARNING):
        detection = detect(empty)
    assert len(detection.table) == 0 and "no good pixel" in caplog.text
    added = detect(empty, edits=edits(empty, ("add", 10.0, 10.0)))
    assert list(added.table["snr"]) == [0.0]


def test_products(tmp_path):
    image = cutout(diffuse=2.0)
    detection = detect(image)
    write_segmentation(tmp_path / "segmentation.fits", detection, image)
    stored = fits.getdata(tmp_path / "segmentation.fits")
    np.testing.assert_array_equal(stored, detection.segmentation)
    assert stored.max() == len(detection.table)
    draw_detection(tmp_path / "detection.png", detection, image)
    first = (tmp_path / "detection.png").read_bytes()
    assert first[:4] == b"\x89PNG"
    draw_detection(tmp_path / "detection.png", detect(image), image)
    assert (tmp_path / "detection.png").read_bytes() == first


def test_deblending_keeps_peaks_that_stand_out():
    rows, columns = np.indices((40, 60))

    def hill(x, height, width=4.0):
        return height * np.exp(-((columns - x) ** 2 + (rows - 20) ** 2) / (2 * width**2))

    pair = hill(20, 30) + hill(34, 20)
    islands = (pair > 3).astype(int)
    peaks = deblend(pair, islands)
    assert sorted(zip(peaks.x, peaks.y, strict=True)) == [(20, 20), (34, 20)]
    assert ((peaks.labels > 0) == (islands > 0)).all()
    valley = 20 + int(np.argmin(pair[20, 20:34]))
    line = peaks.labels[20]
    assert len(set(line[20:valley])) == 1 and len(set(line[valley + 1 : 35])) == 1 and line[20] != line[34]
    # Merged hills have one peak; a ripple lower than the noise is none; nor one of too little flux.
    assert deblend(hill(20, 30) + hill(25, 25), islands).x.size == 1
    ripple = pair + np.where((columns == valley) & (rows == 20), 1.5, 0.0)
    assert deblend(ripple, islands).x.size == 2
    assert deblend(ripple, islands, prominence=0.0, contrast=0.0).x.size == 3
    assert deblend(pair, islands, contrast=0.5).x.size == 1
    assert deblend(pair, np.zeros_like(islands)).x.size == 0


def test_stacked_detection_image_goes_deeper():
    faint = [(60.3, 70.8, 8.0), (100.6, 90.2, 8.0), (80.1, 110.4, 8.0), (40.2, 60.4, 8.0)]
    cutouts = {f"F{k}W": cutout(faint, seed=k) for k in range(6)}
    cutouts["F1W"].data[:, :10] = np.nan
    cutouts["F2W"].error[:] = 2 * SIGMA
    stacked = coadd_cutouts(cutouts, "F0W", [f"F{k}W" for k in (1, 2, 3, 4, 5, 9)])
    # Weights 1, 1, 1/4, 1, 1, 1.
    np.testing.assert_allclose(stacked.error[:, 20], SIGMA / np.sqrt(5.25))
    np.testing.assert_allclose(stacked.error[:, 5], SIGMA / np.sqrt(4.25))
    mean = sum(cutouts[f"F{k}W"].data * (0.25 if k == 2 else 1.0) for k in range(6)) / 5.25
    np.testing.assert_allclose(stacked.data[:, 20:], mean[:, 20:])
    white = np.ones((1, 1))
    alone = sum(matches(detect(cutouts["F0W"], rho=white).table, faint))
    assert sum(matches(detect(stacked, rho=white).table, faint)) == len(faint) > alone
    only = coadd_cutouts(cutouts, "F0W", [])
    np.testing.assert_allclose(only.data, cutouts["F0W"].data)
    cutouts["F444W"] = Cutout(
        np.zeros((81, 81)), np.ones((81, 81)), tan_wcs((81, 81), 0.04), 0, 0, 0.04, "F444W"
    )
    with pytest.raises(InputError, match="F444W, on other pixels"):
        coadd_cutouts(cutouts, "F0W", ["F444W"])


def test_saturated_core_is_one_clump_or_none():
    image = cutout()
    image.data[89:92, 99:102] = np.nan
    detection = detect(image, rho=np.ones((1, 1)))
    # What is left around the hole is no ring of clumps.
    assert matches(detection.table, [CLUMPS[1]], tolerance=4.0)[0] <= 2
    assert matches(detection.table, CLUMPS[2:]) == [1, 1, 1]
    assert np.isfinite(detection.table["snr"]).all()


def test_a_clump_in_two_galaxies_circles_is_measured_once():
    """Of the nearer galaxy, in units of its radius; beyond the overlap each keeps its own."""
    image = cutout()
    wide = Table({"id": ["a", "b", "far"], "system": ["a", "b", "far"], "filter_ref": ["F150W"] * 3})
    places = [image.wcs.all_pix2world(x, y, 0) for x, y in ((60.0, 72.0), (100.0, 75.0), (9000.0, 75.0))]
    wide["ra"], wide["dec"] = np.array(places, dtype=float).T
    for name in ("z", "z_lo", "z_hi"):
        wide[name] = 2.0
    wide["radius_arcsec"], wide["selected"] = [0.9, 1.2, 1.0], True
    rows = galaxy_rows(wide, None)
    assert [len(rows[name]["neighbours"]) for name in wide["id"]] == [1, 1, 0]
    found = {}
    for name in ("a", "b"):
        own = rows[name]
        pixels = galaxy_pixels(image, own)
        place = own["ra"], own["dec"], own["radius_arcsec"]
        found[name] = detect_clumps(image, name, *place, FWHM, footprint=pixels).table
        alone = detect_clumps(image, name, *place, FWHM).table
        assert sum(matches(alone, CLUMPS)) == len(CLUMPS)
    assert np.add(matches(found["a"], CLUMPS), matches(found["b"], CLUMPS)).tolist() == [1] * len(CLUMPS)
    assert matches(found["a"], CLUMPS)[0] == 1 and matches(found["b"], CLUMPS)[1] == 1
