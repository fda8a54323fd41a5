"""Stacks of a field's unresolved clumps in every filter, and the sizes that they exclude (F22 sections 2.4 and 3.4)."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table, vstack

from ..cosmology import pc_per_arcsec
from ..flags import has
from ..gaussian import HALF_LIGHT_OF_SIGMA
from ..images.cutouts import Cutout
from ..images.profiles import radial_profile
from ..images.psf import PSF
from ..made_by import write_fits
from ..pictures import save_picture
from .fit import fit_clumps, render_clumps
from .stack import ClumpStack, compare_profiles, resolvable_sizes, stack_clumps

__all__ = ["draw_stacks", "stack_field", "write_stacks"]

_HALF_SIZE = 20
_MARGIN = _HALF_SIZE + 2
_TILE = 2 * _MARGIN + 1
# Sizes that are simulated, in FWHM of the PSF, how many of each, and how often a size must be seen to be excluded.
_SIZES_FWHM = np.array([0.0, 0.15, 0.3, 0.45, 0.6, 0.9, 1.2])
_N_SOURCES, _SEEN = 40, 0.95
_SKY_GALAXIES = 400  # whose sky is held at once, in a column as wide as the widest of them


def stack_field(
    galaxies: Iterable[tuple[Callable[[str], Cutout | None], Table]],
    psfs: Mapping[str, PSF],
    seed: int = 0,
) -> tuple[Table, Table, dict[str, ClumpStack]]:
    """Stack the clumps that are unresolved in their reference filter.

    Parameters
    ----------
    galaxies : iterable of (callable, photometry)
        The callable reads the cutout of a filter, None where there is none; filter by filter it is asked for one at a time, so
        that memory does not grow with the number of galaxies. Photometry is that of
        `clumpscope.photometry.galaxy.measure_galaxy`, with a column ``z``.
    psfs : mapping of str to PSF
        By filter.
    seed : int
        Of the simulation.

    Returns
    -------
    table : Table
        One row a filter: n_clumps, flux [nJy] of a point source fitted to the stack with its error, r_limit_px and
        r_limit_arcsec (smallest half-light radius that would have been seen in 95 % of simulated stacks of the same
        brightness; NaN where none would), r_limit_pc at the clumps' median redshift, without magnification.
    profiles : Table
        filter, radius_px, radius_arcsec, profile, profile_err, psf: light profiles of the stacks and of the PSFs, 1 in the middle; simulated, (n_sizes,)
        a row: those of noiseless clumps with the half-light radii r_half_pc (at the median redshift, without magnification).
    stacks : dict of str to ClumpStack
        With the models of point sources. Filters without a usable clump are left out.
    """
    columns = ["ra", "dec", "z", *(f"flux_{name}_njy" for name in psfs)]
    galaxies = [
        (read, table[[column for column in columns if column in table.colnames]][wanted])
        for read, table in galaxies
        if (wanted := _wanted(table)).any()
    ]
    redshifts = np.concatenate([np.asarray(table["z"], float) for _, table in galaxies] or [np.empty(0)])
    rows, profiles, stacks = [], [], {}
    for name, psf in psfs.items():
        image, error, x, y, residual = _tiles_and_sky(galaxies, name, psf)
        row: dict[str, Any] = {
            "filter": name,
            "n_clumps": 0,
            "flux": np.nan,
            "flux_err": np.nan,
            "r_limit_px": np.nan,
        }
        if x.size and (stack := stack_clumps(image, error, x, y, _HALF_SIZE, n_min=0)).used.any():
            measured, stacks[name] = _measure(stack, psf, residual, seed)
            row |= measured
            profile = compare_profiles(stack, psf.kernel)
            profile.add_column([name] * len(profile), 0, "filter")
            profile.add_column(profile["radius_px"] * psf.pixel_scale_arcsec, 2, "radius_arcsec")
            radii_px = _SIZES_FWHM * psf.fwhm_arcsec / psf.pixel_scale_arcsec
            scale = psf.pixel_scale_arcsec * pc_per_arcsec(np.median(redshifts))
            profile["r_half_pc"] = np.tile(radii_px * scale, (len(profile), 1))
            profile["simulated"] = _simulated_profiles(psf, radii_px, np.asarray(profile["radius_px"])).T
            profile["radius_arcsec"].unit, profile["r_half_pc"].unit = "arcsec", "pc"
            profiles.append(profile)
        row["r_limit_arcsec"] = row["r_limit_px"] * psf.pixel_scale_arcsec
        row["r_limit_pc"] = row["r_limit_arcsec"] * (
            pc_per_arcsec(np.median(redshifts)) if redshifts.size else np.nan
        )
        rows.append(row)
    table = Table(rows)
    for column, unit in (("flux", "nJy"), ("flux_err", "nJy"), ("r_limit_px", "pix"), ("r_limit_arcsec", "arcsec"),
                         ("r_limit_pc", "pc")):  # fmt: skip
        table[column].unit = unit
    return table, vstack(profiles) if profiles else Table(), stacks


def _wanted(table: Table) -> np.ndarray:
    return has(table["flags"], "unresolved") & ~has(table["flags"], ["few_pixels", "fit_failed", "blended"])


def _tiles_and_sky(galaxies: list, name: str, psf: PSF) -> tuple[np.ndarray, ...]:
    """Surroundings of a filter's clumps, one below the other: data, error, x and y of the clumps; the sky without clumps.

    The sky is that of whole cutouts in one column, missing pixels between them: of all, or in large fields of every second
    or n-th, so that it needs no more room in larger ones.
    """
    step = -(-len(galaxies) // _SKY_GALAXIES)
    tiles, places, residuals = [], [], []
    for read, table in galaxies:
        if (cutout := read(name)) is None:
            continue
        x, y = cutout.wcs.world_to_pixel_values(table["ra"], table["dec"])
        planes = np.pad(
            [cutout.data, cutout.error],
            ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN)),
            constant_values=np.nan,
        )
        for column, row in np.rint([x, y]).astype(int).T:
            tiles.append(planes[:, row : row + _TILE, column : column + _TILE].copy())
        if len(places) % step == 0:
            fitted = Table({"x": x, "y": y, "flux": table[f"flux_{name}_njy"]})
            for shape in ("sigma_x_px", "sigma_y_px", "theta_deg"):
                fitted[shape] = 0.0
            residuals.append(
                cutout.data - render_clumps(fitted, psf.fine, cutout.data.shape, psf.oversampling)
            )
        places.append([x - np.rint(x), y - np.rint(y)])
    if not tiles:
        return *np.empty((2, 0, 0)), *np.empty((2, 0)), np.empty((0, 0))
    image, error = np.concatenate(tiles, axis=1)
    x, y = np.hstack(places) + _MARGIN
    return image, error, x, y + _TILE * np.arange(y.size), _column(residuals)


def _column(planes: list[np.ndarray]) -> np.ndarray:
    """Planes one below the other, with missing pixels around each."""
    heights, widths = np.transpose([plane.shape for plane in planes]) + 2 * _MARGIN
    column = np.full((heights.sum(), widths.max()), np.nan)
    for top, plane in zip(np.cumsum(heights) - heights + _MARGIN, planes, strict=True):
        column[top : top + plane.shape[0], _MARGIN : _MARGIN + plane.shape[1]] = plane
    return column


def _simulated_profiles(psf: PSF, half_light_px: np.ndarray, radii_px: np.ndarray) -> np.ndarray:
    """Profiles of noiseless round clumps seen through the PSF, 1 in the middle; (n_sizes, n_radii)."""
    profiles = []
    for size in half_light_px / HALF_LIGHT_OF_SIGMA:
        source = {
            "x": [_HALF_SIZE],
            "y": [_HALF_SIZE],
            "sigma_x_px": [size],
            "sigma_y_px": [size],
            "theta_deg": [0.0],
            "flux": [1.0],
        }
        side = 2 * _HALF_SIZE + 1
        image = render_clumps(Table(source), psf.fine, (side, side), psf.oversampling)
        profile = radial_profile(image, radii_px)
        profiles.append(profile / profile[0])
    return np.array(profiles)


def write_stacks(stacks: Mapping[str, ClumpStack], psfs: Mapping[str, PSF], path: str | os.PathLike) -> None:
    """Write the stacks as FITS: ``DATA_<filter>``, ``MODEL_<filter>`` and ``RESID_<filter>`` [nJy]."""
    hdus = fits.HDUList([fits.PrimaryHDU()])
    for name, stack in stacks.items():
        for kind, plane in (
            ("DATA", stack.image),
            ("MODEL", stack.model),
            ("RESID", stack.image - stack.model),
        ):
            hdu = fits.ImageHDU(plane.astype(np.float32), name=f"{kind}_{name}")
            hdu.header["BUNIT"] = "nJy"
            hdu.header["PIXSCALE"] = (psfs[name].pixel_scale_arcsec, "[arcsec]")
            hdus.append(hdu)
    write_fits(hdus, path)


def _measure(
    stack: ClumpStack, psf: PSF, residual: np.ndarray, seed: int
) -> tuple[dict[str, float], ClumpStack]:
    n = int(stack.used.sum())
    sampling = {"psf_oversampling": psf.oversampling}
    table = fit_clumps(
        stack.image, stack.error, psf.fine, [_HALF_SIZE], [_HALF_SIZE], model="point", **sampling
    )
    fitted = table[0]
    source = render_clumps(table, psf.fine, stack.image.shape, psf.oversampling)
    stack = replace(stack, model=source + np.nan_to_num(fitted["background"]))
    row = {"n_clumps": n, "flux": fitted["flux"], "flux_err": fitted["flux_err"], "r_limit_px": np.nan}
    peak = stack.image[_HALF_SIZE, _HALF_SIZE]
    radii = _SIZES_FWHM * psf.fwhm_arcsec / psf.pixel_scale_arcsec
    if peak > 0:
        seen = resolvable_sizes(
            psf.fine, peak, residual, radii, _N_SOURCES, seed, 1.0 / np.sqrt(n), **sampling
        )
        enough = np.asarray(seen["fraction_resolved"]) >= _SEEN
        # The smallest size from which on all are seen.
        first = len(radii) - int(np.argmin(enough[::-1])) if not enough.all() else 0
        row["r_limit_px"] = radii[first] if first < len(radii) else np.nan
    return row, stack


def draw_stacks(
    path: str | os.PathLike, table: Table, profiles: Table, stacks: Mapping[str, ClumpStack], title: str
) -> None:
    """Picture: every filter's stack above its light profile beside the PSF's (F22 Figure 2).

    Parameters
    ----------
    path : path-like
        PNG product.
    table, profiles, stacks
        Of `stack_field`.
    title : str
    """
    from matplotlib.figure import Figure

    per_row = 7
    n_rows = max(-(-len(stacks) // per_row), 1)
    figure = Figure(figsize=(2.0 * per_row, 4.0 * n_rows + 0.4), layout="constrained")
    axes = figure.subplots(2 * n_rows, per_row, squeeze=False)
    for axis in axes.ravel():
        axis.set_axis_off()
    counts = dict(zip(table["filter"], table["n_clumps"], strict=True))
    for index, (name, stack) in enumerate(stacks.items()):
        row, column = divmod(index, per_row)
        image_axis, profile_axis = axes[2 * row, column], axes[2 * row + 1, column]
        level = np.nanmedian(stack.error)
        image_axis.imshow(np.arcsinh(stack.image / (2 * level)), origin="lower", cmap="gray_r", vmin=-1)
        image_axis.set_title(f"{name}, {counts[name]} clumps", fontsize=8)
        mine = profiles[profiles["filter"] == name]
        profile_axis.set_axis_on()
        profile_axis.errorbar(
            mine["radius_px"], mine["profile"], mine["profile_err"], fmt=".", markersize=3, label="stack"
        )
        profile_axis.plot(mine["radius_px"], mine["psf"], color="tab:orange", label="PSF")
        profile_axis.set(xlabel="radius [px]", ylim=(-0.1, 1.1))
        profile_axis.tick_params(labelsize=6)
    if stacks:
        axes[1, 0].legend(fontsize=7)
    figure.suptitle(title if stacks else f"{title}: none", fontsize=9)
    save_picture(figure, path)
