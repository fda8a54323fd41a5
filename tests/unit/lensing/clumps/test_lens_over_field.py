"""The lens over a field: the redshift it is for, its extent, its critical lines on the sky."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from clumpscope.lensing import read_maps
from clumpscope.lensing.clumps.field import map_field
from clumpscope.lensing.clumps.products import write_field_map
from unit.lensing.lens_scenes import Z_LENS, cluster, einstein, grid_wcs


def galaxies_at(x, y, z):
    ra, dec = cluster().sky(np.array(x), np.array(y))
    return Table({"ra": ra, "dec": dec, "z": z})


def test_map_and_critical_line_of_a_sphere(tmp_path):
    galaxies = galaxies_at([-20.0, 18.0, 5.0, 0.0], [-12.0, 15.0, 5.0, 1.0], [1.5, 2.0, 3.0, 0.2])
    field = map_field(cluster(600.0), galaxies, n_pixels=200)
    assert field.z_source == 2.0  # the median of those behind the lens
    rows, columns = np.indices(field.mu.shape)
    x, y = cluster().offsets(*field.wcs.pixel_to_world_values(columns, rows))
    assert x.min() < -22 and x.max() > 20 and y.min() < -14 and y.max() > 17
    r = np.hypot(x, y)
    far = np.abs(r - einstein(600.0)) > 1.0
    far &= r > 1.5
    np.testing.assert_allclose(field.mu[far], 1 / (1 - einstein(600.0) / r[far]), rtol=2e-3)
    # East is left, North is up.
    assert field.wcs.pixel_to_world_values(0, 0)[0] > field.wcs.pixel_to_world_values(10, 0)[0]
    ring = field.lines[field.lines["kind"] == "tangential"]
    np.testing.assert_allclose(
        np.hypot(*cluster().offsets(ring["ra"], ring["dec"])), einstein(600.0), rtol=2e-3
    )
    caustic = cluster().offsets(ring["source_ra"], ring["source_dec"])
    assert np.hypot(*caustic).max() < 0.05
    write_field_map(tmp_path / "map.fits", field)
    with fits.open(tmp_path / "map.fits") as hdus:
        assert hdus[0].header["ZSOURCE"] == 2.0 and WCS(hdus[0].header).has_celestial
        np.testing.assert_allclose(hdus[0].data, field.mu, rtol=1e-6)


def test_a_field_without_galaxies_is_that_of_the_model():
    field = map_field(cluster(600.0), galaxies_at([], [], []), n_pixels=60)
    assert field.z_source == pytest.approx(Z_LENS + 1.0) and (field.lines["kind"] == "tangential").any()


def test_a_map_of_the_magnification_alone_keeps_its_redshift_and_has_no_lines(tmp_path):
    wcs, n = grid_wcs(201, 0.4), 201
    rows, columns = np.indices((n, n))
    mu = cluster(600.0).magnification(*wcs.pixel_to_world_values(columns, rows), 2.0)[0]
    fits.writeto(tmp_path / "mu.fits", mu, wcs.to_header())
    model = read_maps(z_lens=Z_LENS, normalisation={"z_source": 2.0}, magnification=str(tmp_path / "mu.fits"))
    field = map_field(model, galaxies_at([-9.0, 8.0], [3.0, -9.0], [1.0, 1.2]), n_pixels=50)
    assert field.z_source == 2.0 and len(field.lines) == 0 and np.isfinite(field.mu).all()
