"""What is drawn, against the tables it is drawn from."""

import numpy as np
import pytest
from astropy.table import Table, vstack
from clumpscope.figures.columns import shown_range
from clumpscope.figures.host_sfh import main_sequence
from clumpscope.figures.registry import draw_figure
from clumpscope.flags import bit
from clumpscope.population.sample import has_size, population_sample
from unit.figures.products_of_figures import NOISE_NJY, imaging_products


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    return imaging_products(tmp_path_factory.mktemp("field"))


@pytest.fixture(scope="module")
def counted(products):
    return products["catalogue"][population_sample(products["catalogue"])]


def offsets(axes):
    return np.concatenate(
        [np.asarray(points.get_offsets()) for points in axes.collections if len(points.get_offsets())]
    )


def test_luminosity_size_shows_measured_sizes_as_points_and_the_rest_as_arrows(products, counted):
    figure, table = draw_figure("luminosity_size", products)
    axes = figure.axes[0]
    shown = counted[(counted["z"] >= 0.7) & (counted["z"] < 5.5)]
    sized = shown[has_size(shown)]
    limits = shown[~has_size(shown)]
    drawn = [points for points in axes.collections if "PathCollection" in type(points).__name__]
    for expected, is_open in ((sized, False), (limits, True)):
        own = [
            points.get_offsets() for points in drawn if (points.get_facecolors()[:, :3] == 1).all() == is_open
        ]
        positions = np.ma.filled(np.concatenate(own), np.nan)
        assert len(positions) == len(expected) > 0
        assert np.allclose(sorted(positions[:, 0]), sorted(expected["r_eff_pc"]))
        assert np.allclose(sorted(positions[:, 1]), sorted(expected["m_v_ab"]))
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert len(table) == len(counted)


def test_lines_of_surface_brightness(products):
    """Seen from 10 pc, half of the light fills a disc of R_eff: its mean surface brightness by hand."""
    axes = draw_figure("luminosity_size", products)[0].axes[0]
    lines = {float(text.get_text()): text for text in axes.texts if text.get_text().isdigit()}
    assert len(lines) >= 3
    curves = [line for line in axes.lines if len(line.get_xdata()) == 200]
    found = []
    for curve in curves:
        radius_pc, magnitude = curve.get_xdata()[100], curve.get_ydata()[100]
        disc_arcsec2 = np.pi * np.degrees(radius_pc / 10.0) ** 2 * 3600.0**2
        half_flux = 0.5 * 10 ** (-0.4 * magnitude)
        found.append(-2.5 * np.log10(half_flux / disc_arcsec2))
    assert np.allclose(sorted(found), sorted(lines), atol=1e-3)


def test_redshift_histograms_count_every_clump(products, counted):
    figure, _ = draw_figure("redshift_distributions", products)
    for row, (low, high) in enumerate([(0.7, 1.5), (1.5, 2.5), (2.5, 3.5), (3.5, 5.5)]):
        inside = counted[(counted["z"] >= low) & (counted["z"] < high)]
        for column, number in (
            *((k, len(inside)) for k in (0, 1, 2, 4, 5)),
            (3, int(has_size(inside).sum())),
        ):
            bars = figure.axes[6 * row + column].containers
            assert sum(bar.get_height() for bar in bars[0]) == number if number else not bars
        if len(inside):
            median = [line.get_xdata()[0] for line in figure.axes[6 * row + 1].lines]
            assert median == [pytest.approx(np.median(inside["log_mass_p50"]))]


def test_mass_function_is_the_number_above_each_mass(products, counted):
    figure, _ = draw_figure("mass_function", products)
    left, right = figure.axes
    assert left.get_yscale() == "log"
    masses = np.sort(counted["log_mass_p50"])
    whole = next(line for line in left.lines if line.get_label().startswith("all"))
    x, y = whole.get_data()
    for mass in (masses[0], np.median(masses), masses[-1]):
        # "pre" steps: the height at and just below a mass is that clump's own.
        at = np.searchsorted(x, mass)
        assert y[at] == (masses >= mass).sum()
    slopes = products["population"]["mass_function_slopes"]
    value = slopes["slope"][np.asarray(slopes["by"]) == "all"][0]
    assert f"{value:.2f}" in whole.get_label()
    assert len(right.get_legend().get_texts()) == 1 + (np.asarray(slopes["by"]) == "magnification").sum()


def test_gradient_medians_are_those_of_the_table(products):
    figure, medians = draw_figure("gradients", products)
    first = medians[
        (medians["quantity"] == "log_age_mw_yr") & (medians["by"] == "redshift") & (medians["n"] > 0)
    ]
    axes = figure.axes[2]
    drawn = np.concatenate([bars.lines[0].get_ydata() for bars in axes.containers])
    assert np.allclose(sorted(drawn), sorted(first["median"]))


def test_host_relations_shows_every_galaxy(products):
    figure, relations = draw_figure("host_relations", products)
    left = figure.axes[0]
    largest = np.asarray(left.collections[0].get_offsets())
    good = np.isfinite(relations["log_mass_max"])
    assert np.allclose(
        largest[good], np.array([relations["log_mass_host"], relations["log_mass_max"]]).T[good]
    )
    r = np.corrcoef(relations["log_mass_host"][good], relations["log_mass_max"][good])[0, 1]
    assert f"r = {r:.2f}" in left.get_legend().get_texts()[0].get_text()


def test_hosts_without_a_rate_are_drawn_too(products):
    relations = products["population"]["host_relations"].copy()
    relations["log_ssfr"] = np.nan
    population = {**products["population"], "host_relations": relations}
    figure, _ = draw_figure("host_relations", {**products, "population": population})
    drawn = max(len(artist.get_offsets()) for artist in figure.axes[1].collections)
    assert drawn == len(relations) and not any("sSFR" in axes.get_ylabel() for axes in figure.axes)


def test_histories_are_compared_without_magnification(products, counted):
    sed = products["sed_all"]["exp_1Myr"]
    sed_mass = dict(zip(sed["id"], sed["log_mass_p50"], strict=True))
    shuffled = {**products, "sed_all": {"exp_1Myr": sed[::-1]}}
    _, table = draw_figure("sfh_comparison", shuffled)
    expected = [sed_mass[name] - np.log10(mu) for name, mu in zip(counted["id"], counted["mu"], strict=True)]
    assert list(table["id"]) == list(counted["id"])
    assert np.allclose(table["log_mass"], expected)
    area = 2 * np.pi * np.asarray(counted["r_eff_pc"]) ** 2
    close = np.abs(table["log_sigma_mass"] - (table["log_mass"] - np.log10(area)))
    assert np.median(close) < 0.05  # medians of densities are not densities of medians


def test_hosts_are_divided_by_magnification_and_paired_by_history(products):
    _, table = draw_figure("host_sfh", products)
    galaxies = products["galaxies"]
    mu = dict(zip(galaxies["id"], galaxies["mu"], strict=True))
    hosts = products["hosts"]
    reference = hosts[hosts["sfh"] == "exp_free"]
    for row in reference[:5]:
        own = table[table["id"] == row["id"]]
        assert own["log_mass"][0] == pytest.approx(row["log_mass_p50"] - np.log10(mu[row["id"]]))
        assert own["const_log_mass"][0] - own["log_mass"][0] == pytest.approx(0.1)


def test_main_sequence_agrees_with_an_independent_one():
    """Whitaker et al. (2014, Table 1): log SFR = a + b log M + c (log M)^2 at 2.0 < z < 2.5."""
    log_mass = np.array([10.0, 10.5])
    whitaker = -19.99 + 3.44 * log_mass - 0.13 * log_mass**2
    assert np.allclose(main_sequence(log_mass, 2.25), whitaker, atol=0.15)


def test_magnification_panels_mark_limits(products, counted):
    figure, _ = draw_figure("magnification", products)
    limits = counted["r_eff_limit"] & (counted["z"] >= 0.7) & (counted["z"] < 5.5)
    inside = (counted["z"] >= 0.7) & (counted["z"] < 5.5)

    def open_symbols(axes):
        scattered = [points for points in axes.collections if "PathCollection" in type(points).__name__]
        return sum(len(points.get_offsets()) for points in scattered if not len(points.get_facecolors()))

    assert open_symbols(figure.axes[0]) == limits.sum() > 0
    assert open_symbols(figure.axes[1]) == 0
    scattered = [points for points in figure.axes[1].collections if "PathCollection" in type(points).__name__]
    assert sum(len(points.get_offsets()) for points in scattered) == inside.sum()


def test_gallery_shows_the_galaxies_with_most_clumps(products):
    figure, table = draw_figure("gallery", products, {"gallery_galaxies": 3})
    owner = np.asarray(products["catalogue"]["galaxy"], str)
    available = [path.parent.name for path in products["residuals"]]
    most = sorted((np.sum(owner == name) for name in available), reverse=True)[:3]
    assert list(table["n_clumps"][::3]) == most
    # From blue to red, with the reference filter in the middle, whatever their order in the file.
    assert list(table["filter"][:3]) == ["F090W", "F150W", "F444W"]
    assert list(table["is_reference"][:3]) == [False, True, False]
    assert np.allclose(table["noise_njy"], NOISE_NJY, rtol=0.3)
    # The three planes of a filter share a scale.
    limits = {axes.images[0].get_clim() for axes in figure.axes if axes.images}
    assert len(limits) == 1


def test_star_formation_that_died_away_does_not_stretch_the_axes(products):
    catalogue = products["catalogue"].copy()
    catalogue["log_sfr10_p50"][::4] = -80.0
    catalogue["log_sigma_sfr_p50"][::4] = -80.0
    dead = {**products, "catalogue": catalogue}
    for name, panel, axis in (("redshift_distributions", 2, "x"), ("surface_density", 2, "y")):
        low, high = getattr(draw_figure(name, dead)[0].axes[panel], f"get_{axis}lim")()
        assert -10 < low < high < 10


def test_lens_models_says_how_many_clumps_differ_by_more_than_their_error(products):
    """One model magnifies 1.3 times as much, one reaches no clump."""
    figure, _ = draw_figure("lens_models", products)
    clumps = products["lens_models"]
    expected = np.mean(0.3 * np.asarray(clumps["mu"]) > np.asarray(clumps["mu_err_hi"]))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert any(text.startswith(f"{expected:.0%} differ") for text in texts)


def test_bars_of_clumps_per_galaxy_add_up(products, counted):
    figure, table = draw_figure("clumps_per_galaxy", products)
    assert table["n_clumps"].sum() == len(counted)
    inside = table[(table["z"] >= 0.7) & (table["z"] < 1.5)]
    heights = [bar.get_height() for bar in figure.axes[0].containers[0]]
    assert heights == [(inside["n_clumps"] == k + 1).sum() for k in range(len(heights))]
    # The 66 clumps of a galaxy do not make bars thinner than lines.
    crowd = products["catalogue"][np.arange(66) % len(products["catalogue"])]
    crowd["galaxy"], crowd["z"], crowd["flags"], crowd["log_mass_p50"] = "one", 1.0, 0, 7.0
    both = {**products, "catalogue": vstack([products["catalogue"], crowd], metadata_conflicts="silent")}
    figure, table = draw_figure("clumps_per_galaxy", both)
    bars = [bar for group in figure.axes[0].containers for bar in group]
    assert sum(bar.get_height() for bar in bars) == ((table["z"] >= 0.7) & (table["z"] < 5.5)).sum()
    figure.draw_without_rendering()
    assert min(bar.get_window_extent().width for bar in bars) * 72 / figure.dpi > 2.0


def test_clumps_with_a_poor_fit_are_drawn_where_they_count(products, counted):
    catalogue = products["catalogue"].copy()
    catalogue["flags"][np.asarray(catalogue["id"]) == counted["id"][0]] |= bit("poor_fit")
    poor = {**products, "catalogue": catalogue}
    for settings, missing in (({}, 1), ({"poor_fit": True}, 0)):
        _, table = draw_figure("clumps_per_galaxy", poor, settings)
        assert table["n_clumps"].sum() == len(counted) - missing


def test_host_histograms_count_every_galaxy(products):
    figure, hosts = draw_figure("host_evolution", products)
    heights = [
        sum(bar.get_height() for bar in axes.containers[0]) for axes in figure.axes[::2] if axes.containers
    ]
    assert sum(heights) == ((hosts["z"] >= 0.7) & (hosts["z"] < 5.5)).sum()


def test_stacks_are_drawn_in_their_filters_with_the_limit_of_the_best(products):
    figure, table = draw_figure("stack_profiles", products)
    titles = [axes.get_legend().get_title().get_text() for axes in figure.axes]
    assert titles == ["F150W, 8 clumps", "F444W, 7 clumps", "F150W"]
    labels = figure.axes[2].get_legend_handles_labels()[1]
    assert "limit, 100 pc" in labels and len(table) == len(products["stack_profiles"])
    limit = next(line for line in figure.axes[2].lines if line.get_label() == "limit, 100 pc")
    assert limit.get_ydata() == pytest.approx(np.asarray(products["stack_profiles"]["simulated"])[:21, 2])


def test_planes_of_a_stack_have_one_stretch(products):
    figure, table = draw_figure("stack_fits", products)
    assert table["filter"].tolist() == ["F150W", "F444W"] and len(figure.axes) == 6
    assert figure.axes[0].get_title() == "F150W, 8 clumps\n5.00 ± 0.10 nJy"
    images = [axes.images[0] for axes in figure.axes]
    assert len({image.get_clim() for image in images}) == 1
    # Data and model, without noise, have the same peak: 5 over a noise of 0.05.
    peaks = [float(images[k].get_array().max()) for k in (0, 2)]
    assert peaks == pytest.approx([np.arcsinh(100.0)] * 2, abs=0.1)


def test_limits_are_not_drawn_as_sizes(products):
    figure, table = draw_figure("size_limits", products)
    axes = figure.axes[0]
    limits = np.asarray(table["r_eff_limit"], bool)
    labels = axes.get_legend_handles_labels()[1]
    assert f"upper limits ({limits.sum()})" in labels and f"measured ({(~limits).sum()})" in labels
    shown = next(c for c in axes.collections if c.get_label().startswith("upper")).get_offsets()
    assert np.sort(np.asarray(shown[:, 1])) == pytest.approx(np.sort(np.asarray(table["r_eff_pc"])[limits]))


def test_comparison_samples_are_drawn_where_they_have_masses(products):
    samples = {
        "dwarfs": Table({"r_eff_pc": [300.0, -1.0], "log_mass": [6.0, 7.0]}),
        "bare": Table({"r_eff_pc": [10.0]}),
    }
    labels = (
        draw_figure("size_limits", {**products, "samples": samples})[0].axes[0].get_legend_handles_labels()[1]
    )
    assert "dwarfs (1)" in labels and not any(label.startswith("bare") for label in labels)


def test_one_clump_is_seen(products, counted):
    """A histogram of one value, and a step of one clump, would be a hair's breadth wide."""
    one = products["catalogue"][products["catalogue"]["id"] == counted["id"][0]]
    figure, _ = draw_figure("sfh_comparison", products | {"catalogue": one})
    for axes in filter(lambda axes: axes.get_visible() and axes.patches, figure.axes):
        left, right = axes.get_xlim()
        assert right - left > 0.19
        assert all(left < line.get_xdata()[0] < right for line in axes.lines)
    assert shown_range(np.array([7.0])) == pytest.approx((6.9, 7.1))
    assert shown_range(np.array([7.0, 7.0, 7.1])) == pytest.approx((6.95, 7.15), abs=0.002)
    assert shown_range(np.array([7.0, 9.0])) == pytest.approx((7.0, 9.0), abs=0.02)
    population = products["population"]
    points = population["mass_function"]
    slopes = population["mass_function_slopes"]
    slopes = slopes[np.asarray(slopes["by"], str) == "all"]
    point = points[(np.asarray(points["by"], str) == "all")][-1:]
    figure, _ = draw_figure(
        "mass_function",
        products | {"population": population | {"mass_function": point, "mass_function_slopes": slopes}},
    )
    step = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 1)
    assert step.get_marker() == "o"
    assert step.get_xdata()[0] == point["log_mass"][0]
    assert figure.axes[0].get_ylim()[1] >= 10.0

    axes = draw_figure("clumps_per_galaxy", products | {"catalogue": one})[0].axes[0]
    (bar,) = axes.patches
    assert bar.get_x() + 0.5 * bar.get_width() == pytest.approx(1.0)
    assert [tick for tick in axes.get_xticks() if 0.5 <= tick <= 1.5] == [1.0]
    axes = draw_figure("magnification", products | {"catalogue": one})[0].axes[0]
    left, right = axes.get_xlim()
    assert 1.04 * left < one["r_eff_pc"][0] < right / 1.04
    axes = draw_figure("surface_density", products | {"catalogue": one})[0].axes[0]
    medians = products["population"]["surface_density"]
    filled = medians[(medians["n"] > 0) & np.isfinite(medians["z_low"]) & np.isfinite(medians["z_high"])]
    left, right = axes.get_xlim()
    assert left <= filled["z_low"].min() and right >= filled["z_high"].max()
