"""Clump fits on real NIRCam images: what is left of the pixels, and fluxes against large apertures."""

import numpy as np
import pytest
from clumpscope.flags import has
from clumpscope.images.centring import shifted
from clumpscope.images.depth import measure_depth
from clumpscope.images.detection import detect_clumps
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.psf_given import load_psf
from clumpscope.photometry.fit import fit_clumps, render_clumps
from clumpscope.photometry.galaxy import transform_shapes

N_DOF = 81 - 9  # pixels of the box, less flux, place, shape and plane
RING = {"F115W": 0.03, "F150W": 0.03, "F277W": 0.06, "F444W": 0.06}
ARC = ("F090W", "F115W", "F150W", "F200W", "F277W", "F356W", "F410M", "F444W")


def ring(shared_data, name):
    folder = shared_data / "real/images/cosmos_web_ring" / name
    mosaic = open_mosaic(
        folder / "data.fits", err=folder / "noise_map.fits", unit="MJy/sr", pixel_scale=RING[name], name=name
    )
    return mosaic, load_psf(folder / "psf.fits", RING[name], name)


def arc(shared_data, name):
    """All images are matched to the PSF of F444W."""
    folder = shared_data / "real/images/elgordo_arc"
    mosaic = open_mosaic(next(folder.glob(f"final_matched*{name.lower()}*")), unit="10 nJy", name=name)
    return mosaic, load_psf(next((folder / "PSF_model").glob("*f444w*")), 0.04, "F444W")


def whole(mosaic):
    """Cutout of (nearly) the whole image."""
    half = (min(mosaic.shape) - 1) // 2
    return mosaic.cutout_pixels(half, half, half)


@pytest.mark.parametrize("name", RING)
def test_companion_of_the_cosmos_web_ring_is_fitted_to_the_noise(shared_data, name):
    mosaic, psf = ring(shared_data, name)
    cutout = mosaic.cutout(180.0, 0.0, 6.0)
    x, y = cutout.wcs.world_to_pixel_values(180.0 - 0.49 / 3600, -1.17 / 3600)
    fitted = fit_clumps(cutout.data, cutout.error, psf.kernel, [x], [y])[0]
    assert fitted["snr"] > 5 and not has(fitted["flags"], ["fit_failed", "at_bound"])
    left = np.sqrt(fitted["chi2"] / N_DOF)
    assert left < 1.3
    if RING[name] == 0.03:
        # The noise maps are wider than the pixels scatter: in the long wavelengths, where they are cut off below at a
        # constant, by a factor of 2.5 to 2.9.
        assert left < 1.3 * measure_depth(mosaic, psf).error_scale


def test_clumps_of_the_el_gordo_arc_are_fitted_to_the_noise(shared_data):
    """Shapes of F200W, forced on all filters: the median clump leaves no more than 1.3 times the noise."""
    mosaic, psf = arc(shared_data, "F200W")
    depth, reference = measure_depth(mosaic, psf), whole(mosaic)
    ra, dec = reference.wcs.all_pix2world(74, 74, 0)
    found = detect_clumps(reference, "arc", ra, dec, 3.0, psf.fwhm_arcsec, rho=depth.rho).table
    left = {}
    for host_fwhm in (0.0, 4.0):
        x, y, shape = found["x"] - reference.x0, found["y"] - reference.y0, None
        for name in ("F200W", *(name for name in ARC if name != "F200W")):
            mosaic, _ = arc(shared_data, name)
            cutout, rho = whole(mosaic), measure_depth(mosaic, psf).rho
            fitted = fit_clumps(
                cutout.data, cutout.error, psf.kernel, x, y, shape=shape, rho=rho, host_fwhm=host_fwhm
            )
            alone = ~has(fitted["flags"], "blended") & np.isfinite(fitted["flux"])
            left[name, host_fwhm] = np.sqrt(fitted["chi2"][alone] / fitted["n_dof"][alone])
            if shape is None:
                shape = transform_shapes(fitted, reference.wcs, cutout.wcs)
                x, y = fitted["x"], fitted["y"]
    for name in ARC:
        print(name, *(f"{np.median(left[name, h]):.2f} {left[name, h].max():.1f}" for h in (0.0, 4.0)))
        # F444W is the one that was not smoothed: its pixels carry the pattern of the drizzling, 3 per cent of the light.
        assert np.median(left[name, 4.0]) < (1.3 if name != "F444W" else 2.0)
        assert left[name, 4.0].max() < left[name, 0.0].max()


def test_fluxes_agree_with_large_apertures(shared_data):
    """Point sources with the real PSF of F22 on the real sky: the fit gives the flux inside 0.4 arcsec."""
    from photutils.aperture import CircularAnnulus, CircularAperture, aperture_photometry

    (path,) = (shared_data / "real/images/elgordo_arc/Background").glob("*f444w*")
    mosaic = open_mosaic(path, name="F444W")
    psf = load_psf(shared_data / "real/psf/faisst2022/f444w_psf.fits", 0.04, "F444W")
    depth = measure_depth(mosaic, psf)
    sky, _ = mosaic.read(slice(0, 400), slice(0, 400))
    rng, half = np.random.default_rng(2), psf.kernel.shape[0] // 2
    places = []
    for x, y in rng.uniform(30, 369, (2000, 2)):
        patch = sky[round(y) - 22 : round(y) + 23, round(x) - 22 : round(x) + 23]
        if np.isfinite(patch).all() and all(np.hypot(x - a, y - b) > 45 for a, b in places):
            places.append((x, y))
    assert len(places) > 15
    flux = 60 * depth.sigma_aperture_njy
    image = sky.copy()
    for x, y in places:
        column, row = round(x), round(y)
        part = np.s_[row - half : row + half + 1, column - half : column + half + 1]
        image[part] += flux * shifted(psf.kernel, x - column, y - row)
    x, y = np.array(places).T
    error = np.full(image.shape, depth.sigma_pixel_njy)
    for box in (9, "adaptive"):
        fitted = fit_clumps(image, error, psf.kernel, x, y, box=box, rho=depth.rho)
        aperture = aperture_photometry(np.nan_to_num(image), CircularAperture(places, 0.4 / 0.04))[
            "aperture_sum"
        ]
        rings = CircularAnnulus(places, 30, 36).to_mask(method="center")
        level = np.array([np.nanmedian(ring.get_values(image)) for ring in rings])
        ratio = np.asarray(fitted["flux"]) / (np.asarray(aperture) - level * np.pi * 100)
        assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
        assert np.median(fitted["flux"]) == pytest.approx(flux, rel=0.03)


@pytest.mark.parametrize(
    ("open_", "names", "places"),
    [
        (ring, ("F277W", "F444W"), [(79.5, 174.5)]),
        (ring, ("F150W", "F115W"), [(159, 350)]),
        (arc, ("F277W", *(name for name in ARC if name != "F277W")), [(41, 62)]),
    ],
    ids=["ring-long", "ring-short", "arc"],
)
def test_isolated_galaxies_agree_with_large_apertures(shared_data, open_, names, places):
    """The isolated source of each field with 50 times the noise in 0.4 arcsec, in large boxes without a host.

    Neither is a point source or a Gaussian: their wings are what is missing. In the boxes of clumps they are host.
    """
    from photutils.aperture import CircularAnnulus, CircularAperture, aperture_photometry

    (x, y), shape, ratios = np.array(places, dtype=float).T, None, []
    for name in names:
        mosaic, psf = open_(shared_data, name)
        cutout, depth, scale = whole(mosaic), measure_depth(mosaic, psf), mosaic.pixel_scale_arcsec
        fitted = fit_clumps(cutout.data, cutout.error, psf.kernel, x, y, box=41, shape=shape, host_fwhm=0.0,
                            rho=depth.rho, error_scale=depth.error_scale)  # fmt: skip
        if shape is None:
            shape, x, y = transform_shapes(fitted, cutout.wcs, cutout.wcs), fitted["x"], fitted["y"]
        place = np.column_stack([fitted["x"], fitted["y"]])
        fluxes = []
        for image in (render_clumps(fitted, psf.kernel, cutout.data.shape), np.nan_to_num(cutout.data)):
            rings = CircularAnnulus(place, 0.8 / scale, 1.1 / scale).to_mask(method="center")
            level = np.array([np.median(part.get_values(image)) for part in rings])
            sums = aperture_photometry(image, CircularAperture(place, 0.4 / scale))["aperture_sum"]
            fluxes.append(np.asarray(sums) - level * np.pi * (0.4 / scale) ** 2)
        ratios.append((fluxes[0] / fluxes[1])[0])
    print(dict(zip(names, np.round(ratios, 2), strict=True)))
    # The goal of 5 per cent holds for point sources (above).
    assert np.median(ratios) == pytest.approx(1.0, abs=0.10)
