"""What clumps are injected into: a galaxy's cutouts, or real sky without sources."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from astropy.table import Table
from scipy import ndimage

from ..images.coadd import coadd_cutouts
from ..images.cutouts import Cutout
from ..images.depth import Depth, measure_depth
from ..images.detection import detect_clumps
from ..images.mosaic import Mosaic
from ..images.psf import PSF
from ..photometry.galaxy import measure_galaxy

__all__ = ["Target", "background_target"]

Array = np.ndarray
_SIGMA_PER_FWHM = 1.0 / 2.3548


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

    def measure(self, clumps: Table, filters: list[str] | None = None) -> tuple[Table, dict[str, Array]]:
        """Shapes and fluxes, and the clumps' model images, as the workflow fits them."""
        noise = {name: depth.noise for name, depth in self.depths.items()}
        filters = list(self.psfs) if filters is None else filters
        return measure_galaxy(
            self.cutouts, self.psfs, clumps, self.filter_ref, filters, noise, **(self.fit or {})
        )

    def host_light(self, clumps: Table) -> Array:
        """Diffuse light [nJy per pixel] of the reference cutout: mean in a circle of radius one FWHM, without clumps.

        Parameters
        ----------
        clumps : Table
            The galaxy's own.

        Returns
        -------
        (ny, nx) array
            Not negative.
        """
        model = self.measure(clumps, [self.filter_ref])[1][self.filter_ref]
        left = self.reference.data - model
        good = np.isfinite(left)
        half = int(np.ceil(self.fwhm_px))
        circle = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1]) <= self.fwhm_px
        total, count = (
            ndimage.convolve(plane, circle.astype(float), mode="constant")
            for plane in (np.where(good, left, 0.0), good.astype(float))
        )
        return np.maximum(total / np.maximum(count, 1.0), 0.0)

    def conditions(
        self, host: Array, x: Array, y: Array, flux_njy: Array, sigma_px: Array
    ) -> dict[str, Array]:
        """What decides whether clumps are found, in units that different filters and galaxies share.

        Parameters
        ----------
        host : (ny, nx) array
            Of `host_light`.
        x, y : (n,) arrays
            Pixels of the reference cutout.
        flux_njy, sigma_px : (n,) arrays
            In the reference filter; sigma of the round Gaussian of equal area.

        Returns
        -------
        dict of str to (n,) array
            depth_ratio (flux over the filter's point-source limit), width (standard deviation after the PSF over the
            PSF's own), host_njy_arcsec2, host_over_noise (per pixel, over the scatter of sky pixels).
        """
        depth = self.depths[self.filter_ref]
        rows, columns = (
            np.clip(np.rint(v).astype(int), 0, size - 1) for v, size in zip((y, x), host.shape, strict=True)
        )
        light = host[rows, columns]
        return {
            "depth_ratio": flux_njy / depth.flux_limit_njy,
            "width": np.hypot(1.0, sigma_px / (_SIGMA_PER_FWHM * self.fwhm_px)),
            "host_njy_arcsec2": light / self.reference.pixel_scale_arcsec**2,
            "host_over_noise": light / depth.sigma_pixel_njy,
        }


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
