"""Whether the images of a field are what their configuration says: filters, errors, units, and places on the sky.

What cannot be right is refused; what is only unlikely is told, as a sentence for the terminal and the report.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import scipy.ndimage
from astropy.table import Table

from ..errors import InputError
from ..filters import get_filter
from ..fluxes import as_njy
from .mosaic import Mosaic

__all__ = [
    "POSSIBLE_SCATTER",
    "check_errors",
    "check_exposure",
    "check_filter_cards",
    "check_fluxes",
    "compare_noise",
    "registration",
    "same_pixels",
    "sky_noise",
]

Array = np.ndarray
# Names of filters on header cards: F150W, F200LP, F162M.
_FILTER = re.compile(r"F\d{3,4}[A-Z]+\d?")
# The pupil wheel comes first: NIRCam's F162M lies there, behind F150W2, and so do NIRISS' short filters.
_CARDS = ("PUPIL", "FILTER", "FILTER1", "FILTER2")
# Blocks of pixels that stand for a mosaic: so many along each side, of so many pixels.
_BLOCKS, _BLOCK_PX, _FEW_PX = 4, 128, 100
# Scatter of sky pixels over their errors: drizzling takes some of it, sources add; beyond the outer limits it is no error.
_LIKELY, POSSIBLE_SCATTER = (0.2, 5.0), (0.05, 20.0)
# Blocks, the range of their errors, and correlations and slope of errors and scatter (in logarithms) that tell of another map.
_FEW_BLOCKS, _ERROR_RANGE, _AGAINST, _TIGHT, _STEEP = 6, 1.3, -0.5, 0.9, 1.6
# Exposures [s] that mosaics have.
_EXPOSURES_S = (60.0, 1e7)
# A reading of a map that would fit, where that asked for is off by more.
_FITS, _IS_OFF = 1.5, 2.5
# Noise of a filter over the median of all, beyond which a unit must be wrong; depths of one field differ by ten at most.
_OTHER_NOISE = 18.0
# Limits of the noise in a circle of 0.1 arcsec radius, 5 sigma, that telescopes reach: from the shallowest of HST to the deepest of JWST.
_CIRCLE_ARCSEC, _DEPTHS_AB = 0.1, (23.5, 32.0)
# Galaxies that tell whether images lie on each other, half the side of their cutouts, and the least offset worth a word.
_GALAXIES, _FEWEST_GALAXIES, _REACH_ARCSEC, _OFFSET_ARCSEC = 12, 3, 1.6, 0.06
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
# Aperture [arcsec] in which a catalogue's fluxes are looked for, and the factor that is beyond apertures.
_APERTURE_ARCSEC, _OTHER_FLUX = 1.0, 10.0


def check_filter_cards(mosaic: Mosaic, where: str) -> None:
    """Refuse an image whose header names another filter than the configuration."""
    meant = _FILTER.search(mosaic.name.upper())
    cards = [(card, str(mosaic.header[card])) for card in _CARDS if card in mosaic.header]
    found = [(card, text, match[0]) for card, text in cards if (match := _FILTER.search(text.upper()))]
    if meant is None or not found or found[0][2] == meant[0]:
        return
    raise InputError(
        where, f"{found[0][0]} = {found[0][1]!r} in the header of {mosaic.path}", f"{meant[0]}, as the configuration's key",
        "Name the file under its own filter, or correct the card.",
    )  # fmt: skip


def _blocks(mosaic: Mosaic) -> Iterator[tuple[slice, slice]]:
    parts = [
        [
            slice(start, min(start + _BLOCK_PX, size))
            for start in np.unique(np.linspace(0, max(size - _BLOCK_PX, 0), _BLOCKS).astype(int))
        ]
        for size in mosaic.shape
    ]
    return ((rows, columns) for rows in parts[0] for columns in parts[1])


def _scatter(values: Array) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def check_errors(mosaic: Mosaic, where: str) -> list[str]:
    """Compare an error or weight map with the scatter of the sky.

    Parameters
    ----------
    mosaic : Mosaic
        Of files that are not compressed.
    where : str
        Key of the map, for messages.

    Returns
    -------
    list of str
        What is unlikely.

    Raises
    ------
    InputError
        If no error is a positive number, or they are not those of these pixels by a factor of 20 and more.
    """
    if mosaic.error_plane is None:
        return []
    kind, path = mosaic.error_kind, mosaic.error_plane.path
    ratios: dict[str, list[float]] = {"err": [], "wht": [], "variances": []}
    scatters, typical = [], []
    for block in _blocks(mosaic):
        data, given = mosaic.science_plane.read(*block), mosaic.error_plane.read(*block)
        good = np.isfinite(data) & (data != 0.0) & np.isfinite(given) & (given > 0.0)
        if good.sum() < _FEW_PX:
            continue
        readings = {"err": given[good], "wht": 1.0 / np.sqrt(given[good]), "variances": np.sqrt(given[good])}
        for meaning, errors in readings.items():
            ratios[meaning].append(_scatter(data[good] / errors))
        scatters.append(_scatter(data[good]))
        typical.append(float(np.median(readings[kind])))
    if not ratios[kind]:
        if not mosaic.error_plane.any_positive():
            raise InputError(
                f"{path} ({where})", "no pixel that is a positive number", "errors, or weights, of the pixels",
                "Copy or download it again; leave the key out where there is none.",
            )  # fmt: skip
        return []
    ratio, as_variances = (float(np.median(ratios[meaning])) for meaning in (kind, "variances"))
    told = f"errors over which the sky scatters by {ratio:.3g}"
    if ratio == 0.0:
        return []
    if _LIKELY[0] <= ratio <= _LIKELY[1]:
        if wrong := _wrong_course(np.array(scatters), np.array(typical)):
            return [f"{path} ({where}): {wrong}"]
        if not 1.0 / _IS_OFF < ratio < _IS_OFF and 1.0 / _FITS < as_variances < _FITS:
            return [f"{path} ({where}): {told} (1 is expected): as variances the map would fit; `err` are standard deviations, `wht` inverse variances"]  # fmt: skip
        return []
    if POSSIBLE_SCATTER[0] <= ratio <= POSSIBLE_SCATTER[1]:
        return [f"{path} ({where}): {told} (1 is expected): sizes of errors are in doubt"]
    other = "wht" if kind == "err" else "err"
    swapped = _LIKELY[0] <= np.median(ratios[other]) <= _LIKELY[1]
    raise InputError(
        f"{path} ({where})", told, "about 1: standard deviations as `err`, inverse variances as `wht`, in the image's unit",
        f"As `{other}` the file would fit." if swapped else "Correct the map or its unit.",
    )  # fmt: skip


def check_exposure(mosaic: Mosaic, where: str) -> list[str]:
    """Tell an exposure map that can hardly be in seconds; mosaics of files that are not compressed."""
    if mosaic.exposure_plane is None:
        return []
    rows, columns = mosaic.exposure_plane.shape
    some = mosaic.exposure_plane.read(slice(rows // 3, rows // 3 + _BLOCK_PX), slice(0, columns))
    times = some[np.isfinite(some) & (some > 0.0)]
    if not times.size or _EXPOSURES_S[0] < (typical := float(np.median(times))) < _EXPOSURES_S[1]:
        return []
    return [
        f"{mosaic.exposure_plane.path} ({where}): {typical:.3g} is the typical exposure: is it in seconds?"
    ]


def _wrong_course(scatters: Array, errors: Array) -> str:
    """What is wrong with errors that do not rise as the blocks' scatter; nothing where they are nearly the same everywhere."""
    used = (scatters > 0.0) & (errors > 0.0)
    if used.sum() < _FEW_BLOCKS or errors[used].max() < _ERROR_RANGE * errors[used].min():
        return ""
    scatter, error = np.log(scatters[used]), np.log(errors[used])
    correlation = np.corrcoef(scatter, error)[0, 1]
    if correlation < _AGAINST:
        return "errors that are small where the sky scatters much: is the map this image's, and not of variances for weights?"
    if correlation > _TIGHT and np.std(error) > _STEEP * np.std(scatter):
        return "errors that rise like the square of the sky's scatter: are they variances, for standard deviations?"
    return ""


def same_pixels(mosaics: Sequence[Mosaic], key: str) -> list[str]:
    """Tell filters whose images have the very same pixels; mosaics of files that are not compressed."""
    told, seen = [], {}
    for mosaic in mosaics:
        # Some block that is not empty stands for the image.
        blocks = (mosaic.science_plane.read(*block) for block in _blocks(mosaic))
        block = next((data for data in blocks if np.any(np.nan_to_num(data))), None)
        if block is None:
            continue
        other = seen.setdefault((mosaic.shape, block.tobytes()), mosaic.name)
        if other != mosaic.name:
            told.append(
                f"{key}.{mosaic.name}: {mosaic.path} has the pixels of {other}: is it this filter's image?"
            )
    return told


def check_fluxes(mosaic: Mosaic, galaxies: Table, where: str) -> list[str]:
    """Tell if a catalogue's fluxes of galaxies are not what an image shows at their places.

    Parameters
    ----------
    mosaic : Mosaic
        Of a file that is not compressed.
    galaxies : Table
        ra, dec [deg], and f_<filter> (nJy, unless it has a unit) or not.
    where : str
        Of the catalogue, for messages.

    Returns
    -------
    list of str
        A sentence where the median ratio of catalogue to image, of the brightest dozen, is beyond a factor of 10.
    """
    column = f"f_{mosaic.name}"
    if column not in galaxies.colnames:
        return []
    flux = as_njy(galaxies[column], f"{where}, column {column!r}")
    x, y = mosaic.wcs.all_world2pix(galaxies["ra"], galaxies["dec"], 0, quiet=True)
    inside = (x > 0) & (x < mosaic.shape[1]) & (y > 0) & (y < mosaic.shape[0]) & (flux > 0.0)
    brightest = np.flatnonzero(inside)[np.argsort(-flux[inside])][: 4 * _GALAXIES]
    ratios: list[float] = []
    for number in brightest:
        if len(ratios) == _GALAXIES:
            break
        data = mosaic.cutout(galaxies["ra"][number], galaxies["dec"][number], 2.0 * _APERTURE_ARCSEC).data
        rows, columns = np.indices(data.shape) - len(data) // 2
        circle = np.hypot(rows, columns) < len(data) // 2
        known = np.isfinite(data)
        if (known & circle).sum() < 0.9 * circle.sum() or not (known & ~circle).any():
            continue
        # The corners stand for the sky.
        light = float(np.mean(data[circle & known]) - np.median(data[~circle & known])) * circle.sum()
        if light > 5.0 * _scatter(data[known]) * np.sqrt(circle.sum()):
            ratios.append(float(flux[number]) / light)
    if (
        len(ratios) < _FEWEST_GALAXIES
        or 1.0 / _OTHER_FLUX < (ratio := float(np.median(ratios))) < _OTHER_FLUX
    ):
        return []
    return [
        f"{where}, column {column!r}: {ratio:.3g} times the light within {_APERTURE_ARCSEC:g} arcsec of {len(ratios)} galaxies in {mosaic.path}: are these fluxes in nJy?"
    ]


def sky_noise(mosaic: Mosaic) -> float:
    """Scatter of the pixels [nJy] over the pixel's side [arcsec]; NaN where blocks of the mosaic are empty."""
    found = []
    for block in _blocks(mosaic):
        data = mosaic.science_plane.read(*block)
        data = data[np.isfinite(data) & (data != 0.0)]
        if data.size >= _FEW_PX:
            found.append(_scatter(data))
    return float(np.median(found)) * mosaic.njy_per_unit / mosaic.pixel_scale_arcsec if found else np.nan


def compare_noise(noise: Mapping[str, float], key: str) -> list[str]:
    """Tell filters whose noise, of `sky_noise`, is too far from the others' for their unit to be right, and if all are too deep or shallow."""
    known = {name: value for name, value in noise.items() if np.isfinite(value) and value > 0.0}
    if not known:
        return []
    middle = np.median(np.log(list(known.values())))
    limit_njy = 5.0 * np.exp(middle) * np.sqrt(np.pi) * _CIRCLE_ARCSEC
    depth = 31.4 - 2.5 * np.log10(limit_njy)
    unlikely = not _DEPTHS_AB[0] < depth < _DEPTHS_AB[1]
    told = f"{key}: noise of {limit_njy:.3g} nJy (5 sigma) in circles of {_CIRCLE_ARCSEC} arcsec, or {depth:.1f} AB mag, where {_DEPTHS_AB[0]} to {_DEPTHS_AB[1]} are usual: is their unit right?"
    return [told] * unlikely + [
        f"{key}.{name}: noise {factor:.3g} times that of the field's other images: is its unit right?"
        for name, value in known.items()
        if not 1.0 / _OTHER_NOISE < (factor := float(np.exp(np.log(value) - middle))) < _OTHER_NOISE
    ]


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
            if lost >= _FEWEST_GALAXIES and lost > n:
                told.append(_beside(mosaic, f"at {lost} of {len(found)} galaxies {text.format(first.name)}"))
        if 0 < n < _FEWEST_GALAXIES:
            alone[mosaic.name] = np.median(offsets, axis=0)
        if n < _FEWEST_GALAXIES:
            continue
        middle, scatter = np.median(offsets, axis=0), float(np.hypot(*map(_scatter, offsets.T)))
        size = float(np.hypot(*middle))
        if size > max(_OFFSET_ARCSEC, 3.0 * scatter / np.sqrt(n)):
            told.append(_beside(mosaic, f"sources lie {_said(middle)} from where {first.name} has them, by {n} galaxies"))  # fmt: skip
        elif scatter > _OFFSETS_APART_ARCSEC:
            told.append(_beside(mosaic, f"sources lie {scatter:.1f} arcsec and more from where {first.name} has them, at {n} galaxies in as many directions"))  # fmt: skip
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
            for row in galaxies[: 4 * _GALAXIES]
        )
        bright = (image is not None and _peak(image) > _BRIGHT * _scatter(image) for image in seen)
        shown.append(sum(1 for _ in itertools.islice(filter(None, bright), _FEWEST_GALAXIES)))
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
        if measured == _GALAXIES:
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
        seen = all(_peak(image) > _SEEN * _scatter(image) for image in pair)
        seen &= peaks[y, x] > 6.0 * _scatter(peaks)
        if not (seen and 0 < y < 4 * half - 1 and 0 < x < 4 * half - 1):
            if all(_peak(image) > _BRIGHT * _scatter(image) for image in pair):
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
    noise = [_scatter(image) for image in smooth]
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
