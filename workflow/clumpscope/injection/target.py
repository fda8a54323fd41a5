"""What clumps are injected into: a galaxy's cutouts, or real sky without sources."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy
from astropy.table import Table

from ..gaussian import FWHM_OF_SIGMA
from ..images.coadd import coadd_cutouts
from ..images.cutouts import Cutout
from ..images.depth import Depth, measure_depth
from ..images.detection import detect_clumps
from ..images.mosaic import Mosaic
from ..images.psf import PSF
from ..photometry.galaxy import draw_clumps, measure_galaxy
from .environment import environments, nucleus

__all__ = ["Target", "background_target"]

Array = np.ndarray


@dataclass(frozen=True)
class Target:
    """Images of one galaxy (or of empty sky), with all that detection and fit need.

    Attributes
    ----------
    name : str
        Identifier of the galaxy.
    ra, dec, radius_arcsec : float
        Centre [deg] and radius.
    filter_ref : str
        Reference filter.
    cutouts, psfs, depths : mappings by filter
        Images [nJy], point-spread functions, noise.
    member : (ny, nx) bool array
        Pixels of the reference cutout on which clumps may be put.
    footprint : (ny, nx) bool array, optional
        As `clumpscope.images.detection.detect_clumps` takes it.
    edits : Table, optional
        A person's corrections to the detection.
    magnification : (ny, nx) array, optional
        At the galaxy's redshift, on the pixels of the reference cutout.
    detection, fit : mappings
        Settings of `detect_clumps` (and ``stack`` of `clumpscope.images.coadd.coadd_cutouts`), and of `measure_galaxy`.
    """

    name: str
    ra: float
    dec: float
    radius_arcsec: float
    filter_ref: str
    cutouts: Mapping[str, Cutout]
    psfs: Mapping[str, PSF]
    depths: Mapping[str, Depth]
    member: Array
    footprint: Array | None = None
    edits: Table | None = None
    magnification: Array | None = None
    detection: Mapping | None = None
    fit: Mapping | None = None

    @property
    def reference(self) -> Cutout:
        """Cutout of the reference filter."""
        return self.cutouts[self.filter_ref]

    @property
    def fwhm_px(self) -> float:
        """FWHM of the PSF in the reference filter [px]."""
        return self.psfs[self.filter_ref].fwhm_arcsec / self.reference.pixel_scale_arcsec

    def with_data(self, data: Mapping[str, Array]) -> "Target":
        """The same with other pixel values."""
        cutouts = {name: replace(cutout, data=data[name]) for name, cutout in self.cutouts.items()}
        return replace(self, cutouts=cutouts)

    def detect(self, edited: bool = True) -> Table:
        """Clumps, as the workflow detects them."""
        depth = self.depths[self.filter_ref]
        settings = dict(self.detection or {})
        image = coadd_cutouts(self.cutouts, self.filter_ref, settings.pop("stack", []))
        return detect_clumps(
            image, self.name, self.ra, self.dec, self.radius_arcsec, self.psfs[self.filter_ref].fwhm_arcsec,
            rho=depth.rho, error_scale=depth.error_scale, footprint=self.footprint,
            edits=self.edits if edited else None, **settings,
        ).table  # fmt: skip

    def measure(self, clumps: Table) -> tuple[Table, dict[str, Table]]:
        """Shapes and fluxes, and the fit of every filter, as the workflow fits them."""
        noise = {name: depth.noise for name, depth in self.depths.items()}
        # What is injected is known to be Gaussian.
        fit = {**(self.fit or {}), "profiles": None}
        return measure_galaxy(self.cutouts, self.psfs, clumps, self.filter_ref, list(self.psfs), noise, **fit)

    def draw(self, fits: Mapping[str, Table]) -> dict[str, Array]:
        """Images of clumps of these fits on every cutout."""
        return draw_clumps(fits, self.cutouts, self.psfs)

    def host_light(self, fits: Mapping[str, Table]) -> dict[str, Array]:
        """Diffuse light [nJy per pixel] of every cutout: mean in a circle of radius one FWHM, without clumps.

        Parameters
        ----------
        fits : mapping of str to Table
            Of `measure`, of the galaxy's own clumps.

        Returns
        -------
        dict of str to (ny, nx) array
            By filter; not negative.
        """
        models = self.draw(fits)
        return {name: self._mean_light(name, models[name]) for name in self.psfs if name in models}

    def _mean_light(self, name: str, model: Array) -> Array:
        cutout = self.cutouts[name]
        left, fwhm_px = cutout.data - model, self.psfs[name].fwhm_arcsec / cutout.pixel_scale_arcsec
        good = np.isfinite(left)
        half = int(np.ceil(fwhm_px))
        circle = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1]) <= fwhm_px
        total, count = (
            scipy.ndimage.convolve(plane, circle.astype(float), mode="constant")
            for plane in (np.where(good, left, 0.0), good.astype(float))
        )
        return np.maximum(total / np.maximum(count, 1.0), 0.0)

    def conditions(
        self, host: Mapping[str, Array], x: Array, y: Array, flux_njy: Array, sigma_px: Array, others: Array
    ) -> dict[str, Array]:
        """What decides whether and how well clumps are measured, in units that different filters and galaxies share.

        Parameters
        ----------
        host : mapping of str to (ny, nx) array
            Of `host_light`.
        x, y : (n,) arrays
            Pixels of the reference cutout.
        flux_njy, sigma_px : (n,) arrays
            In the reference filter; sigma of the round Gaussian of equal area.
        others : (m, 2) array
            x, y of the clumps that are there; a clump itself (distance zero) does not count.

        Returns
        -------
        dict of str to (n,) array
            depth_ratio (flux over the filter's point-source limit), width (standard deviation after the PSF over the
            PSF's own), host_njy_arcsec2, host_over_noise (per pixel, over the scatter of sky pixels; of the reference
            filter), host_snr_<F> (the same of every filter; NaN without coverage), separation_arcsec (to the nearest other
            clump), nucleus_arcsec (to the brightest diffuse light), mu, environment; NaN where there is none.
        """
        depth, scale = self.depths[self.filter_ref], self.reference.pixel_scale_arcsec
        light = _at(host[self.filter_ref], x, y)
        ra, dec = self.reference.wcs.pixel_to_world_values(x, y)
        snr = {f"host_snr_{name}": np.full(np.size(x), np.nan) for name in self.psfs}
        for name, image in host.items():
            there = self.cutouts[name].wcs.world_to_pixel_values(ra, dec)
            snr[f"host_snr_{name}"] = _at(image, *there) / self.depths[name].sigma_pixel_njy
        distance = np.hypot(np.subtract.outer(x, others[:, 0]), np.subtract.outer(y, others[:, 1]))
        apart = np.where(distance > 0, distance, np.inf).min(axis=1, initial=np.inf)
        apart[np.isinf(apart)] = np.nan
        middle = nucleus(host[self.filter_ref] / depth.sigma_pixel_njy, self.member)
        from_middle = np.hypot(x - middle[0], y - middle[1])
        mu = np.full(np.size(x), np.nan) if self.magnification is None else _at(self.magnification, x, y)
        return {
            "depth_ratio": flux_njy / depth.flux_limit_njy,
            "width": np.hypot(1.0, FWHM_OF_SIGMA * sigma_px / self.fwhm_px),
            "host_njy_arcsec2": light / scale**2,
            "host_over_noise": light / depth.sigma_pixel_njy,
            **snr,
            "separation_arcsec": apart * scale,
            "nucleus_arcsec": from_middle * scale,
            "mu": np.abs(mu),
            "environment": environments(apart, from_middle, mu, light / depth.sigma_pixel_njy, self.fwhm_px),
        }


def _at(image: Array, x: Array, y: Array) -> Array:
    """Values of the nearest pixels."""
    rows, columns = (
        np.clip(np.rint(v).astype(int), 0, size - 1) for v, size in zip((y, x), image.shape, strict=True)
    )
    return image[rows, columns]


def background_target(
    mosaics: Mapping[str, Mosaic],
    psfs: Mapping[str, PSF],
    filter_ref: str,
    seed: int = 0,
    detection: Mapping | None = None,
    fit: Mapping | None = None,
) -> Target:
    """Real sky as a target: images of one pixel grid whose sources are NaN.

    Parameters
    ----------
    mosaics, psfs : mappings by filter
    filter_ref : str
        Filter of detection and shapes.
    seed : int
        Of the empty apertures that measure the depths.
    detection, fit : mapping, optional
        Settings other than the defaults.

    Returns
    -------
    Target
        The whole images.
    """
    reference = mosaics[filter_ref]
    height, width = reference.shape
    centre = reference.wcs.all_pix2world((width - 1) / 2, (height - 1) / 2, 0)
    side = (max(height, width) + 1) * reference.pixel_scale_arcsec
    cutouts = {name: mosaic.cutout(*centre, side) for name, mosaic in mosaics.items()}
    depths = {name: measure_depth(mosaic, psfs[name], seed=seed) for name, mosaic in mosaics.items()}
    everywhere = np.ones(cutouts[filter_ref].data.shape, dtype=bool)
    return Target("sky", *map(float, centre), side, filter_ref, cutouts, psfs, depths, everywhere, everywhere,
                  detection=detection, fit=fit)  # fmt: skip
