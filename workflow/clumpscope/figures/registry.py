"""Every figure: where it is drawn, for which fields, from which products, and its caption."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "FigureSpec", "draw_figure", "figures_of"]

_BOTH = ("imaging", "photometry")
_IMAGING = ("imaging",)
_PHOTOMETRY = ("photometry",)


@dataclass(frozen=True)
class FigureSpec:
    """One figure.

    Attributes
    ----------
    module : str
        Module of `clumpscope.figures` whose ``draw(products, settings)`` returns the figure and the data drawn.
    kinds : tuple of str
        Kinds of field it can be drawn for: ``imaging``, ``photometry``.
    needs : tuple of str
        Keys of the products it cannot do without.
    caption : str
        What is to be seen, and where it comes from.
    """

    module: str
    kinds: tuple[str, ...]
    needs: tuple[str, ...]
    caption: str


_ROWS = [
    ("luminosity_size", _IMAGING, ("catalogue",),
     "Absolute V magnitude against intrinsic effective radius, by redshift; arrows are upper limits of the size. The lines "
     "are of equal mean surface brightness inside the effective radius (C25 Fig. 8)."),
    ("redshift_distributions", _IMAGING, ("catalogue", "population"),
     "Mass-weighted age, stellar mass, star-formation rate and effective radius of the clumps in every redshift bin, "
     "with medians (dashed) and their errors (C25 Fig. 11). Sizes that are upper limits are left out."),
    ("mass_function", _BOTH, ("population",),
     "Cumulative clump mass function, by redshift and by magnification, with the maximum-likelihood power law above the "
     "completeness limit of each group; the grey line is N(> M) proportional to 1 / M (C25 Fig. 18). Below the limit, incompleteness "
     "makes the functions flat."),
    ("gradients", _IMAGING, ("population",),
     "Clump mass over host mass, mass-weighted age and mass surface density against galactocentric distance in the "
     "source plane, by redshift and by host mass (C25 Fig. 13); large symbols are medians with errors."),
]  # fmt: skip

FIGURES: dict[str, FigureSpec] = {
    name: FigureSpec(name, kinds, needs, caption) for name, kinds, needs, caption in _ROWS
}


def figures_of(kind: str, products: set[str]) -> list[str]:
    """Names of the figures that can be drawn for a kind of field that has these products."""
    return [name for name, spec in FIGURES.items() if kind in spec.kinds and set(spec.needs) <= products]


def draw_figure(
    name: str, products: Mapping[str, Any], settings: Mapping | None = None
) -> "tuple[Figure, Table]":
    """Draw one figure.

    Parameters
    ----------
    name : str
        Key of `FIGURES`.
    products : mapping
        Loaded products (`clumpscope.figures.products.load_products`), at least those the figure needs.
    settings : mapping, optional
        See `clumpscope.figures.settings.Settings`.

    Returns
    -------
    figure : matplotlib.figure.Figure
    data : Table
        The data drawn.

    Raises
    ------
    InputError
        Unknown figure or setting, or a missing product.
    """
    from .settings import Settings

    if name not in FIGURES:
        raise InputError("figure", repr(name), f"one of {', '.join(FIGURES)}")
    missing = [key for key in FIGURES[name].needs if key not in products]
    if missing:
        raise InputError(
            f"products of the figure {name}", f"no {', '.join(missing)}", ", ".join(FIGURES[name].needs)
        )
    module = import_module(f".{FIGURES[name].module}", __package__)
    return module.draw(products, Settings.of(settings or {}))
