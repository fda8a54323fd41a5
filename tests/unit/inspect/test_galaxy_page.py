import base64
import gzip
import json

import numpy as np
import pytest
from astropy.io import fits
from clumpscope.images.cutouts import Cutout, write_cutouts
from clumpscope.images.detection import detect_clumps, write_segmentation
from clumpscope.inspect.galaxy import GalaxyProducts, colour_filters, colour_scales, lupton, write_galaxy
from clumpscope.tables import write_table
from unit.inspect.inspected_field import (
    CENTRES,
    CLUMPS,
    FILTERS,
    NOISE,
    PIVOTS,
    cutouts_of,
    make_pages,
    place,
    wcs_of,
)


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    folder = tmp_path_factory.mktemp("field")
    make_pages(folder, None)
    return folder


def values(path):
    """Name -> value of a script's variables."""
    found = {}
    for line in path.read_text().splitlines():
        name, text = line.split(").", 1)[1].split(" = ", 1)
        found[name] = json.loads(text.removesuffix(";"))
    return found


def plane(data, filter, kind):
    where, (nx, ny) = filter[kind], filter["size"]
    content = np.frombuffer(gzip.decompress(base64.b64decode(data["pixels"])), np.uint8)
    part = content[where["start"] : where["start"] + nx * ny].reshape(ny, nx).astype(float)
    return np.where(part == 0, np.nan, where["noise"] * np.sinh((part - where["zero"]) / where["scale"]))


def test_a_page_has_the_images_of_all_filters(field):
    data = values(field / "inspect" / "data" / "1.js")
    cutouts, models = cutouts_of("1")
    assert [filter["name"] for filter in data["galaxy"]["filters"]] == list(FILTERS)
    for filter in data["galaxy"]["filters"]:
        truth, model = cutouts[filter["name"]].data, models[filter["name"]]
        shown, rest = plane(data, filter, "model"), plane(data, filter, "rest")
        assert (np.isnan(rest) == np.isnan(truth)).all()
        assert np.nanmax(np.abs(shown - model) / np.hypot(model, NOISE)) < 0.03
        assert np.nanmax(np.abs(shown + rest - truth) / np.hypot(truth, NOISE)) < 0.06


def test_places_are_those_of_the_wcs(field):
    galaxy = values(field / "inspect" / "data" / "1.js")["galaxy"]
    cutouts, _ = cutouts_of("1")
    reference = cutouts["F150W"].wcs
    for filter in galaxy["filters"]:
        a, b, c, d, e, f = filter["affine"]
        for x, y in ((0.0, 0.0), (100.0, 20.0), (50.0, 150.0)):
            expected = cutouts[filter["name"]].wcs.all_world2pix(*reference.all_pix2world(x, y, 0), 0)
            assert np.allclose((a * x + c * y + e, b * x + d * y + f), expected, atol=0.01)
    # The plane that touches the sky: to a milliarcsecond.
    sky = galaxy["sky"]
    x, y = 140.0, 3.0
    east, north = np.array(sky["matrix"]) @ [x - sky["x"], y - sky["y"]]
    ra, dec = reference.all_pix2world(x, y, 0)
    assert east == pytest.approx((ra - sky["ra"]) * 3600 * np.cos(np.deg2rad(dec)), abs=1e-3)
    assert north == pytest.approx((dec - sky["dec"]) * 3600, abs=1e-3)
    for clump in galaxy["clumps"]:
        assert np.allclose(
            reference.all_world2pix(clump["ra"], clump["dec"], 0), (clump["x"], clump["y"]), atol=1e-3
        )
    found = {(round(c["x"]), round(c["y"])) for c in galaxy["clumps"]}
    truth = [reference.all_world2pix(*place(CENTRES["1"], east, north), 0) for east, north, _ in CLUMPS["1"]]
    assert all(min(np.hypot(x - u, y - v) for u, v in found) < 1.5 for x, y in truth)


def test_lines_lie_where_they_are(field):
    galaxy = values(field / "inspect" / "data" / "1.js")["galaxy"]
    (line,) = galaxy["critical"]
    assert np.allclose(line[::2], 120.0, atol=0.1)
    labels = fits.getdata(field / "galaxies" / "1" / "segmentation.fits")
    assert len(galaxy["outlines"]) >= labels.max()
    for outline in galaxy["outlines"]:
        x, y = np.mean(outline[::2]), np.mean(outline[1::2])
        assert labels[round(y), round(x)] > 0


def test_a_galaxy_that_is_not_measured_has_a_page(field):
    data = values(field / "inspect" / "data" / "faint.js")
    assert not data["galaxy"]["measured"] and "critical" not in data["galaxy"]
    image = plane(data, data["galaxy"]["filters"][1], "data")
    assert np.nanmax(np.abs(image - cutouts_of("faint")[0]["F150W"].data) / np.hypot(image, NOISE)) < 0.03
    index = values(field / "inspect" / "data" / "index.js")["index"]
    assert {g["id"]: g["status"] for g in index["galaxies"]} == {
        "1": "measured",
        "g-2": "measured",
        "faint": "too few clumps",
    }
    assert {g["id"]: g["n"] for g in index["galaxies"]} == {"1": 3, "g-2": 2, "faint": 1}


def test_catalogue_and_cards(field):
    catalogue = values(field / "inspect" / "data" / "catalogue.js")["catalogue"]
    assert len(catalogue["columns"]["id"]) == 5 and catalogue["columns"]["F115W - F150W"] == [0.0] * 5
    cards = values(field / "inspect" / "cards" / "g-2.js")["cards"]
    assert set(cards["clumps"]) == {name for name in catalogue["columns"]["id"] if name.startswith("g-2")}
    card = next(iter(cards["clumps"].values()))
    assert cards["bands"] == list(FILTERS) and card["flux"] == [10.0] * 3
    assert card["values"][[column["name"] for column in cards["columns"]].index("mu")] == 3.0


def test_large_galaxies_stay_below_three_megabytes(tmp_path):
    rng = np.random.default_rng(1)
    cutouts = {}
    for name in ("F115W", "F150W", "F277W"):
        wcs, _ = wcs_of(CENTRES["1"], 0.02)
        image = rng.normal(size=(900, 900))
        cutouts[name] = Cutout(image, np.ones_like(image), wcs, 0, 0, 0.02, name)
    write_cutouts(tmp_path / "cutouts.fits", cutouts, "1", 1.0, "F150W")
    detection = detect_clumps(cutouts["F150W"], "1", *CENTRES["1"], 1.0, 0.05, threshold=50.0)
    write_segmentation(tmp_path / "segmentation.fits", detection, cutouts["F150W"])
    write_table(detection.table, tmp_path / "clumps.ecsv")
    row = {
        "id": "1",
        "system": "1",
        "ra": 40.0,
        "dec": -20.0,
        "z": 1.0,
        "z_lo": 1.0,
        "z_hi": 1.0,
        "radius_arcsec": 1.0,
        "edits": [],
    }
    products = GalaxyProducts(
        tmp_path / "cutouts.fits", tmp_path / "clumps.ecsv", tmp_path / "segmentation.fits"
    )
    write_galaxy(tmp_path / "1.html", tmp_path / "1.js", tmp_path / "1.jpg", "f", row, products, PIVOTS)
    assert (tmp_path / "1.js").stat().st_size < 3e6
    filters = values(tmp_path / "1.js")["galaxy"]["filters"]
    # The reference filter keeps its pixels longest.
    assert [filter["binned"] for filter in filters] == [3, 1, 3]
    assert filters[0]["affine"] == pytest.approx([1 / 3, 0, 0, 1 / 3, -1 / 3, -1 / 3])


def test_colours():
    assert colour_filters(["F070W", "F115W", "F140M", "F150W", "F277W", "F444W", "F480M"]) == [
        "F444W",
        "F150W",
        "F070W",
    ]
    assert colour_filters(["F140M"]) == ["F140M"] * 3
    cutouts, _ = cutouts_of("1")
    own = [cutouts[name] for name in ("F277W", "F150W", "F115W")]
    scales = dict(colour_scales(own, cutouts["F150W"]))
    assert scales["F150W"] == pytest.approx(1.0 / NOISE) and scales["F115W"] == pytest.approx(1.0, rel=0.05)
    ramp = np.array([[0.0, 1.0, 10.0, 100.0, 1e4]])
    grey = lupton(ramp, ramp, ramp)
    assert (np.diff(grey[0, :, 0].astype(int)) >= 0).all() and grey[0, 3, 0] == 255
    # Bright light keeps its hue: red over blue is 4 however bright.
    bright = lupton(4 * ramp, 2 * ramp, ramp)[0, 2:].astype(float)
    assert np.allclose(bright[:, 0] / bright[:, 2], 4.0, rtol=0.06)
    assert (
        lupton(np.full((2, 2), np.nan), ramp[:, :2] * np.ones((2, 1)), ramp[:, :2] * np.ones((2, 1)))[..., 0]
        == 0
    ).all()
