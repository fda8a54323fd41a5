"""Pictures a person looks at to judge PSFs, depths and detections."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..flags import bit
from ..montage import GREY, Montage, coloured
from .cutouts import Cutout
from .depth import Depth
from .detection import Detection
from .profiles import radial_profile
from .psf import PSF
from .sky import sky_statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_depths", "draw_detection", "draw_psfs"]

_PANEL_INCH = 1.9
_DETECTION_PX = 560


def _grid(
    n_filters: int, per_row: int, width_ratios: Sequence[float]
) -> "tuple[Figure, Iterator[np.ndarray]]":
    """Figure, and the axes of one filter after the other, as many as there are ratios."""
    # Without pyplot: no global state, and no display is asked for.
    from matplotlib.figure import Figure

    columns, n_rows = per_row * len(width_ratios), max(-(-n_filters // per_row), 1)
    figure = Figure(figsize=(_PANEL_INCH * columns, (_PANEL_INCH + 0.25) * n_rows))
    # Places are known beforehand: finding them would take longer than all the rest.
    room = {"left": 0.02, "right": 0.99, "bottom": 0.17 / n_rows, "top": 1 - 0.12 / n_rows}
    axes = figure.subplots(
        n_rows, columns, squeeze=False, width_ratios=[*width_ratios] * per_row,
        gridspec_kw={**room, "wspace": 0.2, "hspace": 0.34},
    )  # fmt: skip
    groups = axes.reshape(-1, len(width_ratios))
    for axis in groups[:n_filters].ravel():
        axis.tick_params(labelsize=6, pad=1, length=2)
    for axis in groups[n_filters:].ravel():
        axis.set_axis_off()
    return figure, iter(groups[:n_filters])


def _label(axis: "Axes", title: str, below: str) -> None:
    axis.set_title(title, fontsize=7, pad=3)
    axis.set_xlabel(below, fontsize=6, labelpad=1)


def draw_psfs(psfs: Mapping[str, PSF]) -> "Figure":
    """Draw four panels a filter: kernel, radial profile with the analytic fit, encircled energy, width over the field.

    Parameters
    ----------
    psfs : mapping of str to PSF
        By filter.
    """
    figure, groups = _grid(len(psfs), 3, (1, 1, 1, 1))
    for (kernel_axis, profile_axis, energy_axis, field_axis), (name, psf) in zip(
        groups, psfs.items(), strict=True
    ):
        scale, half = psf.pixel_scale_arcsec, psf.kernel.shape[0] // 2
        edge = (half + 0.5) * scale
        relative = psf.kernel / psf.kernel.max()
        kernel_axis.imshow(
            np.log10(np.maximum(relative, 1e-5)), origin="lower", extent=(-edge, edge, -edge, edge),
            vmin=-4, vmax=0, cmap="magma",
        )  # fmt: skip
        count = f"{psf.n_stars} stars" if psf.source == "stars" else "given"
        _label(kernel_axis, f"{name}: FWHM {psf.fwhm_arcsec * 1e3:.0f} mas, {count}", "arcsec")
        rows, columns = np.indices(psf.kernel.shape) - half
        distance = np.hypot(rows, columns) * scale
        radius = np.linspace(0.0, min(edge, 1.0), 200)
        profile_axis.semilogy(distance.ravel(), np.abs(relative).ravel(), ",", color="0.6")
        profile_axis.semilogy(radius, np.abs(radial_profile(relative, radius / scale)), label="mean")
        if psf.analytic is not None:
            profile_axis.semilogy(
                radius, psf.analytic(radius / scale) / psf.kernel.max(), "--", label="analytic"
            )
        profile_axis.set(xlim=(0, radius[-1]), ylim=(1e-5, 2))
        missed = f", analytic misses {psf.analytic.residual_max:.1%}" if psf.analytic is not None else ""
        _label(profile_axis, f"over peak{missed}", "radius [arcsec]")
        energy_axis.plot(psf.radii_arcsec, psf.encircled_energy)
        energy_axis.axvline(psf.radius_arcsec, color="0.5", linewidth=0.8)
        energy_axis.set(ylim=(0, 1.05), xlim=(0, radius[-1]))
        _label(energy_axis, f"encircled, correction {psf.aperture_correction:.3f}", "radius [arcsec]")
        _draw_trend(field_axis, psf)
    if psfs:
        figure.axes[1].legend(fontsize=6)
    return figure


def _draw_trend(axis: "Axes", psf: PSF) -> None:
    """Map of the PSF's width over the field, east to the left."""
    if psf.trend is None:
        axis.set_axis_off()
        axis.text(0.5, 0.5, "no variation\nseen", ha="center", va="center", fontsize=6)
        return
    trend, place = psf.trend, np.linspace(-1.0, 1.0, 41)
    ra = trend.ra + trend.half_deg * place / np.cos(np.radians(trend.dec))
    percent = 100.0 * (
        np.sqrt(trend.variance_ratio(ra[None, :], (trend.dec + trend.half_deg * place)[:, None])) - 1.0
    )
    side = 60.0 * trend.half_deg
    axis.imshow(percent, origin="lower", extent=(-side, side, -side, side), vmin=-15, vmax=15, cmap="PuOr")
    lines = axis.contour(percent, extent=(-side, side, -side, side), colors="k", linewidths=0.5)
    axis.clabel(lines, fmt="%+.0f %%", fontsize=5)
    axis.invert_xaxis()
    _label(axis, f"FWHM {percent.min():+.0f} to {percent.max():+.0f} %", "arcmin east, north")


def draw_depths(depths: Mapping[str, Depth]) -> "Figure":
    """Draw two panels a filter: histogram of the empty apertures, and the noise's autocorrelation.

    Parameters
    ----------
    depths : mapping of str to Depth
        By filter.
    """
    figure, groups = _grid(len(depths), 4, (1.5, 1))
    for (histogram_axis, noise_axis), (name, depth) in zip(groups, depths.items(), strict=True):
        sigma = depth.sigma_aperture_njy
        edges = depth.median_aperture_njy + sigma * np.linspace(-6, 6, 61)
        histogram_axis.hist(depth.fluxes_njy, edges, color="0.7")
        centres = (edges[1:] + edges[:-1]) / 2
        gauss = np.exp(-0.5 * ((centres - depth.median_aperture_njy) / sigma) ** 2) / (
            sigma * np.sqrt(2 * np.pi)
        )
        histogram_axis.plot(centres, gauss * depth.n_apertures * (edges[1] - edges[0]))
        _label(
            histogram_axis,
            f"{name}: {depth.mag_limit_ab:.2f} AB at {depth.n_sigma:g} sigma",
            f"{depth.n_apertures} apertures of {depth.aperture_radius_arcsec:.3f} arcsec [nJy]",
        )
        lag = depth.rho.shape[0] // 2 + 0.5
        noise_axis.imshow(depth.rho, origin="lower", extent=(-lag, lag, -lag, lag), vmin=-0.2, vmax=1)
        _label(noise_axis, f"correlation: x{depth.correlation_factor:.2f}", "lag [px]")
    return figure


def draw_detection(path: str | os.PathLike, detection: Detection, cutout: Cutout, title: str = "") -> None:
    """Picture: the cutout, and the same without smooth light, with the clumps' names and outlines.

    Parameters
    ----------
    path : path-like
        PNG product.
    detection : Detection
        Of `detect_clumps`.
    cutout : Cutout
        In which they were detected.
    title : str
        Above the picture.
    """
    montage = Montage(2 * _DETECTION_PX + 28, _DETECTION_PX + 52)
    montage.text(10, 10, title or f"{len(detection.table)} clumps in {cutout.filter}", 16)
    panels = []
    for image, label in ((cutout.data, cutout.filter), (detection.image, "without smooth light")):
        level, sigma = sky_statistics(image)
        # asinh: linear in the noise, logarithmic in the clumps.
        scaled = np.arcsinh((image - level) / (2 * sigma)) if sigma > 0 else np.full(image.shape, np.nan)
        top = np.nanmax(scaled, initial=0.0)
        left = 10 + len(panels) * (_DETECTION_PX + 8)
        panels.append(montage.panel(coloured(scaled, -1.0, top, GREY), left, 42, _DETECTION_PX))
        montage.text(left + _DETECTION_PX, 36, label, 13, "rs")
    named, outlined = panels
    for number in range(1, len(detection.table) + 1):
        outlined.contour(np.where(detection.segmentation == number, 1.0, -1.0), "#ff7f0e")
    table = detection.table
    x, y = np.asarray(table["x"] - cutout.x0, float), np.asarray(table["y"] - cutout.y0, float)
    colours = ["#d62728" if flags & bit("manual") else "#1f77b4" for flags in table["flags"]]
    for colour in dict.fromkeys(colours):
        rows = np.array([one == colour for one in colours])
        named.rings(x[rows], y[rows], 8.0, colour)
    named.names(x, y, [row["id"].removeprefix(f"{row['galaxy']}_") for row in table], colours)
    named.scale_bar(1.0 / cutout.pixel_scale_arcsec, '"')
    montage.save(path)
