import numpy as np
import pytest
from clumpscope.montage import GREY, TWO_SIDED, Montage, coloured
from PIL import Image, ImageColor

MARK = "#d62728"


def painted(montage, colour):
    """Rows and columns of the pixels of one colour."""
    return np.nonzero((np.asarray(montage.image) == ImageColor.getrgb(colour)).all(axis=-1))


@pytest.fixture
def panel():
    """30 x 20 pixels, four times as large, with its upper left corner at (10, 30)."""
    montage = Montage(200, 200)
    return montage.panel(np.full((20, 30, 3), 250, np.uint8), 10, 30, 120)


def test_colours_go_from_end_to_end_and_tell_what_has_no_data():
    colours = coloured(np.array([[-9.0, 1.0, 5.0, 99.0, np.nan, np.inf]]), 1.0, 5.0, GREY)[0]
    assert colours[:4].tolist() == [[255] * 3, [255] * 3, [0] * 3, [0] * 3]
    assert (colours[4] == colours[5]).all() and len(set(colours[4].tolist())) > 1
    blue, middle, red = coloured(np.array([[-1.0, 0.0, 1.0]]), -1.0, 1.0, TWO_SIDED)[0].astype(int)
    assert blue[2] > blue[0] and red[0] > red[2] and np.ptp(middle) <= 2


def test_images_have_their_first_pixel_at_the_lower_left():
    image = np.zeros((20, 30))
    image[2, 25] = 1.0
    montage = Montage(200, 200)
    panel = montage.panel(coloured(image, 0.0, 1.0, GREY), 10, 30, 120)
    rows, columns = painted(montage, "black")
    assert panel.size == (120, 80) and rows.size == 16
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == panel.place(25, 2)


def test_marks_are_where_they_belong(panel):
    panel.rings([8.0, 50.0], [5.0, 5.0], 6.0, MARK)  # the second is not on the panel
    rows, columns = painted(panel.montage, MARK)
    x, y = panel.place(8.0, 5.0)
    assert np.hypot(columns + 0.5 - x, rows + 0.5 - y) == pytest.approx(6.0, abs=1.0)
    assert np.hypot(columns.mean() + 0.5 - x, rows.mean() + 0.5 - y) < 0.8


def test_contours_are_where_the_sign_changes(panel):
    rows, columns = np.indices(panel.shape)
    values = np.hypot(columns - 14.0, rows - 9.0) - 5.0
    values[:, 25:] = np.nan
    panel.contour(values, MARK)
    rows, columns = painted(panel.montage, MARK)
    x, y = panel.place(14.0, 9.0)
    assert np.hypot(columns - x, rows - y) == pytest.approx(5.0 * panel.zoom, abs=1.5)


def test_scale_bars_have_round_lengths(panel):
    panel.scale_bar(13.0, '"')  # a third of the panel is 0.76 arcsec
    rows, columns = painted(panel.montage, "black")
    bar = columns[rows == rows.max()]
    assert np.ptp(bar) + 1 == 0.5 * 13.0 * panel.zoom


def test_names_of_a_crowd_are_beside_their_places_and_not_over_each_other():
    montage = Montage(400, 400)
    panel = montage.panel(coloured(np.zeros((80, 80)), 0.0, 1.0, GREY), 0, 0, 400)
    x, y = np.array([40.0, 41.0, 40.5, 39.0, 78.0, 200.0]), np.array([40.0, 40.5, 42.0, 41.0, 40.0, 5.0])
    boxes = panel.names(x, y, [f"e00{k}n001" for k in range(6)], [MARK] * 6)
    assert len(boxes) == 5  # the last is not on the panel
    places = np.transpose(panel.place(x[:5], y[:5]))
    for k, (left, top, right, bottom) in enumerate(boxes):
        assert 0 <= left < right <= 400 and 0 <= top < bottom <= 400
        assert not any(left < px < right and top < py < bottom for px, py in places)
        for other in boxes[:k]:
            assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]


def test_names_stay_on_the_panel_and_files_are_the_same_every_time(panel, tmp_path):
    panel.names([28.0], [10.0], ["name"], [MARK])
    assert painted(panel.montage, MARK)[1].max() < panel.left + panel.size[0]
    for name in ("a.png", "b.png"):
        panel.montage.save(tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), np.asarray(panel.montage.image))
