"""The library's rooms, as workflow/README.md draws them: imports go down, never in a circle, and no room knows Snakemake."""

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from conftest import ROOT

LIBRARY = ROOT / "workflow" / "clumpscope"
PAGE = ROOT / "workflow" / "README.md"


def drawn(page: str) -> list[list[str]]:
    """Rooms of every floor of the drawing, the highest first."""
    drawing = re.search(r"## Rooms\n.*?```text\n(.*?)```", page, flags=re.S)[1]
    return [line.split("|")[0].split() for line in drawing.splitlines() if line.strip()]


@cache
def imports(library: Path) -> dict[str, set[str]]:
    """Modules of the library that each of its modules imports, inside functions and for type checkers too."""
    modules = {
        ".".join(path.relative_to(library).with_suffix("").parts): path for path in library.rglob("*.py")
    }
    found = {}
    for name, path in modules.items():
        package = name.split(".")[:-1]
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found[name].add(node.module)
            elif isinstance(node, ast.ImportFrom):
                base = ".".join([*package[: len(package) - node.level + 1], *(node.module or "").split(".")])
                base = base.strip(".")
                for alias in node.names:
                    tried = f"{base}.{alias.name}".strip("."), base, f"{base}.__init__".strip(".")
                    found[name] |= {next(module for module in tried if module in modules)}
    return found


def upward(floors: list[list[str]], known: dict[str, set[str]]) -> list[str]:
    """Imports from a room of the same or a higher floor, and rooms that are not drawn."""
    height = {room: -number for number, floor in enumerate(floors) for room in floor}

    def room(module: str) -> str:
        parts = module.split(".")
        return next(
            (name for n in range(len(parts), 0, -1) if (name := "/".join(parts[:n])) in height),
            parts[0],
        )

    wrong = []
    for module, others in known.items():
        here = room(module)
        if here == "__init__":
            continue
        if here not in height:
            wrong.append(f"{here} is not drawn")
        wrong += [
            f"{module} imports {other}"
            for other in others & set(known)
            if (there := room(other)) not in (here, "__init__")
            and height.get(there, 1) >= height.get(here, 0)
            # What a room offers is gathered in its own first file.
            and not (module.endswith("__init__") and there.startswith(here + "/"))
        ]
    return sorted(set(wrong))


def test_imports_go_down():
    assert upward(drawn(PAGE.read_text()), imports(LIBRARY)) == []


def test_an_import_upward_and_a_room_that_is_not_drawn_are_found():
    floors = [["figures"], ["sed/inference"], ["sed/models", "images"], ["errors"]]
    known = {"figures.one": {"sed.inference.fit"}, "sed.inference.fit": {"sed.models.gas"}, "sed.models.gas": {"errors"},
             "images.psf": set(), "errors": set()}  # fmt: skip
    assert upward(floors, known) == []
    known["sed.models.gas"] = {"sed.inference.fit", "images.psf"}
    known["cellar.one"] = set()
    assert upward(floors, known) == [
        "cellar is not drawn",
        "sed.models.gas imports images.psf",
        "sed.models.gas imports sed.inference.fit",
    ]


def test_no_module_imports_itself_by_way_of_others():
    known = imports(LIBRARY)
    # A first file names what its room offers: who imports the room imports that.
    graph = {module: others & set(known) for module, others in known.items()}
    tuple(TopologicalSorter(graph).static_order())
    with pytest.raises(CycleError):
        tuple(TopologicalSorter({**graph, "errors": {"sed.inference.fit"}}).static_order())


def test_no_room_knows_snakemake():
    knowing = {
        module
        for module, others in imports(LIBRARY).items()
        if any(o.split(".")[0] == "snakemake" for o in others)
    }
    assert knowing == set()
