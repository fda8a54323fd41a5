"""Lenses given as maps: the potential they were made from, other frames and units, realisations, refusals."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from clumpscope.cosmology import distance_ratio
from clumpscope.errors import InputError
from clumpscope.flags import describe
from clumpscope.images.cutouts import Cutout
from clumpscope.lensing import read_maps
from clumpscope.lensing.clumps import products
from clumpscope.lensing.clumps.magnification import magnify_clumps
from clumpscope.lensing.clumps.source_plane import galactocentric_distances, reconstruct
from unit.lensing.lens_scenes import Z_LENS, cluster, grid_wcs

N, SCALE = 401, 0.2
PLACES = np.array([9.0, -7.3, 12.2]), np.array([8.1, -10.0, 0.4])


def write_maps(folder, model, z=None, wcs=None, deflection_factor=1.0, prefix=""):
    """Maps of a model, for D_LS / D_S = 1 or for a source redshift; deflections along the pixel axes."""
    wcs = wcs or grid_wcs(N, SCALE)
    rows, columns = np.indices((N, N))
    x, y = model.offsets(*wcs.pixel_to_world_values(columns, rows))
    far = 2.0 if z is None else z
    factor = 1.0 / distance_ratio(Z_LENS, far) if z is None else 1.0
    kappa, gamma1, gamma2 = model.convergence_shear(x, y, far)
    west, north = model.deflection(x, y, far)
    # What a pixel's step along each axis is in West and North.
    (east_x, east_y), (north_x, north_y) = wcs.pixel_scale_matrix * 3600.0 / SCALE
    along, up = -west * east_x + north * north_x, -west * east_y + north * north_y
    planes = {"kappa": kappa, "gamma1": gamma1, "gamma2": gamma2,
              "deflection_x": along * deflection_factor, "deflection_y": up * deflection_factor}  # fmt: skip
    paths = {}
    for name, plane in planes.items():
        paths[name] = str(folder / f"{prefix}{name}.fits")
        fits.writeto(paths[name], (plane * factor).astype(np.float32), wcs.to_header(), overwrite=True)
    return paths


def read(paths, **changes):
    options = {"z_lens": Z_LENS, "normalisation": {"dls_ds": 1.0}, "deflection_unit": "arcsec"}
    return read_maps(**{**paths, **options, **changes})


def check_against(maps, model, z=2.0):
    ra, dec = model.sky(*PLACES)
    for got, expected in zip(maps.magnification(ra, dec, z), model.magnification(ra, dec, z), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0.01)
    traced, expected = maps.source_position(ra, dec, z), model.source_position(ra, dec, z)
    # The references differ, so positions are compared with one another.
    for got, wanted in zip(traced, expected, strict=True):
        np.testing.assert_allclose(np.diff(got), np.diff(wanted), atol=5e-3)


def test_maps_agree_with_the_potential_they_were_made_from(tmp_path):
    check_against(read(write_maps(tmp_path, cluster(700.0))), cluster(700.0))


def test_deflections_in_pixels(tmp_path):
    paths = write_maps(tmp_path, cluster(700.0), deflection_factor=1.0 / SCALE)
    check_against(read(paths, deflection_unit="pixel"), cluster(700.0))


def test_maps_scaled_to_a_source_redshift(tmp_path):
    paths = write_maps(tmp_path, cluster(700.0), z=9.0)
    check_against(read(paths, normalisation={"z_source": 9.0}), cluster(700.0))


@pytest.mark.parametrize("angle", [0.0, 35.0, 180.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_maps_may_be_turned_and_mirrored(tmp_path, angle, mirrored):
    wcs = grid_wcs(N, SCALE)
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    wcs.wcs.pc = [[cos, -sin], [sin, cos]]
    if mirrored:
        wcs.wcs.cdelt = (SCALE / 3600, SCALE / 3600)
    wcs = type(wcs)(wcs.to_header())
    check_against(read(write_maps(tmp_path, cluster(700.0), wcs=wcs)), cluster(700.0))


def test_interpolation_error_is_as_stated(tmp_path):
    # Along an axis linear interpolation errs by at most an eighth of the second difference.
    model = cluster(700.0)
    maps = read(write_maps(tmp_path, model))
    x, y = np.random.default_rng(1).uniform(-30, 30, (2, 500))
    away = np.hypot(x, y) > 3.0
    ra, dec = model.sky(x[away], y[away])
    ratio = distance_ratio(Z_LENS, 2.0)
    kappa = maps.convergence_shear(*maps.offsets(ra, dec), 2.0)[0]
    error = np.abs(kappa - model.convergence_shear(x[away], y[away], 2.0)[0])
    plane = fits.getdata(tmp_path / "kappa.fits").astype(float) * ratio
    second = np.zeros((N, N))
    second[1:-1, 1:-1] = np.abs(plane[1:-1, 2:] - 2 * plane[1:-1, 1:-1] + plane[1:-1, :-2])
    second[1:-1, 1:-1] += np.abs(plane[2:, 1:-1] - 2 * plane[1:-1, 1:-1] + plane[:-2, 1:-1])
    column, row = grid_wcs(N, SCALE).world_to_pixel_values(ra, dec)
    i, j = row.astype(int), column.astype(int)
    largest = np.max([second[i + a, j + b] for a in (0, 1) for b in (0, 1)], axis=0)
    assert (error <= 1.2 * largest / 8 + 1e-6).all()


def test_realisations_of_maps(tmp_path):
    velocities = (690.0, 700.0, 712.0)
    sets = [write_maps(tmp_path, cluster(v), prefix=f"s{v:.0f}_") for v in velocities]
    maps = read(write_maps(tmp_path, cluster(700.0)), samples=sets)
    assert maps.n_samples == 3
    ra, dec = cluster().sky(*PLACES)
    for sample, v in enumerate(velocities):
        expected = cluster(v).magnification(ra, dec, 2.0)[0]
        np.testing.assert_allclose(maps.magnification(ra, dec, 2.0, sample)[0], expected, rtol=0.01)
    clump = Table({"id": ["a"], "ra": ra[:1], "dec": dec[:1]})
    result = magnify_clumps(maps, clump, 2.0)
    assert result["mu_samples"].shape == (1, 3) and result["mu_err_hi"][0] > 0


def test_outside_the_map_is_flagged(tmp_path):
    maps = read(write_maps(tmp_path, cluster(700.0)))
    result = magnify_clumps(maps, Table({"id": ["a"], "ra": [12.0], "dec": [0.0]}), 2.0)
    assert describe(result["flags"][0]) == ["outside_model"] and np.isnan(result["mu"][0])
    edge = maps.sky(np.array([0.0]), np.array([N * SCALE / 2 - 1.01 * SCALE]))
    assert np.isfinite(maps.magnification(*edge, 2.0)[0]).all()


def test_a_galaxy_outside_the_map_has_no_source_plane(tmp_path):
    maps = read(write_maps(tmp_path, cluster(700.0)))
    wcs = grid_wcs(21, 0.1)
    wcs.wcs.crval = (12.0, 0.0)
    ones = np.ones((21, 21))
    plane = reconstruct(maps, ones, ones, wcs, 0.1, 2.0, ones.astype(bool))
    assert plane.flux_njy == 0.0 and np.isnan(plane.image).all()
    distances = galactocentric_distances(maps, plane, Table({"ra": [12.0], "dec": [0.0]}), 2.0)
    assert np.isnan(distances["distance_kpc"][0])


def test_without_deflections_there_are_magnifications_only(tmp_path):
    paths = write_maps(tmp_path, cluster(700.0))
    maps = read({name: path for name, path in paths.items() if "deflection" not in name})
    ra, dec = cluster().sky(*PLACES)
    np.testing.assert_allclose(
        maps.magnification(ra, dec, 2.0)[0], cluster(700.0).magnification(ra, dec, 2.0)[0], rtol=0.01
    )
    assert not maps.traces
    with pytest.raises(InputError, match="deflection maps"):
        maps.source_position(ra, dec, 2.0)
    ones = np.ones((21, 21))
    plane = reconstruct(maps, ones, ones, grid_wcs(21, 0.1), 0.1, 2.0, ones.astype(bool))
    assert np.isnan(plane.x)


def test_magnification_alone_is_the_poorest_case(tmp_path):
    wcs, model = grid_wcs(N, SCALE), cluster(700.0)
    rows, columns = np.indices((N, N))
    mu = model.magnification(*wcs.pixel_to_world_values(columns, rows), 2.0)[0]
    fits.writeto(tmp_path / "mu.fits", mu, wcs.to_header())
    options = {
        "z_lens": Z_LENS,
        "normalisation": {"z_source": 2.0},
        "magnification": str(tmp_path / "mu.fits"),
    }
    maps = read_maps(**options)
    ra, dec = model.sky(*PLACES)
    got = maps.magnification(ra, dec, 2.01)
    expected = np.abs(model.magnification(ra, dec, 2.0)[0])
    np.testing.assert_allclose(got[0], expected, rtol=0.02)
    np.testing.assert_allclose(got[1], np.sqrt(expected), rtol=0.02)
    # What it cannot say is NaN, flagged in the catalogue, and refused where a position is asked for.
    assert np.isnan(maps.magnification(ra, dec, 4.0)[0]).all()
    assert (maps.magnification(ra, dec, 0.5 * Z_LENS)[0] == 1.0).all()
    assert maps.z_only == 2.0 and not maps.traces
    with pytest.raises(InputError, match="the source plane and distances in it need deflection maps"):
        maps.source_position(ra, dec, 2.0)
    clumps = Table({"id": ["a"], "ra": ra[:1], "dec": dec[:1]})
    near, far = (magnify_clumps(maps, clumps, z) for z in (2.0, 4.0))
    assert describe(near["flags"][0]) == ["mu_alone"] and near["mu"][0] == pytest.approx(
        expected[0], rel=0.02
    )
    assert describe(far["flags"][0]) == ["outside_model", "mu_alone"] and np.isnan(far["mu"][0])
    with pytest.raises(InputError, match="z_source"):
        read_maps(**{**options, "normalisation": {"dls_ds": 1.0}})
    with pytest.raises(InputError, match="either magnification alone"):
        read_maps(**options, kappa=str(tmp_path / "mu.fits"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"deflection_unit": None}, "no BUNIT as unit of the deflection"),
        ({"deflection_unit": "degree"}, "'degree' as unit"),
        ({"normalisation": {}}, "dls_ds"),
        ({"normalisation": {"dls_ds": 1.7}}, "at most 1"),
        ({"normalisation": {"z_source": 0.2}}, "behind the lens"),
        ({"gamma2": None}, "kappa, gamma1 and gamma2"),
        ({"deflection_y": None}, "both deflection_x and deflection_y"),
        ({"kappa": "nothing.fits"}, "cannot be read"),
        ({"samples": [{"kappa": "k.fits"}]}, "entry 1"),
    ],
)
def test_maps_that_cannot_be_used_are_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        read(write_maps(tmp_path, cluster(700.0)), **changes)


def test_maps_need_one_grid_and_a_sky(tmp_path):
    paths = write_maps(tmp_path, cluster(700.0))
    fits.writeto(tmp_path / "small.fits", np.zeros((3, 3)))
    with pytest.raises(InputError, match=r"\(3, 3\) pixels"):
        read(paths, gamma2=str(tmp_path / "small.fits"))
    with pytest.raises(InputError, match="no celestial WCS"):
        read({name: str(tmp_path / "small.fits") for name in paths})
    fits.writeto(tmp_path / "table.fits", np.zeros(5))
    with pytest.raises(InputError, match="no 2-D image"):
        read(paths, kappa=str(tmp_path / "table.fits"))


def as_cube(data, header):
    return fits.PrimaryHDU(data[None], header)


def as_scaled_integers(data, header):
    hdu = fits.PrimaryHDU(np.clip(data, -900.0, 900.0), header)
    hdu.scale("int32", bscale=1e-6)
    return hdu


def as_compressed(data, header):
    return fits.CompImageHDU(data, header, quantize_level=-1e-6)


def with_old_words(data, header):
    for key in ("CUNIT1", "CUNIT2", "RADESYS", "LONPOLE", "LATPOLE", "WCSAXES"):
        header.remove(key, ignore_missing=True)
    header["CD1_1"], header["CD2_2"] = header.pop("CDELT1"), header.pop("CDELT2")
    header["EQUINOX"], header["BUNIT"] = "J2000", "Arcseconds"
    return fits.PrimaryHDU(data, header)


@pytest.mark.parametrize("written", [as_cube, as_scaled_integers, as_compressed, with_old_words])
@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
def test_headers_of_other_groups(tmp_path, written):
    paths = write_maps(tmp_path, cluster(700.0))
    for path in paths.values():
        with fits.open(path) as hdus:
            hdu = written(hdus[0].data.astype(float), hdus[0].header)
        hdus = [hdu] if isinstance(hdu, fits.PrimaryHDU) else [fits.PrimaryHDU(), hdu]
        fits.HDUList(hdus).writeto(path, overwrite=True)
    unit = {"deflection_unit": None} if written is with_old_words else {}
    check_against(read(paths, **unit), cluster(700.0))


def test_only_one_of_the_maps_needs_a_sky(tmp_path):
    paths = write_maps(tmp_path, cluster(700.0))
    fits.writeto(paths["kappa"], fits.getdata(paths["kappa"]), overwrite=True)
    check_against(read(paths), cluster(700.0))


@pytest.mark.parametrize(
    ("key", "value", "message"), [("CRPIX1", 9.0, "pixels away"), ("CUNIT1", "DEGREE", "CUNIT1")]
)
def test_maps_of_another_sky_are_refused(tmp_path, key, value, message):
    paths = write_maps(tmp_path, cluster(700.0))
    fits.setval(paths["gamma1"], key, value=value)
    with pytest.raises(InputError, match=message):
        read(paths)


def test_a_truncated_map_is_refused(tmp_path):
    paths = write_maps(tmp_path, cluster(700.0))
    with open(paths["gamma2"], "r+b") as file:
        file.truncate(100_000)
    with pytest.raises(InputError, match=r"gamma2.fits: found a file that cannot be read"):
        read(paths)


def test_missing_pixels_of_a_map_are_outside_the_model(tmp_path):
    paths = write_maps(tmp_path, cluster(700.0))
    with fits.open(paths["kappa"], mode="update") as hdus:
        hdus[0].data[240:245, 240:245] = np.nan
        hdus[0].data[242, 242] = np.inf
    maps = read(paths)
    ra, dec = grid_wcs(N, SCALE).pixel_to_world_values([242.2, 260.0], [242.2, 260.0])
    result = magnify_clumps(maps, Table({"id": ["a", "b"], "ra": ra, "dec": dec}), 2.0)
    assert [describe(flags) for flags in result["flags"]] == [["outside_model"], []]


def test_products_of_a_galaxy_with_a_map_of_the_magnification_alone(tmp_path):
    wcs, model = grid_wcs(N, SCALE), cluster(700.0)
    rows, columns = np.indices((N, N))
    fits.writeto(
        tmp_path / "mu.fits",
        model.magnification(*wcs.pixel_to_world_values(columns, rows), 2.0)[0],
        wcs.to_header(),
    )
    maps = read_maps(z_lens=Z_LENS, normalisation={"z_source": 2.0}, magnification=str(tmp_path / "mu.fits"))
    own = grid_wcs(41, 0.1)
    own.wcs.crval = [float(v) for v in model.sky(9.0, 8.1)]
    cutout = Cutout(np.ones((41, 41)), np.ones((41, 41)), own, 0, 0, 0.1, "F150W")
    clumps = Table({"id": ["a"], "x": [20.0], "y": [20.0], "sigma_x_px": [1.0], "sigma_y_px": [1.0],
                    "theta_deg": [0.0]})  # fmt: skip
    clumps["ra"], clumps["dec"] = own.pixel_to_world_values(clumps["x"], clumps["y"])
    table, plane = products.lens_galaxy(maps, clumps, cutout, cutout.data > 0, 2.0)
    assert table["mu"][0] == pytest.approx(abs(model.magnification(*model.sky(9.0, 8.1), 2.0)[0]), rel=0.02)
    assert np.isnan(table["distance_kpc"][0]) and np.isnan(table["source_ra"][0]) and not table["central"][0]
    mu = products.magnification_map(maps, cutout, 2.0)
    products.write_source_plane(tmp_path / "plane.fits", plane, table, 2.0)
    products.draw_galaxy(tmp_path / "galaxy.png", "G", cutout, mu, plane, clumps, maps, 2.0)
    assert "RA_BARY" not in fits.getheader(tmp_path / "plane.fits")
