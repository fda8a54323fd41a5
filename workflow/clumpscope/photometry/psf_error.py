"""How the PSF varies over the field, and how wrong fluxes and sizes are because it is not perfectly known, from its stars.

Every star is fitted as clumps are; what its aperture of the PSF's normalisation radius holds, over what that of the
fitted model holds, would be one. The scatter of these ratios beyond their noise, and the mean, are the PSF's.
"""

from dataclasses import replace

import numpy as np
from astropy.table import Table

from ..gaussian import FWHM_OF_SIGMA
from ..images.mosaic import Mosaic
from ..images.profiles import encircled_sums
from ..images.psf import PSF
from ..images.psf_compact import compact_sources
from ..images.psf_local import local_psf
from ..images.psf_variation import fit_trend, in_the_middle
from ..images.sky import sky_statistics
from ..images.stars import star_candidates
from ..logs import in_doubt
from .fit import fit_clumps, render_clumps

__all__ = ["excess", "with_stars"]

Array = np.ndarray
_FEWEST = 4
# Radii of the ring of sky, and distance of the empty apertures that show the noise of one, over the aperture's.
_RING, _EMPTY = (1.5, 2.2), 2.2
# Twice the fall of the log-likelihood below which a scatter is not told from none: 95 % of an excess that may only be positive.
_SEEN = 2.7
# Mean error of stars' fluxes above which the PSF is hardly that of their image.
_FOREIGN = 0.1


def with_stars(psf: PSF, mosaic: Mosaic, stars: Table, box: int | str = 9, varies: bool = True) -> PSF:
    """PSF with what the field's stars show: how its width varies, and the errors of fluxes and of its core beside that.

    Parameters
    ----------
    psf : PSF
        Given, or built from these stars: then each star's part in it is taken out.
    mosaic : Mosaic
    stars : Table
        ra, dec [deg]; where there is a ``status``, its ``star`` and ``spare`` rows.
    box : int or "adaptive"
        Of the fits of clumps.
    varies : bool
        Whether a variation of the width over the field is asked for.

    Returns
    -------
    PSF
        With trend, flux_error, core_variance_error and notes; where fewer than four stars can be measured, with the note
        and, if it was given, with the compact sources that tell instead.
    """
    candidates = stars
    if "status" in stars.colnames:
        stars = stars[np.isin(stars["status"], ["star", "spare"])]

    def measured(psf: PSF) -> list[tuple]:
        rows = (_measured(local_psf(psf, star["ra"], star["dec"]), mosaic, star, box) for star in stars)
        return [row for row in rows if row is not None]

    rows = measured(psf)
    if len(rows) < _FEWEST:
        note = f"error of fluxes not measured, for want of stars ({len(rows)} usable of at least {_FEWEST}): taken as 0"
        psf = replace(psf, notes=(*psf.notes, note))
        if psf.source == "stars":
            return psf
        if "status" not in candidates.colnames:
            candidates = star_candidates(mosaic)
        return replace(psf, compact=compact_sources(mosaic, psf, candidates))
    if varies:
        core, core_noise, ra, dec = (np.array(column) for column in list(zip(*rows, strict=True))[-4:])
        if (trend := fit_trend(ra, dec, core, core_noise)) is not None:
            low, high = (np.sqrt(end) - 1.0 for end in (trend.low, trend.high))
            note = f"FWHM varies over the field, by {low:+.0%} to {high:+.0%} at its stars: every galaxy has its own"
            psf = replace(psf, trend=trend, notes=(*psf.notes, note))
            rows = measured(psf)
    ratio, noise, empty, used, core, core_noise, *_ = (np.array(column) for column in zip(*rows, strict=True))
    # Of a mean of n stars each is a part: what it differs by from the others' mean is n / (n - 1) times as much.
    alone = np.where(used, psf.n_stars / max(psf.n_stars - 1.0, 1.0), 1.0) if psf.source == "stars" else 1.0
    # Correlated noise: apertures on empty sky scatter by more than white noise says.
    inflation = max(1.4826 * np.median(np.abs(empty - np.median(empty))), 1.0)
    offset, scatter = excess((ratio - 1.0) * alone, noise * inflation)
    core_offset, core_scatter = excess(core * alone, core_noise * inflation)
    note = f"fluxes of {len(rows)} stars are {offset:+.1%} off on average, and scatter by {scatter:.1%} beyond their noise"
    if abs(offset) > _FOREIGN:
        in_doubt(f"PSF of {mosaic.name or mosaic.path}: {note}: is it the PSF of this image?")
    return replace(
        psf, flux_error=float(np.hypot(offset, scatter)), core_variance_error=float(np.hypot(core_offset, core_scatter)),
        notes=(*psf.notes, note),
    )  # fmt: skip


def _measured(psf: PSF, mosaic: Mosaic, star: Table.Row, box: int | str) -> tuple | None:
    """Ratio of apertures and its noise, empty apertures, use, variance beyond the PSF's core over it and its noise, place."""
    if not mosaic.contains(star["ra"], star["dec"]):
        return None
    radius = psf.radius_arcsec / mosaic.pixel_scale_arcsec
    half = int(np.ceil((_EMPTY + 1.0) * radius)) + 2
    place = mosaic.wcs.all_world2pix(star["ra"], star["dec"], 0)
    column, row = (int(np.rint(p)) for p in place)
    cutout = mosaic.cutout_pixels(column, row, half)
    data, error = cutout.data, cutout.error
    x, y = (float(p) - middle + half for p, middle in zip(place, (column, row), strict=True))
    if not (np.isfinite(data).all() and np.isfinite(error).all()):
        return None
    options = {"box": box, "psf_oversampling": psf.oversampling, "host_fwhm": 0.0}
    point = fit_clumps(data, error, psf.fine, [x], [y], model="point", **options)
    free = fit_clumps(data, error, psf.fine, [x], [y], elliptical_chi2=np.inf, **options)[0]
    if not (point["flux"][0] > 0 and np.isfinite(free["flux"])):
        return None
    x, y = point["x"][0], point["y"][0]
    model = render_clumps(point, psf.fine, data.shape, psf.oversampling)
    seen, expected = (_aperture(image, x, y, radius) for image in (data, model))
    white = np.sqrt(encircled_sums(error**2, np.array([radius]), x, y)[0])
    # The level of the ring, a median, and the fit have their noise, too.
    noise = np.hypot(white * np.sqrt(1.0 + 0.5 * np.pi / (_RING[1] ** 2 - _RING[0] ** 2)) / expected,
                     point["flux_err"][0] / point["flux"][0])  # fmt: skip
    angles = np.arange(0.0, 2.0 * np.pi, np.pi / 4)
    places = zip(x + _EMPTY * radius * np.cos(angles), y + _EMPTY * radius * np.sin(angles), strict=True)
    empty = [encircled_sums(data - model, np.array([radius]), *p)[0] / white for p in places]
    variance = (psf.sampling_px / FWHM_OF_SIGMA) ** 2
    covariance = np.asarray(free["free_moments_covariance"])[:2, :2]
    used = "status" not in star.colnames or star["status"] == "star"
    return (
        seen / expected, noise, np.asarray(empty) - np.median(empty), used, np.mean(free["free_moments"][:2]) / variance,
        np.sqrt(covariance.sum()) / 2.0 / variance, star["ra"], star["dec"],
    )  # fmt: skip


def _aperture(image: Array, x: float, y: float, radius_px: float) -> float:
    """Sum inside a circle over the level of the ring around it."""
    rows, columns = np.indices(image.shape)
    distance = np.hypot(columns - x, rows - y) / radius_px
    level = sky_statistics(image[(distance > _RING[0]) & (distance < _RING[1])])[0]
    return encircled_sums(image - level, np.array([radius_px]), x, y)[0]


def excess(values: Array, noise: Array) -> tuple[float, float]:
    """Mean and scatter of values beyond their noise; each 0 where it cannot be told from none.

    Parameters
    ----------
    values, noise : (n,) arrays
        Numbers and the standard deviations of their noise; those far out are left out.

    Returns
    -------
    mean, scatter : float
    """
    keep = in_the_middle(values, noise)
    values, noise = values[keep], noise[keep]
    tried = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 400)])
    variance = noise**2 + tried[:, None] ** 2
    weight = 1.0 / variance
    mean = (weight * values).sum(axis=1) / weight.sum(axis=1)
    # Restricted likelihood: the mean comes from the same values.
    twice = ((values - mean[:, None]) ** 2 * weight + np.log(variance)).sum(axis=1) + np.log(
        weight.sum(axis=1)
    )
    best = int(twice.argmin())
    if twice[0] - twice[best] < _SEEN:
        best = 0
    mean_error = 1.0 / np.sqrt(weight[best].sum())
    return float(mean[best]) if abs(mean[best]) > 2.0 * mean_error else 0.0, float(tried[best])
