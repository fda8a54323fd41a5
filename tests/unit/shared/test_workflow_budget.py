import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "workflow_budget.py"
HEADER = "s\tmax_rss\tcpu_time"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("workflow_budget", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_jobs_are_counted_by_stage(script, tmp_path):
    seconds = {
        "unpack_F150W_sci": "2.0",
        "unpack_F200W_sci": "4.0",
        "download_stars": "1.0",
        "download_x": "NA",
    }
    for name, cpu in seconds.items():
        path = tmp_path / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{HEADER}\n3.0\t100.5\t{cpu}\n")
    rows = {row[0]: row for row in script.budget(tmp_path)}
    assert list(rows) == ["unpack", "download", "all"]
    assert rows["unpack"][1:7] == (2, 6.0, 3.0, 4.0, 3.0, 100.5)
    assert rows["all"][1:3] == (4, 7.0)
    # Neither script imports more than the standard library.
    assert 0.0 < rows["unpack"][7] < 5.0
    assert "| unpack | 2 | 6 | 3.0 | 4.0 | 3.0 |" in script.table(script.budget(tmp_path))


def test_every_rule_is_known_by_its_log(script):
    stages = [name for name, _, _ in script.rules()]
    assert len(stages) > 25 and {"mock", "fit", "sed", "clumps", "psf_table", "figure"} <= set(stages)
    assert all(path.exists() for _, _, path in script.rules())
    for place, stage in (
        ("psf_table.tsv", "psf_table"),
        ("psf_F150W.tsv", "psf"),
        ("galaxies/G1/fit.tsv", "fit"),
    ):
        assert next(name for name, pattern, _ in script.rules() if pattern.fullmatch(place)) == stage
