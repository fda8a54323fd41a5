"""Magnification of clumps: medians over their ellipses, errors from space and from the model's posterior."""

from collections.abc import Sequence

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS

from ...flags import bit, has
from ...gaussian import HALF_LIGHT_OF_SIGMA
from ...intervals import sided_errors
from ...randomness import generator
from ..models.model import LensModel

__all__ = ["ellipse_points", "given_magnification", "magnify_clumps"]

Array = np.ndarray
# A finite stand-in for the divergence on a critical line; such clumps are flagged and left out of statistics.
_LARGEST = 1e4
_UNRESOLVED_PX = 0.4


def _unit_disc(n_rings: int = 3) -> Array:
    """Points that cover the unit disc evenly: a centre and rings of 6, 12, 18 ...; shape (n, 2)."""
    points = [(0.0, 0.0)]
    for ring in range(1, n_rings + 1):
        angles = 2.0 * np.pi * np.arange(6 * ring) / (6 * ring)
        points += [(ring / n_rings * np.cos(a), ring / n_rings * np.sin(a)) for a in angles]
    return np.array(points)


def ellipse_points(table: Table, wcs: WCS | None) -> tuple[Array, Array]:
    """Sky positions that cover every clump's half-maximum ellipse.

    Parameters
    ----------
    table : Table
        ra, dec [deg]; with `wcs` also x, y, sigma_x_px, sigma_y_px, theta_deg on its pixels.
        Axes below 0.4 px (unresolved) count as 0.4 px.
    wcs : astropy.wcs.WCS or None
        None: the position alone, for sources without a shape.

    Returns
    -------
    ra, dec : (n_clumps, n_points) arrays
        [deg].
    """
    if wcs is None:
        return np.asarray(table["ra"], float)[:, None], np.asarray(table["dec"], float)[:, None]
    disc = _unit_disc()
    major, minor, theta = (
        np.nan_to_num(np.asarray(table[name], float)) for name in ("sigma_x_px", "sigma_y_px", "theta_deg")
    )
    a = HALF_LIGHT_OF_SIGMA * np.maximum(major, _UNRESOLVED_PX)[:, None] * disc[:, 0]
    b = HALF_LIGHT_OF_SIGMA * np.maximum(minor, _UNRESOLVED_PX)[:, None] * disc[:, 1]
    cos, sin = np.cos(np.deg2rad(theta))[:, None], np.sin(np.deg2rad(theta))[:, None]
    x = np.asarray(table["x"], float)[:, None] + cos * a - sin * b
    y = np.asarray(table["y"], float)[:, None] + sin * a + cos * b
    return wcs.pixel_to_world_values(x, y)


def magnify_clumps(
    model: LensModel,
    table: Table,
    z_source: float,
    wcs: WCS | None = None,
    n_samples: int = 100,
    seed: int = 0,
    redshifts: Sequence[float] = (),
) -> Table:
    """Magnification of every clump of a galaxy (C25 section 3.7).

    Parameters
    ----------
    model : LensModel
        The lens.
    table : Table
        Clumps: id and what `ellipse_points` reads.
    z_source : float
        Redshift of the galaxy.
    wcs : astropy.wcs.WCS, optional
        Of the pixels that x, y and the shape are measured on.
    n_samples : int
        Posterior realisations to use; evenly spaced ones when the model has more.
    seed : int
        For the point of the ellipse that each realisation's sample is taken at.
    redshifts : sequence of float
        Equally probable redshifts of the galaxy, where its own is uncertain: each realisation is taken at one of them, in
        turn. A lens without realisations has one sample at each.

    Returns
    -------
    Table
        id; mu, mu_t, mu_r (medians of the absolute values over the ellipse, best model) with _err_lo and
        _err_hi: quadrature of the standard deviation over the ellipse and the posterior's 68 % interval on that side of
        the best model (`intervals.sided_errors`);
        stretch_deg, the direction in which mu_t stretches, from +x towards +y of the pixels (NaN without a `wcs`, or where the
        shear is not known);
        mu_samples, mu_t_samples, mu_r_samples (n_clumps, n), one point of the ellipse in one realisation each,
        whose scatter holds both errors; with more than one of `redshifts` z_samples (n_clumps, n), the redshift of each
        sample; flags. Nothing is infinite; outside a map all is NaN.
    """
    result = Table({"id": np.asarray(table["id"])})
    n_clumps = len(table)
    flags = np.zeros(n_clumps, dtype=np.int64)
    if z_source <= model.z_lens:
        flags |= bit("not_lensed")
    if max([z_source, *redshifts]) <= model.z_lens:
        for name in ("mu", "mu_t", "mu_r"):
            result[name], result[f"{name}_err_lo"], result[f"{name}_err_hi"] = 1.0, 0.0, 0.0
            result[f"{name}_samples"] = np.ones((n_clumps, max(n_samples, len(redshifts), 1)))
        result["stretch_deg"] = 0.0
        if len(redshifts) > 1:
            result["z_samples"] = np.tile(np.resize(redshifts, result["mu_samples"].shape[1]), (n_clumps, 1))
        result["flags"] = flags
        return result
    if model.z_only is not None:
        flags |= bit("mu_alone")
    ra, dec = ellipse_points(table, wcs)
    best = model.magnification(ra, dec, z_source)
    samples: list[int | None] = list(model.chosen_samples(n_samples))
    if len(redshifts) > 1:
        samples = samples or [None] * len(redshifts)
        drawn_z = np.resize(redshifts, len(samples))
        result["z_samples"] = np.tile(drawn_z, (n_clumps, 1))
    else:
        drawn_z = np.full(len(samples), z_source)
    if model.z_only is not None:  # such a model says nothing of other redshifts
        drawn_z = np.full(len(samples), z_source)
    realisations = [model.magnification(ra, dec, float(z), k) for z, k in zip(drawn_z, samples, strict=True)]
    inside = np.isfinite(best[0]).all(axis=1) | np.isinf(best[0]).any(axis=1)
    flags[~inside] |= bit("outside_model")
    # A critical line crosses the ellipse where a factor changes sign; so does one that many realisations put there.
    for factor in (1, 2):
        sign = np.sign(best[factor])
        crossed = (sign != sign[:, :1]).any(axis=1)
        if realisations:
            other = np.mean([np.sign(r[factor][:, 0]) != sign[:, 0] for r in realisations], axis=0)
            crossed |= other > 0.16
        flags[crossed & inside] |= bit("near_critical")
    n_drawn = len(realisations)
    point = np.empty((n_clumps, n_drawn), dtype=int)
    for row, clump in enumerate(table["id"]):
        point[row] = generator(seed, "magnify", clump).integers(ra.shape[1], size=n_drawn)
    for index, name in enumerate(("mu", "mu_t", "mu_r")):
        here = np.minimum(np.abs(best[index]), _LARGEST)
        value = np.median(here, axis=1)
        medians, drawn = np.empty((n_clumps, n_drawn)), np.empty((n_clumps, n_drawn))
        for column, realisation in enumerate(realisations):
            there = np.minimum(np.abs(realisation[index]), _LARGEST)
            medians[:, column] = np.median(there, axis=1)
            drawn[:, column] = there[np.arange(n_clumps), point[:, column]]
        result[name] = value
        for side, posterior in zip(("lo", "hi"), sided_errors(value, medians), strict=True):
            result[f"{name}_err_{side}"] = np.hypot(posterior, here.std(axis=1))
        if name == "mu" and n_drawn:
            low, high = np.percentile(medians, [16.0, 84.0], axis=1)
            off = ((value < low) | (value > high)) & ~has(flags, "near_critical")
            flags[off] |= bit("mu_off_posterior")
        result[f"{name}_samples"] = drawn if n_drawn else value[:, None]
    result["stretch_deg"] = np.nan
    if wcs is not None and model.z_only is None:
        result["stretch_deg"] = _stretch(model, ra[:, 0], dec[:, 0], z_source, wcs)
    result["flags"] = flags
    return result


def _stretch(model: LensModel, ra: Array, dec: Array, z_source: float, wcs: WCS) -> Array:
    """Direction [deg] on the pixels, from +x towards +y, in which images are stretched by mu_t, (n,)."""
    _, gamma1, gamma2 = model.convergence_shear(*model.offsets(ra, dec), z_source)
    angle = 0.5 * np.arctan2(gamma2, gamma1)
    # The model's x grows to the West, against right ascension.
    x, y = np.linalg.solve(wcs.pixel_scale_matrix, np.stack([-np.cos(angle), np.sin(angle)]))
    return np.rad2deg(np.arctan2(y, x))


def given_magnification(table: Table, n_samples: int = 100, seed: int = 0) -> Table:
    """Magnification that a photometry table itself gives, in the form of `magnify_clumps`.

    Parameters
    ----------
    table : Table
        id, mu > 0; optional mu_lo, mu_hi, the ends of its 68 % interval.
    n_samples, seed : int
        Samples are drawn from the split normal distribution of the logarithm that has this median and interval,
        so that no sample is negative.
    """
    mu = np.asarray(table["mu"], dtype=float)
    low, high = (
        np.asarray(table[name], dtype=float) if name in table.colnames else mu for name in ("mu_lo", "mu_hi")
    )
    # An interval that reaches zero has no logarithm: it ends at a hundredth of the median instead.
    low, high = np.clip(low, 0.01 * mu, mu), np.maximum(high, mu)
    normal = np.array(
        [generator(seed, "magnify", clump).normal(size=max(n_samples, 1)) for clump in table["id"]]
    ).reshape(len(table), max(n_samples, 1))
    step = np.where(normal < 0.0, np.log(mu / low)[:, None], np.log(high / mu)[:, None])
    drawn = mu[:, None] * np.exp(step * normal)
    result = Table({"id": np.asarray(table["id"])})
    for name in ("mu", "mu_t", "mu_r"):
        # Without a model the two directions are unknown: each gets the square root.
        power = 1.0 if name == "mu" else 0.5
        result[name] = mu**power
        result[f"{name}_err_lo"] = mu**power - low**power
        result[f"{name}_err_hi"] = high**power - mu**power
        result[f"{name}_samples"] = drawn**power
    result["stretch_deg"] = np.nan
    result["flags"] = np.full(len(table), bit("mu_alone"), dtype=np.int64)
    return result
