"""Clump magnification, sizes, source plane: against closed forms and limits."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from clumpscope.cosmology import distance_ratio, pc_per_arcsec
from clumpscope.errors import InputError
from clumpscope.flags import describe
from clumpscope.lensing import no_lens, read_maps
from clumpscope.lensing.clumps import given_magnification, magnify_clumps
from clumpscope.lensing.parametric import ParametricModel
from clumpscope.lensing.potentials import CORE, CUT, FIELDS, STRENGTH, einstein_arcsec
from clumpscope.lensing.sizes import HALF_LIGHT, intrinsic_sizes
from clumpscope.lensing.source_plane import galactocentric_distances, reconstruct

REFERENCE = (10.0, 0.0)


def cluster(v_disp=900.0, samples=()):
    """A singular isothermal sphere, and realisations of other velocity dispersions."""

    def rows(v):
        row = np.zeros((1, len(FIELDS)))
        row[0, [CORE, CUT, STRENGTH]] = 1e-4, 1e5, einstein_arcsec(v, 6.0)
        return row

    return ParametricModel(
        reference=REFERENCE,
        z_lens=0.4,
        profiles=np.array([81]),
        rows=rows(v_disp),
        samples=[rows(v) for v in samples],
    )


def einstein(v_disp, z=2.0):
    return 6 * np.pi * (v_disp / 299792.458) ** 2 * 206264.80624709636 * distance_ratio(0.4, z)


def clump_at(x, y, **shape):
    ra, dec = cluster().sky(np.atleast_1d(x), np.atleast_1d(y))
    return Table({"id": [f"c{i}" for i in range(len(ra))], "ra": ra, "dec": dec, **shape})


def test_isothermal_sphere_magnifies_as_the_closed_form():
    radius = einstein(900.0)
    result = magnify_clumps(cluster(), clump_at([3 * radius, 0.0], [0.0, 0.5 * radius]), 2.0)
    # mu_t = 1 / (1 - theta_E / theta), mu_r = 1.
    np.testing.assert_allclose(result["mu_t"], [1.5, 1.0], rtol=1e-3)
    np.testing.assert_allclose(result["mu_r"], 1.0, rtol=1e-3)
    np.testing.assert_allclose(result["mu"], [1.5, 1.0], rtol=1e-3)


def test_posterior_interval_is_that_of_the_samples():
    v = np.random.default_rng(3).normal(900.0, 20.0, 100)
    radius = einstein(900.0)
    result = magnify_clumps(cluster(samples=v), clump_at(3 * radius, 0.0), 2.0)
    low, high = np.percentile(1 / (1 - einstein(v) / (3 * radius)), [16, 84])
    assert result["mu"][0] - result["mu_err_lo"][0] == pytest.approx(low, rel=1e-3)
    assert result["mu"][0] + result["mu_err_hi"][0] == pytest.approx(high, rel=1e-3)
    assert result["mu_samples"].shape == (1, 100)


def test_on_a_critical_line_nothing_is_infinite_and_the_clump_is_flagged():
    result = magnify_clumps(cluster(samples=[890.0, 900.0, 910.0]), clump_at(einstein(900.0), 0.0), 2.0)
    assert describe(result["flags"][0]) == ["near_critical"]
    assert all(np.isfinite(result[name]).all() for name in ("mu", "mu_err_hi", "mu_samples", "mu_t"))


def test_in_front_of_the_lens_and_without_one():
    front = magnify_clumps(cluster(), clump_at(5.0, 0.0), 0.3)
    assert front["mu"][0] == 1.0 and describe(front["flags"][0]) == ["not_lensed"]
    free = magnify_clumps(no_lens(), clump_at(5.0, 0.0), 2.0)
    assert free["mu"][0] == 1.0 and free["flags"][0] == 0


def test_given_magnification_keeps_its_interval():
    table = Table({"id": ["a"], "mu": [10.0], "mu_lo": [8.0], "mu_hi": [15.0]})
    result = given_magnification(table, n_samples=20000)
    low, high = np.percentile(result["mu_samples"][0], [16, 84])
    assert low == pytest.approx(8.0, abs=0.1) and high == pytest.approx(15.0, abs=0.2)
    assert (result["mu_err_lo"][0], result["mu_err_hi"][0]) == (2.0, 5.0)


def sizes_of(major, minor, mu=4.0, mu_t=3.0, error=0.0):
    shapes = Table({"sigma_x_px": [major], "sigma_y_px": [minor],
                    "sigma_x_px_err": [error], "sigma_y_px_err": [error]})  # fmt: skip
    normal = np.random.default_rng(1).normal(size=(1, 4000))
    one = np.ones((1, 4000))
    return intrinsic_sizes(shapes, np.array([mu]), np.array([mu_t]), mu * one, mu_t * one, normal,
                           np.array([2.0]), np.array([0.02]), np.array([0.058]))  # fmt: skip


def test_three_cases_of_the_effective_radius():
    unit = HALF_LIGHT * 0.02 * pc_per_arcsec(2.0)
    assert sizes_of(2.0, 0.5).r_eff_pc[0] == pytest.approx(unit * 1.0 / 2.0)
    assert sizes_of(2.0, 0.3).r_eff_pc[0] == pytest.approx(unit * 2.0 / 3.0)
    point = sizes_of(0.2, 0.1)
    assert point.r_eff_pc[0] == pytest.approx(unit * 0.4 / 3.0) and point.limit[0]
    assert [sizes_of(*axes).kind[0] for axes in ((0.2, 0.1), (0.7, 0.6), (4.0, 3.0), (np.nan, np.nan))] == [
        "unresolved", "compact", "extended", "unknown",
    ]  # fmt: skip


def test_error_of_the_fit_enters_the_radius():
    draws = sizes_of(2.0, 2.0, error=0.2).draws_pc[0]
    # Two equal independent axes: d ln R = 0.5 sqrt(2) 0.1.
    assert np.std(np.log(draws)) == pytest.approx(0.0707, rel=0.05)


def grid_wcs(n, scale):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = REFERENCE, ((n + 1) / 2, (n + 1) / 2)
    wcs.wcs.cdelt = (-scale / 3600, scale / 3600)
    return wcs


def test_source_plane_conserves_flux_and_finds_the_centre():
    """A Gaussian source, ray-traced to the image plane pixel by pixel, comes back where it was."""
    model, z, n, scale = cluster(300.0), 2.0, 241, 0.05
    wcs = grid_wcs(n, scale)
    rows, columns = np.indices((n, n))
    sx, sy = model.source_position(*wcs.pixel_to_world_values(columns, rows), z)
    brightness = np.exp(-((sx - 0.9) ** 2 + (sy - 0.2) ** 2) / (2 * 0.1**2))
    image = brightness * scale**2
    member = brightness > 1e-4
    plane = reconstruct(model, image, np.full((n, n), 1e-9), wcs, scale, z, member, n_cells=60)
    assert plane.x == pytest.approx(0.9, abs=0.01) and plane.y == pytest.approx(0.2, abs=0.01)
    cell = abs(plane.wcs.wcs.cdelt[1]) * 3600
    assert np.nansum(plane.image) * cell**2 == pytest.approx(2 * np.pi * 0.1**2, rel=0.05)
    peak = np.unravel_index(np.nanargmax(plane.image), plane.image.shape)
    ra, dec = plane.wcs.pixel_to_world_values(peak[1], peak[0])
    assert model.offsets(ra, dec) == pytest.approx((0.9, 0.2), abs=2 * cell)
    # A clump half an arcsecond from the centre in the source plane.
    index = np.argmin(np.hypot(sx - 0.9 - 0.2, sy - 0.2))
    ra, dec = wcs.pixel_to_world_values(columns.ravel()[index], rows.ravel()[index])
    distance = galactocentric_distances(model, plane, Table({"ra": [ra], "dec": [dec]}), z)
    assert distance["distance_kpc"][0] == pytest.approx(0.2 * pc_per_arcsec(z) / 1e3, rel=0.1)
    assert distance["central"][0]


def test_a_galaxy_without_good_pixels_has_no_centre():
    blank = np.full((5, 5), np.nan)
    plane = reconstruct(cluster(), blank, blank, grid_wcs(5, 0.05), 0.05, 2.0, np.ones((5, 5), dtype=bool))
    distance = galactocentric_distances(cluster(), plane, clump_at(3.0, 0.0), 2.0)
    assert np.isnan(distance["distance_kpc"][0]) and not distance["central"][0]


@pytest.fixture
def map_files(tmp_path):
    """Maps of an isothermal sphere for D_LS / D_S = 1, deflections in pixels."""
    n, scale = 401, 0.2
    wcs = grid_wcs(n, scale)
    model = cluster(700.0)
    rows, columns = np.indices((n, n))
    x, y = model.offsets(*wcs.pixel_to_world_values(columns, rows))
    far = 1e9
    kappa, g1, g2 = model.convergence_shear(x, y, far)
    ax, ay = model.deflection(x, y, far)
    ratio = distance_ratio(0.4, far)
    # Pixel x grows to the West, as the model's x.
    for name, plane in {
        "kappa": kappa,
        "gamma1": g1,
        "gamma2": g2,
        "ax": ax / scale,
        "ay": ay / scale,
    }.items():
        fits.writeto(tmp_path / f"{name}.fits", plane / ratio, wcs.to_header())
    return tmp_path


def read(folder, **changes):
    paths = {
        "kappa": "kappa",
        "gamma1": "gamma1",
        "gamma2": "gamma2",
        "deflection_x": "ax",
        "deflection_y": "ay",
    }
    files = {key: str(folder / f"{name}.fits") for key, name in paths.items()}
    return read_maps(
        **{**files, "z_lens": 0.4, "normalisation": {"dls_ds": 1.0}, "deflection_unit": "pixel", **changes}
    )


def test_maps_agree_with_the_potential_they_were_made_from(map_files):
    maps, model = read(map_files), cluster(700.0)
    ra, dec = model.sky(np.array([9.0, -7.3, 12.2]), np.array([8.1, -10.0, 0.4]))
    np.testing.assert_allclose(
        maps.magnification(ra, dec, 2.0)[0], model.magnification(ra, dec, 2.0)[0], rtol=0.01
    )
    traced, expected = maps.source_position(ra, dec, 2.0), model.source_position(ra, dec, 2.0)
    here = [np.diff(traced[0]), np.diff(traced[1])]
    np.testing.assert_allclose(here, [np.diff(expected[0]), np.diff(expected[1])], atol=0.01)
    outside = magnify_clumps(maps, Table({"id": ["a"], "ra": [12.0], "dec": [0.0]}), 2.0)
    assert describe(outside["flags"][0]) == ["outside_model"] and np.isnan(outside["mu"][0])


def test_maps_need_units_and_one_grid(map_files):
    with pytest.raises(InputError, match="arcsec"):
        read(map_files, deflection_unit=None)
    fits.writeto(map_files / "small.fits", np.zeros((3, 3)))
    with pytest.raises(InputError, match=r"as .*kappa.fits"):
        read(map_files, gamma2=str(map_files / "small.fits"))
