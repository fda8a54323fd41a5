"""Median stacks of clumps, and how small a size they exclude (F22 sections 2.4 and 3.4, Figures 2 and 3)."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from ..errors import InputError
from ..flags import has
from ..gaussian import HALF_LIGHT_OF_SIGMA
from ..images.centring import shifted
from ..images.profiles import radial_profile
from ..randomness import generator
from .fit import fit_clumps, render_clumps

__all__ = ["ClumpStack", "compare_profiles", "resolvable_sizes", "stack_clumps"]

_MEDIAN_NOISE = np.sqrt(np.pi / 2.0)  # of the median of many normal values, over that of their mean


@dataclass(frozen=True)
class ClumpStack:
    """The median image of many clumps.

    Attributes
    ----------
    image, error : (n, n) arrays
        Clump on the middle pixel; standard deviation from the pixels' errors.
    used : (n_clumps,) bool array
        Clumps that went in; the others are cut by an edge or by missing pixels.
    model : (n, n) array, optional
        Point source and background fitted to it.
    """

    image: np.ndarray
    error: np.ndarray
    used: np.ndarray
    model: np.ndarray | None = None


def stack_clumps(
    image: np.ndarray,
    error: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    half_size: int = 20,
    annulus_px: tuple[float, float] = (5.0, 10.0),
    n_min: int = 1,
) -> ClumpStack:
    """Median of cutouts centred on clumps, each without the sky of a ring around it.

    Parameters
    ----------
    image, error : (ny, nx) arrays
        Data and standard deviations; NaN where there is no good pixel.
    x, y : (n_clumps,) arrays
        Positions [px]; cutouts are shifted so that these come to the middle of a pixel.
    half_size : int
        The stack has ``2 half_size + 1`` pixels a side (F22: 0.8 arcsec).
    annulus_px : (float, float)
        Inner and outer radius of the ring whose median is the sky (F22: 5, 10).
    n_min : int
        Fewest clumps; 0 allows a stack without any, all NaN.

    Returns
    -------
    ClumpStack

    Raises
    ------
    InputError
        If fewer than `n_min` clumps can be used.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    margin = half_size + 2
    offsets = np.arange(-margin, margin + 1)
    radius = np.hypot(offsets[:, None], offsets[None, :])
    ring = (radius >= annulus_px[0]) & (radius <= annulus_px[1])
    stamps, variances, used = [], [], np.zeros(x.size, dtype=bool)
    for k in range(x.size):
        row, column = round(y[k]), round(x[k])
        if (
            row < margin
            or column < margin
            or row + margin >= image.shape[0]
            or column + margin >= image.shape[1]
        ):
            continue
        part = np.s_[row - margin : row + margin + 1, column - margin : column + margin + 1]
        data, sigma = image[part], error[part]
        good = np.isfinite(data) & np.isfinite(sigma) & (sigma > 0)
        if not good[radius <= 2].all() or np.count_nonzero(good & ring) < 20:
            continue
        data = data - np.median(data[good & ring])
        moved = shifted(np.where(good, data, 0.0), column - x[k], row - y[k])
        stamps.append(np.where(good, moved, np.nan)[2:-2, 2:-2])
        variances.append(np.where(good, sigma**2, np.nan)[2:-2, 2:-2])
        used[k] = True
    if len(stamps) < n_min:
        raise InputError("stack of clumps", "no clump with a whole cutout", f"at least {n_min}",
                         "Choose a smaller half_size.")  # fmt: skip
    if not stamps:
        median, sigma = np.full((2, 2 * half_size + 1, 2 * half_size + 1), np.nan)
        return ClumpStack(median, sigma, used)
    count = np.isfinite(stamps).sum(axis=0)
    covered = count > 0
    median, sigma = np.full(covered.shape, np.nan), np.full(covered.shape, np.nan)
    median[covered] = np.nanmedian(np.array(stamps)[:, covered], axis=0)
    single = np.sqrt(np.nanmean(np.array(variances)[:, covered], axis=0) / count[covered])
    # The median of one or two is their mean.
    sigma[covered] = single * np.where(count[covered] > 2, _MEDIAN_NOISE, 1.0)
    return ClumpStack(median, sigma, used)


def compare_profiles(stack: ClumpStack, psf: np.ndarray, radii_px: np.ndarray | None = None) -> Table:
    """Light profile of a stack beside that of the PSF, both 1 in the middle.

    Parameters
    ----------
    stack : ClumpStack
        Without missing pixels.
    psf : (n, n) array
        Kernel on the same pixels.
    radii_px : (m,) array, optional
        Radii [px]; default every half pixel to 10 px or the stack's edge.

    Returns
    -------
    Table
        radius_px, profile, profile_err (of independent pixels), psf.
    """
    if radii_px is None:
        edge = min(10.0, stack.image.shape[0] // 2, psf.shape[0] // 2)
        radii_px = np.arange(0.0, edge + 0.25, 0.5)
    middle = stack.image.shape[0] // 2
    profile, reference = radial_profile(stack.image, radii_px), radial_profile(psf, radii_px)
    n_pixels = np.maximum(2.0 * np.pi * radii_px, 1.0)
    noise = stack.error[middle, middle] / np.sqrt(n_pixels)
    return Table({"radius_px": radii_px, "profile": profile / profile[0], "profile_err": noise / abs(profile[0]),
                  "psf": reference / reference[0]})  # fmt: skip


def resolvable_sizes(
    psf: np.ndarray,
    peak: float,
    background: np.ndarray,
    radii_px: np.ndarray,
    n_sources: int = 100,
    seed: int = 0,
    noise_scale: float = 1.0,
    psf_oversampling: float = 1.0,
    **options: object,
) -> Table:
    """Simulate round sources of given sizes in real noise, and count those seen to be resolved.

    Parameters
    ----------
    psf : (n, n) array
        Kernel.
    peak : float
        Brightest pixel of a source [unit of the background].
    background : (ny, nx) array
        Real sky without sources; NaN where there is none.
    radii_px : (m,) array
        Half-light radii, sqrt(2 ln 2) sigma [px].
    n_sources : int
        Of each size.
    seed : int
    noise_scale : float
        Noise of the data in question over that of `background`, such as 1 / sqrt(n) for a stack.
    psf_oversampling : float
        Samples of the kernel a pixel side.
    **options
        Of `fit_clumps`.

    Returns
    -------
    Table
        radius_px, fraction_resolved. The size that is excluded for an unresolved source is where the fraction
        reaches the confidence wanted.

    Raises
    ------
    InputError
        If the background has no whole patch.
    """
    rng = generator(seed, "resolvable_sizes")
    half = 12
    side = 2 * half + 1
    sky = np.asarray(background, dtype=float)
    rows = rng.integers(0, max(sky.shape[0] - side, 1), 50 * n_sources)
    columns = rng.integers(0, max(sky.shape[1] - side, 1), 50 * n_sources)
    patches = []
    for row, column in zip(rows, columns, strict=True):
        patch = sky[row : row + side, column : column + side]
        if patch.shape == (side, side) and np.isfinite(patch).all():
            patches.append((patch - patch.mean()) * noise_scale)
        if len(patches) == n_sources:
            break
    if not patches:
        raise InputError("background of the size simulation", "no patch without missing pixels",
                         f"some of {side} pixels a side")  # fmt: skip
    # In place: the sky of a field is large.
    sky = sky[~np.isnan(sky)]
    sky -= np.median(sky, overwrite_input=True)
    sigma = 1.4826 * np.median(np.abs(sky, out=sky), overwrite_input=True)
    fractions = []
    # All sources of one size in one image, a patch below the other.
    n = len(patches)
    canvas, error = np.vstack(patches), np.full((n * side, side), sigma * noise_scale)
    for radius in radii_px:
        width = np.full(n, radius / HALF_LIGHT_OF_SIGMA)
        x = half + rng.uniform(-0.5, 0.5, n)
        y = half + side * np.arange(n) + rng.uniform(-0.5, 0.5, n)
        source = Table({"x": x, "y": y, "sigma_x_px": width, "sigma_y_px": width, "theta_deg": np.zeros(n)})
        source["flux"] = 1.0
        tops = render_clumps(source, psf, canvas.shape, psf_oversampling).reshape(n, -1).max(axis=1)
        source["flux"] = peak / tops
        image = canvas + render_clumps(source, psf, canvas.shape, psf_oversampling)
        # The patches are sky, whatever its level: there is no host.
        fitted = fit_clumps(image, error, psf, np.rint(x), np.rint(y), psf_oversampling=psf_oversampling,
                            **{"host_fwhm": 0.0, **options})  # fmt: skip
        fractions.append(np.mean(~has(fitted["flags"], ["unresolved", "few_pixels"])))
    return Table({"radius_px": np.asarray(radii_px, dtype=float), "fraction_resolved": fractions})
