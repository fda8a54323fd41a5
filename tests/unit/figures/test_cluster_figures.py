"""Figures of star clusters: joins by identifier, tracks, cells of the grid."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.cosmology import age_of_universe_yr
from clumpscope.figures.cluster_colour_magnitude import rest_magnitudes
from clumpscope.figures.cluster_photometry import rest_k_flux
from clumpscope.figures.clusters import compared
from clumpscope.figures.colour_colour import track_colours
from clumpscope.figures.registry import draw_figure
from clumpscope.sed import synthesize
from unit.figures.products_of_figures import cluster_products


@pytest.fixture(scope="module")
def products():
    return cluster_products()


def test_masses_are_joined_by_identifier(products):
    table = compared(products["catalogue"], products["sed_all"], products["published"], "exp_free")
    # The published masses are those the made-up fits found; the grid's are 0.3 dex higher.
    assert np.allclose(table["reference_log_mass"], table["published_log_mass"])
    assert np.allclose(table["ssp_log_mass"] - table["published_log_mass"], 0.3)


def test_a_cluster_without_a_published_mass_is_kept(products):
    published = products["published"][1:]
    missing = products["published"]["id"][0]
    table = compared(products["catalogue"], products["sed_all"], published, "exp_free")
    assert list(table["id"][~np.isfinite(table["published_log_mass"])]) == [missing]


def test_the_grids_masses_are_divided_by_the_magnification(products):
    catalogue = products["catalogue"].copy()
    catalogue["mu"] = 10.0
    table = compared(catalogue, products["sed_all"], products["published"], "exp_free")
    assert np.allclose(table["ssp_log_mass"] - table["published_log_mass"], 0.3 - 1.0)


def test_comparison_states_offset_and_scatter(products):
    figure, _ = draw_figure("f22_comparison", products)
    text = figure.axes[0].texts[0].get_text()
    assert (
        "offset +0.30 dex" in text
        and "scatter 0.00 dex" in text
        and f"{len(products['catalogue'])} clusters" in text
    )


def test_histogram_counts_every_mass(products):
    figure, table = draw_figure("cluster_mass_histogram", products)
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    median = 10 ** np.median(table["published_log_mass"]) / 1e6
    assert any(
        label.startswith("published") and f"{median:.1f}" in label and f"({len(table)})" in label
        for label in labels
    )


def test_colours_are_magnitudes_of_the_catalogue(products):
    _, table = draw_figure("colour_colour", products)
    row = products["catalogue"][7]
    own = table[table["id"] == row["id"]]
    assert own["colour_x"][0] == pytest.approx(-2.5 * np.log10(row["flux_F200W_njy"] / row["flux_F277W_njy"]))
    assert own["colour_y"][0] == pytest.approx(-2.5 * np.log10(row["flux_F090W_njy"] / row["flux_F150W_njy"]))
    expected = 1.0857 * np.hypot(0.5 / row["flux_F090W_njy"], 0.5 / row["flux_F150W_njy"])
    assert own["colour_y_err"][0] == pytest.approx(expected, rel=1e-3)


def test_faint_clusters_have_no_colour(products):
    catalogue = products["catalogue"].copy()
    catalogue["flux_F090W_njy"][:3] = [-1.0, np.nan, 0.4]
    _, table = draw_figure("colour_colour", {**products, "catalogue": catalogue})
    assert len(table) == len(catalogue) - 3


def test_tracks_are_those_of_the_full_spectra():
    filters = ["F090W", "F150W", "F200W", "F277W"]
    x, y = track_colours("bc03", 0.39, -0.5, np.array([1e9, 4e9]))
    for k, age in enumerate((1e9, 4e9)):
        model = {
            "log_mass_formed": 6,
            "log_age_yr": np.log10(age),
            "log_z_zsun": -0.5,
            "a_v": 0.0,
            "log_u": -3.0,
        }
        magnitude = -2.5 * np.log10(synthesize("bc03", filters, 0.39, "ssp", model, nebular=False))
        assert x[k] == pytest.approx(magnitude[2] - magnitude[3], abs=0.005)
        assert y[k] == pytest.approx(magnitude[0] - magnitude[1], abs=0.005)


def test_map_marks_the_best_model(products):
    figure, table = draw_figure("ssp_map", products)
    axes = figure.axes[0]
    best = next(line for line in axes.lines if line.get_label() == "best model")
    assert best.get_xdata()[0] == 2.0  # Gyr, where the made-up chi-squared is least
    assert axes.get_yticklabels()[int(best.get_ydata()[0])].get_text() == "0.2"
    cells = axes.collections[0].get_array()
    assert cells.shape == (3, 5) and np.argmin(cells) == 1 * 5 + 1
    assert len(table) == 15


def test_map_marks_the_published_age_of_the_published_clusters_alone(products):
    for known in (True, False):
        given = {name: product for name, product in products.items() if known or name != "published"}
        labels = draw_figure("ssp_map", given)[0].axes[0].get_legend_handles_labels()[1]
        assert ("published" in labels) == known


def test_one_redshift_and_no_lens_make_one_mass_function(products):
    figure, _ = draw_figure("mass_function", products)
    assert len(figure.axes) == 1
    assert "inf" not in " ".join(text.get_text() for text in figure.axes[0].get_legend().get_texts())


def test_map_has_the_age_of_the_universe_outlines_and_the_stack_beside_it(products):
    axes, spectrum = draw_figure("ssp_map", products)[0].axes[:2]
    limit = next(line for line in axes.lines if line.get_label() == "age of the Universe")
    assert limit.get_xdata()[0] == pytest.approx(age_of_universe_yr(0.39) / 1e9)
    assert {r"3$\sigma$", r"4$\sigma$", r"5$\sigma$"} <= set(axes.get_legend_handles_labels()[1])
    labels = spectrum.get_legend_handles_labels()[1]
    assert {"stack", "best model, in the filters", "published stack"} <= set(labels)
    # The spectrum of the best model goes through the stack within the noise of the made-up numbers.
    best = next(line for line in spectrum.lines if line.get_label().startswith("2 Gyr"))
    assert np.interp(1.5, *best.get_data()) == pytest.approx(14.0, rel=0.15)


def test_light_at_rest_frame_k_lies_between_its_filters():
    table = Table({"id": ["a", "b", "c"], "z": [0.39, 0.39, 1.0]})
    for name, slope in (("F150W", 1.50), ("F277W", 2.78), ("F356W", 3.56)):
        table[f"flux_{name}_njy"], table[f"flux_{name}_err_njy"] = [10.0, 10.0 + np.log(slope), 5.0], 1.0
    flux = rest_k_flux(table)
    # 2.2 (1 + 0.39) = 3.06 micron; at z = 1 it is beyond the last filter.
    assert flux[0] == pytest.approx(10.0) and flux[1] == pytest.approx(10.0 + np.log(3.058), abs=0.01)
    assert np.isnan(flux[2])


def test_faint_clusters_have_no_magnitude_and_limits_are_marked(products):
    catalogue = products["catalogue"].copy()
    catalogue["flux_F090W_njy"][:4] = -1.0
    figure, table = draw_figure("cluster_photometry", {**products, "catalogue": catalogue})
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert f"F090W ({len(catalogue) - 4})" in labels
    triangles = [line for line in figure.axes[0].lines if line.get_marker() == "^"]
    assert triangles[0].get_xdata()[0] == pytest.approx(31.4 - 2.5 * np.log10(3 * 0.5), abs=1e-6)
    assert np.isfinite(table["mag_F277W_ab"]).all()


def test_rest_frame_magnitudes_are_those_of_the_suns_system():
    clumps = Table({"id": ["a", "b"], "z": [0.39, 0.39], "mu": [1.0, 10.0]})
    fit = {
        "id": ["b", "a"],
        "best_log_mass_formed": [6.0, 6.0],
        "best_log_age_yr": [9.7, 9.7],
        "best_log_z_zsun": [0.0, 0.0],
    }
    table = rest_magnitudes("bc03", clumps, Table(fit))
    assert table["m_i_vega"][1] == pytest.approx(table["m_i_vega"][0] + 2.5)
    assert table["b_i_vega"][0] == table["b_i_vega"][1]
    # A solar SSP of 5 Gyr: B - V 0.9, V - I 1.1 (Bruzual & Charlot 2003, their Fig. 2 and table of colours).
    assert table["b_i_vega"][0] == pytest.approx(2.0, abs=0.15)
    missing = rest_magnitudes("bc03", clumps, Table(fit)[:1])
    assert np.isnan(missing["m_i_vega"][0]) and np.isfinite(missing["m_i_vega"][1])
