"""What swept clumps would be with other profiles than a Gaussian, each beside the background that it was fitted with."""

from collections.abc import Mapping, Sequence

import numpy as np

from .profiles import WingedFit, draw_profiles, winged_fits
from .sweep import Sweep

__all__ = ["flux_ratios", "free_ratios"]

Array = np.ndarray
# Standard deviation below which a clump has no profile [FWHM of the PSF].
_POINT_FWHM = 0.03
# Least share of a winged clump's light that a fit is taken to see.
_LEAST_SEEN = 0.2


def free_ratios(swept: Sweep, profiles: Sequence[str]) -> dict[str, WingedFit]:
    """Sizes and fluxes that clumps of free shape would have, over those that they have, by profile.

    Ratios are 1 where there is no fit, and of clumps as good as points.

    Parameters
    ----------
    swept : Sweep
    profiles : sequence of str
        Of `clumpscope.photometry.profiles`.
    """
    ones, kernel = np.ones(len(swept.theta)), swept.scene.kernel
    found = {name: WingedFit(ones.copy(), ones.copy()) for name in profiles}
    moments = swept.theta[:, 2:]
    sigma = np.sqrt(np.maximum(moments[:, :2].mean(axis=1), 0.0))
    sides: dict[int, list] = {}
    for fit in swept.fits:
        if fit.background is None:
            continue
        terms, weight = fit.background.terms, fit.fitted_on.weight
        side = (min(terms.shape[1:]) - 1) // 2 * 2 + 1
        row, column = ((n - side) // 2 for n in terms.shape[1:])
        seen = terms[:, row : row + side, column : column + side] * np.median(weight[weight > 0])
        sides.setdefault(side, []).extend(
            (k, (seen, fit.background.ridge))
            for k in fit.group.members
            if sigma[k] > _POINT_FWHM * kernel.fwhm_px
        )
    for side, clumps in sides.items():
        if not clumps:
            continue
        members, backgrounds = zip(*clumps, strict=True)
        for name, fits in found.items():
            fit = winged_fits(kernel.spectral(side // 2 + 1), moments[list(members)], name, side, backgrounds)
            for kept, ratios in zip(fits, fit, strict=True):
                kept[list(members)] = ratios
    return found


def flux_ratios(swept: Sweep, size_ratios: Mapping[str, Array]) -> dict[str, Array]:
    """Fluxes that clumps of given shape would have, over those that they have, by profile.

    Parameters
    ----------
    swept : Sweep
    size_ratios : mapping of str to (n_clumps,) array
        By profile, of those of `clumpscope.photometry.profiles`: half-light radii that the clumps would have, over those of
        the Gaussians that they are.

    Returns
    -------
    dict of str to (n_clumps,) array
        1 where there is no fit.
    """
    ratios = {name: np.ones(len(swept.theta)) for name in size_ratios}
    for fit in swept.fits if ratios else ():
        if fit.response is None:
            continue
        box = fit.fitted_on
        (ny, nx), (row, column) = box.weight.shape, box.corner
        pixels = column + np.arange(nx), row + np.arange(ny)
        spectral = swept.scene.kernel.spectral(max(nx, ny))
        for k, response in zip(fit.group.members, fit.response, strict=True):
            place, moments = swept.theta[k, :2], swept.theta[k, 2:]
            if not moments[:2].mean() > 0.0:
                continue
            sizes = [("gaussian", 1.0), *((name, size[k]) for name, size in size_ratios.items())]
            gaussian, *winged = (
                np.sum(response * draw_profiles(spectral, *place, moments[None] * size**2, name, *pixels))
                for name, size in sizes
            )
            for name, seen in zip(size_ratios, winged, strict=True):
                ratios[name][k] = 1.0 / max(1.0 + seen - gaussian, _LEAST_SEEN)
    return ratios
