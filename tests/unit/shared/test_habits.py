"""What is said once and what is said in two places: versions, and the table of benchmarks."""

import re
import tomllib

import clumpscope
import pytest
import yaml
from conftest import ROOT

BENCHMARKS = ROOT / "tests" / "benchmarks"


def test_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "workflow/clumpscope/__init__.py"
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    newest = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert {str(cited), newest[1]} == {clumpscope.__version__}


def test_every_benchmark_is_in_the_table():
    page = (ROOT / "docs" / "validation" / "benchmarks.md").read_text()
    told = set(re.findall(r"^\| `python tests/benchmarks/(\w+)\.py", page, flags=re.M))
    commands = {path.stem for path in BENCHMARKS.glob("*.py") if "__main__" in path.read_text()}
    # What others start in an environment of its own is no command.
    assert told == commands - {"bagpipes_peer"}


@pytest.mark.parametrize("hook", ["ruff", "ruff-format", "snakefmt", "documentation"])
def test_commits_are_looked_at_as_tests_do(hook):
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    entry = next(one["entry"] for one in hooks if one["id"] == hook)
    assert entry.startswith(".venv/bin/")
