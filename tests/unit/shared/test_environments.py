"""Every rule's environment pins what its script imports, through the whole library."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from clumpscope import sed
from clumpscope.figures.registry import FIGURES
from conftest import ROOT
from rules_of_workflow import rule_texts, rules

LIBRARY = ROOT / "workflow"
SCRIPTS = LIBRARY / "scripts"
# What a module is called in a package index, where that differs.
PACKAGES = {"sedpy": "astro-sedpy", "matplotlib": "matplotlib-base", "yaml": "pyyaml", "nautilus": "nautilus-sampler",
            "arviz_stats": "arviz-stats", "PIL": "pillow"}  # fmt: skip
# Modules that are imported by name when they are asked for.
ASKED_FOR = {f"clumpscope.sed.{name}": [f"clumpscope.sed.{module}"] for name, module in sed._LATER.items()}
ASKED_FOR["clumpscope.figures.registry.draw_figure"] = [
    f"clumpscope.figures.{figure.module}" for figure in FIGURES.values()
]


def file_of(module: str) -> Path | None:
    path = LIBRARY.joinpath(*module.split("."))
    return next((p for p in (path / "__init__.py", path.with_suffix(".py")) if p.is_file()), None)


def skipped(node: ast.AST) -> bool:
    """Whether a block is for type checkers alone."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(node: ast.AST, package: list[str]):
    """Modules that a file imports, also inside functions; names that may be submodules too."""
    for child in ast.iter_child_nodes(node):
        if skipped(child):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = package[: len(package) - child.level + 1] if child.level else []
            module = ".".join([*base, *([child.module] if child.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in child.names)
        else:
            yield from imports(child, package)


@cache
def imported(file: Path) -> frozenset[str]:
    return frozenset(imports(ast.parse(file.read_text()), list(file.relative_to(LIBRARY).parts[:-1])))


def third_party(path: Path) -> dict[str, tuple[str, ...]]:
    """Third-party modules that a file needs, each with the chain of files that leads to it."""
    found, seen, waiting = {}, {path}, [(path, ())]
    while waiting:
        file, chain = waiting.pop(0)
        chain = (*chain, str(file.relative_to(LIBRARY)))
        names = imported(file)
        names = names.union(*(ASKED_FOR.get(name, ()) for name in names))
        parents = {name.rsplit(".", k)[0] for name in names for k in range(name.count(".") + 1)}
        files = {own for name in names | parents if name.startswith("clumpscope") and (own := file_of(name))}
        for name in names:
            root = name.split(".")[0]
            if root not in sys.stdlib_module_names and root != "clumpscope":
                found.setdefault(root, chain)
        waiting += [(own, chain) for own in sorted(files - seen)]
        seen |= files
    return found


def test_every_script_has_a_rule():
    assert {Path(script).name for *_, script in rules()} == {path.name for path in SCRIPTS.glob("*.py")}


def test_scripts_find_the_library_beside_them():
    """Snakemake puts a script's own folder on the path, and nothing else in an environment without the package."""
    assert (SCRIPTS / "clumpscope").resolve() == LIBRARY / "clumpscope"


@pytest.mark.parametrize(("rule", "environment", "script"), list(rules()))
def test_a_rules_environment_has_what_its_script_imports(rule, environment, script):
    dependencies = yaml.safe_load((ROOT / environment).read_text())["dependencies"]
    pins = [pin for entry in dependencies for pin in (entry["pip"] if isinstance(entry, dict) else [entry])]
    names = {re.split("==?", pin)[0] for pin in pins}
    missing = {
        m: " > ".join(chain)
        for m, chain in third_party(ROOT / script).items()
        if PACKAGES.get(m, m) not in names
    }
    assert missing == {}, f"{environment} of {rule} lacks {missing}"


def test_every_rule_asks_for_more_memory_each_time_it_is_repeated():
    """All but `downloads_list`, which makes nothing."""
    asked = {name: re.search(r"^\s*mem_mb=memory\(\d+\),$", text, flags=re.M) for name, text in rule_texts()}
    assert {name for name, found in asked.items() if not found} == {"downloads_list"} and len(asked) > 40
    common = (ROOT / "rules/common.smk").read_text()
    memory = re.search(r"^def memory\(.*?(?=^\S)", common, flags=re.M | re.S)[0]
    space: dict = {}
    exec(memory, space)
    assert [space["memory"](500)(None, attempt) for attempt in (1, 2, 3)] == [500, 1000, 1500]


def test_the_container_has_what_a_run_needs(tmp_path):
    """What its recipe copies is enough for the environment's commands and for a plan of the default run."""
    recipe = (ROOT / "Containerfile").read_text()
    for sources, target in re.findall(r"^COPY (.+) (\S+)$", recipe, flags=re.M):
        for source in sources.split():
            place = tmp_path / (source if target == "./" else target)
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, place)
    subprocess.run(["make", "--dry-run", "env"], cwd=tmp_path, check=True, capture_output=True)
    start = json.loads(re.search(r"^ENTRYPOINT (.+)$", recipe, flags=re.M)[1])
    command = [word.replace("/clumpscope/", f"{tmp_path}/") for word in start] + ["--cores", "1", "--dry-run"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "workflow"), "XDG_CACHE_HOME": str(tmp_path)}
    planned = subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert planned.returncode == 0, planned.stderr[-3000:]
    python = re.search(r"^FROM python:(\d+\.\d+)-", recipe, flags=re.M)[1]
    assert f"python={python}" in (ROOT / "envs" / "imaging.yaml").read_text()
