"""Depth of a mosaic from empty apertures, and the noise of its pixels (C25 section 3.4)."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.stats import biweight_scale
from astropy.table import Table
from scipy import ndimage

from ..errors import InputError
from ..files import replacing
from ..randomness import generator
from .mosaic import Mosaic
from .noise import PairSums, pair_sums
from .psf import PSF
from .sky import sky_map, sky_statistics

__all__ = ["Depth", "depth_table", "measure_depth", "read_depth"]

_log = logging.getLogger(__name__)
_BLOCK_PX = 512
_MAX_BLOCKS = 64
_SKY_CELL_PX = 64
_AB_ZERO_NJY = 31.4
_SOURCE_SIGMA = 3.0
# Apertures side by side in the empty sky, below which their scatter is known to worse than 15 %.
_FEW = 25


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
    rho : (2 max_lag + 1, 2 max_lag + 1) array
        Autocorrelation of the sky pixels by lag (dy, dx), 1 in the middle.
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
    rho: np.ndarray
    fluxes_njy: np.ndarray

    def write(self, path: str | os.PathLike) -> None:
        """Write one filter's depth as FITS: the autocorrelation, the numbers in its header, the fluxes."""
        primary = fits.PrimaryHDU(self.rho)
        for name, (key, comment) in _CARDS.items():
            primary.header[key] = (getattr(self, name), comment)
        fluxes = Table({"flux_njy": self.fluxes_njy}, units={"flux_njy": "nJy"})
        with replacing(path) as temporary:
            fits.HDUList([primary, fits.BinTableHDU(fluxes, name="FLUXES")]).writeto(temporary)


def measure_depth(
    mosaic: Mosaic,
    psf: PSF,
    n_apertures: int = 3000,
    n_sigma: float = 5.0,
    core: tuple[float, float, float] | None = None,
    max_lag: int = 16,
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
    """
    rng = generator(seed, "depth", mosaic.name)
    radius_px = psf.fwhm_arcsec / psf.pixel_scale_arcsec
    weights = _aperture(radius_px)
    sums, blocks, pixels, ratios = PairSums(max_lag), [], [], []
    for block in _choose_blocks(mosaic.shape, rng):
        data, error = mosaic.read(*block)
        empty = _empty_sky(data, radius_px, _outside_core(mosaic, block, core))
        sky = np.where(empty, data, np.nan)
        if not empty.any():
            continue
        sky = sky - sky_map(sky, _SKY_CELL_PX)
        sums += pair_sums(sky, max_lag)
        pixels.append(sky[empty])
        ratios.append(sky[empty] / error[empty])
        blocks.append(_apertures(sky, weights, rng, n_apertures))
    fluxes = _share(blocks, n_apertures, rng)
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
    return Depth(
        mosaic.pixel_scale_arcsec, int(fluxes.size), psf.fwhm_arcsec, sigma, median, fraction, limit,
        float(_AB_ZERO_NJY - 2.5 * np.log10(limit)), n_sigma, sigma_pixel,
        sky_statistics(np.concatenate(ratios))[1] if mosaic.error_kind != "none" else 1.0,
        sigma / (sigma_pixel * float(np.sqrt((weights**2).sum()))), sums.correlation(), fluxes,
    )  # fmt: skip


def _choose_blocks(shape, rng) -> list[tuple[slice, slice]]:
    blocks = [
        (slice(y, min(y + _BLOCK_PX, shape[0])), slice(x, min(x + _BLOCK_PX, shape[1])))
        for y in range(0, shape[0], _BLOCK_PX)
        for x in range(0, shape[1], _BLOCK_PX)
    ]
    if len(blocks) <= _MAX_BLOCKS:
        return blocks
    return [blocks[index] for index in np.sort(rng.choice(len(blocks), _MAX_BLOCKS, replace=False))]


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
    smooth = ndimage.gaussian_filter(filled, fwhm_px / 2.355)
    level, sigma = sky_statistics(smooth[good])
    source = good & (smooth - level > _SOURCE_SIGMA * sigma)
    near = ndimage.distance_transform_edt(~source) <= fwhm_px if source.any() else source
    return good & ~near & allowed


def _aperture(radius_px: float) -> np.ndarray:
    from photutils.geometry import circular_overlap_grid  # photutils takes 0.5 s to import

    half = int(np.ceil(radius_px))
    edge = half + 0.5
    return circular_overlap_grid(-edge, edge, -edge, edge, 2 * half + 1, 2 * half + 1, radius_px, 1, 1)


def _apertures(sky: np.ndarray, weights: np.ndarray, rng, n_wanted: int) -> tuple[int, np.ndarray]:
    """Number of possible positions in a block, and the fluxes at some of them."""
    half = weights.shape[0] // 2
    blank = np.isfinite(sky)
    free = ndimage.binary_erosion(blank, weights > 0)
    rows, columns = np.nonzero(free)
    if rows.size == 0:
        return 0, np.empty(0)
    picked = rng.choice(rows.size, min(n_wanted, rows.size), replace=False)
    offset_y, offset_x = np.nonzero(weights > 0)
    values = sky[rows[picked, None] + offset_y - half, columns[picked, None] + offset_x - half]
    return rows.size, values @ weights[weights > 0]


def _share(blocks: list[tuple[int, np.ndarray]], n_wanted: int, rng) -> np.ndarray:
    """Take from every block in proportion to its empty area."""
    areas = np.array([area for area, _ in blocks], dtype=int)
    if areas.sum() <= n_wanted:
        return np.concatenate([fluxes for _, fluxes in blocks]) if blocks else np.empty(0)
    counts = rng.multivariate_hypergeometric(areas, n_wanted, method="marginals")
    return np.concatenate([fluxes[:count] for (_, fluxes), count in zip(blocks, counts, strict=True)])


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
        values = {name: head[key] for name, (key, _) in _CARDS.items()}
        return Depth(
            **values, rho=hdus[0].data.astype(float), fluxes_njy=hdus["FLUXES"].data["flux_njy"].astype(float)
        )
