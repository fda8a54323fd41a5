import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.figures.products import load_products
from clumpscope.figures.registry import FIGURES, draw_figure, figures_of
from clumpscope.tables import write_table
from unit.figures.guide import faults_of
from unit.figures.products_of_figures import cluster_products, imaging_products


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    return {
        "imaging": imaging_products(tmp_path_factory.mktemp("field")),
        "photometry": cluster_products(folder=tmp_path_factory.mktemp("clusters")),
    }


def emptied(products):
    """The same products without a row."""
    empty = {}
    for key, value in products.items():
        if isinstance(value, dict):
            empty[key] = {name: table[:0] for name, table in value.items()}
        else:
            empty[key] = value[:0]
    return empty


def test_the_registry_is_read_without_drawing_libraries():
    code = "import sys; import clumpscope.figures.registry; print(*[m for m in ('matplotlib', 'scipy', 'pandas', 'numba') if m in sys.modules])"
    path = str(import_module("clumpscope").__path__[0] + "/..")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=path)
    assert done.stdout.strip() == ""


def test_every_figure_of_either_kind_is_drawn_by_its_module():
    for name, spec in FIGURES.items():
        assert callable(import_module(f"clumpscope.figures.{spec.module}").draw), name
        assert set(spec.kinds) <= {"imaging", "photometry"} and spec.kinds
        assert len(spec.caption) > 60


def test_figures_are_offered_where_their_products_are():
    assert figures_of("photometry", {"catalogue", "ssp_fits"}) == ["cluster_colour_magnitude"]
    assert "gallery" not in figures_of("photometry", {"catalogue", "residuals"})
    assert figures_of("imaging", set()) == []


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for name, spec in FIGURES.items() for kind in spec.kinds]
)
def test_figure_is_drawn_with_many_few_and_no_rows(products, kind, name):
    every = products[kind]
    figure, table = draw_figure(name, every)
    assert len(table) > 0
    assert faults_of(figure) == []
    figure, table = draw_figure(name, emptied(every))
    assert isinstance(table, Table)
    figure.canvas.draw()
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert any(word.startswith(("no ", "none")) for word in words) or name == "truth_recovery"


def test_names_of_systems_are_no_formulas(products):
    every = dict(products["imaging"])
    images = every["multiple_images"].copy()
    images["system"] = np.where(
        images["system"] == images["system"][0], r"$\frac{$ and \$", r"\undefined $_$"
    )
    every["multiple_images"] = images
    figure, _ = draw_figure("multiple_images", every)
    figure.canvas.draw()
    drawn = [label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]]
    assert r"\$\frac{\$ and \\$" in drawn


def test_figures_of_a_single_clump(products):
    one = {**products["imaging"], "catalogue": products["imaging"]["catalogue"][:1]}
    for name in figures_of("imaging", set(one)):
        draw_figure(name, one)[0].canvas.draw()


def test_missing_columns_leave_their_panels_empty(products):
    catalogue = products["imaging"]["catalogue"].copy()
    catalogue.remove_columns(
        [name for name in catalogue.colnames if name.startswith(("r_eff", "log_sigma", "class"))]
    )
    bare = {**products["imaging"], "catalogue": catalogue}
    for name in (
        "luminosity_size",
        "redshift_distributions",
        "magnification",
        "surface_density",
        "sfh_comparison",
    ):
        draw_figure(name, bare)[0].canvas.draw()


def test_unknown_figure_product_and_setting_are_named():
    with pytest.raises(InputError, match="luminosity_size"):
        draw_figure("luminosity", {})
    with pytest.raises(InputError, match="no population"):
        draw_figure("gradients", {"catalogue": Table()})
    with pytest.raises(InputError, match="min_bands"):
        draw_figure("luminosity_size", {"catalogue": Table()}, {"min_bands": 3})


def test_products_are_loaded_by_kind(tmp_path):
    table = Table({"id": ["a"], "z": [1.5]})
    for name in ("one", "two"):
        write_table(table, tmp_path / f"{name}.ecsv")
    loaded = load_products(
        {
            "catalogue": str(tmp_path / "one.ecsv"),
            "sed_all": {"exp_free": tmp_path / "two.ecsv"},
            "residuals": [str(tmp_path / "one.ecsv")],
        }
    )
    assert np.asarray(loaded["catalogue"]["z"]) == loaded["sed_all"]["exp_free"]["z"] == 1.5
    assert loaded["residuals"] == [tmp_path / "one.ecsv"]
