import numpy as np
from astropy.table import Table
from clumpscope.population.summary import STATISTIC_COLUMNS
from clumpscope.report.tables import statistics_table
from clumpscope.resources import resource
from clumpscope.tables import read_table

KINDS = [str, str, int, float, float, float, str, str]


def test_every_published_number_has_its_section_and_a_reason():
    quoted = read_table(resource("claeyssens2025/numbers.csv"))
    assert len(set(zip(quoted["quantity"], quoted["group"], strict=True))) == len(quoted)
    assert all(len(str(reason)) > 30 for reason in quoted["reason"])
    assert np.isfinite(np.asarray(quoted["value"], float)).all()


def test_what_both_have_stands_side_by_side():
    rows = [
        ("share_unresolved", "all", 40, 0.25, 0.2, 0.31, "", "Share of unresolved clumps (z < 5.5)."),
        ("n_clumps", "all", 60, 40.0, np.nan, np.nan, "", "40 clumps count in statistics at z < 5.5."),
        ("median_r_eff_pc", "z_3.5_5.5", 0, np.nan, np.nan, np.nan, "pc", "Median size."),
        ("median_mu", "all", 40, 3.0, 2.9, 3.1, "", "Nobody published it."),
    ]
    table = statistics_table(
        Table(rows=rows, names=STATISTIC_COLUMNS, dtype=KINDS),
        read_table(resource("claeyssens2025/numbers.csv")),
    )
    cells = {row[0]: row[1:4] for row in table.rows}
    assert cells == {
        "Share of unresolved clumps (z < 5.5)": ("0.250 +0.060 −0.050", "0.120", "6"),
        "n clumps (all)": ("40", "1751", "4.2"),
    }
