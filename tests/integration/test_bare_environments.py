"""`--sdm conda` with a real conda, where there is one; what stands in for it where there is none (`make environments`)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bare_environments import ROOT, not_run, rules_by_environment, run_all
from conda_of_pip import install, pins

HAS_CONDA = shutil.which("conda") is not None


@pytest.mark.skipif(not HAS_CONDA, reason="no conda: `make environments` does the same with pip")
def test_every_rule_runs_in_its_conda_environment(tmp_path):
    run_all(tmp_path, cores=2)
    assert not not_run(rules_by_environment(tmp_path / "run", tmp_path / "public"))


def test_pins_in_pips_words_are_those_of_the_file():
    for path in (ROOT / "envs").glob("*.yaml"):
        asked = yaml.safe_load(path.read_text())["dependencies"]
        names = [pin for entry in asked for pin in (entry["pip"] if isinstance(entry, dict) else [entry])]
        own = [name for name in names if name != "pip" and not name.startswith("python=")]
        assert len(pins(path)) == len(own)
        assert all("==" in pin for pin in pins(path))


def test_a_bare_environment_has_nothing_of_the_one_that_snakemake_runs_in(tmp_path):
    """Behind the path of a script Snakemake puts its own: there a forgotten pin would be found."""
    (tmp_path / "empty.yaml").write_text(
        f"dependencies: [python={sys.version_info[0]}.{sys.version_info[1]}]\n"
    )
    install(tmp_path)
    command = [tmp_path / "bin/conda", "env", "create", "--quiet", "--file", tmp_path / "empty.yaml"]
    subprocess.run([*command, "--prefix", tmp_path / "env"], check=True)
    behind = [str(Path(yaml.__file__).parents[1]), str(ROOT / "workflow"), str(ROOT / "workflow/scripts")]
    script = f"import sys; sys.path.extend({behind}); import snakemake; import clumpscope.files; print(clumpscope.__file__)"
    python = tmp_path / "env/bin/python"
    # Snakemake takes the variable away.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def ran(text: str) -> subprocess.CompletedProcess:
        return subprocess.run([python, "-c", text], env=environment, capture_output=True, text=True)

    assert ran(script).stdout.strip() == str(ROOT / "workflow/scripts/clumpscope/__init__.py")
    assert "No module named 'yaml'" in ran(f"{script}; import yaml").stderr
