"""Fits of clumps against images drawn by other means."""

import numpy as np
import pytest
from astropy.table import Table
from clump_scenes import Field, draw_clump, draw_psf
from clumpscope.errors import InputError
from clumpscope.flags import FLAGS, has
from clumpscope.photometry import fit_clumps
from scipy.signal import fftconvolve

KERNEL = draw_psf()
FLAT = np.full((31, 31), 1e-4)


def scatter(values):
    return 1.4826 * np.median(np.abs(values - np.median(values)))


@pytest.mark.parametrize(
    ("sigma_x", "sigma_y", "theta"),
    [
        (0.0, 0.0, 0.0),
        (0.5, 0.5, 0.0),
        (0.9, 0.0, 40.0),
        (1.0, 0.6, 30.0),
        (2.0, 1.2, -60.0),
        (1.5, 1.5, 0.0),
    ],
)
def test_shape_and_flux_without_noise(sigma_x, sigma_y, theta):
    image = 3.0 * draw_clump((31, 31), 15.3, 14.8, sigma_x, sigma_y, theta)
    image += 0.02 + 0.001 * (np.arange(31) - 15.0)
    fitted = fit_clumps(image, FLAT, KERNEL, [15.0], [15.0])[0]
    assert fitted["flux"] == pytest.approx(3.0, rel=2e-3)
    assert fitted["x"] == pytest.approx(15.3, abs=2e-3)
    assert fitted["y"] == pytest.approx(14.8, abs=2e-3)
    assert fitted["sigma_x_px"] == pytest.approx(sigma_x, abs=0.03)
    assert fitted["sigma_y_px"] == pytest.approx(sigma_y, abs=0.06)
    # The wings beyond the box's plane are faint: the plane is the one put in.
    assert fitted["background"] == pytest.approx(0.02, abs=1e-3)
    if sigma_x > sigma_y:
        assert fitted["theta_deg"] == pytest.approx(theta, abs=1.0)


@pytest.mark.parametrize(
    ("snr", "sigma_x", "sigma_y"), [(30, 0.0, 0.0), (30, 1.0, 0.7), (40, 1.5, 1.0), (50, 2.0, 1.5)]
)
def test_fluxes_are_unbiased_and_errors_honest(snr, sigma_x, sigma_y):
    field = Field(100, snr, sigma_x, sigma_y, seed=11)
    fitted = fit_clumps(field.image, field.error, KERNEL, field.start_x, field.start_y)
    spread = scatter(fitted["flux"])
    assert abs(np.median(fitted["flux"]) - 1.0) < max(0.02, 3.0 * 1.25 * spread / 10)
    pull = (fitted["flux"] - 1.0) / fitted["flux_err"]
    assert 0.6 < scatter(pull) < 1.4
    assert np.isfinite(fitted["flux_err"]).all()
    if sigma_x == 0.0:
        assert np.mean(has(fitted["flags"], "unresolved")) > 0.9
        assert (fitted["sigma_limit_px"][has(fitted["flags"], "unresolved")] > 0).all()
    else:
        assert np.mean(has(fitted["flags"], "unresolved")) < 0.05
        for name, truth in (("sigma_x_px", sigma_x), ("sigma_y_px", sigma_y)):
            assert abs(np.median(fitted[name]) - truth) < 3 * 1.25 * scatter(fitted[name]) / 10 + 0.03
            assert 0.5 < scatter((fitted[name] - truth) / fitted[f"{name}_err"]) < 1.6


def test_limits_hold_the_true_size():
    field = Field(100, 15, 0.3, 0.3, seed=5)
    fitted = fit_clumps(field.image, field.error, KERNEL, field.start_x, field.start_y)
    unresolved = has(fitted["flags"], "unresolved")
    assert unresolved.mean() > 0.7
    assert np.mean(fitted["sigma_limit_px"][unresolved] > 0.3) > 0.95
    assert np.median(fitted["sigma_limit_px"][unresolved]) < 1.5


def test_forced_fit_keeps_the_shape_and_is_tighter():
    field = Field(64, 20, 1.0, 0.6, seed=3)
    shape = Table(
        {"sigma_x_px": np.full(64, 1.0), "sigma_y_px": np.full(64, 0.6), "theta_deg": np.full(64, 30.0)}
    )
    forced = fit_clumps(field.image, field.error, KERNEL, field.start_x, field.start_y, shape=shape)
    assert abs(np.mean(forced["flux"]) - 1.0) < 3 * np.std(forced["flux"]) / 8
    assert (forced["sigma_x_px"] == 1.0).all()
    assert 0.75 < np.std((forced["flux"] - 1.0) / forced["flux_err"]) < 1.25
    free = fit_clumps(field.image, field.error, KERNEL, field.start_x, field.start_y)
    assert np.median(forced["flux_err"]) < np.median(free["flux_err"])


@pytest.mark.parametrize("snr", [0.01, 3.0, 8.0, 20.0])
def test_forced_fluxes_are_unbiased_and_calibrated_at_any_signal_to_noise(snr):
    field = Field(400, snr, 1.0, 0.7, seed=21)
    shape = Table(
        {"sigma_x_px": np.full(400, 1.0), "sigma_y_px": np.full(400, 0.7), "theta_deg": np.full(400, 30.0)}
    )
    fitted = fit_clumps(field.image, field.error, KERNEL, field.start_x, field.start_y, shape=shape)
    assert np.isfinite(fitted["flux"]).all()
    pull = (fitted["flux"] - 1.0) / fitted["flux_err"]
    assert abs(np.median(pull)) < 3 * 1.25 / 20
    assert 0.87 < scatter(pull) < 1.13


@pytest.mark.parametrize("sigma", [0.0, 0.4])
def test_clumps_too_small_to_be_seen_have_unbiased_fluxes(sigma):
    field = Field(1200, 20, sigma, sigma, seed=41)
    fitted = fit_clumps(field.image, field.error, KERNEL, field.start_x, field.start_y)
    assert abs(np.median(fitted["flux"]) - 1.0) < 3 * 1.25 * scatter(fitted["flux"]) / np.sqrt(1200)
    assert 0.9 < scatter((fitted["flux"] - 1.0) / fitted["flux_err"]) < 1.1
    assert (fitted["sigma_x_px"] >= 0.0).all()


@pytest.mark.parametrize(("snr", "sigma"), [(20.0, (0.0, 0.0)), (20.0, (1.0, 0.7)), (40.0, (2.0, 1.5))])
def test_errors_of_shapes_reach_forced_fluxes(snr, sigma):
    """Shapes of a shallow image, forced on a deep one: its fluxes are as uncertain as the shapes make them."""
    shallow, deep = Field(150, snr, *sigma, seed=31), Field(150, 150, *sigma, seed=31)
    shapes = fit_clumps(shallow.image, shallow.error, KERNEL, shallow.start_x, shallow.start_y)
    args = (deep.image, deep.error, KERNEL, shapes["x"], shapes["y"])
    aware = fit_clumps(*args, shape=shapes)
    exact = fit_clumps(*args, shape=shapes[["moments"]])
    np.testing.assert_array_equal(aware["flux"], exact["flux"])
    assert abs(np.median(aware["flux"]) - 1.0) < 3 * 1.25 * scatter(aware["flux"]) / np.sqrt(150)
    assert 0.8 < scatter((aware["flux"] - 1.0) / aware["flux_err"]) < 1.25
    assert scatter((exact["flux"] - 1.0) / exact["flux_err"]) > 3.0


@pytest.mark.parametrize("forced", [False, True])
def test_errors_grow_where_more_than_the_noise_is_left(forced):
    """Pixels that scatter twice as much as their errors say."""
    field = Field(300, 40, 1.0, 0.7, seed=51)
    shape = Table(
        {"sigma_x_px": np.full(300, 1.0), "sigma_y_px": np.full(300, 0.7), "theta_deg": np.full(300, 30.0)}
    )
    args = (field.image, 0.5 * field.error, KERNEL, field.start_x, field.start_y)
    fitted = fit_clumps(*args, shape=shape if forced else None)
    assert 0.85 < scatter((fitted["flux"] - 1.0) / fitted["flux_err"]) < 1.15
    alone = fit_clumps(field.image, field.error, *args[2:], shape=shape if forced else None)
    assert np.median(fitted["flux_err"] / alone["flux_err"]) == pytest.approx(1.0, abs=0.1)


def test_fitting_again_leaves_errors_alone():
    """Clumps in each other's neighbourhood are fitted again and again, as on a host."""
    x, y = (16.0 + 14.0 * axis.ravel() for axis in np.mgrid[:3, :3])
    image = sum(draw_clump((60, 60), a, b, 1.2, 0.8, 30.0) for a, b in zip(x, y, strict=True))
    image += np.random.default_rng(4).normal(0.0, 2e-3, image.shape)
    args = (image, np.full(image.shape, 2e-3), KERNEL, x, y)
    once, again = fit_clumps(*args, n_sweeps=1), fit_clumps(*args, n_sweeps=3)
    for name in ("flux_err", "sigma_x_px_err", "x_err"):
        assert again[name] == pytest.approx(once[name], rel=0.1)


def test_forced_centre_stays_within_a_pixel():
    image = draw_clump((31, 31), 17.5, 15.0) + np.random.default_rng(1).normal(0, 1e-3, (31, 31))
    shape = Table({"sigma_x_px": [0.0], "sigma_y_px": [0.0], "theta_deg": [0.0]})
    fitted = fit_clumps(image, np.full((31, 31), 1e-3), KERNEL, [15.0], [15.0], shape=shape)[0]
    assert np.hypot(fitted["x"] - 15.0, fitted["y"] - 15.0) <= 1.5
    assert abs(fitted["x"] - 15.0) <= 1.0
    assert has(fitted["flags"], "at_bound")


def test_point_model_finds_sources_within_two_pixels():
    rng = np.random.default_rng(4)
    image = 2.0 * draw_clump((31, 31), 16.4, 14.1) + rng.normal(5.0, 2e-3, (31, 31))
    fitted = fit_clumps(image, np.full((31, 31), 2e-3), KERNEL, [15.0], [15.0], model="point")[0]
    assert fitted["flux"] == pytest.approx(2.0, abs=4 * fitted["flux_err"])
    assert fitted["x"] == pytest.approx(16.4, abs=0.05)
    assert fitted["background"] == pytest.approx(5.0, abs=0.01)


@pytest.mark.parametrize("separation", [2.6, 3.5])
def test_pairs_are_separated(separation):
    rng = np.random.default_rng(9)
    worst = []
    for _ in range(20):
        angle = rng.uniform(0, 2 * np.pi)
        x = 20 + np.array([0.0, separation * np.cos(angle)]) + rng.uniform(-0.3, 0.3)
        y = 20 + np.array([0.0, separation * np.sin(angle)]) + rng.uniform(-0.3, 0.3)
        image = draw_clump((41, 41), x[0], y[0], 0.8, 0.6, 10.0) + 0.6 * draw_clump((41, 41), x[1], y[1])
        sigma = 0.1 / 30
        image += rng.normal(0.0, sigma, image.shape)
        fitted = fit_clumps(image, np.full(image.shape, sigma), KERNEL, x + rng.normal(0, 0.2, 2),
                            y + rng.normal(0, 0.2, 2))  # fmt: skip
        assert has(fitted["flags"], "blended").all()
        ratio = fitted["flux"] / [1.0, 0.6]
        worst.append(np.maximum(ratio, 1 / np.maximum(ratio, 1e-3)).max())
        assert fitted["flux"].sum() == pytest.approx(1.6, rel=0.25)
    assert np.max(worst) < 3.0
    assert np.median(worst) < 1.25


def test_light_of_neighbours_outside_the_group_is_taken_off():
    x, y, flux = np.array([20.0, 26.2]), np.array([20.0, 20.4]), np.array([1.0, 20.0])
    image = sum(f * draw_clump((41, 47), a, b, 0.6, 0.6) for a, b, f in zip(x, y, flux, strict=True))
    sigma = 0.1 / 40
    image = image + np.random.default_rng(2).normal(0, sigma, image.shape)
    error = np.full(image.shape, sigma)
    both = fit_clumps(image, error, KERNEL, x, y)
    assert not has(both["flags"], "blended").any()
    assert both["flux"][0] == pytest.approx(1.0, abs=4 * both["flux_err"][0])
    assert both["flux"][1] == pytest.approx(20.0, rel=0.01)


def test_correlated_noise_widens_the_errors_as_it_widens_the_scatter():
    rng = np.random.default_rng(8)
    field = Field(144, 30, 1.0, 0.6, seed=6)
    clean = field.image - np.random.default_rng(0).normal(0, 0, field.image.shape)
    sigma = field.error[0, 0]
    kernel = np.array([[0.5, 1.0, 0.5], [1.0, 2.0, 1.0], [0.5, 1.0, 0.5]])
    kernel /= np.sqrt((kernel**2).sum())
    from scipy.ndimage import convolve
    from scipy.signal import correlate2d

    truth = Field(144, 1e6, 1.0, 0.6, seed=6)
    clean = truth.image
    image = clean + sigma * convolve(rng.normal(size=clean.shape), kernel, mode="wrap")
    rho = correlate2d(kernel, kernel)
    shape = Table(
        {"sigma_x_px": np.full(144, 1.0), "sigma_y_px": np.full(144, 0.6), "theta_deg": np.full(144, 30.0)}
    )
    args = (image, field.error, KERNEL, truth.x, truth.y)
    white = fit_clumps(*args, shape=shape)
    aware = fit_clumps(*args, shape=shape, rho=rho)
    spread = scatter(aware["flux"])
    assert np.median(aware["flux_err"]) == pytest.approx(spread, rel=0.2)
    assert np.median(white["flux_err"]) < 0.7 * spread


def test_errors_do_not_jump_with_the_errors_of_pixels():
    """Real mosaics' noise, and pixel errors from a seventh of it to more, in steps of 3 %: chi-squared crosses all limits."""
    rng = np.random.default_rng(1)
    smooth = np.exp(-0.5 * np.add.outer(np.arange(-8, 9) ** 2, np.arange(-8, 9) ** 2) / 1.5**2)
    rho = fftconvolve(smooth, smooth)
    noise = fftconvolve(rng.normal(size=(47, 47)), smooth / np.sqrt(np.sum(smooth**2)), mode="valid")
    image = noise + 120.0 * draw_clump((31, 31), 15.2, 14.7)
    options = {"rho": rho / rho.max(), "host_fwhm": 0.0, "model": "point"}
    sizes = np.geomspace(0.15, 1.3, 73)
    fitted = [
        fit_clumps(image, np.full((31, 31), size), KERNEL, [15.0], [15.0], **options)[0] for size in sizes
    ]
    errors, chi2 = (np.array([row[name] for row in fitted]) for name in ("flux_err", "chi2"))
    assert chi2[0] > 5.0 * fitted[0]["n_dof"] and chi2[-1] < fitted[-1]["n_dof"]
    steps = errors[1:] / errors[:-1]
    assert steps.max() < 1.05 and steps.min() > 0.95


def test_error_scale_multiplies_errors():
    field = Field(4, 40, 1.0, 0.6, seed=6)
    args = (field.image, field.error, KERNEL, field.start_x, field.start_y)
    shape = Table({"sigma_x_px": np.ones(4), "sigma_y_px": np.full(4, 0.6), "theta_deg": np.full(4, 30.0)})
    once, twice = (fit_clumps(*args, shape=shape, error_scale=scale) for scale in (1.0, 2.0))
    assert twice["flux_err"] == pytest.approx(2.0 * once["flux_err"], rel=1e-9)
    # What a free place finds in the noise grows with the noise.
    luck = (once["flux_err"] / once["flux"]) ** 2
    assert twice["flux"] == pytest.approx(once["flux"] * (1.0 - 3.0 * luck), rel=2e-4)


def test_missing_pixels_edges_and_places_outside_are_flagged():
    image = np.zeros((31, 31))
    places = [(15.0, 15.0), (1.0, 15.0), (27.0, 4.0), (6.0, 27.0), (60.0, 15.0)]
    for x, y in places[:4]:
        image += draw_clump(image.shape, x, y)
    image[3:6, 26:29] = np.nan  # the core of the third
    image[22:, 0:13] = np.nan  # everything around the fourth
    error = np.full(image.shape, 1e-3)
    x, y = np.array(places).T
    fitted = fit_clumps(image, error, KERNEL, x, y)
    flags = np.asarray(fitted["flags"])
    assert not has(flags[0], ["edge", "few_pixels", "saturated"])
    assert has(flags[1], "edge")
    assert fitted["flux"][1] == pytest.approx(1.0, rel=0.1)
    assert has(flags[2], "saturated")
    for lost in (3, 4):
        assert has(flags[lost], "few_pixels")
        assert np.isnan(fitted["flux"][lost])
        assert np.isnan(fitted["flux_err"][lost])


def test_masked_pixels_are_left_out():
    """A cosmic ray under a mask is not there, whether masked or NaN."""
    image = draw_clump((31, 31), 15.0, 15.0)
    image[13:15, 17] = 50.0
    error = np.full(image.shape, 1e-3)
    masked = np.ma.masked_greater(image, 40.0)
    fitted = fit_clumps(masked, error, KERNEL, [15.0], [15.0])
    other = fit_clumps(np.where(image > 40.0, np.nan, image), error, KERNEL, [15.0], [15.0])
    assert fitted["flux"][0] == other["flux"][0] == pytest.approx(1.0, rel=0.02)


def test_nothing_but_nan_is_a_flag_and_no_clump_is_an_empty_table():
    nothing = np.full((21, 21), np.nan)
    fitted = fit_clumps(nothing, nothing, KERNEL, [10.0], [10.0])
    assert has(fitted["flags"][0], "few_pixels")
    zero_error = fit_clumps(np.zeros((21, 21)), np.zeros((21, 21)), KERNEL, [10.0], [10.0])
    assert has(zero_error["flags"][0], "few_pixels")
    empty = fit_clumps(nothing, nothing, KERNEL, [], [])
    assert len(empty) == 0
    assert set(empty.colnames) == set(fitted.colnames)


def test_pure_noise_raises_nothing_and_is_consistent_with_no_flux():
    rng = np.random.default_rng(12)
    image = rng.normal(0, 1, (200, 200))
    x, y = np.meshgrid(np.arange(15, 190, 20.0), np.arange(15, 190, 20.0))
    fitted = fit_clumps(image, np.ones(image.shape), KERNEL, x.ravel(), y.ravel())
    assert np.isfinite(fitted["flux_err"]).all()
    assert np.mean(np.abs(fitted["flux"] / fitted["flux_err"]) < 5) > 0.9


def test_order_of_the_clumps_does_not_matter():
    field = Field(16, 25, 0.9, 0.5, seed=21)
    args = (field.image, field.error, KERNEL)
    forward = fit_clumps(*args, field.start_x, field.start_y)
    backward = fit_clumps(*args, field.start_x[::-1], field.start_y[::-1])
    assert backward["flux"][::-1] == pytest.approx(forward["flux"], rel=1e-9)


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (KERNEL[:40, :40], "odd"),
        (10.0 * KERNEL, "sum"),
        (np.roll(KERNEL, 5, axis=1), "peak"),
        (np.full((5, 5), np.nan), "finite"),
    ],
)
def test_a_wrong_psf_is_refused(kernel, words):
    with pytest.raises(InputError, match=words):
        fit_clumps(np.zeros((21, 21)), np.ones((21, 21)), kernel, [10.0], [10.0])


def test_kernels_of_unit_sum_inside_a_small_circle_give_the_fluxes_inside_it():
    image = draw_clump((31, 31), 15.3, 14.8)
    inside = KERNEL[np.hypot(*(np.indices(KERNEL.shape) - 20)) <= 2.5].sum()
    fitted = fit_clumps(image, FLAT, KERNEL / inside, [15.0], [15.0])
    assert fitted["flux"][0] == pytest.approx(inside, rel=5e-3)


@pytest.mark.parametrize("options", [{"box": 10}, {"box": 61}, {"joint_box": 12}])
def test_boxes_without_a_middle_pixel_or_beyond_the_psf_are_refused(options):
    with pytest.raises(InputError, match="odd number from 5 to 49"):
        fit_clumps(np.zeros((21, 21)), np.ones((21, 21)), KERNEL, [10.0], [10.0], **options)


def test_errors_hold_for_neighbours_within_one_fwhm_of_a_broad_psf():
    """F444W on pixels of 0.02 arcsec: FWHM 7.8 px, three clumps in a row 5 px apart, S/N 30 each, shapes given."""
    broad, n, side = ((1.0, 3.3),), 60, 45
    rng = np.random.default_rng(3)
    kernel = draw_clump((41, 41), 20, 20, parts=broad)
    noise = np.sqrt(np.sum(kernel**2)) / 30
    image, x, y = rng.normal(0, noise, (n * side, side)), [], []
    for k in range(n):
        for column in (17.0, 22.0, 27.0):
            x.append(column + rng.uniform(-0.3, 0.3))
            y.append(22 + rng.uniform(-0.3, 0.3))
            image[k * side : (k + 1) * side] += draw_clump(
                (side, side), x[-1], y[-1], parts=broad, oversampling=3
            )
            y[-1] += k * side
    points = Table(np.zeros((3 * n, 3)), names=("sigma_x_px", "sigma_y_px", "theta_deg"))
    fitted = fit_clumps(image, np.full(image.shape, noise), kernel, x, y, shape=points)
    assert 0.8 < scatter((fitted["flux"] - 1.0) / fitted["flux_err"]) < 1.2
    assert np.median(fitted["flux"]) == pytest.approx(1.0, abs=0.03)


def test_arrays_that_do_not_match_are_refused():
    with pytest.raises(InputError, match="shapes"):
        fit_clumps(np.zeros((21, 21)), np.ones((20, 21)), KERNEL, [10.0], [10.0])
    with pytest.raises(InputError, match="lengths"):
        fit_clumps(np.zeros((21, 21)), np.ones((21, 21)), KERNEL, [10.0, 11.0], [10.0])


def test_a_psf_larger_than_the_image_is_no_problem():
    image = draw_clump((17, 17), 8.2, 8.1)
    fitted = fit_clumps(image, np.full((17, 17), 1e-4), draw_psf(61), [8.0], [8.0])
    assert fitted["flux"][0] == pytest.approx(1.0, rel=5e-3)


def test_adaptive_box_keeps_the_flux_of_large_clumps():
    field = Field(64, 20, 2.5, 2.0, seed=14, side=41)
    args = (field.image, field.error, KERNEL, field.start_x, field.start_y)
    small, adaptive = fit_clumps(*args), fit_clumps(*args, box="adaptive")
    assert scatter(adaptive["flux"]) < 0.4 * scatter(small["flux"])
    assert abs(np.median(adaptive["flux"]) - 1.0) < 3.0 * 1.25 * scatter(adaptive["flux"]) / 8
    assert 0.75 < scatter((adaptive["flux"] - 1.0) / adaptive["flux_err"]) < 1.3
    # It stops where a plane no longer describes the background: at the edge of a brighter disc.
    rows, columns = np.indices((61, 61))
    image = 0.1 * draw_clump((61, 61), 30.2, 29.9, 0.5, 0.5) + np.where(
        np.hypot(columns - 30, rows - 30) > 8, 0.02, 0.0
    )
    image += np.random.default_rng(3).normal(0, 2e-4, image.shape)
    fitted = fit_clumps(image, np.full(image.shape, 2e-4), KERNEL, [30.0], [30.0], box="adaptive")[0]
    assert fitted["flux"] == pytest.approx(0.1, rel=0.05)


def test_residuals_above_the_noise_are_flagged():
    field = Field(16, 300, 1.0, 0.6, seed=15)
    args = (field.error, KERNEL, field.start_x, field.start_y)
    assert not has(fit_clumps(field.image, *args)["flags"], "poor_model").any()
    sharp = field.image + 0.02 * np.sign(np.indices(field.image.shape).sum(axis=0) % 2 - 0.5)
    assert has(fit_clumps(sharp, *args)["flags"], "poor_model").all()


def test_a_long_chain_of_clumps_is_measured():
    n = 40
    rng = np.random.default_rng(1)
    x, y = 20 + 3.0 * np.arange(n), 20 + rng.normal(0, 0.3, n)
    flux = rng.uniform(0.5, 1, n)
    image = sum(
        f * draw_clump((41, 160), a, b, 1.5, 1.0, 30.0, oversampling=3)
        for f, a, b in zip(flux, x, y, strict=True)
    )
    image += rng.normal(0, 2e-3, image.shape)
    fitted = fit_clumps(image, np.full(image.shape, 2e-3), KERNEL, x, y)
    assert np.isfinite(fitted["flux"]).all()
    # Neighbours share their light; what they share is known well.
    assert fitted["flux"].sum() == pytest.approx(flux.sum(), rel=0.05)
    assert np.mean(np.abs(fitted["flux"] - flux) < 3 * fitted["flux_err"]) > 0.9


def test_a_quadrant_of_the_correlation_and_a_large_sum_are_refused():
    image, psf = np.random.default_rng(1).normal(size=(31, 31)), draw_psf()
    quadrant = np.array([[1.0, 0.5, 0.1], [0.5, 0.2, 0.1], [0.1, 0.1, 0.0]])
    with pytest.raises(InputError, match=r"rho: found .* Of a quadrant, mirror it"):
        fit_clumps(image, np.ones_like(image), psf, [15.0], [15.0], rho=quadrant)
    with pytest.raises(
        InputError, match=r"psf: found sum 1\.85 over pixels.*expected a kernel of unit sum.*load_psf"
    ):
        fit_clumps(image, np.ones_like(image), 1.85 * psf / psf.sum(), [15.0], [15.0])


@pytest.mark.parametrize("sigma", [0.5, 2.0])
def test_light_below_zero_is_no_clump(sigma):
    hole = -300.0 * draw_clump((41, 41), 20.0, 20.0, sigma, sigma, 0.0, oversampling=5)
    image = np.random.default_rng(2).normal(size=(41, 41)) + hole
    dark, bright = (
        fit_clumps(sign * image, np.ones_like(image), KERNEL, [20.0], [20.0], host_fwhm=0.0)[0]
        for sign in (1, -1)
    )
    assert dark["snr"] < -5 < 5 < bright["snr"]
    assert (
        has(dark["flags"], "negative")
        and has(dark["flags"], "low_snr")
        and has(dark["flags"], "size_undetermined")
    )
    assert not has(bright["flags"], "negative") and FLAGS["negative"].excludes
