"""PSFs, depths and detections on real NIRCam data."""

import numpy as np
import pytest
from astropy.io import fits
from clumpscope.images.centring import core_centroid, shifted
from clumpscope.images.cutouts import Cutout
from clumpscope.images.depth import measure_depth
from clumpscope.images.detection import detect_clumps
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.noise import aperture_inflation
from clumpscope.images.profiles import encircled_sums
from clumpscope.images.psf_compact import compact_sources, doubts_of_compact, unlike_images
from clumpscope.images.psf_given import load_psf
from clumpscope.images.stars import star_candidates

# FWHM [mas] stated with F22's PSFs.
FWHM_MAS = {"F090W": 82, "F150W": 63, "F200W": 90, "F277W": 120, "F356W": 123, "F444W": 174}
SHORT = ("F090W", "F115W", "F150W", "F200W")


def f22(shared_data, name):
    scale = 0.02 if name in SHORT else 0.04
    return load_psf(shared_data / f"real/psf/faisst2022/{name.lower()}_psf.fits", scale, name)


def grizli(shared_data, name, module="smacs0723"):
    if module == "20mas":
        return load_psf(
            shared_data / f"real/psf/grizli_smacs0723/20mas/psf-smacs0723-{name.lower()}.fits", 0.02, name
        )
    detector = "nrca3" if name in SHORT else "nrca5"
    path = f"real/psf/grizli_smacs0723/psf-smacs0723-{detector}-{name.lower()}-smacs.fits"
    return load_psf(shared_data / path, 0.04, name)


def elgordo(shared_data, kind, name):
    folder = shared_data / "real/images/elgordo_arc"
    pattern = {"image": "final_matched", "background": "Background/Background", "psf": "PSF_model/"}[kind]
    (path,) = folder.glob(f"{pattern}*{name.lower()}*")
    return path


@pytest.mark.parametrize("name", FWHM_MAS)
def test_psfs_load_centred_and_normalised(shared_data, name):
    for psf in (f22(shared_data, name), grizli(shared_data, name), grizli(shared_data, name, "20mas")):
        middle = psf.kernel.shape[0] // 2
        assert psf.kernel.shape == (2 * middle + 1, 2 * middle + 1)
        np.testing.assert_allclose(core_centroid(psf.kernel, middle, middle), middle, atol=0.02)
        inside = encircled_sums(psf.kernel, np.array([0.4 / psf.pixel_scale_arcsec]))[0]
        assert inside == pytest.approx(1.0, abs=1e-6)
        assert 1.0 < psf.aperture_correction < 1.25
        energy = psf.encircled_energy
        assert energy[-1] == pytest.approx(1.0, abs=0.02) and np.interp(0.4, psf.radii_arcsec, energy) > 0.8


@pytest.mark.parametrize("name", FWHM_MAS)
def test_fwhm_of_f22(shared_data, name):
    # The file of F356W is 137-139 mas wide by every estimator tried (radial profile, area above half maximum,
    # Gaussian and row cuts), and grizli's independent model has 135: the stated 123 is 12 % off, hence 13 %.
    tolerance = 0.13 if name == "F356W" else 0.10
    assert f22(shared_data, name).fwhm_arcsec == pytest.approx(FWHM_MAS[name] * 1e-3, rel=tolerance)


def test_fwhm_of_two_pixel_scales_agree(shared_data):
    # The same model drizzled to 0.02 and 0.04 arcsec: long wavelengths, sampled well by both.
    for name in ("F277W", "F356W", "F444W"):
        fine, coarse = grizli(shared_data, name, "20mas"), grizli(shared_data, name)
        assert fine.fwhm_arcsec == pytest.approx(coarse.fwhm_arcsec, rel=0.03)
        assert fine.fwhm_arcsec == pytest.approx(f22(shared_data, name).fwhm_arcsec, rel=0.15)


def test_recorded_sums_are_those_of_the_files(shared_data):
    path = elgordo(shared_data, "psf", "F444W")
    psf = load_psf(path, 0.04, "F444W")
    assert psf.sum_before == pytest.approx(float(np.load(path)[0].sum()), rel=1e-5)
    assert any("1.91" in note for note in psf.notes)


@pytest.mark.parametrize("name", ["F090W", "F277W", "F444W"])
def test_depth_of_real_backgrounds(shared_data, name):
    mosaic = open_mosaic(elgordo(shared_data, "background", name), name=name)
    assert mosaic.njy_per_unit == pytest.approx(10.0)
    psf = load_psf(elgordo(shared_data, "psf", name), 0.04, name)
    depth = measure_depth(mosaic, psf)
    # Independent: photutils apertures at random places without missing pixels, local median taken off.
    from photutils.aperture import CircularAnnulus, CircularAperture, aperture_photometry

    image = fits.getdata(mosaic.path).astype(float) * 10
    rng = np.random.default_rng(0)
    where = rng.uniform(15, 385, (4000, 2))
    bad = np.isnan(image).astype(float)
    touched = aperture_photometry(bad, CircularAperture(where, 15))["aperture_sum"]
    where = where[np.asarray(touched) == 0]
    radius = depth.aperture_radius_arcsec / 0.04
    sums = np.asarray(
        aperture_photometry(np.nan_to_num(image), CircularAperture(where, radius))["aperture_sum"]
    )
    ring = CircularAnnulus(where, 10, 15)
    level = [np.median(mask.get_values(image)) for mask in ring.to_mask(method="center")]
    fluxes = sums - np.pi * radius**2 * np.array(level)
    scatter = 1.4826 * np.median(np.abs(fluxes - np.median(fluxes)))
    assert depth.sigma_aperture_njy == pytest.approx(scatter, rel=0.15)
    # The measured pixel correlation accounts for the scatter of the apertures, but for faint sources' tails.
    weights = CircularAperture((7, 7), radius).to_mask(method="exact").data
    assert depth.correlation_factor == pytest.approx(aperture_inflation(weights, depth.rho), rel=0.12)
    assert 27.5 < depth.mag_limit_ab < 30.0


@pytest.mark.parametrize(("name", "scale"), [("F115W", 0.03), ("F444W", 0.06)])
def test_cosmos_web_ring_without_wcs_and_unit(shared_data, name, scale):
    folder = shared_data / "real/images/cosmos_web_ring" / name
    mosaic = open_mosaic(
        folder / "data.fits", err=folder / "noise_map.fits", unit="MJy/sr", pixel_scale=scale, name=name
    )
    psf = load_psf(folder / "psf.fits", scale, name)
    depth = measure_depth(mosaic, psf)
    # The noise maps are 1.35 (short) and 2.4-2.9 times (long wavelengths) the scatter of the pixels.
    expected = {"F115W": 1 / 1.35, "F444W": 1 / 2.65}[name]
    assert depth.error_scale == pytest.approx(expected, rel=0.15)
    cutout = mosaic.cutout(180.0, 0.0, 8.0)
    table = detect_clumps(cutout, "ring", 180.0, 0.0, 2.0, psf.fwhm_arcsec, rho=depth.rho,
                          error_scale=depth.error_scale).table  # fmt: skip
    # The compact companion, 0.5" west and 1.17" south of the lens.
    east, north = (table["ra"] - 180.0) * 3600, table["dec"] * 3600
    assert (np.hypot(east + 0.49, north + 1.17) < 0.1).sum() == 1


def test_elgordo_arc_is_resolved_into_clumps(shared_data):
    mosaic = open_mosaic(elgordo(shared_data, "image", "F200W"), unit="10 nJy", name="F200W")
    ra, dec = mosaic.wcs.all_pix2world(60, 95, 0)
    table = detect_clumps(mosaic.cutout(ra, dec, 4.0), "arc", ra, dec, 1.2, 0.14).table
    assert 3 <= len(table) <= 12
    x, y = np.unravel_index(np.argmax(fits.getdata(mosaic.path)), mosaic.shape)[::-1]
    assert np.hypot(table["x"] - x, table["y"] - y).min() < 1.5


def test_injected_clumps_are_found_on_real_backgrounds(shared_data):
    """>= 90 % of clumps of S/N > 10 on a diffuse exponential galaxy, without a flood of false ones."""
    mosaic = open_mosaic(elgordo(shared_data, "background", "F444W"), name="F444W")
    psf = load_psf(elgordo(shared_data, "psf", "F444W"), 0.04, "F444W")
    depth = measure_depth(mosaic, psf)
    kernel = psf.kernel / psf.aperture_correction
    half = kernel.shape[0] // 2
    # Signal-to-noise of the best white-noise weighting, lowered by the noise's correlation.
    noise = depth.sigma_pixel_njy * aperture_inflation(kernel, depth.rho) / np.sqrt((kernel**2).sum())
    rng = np.random.default_rng(7)
    found = total = false = 0
    for x, y in np.ndindex(3, 3):
        empty = mosaic.cutout_pixels(70 + 120 * x, 70 + 120 * y, 55)
        if np.isfinite(empty.data).mean() < 0.95:
            continue
        rows, columns = np.indices(empty.data.shape) - 55
        disc = depth.sigma_pixel_njy * rng.uniform(3, 15) * np.exp(-np.hypot(rows, columns / 1.6) / 12)
        image = empty.data + disc
        truth = []
        while len(truth) < 8:
            place = rng.uniform(-25, 25, 2)
            if all(np.hypot(*(place - other)) > 9 for other in truth):
                truth.append(place)
        for place in truth:
            column, row = np.rint(place).astype(int) + 55
            stamp = shifted(kernel, *(place - np.rint(place))) * noise * rng.uniform(10, 40)
            image[row - half : row + half + 1, column - half : column + half + 1] += stamp
        cutout = Cutout(image, empty.error, empty.wcs, 0, 0, 0.04, "F444W")
        ra, dec = empty.wcs.all_pix2world(55, 55, 0)
        table = detect_clumps(cutout, "g", ra, dec, 1.6, psf.fwhm_arcsec, rho=depth.rho).table
        distance = np.hypot(
            *(np.array([table["x"], table["y"]])[:, :, None] - 55 - np.array(truth).T[:, None, :])
        )
        near = distance < 2.0
        found, total = found + near.any(axis=0).sum(), total + len(truth)
        false += (~near.any(axis=1)).sum()
    assert total >= 32
    assert found >= 0.9 * total
    assert false <= 0.3 * total


def test_the_smoothed_images_of_an_arc_are_told_from_their_filters_own_psfs(shared_data):
    """The arc's images have F444W's PSF, as their authors say; there are no stars on them."""
    names = ["F090W", "F115W", "F150W", "F200W", "F277W", "F356W", "F410M", "F444W"]

    def told(given):
        found = {}
        for name in names:
            mosaic = open_mosaic(
                elgordo(shared_data, "image", name), unit="10 nJy", pixel_scale=0.04, name=name
            )
            psf = load_psf(elgordo(shared_data, "psf", given or name), 0.04)
            found[name] = compact_sources(mosaic, psf, star_candidates(mosaic))
        return unlike_images(found)

    assert "were the images smoothed to one PSF?" in told(None)
    assert told("F444W") == ""


def test_the_right_psfs_of_a_ring_are_not_doubted(shared_data):
    found = {}
    for name, scale in {"F115W": 0.03, "F150W": 0.03, "F277W": 0.06, "F444W": 0.06}.items():
        folder = shared_data / "real/images/cosmos_web_ring" / name
        mosaic = open_mosaic(
            folder / "data.fits", err=folder / "noise_map.fits", unit="nJy", pixel_scale=scale, name=name
        )
        found[name] = compact_sources(
            mosaic, load_psf(folder / "psf.fits", scale, name), star_candidates(mosaic)
        )
    assert unlike_images(found) == "" and all(doubts_of_compact(table)[0] == "" for table in found.values())
