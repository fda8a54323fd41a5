"""All clumps of a galaxy in several filters on different grids, and the products that a person looks at."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from clump_scenes import PSF_PARTS, draw_clump
from clumpscope.flags import has
from clumpscope.images.cutouts import Cutout
from clumpscope.images.psf import PSF
from clumpscope.photometry.galaxy import draw_clumps, measure_galaxy, transform_shapes
from clumpscope.photometry.model import shape_of
from clumpscope.photometry.residuals import draw_residuals, read_fitted, write_residuals

RA, DEC = 110.8, -73.45
# Clumps: offset east and north [arcsec], sigma along and across [arcsec], angle of the long axis from west to north,
# flux [nJy].
CLUMPS = np.array([[0.10, 0.05, 0.030, 0.018, 25.0, 60.0], [-0.35, 0.22, 0.0, 0.0, 0.0, 40.0]])
# Filter: pixel scale [arcsec], rotation of the grid [deg], side, flux ratio.
GRIDS = {"F150W": (0.02, 0.0, 101, 1.0), "F200W": (0.02, 30.0, 101, 1.4), "F444W": (0.04, 0.0, 61, 0.5)}


def make_wcs(scale, rotation, side):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [RA, DEC]
    wcs.wcs.crpix = [side // 2 + 1, side // 2 + 1]
    angle = np.deg2rad(rotation)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = turn @ np.diag([-scale, scale]) / 3600.0
    return wcs


def make_cutouts(noise=0.02):
    """Drawn pixel by pixel from offsets on the sky; the PSF has the same width in pixels in every filter."""
    rng = np.random.default_rng(1)
    cutouts = {}
    for name, (scale, rotation, side, ratio) in GRIDS.items():
        wcs = make_wcs(scale, rotation, side)
        image = np.full((side, side), 0.3)
        for east, north, along, across, angle, flux in CLUMPS:
            ra, dec = RA + east / 3600 / np.cos(np.deg2rad(DEC)), DEC + north / 3600
            x, y = wcs.world_to_pixel_values(ra, dec)
            # On an unrotated grid +x is west and +y is north; a grid turned by `rotation` sees the sky turned back.
            theta = angle + (rotation if name == "F200W" else 0.0)
            image += ratio * flux * draw_clump((side, side), x, y, along / scale, across / scale, theta)
        error = np.full(image.shape, noise)
        cutouts[name] = Cutout(image + rng.normal(0, noise, image.shape), error, wcs, 1000, 2000, scale, name)
    return cutouts


@pytest.fixture
def galaxy():
    kernel = draw_clump((41, 41), 20, 20, parts=PSF_PARTS, oversampling=11)
    ra = RA + (CLUMPS[:, 0] + [0.004, -0.003]) / 3600 / np.cos(np.deg2rad(DEC))
    dec = DEC + CLUMPS[:, 1] / 3600
    clumps = Table(
        {"id": ["g_e010n005", "g_w035n022"], "galaxy": ["g", "g"], "ra": ra, "dec": dec, "flags": [1, 0]}
    )
    psfs = {name: PSF(kernel, grid[0], 3.0 * grid[0], 1.0) for name, grid in GRIDS.items()}
    return SimpleNamespace(cutouts=make_cutouts(), psfs=psfs, clumps=clumps)


def test_shapes_turn_and_scale_with_the_grid():
    shapes = Table({"sigma_x_px": [2.0], "sigma_y_px": [1.0], "theta_deg": [10.0]})
    old, new = make_wcs(0.02, 0.0, 101), make_wcs(0.04, 0.0, 51)
    scaled = transform_shapes(shapes, old, new)[0]
    assert shape_of(scaled["moments"]) == pytest.approx((1.0, 0.5, 10.0))
    # Truth by the sky: a step along the major axis, followed from one grid to the other.
    new = make_wcs(0.03, 35.0, 71)
    angle = np.deg2rad(10.0)
    ra, dec = old.pixel_to_world_values(
        50 + np.array([0, 2 * np.cos(angle)]), 50 + np.array([0, 2 * np.sin(angle)])
    )
    x, y = new.world_to_pixel_values(ra, dec)
    turned = transform_shapes(shapes, old, new)[0]
    major, _, theta = shape_of(turned["moments"])
    assert major == pytest.approx(np.hypot(*np.diff([x, y])[:, 0]), rel=1e-4)
    assert np.tan(np.deg2rad(theta)) == pytest.approx(np.diff(y)[0] / np.diff(x)[0], rel=1e-3)


def test_errors_of_shapes_turn_and_scale_with_the_grid():
    """Against the scatter of many shapes, each taken to the other grid by itself."""
    old, new = make_wcs(0.02, 0.0, 101), make_wcs(0.03, 35.0, 71)
    middle, root = np.array([4.0, 2.0, 0.7]), np.array([[0.3, 0, 0], [0.1, 0.2, 0], [-0.1, 0.05, 0.1]])
    drawn = middle + np.random.default_rng(2).normal(size=(20000, 3)) @ root.T

    shapes = Table({"moments": middle[None], "moments_covariance": (root @ root.T)[None]})
    moved = transform_shapes(shapes, old, new)["moments_covariance"][0]
    expected = np.cov(transform_shapes(Table({"moments": drawn}), old, new)["moments"].T)
    np.testing.assert_allclose(moved, expected, atol=0.03 * expected.max())


def test_fluxes_shapes_and_places_of_a_galaxy(galaxy):
    table, fitted = measure_galaxy(galaxy.cutouts, galaxy.psfs, galaxy.clumps, "F150W", list(GRIDS))
    models = draw_clumps(fitted, galaxy.cutouts, galaxy.psfs)
    assert list(table["id"]) == list(galaxy.clumps["id"])
    for name, (_, _, _, ratio) in GRIDS.items():
        flux, error = table[f"flux_{name}_njy"], table[f"flux_{name}_err_njy"]
        assert flux == pytest.approx(CLUMPS[:, 5] * ratio, rel=0.05)
        assert (np.abs(flux - CLUMPS[:, 5] * ratio) < 4 * error + 0.01 * flux).all()
        assert models[name].shape == galaxy.cutouts[name].data.shape
        assert models[name].sum() == pytest.approx(flux.sum(), rel=0.01)
        residual = galaxy.cutouts[name].data - models[name] - 0.3
        assert np.std(residual) < 1.3 * 0.02
    east = (table["ra"] - RA) * np.cos(np.deg2rad(DEC)) * 3600
    assert east == pytest.approx(CLUMPS[:, 0], abs=0.002)
    x, y = galaxy.cutouts["F150W"].wcs.world_to_pixel_values(table["ra"], table["dec"])
    assert table["x"] == pytest.approx(x + 1000)
    assert table["y"] == pytest.approx(y + 2000)
    assert table["sigma_x_px"][0] == pytest.approx(1.5, abs=0.15)
    assert table["sigma_y_px"][0] == pytest.approx(0.9, abs=0.15)
    assert table["theta_deg"][0] == pytest.approx(25.0, abs=8.0)
    assert has(table["flags"][0], "manual")
    assert has(table["flags"][1], "unresolved")
    assert not has(table["flags"][0], "unresolved")


def test_what_is_below_zero_in_the_reference_filter_has_no_size(galaxy):
    own = galaxy.cutouts["F150W"]
    galaxy.cutouts["F150W"] = replace(own, data=0.6 - own.data)
    table, fitted = measure_galaxy(galaxy.cutouts, galaxy.psfs, galaxy.clumps, "F150W", list(GRIDS))
    assert (table["snr"] < -10).all()
    assert has(table["flags"], "negative").all()
    assert np.isnan(table["sigma_x_px"]).all() and np.isnan(np.asarray(table["moments_px2"])).all()
    assert np.isinf(table["sigma_limit_px"]).all()
    # Other filters keep what they have.
    assert table["flux_F200W_njy"][0] == pytest.approx(1.4 * 60.0, rel=0.05)
    models = draw_clumps(fitted, galaxy.cutouts, galaxy.psfs)
    assert np.isfinite(models["F150W"]).all()


def test_missing_filters_and_clumps_without_data_are_flagged(galaxy):
    cutouts = dict(galaxy.cutouts)
    del cutouts["F444W"]
    cutouts["F200W"].data[:, 55:] = np.nan
    table, fitted = measure_galaxy(cutouts, galaxy.psfs, galaxy.clumps, "F150W", list(GRIDS))
    assert np.isnan(table["flux_F444W_njy"]).all()
    assert has(table["flags"], "no_coverage").all()
    assert set(fitted) == {"F150W", "F200W"}
    lost = np.isnan(table["flux_F200W_njy"])
    assert lost.sum() == 1
    assert np.isnan(table["flux_F200W_err_njy"][lost]).all()


def test_a_clump_lost_in_the_reference_filter_keeps_its_row(galaxy):
    galaxy.cutouts["F150W"].data[:] = np.nan
    table, _ = measure_galaxy(galaxy.cutouts, galaxy.psfs, galaxy.clumps, "F150W", list(GRIDS))
    assert has(table["flags"], "few_pixels").all()
    assert table["ra"] == pytest.approx(galaxy.clumps["ra"])
    for name in GRIDS:
        assert np.isnan(table[f"flux_{name}_njy"]).all()


def test_no_clumps_at_all(galaxy, tmp_path):
    table, fitted = measure_galaxy(galaxy.cutouts, galaxy.psfs, galaxy.clumps[:0], "F150W", list(GRIDS))
    models = draw_clumps(fitted, galaxy.cutouts, galaxy.psfs)
    assert len(table) == 0
    assert "flux_F444W_njy" in table.colnames
    assert "sigma_x_px" in table.colnames
    assert all((model == 0).all() for model in models.values())
    write_residuals(tmp_path / "residuals.fits", galaxy.cutouts, models, fitted)
    assert list(read_fitted(tmp_path / "residuals.fits")) == list(fitted)


def test_residual_products(galaxy, tmp_path):
    table, fitted = measure_galaxy(galaxy.cutouts, galaxy.psfs, galaxy.clumps, "F150W", list(GRIDS))
    models = draw_clumps(fitted, galaxy.cutouts, galaxy.psfs)
    path = tmp_path / "residuals.fits"
    write_residuals(path, galaxy.cutouts, models, fitted)
    again = draw_clumps(read_fitted(path), galaxy.cutouts, galaxy.psfs)
    assert all((again[name] == models[name]).all() for name in GRIDS)
    with fits.open(path) as hdus:
        for name in GRIDS:
            data, model, residual = (hdus[f"{kind}_{name}"].data for kind in ("DATA", "MODEL", "RESID"))
            assert data == pytest.approx(model + residual, abs=1e-5)
            sky = np.array(WCS(hdus[f"RESID_{name}"].header).pixel_to_world_values(3, 4))
            assert sky == pytest.approx(
                np.array(galaxy.cutouts[name].wcs.pixel_to_world_values(3, 4)), abs=1e-9
            )
    picture = tmp_path / "residuals.png"
    draw_residuals(picture, galaxy.cutouts, models, galaxy.psfs, table, "g")
    assert picture.read_bytes()[:4] == b"\x89PNG"
    again = tmp_path / "again.png"
    draw_residuals(again, galaxy.cutouts, models, galaxy.psfs, table, "g")
    assert again.read_bytes() == picture.read_bytes()


def test_what_is_wrong_with_a_psf_reaches_the_catalogue(galaxy):
    """Its error goes into those of fluxes, of its filter alone; a narrow one known on whole pixels is flagged."""
    psfs = galaxy.psfs | {"F444W": replace(galaxy.psfs["F444W"], flux_error=0.1)}
    options = {"filter_ref": "F150W", "filters": list(GRIDS)}
    plain, _ = measure_galaxy(galaxy.cutouts, galaxy.psfs, galaxy.clumps, **options)
    table, _ = measure_galaxy(galaxy.cutouts, psfs, galaxy.clumps, **options)
    assert table["flux_F200W_err_njy"] == pytest.approx(plain["flux_F200W_err_njy"])
    added = np.sqrt(table["flux_F444W_err_njy"] ** 2 - plain["flux_F444W_err_njy"] ** 2)
    assert added == pytest.approx(0.1 * table["flux_F444W_njy"])
    assert not has(table["flags"], "undersampled_psf").any()
    psfs["F200W"] = replace(psfs["F200W"], fwhm_arcsec=0.036)
    table, _ = measure_galaxy(galaxy.cutouts, psfs, galaxy.clumps, **options)
    assert has(table["flags"], "undersampled_psf").all()


@pytest.mark.parametrize("host", [0.0, 6.0])
def test_errors_of_forced_fluxes_hold_what_a_wrong_width_of_the_psf_does(host):
    """Images behind PSFs that are broader and narrower than those given, in all filters; with and without a host."""
    share = 0.06
    names, place = ("F150W", "F444W"), (3, 2)
    kernel = draw_clump((41, 41), 20, 20, parts=PSF_PARTS, oversampling=11)
    psfs = {
        name: PSF(kernel, GRIDS[name][0], 2.65 * GRIDS[name][0], 1.0, core_variance_error=share)
        for name in names
    }
    clumps = Table({"id": ["c"], "galaxy": ["g"], "flags": [0], "ra": [RA], "dec": [DEC]})
    tables = []
    for factor in (1.0 - share, 1.0 + share):
        parts = [(weight, width * np.sqrt(factor)) for weight, width in PSF_PARTS]
        cutouts = {}
        for name in names:
            scale, _, side, ratio = GRIDS[name]
            wcs, middle = make_wcs(scale, 0.0, side), side // 2
            rows, columns = np.indices((side, side)) * scale
            away = np.hypot(columns - (middle + place[0]) * scale, rows - (middle + place[1]) * scale)
            image = 0.3 + host * ratio * (scale / 0.02) ** 2 * np.exp(-away / 0.15)
            image += (
                400.0
                * ratio
                * draw_clump((side, side), middle, middle, 0.03 / scale, 0.03 / scale, parts=parts)
            )
            error, rng = np.full(image.shape, 0.05), np.random.default_rng(3)
            cutouts[name] = Cutout(image + rng.normal(0.0, 0.05, image.shape), error, wcs, 0, 0, scale, name)
        tables.append(measure_galaxy(cutouts, psfs, clumps, "F150W", list(names))[0])
    flux = [float(table["flux_F444W_njy"][0]) for table in tables]
    changed = 0.5 * abs(flux[1] - flux[0])
    assert changed > 3.0 * 0.05  # far above the noise
    plain = measure_galaxy(
        cutouts,
        {n: replace(psf, core_variance_error=0.0) for n, psf in psfs.items()},
        clumps,
        "F150W",
        list(names),
    )[0]
    added = np.sqrt(tables[1]["flux_F444W_err_njy"][0] ** 2 - plain["flux_F444W_err_njy"][0] ** 2)
    assert added == pytest.approx(changed, rel=0.35)


@pytest.fixture(scope="module")
def many():
    """One clump in many images of the same sky with other noise: its fluxes, and what their errors say of each."""
    kernel = draw_clump((41, 41), 20, 20, parts=PSF_PARTS, oversampling=11)
    psfs = {name: PSF(kernel, grid[0], 3.0 * grid[0], 1.0) for name, grid in GRIDS.items()}
    clear = make_cutouts(noise=1e-9)
    east, north = CLUMPS[0, :2]
    clumps = Table({"id": ["c"], "galaxy": ["g"], "flags": [0],
                    "ra": [RA + east / 3600 / np.cos(np.deg2rad(DEC))], "dec": [DEC + north / 3600]})  # fmt: skip
    rng, rows, levels = np.random.default_rng(11), [], {"F150W": 0.15, "F200W": 0.2, "F444W": 0.1}
    for _ in range(300):
        cutouts = {
            name: replace(cutout, data=cutout.data - 0.3 + rng.normal(0, levels[name], cutout.data.shape),
                          error=np.full(cutout.data.shape, levels[name]))
            for name, cutout in clear.items()
        }  # fmt: skip
        rows.append(measure_galaxy(cutouts, psfs, clumps, "F150W", list(GRIDS))[0])
    return rows


def test_errors_that_filters_have_in_common_are_their_covariance(many):
    flux = np.array([[row[f"flux_{name}_njy"][0] for name in GRIDS] for row in many])
    error = np.array([[row[f"flux_{name}_err_njy"][0] for name in GRIDS] for row in many])
    common = np.array([[row[f"flux_{name}_common_njy"][0] for name in GRIDS] for row in many])
    said = np.median(np.einsum("rfk,rgk->rfg", common, common), axis=0)
    said[np.diag_indices(3)] = np.median(error**2, axis=0)
    found = np.cov(flux.T)
    # 300 images know a variance to 8 % and a correlation to 0.05; a clump's errors vary with its own noise.
    np.testing.assert_allclose(np.diag(found) / np.diag(said), 1.0, atol=0.25)
    scale = np.sqrt(np.diag(found))
    scale_said = np.sqrt(np.diag(said))
    correlation = (found / np.outer(scale, scale))[np.triu_indices(3, 1)]
    np.testing.assert_allclose(
        (said / np.outer(scale_said, scale_said))[np.triu_indices(3, 1)], correlation, atol=0.1
    )
    assert correlation.min() > 0.3


def test_moments_scatter_as_their_covariance_says(many):
    moments = np.array([row["moments_px2"][0] for row in many])
    truth = np.array([GRIDS["F150W"][0]])
    along, across, angle = CLUMPS[0, 2] / truth[0], CLUMPS[0, 3] / truth[0], np.deg2rad(CLUMPS[0, 4])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    expected = (turn @ np.diag([along**2, across**2]) @ turn.T)[[0, 1, 0], [0, 1, 1]]
    covariance = np.array([row["moments_covariance_px4"][0] for row in many])
    pulls = (moments - expected) / np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    width = 0.5 * np.diff(np.percentile(pulls, [16, 84], axis=0), axis=0)[0]
    np.testing.assert_allclose(width, 1.0, atol=0.15)
    np.testing.assert_allclose(np.median(pulls, axis=0), 0.0, atol=0.3)


def test_wings_that_are_not_seen_are_an_error_of_all_filters(galaxy):
    plain, _ = measure_galaxy(galaxy.cutouts, galaxy.psfs, galaxy.clumps, "F150W", list(GRIDS))
    shares = {"gaussian": 0.5, "plummer": 0.5}
    table, _ = measure_galaxy(
        galaxy.cutouts, galaxy.psfs, galaxy.clumps, "F150W", list(GRIDS), profiles=shares
    )
    for name in GRIDS:
        flux, wings = f"flux_{name}_njy", table[f"flux_{name}_common_njy"][:, 3]
        np.testing.assert_array_equal(table[flux], plain[flux])
        assert (plain[f"flux_{name}_common_njy"][:, 3] == 0.0).all()
        # The first clump is as large as its PSF's core, the second a point.
        assert 0.05 < wings[0] / table[flux][0] < 0.3 and wings[1] < 0.03 * table[flux][1]
        expected = np.hypot(plain[f"flux_{name}_err_njy"], wings)
        np.testing.assert_allclose(table[f"flux_{name}_err_njy"], expected, rtol=1e-9)
    assert table["profile_size_ratio"].shape == (len(table), 1) and "profile_size_ratio" not in plain.colnames
    assert 1.0 < table["profile_size_ratio"][0, 0] < 1.5
