"""The catalogue: one row a clump, observed and intrinsic, every error propagated (C25 section 3.8)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.table import Table, vstack
from scipy.special import ndtr

from ..cosmology import pc_per_arcsec
from ..errors import InputError
from ..flags import bit, describe
from ..intervals import sided_draws, sided_errors
from ..lensing.clumps.sizes import axis_sizes, round_sizes
from ..randomness import generator

__all__ = ["assemble", "duplicate_images"]

Array = np.ndarray
_N_DRAWS = 1000
# Divided by the magnification; the other posterior quantities do not depend on it.
_PER_MAGNIFICATION = ("log_mass", "log_mass_formed", "log_sfr10", "log_sfr100")
_POSTERIOR = ("log_mass", "log_mass_formed", "log_age_mw_yr", "log_age_yr", "log_sfr10", "log_sfr100", "a_v",
              "log_z_zsun", "log_u", "log_tau_yr", "ml_v")  # fmt: skip
_QUALITY = ("chi2", "n_bands", "n_bands_snr3", "rhat", "n_effective", "sampler")
_PERCENTILES = (16, 50, 84)


def duplicate_images(galaxy: Sequence[str], system: Sequence[str], snr: Array) -> Array:
    """Tell the clumps of multiple images that are not kept for statistics.

    Parameters
    ----------
    galaxy, system : (n,) sequences of str
        Image and system of every clump.
    snr : (n,) array
        Signal-to-noise of every clump.

    Returns
    -------
    (n,) bool array
        False for the image of each system with the largest quadratic sum of signal-to-noise.
    """
    galaxy, system = np.asarray(galaxy).astype(str), np.asarray(system).astype(str)
    power = np.nan_to_num(np.asarray(snr, dtype=float)) ** 2
    totals = {name: power[galaxy == name].sum() for name in np.unique(galaxy)}
    best = {}
    for image, name in sorted(set(zip(galaxy, system, strict=True))):
        if name not in best or totals[image] > totals[best[name]]:
            best[name] = image
    return np.array([best[s] != g for g, s in zip(galaxy, system, strict=True)], dtype=bool)


def _percentile_columns(name: str, draws: Array) -> dict[str, Array]:
    values = np.percentile(draws, _PERCENTILES, axis=1)
    return {f"{name}_p{p}": row for p, row in zip(_PERCENTILES, values, strict=True)}


def _value_columns(name: str, value: Array, draws: Array) -> dict[str, Array]:
    below, above = sided_errors(value, draws)
    return {name: value, f"{name}_err_lo": below, f"{name}_err_hi": above}


def _at_redshifts(z: Array, wanted: Array, rng: np.random.Generator) -> Array:
    """Indices (n_draws,) of samples at the redshifts `wanted` (n_draws,); `z` (n_samples,) are those of the samples."""
    values, group = np.unique(np.asarray(z, dtype=float), return_inverse=True)
    order = np.argsort(group, kind="stable")
    count = np.bincount(group)
    nearest = np.abs(wanted[:, None] - values).argmin(axis=1)
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    return order[first[nearest] + rng.integers(count[nearest])]


def _posterior_draws(
    sed: Table, samples: Mapping[str, Mapping[str, Array]], seed: int, z_draws: Array | None = None
) -> dict[str, Array]:
    """Joint draws of the magnification-dependent quantities, (n_clumps, n_draws) each.

    Where posterior and lens are mixtures over an uncertain redshift, draws are those at the lens's `z_draws`.
    """
    names = [name for name in (*_PER_MAGNIFICATION, "m_v_ab") if f"{name}_p50" in sed.colnames]
    draws = {name: np.full((len(sed), _N_DRAWS), np.nan) for name in names}
    for row, clump in enumerate(sed["id"]):
        rng = generator(seed, "catalogue", clump)
        posterior = samples.get(str(clump))
        if (
            posterior is not None
            and z_draws is not None
            and "z" in posterior
            and np.isfinite(z_draws[row]).all()
        ):
            picked = _at_redshifts(posterior["z"], z_draws[row], rng)
        elif posterior is not None:
            picked = rng.integers(len(posterior["log_mass"]), size=_N_DRAWS)
        normal = rng.normal(size=_N_DRAWS)
        for name in names:
            if posterior is not None:
                draws[name][row] = posterior[name][picked]
            else:
                low, middle, high = (float(sed[f"{name}_p{p}"][row]) for p in _PERCENTILES)
                draws[name][row] = sided_draws(low, middle, high, normal)
    return draws


def _stacked(tables: Sequence[Table]) -> Table:
    filled = [table for table in tables if len(table)] or list(tables[:1])
    return vstack(filled, join_type="outer", metadata_conflicts="silent")


def _as_wide(tables: Sequence[Table]) -> list[Table]:
    """Magnification tables with as many samples each: where there are fewer they are repeated."""
    n = max(np.asarray(table["mu_samples"]).shape[1] for table in tables)
    wide = []
    for table in tables:
        columns = np.arange(n) % np.asarray(table["mu_samples"]).shape[1]
        names = [name for name in table.colnames if name.endswith("_samples")]
        wide.append(table.copy())
        for name in names if columns[-1] < n - 1 else ():
            wide[-1].replace_column(name, np.asarray(table[name])[:, columns])
    return wide


def _rows_of(names: Sequence[str], table: Table, where: str) -> Array:
    index = {str(name): row for row, name in enumerate(table["id"])}
    missing = [str(name) for name in names if str(name) not in index]
    if missing:
        raise InputError(where, f"no row for {missing[0]!r}", "one for every clump of the photometry")
    return np.array([index[str(name)] for name in names], dtype=int)


def _with_mass(normal: Array, clumps: Table, draws: dict[str, Array]) -> Array:
    """Standard normal draws of the profile that agree with those of the mass: wings hold light and make wide."""
    if "log_mass" not in draws:
        return normal
    names = [f"flux_{name}" for name in clumps["filter_ref"]]
    relative = np.array(
        [row[f"{name}_common_njy"][-1] / row[f"{name}_njy"] for name, row in zip(names, clumps, strict=True)],
        dtype=float,
    ).reshape(-1, 1)
    masses = draws["log_mass"]
    spread = masses.std(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip(np.nan_to_num(relative / (np.log(10.0) * spread)), 0.0, 1.0)
        standard = np.nan_to_num((masses - masses.mean(axis=1, keepdims=True)) / spread)
    # Two normal numbers of which one is part of the other.
    return share * standard + np.sqrt(1.0 - share**2) * normal


def assemble(
    galaxies: Table,
    photometry: Sequence[Table],
    magnification: Sequence[Table],
    sed: Table,
    samples: Mapping[str, Mapping[str, Array]],
    psf: Table | None = None,
    hosts: Table | None = None,
    min_sigma_px: float = 0.4,
    sizes_by: str = "lens",
    ellipticity: float = 0.1,
    profiles: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Table:
    """Put the stages together.

    Parameters
    ----------
    galaxies : Table
        Selected galaxies: id, system, z.
    photometry, magnification : sequences of Table
        One of each a galaxy, rows in the same order.
    sed : Table
        Percentiles of the reference SFH, observed (not divided by the magnification), by id.
    samples : mapping
        Clump id -> name -> posterior samples; a clump that is missing is drawn from its percentiles.
    psf : Table, optional
        filter and fwhm_arcsec; needed where there are shapes.
    hosts : Table, optional
        id, log_mass_p50, log_sfr100_p50: intrinsic.
    min_sigma_px : float
        Smallest resolved standard deviation.
    sizes_by : {"lens", "paper"}
        Sizes of `clumpscope.lensing.clumps.sizes.round_sizes`, or of `axis_sizes`.
    ellipticity : float
    profiles : mapping of str to float, optional
        Of `round_sizes`.
    seed : int
        Of the draws that combine errors.

    Returns
    -------
    Table
        One row a clump, in the order of galaxies and their clumps; columns in the order of the product contract.

    Raises
    ------
    InputError
        If a clump has no magnification, no row in `sed`, or belongs to no known galaxy.

    Notes
    -----
    Distributions are combined draw by draw: the posterior of the fit, divided by the magnification's samples. Of a galaxy
    with several redshifts (`z_samples` of the magnification, ``z`` of the posterior) both, and the scale in the source
    plane, are drawn at the same one.
    """
    clumps, lensed = _stacked(photometry), _stacked(_as_wide(magnification))
    if [str(name) for name in clumps["id"]] != [str(name) for name in lensed["id"]]:
        raise InputError(
            "magnification tables", "other clumps than the photometry's", "the same ids in the same order"
        )
    sed = sed[_rows_of(clumps["id"], sed, "SED table")]
    hosts_at = _rows_of(clumps["galaxy"], galaxies, "galaxies")
    columns: dict[str, Any] = {
        "id": clumps["id"],
        "galaxy": clumps["galaxy"],
        "system": galaxies["system"][hosts_at],
        "ra": clumps["ra"],
        "dec": clumps["dec"],
    }
    shaped = "sigma_x_px" in clumps.colnames
    columns |= {name: clumps[name] for name in ("x", "y") if shaped}
    redshift = np.asarray(clumps["z"] if "z" in clumps.colnames else galaxies["z"][hosts_at], dtype=float)
    columns["z"], uncertain = redshift, np.zeros(len(clumps), dtype=bool)
    if {"z_lo", "z_hi"} <= set(galaxies.colnames):
        columns |= {name: np.asarray(galaxies[name], dtype=float)[hosts_at] for name in ("z_lo", "z_hi")}
        columns["z_spec"] = (columns["z_lo"] == redshift) & (columns["z_hi"] == redshift)
        uncertain = columns["z_lo"] < columns["z_hi"]
    kept = ("filter_ref", "pixel_scale_arcsec", "sigma_x_px", "sigma_x_px_err", "sigma_y_px", "sigma_y_px_err",
            "theta_deg", "theta_deg_err", "sigma_limit_px", "snr")  # fmt: skip
    columns |= {name: clumps[name] for name in kept if name in clumps.colnames}
    columns |= {name: clumps[name] for name in clumps.colnames if name.startswith("flux_")}
    lens_columns = [f"{name}{end}" for name in ("mu", "mu_t", "mu_r") for end in ("", "_err_lo", "_err_hi")]
    by_model = ("mu_err_sys", "mu_t_err_sys", "mu_r_err_sys", "mu_models")
    lens_columns += [name for name in by_model if name in lensed.colnames]
    columns |= {name: np.asarray(lensed[name], dtype=float) for name in lens_columns}

    n_lens = np.asarray(lensed["mu_samples"]).shape[1]
    shape = (len(clumps), _N_DRAWS)
    picked = np.empty(shape, dtype=int)
    for row, clump in enumerate(clumps["id"]):
        picked[row] = generator(seed, "catalogue-mu", clump).integers(n_lens, size=_N_DRAWS)
    mu_draws, mu_t_draws = (
        np.take_along_axis(np.asarray(lensed[name], dtype=float), picked, axis=1)
        for name in ("mu_samples", "mu_t_samples")
    )
    z_draws = None
    if "z_samples" in lensed.colnames:  # empty for galaxies whose redshift is certain
        z_samples = np.ma.filled(np.ma.asarray(lensed["z_samples"], dtype=float), np.nan)
        z_draws = np.take_along_axis(z_samples, picked, axis=1)
        uncertain = uncertain & ~np.isfinite(z_draws).all(axis=1)
    draws = _posterior_draws(sed, samples, seed, z_draws)
    if shaped:
        width = {str(name): float(w) for name, w in zip(psf["filter"], psf["fwhm_arcsec"], strict=True)}
        psf_fwhm = np.array([width[str(name)] for name in clumps["filter_ref"]])
        normal, by_profile = np.empty(shape), np.empty(shape)
        for row, clump in enumerate(clumps["id"]):
            rng = generator(seed, "catalogue-size", clump)
            normal[row], by_profile[row] = rng.normal(size=(2, _N_DRAWS))
        if sizes_by == "lens":
            sizes = round_sizes(
                clumps, lensed, picked, ndtr(normal), _with_mass(by_profile, clumps, draws), redshift, psf_fwhm,
                min_sigma_px, ellipticity, profiles,
            )  # fmt: skip
        else:
            sizes = axis_sizes(
                clumps, columns["mu"], columns["mu_t"], mu_draws, mu_t_draws, normal, redshift,
                np.asarray(clumps["pixel_scale_arcsec"], dtype=float), psf_fwhm, min_sigma_px,
            )  # fmt: skip
        if z_draws is not None:
            scale = pc_per_arcsec(np.where(np.isfinite(z_draws), z_draws, redshift[:, None]))
            sizes = sizes._replace(draws_pc=sizes.draws_pc * scale / pc_per_arcsec(redshift[:, None]))
        columns |= _value_columns("r_eff_pc", sizes.r_eff_pc, sizes.draws_pc)
        columns |= {"r_eff_limit": sizes.limit, "class": sizes.kind}
    if "distance_kpc" in lensed.colnames:
        names = ("distance_kpc", "distance_kpc_err_lo", "distance_kpc_err_hi", "central")
        columns |= {name: lensed[name] for name in names}

    flags = np.bitwise_or.reduce(
        [np.asarray(table["flags"], dtype=np.int64) for table in (clumps, lensed, sed)]
    )
    if shaped:
        # The lens may tell a size where the image alone does not, and the other way round.
        flags = np.where(sizes.limit, flags | bit("unresolved"), flags & ~bit("unresolved"))
    repeated = duplicate_images(columns["galaxy"], columns["system"], clumps["snr"])
    flags = flags | np.where(repeated, bit("duplicate_image"), 0) | np.where(uncertain, bit("z_as_given"), 0)
    if hosts is not None:
        known = {str(name): row for row, name in enumerate(hosts["id"])}
        rows = [known.get(str(name), -1) for name in clumps["galaxy"]]
        for name in ("log_mass", "log_sfr100"):
            values = np.append(np.asarray(hosts[f"{name}_p50"], dtype=float), np.nan)
            columns[f"host_{name}"] = values[rows]
        flags = flags | np.where(np.isfinite(columns["host_log_mass"]), 0, bit("no_host"))
    columns["flags"] = flags

    log_mu = np.log10(mu_draws)
    for name in _POSTERIOR:
        if name in draws:
            columns |= _percentile_columns(name, draws[name] - log_mu)
        else:
            columns |= {
                f"{name}_p{p}": sed[f"{name}_p{p}"] for p in _PERCENTILES if f"{name}_p{p}" in sed.colnames
            }
    if shaped:
        # Sigma = M / (2 pi R_eff^2): the magnification cancels draw by draw where both axes are resolved.
        log_area = np.log10(2.0 * np.pi) + 2.0 * np.log10(sizes.draws_pc)
        columns |= _percentile_columns("log_sigma_mass", draws["log_mass"] - log_mu - log_area)
        if "log_sfr10" in draws:  # a grid of bursts has no rates
            columns |= _percentile_columns("log_sigma_sfr", draws["log_sfr10"] - log_mu - log_area + 6.0)
    if "m_v_ab" in draws:
        intrinsic = draws["m_v_ab"] + 2.5 * log_mu
        columns |= _value_columns("m_v_ab", np.median(intrinsic, axis=1), intrinsic)
    columns |= {name: sed[name] for name in _QUALITY if name in sed.colnames}

    columns["flag_names"] = [" ".join(describe(mask)) for mask in flags]
    return Table(columns)
