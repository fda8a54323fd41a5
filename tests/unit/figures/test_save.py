import matplotlib
from astropy.table import Table
from clumpscope.figures.save import save
from clumpscope.figures.style import new_figure, styled
from clumpscope.tables import read_table


@styled
def picture():
    figure = new_figure(3, 2)
    axes = figure.subplots()
    axes.scatter([1, 2, 3], [3, 1, 2], label=r"$\mu$")
    axes.legend()
    return figure


def test_same_bytes_every_time_and_the_data_beside(tmp_path):
    table = Table({"z": [1.0, 2.0]})
    save(picture(), table, tmp_path / "a" / "figure.pdf")
    save(picture(), table, tmp_path / "b" / "figure.pdf")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "figure.ecsv",
        "figure.pdf",
        "figure.png",
    ]
    for ending in ("ecsv", "pdf", "png"):
        first, second = ((tmp_path / folder / f"figure.{ending}").read_bytes() for folder in "ab")
        assert first == second and len(first) > 50
    assert b"CreationDate" not in (tmp_path / "a" / "figure.pdf").read_bytes()
    assert list(read_table(tmp_path / "a" / "figure.ecsv")["z"]) == [1.0, 2.0]


def test_the_house_style_does_not_leak():
    before = dict(matplotlib.rcParams)
    figure = picture()
    assert figure.axes[0].xaxis.label.get_size() == 8.5
    assert dict(matplotlib.rcParams) == before


def test_a_users_own_style_does_not_change_figures():
    with matplotlib.rc_context({"axes.labelsize": 30, "axes.grid": True}):
        assert picture().axes[0].xaxis.label.get_size() == 8.5
