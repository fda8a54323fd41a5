"""The host's light under the clumps, against discs and arcs drawn by other means."""

import numpy as np
import pytest
from astropy.table import Table
from clump_scenes import PSF_PARTS, Field, draw_clump, draw_psf
from clumpscope.flags import has
from clumpscope.photometry import fit_clumps
from clumpscope.photometry.boxes import make_box
from clumpscope.photometry.compiled.hosts import evidences
from clumpscope.photometry.host import Host, bright_surroundings, plane, rise_towards
from clumpscope.photometry.noise import Correlation
from scipy.stats import multivariate_normal

KERNEL = draw_psf()
SIDE, MIDDLE = 41, 20


def exponential_disc(scale, x, y):
    """Peak 1 before the PSF, which is a sum of Gaussians: convolved on a grid three times finer, averaged over pixels."""
    fine = (np.arange(3 * 81) - 121) / 3.0
    disc = np.exp(-np.hypot(fine - (x - MIDDLE), fine[:, None] - (y - MIDDLE)) / scale)
    wave = 2 * np.pi * np.fft.fftfreq(fine.size, 1 / 3)
    k2 = wave**2 + wave[:, None] ** 2
    seen = sum(weight * np.exp(-0.5 * k2 * width**2) for weight, width in PSF_PARTS)
    image = np.fft.ifft2(np.fft.fft2(disc) * seen).real.reshape(81, 3, 81, 3).mean(axis=(1, 3))
    return image[MIDDLE : MIDDLE + SIDE, MIDDLE : MIDDLE + SIDE]


def pulls(forced, scale, seeds, peak=20.0, snr=30.0):
    """(flux - truth) / error, and flags, of point sources at 1 to 2 scales from the centre of a disc."""
    flux = snr / np.sqrt(np.sum(draw_clump((31, 31), 15, 15) ** 2))
    rows = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        x, y = MIDDLE + rng.uniform(-0.5, 0.5, 2)
        distance, angle = scale * rng.uniform(1, 2), rng.uniform(0, 2 * np.pi)
        image = peak * exponential_disc(scale, x + distance * np.cos(angle), y + distance * np.sin(angle))
        image += flux * draw_clump((SIDE, SIDE), x, y, oversampling=5) + rng.normal(0, 1, (SIDE, SIDE))
        shape = Table({"sigma_x_px": [0.0], "sigma_y_px": [0.0], "theta_deg": [0.0]}) if forced else None
        start = np.array([x, y]) + rng.normal(0, 0.2, 2)
        fitted = fit_clumps(image, np.ones(image.shape), KERNEL, [start[0]], [start[1]], shape=shape)[0]
        rows.append(((fitted["flux"] - flux) / fitted["flux_err"], fitted["flags"]))
    pull, flags = np.array(rows).T
    return pull, flags.astype(int)


@pytest.mark.parametrize(("forced", "scale"), [(True, 6.0), (True, 12.0), (False, 12.0)])
def test_errors_of_clumps_on_discs_are_honest(forced, scale):
    pull, flags = pulls(forced, scale, range(32))
    kept = ~has(flags, "host_dominated")
    assert kept.mean() > 0.9
    # The width of 32 pulls is known to 13 per cent, their median to 0.2.
    low, high = np.percentile(pull[kept], [15.87, 84.13])
    assert 0.65 < (high - low) / 2 < 1.35
    assert abs(np.median(pull[kept])) < 0.6
    assert np.mean(np.abs(pull[kept]) < 3) > 0.9
    assert not has(flags, "poor_model").any()


def test_ridges_are_not_taken_for_light_of_the_clumps():
    """Point sources of S/N 150 beside the ridge of an arc 9 px wide and 30 times the noise high, free shapes."""
    rng, flux = np.random.default_rng(1), 150.0 / np.sqrt(np.sum(draw_clump((31, 31), 15, 15) ** 2))
    measured = {0.0: [], 4.0: []}
    for _ in range(20):
        x, y = MIDDLE + rng.uniform(-0.5, 0.5, 2)
        across = np.arange(SIDE) - MIDDLE - rng.uniform(-3, 3)
        image = np.tile(30.0 * np.exp(-0.5 * (across / 4.0) ** 2)[:, None], (1, SIDE))
        image += flux * draw_clump((SIDE, SIDE), x, y, oversampling=5) + rng.normal(0, 1, (SIDE, SIDE))
        for host_fwhm, ratios in measured.items():
            fitted = fit_clumps(image, np.ones(image.shape), KERNEL, [x], [y], host_fwhm=host_fwhm)
            ratios.append(fitted["flux"][0] / flux)
    plane_alone, host = (np.median(ratios) for ratios in measured.values())
    assert abs(host - 1.0) < 0.25 * abs(plane_alone - 1.0)


def test_clumps_beside_thin_arcs_have_honest_errors():
    """Point sources of S/N 40, forced, near the ridge of arcs no wider than the PSF and 100 times the noise high."""
    flux, shape = (
        40.0 / np.sqrt(np.sum(draw_clump((31, 31), 15, 15) ** 2)),
        Table({"sigma_x_px": [0.0], "sigma_y_px": [0.0], "theta_deg": [0.0]}),
    )
    rows, columns = np.indices((SIDE, SIDE)) - MIDDLE
    pull, ratio = [], []
    for seed in range(32):
        rng = np.random.default_rng(100 + seed)
        (x, y), angle, off = MIDDLE + rng.uniform(-0.5, 0.5, 2), rng.uniform(0, np.pi), rng.uniform(-1.5, 1.5)
        along = np.cos(angle) * columns + np.sin(angle) * rows
        across = np.cos(angle) * rows - np.sin(angle) * columns - off - 0.01 * along**2
        image = 100.0 * np.exp(-0.5 * (across / 2.2) ** 2 - 0.5 * ((along - rng.uniform(-8, 8)) / 12.0) ** 2)
        image += flux * draw_clump((SIDE, SIDE), x, y, oversampling=5) + rng.normal(0, 1, (SIDE, SIDE))
        fitted = fit_clumps(image, np.ones(image.shape), KERNEL, [x], [y], shape=shape)[0]
        pull.append((fitted["flux"] - flux) / fitted["flux_err"])
        ratio.append(fitted["flux"] / flux)
    # The width of 32 pulls is known to 13 per cent, their median to 0.2.
    low, middle, high = np.percentile(pull, [15.87, 50.0, 84.13])
    assert (high - low) / 2 < 1.35 and abs(middle) < 0.6
    # A round process knows the fluxes half as well: it does not know that the arc goes on.
    low, middle, high = np.percentile(ratio, [15.87, 50.0, 84.13])
    assert abs(middle - 1.0) < 0.05 and (high - low) / 2 < 0.09


def test_a_clump_on_the_centre_of_a_disc_is_flagged():
    """There, more and less of a clump is what differs between discs of one scale and another."""
    rng = np.random.default_rng(3)
    flags = []
    for _ in range(10):
        x, y = MIDDLE + rng.uniform(-0.5, 0.5, 2)
        image = 30 * exponential_disc(5.0, x, y) + 100 * draw_clump((SIDE, SIDE), x, y, oversampling=5)
        image += rng.normal(0, 1, image.shape)
        flags.append(fit_clumps(image, np.ones(image.shape), KERNEL, [x], [y])["flags"][0])
    assert has(np.array(flags), "host_dominated").mean() >= 0.8


def test_the_rise_of_a_bowl_is_that_of_its_formula():
    """Means of c r^2 over rings from a to b are c (a^2 + b^2) / 2; a slope has none, whatever pixels are missing."""
    fwhm, x, y = 8.0, np.array([30.3, 30.3]), np.array([29.8, 29.8])
    rows, columns = np.indices((61, 61))
    bowl = -0.3 * ((columns - x[0]) ** 2 + (rows - y[0]) ** 2) + 5.0 * columns
    good = np.ones(bowl.shape, dtype=bool)
    expected = np.pi * fwhm**2 * 0.3 * fwhm**2 * (1.7**2 - 0.8**2) / 2
    np.testing.assert_allclose(rise_towards(bowl, good, x, y, fwhm), expected, rtol=0.02)
    assert rise_towards(-bowl, good, x[:1], y[:1], fwhm) == 0.0
    good[:, 35:], bowl[:, 35:] = False, 1e6
    assert rise_towards(bowl, good, x[:1], y[:1], fwhm) == pytest.approx(expected, rel=0.1)
    assert rise_towards(bowl, good, np.array([-30.0]), np.array([5.0]), fwhm) == 0.0


def test_a_nucleus_under_a_clump_is_in_its_error():
    """Discs as small as the PSF on top of larger ones: what no smooth mode follows. By the modes alone half are more than 2 errors off."""
    pull = []
    for seed in range(24):
        rng = np.random.default_rng(300 + seed)
        x, y = MIDDLE + rng.uniform(-0.5, 0.5, 2)
        off = rng.normal(0.0, 1.5, 2)
        image = 20.0 * exponential_disc(8.0, x + off[0], y + off[1])
        image += 150.0 * exponential_disc(1.5, x + off[0], y + off[1])
        flux = 60.0 / np.sqrt(np.sum(draw_clump((31, 31), 15, 15) ** 2))
        image += flux * draw_clump((SIDE, SIDE), x, y, oversampling=5) + rng.normal(0, 1, (SIDE, SIDE))
        shape = Table({"sigma_x_px": [0.0], "sigma_y_px": [0.0], "theta_deg": [0.0]})
        fitted = fit_clumps(image, np.ones(image.shape), KERNEL, [x], [y], shape=shape)[0]
        pull.append((fitted["flux"] - flux) / fitted["flux_err"])
    assert np.mean(np.abs(pull) < 2) > 0.8


@pytest.mark.parametrize("pedestal", [0.0, 5.0])
def test_isolated_clumps_on_flat_sky_have_no_host(pedestal):
    """Without a pedestal nothing is looked for; on one, noise is taken for a host now and then."""
    field = Field(49, 30.0, 1.0, 0.6, seed=2)
    image = field.image + pedestal * field.error
    args = (image, field.error, KERNEL, field.start_x, field.start_y)
    plane_alone, host = fit_clumps(*args, host_fwhm=0.0), fit_clumps(*args)
    same = plane_alone["flux"] == host["flux"]
    assert same.all() if pedestal == 0.0 else same.mean() > 0.7
    assert not has(host["flags"], "host_dominated").any()


def test_modes_describe_discs_and_width_follows_them():
    """Least squares with the modes leaves little of a disc; the prior's width grows with the disc, and is none on noise."""
    host = Host(KERNEL, 3.0, Correlation(np.ones((1, 1))), 1.0)
    box = make_box(np.ones((SIDE, SIDE)), np.array([20.0]), np.array([20.0]), 13)
    disc = box.of(exponential_disc(6.0, 26.0, 17.0))
    left = []
    for n_modes in (0, 24):
        terms = np.concatenate([plane((13, 13)).terms, host._modes((13, 13))[:n_modes]]).reshape(
            3 + n_modes, -1
        )
        left.append(np.std(disc.ravel() - terms.T @ np.linalg.lstsq(terms.T, disc.ravel(), rcond=None)[0]))
    assert left[1] < 0.04 * left[0]
    nothing = np.zeros((0, 13, 13))
    noise = [box.of(np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE))) for seed in range(20)]
    assert np.mean([host.background(box, image, nothing).width > 0 for image in noise]) <= 0.25
    widths = [
        [host.background(box, image + peak * disc, nothing).width for image in noise]
        for peak in (10.0, 100.0)
    ]
    assert np.median(widths[1]) == pytest.approx(10 * np.median(widths[0]), rel=0.5)
    # A clump is no host.
    clump = box.of(200 * draw_clump((SIDE, SIDE), 20.0, 20.0))
    beside = host.background(box, noise[0] + clump, box.of(draw_clump((SIDE, SIDE), 20.0, 20.0))[None])
    assert (
        beside.width
        == host.background(box, noise[0], box.of(draw_clump((SIDE, SIDE), 20.0, 20.0))[None]).width
    )


def test_evidences_are_those_of_gaussian_densities():
    rng = np.random.default_rng(4)
    widths = np.array([0.0, 0.3, 4.0, 500.0])
    for m in (1, 2, 9):
        noise, light = (rng.normal(size=(3, m, m)) for _ in range(2))
        noise = noise @ noise.transpose(0, 2, 1) + 0.1 * np.eye(m)
        # Not all modes have light.
        light[1, :, m // 2 :] = 0.0
        found = 3.0 * rng.normal(size=(3, m))
        rises = evidences(noise, light, found, widths)
        for data, covariance, bright, rise in zip(found, noise, light, rises, strict=True):
            alone = multivariate_normal(cov=covariance).logpdf(data)
            for width, value in zip(widths, rise, strict=True):
                both = multivariate_normal(cov=covariance + width**2 * bright @ bright.T).logpdf(data)
                assert value == pytest.approx(both - alone, rel=1e-7, abs=1e-7)


def test_same_flux_as_lmfit_on_a_host():
    image = 20 * exponential_disc(6.0, 25.0, 22.0) + 150 * draw_clump((SIDE, SIDE), 20.3, 19.8)
    image += np.random.default_rng(1).normal(0, 1, image.shape)
    shape = Table({"sigma_x_px": [0.0], "sigma_y_px": [0.0], "theta_deg": [0.0]})
    args = (image, np.ones(image.shape), KERNEL, [20.0], [20.0])
    fast, slow = (fit_clumps(*args, shape=shape, method=method)[0] for method in ("projection", "lmfit"))
    assert fast["flux"] == pytest.approx(slow["flux"], abs=0.15 * fast["flux_err"])
    assert fast["background"] == pytest.approx(slow["background"], abs=0.1)
    assert fast["flux_err"] == pytest.approx(slow["flux_err"], rel=0.15)


def test_shares_of_bright_surroundings_are_counted_pixels():
    """Bit by bit those of a slow count, also where a share is just a half."""
    rng = np.random.default_rng()
    significance, side = rng.normal(1.0, 1.0, (60, 50)), 13
    share, inner = bright_surroundings(significance, side), 2 * (side // 4) + 1
    padded = np.pad(significance > 1.0, side // 2, mode="edge")
    for row, column in rng.integers(0, 50, (200, 2)):
        within = padded[row : row + side, column : column + side]
        edge = (side - inner) // 2
        bright = within.sum() - within[edge : side - edge, edge : side - edge].sum()
        assert share[row, column] == np.float32(bright / (side**2 - inner**2))
