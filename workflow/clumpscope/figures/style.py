"""One look for every figure: journal column widths, one type size, colours that colour-blind readers can tell apart."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "CLASS_COLOURS",
    "COLUMN_INCH",
    "GREY",
    "MARKERS",
    "PAGE_INCH",
    "PALETTE",
    "empty",
    "new_figure",
    "ordered_colours",
    "panel_label",
    "plain_logarithms",
    "plain_text",
    "styled",
]

COLUMN_INCH, PAGE_INCH = 3.5, 7.1
"""Widths of one and of two columns."""

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Unordered groups: Okabe & Ito's colours, the darkest first."""

GREY = "0.35"
"""Reference lines and annotations."""

MARKERS = ("o", "s", "D", "^", "v", "P")

CLASS_COLOURS = {"unresolved": "#CC79A7", "compact": "#0072B2", "extended": "#E69F00"}
"""Resolution classes (C25 section 5.1)."""

_RC = {
    "axes.axisbelow": True,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.titlesize": 8.5,
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "lines.linewidth": 1.3,
    "mathtext.fontset": "dejavusans",
    "pdf.fonttype": 42,
    "savefig.dpi": 220,
    "xtick.direction": "in",
    "xtick.labelsize": 7.5,
    "xtick.minor.visible": True,
    "xtick.top": True,
    "ytick.direction": "in",
    "ytick.labelsize": 7.5,
    "ytick.minor.visible": True,
    "ytick.right": True,
}


def styled(function: Callable) -> Callable:
    """Run `function` with the house style; matplotlib is imported then, not before."""

    @wraps(function)
    def with_style(*arguments: Any, **options: Any) -> Any:
        import matplotlib  # 0.3 s that a registry of figures does not need

        with matplotlib.rc_context({**matplotlib.rcParamsDefault, "backend": "agg", **_RC}):
            return function(*arguments, **options)

    return with_style


def new_figure(width_inch: float, height_inch: float) -> "Figure":
    """Empty figure, laid out by constraints, that belongs to no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_inch, height_inch), layout="constrained")


def ordered_colours(n: int) -> list[str]:
    """`n` colours for ordered groups, dark to light (matplotlib's viridis without its faint end)."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    positions = [0.45] if n == 1 else [0.05 + 0.8 * k / (n - 1) for k in range(n)]
    return [to_hex(colormaps["viridis"](position)) for position in positions]


def empty(axes: "Axes | Sequence[Axes]", text: str = "no clumps") -> None:
    """Say on the axes that there is nothing to show."""
    for panel in axes if isinstance(axes, Sequence) else [axes]:
        panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", color=GREY)


def panel_label(axes: "Axes", text: str, corner: str = "upper left") -> None:
    """Short text in a corner of a panel."""
    vertical, horizontal = corner.split()
    x, y = {"left": 0.035, "right": 0.965}[horizontal], {"upper": 0.965, "lower": 0.035}[vertical]
    va = "top" if vertical == "upper" else "bottom"
    axes.text(x, y, text, transform=axes.transAxes, ha=horizontal, va=va, fontsize=7.5, linespacing=1.3)


def plain_text(text: object) -> str:
    """Text out of a user's table as it is drawn, without matplotlib taking its dollar signs for formulas."""
    return str(text).replace("$", r"\$")


def plain_logarithms(axis: "Axis") -> None:
    """Label a logarithmic axis of a few decades with numbers, 1, 2, 5, 10 ..., without powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, SymmetricalLogLocator

    steps = (1.0, 2.0, 5.0)
    if axis.get_scale() in ("log", "symlog"):
        symmetrical = axis.get_scale() == "symlog"
        axis.set_major_locator(
            SymmetricalLogLocator(axis.get_transform(), steps) if symmetrical else LogLocator(subs=steps)
        )
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
