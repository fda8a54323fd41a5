"""Reference pages written from the tables the code itself uses; `make docs` rewrites them."""

import re
from pathlib import Path

from . import config
from .columns import COLUMNS
from .figures.registry import FIGURES
from .figures.style import COLUMN_INCH, MIN_JOINED, MOST_BARS, PAGE_INCH
from .files import replacing
from .flags import FLAGS
from .products import FIELDS_WITH, PRODUCTS, Product

__all__ = ["pages", "write"]

_CONFIG_HEAD = """\
# Configuration, key by key

A configuration is a YAML file: `snakemake --cores 8 --configfile my_field.yaml`. `config.yaml` here is the default one; `abell2744.yaml`, `smacs0723.yaml` and `elgordo.yaml` download
and measure those fields (`docs/fields.md`), `twin.yaml` draws one whose truth is known. Unknown keys are refused; where Snakemake finds a file that is no YAML, `clumpscope check my_field.yaml` names the line. Method sections (`selection` to `figures`) may stand at the top level, for all fields, and inside a field, for that field alone.
Sources: C25 is Claeyssens et al. (2025), F22 is Faisst et al. (2022); "choice" marks a number that the papers' text does not give.

This page is written from `workflow/schemas/config.schema.yaml` by `make docs`.
"""

_PRODUCTS_HEAD = """\
# Products, columns and flags

Every product table is ECSV (read it with `astropy.table.Table.read`), the catalogue also FITS. `<F>` stands for a filter name.
A quantity with asymmetric errors has `_err_lo` and `_err_hi`; a posterior has its 16th, 50th and 84th percentiles `_p16`, `_p50`, `_p84`.

This page is written from `workflow/clumpscope/products.py`, `columns.py` and `flags.py` by `make docs`.
"""


_FIGURES_HEAD = f"""\
# Figures

Every figure is one function in a module of `workflow/clumpscope/figures/`, registered in `registry.py` with its caption. `results/{{field}}/figures/` has it as PDF (for papers),
PNG (for screens) and ECSV (what is drawn). One is asked for by name: `snakemake --cores 1 results/my_field/figures/gradients.pdf`.

## Style

`workflow/clumpscope/figures/style.py` holds the style; the tests hold every figure against it.

- **Widths** are those of the journals' columns, {72 * COLUMN_INCH:.0f} and {72 * PAGE_INCH:.0f} pt (`COLUMN_INCH`, `PAGE_INCH`), so that type keeps its size in print.
- **Fonts** are embedded as TrueType (`pdf.fonttype` 42).
- **Minus signs** are minus signs, not hyphens: `signed` writes numbers into words.
- **Colours**: unordered groups take `PALETTE`, classes `CLASS_COLOURS`, ordered groups `ordered_colours`; maps are viridis, cividis or grey. No two are alike in grey or for eyes that lack one kind of cones
  (Machado et al. 2009). Symbols (`MARKERS`) or lines (`LINES`) tell groups apart as well.
- **Legends** never lie on data: `legend_above` puts them above the axes; `headroom` leaves room for words inside.
- **Words** that may lie on data have a box (`ON_DATA`), and name a group by the sign of its symbol (`MARKER_SIGNS`), not by its colour. Points of a pale colour scale have edges.
- **Medians** of {MIN_JOINED} or more are filled and joined, those of fewer open and alone (`draw_medians`).
- **Values beyond the axes** are marked at the edge by open triangles (`mark_clipped`), or counted in the outermost bins of histograms, as the caption says.
- **Limits** have symbols of their own: open, with an arrow or a triangle that points where the value may lie.
- **Ticks** of logarithmic axes of a few decades are plain numbers (`plain_logarithms`).
- **Labels** are words of astronomers, not of the code: `sfh_name` for star-formation histories; units are in square brackets.
- **Points** by the thousand are rasterized: with 100 000 clumps a figure stays below 2 MB; more than {MOST_BARS} symbols have no error bars (`error_bars`).
- Panels without anything to show say so (`empty`).

## Gallery

C25 is Claeyssens et al. (2025), F22 is Faisst et al. (2022). This page is written from `workflow/clumpscope/figures/registry.py` by `make docs`.
"""

_PAPER_FIGURE = re.compile(r"\b((?:C25|F22) Figs?\. [0-9]+(?:(?:,| and| to) [0-9]+)*)")


def _products() -> str:
    lines = [
        _PRODUCTS_HEAD,
        "## Products",
        "",
        "Below `results/{field}/`. What a run does not make is made when it is asked for by name, or a figure is drawn from it.",
        "",
    ]
    lines += ["| product | what it is | of fields with | by every run |", "|---|---|---|---|"]
    # A product may have several names: the first says what it is.
    once: dict[str, Product] = {}
    for product in PRODUCTS.values():
        once.setdefault(product.path, product)
    lines += [
        f"| `{p.path.replace('{measured}', '{galaxy}')}` | {p.text} | {FIELDS_WITH[p.of]} | {'yes' if p.used('run') else ''} |"
        for p in once.values()
    ]
    lines += ["", "## Columns", "", "| column | unit | meaning | UCD |", "|---|---|---|---|"]
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


def _figures() -> str:
    lines = [_FIGURES_HEAD, "| figure | in the papers | what is seen | drawn from |", "|---|---|---|---|"]
    for name, spec in FIGURES.items():
        papers = ", ".join(dict.fromkeys(_PAPER_FIGURE.findall(spec.caption)))
        optional = f"; where there are: {', '.join(spec.wants)}" if spec.wants else ""
        lines.append(f"| `{name}` | {papers} | {spec.caption} | {', '.join(spec.needs)}{optional} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Path below the checkout -> text of every generated page."""
    return {
        "config/README.md": f"{_CONFIG_HEAD}\n{config.document()}",
        "docs/columns.md": _products(),
        "docs/figures.md": _figures(),
    }


def write() -> None:
    """Write the pages into the checkout."""
    root = Path(__file__).resolve().parents[2]
    for path, text in pages().items():
        with replacing(root / path) as temporary:
            temporary.write_text(text)


if __name__ == "__main__":
    write()
