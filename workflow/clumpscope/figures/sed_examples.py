"""Photometry, best fit and spectrum of single clumps (C25 Fig. 6)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table, vstack

from ..filters import get_filter
from .columns import numbers, shown
from .settings import Settings
from .style import ON_DATA, PAGE_INCH, PALETTE, empty, legend_above, new_figure, plain_text, signed, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..sed.inference.posterior import Posterior

__all__ = ["chosen_clumps", "draw"]

_N_COLUMNS = 2
_DATA = ("flux_njy", "error_njy", "model_njy", "model_p16_njy", "model_p84_njy")
_RANGE_DEX = 0.8  # of fluxes below the brightest, at least


@styled
def draw(products: Mapping, settings: Settings) -> "tuple[Figure, Table]":
    """Draw one panel a clump: `figures.sed_clumps` of the configuration, or the brightest of every redshift bin.

    Products: ``sed_draws`` (paths of posteriors of the reference history), ``catalogue``.
    """
    catalogue = shown(products["catalogue"], settings)
    chosen = chosen_clumps(products["catalogue"], catalogue, settings)
    posteriors = _posteriors(products["sed_draws"], chosen)
    n_rows = max(-(-len(posteriors) // _N_COLUMNS), 1)
    figure = new_figure(PAGE_INCH, 2.3 * n_rows + 0.3)
    panels = figure.subplots(n_rows, _N_COLUMNS, squeeze=False).ravel()
    for axes in panels[max(len(posteriors), 1) :]:
        axes.set_visible(False)
    if not posteriors:
        empty(panels[0])
    tables = []
    mu = dict(zip(map(str, products["catalogue"]["id"]), numbers(products["catalogue"], "mu"), strict=True))
    for axes, posterior in zip(panels, posteriors, strict=False):
        magnification = mu[posterior.id] if np.isfinite(mu[posterior.id]) else 1.0
        tables.append(_draw_clump(axes, posterior, settings.library, magnification))
    for axes in panels[: len(posteriors)][-_N_COLUMNS:]:
        axes.set_xlabel(r"observed wavelength [$\mu$m]")
    for axes in panels[: len(posteriors) : _N_COLUMNS]:
        axes.set_ylabel(r"observed $f_\nu$ [nJy]")
    legend_above(figure)
    return figure, vstack(tables) if tables else Table({"id": np.empty(0, dtype=str)})


def chosen_clumps(catalogue: Table, counted: Table, settings: Settings) -> list[str]:
    """Ids of the clumps to show: those the configuration names, or of every redshift bin the one with the highest S/N."""
    if settings.sed_clumps:
        known = set(map(str, catalogue["id"]))
        return [name for name in settings.sed_clumps if name in known]
    z, snr = numbers(counted, "z"), np.nan_to_num(numbers(counted, "snr"))
    chosen = []
    for low, high in zip(settings.redshift_bins[:-1], settings.redshift_bins[1:], strict=True):
        rows = np.flatnonzero((z >= low) & (z < high))
        if rows.size:
            chosen.append(str(counted["id"][rows[np.argmax(snr[rows])]]))
    if not chosen and len(counted):
        chosen = [str(counted["id"][row]) for row in np.argsort(-snr, kind="stable")[:_N_COLUMNS]]
    return chosen


def _posteriors(paths: list, chosen: list[str]) -> "list[Posterior]":
    from ..sed.products.store import read_posterior  # slow to import

    found: dict[str, Posterior] = {}
    for path in paths:
        if len(found) < len(chosen):
            found |= {name: one for name, one in read_posterior(path).items() if name in chosen}
    return [found[name] for name in chosen if name in found]


def _draw_clump(axes: "Axes", posterior: "Posterior", library: str, mu: float) -> Table:
    from ..sed.products.observed_spectrum import best_spectrum

    pivot = np.array([get_filter(name).pivot_angstrom for name in posterior.filters]) / 1e4
    order = np.argsort(pivot)
    ends = pivot.min() / 1.15, pivot.max() * 1.15
    band = posterior.model_p16_njy[order], posterior.model_p84_njy[order]
    axes.fill_between(
        pivot[order], *band, color=PALETTE[3], alpha=0.6, lw=0, label="16 to 84 % of the posterior", zorder=1
    )
    if posterior.n_bands:
        spectrum, edges = best_spectrum(posterior, library, ends)
        axes.stairs(
            spectrum, edges, baseline=None, color="0.45", lw=0.6, label="spectrum of the best fit", zorder=0.5
        )
    axes.plot(
        pivot, posterior.model_njy, "s", mfc="none", mec=PALETTE[1], ms=5, mew=0.9, label="best fit", zorder=2
    )
    flux, error = posterior.flux_njy, posterior.error_njy
    seen = flux > error
    axes.errorbar(
        pivot[seen],
        flux[seen],
        error[seen],
        fmt="o",
        color="black",
        ms=2.8,
        lw=0.8,
        label="measured",
        zorder=3,
    )
    axes.set(xscale="log", yscale="log", xlim=ends)
    top = np.nanmax(
        np.concatenate([flux[seen], posterior.model_njy[np.isfinite(posterior.model_njy)], [1e-3]])
    )
    shown_low = np.concatenate([flux[seen] - error[seen], [top * 10**-_RANGE_DEX]])
    low = max(np.nanmin(shown_low), top * 1e-3)
    # Numbers stand below the data.
    limits = low / 3.0, top * 2.0
    faint = ~seen & np.isfinite(error)
    if faint.any():
        # Where nothing is seen: the 3 sigma limit.
        axes.plot(pivot[faint], np.clip(3 * error[faint], *limits), "v", mfc="white", mec="black", ms=4, mew=0.7,
                  label=r"$3\sigma$ limit", zorder=3)  # fmt: skip
    axes.set_ylim(limits)
    axes.set_xticks([tick for tick in (0.5, 0.7, 1, 1.5, 2, 3, 4, 5) if ends[0] < tick < ends[1]])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter("")
    axes.xaxis.set_major_formatter("{x:g}")
    words = rf"{plain_text(posterior.id)}   $z = {posterior.redshift:.2f}$   $\chi^2$ = {posterior.chi2:.1f} / {posterior.n_bands} bands"
    axes.set_title(words, fontsize=7, loc="left", pad=3)
    if posterior.sampler != "none":
        axes.text(
            0.035,
            0.03,
            _numbers(posterior, mu),
            transform=axes.transAxes,
            va="bottom",
            fontsize=6.5,
            bbox=ON_DATA,
        )
    n = len(pivot)
    data: dict[str, Any] = {
        "id": np.full(n, posterior.id),
        "z": np.full(n, posterior.redshift),
        "mu": np.full(n, mu),
    }
    data |= {"filter": list(posterior.filters), "pivot_um": pivot}
    data |= {name: getattr(posterior, name) for name in _DATA}
    return Table(data)


def _numbers(posterior: "Posterior", mu: float) -> str:
    quantities = (
        ("log_mass", r"$\log\,M_\star\,\mu^{-1}$", np.log10(mu)),
        ("log_age_mw_yr", r"$\log$ age", 0.0),
        ("a_v", "$A_V$", 0.0),
        ("log_z_zsun", r"$\log\,Z/Z_\odot$", 0.0),
    )
    parts = []
    for name, label, shift in quantities:
        if name not in posterior.samples:
            continue
        low, middle, high = posterior.percentile(name)
        parts.append(rf"{label} {signed(middle - shift)}$^{{+{high - middle:.2f}}}_{{-{middle - low:.2f}}}$")
    return "\n".join("   ".join(parts[k : k + 2]) for k in range(0, len(parts), 2))
