"""A published table of clumps, without images, as a field of the workflow."""

import numpy as np
import pytest
import yaml
from astropy.table import Table
from workflow_run import snakemake, write_config

COLUMNS = {
    "id": "name",
    "galaxy": "host",
    "z": "z",
    "log_mass": {"column": "mass", "unit": "Msun", "err": "e_mass"},
}


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(8)
    mass = 10 ** rng.normal(6.5, 0.5, 40)
    columns = {
        "name": [f"c{k}" for k in range(40)],
        "host": [f"g{k // 4}" for k in range(40)],
        "z": np.repeat(np.linspace(0.9, 5.0, 10), 4),
    }
    Table(columns | {"mass": mass, "e_mass": 0.2 * mass}).write(tmp_path / "clumps.csv")
    return tmp_path


def test_statistics_and_figures_are_made_of_a_table(folder):
    chosen = write_config(
        folder, {"fields": {"sample": {"clumps": {"table": "clumps.csv", "columns": COLUMNS}}}}
    )
    wanted = ("results/sample/numbers.yaml", "results/sample/figures/mass_function.png")
    snakemake(folder, chosen, *wanted, cores=1)
    numbers = yaml.safe_load((folder / wanted[0]).read_text())
    mass = Table.read(folder / "clumps.csv")["mass"]
    assert numbers["n_clumps"]["value"] == 40 and numbers["n_galaxies"]["value"] == 10
    assert numbers["median_log_mass"]["value"] == pytest.approx(np.median(np.log10(mass)))
    assert numbers["max_log_mass"]["value"] == pytest.approx(np.log10(np.max(mass)))
    assert (folder / "results/sample/catalogue.fits").exists() and (folder / wanted[1]).exists()


def test_a_column_that_is_not_there_ends_the_run_before_it_starts(folder):
    wrong = COLUMNS | {"log_mass": "Mass"}
    chosen = write_config(
        folder, {"fields": {"sample": {"clumps": {"table": "clumps.csv", "columns": wrong}}}}
    )
    done = snakemake(folder, chosen, "--dry-run", check=False)
    assert done.returncode != 0 and "Did you mean 'mass'?" in done.stdout
