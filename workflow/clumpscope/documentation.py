"""Reference pages written from the tables the code itself uses; `make docs` rewrites them."""

from pathlib import Path

from . import config
from .columns import COLUMNS
from .files import replacing
from .flags import FLAGS

__all__ = ["pages", "write"]

_CONFIG_HEAD = """\
# Configuration, key by key

A configuration is a YAML file: `snakemake --cores 8 --configfile my_field.yaml`. `config.yaml` here is the default one, `abell2744.yaml` and `smacs0723.yaml` are
starting points for those fields. Unknown keys are refused. Method sections (`selection` to `figures`) may stand at the top level, for all fields, and inside a field, for that field alone.
Sources: C25 is Claeyssens et al. (2025), F22 is Faisst et al. (2022); "choice" marks a number that the papers' text does not give.

This page is written from `workflow/schemas/config.schema.yaml` by `make docs`.
"""

_PRODUCTS_HEAD = """\
# Columns and flags

Every product table is ECSV (read it with `astropy.table.Table.read`), the catalogue also FITS. `<F>` stands for a filter name.
A quantity with asymmetric errors has `_err_lo` and `_err_hi`; a posterior has its 16th, 50th and 84th percentiles `_p16`, `_p50`, `_p84`.

This page is written from `workflow/clumpscope/columns.py` and `flags.py` by `make docs`.
"""


def _products() -> str:
    lines = [_PRODUCTS_HEAD, "## Columns", "", "| column | unit | meaning | UCD |", "|---|---|---|---|"]
    lines += [f"| `{c.name}` | {c.unit} | {c.text} | {c.ucd} |" for c in COLUMNS.values()]
    lines += [
        "",
        "## Flags",
        "",
        "`clumpscope.flags.describe(mask)` gives the names of the bits that are set.",
        "",
    ]
    lines += ["| bit | name | set by | meaning | left out of statistics |", "|---|---|---|---|---|"]
    lines += [
        f"| {f.bit} | `{f.name}` | {f.stage} | {f.text} | {'yes' if f.excludes else ''} |"
        for f in FLAGS.values()
    ]
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Path below the checkout -> text of every generated page."""
    return {"config/README.md": f"{_CONFIG_HEAD}\n{config.document()}", "docs/columns.md": _products()}


def write() -> None:
    """Write the pages into the checkout."""
    root = Path(__file__).resolve().parents[2]
    for path, text in pages().items():
        with replacing(root / path) as temporary:
            temporary.write_text(text)


if __name__ == "__main__":
    write()
