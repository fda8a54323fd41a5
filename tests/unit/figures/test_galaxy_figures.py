"""Figures out of pictures, spectra and simulations: against what is known of what they show."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.field_checks import check_samples
from clumpscope.figures.composite import composite
from clumpscope.figures.registry import draw_figure
from clumpscope.figures.resolution_cases import observed, true_light
from clumpscope.figures.save import save
from clumpscope.filters import three_filters
from clumpscope.images.psf import read_psf
from clumpscope.population.sample import has_size, population_sample
from matplotlib.contour import QuadContourSet
from scipy.stats import pearsonr
from unit.figures.products_of_figures import imaging_products, posterior_of, write_round_psf


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    return imaging_products(tmp_path_factory.mktemp("field"), n_galaxies=8)


@pytest.fixture(scope="module")
def counted(products):
    return products["catalogue"][population_sample(products["catalogue"])]


def test_filters_of_a_picture_are_broad_and_far_apart():
    assert three_filters(["F140M", "F070W", "F200W", "F444W", "F480M", "F090W"]) == (
        "F444W",
        "F200W",
        "F070W",
    )
    assert three_filters(["F480M", "F140M", "F250M"]) == ("F480M", "F250M", "F140M")


def test_colours_of_a_picture_are_those_of_the_sky(products):
    """A red disc in the middle, a blue spot 30 pixels to its right, dark corners."""
    picture = composite(products["cutouts"][0])
    red, _, blue = picture.rgb[60, 60].astype(int)
    assert red > blue + 30
    red, _, blue = picture.rgb[60, 90].astype(int)
    assert blue > red + 30
    assert picture.rgb[5:15, 5:15].mean() + 60 < picture.rgb[55:65, 55:65].mean()
    assert picture.filters == ("F444W", "F200W", "F090W")


def test_circles_are_on_the_clumps(products):
    figure, table = draw_figure("composites", products)
    assert list(np.diff(table["z"]) >= 0) == [True] * (len(table) - 1)
    own = products["catalogue"][np.asarray(products["catalogue"]["galaxy"], str) == table["galaxy"][0]]
    wcs = composite(next(path for path in products["cutouts"] if path.parent.name == table["galaxy"][0])).wcs
    drawn = np.asarray(figure.axes[0].collections[0].get_offsets())
    assert len(drawn) == table["n_clumps"][0] == len(own)
    assert np.allclose(drawn, np.transpose(wcs.world_to_pixel_values(own["ra"], own["dec"])))


def test_observed_widths_add_in_square(tmp_path):
    """Gaussians behind a Gaussian PSF: variances of both, and of two places, add up."""
    psf = read_psf(write_round_psf(tmp_path, fwhm_px=3.0)).kernel
    place = np.arange(-10, 11)
    for sigma, separation in ((0.0, 0.0), (0.2, 0.0), (0.9, 0.0), (1.6, 0.0), (0.5, 3.0)):
        seen = observed(sigma, separation, psf)[10]
        variance = np.sum(seen * place**2) / seen.sum()
        assert variance == pytest.approx(sigma**2 + (3.0 / 2.3548) ** 2 + separation**2 / 4, rel=2e-3)
    light = true_light(0.5, 4.0)
    assert light.sum() == pytest.approx(1.0, abs=1e-6)
    assert np.allclose(light[10, [8, 12]], light.max())


def test_two_clumps_are_told_apart_in_the_case_that_says_so(products):
    _, table = draw_figure("resolution_cases", products)

    def maxima(case):
        seen = table["observed"][table["case"] == case]
        return int(
            np.sum((seen[1:-1] > seen[:-2]) & (seen[1:-1] >= seen[2:]) & (seen[1:-1] > 0.01 * seen.max()))
        )

    assert {case: maxima(case) for case in np.unique(table["case"])} == {
        "A": 1,
        "B1": 1,
        "B2": 1,
        "B3": 2,
        "C": 1,
    }
    point = table[table["case"] == "A"]
    assert np.allclose(
        point["observed"] / point["observed"].max(), point["psf"] / point["psf"].max(), atol=0.01
    )


def test_histograms_by_class_count_every_clump(products, counted):
    figure, _ = draw_figure("resolution_classes", products)
    kind = np.asarray(counted["class"], str)
    for axes in figure.axes[:3]:
        assert sum(patch.get_xy()[1:-1:2, 1].sum() for patch in axes.patches) == len(counted)
    medians = sorted(float(line.get_xdata()[0]) for line in figure.axes[1].lines)
    expected = sorted(np.median(counted["log_mass_p50"][kind == one]) for one in np.unique(kind))
    assert np.allclose(medians, expected)


def test_densities_are_those_of_clumps_with_a_size(products, counted):
    figure, table = draw_figure("density_evolution", products)
    sized = counted[has_size(counted)]
    assert len(table) == len(sized)
    left, middle, _ = figure.axes
    inside = sized[(sized["z"] >= 0.7) & (sized["z"] < 5.5)]
    assert sum(len(points.get_offsets()) for points in left.collections) == len(inside)
    kind = np.asarray(inside["class"], str)
    low = inside[(inside["z"] < 1.5) & (kind == "compact")]["log_sigma_mass_p50"]
    if len(low) >= 5:
        assert any(np.isclose(line.get_ydata(), np.median(low)).any() for line in middle.lines)


def test_a_line_of_constant_age_is_where_mass_over_rate_says(products):
    """1 Msun / pc2 formed in 10 Myr is 0.1 Msun / yr / kpc2."""
    left = draw_figure("density_evolution", products)[0].axes[0]
    lines = [line for line in left.lines if line.get_zorder() == 0]
    shifts = [line.get_ydata()[0] - line.get_xdata()[0] for line in lines]
    assert np.allclose(shifts, [np.log10(1e6 / 1e7), np.log10(1e6 / 1e9)])


def test_trends_inside_a_galaxy_state_its_correlation(products, counted):
    figure, table = draw_figure("galaxy_gradients", products)
    first = str(table["galaxy"][0])
    own = counted[np.asarray(counted["galaxy"], str) == first]
    assert (np.asarray(table["galaxy"], str) == first).sum() == len(own)
    text = figure.axes[1].texts[0].get_text().replace("\N{MINUS SIGN}", "-")
    assert text.startswith(f"r = {pearsonr(own['distance_kpc'], own['log_mass_p50'])[0]:.2f}")


def test_spectra_are_of_the_clumps_that_are_named(products, counted):
    names = [str(one) for one in counted["id"][[3, 1]]]
    figure, table = draw_figure("sed_examples", products, {"sed_clumps": [*names, "nobody"]})
    assert list(dict.fromkeys(table["id"])) == names
    row = counted[3]
    words = figure.axes[0].texts[0].get_text()
    intrinsic = np.median(posterior_of("a", 1.0).samples["log_mass"]) - np.log10(row["mu"])
    assert f"{intrinsic:.2f}" in words
    limits = next(line for line in figure.axes[0].lines if line.get_label() == r"$3\sigma$ limit")
    assert list(limits.get_ydata()) == [6.0]  # the band without light, of error 2


def test_without_names_the_brightest_of_every_redshift_bin_are_shown(products, counted):
    catalogue = products["catalogue"].copy()
    catalogue["snr"] = np.arange(len(catalogue), dtype=float)
    _, table = draw_figure("sed_examples", {**products, "catalogue": catalogue})
    shown = catalogue[population_sample(catalogue)]
    groups = [
        shown[(shown["z"] >= low) & (shown["z"] < high)]
        for low, high in ((0.7, 1.5), (1.5, 2.5), (2.5, 3.5), (3.5, 5.5))
    ]
    assert list(dict.fromkeys(table["id"])) == [str(group["id"][-1]) for group in groups if len(group)]


def test_contours_hold_the_shares_they_are_named_for(products):
    """Shares of a sample's own clumps inside its contours, 0.9, 0.5 and 0.25 (C25 section 4.1)."""
    rng = np.random.default_rng()
    sample = Table({"r_eff_pc": 10 ** rng.normal(1.8, 0.3, 3000), "m_v_ab": rng.normal(-15.0, 1.0, 3000)})
    axes = draw_figure("luminosity_size", {**products, "samples": {"sample": sample}})[0].axes[0]
    contours = next(one for one in axes.collections if isinstance(one, QuadContourSet))
    points = np.column_stack([sample["r_eff_pc"], sample["m_v_ab"]])
    inside = [path.contains_points(points).mean() for path in contours.get_paths()]
    assert inside == pytest.approx([0.9, 0.5, 0.25], abs=0.06)


def test_a_comparison_sample_is_drawn_where_given_and_named(products):
    def lines(samples):
        axes = draw_figure("luminosity_size", {**products, "samples": samples})[0].axes[0]
        return [text.get_text() for text in axes.get_legend().get_texts()]

    assert "sample (400)" in lines(products["samples"])
    other = Table({"r_eff_pc": [1.0], "other": [2.0]})
    assert not any("sample" in text for text in lines({"sample": other}))


@pytest.mark.parametrize(
    "name",
    [
        "composites",
        "galaxy_gradients",
        "resolution_classes",
        "density_evolution",
        "sed_examples",
        "luminosity_size",
        "surface_density",
        "host_relations",
        "gradients",
    ],
)
def test_figures_of_nothing_but_limits_or_missing_values(products, name):
    catalogue = products["catalogue"].copy()
    catalogue["r_eff_limit"], catalogue["class"] = True, "unresolved"
    draw_figure(name, {**products, "catalogue": catalogue})[0].draw_without_rendering()
    for column in (
        "log_mass_p50",
        "log_age_mw_yr_p50",
        "log_sigma_mass_p50",
        "log_sigma_sfr_p50",
        "m_v_ab",
        "distance_kpc",
        "mu",
    ):
        catalogue[column] = np.nan
    missing = {**products, "catalogue": catalogue}
    missing["population"] = {key: table.copy() for key, table in products["population"].items()}
    for table, columns in (("host_relations", ("log_mass_max", "log_mass_central", "log_f_cl", "log_ssfr", "log_age_mw_central")),
                           ("positions", ("log_mass_fraction", "log_age_mw_yr", "log_sigma_mass"))):  # fmt: skip
        for column in columns:
            missing["population"][table][column] = np.nan
    draw_figure(name, missing)[0].draw_without_rendering()


def test_fewer_filters_are_compared_clump_by_clump(products, counted):
    figure, table = draw_figure("filter_sets", products)
    known = set(products["filter_sets"]["broad6"]["id"])
    for name, step in (("broad6", 0.3), ("broad8", 0.1)):
        own = table[table["set"] == name]
        assert list(own["id"]) == [one for one in counted["id"] if one in known]
        assert np.allclose(own["log_mass_set"] - own["log_mass_all"], step)
        assert np.allclose(own["log_mass_set_err"], 2 * own["log_mass_all_err"])
    # All masses of the first set move by more than 0.2 dex, none of the second.
    first, second = figure.axes[1].get_title().splitlines()
    assert first.endswith("100 %") and second.endswith("; 0 %")


def test_samples_that_cannot_be_drawn_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"figures.tables.local: found the path .*no file"):
        check_samples({"local": str(tmp_path / "nothing.csv")})
    path = tmp_path / "sample.csv"
    path.write_text("r_eff_pc,mass\n3.0,5.0\n")
    with pytest.raises(InputError, match="m_v_ab"):
        check_samples({"local": str(path)})
    path.write_text("r_eff_pc,m_v_ab\n3.0,-10.0\n-3.0,-9.0\n")
    with pytest.raises(InputError, match=r"r_eff_pc.*row 2"):
        check_samples({"local": str(path)})
    path.write_text("r_eff_pc,m_v_ab\n3.0,-10.0\n,-9.0\n")
    check_samples({"local": str(path)})


@pytest.fixture(scope="module")
def crowd(products):
    def many(table):
        table = table[np.arange(100_000) % len(table)]
        rng = np.random.default_rng(0)
        for name in table.colnames:
            if table[name].dtype.kind == "f" and table[name].ndim == 1 and name not in ("z", "ra", "dec"):
                table[name] = table[name] * rng.normal(1.0, 0.02, len(table))
        if "id" in table.colnames:
            table["id"] = np.arange(100_000).astype(str)
        return table

    return {
        **products,
        "catalogue": many(products["catalogue"]),
        "truth": many(products["truth"]),
        "filter_sets": {name: many(table) for name, table in products["filter_sets"].items()},
        "sed_all": {name: many(table) for name, table in products["sed_all"].items()},
        "population": {**products["population"], "positions": many(products["population"]["positions"])},
    }


@pytest.mark.parametrize(
    "name",
    ["magnification", "gradients", "size_limits", "luminosity_size", "filter_sets", "truth_recovery"],
)
def test_a_hundred_thousand_clumps_make_small_figures(crowd, tmp_path, name):
    figure, _ = draw_figure(name, crowd)
    save(figure, Table({"z": [1.0]}), tmp_path / f"{name}.pdf")
    assert max((tmp_path / f"{name}.{ending}").stat().st_size for ending in ("pdf", "png")) < 2e6
