"""The SLURM profile as it is shipped, on a SLURM of two nodes on this machine."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from slurm_cluster import MISSING, Slurm, wait_for
from test_workflow import clusters
from workflow_run import product_bytes, snakemake, write_config

pytestmark = pytest.mark.skipif(
    MISSING != "", reason=f"no SLURM of its own (Debian: slurm-wlm, munge): {MISSING}"
)
# What a small machine's SLURM can be asked in place of a cluster's: more often, and for less.
QUICK = ["--slurm-init-seconds-before-status-checks=2", "--seconds-between-status-checks=2", "--latency-wait=5",
         "--default-resources", "slurm_partition=main", "mem_mb=1000", "runtime=10"]  # fmt: skip
TARGET = "results/clusters/catalogue.ecsv"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    with Slurm(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with a small photometry field, and its catalogue as made without SLURM."""
    folder = tmp_path_factory.mktemp("local")
    arguments = prepare(folder)
    snakemake(folder, arguments, TARGET)
    return product_bytes(folder)


def prepare(folder: Path) -> str:
    """A photometry field of two galaxies."""
    field = clusters(folder, 4)
    header, *rows = (folder / "clusters.csv").read_text().splitlines()
    rows = [f"{row},{'AB'[number % 2]}" for number, row in enumerate(rows)]
    (folder / "clusters.csv").write_text("\n".join([f"{header},galaxy", *rows]) + "\n")
    return write_config(folder, {"fields": {"clusters": field}, "run": {"seed": 7, "clumps_per_job": 3}})


def submit(slurm: Slurm, folder: Path, target: str, *arguments: str) -> subprocess.Popen:
    """Start a run with the profile as it is shipped."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--workflow-profile",
               str(ROOT / "profiles" / "slurm"), prepare(folder), *QUICK, *arguments, "--", target]  # fmt: skip
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**slurm.environment, "XDG_CACHE_HOME": str(folder / ".cache")},
    )  # fmt: skip


def finished(process: subprocess.Popen, seconds: float = 300) -> str:
    """What a run printed; an error if it failed."""
    try:
        printed = process.communicate(timeout=seconds)[0]
    finally:
        process.kill()
    assert process.returncode == 0, printed[-6000:]
    return printed


def jobs(slurm: Slurm) -> list[dict[str, str]]:
    """All jobs that the controller remembers: their state, node and memory."""
    lines = slurm.ask("scontrol", "-o", "show", "job").splitlines()
    return [dict(part.partition("=")[::2] for part in line.split() if "=" in part) for line in lines]


def test_products_are_those_of_a_local_run_though_jobs_first_had_too_little_memory(slurm, run, tmp_path):
    finished(submit(slurm, tmp_path, TARGET, "--set-resources", "sed:mem_mb=150 * attempt ** 3"))
    killed = [job for job in jobs(slurm) if job["JobState"] != "COMPLETED"]
    assert killed and {job["MinMemoryNode"] for job in killed} == {"150M"} and len(jobs(slurm)) >= 8
    assert product_bytes(tmp_path) == run
    # Jobs of seconds go together: the two galaxies' are one submission.
    together = [job["Comment"] for job in jobs(slurm) if "split" in job["Comment"]]
    assert together == ["rule_split_split_photometry"]


def test_a_lost_node_loses_no_product(slurm, run, tmp_path):
    known = {job["JobId"] for job in jobs(slurm)}

    def fitting() -> list[dict[str, str]]:
        return [
            job
            for job in jobs(slurm)
            if job["JobId"] not in known and job["JobState"] == "RUNNING" and "sed" in job.get("Comment", "")
        ]

    process = submit(slurm, tmp_path, "results/clusters/sed/exp_10Myr.ecsv")
    try:
        wait_for(lambda: bool(fitting()), 120)
        time.sleep(2)  # in the middle of it
        victim = fitting()[0]
        slurm.lose(victim["NodeList"])
    except BaseException:
        process.kill()
        raise
    finished(process)
    again = next(job for job in jobs(slurm) if job["JobId"] == victim["JobId"])
    assert again["Restarts"] == "1" and again["NodeList"] != victim["NodeList"]
    products = product_bytes(tmp_path)
    assert "results/clusters/sed/exp_10Myr.ecsv" in products and products.items() <= run.items()


def end_without_controller(slurm: Slurm, process: subprocess.Popen, after: float, seconds: float) -> int:
    """Code of a run whose controller is killed after some seconds, and away for some more.

    Snakemake's plugin (2.8.0) forgets its jobs, and waits for ever, where no answer comes to a whole round of questions: such a run
    is killed, as a person would.
    """
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=after)
        slurm.lose_controller(seconds)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=60)
    finally:
        process.kill()
    return process.wait()


def test_a_killed_controller_loses_no_product(slurm, run, tmp_path):
    """Where the run ends, or has to be killed, the same command goes on; on a busy machine that may wait for ever once more."""
    if end_without_controller(slurm, submit(slurm, tmp_path, TARGET), 15, 8):
        try:
            finished(submit(slurm, tmp_path, TARGET), 150)
        except subprocess.TimeoutExpired:
            finished(submit(slurm, tmp_path, TARGET))
    assert product_bytes(tmp_path) == run


def test_the_profile_names_nothing_that_the_test_replaces():
    """What is asked more quickly here must be options of the profile, or the test would not be of it."""
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
    assert {"executor", "retries", "slurm-init-seconds-before-status-checks", "latency-wait"} <= set(profile)
    assert set(profile["groups"].values()) == set(profile["group-components"])
