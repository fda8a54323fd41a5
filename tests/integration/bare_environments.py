"""Every rule in the environment of its pins: small runs with `snakemake --sdm conda`.

`python tests/integration/bare_environments.py [FOLDER]` (`make environments`) makes the environments with pip, each with its pins
alone (`conda_of_pip.py`), and prints which rules ran in which of them. The library is the one beside the scripts.
Environments that are in FOLDER already are used again.
"""

import argparse
import json
import os
import sys
import tempfile
from base64 import b64decode
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from astropy.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/integration")]

import conda_of_pip  # noqa: E402
import public_fields  # noqa: E402
from rules_of_workflow import rules  # noqa: E402
from test_workflow import RUN, clusters, mock_field  # noqa: E402
from workflow_run import snakemake, write_config  # noqa: E402

# The library of FSPS needs FSPS's data, without which its rule starts and refuses; the list of downloads has no product.
NOT_NOTED = {"build_ssp_fsps", "downloads_list"}


def small_run(folder: Path) -> str:
    """A synthetic field, star clusters with published masses, and a published table of clumps."""
    mock = mock_field()
    mock["injection"]["clumps"] = 4
    fields = {"mock": mock, "clusters": clusters(folder, 4), "sample": published_clumps(folder)}
    return write_config(folder, {"fields": fields, "run": RUN})


def published_clumps(folder: Path) -> dict:
    """A field of 40 clumps in 10 galaxies."""
    number = np.arange(40)
    columns = {
        "name": [f"c{k}" for k in number],
        "host": [f"g{k // 4}" for k in number],
        "z": 0.9 + 0.1 * (number // 4),
    }
    Table(columns | {"mass": 10 ** (5.0 + number / 13.0)}).write(folder / "clumps.csv", overwrite=True)
    mass = {"column": "mass", "unit": "Msun"}
    return {
        "clumps": {
            "table": "clumps.csv",
            "columns": {"id": "name", "galaxy": "host", "z": "z", "log_mass": mass},
        }
    }


def run_all(folder: Path, *arguments: str, cores: int = 1) -> None:
    """Run every rule: in `folder`/run, and those of downloads in `folder`/public."""
    here = folder / "run"
    here.mkdir(parents=True, exist_ok=True)
    picture = "results/clusters/sed/exp_10Myr/clusters/SC_001.pdf"
    options = ("--sdm", "conda", *arguments)
    snakemake(here, small_run(here), "all", picture, *options, cores=cores, seconds=7200)
    snakemake(here, "--configfile=config.yaml", "build_ssp_bc03", *options, cores=cores)
    library = "resources/ssp/bc03_miles_cloudy.npz"
    assert (here / library).read_bytes() == (ROOT / library).read_bytes(), "another library of spectra"
    done = snakemake(here, "--configfile=config.yaml", "build_ssp_fsps", *options, cores=cores, check=False)
    assert done.returncode == 0 or "SPS_HOME: found" in done.stdout, done.stdout[-6000:]
    for target in ("results/elgordo/galaxies.json", "downloads_list"):
        done = public_fields.run("elgordo", folder / "public", "--cores", str(cores), *options, target)
        assert done.returncode == 0, done.stdout[-6000:]


def rules_by_environment(*folders: Path) -> dict[str, Counter[str]]:
    """Name of an environment -> rule -> number of its jobs, of what runs in some folders noted.

    Parameters
    ----------
    *folders : Path
        Where snakemake ran.
    """
    names = {path.read_bytes(): path.stem for path in (ROOT / "envs").glob("*.yaml")}
    jobs = set()
    for folder in folders:
        for path in (folder / ".snakemake/metadata").rglob("*"):
            if path.is_file():
                entry = json.loads(path.read_text())
                if entry["rule"] in NOT_NOTED:
                    continue
                environment = names[b64decode(entry["conda_env"])] if entry["conda_env"] else "none"
                jobs.add((environment, entry["rule"].removesuffix("_mock"), *entry["log"]))
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for environment, rule, *_ in jobs:
        found[environment][rule] += 1
    return found


def not_run(found: dict[str, Counter[str]]) -> set[tuple[str, str]]:
    """Environment and name of rules that did not run in their environment."""
    asked = {(Path(environment).stem, name) for name, environment, _ in rules() if name not in NOT_NOTED}
    return asked - {(environment, name) for environment, names in found.items() for name in names}


def main() -> None:
    """Make the environments, run, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--cores", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.folder or Path(temporary)).resolve()
        conda_of_pip.install(folder / "conda")
        os.environ["PATH"] = f"{folder / 'conda/bin'}:{os.environ['PATH']}"
        run_all(folder, "--conda-prefix", str(folder / "environments"), cores=asked.cores)
        found = rules_by_environment(folder / "run", folder / "public")
    for environment, names in sorted(found.items()):
        print(f"{environment}: {len(names)} rules, {names.total()} jobs: {', '.join(sorted(names))}")
    if missing := not_run(found):
        raise SystemExit(f"did not run: {sorted(missing)}")


if __name__ == "__main__":
    main()
