"""Whether the images of a field are what their configuration says: filters, errors, units.

What cannot be right is refused; what is only unlikely is told, as a sentence for the terminal and the report.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from astropy.table import Table

from ..errors import InputError
from ..fluxes import as_njy
from .mosaic import Mosaic

__all__ = [
    "FEWEST_GALAXIES",
    "MOST_GALAXIES",
    "POSSIBLE_SCATTER",
    "check_errors",
    "check_exposure",
    "check_filter_cards",
    "check_fluxes",
    "compare_images",
    "compare_noise",
    "scatter",
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
# Galaxies that are asked, and the fewest that tell.
MOST_GALAXIES, FEWEST_GALAXIES = 12, 3
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


def scatter(values: Array) -> float:
    """Standard deviation of values, by their median absolute deviation."""
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
            ratios[meaning].append(scatter(data[good] / errors))
        scatters.append(scatter(data[good]))
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


def _same_pixels(mosaics: Sequence[Mosaic], key: str) -> list[str]:
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
    brightest = np.flatnonzero(inside)[np.argsort(-flux[inside])][: 4 * MOST_GALAXIES]
    ratios: list[float] = []
    for number in brightest:
        if len(ratios) == MOST_GALAXIES:
            break
        data = mosaic.cutout(galaxies["ra"][number], galaxies["dec"][number], 2.0 * _APERTURE_ARCSEC).data
        rows, columns = np.indices(data.shape) - len(data) // 2
        circle = np.hypot(rows, columns) < len(data) // 2
        known = np.isfinite(data)
        if (known & circle).sum() < 0.9 * circle.sum() or not (known & ~circle).any():
            continue
        # The corners stand for the sky.
        light = float(np.mean(data[circle & known]) - np.median(data[~circle & known])) * circle.sum()
        if light > 5.0 * scatter(data[known]) * np.sqrt(circle.sum()):
            ratios.append(float(flux[number]) / light)
    if len(ratios) < FEWEST_GALAXIES or 1.0 / _OTHER_FLUX < (ratio := float(np.median(ratios))) < _OTHER_FLUX:
        return []
    return [
        f"{where}, column {column!r}: {ratio:.3g} times the light within {_APERTURE_ARCSEC:g} arcsec of {len(ratios)} galaxies in {mosaic.path}: are these fluxes in nJy?"
    ]


def _sky_noise(mosaic: Mosaic) -> float:
    """Scatter of the pixels [nJy] over the pixel's side [arcsec]; NaN where blocks of the mosaic are empty."""
    found = []
    for block in _blocks(mosaic):
        data = mosaic.science_plane.read(*block)
        data = data[np.isfinite(data) & (data != 0.0)]
        if data.size >= _FEW_PX:
            found.append(scatter(data))
    return float(np.median(found)) * mosaic.njy_per_unit / mosaic.pixel_scale_arcsec if found else np.nan


def compare_images(mosaics: Sequence[Mosaic], key: str) -> list[str]:
    """Tell filters whose noise or pixels are unlikely beside the others', of images that are not compressed."""
    noise = {mosaic.name: _sky_noise(mosaic) for mosaic in mosaics}
    return compare_noise(noise, key) + _same_pixels(mosaics, key)


def compare_noise(noise: Mapping[str, float], key: str) -> list[str]:
    """Tell filters whose noise, of `_sky_noise`, is too far from the others' for their unit to be right, and if all are too deep or shallow."""
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
