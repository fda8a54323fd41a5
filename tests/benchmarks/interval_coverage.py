"""Whether the intervals of a run on a synthetic field hold its truth: printed, and written as a page.

    snakemake --cores 8 --configfile config/twin.yaml
    python tests/benchmarks/interval_coverage.py results/twin [docs/validation/coverage.md]

The page holds `population/coverage.ecsv` of the run, quantities in rows, what surrounds clumps in columns, and
`population/recovered.ecsv`, population numbers beside those of the truth.
"""

import sys
from pathlib import Path

import numpy as np
from astropy.table import Table
from clumpscope.flags import has
from clumpscope.lensing import read_lens

GROUPS = ("all", "isolated", "on_host", "crowded", "merged", "central")
HEADS = (
    "quantity",
    *(group.replace("_", " ") for group in GROUPS),
    "median pull",
    "pull width",
    "inside 95 %",
)
INTRODUCTION = """# Do the intervals hold?

Made by `python tests/benchmarks/interval_coverage.py results/{field} docs/validation/coverage.md` from a run of the field `{field}`, {matched} true
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


POPULATIONS = """
## Populations

Numbers of the population tables, with their errors; the same numbers from the true values of the same clumps (what measuring does), and from
those of all images of clumps in the measured galaxies (what finding and selecting does besides). {inside} of {n} lie within one error of the second, {field} within one of the third.

| number | redshift | measured | same clumps | all clumps | n |
|---|---|---|---|---|---|
"""


def populations(recovered: Table) -> str:
    """The second table as Markdown."""
    held = {}
    for truth in ("sample_truth", "field_truth"):
        off = recovered[truth] - recovered["value"]
        held[truth] = int(np.sum((off <= recovered["err_hi"]) & (off >= -recovered["err_lo"])))
    text = POPULATIONS.format(inside=held["sample_truth"], field=held["field_truth"], n=len(recovered))
    for r in recovered:
        bin_ = f"{r['low']:g} to {r['high']:g}" if np.isfinite(r["low"]) else "all"
        what = f"{r['table']}: {r['quantity']} {r['number']}".replace("_", " ")
        text += f"| {what} | {bin_} | {r['value']:.2f} -{r['err_lo']:.2f} +{r['err_hi']:.2f} | {r['sample_truth']:.2f} | {r['field_truth']:.2f} | {r['n']} of {r['n_field']} |\n"
    return text


LENSES = """
## Magnification, had the lens been another

All clumps of a field share its one true lens, so that their magnifications are right or wrong together. Each of {n} posterior samples taken for the truth in turn: at the
{clumps} clumps' places, the intervals of the catalogue hold {mean:.0f} % of the magnifications; of a single field, between {low:.0f} and {high:.0f} % in 90 % of the cases.
"""


def other_lenses(catalogue: Table, lens: Path) -> str:
    """How often the catalogue's magnifications hold those of each sample of the lens model, as Markdown."""
    model = read_lens(
        {"kind": "lenstool", "model": str(lens / "best.par"), "samples": str(lens / "bayes.dat")}
    )
    clumps = catalogue[np.isfinite(catalogue["mu"]) & ~has(catalogue["flags"], "near_critical")]
    mu, low, high = (np.asarray(clumps[name]) for name in ("mu", "mu_err_lo", "mu_err_hi"))
    ra, dec, z = (np.asarray(clumps[name]) for name in ("ra", "dec", "z"))
    samples, held = model.chosen_samples(100), []
    for sample in samples:
        there = np.empty(len(clumps))
        for one in np.unique(z):
            here = z == one
            there[here] = np.abs(model.magnification(ra[here], dec[here], float(one), sample)[0])
        held.append(100 * np.mean((there >= mu - low) & (there <= mu + high)))
    bounds = np.percentile(held, [5, 95])
    return LENSES.format(n=len(held), clumps=len(clumps), mean=np.mean(held), low=bounds[0], high=bounds[1])


def share(row) -> str:
    """One cell."""
    if np.isnan(row["inside_68"]):
        return f"{100 * row['inside_95']:.0f} % ({row['n']})"
    return f"{100 * row['inside_68']:.0f} ± {100 * row['inside_68_err']:.0f} % ({row['n']})"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    # Empty words are read as missing ones.
    coverage, recovered = (
        Table.read(folder / "population" / f"{name}.ecsv").filled("") for name in ("coverage", "recovered")
    )
    catalogue = Table.read(folder / "catalogue.ecsv")
    lenses = other_lenses(catalogue, folder / "input" / "lens")
    text = page(coverage, folder.name) + lenses + populations(recovered)
    print(text)
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(text)
