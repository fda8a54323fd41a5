"""Whether the intervals of a run on a synthetic field hold its truth: printed, and written as a page.

    snakemake --cores 8 --configfile config/twin.yaml
    python tests/benchmarks/coverage.py results/twin [docs/validation/coverage.md]

The page holds `population/coverage.ecsv` of the run: quantities in rows, what surrounds clumps in columns.
"""

import sys
from pathlib import Path

import numpy as np
from astropy.table import Table

GROUPS = ("all", "isolated", "on_host", "crowded", "central")
HEADS = (
    "quantity",
    *(group.replace("_", " ") for group in GROUPS),
    "median pull",
    "pull width",
    "inside 95 %",
)
INTRODUCTION = """# Do the intervals hold?

Made by `python tests/benchmarks/coverage.py results/{field} docs/validation/coverage.md` from a run of the field `{field}`, {matched} true
clump images found and in statistics. Cells: share of true values inside the 68 % interval, with its binomial error and the number of clumps; the last three
columns are of all clumps. `r_eff_limit`: share of upper limits (97.5 %) above the truth. Left out by their flags: {excluded}.
How classes and shares are defined: `clumpscope.population.coverage`.
"""


def page(coverage: Table, field: str) -> str:
    """The table as Markdown."""
    found = {(str(r["quantity"]), str(r["filter"]), str(r["group"])): r for r in coverage}
    excluded = ", ".join(f"{n} {flag}" for flag, n in coverage.meta["excluded"].items()) or "none"
    lines = [INTRODUCTION.format(field=field, matched=coverage.meta["matched"], excluded=excluded)]
    lines += [f"| {' | '.join(HEADS)} |", "|" + "---|" * len(HEADS)]
    for quantity, name in dict.fromkeys(key[:2] for key in found):
        cells = [f"{quantity} {name}".strip()]
        for group in GROUPS:
            r = found.get((quantity, name, group))
            cells.append("" if r is None else share(r))
        r = found[quantity, name, "all"]
        cells += [
            f"{r[c]:.2f}" if np.isfinite(r[c]) else "" for c in ("pull_median", "pull_width", "inside_95")
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def share(row) -> str:
    """One cell."""
    if np.isnan(row["inside_68"]):
        return f"{100 * row['inside_95']:.0f} % ({row['n']})"
    return f"{100 * row['inside_68']:.0f} ± {100 * row['inside_68_err']:.0f} % ({row['n']})"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    text = page(Table.read(folder / "population" / "coverage.ecsv"), folder.name)
    print(text)
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(text)
