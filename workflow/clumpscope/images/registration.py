"""Whether the images of a field lie on each other: the places of its galaxies in every filter."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import scipy.ndimage
from astropy.table import Table

from ..filters import get_filter
from .consistency import FEWEST_GALAXIES, MOST_GALAXIES, scatter
from .mosaic import Mosaic

__all__ = ["registration"]

Array = np.ndarray
# Half the side of galaxies' cutouts, and the least offset worth a word.
_REACH_ARCSEC, _OFFSET_ARCSEC = 1.6, 0.06
# The least offset worth a word where there are fewer, and the scatter of offsets at which sources are others that lie nearby.
_OFFSET_FEW_ARCSEC, _OFFSETS_APART_ARCSEC = 0.25, 0.35
# Peak of a cutout over the scatter of its pixels that may be a source, and that is one for certain.
_SEEN, _BRIGHT = 8.0, 20.0
# What is said of galaxies whose images have no place in common.
_LOST = {
    "other": f"its sources are not those of {{}}, nor within {_REACH_ARCSEC} arcsec of them",
    "none": "it shows nothing of what is bright in {}",
}
# Boxes [arcsec] that are compared for light, signal over noise that is expected at least and seen at most where it is missing, and
# the rest-frame wavelength above which galaxies that are seen in redder filters have light.
_SMOOTH_ARCSEC, _SHOULD_SHOW, _SHOWS, _BREAK_ANGSTROM = 0.3, 40.0, 5.0, 4000.0


def registration(mosaics: Sequence[Mosaic], galaxies: Table) -> tuple[list[str], str]:
    """Tell filters whose images lie beside the others'.

    Parameters
    ----------
    mosaics : sequence of Mosaic
    galaxies : Table
        ra, dec [deg] and z; a dozen that show something are looked at.

    Returns
    -------
    doubts : list of str
        One sentence a filter that is more than 0.06 arcsec and three times its error off; measured by the peak of the
        correlation of galaxies' cutouts, it is the median over galaxies. By fewer than three galaxies it is one that is 0.25
        arcsec from the two filters next in wavelength. Further off than the cutouts reach, a filter is told where galaxies are off in all directions, or most have other
        sources, or none where their light in the other filter would show.
    found : str
        How far all other filters are off at most; empty where nothing could be measured.
    """
    if not mosaics:
        return [], ""
    first = _showing(mosaics, galaxies)
    told, sizes, counts, alone = [], [], [], {first.name: np.zeros(2)}
    for mosaic in mosaics:
        if mosaic is first:
            continue
        found = list(_offsets(first, mosaic, galaxies))
        offsets = np.array([offset for offset in found if not isinstance(offset, str)])
        n = len(offsets)
        for kind, text in _LOST.items():
            lost = sum(offset == kind for offset in found if isinstance(offset, str))
            if lost >= FEWEST_GALAXIES and lost > n:
                told.append(_beside(mosaic, f"at {lost} of {len(found)} galaxies {text.format(first.name)}"))
        if 0 < n < FEWEST_GALAXIES:
            alone[mosaic.name] = np.median(offsets, axis=0)
        if n < FEWEST_GALAXIES:
            continue
        middle, spread = np.median(offsets, axis=0), float(np.hypot(*map(scatter, offsets.T)))
        size = float(np.hypot(*middle))
        if size > max(_OFFSET_ARCSEC, 3.0 * spread / np.sqrt(n)):
            told.append(_beside(mosaic, f"sources lie {_said(middle)} from where {first.name} has them, by {n} galaxies"))  # fmt: skip
        elif spread > _OFFSETS_APART_ARCSEC:
            told.append(_beside(mosaic, f"sources lie {spread:.1f} arcsec and more from where {first.name} has them, at {n} galaxies in as many directions"))  # fmt: skip
        else:
            sizes.append(size)
            counts.append(n)
    told += _jumps(mosaics, alone)
    if not sizes:
        return told, ""
    return told, f"images of {len(sizes)} filters lie within {max(sizes):.3f} arcsec of that of {first.name}, by {min(counts)} galaxies and more"  # fmt: skip


def _said(offset: Array) -> str:
    return f"{np.hypot(*offset):.2f} arcsec ({offset[0]:+.2f} East, {offset[1]:+.2f} North)"


def _beside(mosaic: Mosaic, text: str) -> str:
    return (
        f"{mosaic.path} ({mosaic.name}): {text}: is its WCS right, and are the pixels as it says?"
        " Fluxes at other places are not those of the clumps"
    )


def _jumps(mosaics: Sequence[Mosaic], offsets: Mapping[str, Array]) -> list[str]:
    """Tell filters that one or two galaxies have elsewhere than the two filters next in wavelength: a galaxy's colours change from side to side, but not back."""
    known = sorted(
        (mosaic for mosaic in mosaics if mosaic.name in offsets),
        key=lambda own: get_filter(own.name).pivot_angstrom,
    )
    told = []
    for k, mosaic in enumerate(known):
        # Of the first and the last filter, the two next to it.
        low = min(max(k - 1, 0), max(len(known) - 3, 0))
        beside = [other for other in known[low : low + 3] if other is not mosaic]
        away = [offsets[mosaic.name] - offsets[other.name] for other in beside]
        if away and min(np.hypot(*one) for one in away) > _OFFSET_FEW_ARCSEC:
            told.append(_beside(mosaic, f"sources lie {_said(away[0])} from where {beside[0].name} has them, by one galaxy or two"))  # fmt: skip
    return told


def _showing(mosaics: Sequence[Mosaic], galaxies: Table) -> Mosaic:
    """The first image that shows galaxies: one that lies elsewhere, or is too blue for them, tells nothing of the others."""
    shown = []
    for mosaic in mosaics:
        half = round(_REACH_ARCSEC / mosaic.pixel_scale_arcsec)
        seen = (
            _on_sky(mosaic, float(row["ra"]), float(row["dec"]), half, mosaic.pixel_scale_arcsec)
            for row in galaxies[: 4 * MOST_GALAXIES]
        )
        bright = (image is not None and _peak(image) > _BRIGHT * scatter(image) for image in seen)
        shown.append(sum(1 for _ in itertools.islice(filter(None, bright), FEWEST_GALAXIES)))
    return mosaics[int(np.argmax(shown))]


def _peak(image: Array) -> float:
    return float(image.max() - np.median(image))


def _offsets(first: Mosaic, second: Mosaic, galaxies: Table) -> Iterable[tuple[float, float] | str]:
    """Offset East and North [arcsec] of the second image from the first, for every galaxy that shows it; else a key of `_LOST`."""
    step = max(first.pixel_scale_arcsec, second.pixel_scale_arcsec)
    half = round(_REACH_ARCSEC / step)
    window = np.outer(np.hanning(2 * half + 1), np.hanning(2 * half + 1))
    measured = 0
    for row in galaxies:
        if measured == MOST_GALAXIES:
            return
        pair = [
            _on_sky(mosaic, float(row["ra"]), float(row["dec"]), half, step) for mosaic in (first, second)
        ]
        if any(image is None for image in pair):
            continue
        transforms = [
            np.fft.rfft2((image - np.median(image)) * window, s=(4 * half, 4 * half)) for image in pair
        ]
        peaks = np.fft.fftshift(np.fft.irfft2(transforms[1] * transforms[0].conj(), s=(4 * half, 4 * half)))
        y, x = np.unravel_index(np.argmax(peaks), peaks.shape)
        # A peak of noise says nothing of places.
        seen = all(_peak(image) > _SEEN * scatter(image) for image in pair)
        seen &= peaks[y, x] > 6.0 * scatter(peaks)
        if not (seen and 0 < y < 4 * half - 1 and 0 < x < 4 * half - 1):
            if all(_peak(image) > _BRIGHT * scatter(image) for image in pair):
                measured += 1
                yield "other"
            elif _should_show(first, second, pair, step, float(row["z"])):
                measured += 1
                yield "none"
            continue
        measured += 1
        dx, dy = (_vertex(line) for line in (peaks[y, x - 1 : x + 2], peaks[y - 1 : y + 2, x]))
        yield (x + dx - 2 * half) * step, (y + dy - 2 * half) * step


def _should_show(first: Mosaic, second: Mosaic, pair: Sequence[Array], step: float, z: float) -> bool:
    """Whether the second image shows nothing of a galaxy whose light in the first, were it as much, would be far above the noise."""
    pivot = get_filter(second.name).pivot_angstrom
    if pivot < get_filter(first.name).pivot_angstrom and pivot / (1.0 + z) < _BREAK_ANGSTROM:
        return False
    # Boxes as large as any PSF, so that one that is broader takes little of the peak away.
    smooth = [scipy.ndimage.uniform_filter(image, max(1, round(_SMOOTH_ARCSEC / step))) for image in pair]
    factor = [own.njy_per_unit / own.pixel_scale_arcsec**2 for own in (first, second)]
    noise = [scatter(image) for image in smooth]
    return (
        _peak(smooth[0]) > _BRIGHT * noise[0]
        and _peak(smooth[0]) * factor[0] > _SHOULD_SHOW * noise[1] * factor[1]
        and _peak(smooth[1]) < _SHOWS * noise[1]
    )


def _vertex(line: Array) -> float:
    below, middle, above = line
    return 0.5 * (below - above) / (below - 2.0 * middle + above)


def _on_sky(mosaic: Mosaic, ra: float, dec: float, half: int, step: float) -> Array | None:
    """Pixels on a grid of the sky around a position, x to the East; None where some are missing."""
    east, north = np.meshgrid(*(np.arange(-half, half + 1) * step / 3600.0,) * 2)
    x, y = mosaic.wcs.all_world2pix(ra + east / np.cos(np.deg2rad(dec)), dec + north, 0)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None  # on the other side of the sky
    low = [int(np.floor(along.min())) - 2 for along in (y, x)]
    high = [int(np.ceil(along.max())) + 3 for along in (y, x)]
    if min(low) < 0 or high[0] > mosaic.shape[0] or high[1] > mosaic.shape[1]:
        return None
    data = mosaic.science_plane.read(slice(low[0], high[0]), slice(low[1], high[1]))
    if not np.isfinite(data).all() or (data == 0.0).mean() > 0.1:
        return None
    return scipy.ndimage.map_coordinates(data, [y - low[0], x - low[1]], order=1)
