"""The truth about a mock field."""

from collections.abc import Mapping

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS

from ..cosmology import pc_per_arcsec
from ..filters import get_filter
from .images import Mosaics, disc_magnification, sky_position, to_pixel
from .optics import OVERSAMPLING, PIXEL_SCALE_ARCSEC, encircled_energy
from .scene import Scene
from .spectra import reddening_mag

__all__ = ["clump_truth", "galaxy_truth", "psf_truth"]


def clump_truth(scene: Scene, mosaics: list[Mosaics], wcs: WCS) -> Table:
    """One row an image of a clump: where it is, how large and bright, and what it is made of.

    Parameters
    ----------
    scene : Scene
    mosaics : list of Mosaics
        Drawn.
    wcs : astropy.wcs.WCS
        Of the 0.02 arcsec grid.
    """
    share = {key: value for mosaic in mosaics for key, value in mosaic.aperture_share.items()}
    rows = []
    for number, (clump, light) in enumerate(zip(scene.clumps, scene.clump_light, strict=True)):
        population, z = light.population, clump.galaxy.z
        reference = scene.filter_ref(clump.galaxy)
        limit = 10 ** (-0.4 * (get_filter(reference).mag_limit_ab - 31.4))
        left = np.log10(population.fraction_left())
        for index, (image, _, _, pattern) in enumerate(clump.images):
            centre = pattern.centroid
            mu, mu_t, mu_r = (float(v) for v in scene.lens.magnification(*map(np.asarray, centre), z))
            jacobian = scene.lens.jacobian(*map(np.asarray, centre), z)
            _, shrink, axes = np.linalg.svd(jacobian)
            sigma_px = (
                clump.r_eff_pc / pc_per_arcsec(z) / np.sqrt(2 * np.log(2)) / PIXEL_SCALE_ARCSEC["sw"] / shrink
            )
            observed = {
                name: light.flux_njy[name] * pattern.magnification * 10 ** (-0.4 * reddening_mag(name))
                for name in scene.filters
            }
            x, y = (float(to_pixel(p, scene.size_arcsec, PIXEL_SCALE_ARCSEC["sw"])) for p in centre)
            ra, dec = (float(p) for p in wcs.all_pix2world(x, y, 0))
            # The depth is 5 sigma of the aperture for a point source counted inside 0.4 arcsec.
            psf = next(mosaic for mosaic in mosaics if reference in mosaic.filters).psfs[reference]
            pitch = PIXEL_SCALE_ARCSEC[get_filter(reference).channel] / OVERSAMPLING
            fwhm, total = (
                encircled_energy(psf, r / pitch) for r in (get_filter(reference).psf_fwhm_arcsec, 0.4)
            )
            snr = 5.0 * observed[reference] * share[number, index, reference] / (limit * fwhm / total)
            rows.append(
                {
                    "id": f"{image.id}_{number:03d}",
                    "galaxy": image.id,
                    "system": clump.galaxy.system,
                    "clump": f"C{number:03d}",
                    "ra": ra,
                    "dec": dec,
                    "x": x,
                    "y": y,
                    "filter_ref": reference,
                    "z": z,
                    "profile": clump.profile,
                    "r_eff_pc": clump.r_eff_pc,
                    "sigma_x_px": float(sigma_px[1]),
                    "sigma_y_px": float(sigma_px[0]),
                    "theta_deg": float(np.rad2deg(np.arctan2(axes[1, 1], axes[1, 0])) % 180.0),
                    "snr_ref": float(snr),
                    "mu": pattern.magnification,
                    "mu_point": abs(mu),
                    "mu_t": abs(mu_t),
                    "mu_r": abs(mu_r),
                    "log_mass_formed": light.log_mass_formed,
                    "log_mass": light.log_mass_formed + left,
                    "log_age_yr": population.log_age_yr,
                    "log_age_mw_yr": population.log_age_mw_yr,
                    "log_tau_yr": population.log_tau_yr,
                    "log_sfr10": _log_rate(light.log_mass_formed, population.fraction_formed_since(1e7), 1e7),
                    "a_v": population.a_v,
                    "log_z_zsun": population.log_z_zsun,
                    "log_u": population.log_u,
                    **{f"flux_{name}_njy": float(value) for name, value in observed.items()},
                }
            )
    table = Table(rows)
    for name, unit in {"ra": "deg", "dec": "deg", "x": "pix", "y": "pix", "r_eff_pc": "pc"}.items():
        table[name].unit = unit
    table.meta["comments"] = [
        "Truth of the mock field. x, y, sigma: pixels of 0.02 arcsec. sigma: of the Gaussian with the clump's half-light",
        "radius, after lensing, before the PSF. flux: total observed flux (out to 1.2 arcsec of the PSF), dimmed by Galactic reddening.",
        "snr_ref: flux in a circle of radius one PSF FWHM over its noise. mu: image flux over source flux; mu_point: at the centroid.",
        "log_mass: living stars and remnants; masses and rates are intrinsic.",
    ]  # fmt: skip
    return table


def _log_rate(log_mass: float, fraction: float, years: float) -> float:
    return float(log_mass + np.log10(max(fraction, 1e-30) / years))


def galaxy_truth(scene: Scene, wcs: WCS) -> Table:
    """One row an image of a galaxy: what it is, and what the workflow has to make of it."""
    rows = []
    for galaxy, disc in zip(scene.galaxies, scene.disc_light, strict=True):
        lights = [
            light
            for clump, light in zip(scene.clumps, scene.clump_light, strict=True)
            if clump.galaxy is galaxy
        ]
        formed = np.array([10**light.log_mass_formed for light in (disc, *lights)])
        left = formed * [light.population.fraction_left() for light in (disc, *lights)]
        recent = formed * [light.population.fraction_formed_since(1e8) for light in (disc, *lights)]
        source_x, source_y = (
            np.average([getattr(galaxy, axis), *(getattr(c, axis) for c in scene.clumps if c.galaxy is galaxy)],
                       weights=[light.flux_njy[scene.filter_ref(galaxy)] for light in (disc, *lights)])
            for axis in ("x", "y")
        )  # fmt: skip
        for image, mu in zip(galaxy.images, disc_magnification(scene.lens, galaxy), strict=True):
            ra, dec = sky_position(image, scene, wcs)
            rows.append(
                {
                    "id": image.id,
                    "system": galaxy.system,
                    "ra": ra,
                    "dec": dec,
                    "z": galaxy.z,
                    "fate": galaxy.fate,
                    "filter_ref": scene.filter_ref(galaxy),
                    "mu": image.mu,
                    "mu_disc": mu,
                    "n_clumps": len(lights),
                    "barycentre_x_arcsec": source_x,
                    "barycentre_y_arcsec": source_y,
                    "disc_length_kpc": galaxy.length_arcsec * pc_per_arcsec(galaxy.z) / 1e3,
                    "log_mass_formed": float(np.log10(formed.sum())),
                    "log_mass": float(np.log10(left.sum())),
                    "log_sfr100": float(np.log10(recent.sum() / 1e8)),
                    "log_mass_clumps": float(np.log10(left[1:].sum())),
                    "log_age_yr": disc.population.log_age_yr,
                    "a_v": disc.population.a_v,
                }
            )
    table = Table(rows)
    table.meta["comments"] = [
        "Truth of the mock galaxies: disc and clumps together, intrinsic. fate: selected, or the criterion that rejects it.",
        "barycentre: of the light in the reference filter, in the source plane, arcsec West and North of the field's centre.",
    ]
    return table


def psf_truth(mosaics: list[Mosaics]) -> Table:
    """FWHM wanted, and share of a point source's flux inside 0.4 arcsec, by filter."""
    rows: list[Mapping[str, object]] = []
    for mosaic in mosaics:
        for name in mosaic.filters:
            pitch = mosaic.scale / OVERSAMPLING
            rows.append(
                {
                    "filter": name,
                    "pixel_scale_arcsec": mosaic.scale,
                    "fwhm_arcsec": get_filter(name).psf_fwhm_arcsec,
                    "share_0p4": encircled_energy(mosaic.psfs[name], 0.4 / pitch),
                    "reddening_mag": reddening_mag(name),
                }
            )
    return Table(rows)
