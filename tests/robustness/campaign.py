"""Run many broken inputs and print what became of them: python tests/robustness/campaign.py [--cases N] [--seed S] [--all]."""

import argparse
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from broken_inputs import CHANGES, Field, Outcome, judge
from clumpscope.sed import fit_posterior
from clumpscope.sed.products.store import write_posteriors

FILTERS = ("F115W", "F150W", "F200W", "F277W", "F356W", "F444W")
VERDICTS = ("refused", "told", "unclear", "silent", "traceback")


def campaign(folder: Path, cases: int, seed: int) -> Iterator[Outcome]:
    """Outcomes of so many cases; the sound field, which must pass without a doubt, comes first."""
    sound = folder / "sound"
    sound.mkdir()
    field = Field(sound, np.random.default_rng(0))
    field.write()
    assert field.start() == [], "the sound field is not sound"
    flux = np.full(len(FILTERS), 50.0)
    posterior = fit_posterior(flux, 0.1 * flux, FILTERS, 1.0, sfh="ssp", id="c1", nested=False)
    write_posteriors([posterior], sound / "posterior.nc")
    for number in range(cases):
        own = folder / "case"
        shutil.copytree(sound, own)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # astropy's, of files that are broken
            yield judge(number, seed, own)
        shutil.rmtree(own)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="print every case")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = list(campaign(Path(folder), arguments.cases, arguments.seed))
    for one in outcomes:
        if arguments.all or one.verdict not in ("refused", "told"):
            print(f"{one.number:5d} {one.kind}: {one.change}\n      {one.verdict}: {one.message}")
    print(f"{'':14s}" + "".join(f"{verdict:>10s}" for verdict in VERDICTS))
    for kind in CHANGES:
        counts = Counter(one.verdict for one in outcomes if one.kind == kind)
        print(f"{kind:14s}" + "".join(f"{counts[verdict]:10d}" for verdict in VERDICTS))
    counts = Counter(one.verdict for one in outcomes)
    print(f"{'all':14s}" + "".join(f"{counts[verdict]:10d}" for verdict in VERDICTS))
    if (
        counts["traceback"]
        or counts["silent"]
        or counts["unclear"]
        or counts["refused"] < 0.95 * len(outcomes)
    ):
        raise SystemExit("some were not refused")


if __name__ == "__main__":
    main()
