"""Depth of a mosaic from empty apertures, and the noise of its pixels (C25 section 3.4)."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from astropy.io import fits
from astropy.stats import biweight_scale
from astropy.table import Table

from ..errors import InputError
from ..gaussian import FWHM_OF_SIGMA
from ..made_by import write_fits
from ..randomness import generator
from .consistency import POSSIBLE_SCATTER
from .mosaic import Mosaic
from .noise import PairSums, aperture_inflation, pair_sums
from .psf import PSF
from .sky import sky_map, sky_statistics
from .sky_sums import aperture, point_source_fit, share, sums_at

__all__ = ["Depth", "depth_blocks", "depth_table", "measure_depth", "read_depth"]

_log = logging.getLogger(__name__)
_BLOCK_PX = 512
_MAX_BLOCKS = 64
_SKY_CELL_PX = 64
_AB_ZERO_NJY = 31.4
_SOURCE_SIGMA = 3.0
# Pixels farther from the sky [standard deviations] are no noise; those of a Gaussian that are lost do not matter.
_OUTLIER_SIGMA = 5.0
# Apertures side by side in the empty sky, below which their scatter is known to worse than 15 %.
_FEW = 25
# The same of boxes of fits: their scatter is known to 5 %.
_ENOUGH_FITS = 200


@dataclass(frozen=True)
class Depth:
    """Depth and noise of one mosaic.

    Attributes
    ----------
    pixel_scale_arcsec : float
        Pixel side [arcsec].
    n_apertures : int
        Empty apertures measured.
    aperture_radius_arcsec : float
        Their radius: one PSF FWHM.
    sigma_aperture_njy, median_aperture_njy : float
        Robust scatter and median of their fluxes [nJy].
    aperture_fraction : float
        Share of a point source's flux (as the PSF is normalised) that falls in the aperture.
    flux_limit_njy : float
        Point-source limit: ``n_sigma sigma_aperture / aperture_fraction`` [nJy].
    mag_limit_ab : float
        The same as an AB magnitude.
    n_sigma : float
        The factor used.
    sigma_pixel_njy : float
        Robust scatter of single sky pixels [nJy].
    error_scale : float
        True scatter of sky pixels over the error map's; 1 when there is no map.
    correlation_factor : float
        Scatter of the apertures over that of white noise with `sigma_pixel_njy`.
    fit_scale : float
        Scatter of point-source fits at random places of the sky, over their errors from `rho` and `error_scale`: what
        sources too faint to be found, and noise that is not as described, do at the scale of a clump. Photometry
        multiplies `error_scale` by it (`noise`). 1 where it is not asked for, or the sky is too small to tell.
    fit_share_95 : float
        Share of these fits inside 1.96 of the errors so scaled: 0.95 of a Gaussian, less with heavy tails; NaN where the sky is too small.
    rho : (2 max_lag + 1, 2 max_lag + 1) array
        Autocorrelation of the sky pixels, divided by their errors, by lag (dy, dx), 1 in the middle.
    fluxes_njy : (n_apertures,) array
        The aperture fluxes.
    """

    pixel_scale_arcsec: float
    n_apertures: int
    aperture_radius_arcsec: float
    sigma_aperture_njy: float
    median_aperture_njy: float
    aperture_fraction: float
    flux_limit_njy: float
    mag_limit_ab: float
    n_sigma: float
    sigma_pixel_njy: float
    error_scale: float
    correlation_factor: float
    fit_scale: float
    fit_share_95: float
    rho: np.ndarray
    fluxes_njy: np.ndarray

    @property
    def noise(self) -> tuple[np.ndarray, float]:
        """Autocorrelation, and scatter over the error map's, that the errors of fits are made of."""
        return self.rho, self.error_scale * self.fit_scale

    def write(self, path: str | os.PathLike) -> None:
        """Write one filter's depth as FITS: the autocorrelation, the numbers in its header, the fluxes."""
        primary = fits.PrimaryHDU(self.rho)
        for name, (key, comment) in _CARDS.items():
            if np.isfinite(getattr(self, name)):  # headers hold no NaN
                primary.header[key] = (getattr(self, name), comment)
        fluxes = Table({"flux_njy": self.fluxes_njy}, units={"flux_njy": "nJy"})
        write_fits(fits.HDUList([primary, fits.BinTableHDU(fluxes, name="FLUXES")]), path)


def measure_depth(
    mosaic: Mosaic,
    psf: PSF,
    n_apertures: int = 3000,
    n_sigma: float = 5.0,
    core: tuple[float, float, float] | None = None,
    max_lag: int = 16,
    scale_fits: bool = True,
    seed: int = 0,
) -> Depth:
    """Scatter of the flux in empty PSF apertures, and the correlation of the pixels' noise.

    Parameters
    ----------
    mosaic : Mosaic
        Read in blocks of 512 pixels; of a large mosaic, 64 blocks drawn at random.
    psf : PSF
        Its FWHM is the apertures' radius.
    n_apertures : int
        Number of empty positions (C25: 3000); all there are when the image has fewer.
    n_sigma : float
        The limit is this many times the scatter. C25 speak of "the median flux of a PSF aperture"
        in empty sky, which for sky-subtracted images would be zero; we take the usual 5 sigma.
    core : (float, float, float), optional
        RA, Dec [deg] and radius [arcsec] of a region without apertures, the cluster core.
    max_lag : int
        Largest lag of the noise autocorrelation [px]; 16 spans the boxes of clump fits.
    scale_fits : bool
        Whether `fit_scale` may differ from 1.
    seed : int
        Of the positions.

    Raises
    ------
    InputError
        If the image has no empty sky.

    Notes
    -----
    A pixel belongs to a source when the image, smoothed with the PSF's FWHM, exceeds the sky by 3
    of its standard deviations; one more FWHM around is left out. A smooth sky (cells of 64 pixels) is taken off.
    The autocorrelation is that of the sky over its errors, so that deep and shallow parts count alike, without pixels
    beyond 5 standard deviations. The fits of `fit_scale` are of fluxes and a plane in boxes of 9 pixels around empty
    places, whatever else is in the box.
    """
    blocks_read, rng = depth_blocks(mosaic.shape, mosaic.name, seed)
    radius_px = psf.fwhm_arcsec / psf.pixel_scale_arcsec
    weights = aperture(radius_px)
    fit = point_source_fit(psf.kernel)
    sums, blocks, pixels, ratios, fitted = PairSums(max_lag), [], [], [], []
    for block in blocks_read:
        data, error = mosaic.read(*block)
        empty = _empty_sky(data, radius_px, _outside_core(mosaic, block, core))
        sky = np.where(empty, data, np.nan)
        if not empty.any():
            continue
        smooth = sky_map(sky, _SKY_CELL_PX)
        sky, ratio = sky - smooth, (data - smooth) / error
        level, scatter = sky_statistics(ratio[empty])
        ordinary = empty & (np.abs(ratio - level) < _OUTLIER_SIGMA * scatter)
        sums += pair_sums(np.where(ordinary, ratio - level, np.nan), max_lag)
        pixels.append(sky[empty])
        ratios.append(ratio[empty])
        blocks.append(sums_at(sky, empty, weights, rng, n_apertures))
        fitted.append(sums_at(ratio, empty, fit, rng, n_apertures))
    fluxes = share(blocks, n_apertures, rng)
    if fluxes.size < 2:
        raise InputError(
            mosaic.path, f"{fluxes.size} empty positions in {mosaic.name}", "an image with source-free sky",
            "Check the error or weight map and depth.core.",
        )  # fmt: skip
    median, sigma = float(np.median(fluxes)), float(biweight_scale(fluxes))
    pixels = np.concatenate(pixels)
    if pixels.size < _FEW * weights.sum():
        _log.warning(
            "%s (%s): empty sky for %.0f apertures side by side only: depth and noise are uncertain",
            mosaic.path, mosaic.name, pixels.size / weights.sum(),
        )  # fmt: skip
    sigma_pixel = sky_statistics(pixels)[1]
    fraction = float(
        np.interp(psf.fwhm_arcsec, psf.radii_arcsec, psf.encircled_energy) * psf.aperture_correction
    )
    limit = n_sigma * sigma / fraction
    error_scale = sky_statistics(np.concatenate(ratios))[1] if mosaic.error_kind != "none" else 1.0
    if not POSSIBLE_SCATTER[0] <= error_scale <= POSSIBLE_SCATTER[1] and mosaic.error_plane is not None:
        # Before a run only images that are not compressed are asked.
        raise InputError(
            f"{mosaic.error_plane.path} ({mosaic.name})", f"errors over which the sky scatters by {error_scale:.3g}",
            "about 1: standard deviations as `err`, inverse variances as `wht`, in the image's unit",
            "Correct the map, its unit or its key: `err` and `wht` may be exchanged.",
        )  # fmt: skip
    rho = sums.correlation()
    expected = error_scale * aperture_inflation(fit, rho) * float(np.sqrt((fit**2).sum()))
    scale, inside = 1.0, np.nan
    if sum(area for area, _ in fitted) >= _ENOUGH_FITS * fit.size:
        pulls = share(fitted, n_apertures, rng) / expected
        scale = float(biweight_scale(pulls)) if scale_fits else 1.0
        inside = float(np.mean(np.abs(pulls - np.median(pulls)) < 1.96 * scale))
    return Depth(
        mosaic.pixel_scale_arcsec, int(fluxes.size), psf.fwhm_arcsec, sigma, median, fraction, limit,
        float(_AB_ZERO_NJY - 2.5 * np.log10(limit)), n_sigma, sigma_pixel,
        error_scale, sigma / (sigma_pixel * float(np.sqrt((weights**2).sum()))),
        scale, inside, rho, fluxes,
    )  # fmt: skip


def depth_blocks(
    shape: tuple[int, int], name: str, seed: int
) -> tuple[list[tuple[slice, slice]], np.random.Generator]:
    """Rectangles of a mosaic in which its depth is measured, from top to bottom, and the generator that drew them."""
    rng = generator(seed, "depth", name)
    blocks = [
        (slice(y, min(y + _BLOCK_PX, shape[0])), slice(x, min(x + _BLOCK_PX, shape[1])))
        for y in range(0, shape[0], _BLOCK_PX)
        for x in range(0, shape[1], _BLOCK_PX)
    ]
    if len(blocks) <= _MAX_BLOCKS:
        return blocks, rng
    return [blocks[index] for index in np.sort(rng.choice(len(blocks), _MAX_BLOCKS, replace=False))], rng


def _outside_core(mosaic: Mosaic, block, core) -> np.ndarray | bool:
    if core is None:
        return True
    x, y = mosaic.wcs.all_world2pix(core[0], core[1], 0)
    rows = np.arange(block[0].start, block[0].stop)[:, None]
    columns = np.arange(block[1].start, block[1].stop)[None, :]
    return np.hypot(columns - x, rows - y) * mosaic.pixel_scale_arcsec > core[2]


def _empty_sky(data: np.ndarray, fwhm_px: float, allowed: np.ndarray | bool) -> np.ndarray:
    """Tell the pixels that hold sky alone."""
    good = np.isfinite(data)
    if not good.any():
        return good
    filled = np.where(good, data - sky_map(data, _SKY_CELL_PX), 0.0)
    smooth = scipy.ndimage.gaussian_filter(filled, fwhm_px / FWHM_OF_SIGMA)
    level, sigma = sky_statistics(smooth[good])
    source = good & (smooth - level > _SOURCE_SIGMA * sigma)
    near = scipy.ndimage.distance_transform_edt(~source) <= fwhm_px if source.any() else source
    return good & ~near & allowed


# Card and comment of each number of a depth, in the order of its table.
_CARDS = {
    "pixel_scale_arcsec": ("PIXSCALE", "[arcsec] pixel side"),
    "mag_limit_ab": ("MAGLIM", "[mag] point-source limit, AB"),
    "flux_limit_njy": ("FLUXLIM", "[nJy] point-source limit"),
    "n_sigma": ("NSIGMA", "limit over scatter"),
    "sigma_aperture_njy": ("SIGAPER", "[nJy] robust scatter of empty apertures"),
    "median_aperture_njy": ("MEDAPER", "[nJy] median of empty apertures"),
    "aperture_radius_arcsec": ("RAPER", "[arcsec] radius of the apertures"),
    "aperture_fraction": ("FRACTION", "point-source flux inside an aperture"),
    "n_apertures": ("NAPER", "empty apertures"),
    "sigma_pixel_njy": ("SIGPIX", "[nJy] robust scatter of sky pixels"),
    "error_scale": ("ERRSCALE", "true scatter over the error map's"),
    "correlation_factor": ("CORRFACT", "scatter of apertures over white noise"),
    "fit_scale": ("FITSCALE", "scatter of point-source fits over their errors"),
    "fit_share_95": ("FITSHARE", "share of these fits inside 1.96 errors"),
}
_UNITS = {"arcsec": "arcsec", "njy": "nJy", "ab": "mag"}


def depth_table(depths: Mapping[str, Depth]) -> Table:
    """One row a filter, for ``depth.ecsv``."""
    rows = [{"filter": name} | {key: getattr(depth, key) for key in _CARDS} for name, depth in depths.items()]
    table = Table(rows)
    for name in _CARDS:
        unit = _UNITS.get(name.rsplit("_", 1)[-1])
        if unit:
            table[name].unit = unit
    return table


def read_depth(path: str | os.PathLike) -> Depth:
    """Read what `Depth.write` wrote."""
    with fits.open(path, memmap=False) as hdus:
        head = hdus[0].header
        values = {name: head.get(key, np.nan) for name, (key, _) in _CARDS.items()}
        return Depth(
            **values, rho=hdus[0].data.astype(float), fluxes_njy=hdus["FLUXES"].data["flux_njy"].astype(float)
        )
