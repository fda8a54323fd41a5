"""The mock cluster, whose lens is coded apart from the workflow's: fluxes and their ratios from image to source."""

import numpy as np
import pytest
from astropy.table import Table
from astropy.wcs import WCS
from clumpscope.lensing import read_lenstool
from clumpscope.lensing.clumps.magnification import magnify_clumps
from clumpscope.lensing.clumps.source_plane import reconstruct
from clumpscope.lensing.clumps.systems import compare_systems
from clumpscope.mock.cluster import make_cluster
from clumpscope.mock.field import REFERENCE
from clumpscope.mock.lens import find_images
from clumpscope.mock.lens_files import lens_posterior, write_lens

Z = 2.5
SIGMA = 0.004  # of the sources [arcsec]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """The mock's lens and the workflow's reading of its files."""
    folder = tmp_path_factory.mktemp("lens")
    lens, _ = make_cluster(np.random.default_rng(5), 40.0)
    rng = np.random.default_rng(6)
    write_lens(folder, lens, lens_posterior(lens, rng, 1.0), rng, REFERENCE)
    return lens, read_lenstool(folder / "best.par", samples=folder / "bayes.dat")


def stamp(lens, x, y, source, half=0.6, n=241):
    """Image of a Gaussian source around (x, y) by the mock's lens: positions, brightness, flux."""
    axis = np.linspace(-half, half, n)
    px, py = np.meshgrid(x + axis, y + axis)
    sx, sy = lens.source(px, py, Z)
    brightness = np.exp(-((sx - source[0]) ** 2 + (sy - source[1]) ** 2) / (2 * SIGMA**2))
    return px, py, brightness, brightness.sum() * (axis[1] - axis[0]) ** 2


def moderate_images(lens, model, source):
    """Images whose magnification hardly changes over the source."""
    images = np.array(find_images(lens, *source, Z, 40.0))
    mu = np.abs(model.magnification(*model.sky(*images.T), Z)[0])
    return images[(mu > 1.5) & (mu < 15.0)]


SOURCES = [(-1.0, -0.5), (0.5, -2.0), (-3.0, -2.0), (4.0, 3.0), (-6.0, 5.0)]


def test_flux_in_the_image_is_mu_times_that_in_the_source(scene):
    lens, model = scene
    compared = 0
    for source in SOURCES:
        for x, y in moderate_images(lens, model, source):
            *_, flux = stamp(lens, x, y, source)
            ra, dec = model.sky(np.array([x]), np.array([y]))
            mu = magnify_clumps(model, Table({"id": ["a"], "ra": ra, "dec": dec}), Z, n_samples=0)["mu"][0]
            assert flux / (2 * np.pi * SIGMA**2) == pytest.approx(mu, rel=0.01)
            compared += 1
    assert compared >= 6


def test_images_of_one_source_have_one_position_and_one_intrinsic_flux(scene):
    lens, model = scene
    rows = []
    for number, source in enumerate(SOURCES[:3]):
        for k, (x, y) in enumerate(moderate_images(lens, model, source)):
            ra, dec = model.sky(x, y)
            rows.append(
                (f"{number}.{k}", str(number), float(ra), float(dec), Z, stamp(lens, x, y, source)[3])
            )
    table = compare_systems(
        model, Table(rows=rows, names=("id", "system", "ra", "dec", "z", "f")), fluxes=["f"]
    )
    assert len(set(table["system"])) >= 2 and (table["rms_arcsec"] < 1e-4).all()
    np.testing.assert_allclose(table["intrinsic_f"], 2 * np.pi * SIGMA**2, rtol=0.01)


def test_source_plane_of_the_mocks_images(scene):
    lens, model = scene
    source = (4.0, 3.0)
    (x, y), *_ = moderate_images(lens, model, source)
    _, _, brightness, _ = stamp(lens, x, y, source, n=401)
    scale = 1.2 / 400
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [float(v) for v in model.sky(x, y)]
    wcs.wcs.crpix, wcs.wcs.cdelt = (201.0, 201.0), (-scale / 3600, scale / 3600)
    error = np.full(brightness.shape, 1e-12)
    plane = reconstruct(model, brightness * scale**2, error, wcs, scale, Z, brightness > 1e-6)
    assert (plane.x, plane.y) == pytest.approx(source, abs=2e-4)
    assert plane.flux_njy == pytest.approx(2 * np.pi * SIGMA**2, rel=0.01)
