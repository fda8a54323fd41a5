"""The one table of quality flags: a bit, a name, a reason a person understands."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import overload

import numpy as np

__all__ = ["FLAGS", "Flag", "bit", "describe", "has"]


@dataclass(frozen=True)
class Flag:
    """One quality flag.

    Attributes
    ----------
    bit : int
        Power of two; the value added to the `flags` column.
    name : str
        Short name.
    stage : str
        The stage that sets it.
    text : str
        What happened, and what it means for the row.
    excludes : bool
        Whether rows with this flag are left out of population statistics and figures.
    """

    bit: int
    name: str
    stage: str
    text: str
    excludes: bool


_ROWS = [
    ("manual", "detect", "Added or moved by hand in the edits table.", False),
    ("edge", "fit", "The fit box is cut by the image edge or by missing pixels.", False),
    ("few_pixels", "fit", "Too few good pixels to fit; no measurement.", True),
    ("saturated", "fit", "Saturated or masked pixels inside the core of the clump.", False),
    ("fit_failed", "fit", "The reference-filter fit did not converge; no measurement.", True),
    ("at_bound", "fit", "A shape or position parameter ended on its bound.", False),
    ("blended", "fit", "Fitted together with neighbours closer than the joint-fit distance.", False),
    ("unresolved", "fit", "Neither axis is resolved; the size is an upper limit.", False),
    ("no_coverage", "fit", "Some filters have no data at this position.", False),
    ("low_snr", "fit", "Signal-to-noise below 3 in the reference filter.", False),
    ("size_undetermined", "fit", "The size is not constrained by the data: there is no upper limit.", False),
    ("near_critical", "magnify", "On or next to a critical line: magnification formally divergent.", True),
    ("outside_model", "magnify", "Outside the lens model's map, or not at the redshift it is for; magnification unknown.", True),
    ("not_lensed", "magnify", "Source not behind the lens; magnification set to 1.", False),
    ("few_bands", "sed", "S/N > 3 in too few broad bands for population statistics.", True),
    ("underconstrained", "sed", "Fewer usable bands than free parameters.", True),
    ("not_converged", "sed", "The posterior did not converge by any sampler.", True),
    ("no_sed", "sed", "No usable photometry; no SED fit.", True),
    ("poor_fit", "sed", "Best-fit chi2 improbable (p < 1e-4): its mass and age are those of the least bad model.", True),
    ("duplicate_image", "catalogue", "Another image of the same system is kept for statistics.", True),
    ("no_host", "catalogue", "The host galaxy has no mass, or one whose fit is improbable; host-relative quantities are missing.", False),
    ("mu_off_posterior", "magnify", "The best lens model's magnification is outside the 16-84 % of the posterior samples, which masses follow.", False),
    ("mu_alone", "magnify", "Only the total magnification is known: mu_t and mu_r are its square root.", False),
    ("poor_model", "fit", "Residuals of the fit exceed the noise in a filter: profile, background or PSF differ.", False),
    ("undersampled_psf", "fit", "A filter's PSF is narrower than 2 pixels and known on whole pixels alone: fluxes of small clumps are up to 10 % off there.", False),
    ("host_dominated", "fit", "On, or next to, the centre of smooth light: what of its light is the clump's cannot be told in a filter.", True),
    ("one_model", "magnify", "Of several lens models fewer than two reach this position: the scatter between them is not known.", False),
    ("z_as_given", "catalogue", "The redshift's own error is not in masses, ages, sizes and luminosities: sed.redshift_quantiles takes it in.", False),
    ("off_centre", "magnify", "Most light within the galaxy's radius is about another place than its catalogue position: a neighbour may be taken for it; distance_kpc and central are from there, the distance's error takes in the other place. Not in statistics of distances.", False),
    ("negative", "fit", "The light in the reference filter is below zero: no clump is there, and it has no size.", True),
]  # fmt: skip

FLAGS: dict[str, Flag] = {
    name: Flag(1 << position, name, stage, text, excludes)
    for position, (name, stage, text, excludes) in enumerate(_ROWS)
}

EXCLUDING = tuple(name for name, flag in FLAGS.items() if flag.excludes)
"""Flags that keep a clump out of statistics."""


def bit(*names: str) -> int:
    """Bitmask of the named flags."""
    return sum(FLAGS[name].bit for name in set(names))


def describe(mask: int) -> list[str]:
    """Names of the flags set in `mask`, in table order."""
    return [flag.name for flag in FLAGS.values() if int(mask) & flag.bit]


@overload
def has(mask: int, names: str | Iterable[str]) -> bool: ...
@overload
def has(mask: np.ndarray, names: str | Iterable[str]) -> np.ndarray: ...
def has(mask, names):
    """Whether any of the named flags is set."""
    names = [names] if isinstance(names, str) else list(names)
    return (np.asarray(mask) & bit(*names)) != 0
