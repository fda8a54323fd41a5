"""What `docs/figures.md` promises of every figure."""

import itertools

import numpy as np
import pytest
from clumpscope.figures.registry import draw_figure
from clumpscope.figures.save import save
from clumpscope.figures.style import (
    CLASS_COLOURS,
    COLUMN_INCH,
    MIN_JOINED,
    PALETTE,
    draw_medians,
    headroom,
    mark_clipped,
    new_figure,
    ordered_colours,
    plain_logarithms,
    sfh_name,
    signed,
)
from matplotlib.colors import to_rgb
from unit.figures.guide import faults_of
from unit.figures.products_of_figures import imaging_products

# Machado, Oliveira & Fernandes (2009), severity 1, of linear RGB.
BLINDNESS = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "none": np.eye(3),
}  # fmt: skip


def lab(colour, matrix):
    """CIE L*a*b* (D65) of a colour as seen through a matrix on linear RGB."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(np.maximum(xyz / [0.9505, 1.0, 1.089], 1e-4))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_differ_for_every_kind_of_eyes(kind):
    for colours in (PALETTE, list(CLASS_COLOURS.values()), ordered_colours(4)):
        seen = [lab(colour, BLINDNESS[kind]) for colour in colours]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 18


def test_colours_differ_in_grey():
    for colours in (PALETTE, list(CLASS_COLOURS.values()), ordered_colours(4)):
        lightness = np.sort([lab(colour, np.eye(3))[0] for colour in colours])
        assert np.diff(lightness).min() > 8


def test_fonts_are_embedded_whole(tmp_path):
    figure, table = draw_figure("clumps_per_galaxy", imaging_products(tmp_path, n_galaxies=3))
    save(figure, table, tmp_path / "figure.pdf")
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf


def test_the_guide_is_held_against_figures_that_break_it():
    def drawn(width=COLUMN_INCH, text="", place="upper left"):
        figure = new_figure(width, 2)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], "o", label="data")
        axes.legend(loc=place)
        axes.set_title(text)
        return figure

    assert faults_of(drawn()) == []
    assert faults_of(drawn(width=4.0)) == ["width of 4.00 inch"]
    assert faults_of(drawn(text="slope -0.5")) == ["hyphen for a minus sign: slope -0.5"]
    assert faults_of(drawn(place="lower left")) == ["legend on data"]


def test_medians_of_few_are_open_and_unjoined():
    axes = new_figure(3, 2).subplots()
    n = np.array([MIN_JOINED, MIN_JOINED - 1, MIN_JOINED, 0])
    draw_medians(axes, np.arange(4), np.arange(4), np.full((2, 4), np.nan), n, "#000000", "o", "label")
    many, few = (bars.lines[0] for bars in axes.containers)
    assert (
        list(few.get_xdata()) == [1]
        and few.get_linestyle() == "None"
        and few.get_markerfacecolor() == "white"
    )
    assert list(many.get_xdata()) == [0, 2] and many.get_linestyle() == "-"
    assert axes.get_legend_handles_labels()[1] == ["label"]
    assert axes.get_legend_handles_labels()[0][0].lines[0].get_markerfacecolor() == "#000000"


def test_clipped_values_are_marked_at_the_edge():
    axes = new_figure(3, 2).subplots()
    mark_clipped(axes, np.arange(4.0), np.array([-9.0, 0.5, 9.0, np.nan]), (0.0, 1.0), "#000000")
    low, high = (points.get_offsets().tolist() for points in axes.collections)
    assert low == [[0.0, 0.0]] and high == [[2.0, 1.0]]


def test_headroom_leaves_its_share_of_the_panel_on_any_scale():
    for scale in ("linear", "log"):
        axes = new_figure(3, 2).subplots()
        axes.set(yscale=scale, ylim=(1.0, 100.0))
        headroom(axes, 0.25)
        low, high, old = axes.yaxis.get_transform().transform(np.array([*axes.get_ylim(), 100.0]))
        assert (high - old) / (high - low) == pytest.approx(0.25)
        assert axes.get_ylim()[0] == 1.0


def test_labels_of_logarithms_do_not_run_into_each_other():
    for low, high in ((1, 3), (2, 15), (3, 80), (3, 400), (1, 1e6)):
        axes = new_figure(2.2, 2).subplots()
        axes.set(xscale="log", xlim=(low, high))
        plain_logarithms(axes.xaxis)
        axes.figure.draw_without_rendering()
        labels = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        boxes = [
            text.get_window_extent() for place, text in labels if text.get_text() and low <= place <= high
        ]
        assert len(boxes) >= 2
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(sorted(boxes, key=lambda box: box.x0)))


def test_words_of_numbers_and_histories():
    assert signed(-0.5) == "\N{MINUS SIGN}0.50" and signed(-0.001) == "0.00" and signed(0.2, "+.1f") == "+0.2"
    assert sfh_name("exp_10Myr") == r"exponential, $\tau$ = 10 Myr" and sfh_name("const") == "constant"
    assert sfh_name("exp_1Gyr") == r"exponential, $\tau$ = 1 Gyr"
