"""Running the workflow as a user does, in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import yaml
from conftest import ROOT


def snakemake(folder: Path, *arguments: str, cores: int = 2, seconds: int = 900, check: bool = True):
    """Run `snakemake` in `folder` on the checkout's Snakefile and profile.

    Returns
    -------
    subprocess.CompletedProcess
        With stdout, stderr and Snakemake's own log together in `stdout`.
    """
    logs = folder / ".snakemake" / "log"
    older = set(logs.glob("*.log"))
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(ROOT / "Snakefile"),
        "--cores",
        str(cores),
    ]
    command += ["--workflow-profile", str(ROOT / "profiles" / "default"), *arguments]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / ".cache")},
    )  # fmt: skip
    done.stdout += "".join(path.read_text() for path in set(logs.glob("*.log")) - older)
    if check:
        assert done.returncode == 0, done.stdout[-6000:]
    return done


def write_config(folder: Path, config: dict) -> str:
    """Write a configuration into `folder`; gives the arguments that select it."""
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return "--configfile=config.yaml"


def product_bytes(folder: Path) -> dict[str, bytes]:
    """Content of every product below results/, without logs, benchmarks, the run's progress and Snakemake's marks, which tell times."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted((folder / "results").rglob("*"))
        if path.is_file()
        and not {"logs", "benchmarks", "progress.txt", ".snakemake_timestamp"}
        & set(path.relative_to(folder).parts)
    }
