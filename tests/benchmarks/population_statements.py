"""What C25 say of clumps on a run of a synthetic field, recovered beside injected: printed, and written as a page.

    snakemake --cores 8 --configfile config/twin.yaml
    python tests/benchmarks/population_statements.py results/twin [docs/validation/statements.md]

The page holds `population/statements.ecsv` of the run.
"""

import sys
from pathlib import Path

import numpy as np
from clumpscope.report.tables import statements_table
from clumpscope.tables import read_table

PAGE = """# What C25 say, recovered beside injected

Made by `python tests/benchmarks/population_statements.py results/{field} docs/validation/statements.md` from a run of the field `{field}`: {galaxies} galaxies with {n} clumps in
statistics, of {n_injected} clump images in the measured galaxies.

{caption} Where the second is held and the first is not, finding and selecting is the cause (bright clumps in enough bands count); where the second is not, measuring. Intervals are of a sample of this size: right ones hold 68 % of the first
if finding and selecting does no harm, and more of the second, which has the same clumps. Numbers of one field share their galaxies and hold or fail together. What C25 found is in the words; the twin need not have it. The recipe of the twin ([twin](../twin.md)) draws dN/dM as M^-2
from each galaxy's own lowest mass on, so that the function of all galaxies together is flatter below some 10^7 Msun: where clumps were injected the full likelihood reaches down there, and finds that.

An `evolution` is a slope with log (1 + z), a `gradient` one with galactocentric distance in dex / kpc, r is Pearson's; definitions: [population](../population.md).

"""


def page(folder: Path) -> str:
    """The table as Markdown, its statements once each."""
    statements = read_table(folder / "population" / "statements.ecsv")
    statistics = read_table(folder / "population" / "statistics.ecsv")
    table = statements_table(statements)
    galaxies = next(
        row["value"] for row in statistics if (row["quantity"], row["group"]) == ("n_galaxies", "all")
    )
    text = PAGE.format(
        field=folder.name, caption=table.caption, galaxies=int(galaxies), n=np.max(statements["n"]), n_injected=np.max(statements["n_injected"]),
    )  # fmt: skip
    lines = [f"| {' | '.join(table.heads)} |", "|" + "---|" * len(table.heads)]
    before = ""
    for row in table.rows:
        words = "" if row[0] == before else row[0]
        lines.append(f"| {' | '.join((words.replace('>', '&gt;'), *row[1:]))} |")
        before = row[0]
    return text + "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = page(Path(sys.argv[1]))
    print(text)
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(text)
