"""The truth about a mock field, in the words of the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS

from ..cosmology import pc_per_arcsec
from ..filters import get_filter
from .clumps import distance_kpc
from .images import Mosaics, sky_position, to_pixel
from .optics import OVERSAMPLING, PIXEL_SCALE_ARCSEC, encircled_energy
from .scene import Light, Scene
from .spectra import reddening_mag

__all__ = ["Drawn", "clump_truth", "galaxy_truth"]

_APERTURE_ARCSEC = 0.4  # of C25's flux normalisation
_HALF_LIGHT = np.sqrt(2 * np.log(2))  # of a Gaussian, over its standard deviation
_RESOLVED_PX = 0.4
_UNITS = {"ra": "deg", "dec": "deg", "x": "pix", "y": "pix", "r_eff_pc": "pc", "distance_kpc": "kpc", "centre_kpc": "kpc",
          "separation_arcsec": "arcsec", "pixel_scale_arcsec": "arcsec", "m_v_ab": "mag"}  # fmt: skip


@dataclass
class Drawn:
    """What is noted of images while they are drawn, so that they need not be kept.

    Attributes
    ----------
    psf : list of dict
        Rows of truth/psf.ecsv.
    share : dict of (clump index, image index, filter) to float
        Share of a point source's flux inside 0.4 arcsec there.
    aperture_share, host_snr
        See `clumpscope.mock.images.Mosaics`.
    """

    psf: list[Mapping[str, Any]] = field(default_factory=list)
    share: dict[tuple[int, int, str], float] = field(default_factory=dict)
    aperture_share: dict[tuple[int, int, str], float] = field(default_factory=dict)
    host_snr: dict[tuple[int, int, str], float] = field(default_factory=dict)

    def add(self, other: "Drawn") -> None:
        """Keep what was noted of other filters."""
        self.psf += other.psf
        self.share |= other.share
        self.aperture_share |= other.aperture_share
        self.host_snr |= other.host_snr

    def note(self, mosaic: Mosaics) -> None:
        """Keep what the truth needs of these filters."""
        self.aperture_share |= mosaic.aperture_share
        self.host_snr |= mosaic.host_snr
        pitch = mosaic.scale / OVERSAMPLING
        for name in mosaic.filters:
            inside = [
                [encircled_energy(psf, radius / pitch) for psf in mosaic.node_psfs[name]]
                for radius in (_APERTURE_ARCSEC, get_filter(name).psf_fwhm_arcsec)
            ]
            middle = len(mosaic.widths.nodes) // 2
            self.psf.append(
                {
                    "filter": name,
                    "pixel_scale_arcsec": mosaic.scale,
                    "fwhm_arcsec": get_filter(name).psf_fwhm_arcsec,
                    "share_0p4": inside[0][middle],
                    "share_fwhm": inside[1][middle],
                    "reddening_mag": reddening_mag(name),
                }
            )
            for number, clump in enumerate(mosaic.scene.clumps):
                for index, (_, _, _, pattern) in enumerate(clump.images):
                    weights = mosaic.widths.weights(*pattern.centroid)
                    self.share[number, index, name] = float(np.dot(weights, inside[0]))


def clump_truth(scene: Scene, drawn: Drawn, galaxies: Table, wcs: WCS) -> Table:
    """One row an image of a clump: where it is, how large and bright, and what it is made of.

    Parameters
    ----------
    scene : Scene
    drawn : Drawn
        Of all its mosaics.
    galaxies : Table
        Of `galaxy_truth`.
    wcs : astropy.wcs.WCS
        Of the 0.02 arcsec grid.
    """
    point = {row["filter"]: row["share_fwhm"] / row["share_0p4"] for row in drawn.psf}
    hosts = {row["id"]: row for row in galaxies}
    separations = _separations(scene)
    rows = []
    for number, (clump, light) in enumerate(zip(scene.clumps, scene.clump_light, strict=True)):
        reference = scene.filter_ref(clump.galaxy)
        own = _own_quantities(clump.r_eff_pc, light)
        known = scene.redshifts[scene.galaxies.index(clump.galaxy)]
        seen: list[str] = []
        for index, (image, _, _, pattern) in enumerate(clump.images):
            seen.append(image.id)
            host = hosts[image.id]
            source = np.hypot(clump.x - host["barycentre_x_arcsec"], clump.y - host["barycentre_y_arcsec"])
            observed = {
                name: light.flux_njy[name] * pattern.magnification * 10 ** (-0.4 * reddening_mag(name))
                for name in scene.filters
            }
            limit = 10 ** (-0.4 * (get_filter(reference).mag_limit_ab - 31.4))
            # The depth is 5 sigma of the aperture for a point source counted inside 0.4 arcsec.
            share = drawn.aperture_share[number, index, reference] / point[reference]
            repeat = "bcdefg"[seen.count(image.id) - 2] if seen.count(image.id) > 1 else ""
            rows.append(
                {
                    "id": f"{image.id}_{number:03d}{repeat}",
                    "galaxy": image.id,
                    "system": clump.galaxy.system,
                    "clump": f"C{number:03d}",
                    "z": clump.galaxy.z,
                    "z_type": "phot" if known.error else "spec",
                    "filter_ref": reference,
                    "profile": clump.profile,
                    **_geometry(scene, clump, pattern, reference, wcs),
                    "snr_ref": float(5.0 * observed[reference] * share / limit),
                    "separation_arcsec": separations[number, index],
                    "distance_kpc": float(source * pc_per_arcsec(clump.galaxy.z) / 1e3),
                    "centre_kpc": distance_kpc(clump.galaxy, (clump.x, clump.y)),
                    "central": False,
                    **own,
                    "host_log_mass": host["log_mass"],
                    "host_log_sfr100": host["log_sfr100"],
                    **{
                        f"flux_{name}_njy": float(value * drawn.share[number, index, name])
                        for name, value in observed.items()
                    },
                    **{f"host_snr_{name}": drawn.host_snr[number, index, name] for name in scene.filters},
                }
            )
    table = Table(rows)
    for galaxy in set(table["galaxy"]):
        own_rows = np.flatnonzero(table["galaxy"] == galaxy)
        table["central"][own_rows[np.argmin(table["distance_kpc"][own_rows])]] = True
    for name, unit in _UNITS.items():
        table[name].unit = unit
    table.meta["comments"] = [
        "Truth of the mock field; names and meanings are those of the catalogue. Pixels are those of the reference filter.",
        "sigma: of the Gaussian with the clump's half-light radius, after lensing, before the PSF.",
        "flux: observed, the share of a point source inside 0.4 arcsec of the PSF at that place, dimmed by Galactic reddening.",
        "mu: image flux over source flux; mu_point: at the centroid. Masses, rates and m_v_ab are intrinsic.",
        "distance: from the barycentre of light, as the catalogue has it; centre_kpc: from the centre of the disc.",
        "snr_ref: flux in a circle of radius one PSF FWHM over its noise. separation: to the nearest other clump image, star",
        "or cluster galaxy. host_snr: smooth light in the pixel under the clump over the noise of the sky there.",
    ]  # fmt: skip
    return table


def _own_quantities(r_eff_pc: float, light: Light) -> dict[str, float]:
    """What a clump is, whatever the lens does to its images."""
    population, formed = light.population, light.log_mass_formed
    log_area_pc2 = np.log10(2 * np.pi) + 2 * np.log10(r_eff_pc)
    mass = formed + np.log10(population.fraction_left())
    sfr10, sfr100 = (
        _log_rate(formed, population.fraction_formed_since(years), years) for years in (1e7, 1e8)
    )
    m_v = population.v_magnitude_ab() - 2.5 * formed
    values = {
        "r_eff_pc": r_eff_pc,
        "log_mass_formed": formed,
        "log_mass": mass,
        "log_age_yr": population.log_age_yr,
        "log_age_mw_yr": population.log_age_mw_yr,
        "log_tau_yr": population.log_tau_yr,
        "log_sfr10": sfr10,
        "log_sfr100": sfr100,
        "a_v": population.a_v,
        "log_z_zsun": population.log_z_zsun,
        "log_u": population.log_u,
        "log_sigma_mass": mass - log_area_pc2,
        "log_sigma_sfr": sfr10 - log_area_pc2 + 6.0,
        "m_v_ab": m_v,
        "ml_v": 10 ** (mass + 0.4 * (m_v - _SUN_V_AB)),
    }
    return {name: float(value) for name, value in values.items()}


_SUN_V_AB = 4.80  # Willmer (2018, ApJS 236, 47)
_LEAST_LOG_RATE = -30.0


def _log_rate(log_mass: float, fraction: float, years: float) -> float:
    return float(log_mass + max(np.log10(max(fraction, 1e-300)) - np.log10(years), _LEAST_LOG_RATE))


def _geometry(scene: Scene, clump, pattern, reference: str, wcs: WCS) -> dict[str, object]:
    """Place, shape and magnification of an image of a clump."""
    z, centre = clump.galaxy.z, pattern.centroid
    band = get_filter(reference)
    scale = PIXEL_SCALE_ARCSEC[band.channel]
    x, y = map(np.asarray, centre)
    mu, mu_t, mu_r = (float(v) for v in scene.lens.magnification(x, y, z))
    _, shrink, axes = np.linalg.svd(scene.lens.jacobian(x, y, z))
    minor, major = clump.r_eff_pc / pc_per_arcsec(z) / _HALF_LIGHT / scale / shrink
    x, y = (float(to_pixel(p, scene.size_arcsec, scale)) for p in centre)
    fine = (float(to_pixel(p, scene.size_arcsec, PIXEL_SCALE_ARCSEC["sw"])) for p in centre)
    ra, dec = (float(p) for p in wcs.all_pix2world(*fine, 0))
    # C25 section 5.1, by the shape that a perfect fit would find.
    sizes = [sigma for sigma in (major, minor) if sigma >= _RESOLVED_PX]
    width = 2 * _HALF_LIGHT * np.sqrt(np.prod(sizes)) if len(sizes) == 2 else 2 * _HALF_LIGHT * major
    kind = "compact" if width * scale <= band.psf_fwhm_arcsec else "extended"
    return {
        "ra": ra,
        "dec": dec,
        "x": x,
        "y": y,
        "pixel_scale_arcsec": scale,
        "sigma_x_px": float(major),
        "sigma_y_px": float(minor),
        "theta_deg": float(np.rad2deg(np.arctan2(axes[1, 1], axes[1, 0])) % 180.0),
        "class": kind if sizes else "unresolved",
        "mu": pattern.magnification,
        "mu_point": abs(mu),
        "mu_t": abs(mu_t),
        "mu_r": abs(mu_r),
    }


def _separations(scene: Scene) -> dict[tuple[int, int], float]:
    """Distance [arcsec] of every clump image to the nearest other one, star or cluster galaxy."""
    keys = [
        (number, index) for number, clump in enumerate(scene.clumps) for index in range(len(clump.images))
    ]
    places = np.array([scene.clumps[number].images[index][3].centroid for number, index in keys])
    others = [(star.x, star.y) for star in scene.stars]
    others += [(m.x_arcsec, m.y_arcsec) for m in scene.members if m.name != "ICL"]
    every = np.vstack([places, np.array(others).reshape(-1, 2)])
    nearest = {}
    for row, key in enumerate(keys):
        distance = np.hypot(*(every - places[row]).T)
        distance[row] = np.inf
        nearest[key] = float(distance.min())
    return nearest


def galaxy_truth(scene: Scene, wcs: WCS) -> Table:
    """One row an image of a galaxy: what it is, and what the workflow has to make of it."""
    rows = []
    for number, galaxy in enumerate(scene.galaxies):
        own = [clump for clump in scene.clumps if clump.galaxy is galaxy]
        lights = scene.lights(number)
        smooth = len(lights) - len(own)
        formed = np.array([10**light.log_mass_formed for light in lights])
        left = formed * [light.population.fraction_left() for light in lights]
        recent = formed * [light.population.fraction_formed_since(1e8) for light in lights]
        flux = [light.flux_njy[scene.filter_ref(galaxy)] for light in lights]
        barycentre = [
            float(
                np.average([getattr(galaxy, axis)] * smooth + [getattr(c, axis) for c in own], weights=flux)
            )
            for axis in ("x", "y")
        ]
        known = scene.redshifts[number]
        for image, (mu_disc, _) in zip(galaxy.images, scene.smooth_magnifications[number], strict=True):
            ra, dec = sky_position(image, scene, wcs)
            rows.append(
                {
                    "id": image.id,
                    "system": galaxy.system,
                    "ra": ra,
                    "dec": dec,
                    "z": galaxy.z,
                    "z_type": "phot" if known.error else "spec",
                    "z_given": known.z,
                    "z_outlier": known.outlier,
                    "fate": galaxy.fate,
                    "filter_ref": scene.filter_ref(galaxy),
                    "mu": image.mu,
                    "mu_disc": mu_disc,
                    "n_clumps": len(own),
                    "barycentre_x_arcsec": barycentre[0],
                    "barycentre_y_arcsec": barycentre[1],
                    "disc_length_kpc": float(galaxy.length_arcsec * pc_per_arcsec(galaxy.z) / 1e3),
                    "bulge_share": galaxy.bulge,
                    "arms": galaxy.arms,
                    "nucleus": galaxy.nucleus,
                    "log_mass_formed": float(np.log10(formed.sum())),
                    "log_mass": float(np.log10(left.sum())),
                    "log_sfr100": float(np.log10(recent.sum() / 1e8)),
                    "log_ssfr": float(np.log10(recent.sum() / 1e8 / left.sum())),
                    "log_mass_clumps": float(np.log10(left[smooth:].sum())),
                    "log_f_cl": float(np.log10(left[smooth:].sum() / left.sum())),
                    "log_mass_max": float(np.log10(left[smooth:].max())),
                    "log_age_yr": lights[0].population.log_age_yr,
                    "log_age_mw_yr": float(
                        np.log10(
                            np.average(
                                [10**light.population.log_age_mw_yr for light in lights], weights=formed
                            )
                        )
                    ),
                    "a_v": lights[0].population.a_v,
                }
            )
    table = Table(rows)
    table.meta["comments"] = [
        "Truth of the mock galaxies: disc, bulge and clumps together, intrinsic. fate: selected, or the criterion that rejects it.",
        "barycentre: of the light in the reference filter, in the source plane, arcsec West and North of the field's centre.",
        "z_given: what the catalogue says. log_f_cl: mass of all clumps over that of the galaxy. age, a_v: of the disc;",
        "log_age_mw_yr: of all stars, weighted by the mass formed.",
    ]
    return table
