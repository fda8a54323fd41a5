"""Time and memory that Snakemake needs to plan a field of so many clumps, by dry runs.

    python tests/benchmarks/dag.py 2000 20000 100000

Clumps come in a table of photometry, four to a galaxy, with four star-formation histories; their selection is run, everything after it is planned.
Prints a row a size: jobs, processor and wall time, memory. Files go to a temporary folder.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from astropy.table import Table

ROOT = Path(__file__).resolve().parents[2]
FILTERS = ("F090W", "F150W", "F200W", "F277W", "F356W", "F444W")
A_GALAXY = 4
CONFIG = "fields: {big: {photometry: photometry.ecsv}}\nrun: {seed: 1}\n"
HEADS = ("clumps", "jobs", "CPU-s", "wall [s]", "ms a job", "memory [MB]")


def write_field(folder: Path, n: int) -> None:
    """A table of `n` clumps, and the configuration."""
    rng = np.random.default_rng(1)
    galaxy = np.arange(n) // A_GALAXY
    table = Table({"id": [f"c{k:07d}" for k in range(n)], "galaxy": [f"g{k:06d}" for k in galaxy]})
    table["ra"], table["dec"] = 110 + rng.uniform(0, 1, n), -73 + rng.uniform(0, 1, n)
    table["z"] = rng.uniform(1, 4, galaxy[-1] + 1)[galaxy]
    for name in FILTERS:
        table[f"{name}_njy"], table[f"{name}_err_njy"] = rng.uniform(10, 100, n), 2.0
    table.write(folder / "photometry.ecsv")
    (folder / "field.yaml").write_text(CONFIG)


def snakemake(folder: Path, *words: str) -> tuple[str, float, resource.struct_rusage]:
    """Run it in a folder: what it says, its wall time [s], and what it used."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "-s", ROOT / "Snakefile", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    start = time.perf_counter()
    with (folder / "said.txt").open("w+") as said:
        process = subprocess.Popen(
            [*command, "--configfile", "field.yaml"], cwd=folder, env=environment, stdout=said, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        said.seek(0)
        text = said.read()
    if status:
        sys.exit(text[-2000:])
    return text, time.perf_counter() - start, used


def plan(folder: Path, n: int) -> str:
    """A row of the table: the dry run of a field of `n` clumps."""
    text, wall, used = snakemake(folder, "--dry-run", "--quiet", "all")
    jobs = int(re.findall(r"^total +(\d+)", text, re.MULTILINE)[0])
    cpu = used.ru_utime + used.ru_stime
    return f"| {n} | {jobs} | {cpu:.0f} | {wall:.0f} | {1e3 * cpu / jobs:.1f} | {used.ru_maxrss / 1e3:.0f} |"


if __name__ == "__main__":
    print(f"| {' | '.join(HEADS)} |\n|{' ---: |' * len(HEADS)}")
    for n in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as name:
            write_field(Path(name), n)
            snakemake(Path(name), "results/big/clumps.json")
            print(plan(Path(name), n), flush=True)
