"""How many there are of what: galaxies, clumps, flags and their reasons."""

import re

import numpy as np
from astropy.table import Table

from ..flags import FLAGS
from ..population.sample import population_sample

__all__ = ["flag_counts", "headline", "selection_counts"]

_FOUND = re.compile(r" = [-+]?\d+(?:\.\d+)?")


def selection_counts(selection: Table) -> list[tuple[str, int]]:
    """Galaxies by why they are or are not selected, most frequent first; measured numbers in reasons are dropped.

    Parameters
    ----------
    selection : Table
        selected, reason.
    """
    reasons = [
        "selected" if row["selected"] else _reason(str(row["reason"]))
        for row in selection["selected", "reason"]
    ]
    counts = {reason: reasons.count(reason) for reason in sorted(set(reasons))}
    return sorted(counts.items(), key=lambda item: (item[0] != "selected", -item[1], item[0]))


def _reason(text: str) -> str:
    # "mu = 1.329, not above 2": what was found differs from galaxy to galaxy, what was asked does not.
    return _FOUND.sub("", text)


def flag_counts(catalogue: Table) -> list[dict]:
    """Flags that occur: name, stage, text, whether they exclude, number and share of clumps; in the table's order."""
    flags = np.asarray(catalogue["flags"], dtype=np.int64)
    rows = []
    for flag in FLAGS.values():
        number = int(np.count_nonzero(flags & flag.bit))
        if number:
            rows.append(
                {
                    "name": flag.name, "stage": flag.stage, "text": flag.text, "excludes": flag.excludes,
                    "n": number, "share": number / len(catalogue),
                }
            )  # fmt: skip
    return rows


def headline(
    catalogue: Table | None, selection: Table | None, min_broad_bands: int = 4, poor_fit: bool = False
) -> list[tuple[str, str, str]]:
    """The numbers at the head of a field, as far as its tables are there: value, name, explanation."""
    cells = []
    if selection is not None and len(selection):
        chosen = int(np.count_nonzero(selection["selected"]))
        cells.append((str(chosen), "galaxies selected", f"of {len(selection)} in the catalogue"))
    if catalogue is None:
        return cells
    good = population_sample(catalogue, min_broad_bands, poor_fit)
    counted = catalogue[good]
    cells.append((str(len(catalogue)), "clumps", f"in {len(set(catalogue['galaxy']))} galaxy images"))
    rule = f"without an excluding flag, above S/N 3 in {min_broad_bands} broad bands, multiple images once"
    cells.append((str(int(good.sum())), "in statistics", rule))
    if "class" in catalogue.colnames and len(counted):
        unresolved = float(np.mean(np.asarray(counted["class"], str) == "unresolved"))
        cells.append((f"{100 * unresolved:.0f} %", "unresolved", "size is an upper limit"))
    for name, label, form in (
        ("mu", "median magnification", "{:.1f}"),
        ("log_mass_p50", "median log M★", "{:.2f}"),
    ):
        values = np.asarray(counted[name], float) if name in counted.colnames else np.array([])
        values = values[np.isfinite(values)]
        if values.size:
            low, high = np.percentile(values, [16, 84])
            cells.append(
                (form.format(np.median(values)), label, f"16–84 %: {form.format(low)} to {form.format(high)}")
            )
    return cells
