"""A small mock field: reproducible, valid for the workflow, and true to its own truth."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from clumpscope import filters, mock
from clumpscope.errors import InputError
from clumpscope.field_checks import check_field
from clumpscope.filters import Filter, filter_names, get_filter
from clumpscope.images.depth import measure_depth
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.psf_built import build_psf
from clumpscope.inputs import read_edits, read_galaxies
from clumpscope.mock.images import Mosaics, mosaic_groups
from clumpscope.mock.scene import design_scene, nircam_filters
from clumpscope.mock.settings import Settings
from clumpscope.mock.spectra import HST_FILTERS, Population, reddening_mag

SMALL = {
    "size_arcsec": 16.0,
    "filters": ["F150W", "F140M", "F277W"],
    "n_galaxies": 2,
    "n_clumps": 6,
    "n_stars": 3,
}
SETTINGS = Settings.read({key: value for key, value in SMALL.items() if key != "filters"})


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mock")
    mock.make_field(folder, seed=3, **SMALL)
    return folder


@pytest.fixture(scope="module")
def scene():
    return design_scene(3, SMALL["filters"], SETTINGS)


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def images(folder):
    entries = {}
    for name in SMALL["filters"]:
        maps = ["sci", mock.error_kind(name)] + ["exp"] * (mock.error_kind(name) == "wht")
        entries[name] = {kind: f"{folder}/images/{name}_{kind}.fits" for kind in maps}
    return entries


def test_same_seed_same_bytes_other_seed_other_field(field, tmp_path):
    mock.make_field(tmp_path / "again", seed=3, n_processes=2, **SMALL)
    assert digests(tmp_path / "again") == digests(field)
    mock.make_field(tmp_path / "other", seed=4, **SMALL)
    other = digests(tmp_path / "other")
    # All are exposed alike.
    assert all(other[name] != digest for name, digest in digests(field).items() if "_exp" not in name)


def test_files_are_those_promised(field):
    promised = {"lens/best.par", "lens/bayes.dat", "galaxies.ecsv", "stars.ecsv", "edits.ecsv", "mock.png"}
    promised |= {f"truth/{name}.ecsv" for name in ("clumps", "galaxies", "psf", "stars")} | {
        "truth/population.yaml"
    }
    promised |= {
        str(path).removeprefix(f"{field}/") for entry in images(field).values() for path in entry.values()
    }
    assert set(digests(field)) == promised


def test_the_workflow_accepts_the_field(field):
    check_field(
        "mock",
        {
            "images": images(field),
            "galaxies": str(field / "galaxies.ecsv"),
            "stars": str(field / "stars.ecsv"),
            "edits": str(field / "edits.ecsv"),
            "lens": {
                "kind": "lenstool",
                "model": str(field / "lens/best.par"),
                "samples": str(field / "lens/bayes.dat"),
            },
        },
    )
    galaxies = read_galaxies(str(field / "galaxies.ecsv"))
    assert len(read_edits(str(field / "edits.ecsv"), galaxies)) == 1
    assert {f"f_{name}" for name in HST_FILTERS} <= set(galaxies.colnames)


def test_a_filter_without_a_depth_is_not_drawn(monkeypatch):
    added = Filter("F322W2", "jwst_f322w2", "broad", "lw", *[float("nan")] * 3)
    table = {**{name: get_filter(name) for name in filter_names()}, added.name: added}
    monkeypatch.setattr(filters, "_table", lambda: table)
    assert len(nircam_filters()) == 20 and added.name not in nircam_filters()
    with pytest.raises(InputError, match="F322W2"):
        mock.make_field("unused", filters=["F322W2"])


def test_a_filter_of_another_camera_is_refused(tmp_path):
    with pytest.raises(InputError, match="F606W"):
        mock.make_field(tmp_path, filters=["F606W"])


def test_pixels_have_units_and_both_scales(field):
    for name, scale, factor in (("F150W", 0.02, 10.0), ("F277W", 0.04, 1.0)):
        mosaic = open_mosaic(**images(field)[name], name=name)
        assert mosaic.pixel_scale_arcsec == pytest.approx(scale)
        assert mosaic.njy_per_unit == factor
    # The grids share their centre: a 0.04 arcsec pixel holds four of 0.02.
    wcs = [WCS(fits.getheader(images(field)[name]["sci"])) for name in ("F150W", "F277W")]
    sky = wcs[0].pixel_to_world_values(100.5, 200.5)
    assert np.allclose(wcs[1].world_to_pixel_values(*sky), (50.0, 100.0), atol=1e-6)


def test_image_flux_of_a_clump_is_mu_times_its_source_flux(scene):
    name = "F150W"
    mosaic = Mosaics(scene, mosaic_groups(scene)[0])
    mosaic.draw()
    dimmed = 10 ** (-0.4 * reddening_mag(name))
    for gone in (0, 3):
        # What is missing from the image without the clump is the clump's light, alone.
        without = Mosaics(scene_without(scene, gone), mosaic.filters)
        without.draw()
        flux = (mosaic.noiseless[name].astype(float) - without.noiseless[name]).sum()
        clump = scene.clumps[gone]
        mu = [
            abs(scene.lens.magnification(np.array(x), np.array(y), clump.galaxy.z)[0])
            for _, x, y, _ in clump.images
        ]
        assert flux == pytest.approx(sum(mu) * scene.clump_light[gone].flux_njy[name] * dimmed, rel=0.01)


def scene_without(scene, gone):
    kept = [k for k in range(len(scene.clumps)) if k != gone]
    return replace(
        scene,
        clumps=[scene.clumps[k] for k in kept],
        clump_light=tuple(scene.clump_light[k] for k in kept),
    )


def test_truth_positions_are_on_the_light(field, scene):
    truth = Table.read(field / "truth/clumps.ecsv")
    bright = truth[np.argmax(truth["snr_ref"])]
    data = fits.getdata(images(field)["F150W"]["sci"])
    row, column = round(bright["y"]), round(bright["x"])
    part = data[row - 3 : row + 4, column - 3 : column + 4]
    peak = np.unravel_index(part.argmax(), part.shape)
    assert np.hypot(peak[0] - 3, peak[1] - 3) <= 1.5
    wcs = WCS(fits.getheader(images(field)["F150W"]["sci"]))
    assert np.allclose(
        wcs.world_to_pixel_values(truth["ra"], truth["dec"]), (truth["x"], truth["y"]), atol=1e-6
    )


def test_truth_shapes_are_the_moments_of_the_light(field, scene):
    truth = Table.read(field / "truth/clumps.ecsv")
    checked = 0
    for number, clump in enumerate(scene.clumps):
        if clump.profile != "gaussian":
            continue
        for image, _, _, pattern in clump.images:
            offsets = pattern.positions - np.array(pattern.centroid)[:, None]
            moments, axes = np.linalg.eigh((pattern.weight * offsets) @ offsets.T / pattern.weight.sum())
            # A galaxy's image can show a clump twice.
            own = truth[[name.startswith(f"{image.id}_{number:03d}") for name in truth["id"]]]
            row = own[np.argmin(np.abs(own["mu"] - pattern.magnification))]
            assert row["sigma_x_px"] == pytest.approx(np.sqrt(moments[1]) / 0.02, rel=0.02)
            assert row["sigma_y_px"] == pytest.approx(np.sqrt(moments[0]) / 0.02, rel=0.02)
            angle = np.rad2deg(np.arctan2(axes[1, 1], axes[0, 1]))
            assert abs((row["theta_deg"] - angle + 90) % 180 - 90) < 2
            checked += 1
    assert checked >= 2


def test_depth_and_psf_as_the_workflow_measures_them(field):
    mosaic = open_mosaic(**images(field)["F140M"], name="F140M")
    stars = Table.read(field / "stars.ecsv")
    psf = build_psf(mosaic, stars)
    known = Table.read(field / "truth/psf.ecsv")
    row = known[known["filter"] == "F140M"][0]
    assert psf.fwhm_arcsec == pytest.approx(0.060, rel=0.05)
    assert 1 / psf.aperture_correction == pytest.approx(row["share_0p4"], abs=0.01)
    depth = measure_depth(mosaic, psf)
    # Small fields have little sky without a galaxy's wings.
    assert depth.mag_limit_ab == pytest.approx(28.8, abs=0.2)
    assert depth.error_scale == pytest.approx(1.0, abs=0.05)


def test_mass_weighted_age_and_recent_mass_of_a_population():
    population = Population(7.5, 7.2, 0.0, 0.0, -2.0)
    age, tau = 10**7.5, 10**7.2
    t = (np.arange(200000) + 0.5) / 200000 * age
    rate = np.exp(-t / tau)
    assert 10**population.log_age_mw_yr == pytest.approx(((age - t) * rate).sum() / rate.sum(), rel=1e-6)
    assert population.fraction_formed_since(1e7) == pytest.approx(
        rate[t > age - 1e7].sum() / rate.sum(), rel=1e-4
    )
    assert 0.5 < population.fraction_left() < 1.0


def test_reddening_of_hst_bands_continues_that_of_nircam():
    assert reddening_mag("F814W") == pytest.approx(0.02, abs=0.005)
    assert reddening_mag("F150W") == 0.007
    assert reddening_mag("F435W") > reddening_mag("F606W") > reddening_mag("F814W") > reddening_mag("F125W")
