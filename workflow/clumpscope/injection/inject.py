"""Clumps of known flux, size and colours, injected, detected and measured as the real ones are."""

from collections.abc import Mapping, Sequence

import numpy as np
from astropy.table import Table, vstack

from ..errors import InputError
from ..filters import get_filter
from ..randomness import generator
from .environment import hard_places, nucleus
from .positions import choose_positions, share_images
from .render import Renderer
from .target import Target

__all__ = ["MATCH_PX", "clump_colours", "clump_conditions", "inject"]

Array = np.ndarray
MATCH_PX = 2.0
"""A detection this near to an injected clump is that clump (C25 section 3.5 and F22 section 2.4 let centres move by as much)."""
# Injected clumps on one image are this far apart: more than the box of the smooth light and a fit's box together.
_APART_FWHM = 8.0
# Known clumps farther than this from all that are found again [FWHM of the broadest PSF] stay as they were fitted without them. In three
# galaxies nine fluxes in ten then changed by less than 0.02 of their error, one in a hundred by 0.4, a single one by three.
_FAR_FWHM = 2.0
_SNR_OF_COLOURS = 5.0
_SNR_OF_BANDS = 3.0


def clump_colours(photometry: Table, filter_ref: str, filters: Sequence[str]) -> Array:
    """Flux ratios to the reference filter of a galaxy's own clumps.

    Parameters
    ----------
    photometry : Table
        Of `clumpscope.photometry.galaxy.measure_galaxy`.
    filter_ref : str
    filters : sequence of str

    Returns
    -------
    (n, n_filters) array
        Of the clumps with S/N > 5 in the reference filter, not negative; one flat row (equal flux in all) without any.
    """
    good = np.asarray(photometry["snr"]) > _SNR_OF_COLOURS
    flux = np.column_stack([np.asarray(photometry[f"flux_{name}_njy"], float)[good] for name in filters])
    if not len(flux):
        return np.ones((1, len(filters)))
    return np.maximum(np.nan_to_num(flux / flux[:, [list(filters).index(filter_ref)]]), 0.0)


def clump_conditions(target: Target, photometry: Table, fits: Mapping[str, Table] | None = None) -> Table:
    """Conditions of a galaxy's own clumps, to which the completeness of the injected ones is applied.

    Parameters
    ----------
    target : Target
    photometry : Table
        Of the galaxy's clumps.
    fits : mapping of str to Table, optional
        Of `Target.measure`, of these clumps, where they are known already.

    Returns
    -------
    Table
        id, galaxy, filter_ref, flux_njy (reference filter), sigma_px (round, equal area; 0 where unresolved), and the
        columns of `Target.conditions`.
    """
    fits = target.measure(photometry)[1] if fits is None else fits
    cutout = target.reference
    x, y = np.asarray(photometry["x"]) - cutout.x0, np.asarray(photometry["y"]) - cutout.y0
    flux = np.asarray(photometry[f"flux_{target.filter_ref}_njy"], float)
    axes = (np.nan_to_num(np.asarray(photometry[f"sigma_{axis}_px"], float)) for axis in "xy")
    sigma = np.sqrt(np.prod(list(axes), axis=0))
    table = photometry["id", "galaxy", "filter_ref"].copy()
    table["flux_njy"], table["sigma_px"] = flux, sigma
    places = np.column_stack([x, y])
    for name, values in target.conditions(target.host_light(fits), x, y, flux, sigma, places).items():
        table[name] = values
    return table


def inject(
    target: Target,
    clumps: Table,
    n_clumps: int,
    flux_range: tuple[float, float] = (0.3, 30.0),
    sigmas_px: Sequence[float] = (0.0, 1.0, 2.0),
    colours: Array | None = None,
    hard_share: float = 0.0,
    seed: int = 0,
    fits: Mapping[str, Table] | None = None,
) -> Table:
    """Inject clumps into images, a few well-separated ones at a time, and recover them.

    Parameters
    ----------
    target : Target
    clumps : Table
        The clumps that are already there: id, galaxy, ra, dec, x, y [mosaic pixels], flags.
    n_clumps : int
    flux_range : (float, float)
        Of the reference filter's point-source limit; fluxes are spread evenly in their logarithm.
    sigmas_px : sequence of float
        Standard deviations of the round Gaussians [px of the reference filter], shared out evenly.
    colours : (n, n_filters) array, optional
        Flux ratios to the reference filter, one row drawn for every clump; default flat.
    hard_share : float
        As many clumps more, over `n_clumps`, are put on the nucleus, near critical lines and near other clumps, in equal
        parts as far as there are such places.
    seed : int
    fits : mapping of str to Table, optional
        Of `Target.measure`, of `clumps`, where they are known already.

    Returns
    -------
    Table
        One row a clump: what was injected (true_flux_<F>_njy, true_sigma_px, x, y, ...), why there (placed: ``light`` or one
        of `clumpscope.injection.environment.HARD_PLACES`), the conditions
        (`Target.conditions`), and what was found: detected, flux_<F>_njy and errors, sigma_px, snr, n_bands_snr3, flags.

    Raises
    ------
    InputError
        If the range of fluxes is empty or a size negative.

    Notes
    -----
    Positions follow the galaxy's diffuse light (plus the scatter of the sky, so that its outskirts have some), at least
    twice `MATCH_PX` from every clump that is there, removed ones too: a detection within `MATCH_PX` of an injected clump
    is therefore not one that was known. At hard places they keep `MATCH_PX`, and a detection that is nearer to a known
    clump is that one. Clumps farther from the galaxy than its own are not looked for.
    """
    if not 0 < flux_range[0] < flux_range[1] or min(sigmas_px) < 0:
        raise InputError("injection", f"fluxes {flux_range}, sizes {list(sigmas_px)}",
                         "a rising range of positive fluxes, and sizes that are not negative")  # fmt: skip
    rng = generator(seed, "injection", target.name)
    cutout, filters = target.reference, list(target.psfs)
    depth = target.depths[target.filter_ref]
    fits = target.measure(clumps)[1] if fits is None else fits
    own = [target.draw({name: fit[k : k + 1] for name, fit in fits.items()}) for k in range(len(clumps))]
    host = target.host_light(fits)
    there = (
        clumps if target.edits is None else vstack([clumps["x", "y"], target.detect(edited=False)["x", "y"]])
    )
    taken = np.column_stack([there["x"] - cutout.x0, there["y"] - cutout.y0])
    light = host[target.filter_ref]
    weight = np.where(target.member & np.isfinite(cutout.data), light + depth.sigma_pixel_njy, 0.0)
    places = choose_positions(rng, weight, taken, 2.0 * MATCH_PX, n_clumps)
    placed = np.full(len(places), "light", dtype="U8")
    centre = nucleus(light / depth.sigma_pixel_njy, target.member)
    hard = hard_places(light.shape, taken, centre, target.magnification, target.fwhm_px)
    hard = {kind: where & (weight > 0) for kind, where in hard.items() if (where & (weight > 0)).any()}
    for kind, some in zip(
        hard, np.array_split(np.arange(round(hard_share * n_clumps)), max(1, len(hard))), strict=False
    ):
        more = choose_positions(rng, weight * hard[kind], taken, MATCH_PX, some.size)
        places = np.concatenate([places, more])
        placed = np.append(placed, np.full(len(more), kind))
    n = len(places)
    low, high = np.log10(flux_range)
    evenly = (rng.permutation(n) + rng.uniform(size=n)) / max(n, 1)
    flux = depth.flux_limit_njy * 10 ** (low + (high - low) * evenly)
    sigma = np.resize(np.asarray(sigmas_px, dtype=float), n)
    colours = np.ones((1, len(filters))) if colours is None else colours
    fluxes = flux[:, None] * colours[rng.integers(len(colours), size=n)]
    ra, dec = cutout.wcs.pixel_to_world_values(*places.T)

    table = Table({"id": np.array([f"{target.name}_i{k:03d}" for k in range(n)], dtype=str)})
    table["galaxy"] = np.full(n, target.name, dtype=f"U{max(1, len(target.name))}")
    table["filter_ref"] = np.full(n, target.filter_ref)
    table["realisation"] = 0
    table["ra"], table["dec"] = ra, dec
    table["x"], table["y"] = places[:, 0] + cutout.x0, places[:, 1] + cutout.y0
    table["true_flux_njy"], table["true_sigma_px"] = flux, sigma
    table["placed"] = placed
    for name, values in target.conditions(host, *places.T, flux, sigma, taken).items():
        table[name] = values
    table["detected"] = False
    names = [f"flux_{name}{end}_njy" for name in filters for end in ("", "_err")]
    for name in ("flux_njy", "flux_err_njy", "sigma_px", "sigma_limit_px", "snr", *names):
        table[name] = np.nan
    for name, values in zip(filters, fluxes.T, strict=True):
        table[f"true_flux_{name}_njy"] = values
    table["n_bands_snr3"], table["flags"] = 0, np.int64(0)

    renderers = {
        name: Renderer(target.psfs[name].fine, target.psfs[name].oversampling) for name in target.cutouts
    }
    for number, members in enumerate(share_images(places, _APART_FWHM * target.fwhm_px)):
        data = {name: image.data.copy() for name, image in target.cutouts.items()}
        for name, image in target.cutouts.items():
            scale = cutout.pixel_scale_arcsec / image.pixel_scale_arcsec
            for k in members:
                x, y = image.wcs.world_to_pixel_values(ra[k], dec[k])
                renderers[name].add(
                    data[name], float(x), float(y), sigma[k] * scale, fluxes[k, filters.index(name)]
                )
        table["realisation"][members] = number
        _recover(table, members, target.with_data(data), there, clumps, own)
    return table


def _distances(first: Table, second: Table) -> Array:
    """Between all clumps of two tables [px]."""
    return np.hypot(
        *(np.subtract.outer(*(np.asarray(t[axis], float) for t in (first, second))) for axis in "xy")
    )


def _recover(
    table: Table,
    members: Array,
    target: Target,
    known: Table,
    clumps: Table,
    own: Sequence[Mapping[str, Array]],
) -> None:
    """Detect and measure one image with injected clumps; fill their rows.

    `known` are the places of other clumps, `own` the images of the galaxy's.
    """
    found = target.detect()
    if not len(found):
        return
    distance = _distances(table[members], found)
    to_known = _distances(known, found).min(axis=0, initial=np.inf)
    distance[distance > to_known] = np.inf
    nearest = distance.argmin(axis=1)
    matched = distance[np.arange(len(members)), nearest] <= MATCH_PX
    if not matched.any():
        return
    rows, partners = members[matched], nearest[matched]
    reach = (
        _FAR_FWHM * max(psf.fwhm_arcsec for psf in target.psfs.values()) / target.reference.pixel_scale_arcsec
    )
    far = _distances(clumps, found[partners]).min(axis=1) > reach
    data = {
        name: image.data - sum(own[k][name] for k in np.flatnonzero(far) if name in own[k])
        for name, image in target.cutouts.items()
    }
    # Injected ones first, so that they are found again.
    apart = _distances(found, found[partners]).min(axis=1)
    order = np.concatenate([partners, np.setdiff1d(np.flatnonzero(apart <= reach), partners)])
    measured = target.with_data(data).measure(found[order])[0][: len(partners)]
    table["detected"][rows] = True
    for name in measured.colnames:
        if name in table.colnames and (
            name in ("snr", "sigma_limit_px", "flags") or name.startswith("flux_")
        ):
            table[name][rows] = measured[name]
    table["flux_njy"][rows] = measured[f"flux_{target.filter_ref}_njy"]
    table["flux_err_njy"][rows] = measured[f"flux_{target.filter_ref}_err_njy"]
    table["sigma_px"][rows] = np.sqrt(measured["sigma_x_px"] * measured["sigma_y_px"])
    with np.errstate(invalid="ignore"):
        table["n_bands_snr3"][rows] = sum(
            np.asarray(measured[f"flux_{name}_njy"] / measured[f"flux_{name}_err_njy"]) > _SNR_OF_BANDS
            for name in target.psfs
            if get_filter(name).kind == "broad"
        )
