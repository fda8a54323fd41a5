"""One look for every figure (`docs/figures.md` is its guide): widths, type, and colours that hold in grey and for colour-blind eyes."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "CLASS_COLOURS",
    "COLUMN_INCH",
    "GREY",
    "LINES",
    "MARKERS",
    "MARKER_SIGNS",
    "MIN_JOINED",
    "MOST_BARS",
    "ON_DATA",
    "PAGE_INCH",
    "PALETTE",
    "draw_medians",
    "empty",
    "error_bars",
    "headroom",
    "legend_above",
    "mark_clipped",
    "new_figure",
    "ordered_colours",
    "panel_label",
    "plain_logarithms",
    "plain_text",
    "sfh_name",
    "signed",
    "styled",
]

COLUMN_INCH, PAGE_INCH = 252 / 72, 511 / 72
"""Widths of one and of two columns of the journals (252 and 511 pt)."""

PALETTE = ("#0B2A6F", "#E07B1F", "#2A8A5E", "#7CC8F2", "#7D1B4F", "#EBD94F")
"""Unordered groups: no two are alike in grey, nor for eyes that lack one kind of cones."""

GREY = "0.35"
"""Reference lines and annotations."""

MARKERS = ("o", "s", "D", "^", "v", "P")
MARKER_SIGNS = dict(zip(MARKERS, "\N{BLACK CIRCLE}\N{BLACK SQUARE}\N{BLACK DIAMOND}\N{BLACK UP-POINTING TRIANGLE}\N{BLACK DOWN-POINTING TRIANGLE}\N{HEAVY GREEK CROSS}", strict=True))  # fmt: skip
LINES = ("-", "--", ":", "-.")
"""Groups differ by symbol or line as well as by colour; words name them by the symbol's sign, since pale ones are hard to read."""

ON_DATA = {"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8}
"""Box behind words that may lie on data."""

CLASS_COLOURS = {"unresolved": PALETTE[3], "compact": PALETTE[0], "extended": PALETTE[1]}
"""Resolution classes (C25 section 5.1)."""

MIN_JOINED = 5
"""Medians of fewer are drawn open, and no line leads to them."""

MOST_BARS = 3000
"""Symbols that have error bars."""

_SFH_NAMES = {
    "const": "constant",
    "double_power_law": "double power law",
    "exp_free": r"exponential, free $\tau$",
    "ssp": "single population",
}

_RC: dict[str, Any] = {
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

        look: dict[str, Any] = dict(matplotlib.rcParamsDefault) | {"backend": "agg"} | _RC
        with matplotlib.rc_context(look):
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

    positions = [0.45] if n == 1 else [0.02 + 0.76 * k / (n - 1) for k in range(n)]
    return [to_hex(colormaps["viridis"](position)) for position in positions]


_NARROWEST_RATIO = 1.05  # of the ends of a logarithmic axis


def empty(axes: "Axes | Sequence[Axes]", text: str = "no clumps\nin statistics") -> None:
    """Say on the axes that there is nothing to show."""
    for panel in axes if isinstance(axes, Sequence) else [axes]:
        panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", color=GREY)


def panel_label(axes: "Axes", text: str, corner: str = "upper left") -> None:
    """Short text in a corner of a panel."""
    vertical, horizontal = corner.split()
    x, y = {"left": 0.035, "right": 0.965}[horizontal], {"upper": 0.965, "lower": 0.035}[vertical]
    va = "top" if vertical == "upper" else "bottom"
    axes.text(x, y, text, transform=axes.transAxes, ha=horizontal, va=va, fontsize=7.5, linespacing=1.3)


def legend_above(target: "Axes | Figure", **options: Any) -> None:
    """Legend above the axes, or above all axes of a figure, where no data are; none without labelled artists."""
    from matplotlib.figure import Figure

    panels = target.axes if isinstance(target, Figure) else [target]
    entries = {
        label: handle
        for panel in panels
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    if not entries:
        return
    place = (
        {"loc": "outside upper center"}
        if isinstance(target, Figure)
        else {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    )
    look = {"ncols": len(entries), "handletextpad": 0.3, "columnspacing": 1.2, **place, **options}
    target.legend(list(entries.values()), list(entries), **look)


def headroom(axes: "Axes", share: float) -> None:
    """Raise the upper end of the panel, so that `share` of its height is left above all that is drawn for text."""
    transform = axes.yaxis.get_transform()
    low, high = transform.transform(np.array(axes.get_ylim(), float))
    top = transform.inverted().transform(np.array([low + (high - low) / (1.0 - share)]))[0]
    axes.set_ylim(axes.get_ylim()[0], float(top))


def draw_medians(
    axes: "Axes",
    x: np.ndarray,
    y: np.ndarray,
    bars: np.ndarray,
    n: np.ndarray,
    colour: str,
    marker: str,
    label: str | None = None,
    joined: bool = True,
) -> None:
    """Medians with error bars: those of `MIN_JOINED` or more filled and joined by a line, those of fewer open and alone.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    x, y : (n,) arrays
    bars : (2, n) array
        Lower and upper errors; NaN without.
    n : (n,) array
        How many values each is the median of; those of none are not drawn.
    colour, marker, label : str
        Look, and text for the legend.
    joined : bool
        Whether lines lead from one to the next.
    """
    x, y, n = np.asarray(x, float), np.asarray(y, float), np.asarray(n)
    bars = np.nan_to_num(np.asarray(bars, float))
    many, few = n >= MIN_JOINED, (n > 0) & (n < MIN_JOINED)
    look = {
        "color": colour,
        "marker": marker,
        "ms": 5.5,
        "mew": 0.8,
        "elinewidth": 1.1,
        "lw": 1.1,
        "zorder": 3,
    }
    # The legend shows what most are.
    for rows, face, edge, line in (
        (many, colour, "black", "-" if joined else ""),
        (few, "white", colour, ""),
    ):
        if rows.any():
            axes.errorbar(
                x[rows], y[rows], yerr=bars[:, rows], mfc=face, mec=edge, ls=line, label=label, **look
            )
            label = None


def error_bars(axes: "Axes", x: np.ndarray, y: np.ndarray, colour: str, **options: Any) -> None:
    """Thin error bars behind symbols; none for more than `MOST_BARS`, which would be a grey sheet and take minutes."""
    if len(x) <= MOST_BARS:
        look = {
            "fmt": "none",
            "ecolor": colour,
            "elinewidth": 0.5,
            "alpha": 0.4,
            "rasterized": True,
            "zorder": 1.5,
        }
        axes.errorbar(x, y, **{**look, **options})


def mark_clipped(
    axes: "Axes", x: np.ndarray, y: np.ndarray, limits: tuple[float, float], colour: str
) -> None:
    """Mark values beyond `limits` of the vertical axis by arrow heads at its edge."""
    for beyond, edge, marker in ((y < limits[0], limits[0], "v"), (y > limits[1], limits[1], "^")):
        if np.any(beyond):
            axes.scatter(x[beyond], np.full(np.sum(beyond), edge), marker=marker, s=16, facecolors="none",
                         edgecolors=colour, lw=0.7, clip_on=False, zorder=2.5, rasterized=True)  # fmt: skip


def signed(value: float, form: str = ".2f") -> str:
    """A number as text with a true minus sign; what rounds to zero has none."""
    text = format(value, form)
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def sfh_name(code: str) -> str:
    """Star-formation history of the configuration (``exp_10Myr``) as a reader knows it."""
    if code.startswith("exp_") and code.endswith("yr"):
        return rf"exponential, $\tau$ = {code[4:-3]} {code[-3:]}"
    return _SFH_NAMES.get(code, code)


def plain_text(text: object) -> str:
    """Text out of a user's table as it is drawn, without matplotlib taking its dollar signs for formulas."""
    return str(text).replace("$", r"\$")


def plain_logarithms(axis: "Axis") -> None:
    """Label a logarithmic axis with plain numbers: 1, 2, 5 in every decade, or the decades alone where there are several; widen that of one value."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, SymmetricalLogLocator

    low, high = sorted(axis.get_view_interval())
    if axis.get_scale() == "log" and 0.0 < high < low * _NARROWEST_RATIO:
        # One value, which is no range for matplotlib when its last bit differs.
        middle = np.sqrt(low * high)
        low, high = middle / _NARROWEST_RATIO, middle * _NARROWEST_RATIO
        (axis.axes.set_xlim if axis is axis.axes.xaxis else axis.axes.set_ylim)(low, high)
    symmetrical = axis.get_scale() == "symlog"
    if symmetrical:
        axis.set_major_locator(SymmetricalLogLocator(axis.get_transform(), subs=(1.0, 2.0, 5.0)))
    elif axis.get_scale() == "log":
        decades = np.log10(high / low) if low > 0 else 0.0
        if decades > 4.0:
            return  # powers of ten say it better
        steps = (
            (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if decades < 0.7 else (1.0, 2.0, 5.0) if decades < 1.8 else (1.0,)
        )
        axis.set_major_locator(LogLocator(subs=steps, numticks=12))
    else:
        return
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
