"""A host galaxy apart from its clumps: the light between them is fitted, and what they hold is added.

Young clumps outshine what is around them: a tenth of a galaxy's mass can give most of its light, and a single history fitted to all of
it reads a young galaxy of a fraction of the mass (Sorba & Sawicki 2018; Gimenez-Arteaga et al. 2023). Here the clumps have fits of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from astropy.table import Table

from ...filters import get_filter
from ...flags import EXCLUDING, has
from ...intervals import sided_draws
from ...randomness import generator
from ..inference.posterior import Posterior
from .columns_photometry import table_photometry

__all__ = ["clumps_apart", "smooth_light", "with_clumps"]

_ADDED = ("log_mass", "log_mass_formed", "log_sfr10", "log_sfr100")
# Share of the clumps' light in a band between theirs that the neighbours do not tell; beyond them all of it is in doubt.
_BETWEEN, _BEYOND = 0.1, 1.0


def clumps_apart(photometry: Table, magnification: Table, sed: Table) -> Table:
    """The clumps of a galaxy whose light and mass are known well enough to be taken apart from it.

    Parameters
    ----------
    photometry, magnification : Table
        Of the galaxy's clumps, the same rows: id and flags; mu.
    sed : Table
        Percentiles of clumps (observed) by id, of any galaxies, with flags.

    Returns
    -------
    Table
        Of those without an excluding flag: the photometry, mu, and the percentiles of `with_clumps`.
    """
    rows = {str(name): row for row, name in enumerate(sed["id"])}
    fitted = np.array([str(name) in rows for name in photometry["id"]], dtype=bool)
    clumps, lensed = photometry[fitted], magnification[fitted]
    fits = sed[np.array([rows[str(name)] for name in clumps["id"]], dtype=int)]
    clumps["mu"] = np.asarray(lensed["mu"], float)
    for name in (*_ADDED, "m_v_ab"):
        for end in ("_p16", "_p50", "_p84"):
            clumps[name + end] = np.asarray(fits[name + end], float)
    clumps["log_age_mw_yr_p50"] = np.asarray(fits["log_age_mw_yr_p50"], float)
    flags = [np.asarray(table["flags"], np.int64) for table in (clumps, lensed, fits)]
    known = np.isfinite(clumps["log_mass_p50"]) & np.isfinite(clumps["mu"]) & (clumps["mu"] > 0)
    return clumps[known & ~np.asarray(has(np.bitwise_or.reduce(flags), EXCLUDING), bool)]


def smooth_light(galaxies: Table, apart: Mapping[str, Table], factors: Mapping[str, float]) -> Table:
    """Galaxies with the fluxes of what is between their clumps.

    Parameters
    ----------
    galaxies : Table
        id, and ``f_<filter>``, ``e_<filter>`` of the whole galaxies [nJy].
    apart : mapping of str to Table
        By galaxy: of `clumps_apart`.
    factors : mapping of str to float
        By filter of the clumps: what their fluxes are multiplied with to be as the galaxies' are (reddening, light outside the
        aperture).

    Returns
    -------
    Table
        A copy. In filters that the clumps have none of, their share of the light is that of the neighbouring ones, with 10 % of
        it for an error; beyond them that of the nearest, with all of it.
    """
    flux, error, filters = table_photometry(galaxies, "f_<F>", "e_<F>", "galaxies")
    smooth = galaxies.copy()
    for row, name in enumerate(galaxies["id"]):
        if len(apart.get(str(name), ())):
            taken, width = _light_of(apart[str(name)], flux[row], filters, factors)
            for band, filter_ in enumerate(filters):
                smooth[f"f_{filter_}"][row] = flux[row, band] - taken[band]
                smooth[f"e_{filter_}"][row] = np.hypot(error[row, band], width[band])
    return smooth


def _light_of(
    clumps: Table, flux: np.ndarray, filters: Sequence[str], factors: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Light of the clumps, and its error, (n_filters,) each, in a galaxy of fluxes (n_filters,)."""
    light, noise, own = table_photometry(clumps)
    scale = np.array([factors[name] for name in own])
    total, width = np.nansum(light * scale, axis=0), np.sqrt(np.nansum((noise * scale) ** 2, axis=0))
    both = [name for name in own if name in filters and np.isfinite(flux[filters.index(name)])]
    if not both:
        return np.zeros(len(filters)), np.zeros(len(filters))
    waves = np.log([get_filter(name).pivot_angstrom for name in both])
    order = np.argsort(waves)
    share = np.array([total[own.index(name)] / flux[filters.index(name)] for name in both])[order]
    waves = waves[order]
    taken, doubt = np.empty(len(filters)), np.empty(len(filters))
    for band, name in enumerate(filters):
        if name in both:
            taken[band], doubt[band] = total[own.index(name)], width[own.index(name)]
        else:
            wave = np.log(get_filter(name).pivot_angstrom)
            taken[band] = np.interp(wave, waves, share) * flux[band]
            doubt[band] = (_BETWEEN if waves[0] <= wave <= waves[-1] else _BEYOND) * abs(taken[band])
    return taken, doubt


def with_clumps(posterior: Posterior, clumps: Table, mu: float, seed: int) -> Posterior:
    """The posterior of the light between the clumps, with what they hold added.

    Parameters
    ----------
    posterior : Posterior
        Of the light between them, observed.
    clumps : Table
        Of `clumps_apart`.
    mu : float
        Magnification of the galaxy: what each clump holds is added as if it were seen at this one.
    seed : int

    Returns
    -------
    Posterior
        Masses, rates and V light of all stars, and their mass-weighted age; dust, metals and the history's own parameters stay
        those of the light between the clumps. Draws of light and of clumps are independent.
    """
    if not len(clumps) or not np.isfinite(posterior.samples["log_mass"]).all():
        return posterior
    samples = dict(posterior.samples)
    n = samples["log_mass"].size
    at_galaxy = np.log10((mu if np.isfinite(mu) and mu > 0 else 1.0) / np.asarray(clumps["mu"], float))
    rng = generator(seed, "host-clumps", posterior.id)
    normal = rng.normal(size=(len(clumps), n))

    def drawn(name: str, per_dex: float = 1.0) -> np.ndarray:
        """What each clump holds, (n_clumps, n), in units of which `name` is the logarithm times `per_dex`."""
        low, middle, high = (
            np.asarray(clumps[f"{name}_p{p}"], float)[:, None] / per_dex for p in (16, 50, 84)
        )
        low, high = np.minimum(low, high), np.maximum(low, high)
        # A clump's mass, rate and light err together: they share its flux.
        return 10.0 ** (sided_draws(low, middle, high, normal) + at_galaxy[:, None])

    before = {
        name: posterior.samples[name].astype(float) for name in (*_ADDED, "log_age_mw_yr", "m_v_ab", "ml_v")
    }
    for name in _ADDED:
        samples[name] = np.log10(10.0 ** before[name] + drawn(name).sum(axis=0))
    samples["m_v_ab"] = -2.5 * np.log10(10.0 ** (-0.4 * before["m_v_ab"]) + drawn("m_v_ab", -2.5).sum(axis=0))
    heavier, brighter = (
        samples["log_mass"] - before["log_mass"],
        -0.4 * (samples["m_v_ab"] - before["m_v_ab"]),
    )
    samples["ml_v"] = before["ml_v"] * 10.0 ** (heavier - brighter)
    years = 10.0 ** (before["log_mass_formed"] + before["log_age_mw_yr"])
    years += 10.0 ** np.asarray(clumps["log_age_mw_yr_p50"], float) @ drawn("log_mass_formed")
    samples["log_age_mw_yr"] = np.log10(years) - samples["log_mass_formed"]
    return replace(posterior, samples=samples)
