"""Pictures a person looks at to judge PSFs, depths and detections."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..flags import bit
from .cutouts import Cutout
from .depth import Depth
from .detection import Detection
from .profiles import radial_profile
from .psf import PSF
from .sky import sky_statistics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_depths", "draw_detection", "draw_psfs"]

_PANEL_INCH = 2.2


def _figure(width: float, height: float) -> "Figure":
    # Without pyplot: no global state, and no display is asked for.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def draw_psfs(psfs: Mapping[str, PSF]) -> "Figure":
    """Draw one row a filter: kernel, radial profile with the analytic fit, encircled energy.

    Parameters
    ----------
    psfs : mapping of str to PSF
        By filter.
    """
    figure = _figure(3.6 * _PANEL_INCH, _PANEL_INCH * len(psfs))
    axes = figure.subplots(len(psfs), 3, squeeze=False)
    for (kernel_axis, profile_axis, energy_axis), (name, psf) in zip(axes, psfs.items(), strict=True):
        scale, half = psf.pixel_scale_arcsec, psf.kernel.shape[0] // 2
        edge = (half + 0.5) * scale
        relative = psf.kernel / psf.kernel.max()
        kernel_axis.imshow(
            np.log10(np.maximum(relative, 1e-5)), origin="lower", extent=(-edge, edge, -edge, edge),
            vmin=-4, vmax=0, cmap="magma",
        )  # fmt: skip
        kernel_axis.set(xlabel="arcsec", ylabel=name)
        count = f", {psf.n_stars} stars" if psf.source == "stars" else ", given"
        kernel_axis.set_title(f"FWHM {psf.fwhm_arcsec * 1e3:.0f} mas{count}", fontsize=8)
        rows, columns = np.indices(psf.kernel.shape) - half
        distance = np.hypot(rows, columns) * scale
        radius = np.linspace(0.0, min(edge, 1.0), 200)
        profile_axis.semilogy(distance.ravel(), np.abs(relative).ravel(), ",", color="0.6")
        profile_axis.semilogy(radius, np.abs(radial_profile(relative, radius / scale)), label="mean")
        if psf.analytic is not None:
            profile_axis.semilogy(
                radius, psf.analytic(radius / scale) / psf.kernel.max(), "--", label="analytic"
            )
            profile_axis.set_title(
                f"analytic misses by {psf.analytic.residual_max:.1%} of the peak", fontsize=8
            )
        profile_axis.set(xlabel="radius [arcsec]", xlim=(0, radius[-1]), ylim=(1e-5, 2), ylabel="over peak")
        profile_axis.legend(fontsize=7)
        energy_axis.plot(psf.radii_arcsec, psf.encircled_energy)
        energy_axis.axvline(psf.radius_arcsec, color="0.5", linewidth=0.8)
        energy_axis.set(
            xlabel="radius [arcsec]", ylabel="encircled energy", ylim=(0, 1.05), xlim=(0, radius[-1])
        )
        energy_axis.set_title(f"aperture correction {psf.aperture_correction:.3f}", fontsize=8)
    return figure


def draw_depths(depths: Mapping[str, Depth]) -> "Figure":
    """Draw one row a filter: histogram of the empty apertures, and the noise's autocorrelation.

    Parameters
    ----------
    depths : mapping of str to Depth
        By filter.
    """
    figure = _figure(3.6 * _PANEL_INCH, _PANEL_INCH * len(depths))
    axes = figure.subplots(len(depths), 2, squeeze=False, width_ratios=(2, 1))
    for (histogram_axis, noise_axis), (name, depth) in zip(axes, depths.items(), strict=True):
        sigma = depth.sigma_aperture_njy
        edges = depth.median_aperture_njy + sigma * np.linspace(-6, 6, 61)
        histogram_axis.hist(depth.fluxes_njy, edges, color="0.7")
        centres = (edges[1:] + edges[:-1]) / 2
        gauss = np.exp(-0.5 * ((centres - depth.median_aperture_njy) / sigma) ** 2) / (
            sigma * np.sqrt(2 * np.pi)
        )
        histogram_axis.plot(centres, gauss * depth.n_apertures * (edges[1] - edges[0]))
        histogram_axis.set(xlabel="flux in an empty aperture [nJy]", ylabel=name)
        histogram_axis.set_title(
            f"{depth.n_sigma:g} sigma: {depth.mag_limit_ab:.2f} AB, {depth.n_apertures} apertures of "
            f"{depth.aperture_radius_arcsec:.3f} arcsec", fontsize=8,
        )  # fmt: skip
        lag = depth.rho.shape[0] // 2 + 0.5
        shown = noise_axis.imshow(depth.rho, origin="lower", extent=(-lag, lag, -lag, lag), vmin=-0.2, vmax=1)
        noise_axis.set_title(f"noise correlation: x{depth.correlation_factor:.2f} in an aperture", fontsize=8)
        noise_axis.set(xlabel="lag [px]")
        figure.colorbar(shown, ax=noise_axis)
    return figure


def draw_detection(detection: Detection, cutout: Cutout, title: str = "") -> "Figure":
    """Draw the cutout, and the same without smooth light, with the clumps' outlines and names.

    Parameters
    ----------
    detection : Detection
        Of `detect_clumps`.
    cutout : Cutout
        In which they were detected.
    title : str
        Above the picture.
    """
    figure = _figure(10.0, 5.4)
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    height, width = cutout.data.shape
    for axis, image in zip(axes, (cutout.data, detection.image), strict=True):
        level, sigma = sky_statistics(image)
        if np.isfinite(sigma) and sigma > 0:
            # asinh: linear in the noise, logarithmic in the clumps.
            axis.imshow(np.arcsinh((image - level) / (2 * sigma)), origin="lower", cmap="gray_r", vmin=-1)
        axis.set(xlabel="x [px of the cutout]", xlim=(-0.5, width - 0.5), ylim=(-0.5, height - 0.5))
    for label in range(1, len(detection.table) + 1):
        pixels = detection.segmentation == label
        if pixels.any() and min(height, width) > 1:
            axes[1].contour(pixels, [0.5], colors="tab:orange", linewidths=0.7)
    for row in detection.table:
        x, y = row["x"] - cutout.x0, row["y"] - cutout.y0
        by_hand = bool(row["flags"] & bit("manual"))
        axes[0].plot(x, y, "o", markersize=9, markerfacecolor="none", markeredgewidth=0.8,
                     color="tab:red" if by_hand else "tab:blue")  # fmt: skip
        axes[0].annotate(row["id"].removeprefix(f"{row['galaxy']}_"), (x, y), xytext=(5, 5),
                         textcoords="offset points", fontsize=6)  # fmt: skip
    axes[0].set_ylabel("y [px of the cutout]")
    figure.suptitle(title or f"{len(detection.table)} clumps in {cutout.filter}", fontsize=9)
    return figure
