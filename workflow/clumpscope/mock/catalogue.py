"""The tables a user of the mock field would have: galaxies, stars, edits."""

from collections.abc import Sequence

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS

from ..filters import get_filter
from ..randomness import generator
from .images import sky_position, smooth_flux
from .lens import Z_LENS
from .scene import Scene, nircam_filters
from .sources import GalaxyImage
from .spectra import HST_FILTERS, MEMBER_METALLICITY, member_population, reddening_mag

__all__ = ["edits_table", "galaxy_catalogue", "star_table"]

_BANDS = (*nircam_filters(), *HST_FILTERS)
_FLUX_ERROR = 0.03  # relative
_HST_LIMIT_AB = 29.0  # C25 section 2.1
_TOTAL_OVER_DEPTH = 3.0  # noise of total photometry over the PSF aperture's
_RADIUS_MARGIN_ARCSEC = 0.4
_N_MEMBERS = 2


def galaxy_catalogue(scene: Scene, wcs: WCS) -> Table:
    """Positions, redshifts with errors, noisy total fluxes in 27 bands of the galaxies and of two cluster members."""
    rng = generator(scene.seed, "mock", "catalogue")
    rows = []
    for number, galaxy in enumerate(scene.galaxies):
        known = scene.redshifts[number]
        for image, total in zip(galaxy.images, smooth_flux(scene, number, _BANDS), strict=True):
            total, reach = _add_clumps(scene, image, total)
            radius = reach + _RADIUS_MARGIN_ARCSEC
            row = _row(scene, wcs, image, image.id, known.z, known.error, galaxy.system, radius)
            rows.append(row | _noisy(rng, total))
    for member in [m for m in scene.members if m.name.startswith("M")][:_N_MEMBERS]:
        colours = member_population(MEMBER_METALLICITY).flux_per_msun(_BANDS, Z_LENS)
        total = colours / colours[_BANDS.index("F150W")] * 10 ** (-0.4 * (member.mag - 31.4))
        row = _row(scene, wcs, member, member.name, Z_LENS, 0.0, member.name, 2 * member.r_eff_arcsec)
        rows.append(row | _noisy(rng, total))
    table = Table(rows)
    for name in table.colnames:
        if name[:2] in ("f_", "e_"):
            table[name].unit = "nJy"
    table["ra"].unit = table["dec"].unit = "deg"
    table["radius_arcsec"].unit = "arcsec"
    return table


def _add_clumps(scene: Scene, image: GalaxyImage, total: np.ndarray) -> tuple[np.ndarray, float]:
    """Flux with the clumps of a galaxy image, and the distance [arcsec] of the farthest."""
    reach = 0.0
    for clump, light in zip(scene.clumps, scene.clump_light, strict=True):
        for owner, x, y, pattern in clump.images:
            if owner is image:
                total = total + np.array([light.flux_njy[name] for name in _BANDS]) * pattern.magnification
                reach = max(reach, float(np.hypot(x - image.x, y - image.y)))
    return total, reach


def _row(scene, wcs, place, label: str, z: float, width: float, system: str, radius_arcsec: float) -> dict:
    ra, dec = sky_position(place, scene, wcs)
    return {
        "id": label,
        "ra": ra,
        "dec": dec,
        "z": z,
        "z_lo": z - width,
        "z_hi": z + width,
        "z_spec": width == 0.0,
        "system": system,
        "radius_arcsec": round(radius_arcsec, 2),
    }


def _noisy(rng: np.random.Generator, total_njy: Sequence[float]) -> dict[str, float]:
    """Dim by Galactic reddening and add the errors of total photometry."""
    flux = np.asarray(total_njy) * 10 ** (-0.4 * np.array([reddening_mag(name) for name in _BANDS]))
    limits = [get_filter(name).mag_limit_ab for name in _BANDS]
    limits = np.where(np.isfinite(limits), limits, _HST_LIMIT_AB)
    error = np.hypot(_FLUX_ERROR * flux, _TOTAL_OVER_DEPTH / 5.0 * 10 ** (-0.4 * (limits - 31.4)))
    flux = flux + error * rng.normal(size=len(_BANDS))
    columns = {}
    for name, value, width in zip(_BANDS, flux, error, strict=True):
        columns[f"f_{name}"], columns[f"e_{name}"] = float(value), float(width)
    return columns


def star_table(scene: Scene, wcs: WCS) -> Table:
    """Stars of the field, saturated ones among them."""
    sky = [sky_position(star, scene, wcs) for star in scene.stars]
    return Table(
        {
            "id": [star.id for star in scene.stars],
            "ra": [ra for ra, _ in sky],
            "dec": [dec for _, dec in sky],
            "mag_f150w": [round(star.mag, 3) for star in scene.stars],
        },
        units={"ra": "deg", "dec": "deg", "mag_f150w": "mag"},
    )


def edits_table(truth: Table) -> Table:
    """A person's edit: the faintest clump of the measured galaxies is added by hand."""
    row = truth[int(np.argmin(truth["snr_ref"]))]
    return Table(
        {
            "galaxy": [row["galaxy"]],
            "action": ["add"],
            "ra": [row["ra"]],
            "dec": [row["dec"]],
            "comment": ["faint, seen in the colour image"],
        },
        units={"ra": "deg", "dec": "deg"},
    )
