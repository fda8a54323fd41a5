"""The picture of one posterior: photometry, best fit, spectrum and residuals, and the corner plot."""

import os
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from ...filters import get_filter
from ...flags import describe
from ...pictures import save_pages
from ..inference.posterior import Posterior
from ..library.ssp import SSPLibrary
from .observed_spectrum import best_spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_corner", "draw_sed", "intrinsic_mass", "save_pictures", "scale_fluxes"]

_LABELS = {
    "log_mass_formed": r"observed $\log M_\mathrm{formed}/M_\odot$",
    "log_mass": r"observed $\log M_\star/M_\odot$",
    "log_age_yr": r"$\log$ age/yr",
    "log_age_mw_yr": r"$\log$ age$_\mathrm{MW}$/yr",
    "log_tau_yr": r"$\log \tau$/yr",
    "log_sfr10": r"$\log$ SFR$_{10}$",
    "log_sfr100": r"$\log$ SFR$_{100}$",
    "a_v": r"$A_V$",
    "log_z_zsun": r"$\log Z/Z_\odot$",
    "log_u": r"$\log U$",
    "log_alpha": r"$\log \alpha$",
    "log_beta": r"$\log \beta$",
}

_CORNER = ("log_mass", "log_age_mw_yr", "log_tau_yr", "a_v", "log_z_zsun", "log_u", "log_alpha", "log_beta")


def scale_fluxes(axes: "Axes", posterior: Posterior, room: float) -> None:
    """Set the flux axis: logarithmic; about zero, below three errors of the faintest bands, linear where fluxes are not positive.

    `room` is left above, as a share of the span.
    """
    from matplotlib.ticker import LogLocator

    measured = posterior.flux_njy[np.isfinite(posterior.flux_njy)]
    if not measured.size:
        return
    shown = np.concatenate([measured, posterior.model_p16_njy, posterior.model_p84_njy])
    shown = shown[np.isfinite(shown)]
    if (measured > 0).all():
        # The error bar of a faint band would otherwise decide the scale, or a model without light beyond the Lyman limit.
        shown = shown[shown > 0.1 * measured.min()]
        span = max(np.log10(shown.max() / shown.min()), 0.3)
        axes.set_yscale("log")
        axes.set_ylim(shown.min() * 10 ** (-0.25 * span), shown.max() * 10 ** (room * span))
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    else:
        axes.axhline(0.0, color="0.8", lw=0.8, zorder=0)
        faint = measured <= 0
        linear = 3.0 * float(np.median(posterior.error_njy[np.isfinite(posterior.flux_njy)][faint]))
        axes.set_yscale("symlog", linthresh=linear)
        low, high = (
            axes.transData.transform((1.0, y))[1]
            for y in (min(shown.min(), -linear), max(shown.max(), linear))
        )
        ends = (low - 0.05 * (high - low), high + room * (high - low))
        axes.set_ylim(*(axes.transData.inverted().transform((0.0, y))[1] for y in ends))


def intrinsic_mass(posterior: Posterior, mu: float) -> str:
    """Stellar mass divided by the magnification, in words."""
    intrinsic = posterior.percentile("log_mass", (50.0,))[0] - np.log10(mu)
    return f"intrinsic log M {intrinsic:.2f} (\N{GREEK SMALL LETTER MU} = {mu:.1f})"


def draw_sed(
    posterior: Posterior, library: SSPLibrary | str | None = None, mu: float | None = None
) -> tuple["Figure", Table]:
    """Photometry, best fit with the posterior's band, and residuals.

    Parameters
    ----------
    posterior : Posterior
        Of an object with photometry.
    library : SSPLibrary or str, optional
        The stellar library of the fit: with it the spectrum of the best fit is drawn.
    mu : float, optional
        Magnification, for the intrinsic mass.

    Returns
    -------
    matplotlib.figure.Figure
    astropy.table.Table
        The data drawn, one row a filter: filter, pivot_um, flux_njy, error_njy, data_njy, sigma_njy,
        model_njy, model_p16_njy, model_p84_njy, residual_sigma.
    """
    from matplotlib.figure import Figure  # pictures are asked for seldom, and import slowly

    pivot = np.array([get_filter(name).pivot_angstrom for name in posterior.filters]) / 1e4
    fluxes = ("flux_njy", "error_njy", "data_njy", "sigma_njy", "model_njy", "model_p16_njy", "model_p84_njy")
    data = Table({"filter": list(posterior.filters), "pivot_um": pivot})
    for name in fluxes:
        data[name] = getattr(posterior, name)
    data["residual_sigma"] = (posterior.data_njy - posterior.model_njy) / posterior.sigma_njy
    order = np.argsort(pivot)

    figure = Figure(figsize=(6.5, 4.5), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    low, high = (posterior.model_p16_njy[order], posterior.model_p84_njy[order])
    top.fill_between(pivot[order], low, high, color="tab:orange", alpha=0.3, lw=0, label="16-84 %")
    style = "s-" if library is None else "s"
    top.plot(
        pivot[order], posterior.model_njy[order], style, color="tab:orange", ms=5, lw=0.8, label="best fit"
    )
    if library is not None and posterior.n_bands:
        spectrum, edges = best_spectrum(posterior, library, (pivot.min() / 1.15, pivot.max() * 1.15))
        top.stairs(spectrum, edges, color="0.65", lw=0.7, zorder=0, label="its spectrum")
    top.errorbar(
        pivot, posterior.data_njy, posterior.sigma_njy, fmt="none", ecolor="0.6", lw=2, label="fitted"
    )
    top.errorbar(pivot, posterior.flux_njy, posterior.error_njy, fmt="ko", ms=3, lw=1, label="measured")
    scale_fluxes(top, posterior, room=0.25)
    top.set_ylabel(r"$f_\nu$ [nJy]")
    top.legend(fontsize="small", frameon=False)
    flags = f", {' '.join(describe(posterior.flags))}" if posterior.flags else ""
    title = (
        f"{posterior.id}  z = {posterior.redshift:.3f}  "
        rf"$\chi^2$ = {posterior.chi2:.1f} / {posterior.n_bands} bands{flags}"
    )
    if posterior.sampler != "none":
        low, middle, high = posterior.percentile("log_mass")
        title += "\n" + rf"observed $\log M$ {middle:.2f}$^{{+{high - middle:.2f}}}_{{-{middle - low:.2f}}}$"
        title += f", {intrinsic_mass(posterior, mu)}" if mu is not None else ""
    top.set_title(title, fontsize="medium")
    bottom.axhline(0.0, color="tab:orange", lw=0.8)
    bottom.errorbar(pivot, data["residual_sigma"], 1.0, fmt="ko", ms=3, lw=1)
    bottom.set_xscale("log")
    bottom.set_xlim(pivot.min() / 1.15, pivot.max() * 1.15)
    bottom.set_xticks(
        [tick for tick in (0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5) if pivot.min() / 1.2 < tick < pivot.max() * 1.2]
    )
    bottom.xaxis.set_major_formatter("{x:g}")
    bottom.xaxis.set_minor_formatter("")
    bottom.set_xlabel(r"observed wavelength [$\mu$m]")
    bottom.set_ylabel(r"residual [$\sigma$]")
    return figure, data


def draw_corner(posterior: Posterior) -> tuple["Figure", Table]:
    """Corner plot of the main quantities.

    Parameters
    ----------
    posterior : Posterior
        Of an object with photometry.

    Returns
    -------
    matplotlib.figure.Figure
    astropy.table.Table
        The draws shown, one column a quantity.
    """
    import corner
    from matplotlib.figure import Figure

    names = [name for name in _CORNER if name in posterior.samples and np.ptp(posterior.samples[name]) > 0]
    draws = np.stack([posterior.samples[name] for name in names], axis=1).astype(float)
    figure = Figure(figsize=(1.7 * len(names), 1.7 * len(names)))
    corner.corner(
        draws,
        labels=[_LABELS[name] for name in names],
        quantiles=(0.16, 0.5, 0.84),
        show_titles=True,
        title_kwargs={"fontsize": "small"},
        plot_datapoints=False,
        fill_contours=True,
        smooth=0.8,
        levels=(0.39, 0.86),
        fig=figure,
    )
    return figure, Table(draws, names=names)


def save_pictures(
    posterior: Posterior,
    path: str | os.PathLike,
    library: SSPLibrary | str | None = None,
    mu: float | None = None,
) -> None:
    """Write both pictures as the pages of a PDF, the same bytes every time."""
    pages = [draw_sed(posterior, library, mu)[0]]
    if posterior.sampler != "none":
        pages.append(draw_corner(posterior)[0])
    save_pages(pages, path)
