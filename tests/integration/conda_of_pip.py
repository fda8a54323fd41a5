"""A stand-in for conda, for machines without its channels: what Snakemake asks of conda, answered with venv and pip.

`install(FOLDER)` puts it into FOLDER/bin as `conda`, beside the script that activates an environment. An environment has the
pins of its file and nothing else: Snakemake puts its own site-packages behind those of every environment, so that what a
file forgets would be found there; here a module is found in the environment, beside the rule's script, or not at all.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

# conda-forge's name -> PyPI's, where they differ.
_OF_PYPI = {"matplotlib-base": "matplotlib"}

_ACTIVATE = 'export PATH="$1/bin:$PATH" CONDA_PREFIX="$1"\n'

# Runs when an environment's Python starts, before Snakemake's preamble makes the path longer.
_ALONE = '''"""Modules of this environment, the library beside the scripts, and what Snakemake's preamble needs; nothing else."""

import sys
from importlib.machinery import PathFinder

_OWN = [path for path in sys.path if path]


class _Alone(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if path is None and not name.startswith("snakemake"):
            path = [*_OWN, *(folder for folder in sys.path if folder.endswith("/workflow/scripts"))]
        return super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = _Alone
'''


def install(folder: Path) -> None:
    """Make `folder`/bin/conda and what it needs."""
    programs = folder / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    (programs / "activate").write_text(_ACTIVATE)
    (programs / "conda").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "{folder}" "$@"\n'
    )
    (programs / "conda").chmod(0o755)


def pins(file: Path) -> list[str]:
    """What a file asks for, in pip's words."""
    found = []
    for entry in yaml.safe_load(file.read_text())["dependencies"]:
        for pin in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, version = re.fullmatch(r"([\w-]+)(?:==?(.+))?", pin).groups()
            if name == "python":
                assert version == ".".join(map(str, sys.version_info[:2])), f"{pin} is not at hand"
            elif version:
                found.append(f"{_OF_PYPI.get(name, name)}=={version}")
    return found


def create(file: Path, prefix: Path) -> None:
    """Make an environment."""
    subprocess.run([sys.executable, "-m", "venv", prefix], check=True)
    python = prefix / "bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "pip", *pins(file)], check=True)
    (next(prefix.glob("lib/python*/site-packages")) / "sitecustomize.py").write_text(_ALONE)


def main() -> None:
    """Answer one call; what is asked of it comes behind the folder of `install`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("--get")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--prefix", type=Path)
    asked = parser.parse_known_args()[0]
    if asked.version:
        print("conda 24.7.1")
    elif asked.words == ["info"]:
        print(json.dumps({"conda_prefix": asked.folder, "platform": "linux-64"}))
    elif asked.words == ["config"]:
        print(json.dumps({"get": {asked.get: "strict"}}))
    elif asked.words == ["clean"]:
        pass  # pip's cache is the user's
    elif asked.words == ["env", "create"]:
        create(asked.file, asked.prefix)
    else:
        raise SystemExit(f"conda {' '.join(sys.argv[1:])}: found a call that this stand-in does not know")


if __name__ == "__main__":
    main()
