"""CPU time of a run by stage, and what starting Python and importing takes for each.

    python tests/benchmarks/workflow_budget.py results/FIELD [budget.md]

Reads what jobs told of themselves (`results/FIELD/benchmarks`), and the rules of this checkout to know which file is whose. What a
job imports before it does anything is measured here, with the imports of its script in a fresh interpreter (the least of three
times); parts of libraries that it imports later count as its own work. Jobs of a kind that are forked after the first
(`clumpscope.job_server`) take none of it; elsewhere it is in their CPU time. Prints a table, and writes it where a second name
is given.
"""

import ast
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
HEAD = (
    "stage", "jobs", "CPU-s", "mean", "largest", "wall, mean [s]", "peak [MB]", "imports, fresh",
)  # fmt: skip


def rules() -> list[tuple[str, re.Pattern, Path]]:
    """Name, pattern of the file of times and script of every rule; patterns with most fixed text first."""
    found = []
    for path in sorted((ROOT / "rules").glob("*.smk")):
        for block in re.split(r"^ *(?:rule|checkpoint)\b", path.read_text(), flags=re.MULTILINE)[1:]:
            name = re.match(r" (\w+):", block) or re.search(r'name:\s+f"(\w+?)_?\{', block)
            log = re.search(r'log:\s+f?"results/(?:\{\w+\}/)?logs/(.+?)\.log"', block)
            script = re.search(r'script:\s+"\.\./(.+?)"', block)
            if name and log and script:
                fixed = re.split(r"\{.+?\}", f"{log[1]}.tsv")
                pattern = re.compile("[^/]+".join(map(re.escape, fixed)))
                found.append((len("".join(fixed)), name[1], pattern, ROOT / script[1]))
    return [rule[1:] for rule in sorted(found, key=lambda rule: -rule[0])]


def jobs(folder: Path) -> Iterator[tuple[str, Path, dict[str, float]]]:
    """Stage, script and numbers of every job of a run."""
    known = rules()
    for path in sorted(folder.glob("benchmarks/**/*.tsv")):
        place = path.relative_to(folder / "benchmarks").as_posix()
        stage, script = next(
            ((name, script) for name, pattern, script in known if pattern.fullmatch(place)), (place, None)
        )
        names, *rows = (line.split("\t") for line in path.read_text().splitlines())
        for row in rows:  # one, but for jobs that were run again
            cells = zip(names, row, strict=True)
            yield stage, script, {name: float(cell) for name, cell in cells if re.fullmatch(r"[\d.]+", cell)}


def import_seconds(script: Path | None, repeat: int = 3) -> float:
    """CPU time of an interpreter that imports what a script imports at its start [s]."""
    if script is None:
        return np.nan
    tree = ast.parse(script.read_text())
    lines = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"}
    seconds = []
    for _ in range(repeat):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)


def budget(folder: Path) -> list[tuple]:
    """Rows of the table, the most expensive stage first, and their sum."""
    stages: dict[str, tuple[Path, list[dict[str, float]]]] = {}
    for stage, script, numbers in jobs(folder):
        stages.setdefault(stage, (script, []))[1].append(numbers)
    if not stages:
        sys.exit(
            f"{folder}: no file benchmarks/**/*.tsv: give the folder of a field that was run, results/FIELD"
        )
    rows = []
    for stage, (script, numbers) in stages.items():
        cpu, wall, memory = (
            np.array([job.get(key, 0.0) for job in numbers]) for key in ("cpu_time", "s", "max_rss")
        )
        start = import_seconds(script)
        rows.append((stage, cpu.size, cpu.sum(), cpu.mean(), cpu.max(), wall.mean(), memory.max(), start))
    rows.sort(key=lambda row: -row[2])
    total = sum(row[2] for row in rows)
    count, memory = sum(row[1] for row in rows), max(row[6] for row in rows)
    return [*rows, ("all", count, total, total / count, max(row[4] for row in rows), np.nan, memory, np.nan)]


def table(rows: list[tuple]) -> str:
    """The rows as Markdown."""
    formats = ("{}", "{}", "{:.0f}", "{:.1f}", "{:.1f}", "{:.1f}", "{:.0f}", "{:.2f}")
    lines = [HEAD, ("---",) + ("---:",) * (len(HEAD) - 1)]
    for row in rows:
        lines.append(
            ["" if value != value else form.format(value) for form, value in zip(formats, row, strict=True)]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    text = table(budget(Path(sys.argv[1])))
    print(text, end="")
    if len(sys.argv) == 3:
        Path(sys.argv[2]).write_text(text)
