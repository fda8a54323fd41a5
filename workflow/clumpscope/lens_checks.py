"""Lens models against the sources behind them, and the maps of one model against each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table

from .config import lens_paths
from .errors import InputError

if TYPE_CHECKING:
    from .lensing import LensModel
    from .lensing.files.maps import MapModel

__all__ = ["check_lens", "require_file"]

# Distance [deg] of the nearest galaxy from a lens model's reference; fields of clusters are a fifth of it.
_FAR_DEG = 1.0
# Realisations of a lens model below which they tell little of its errors.
_FEW_SAMPLES = 30
# Sources around which maps are looked at, and the places [arcsec] around each.
_SOURCES, _AROUND_ARCSEC = 30, (-6.0, -3.0, 0.0, 3.0, 6.0)
# Least places that tell, and differences of maps, as a share of their values, above which they are of different lenses or only in doubt.
_FEW_PLACES, _OTHER_MAPS, _UNLIKE_MAPS = 20, 0.3, 0.1
# Convergences that are possible on the average, and the largest that any pixel near a galaxy has.
_LOWEST_KAPPA, _HIGHEST_KAPPA = -0.05, 100.0
# Share of places that may be demagnified.
_DEMAGNIFIED = 0.25
# Distance [arcsec] of images of one source, and the share of it that may be left in the source plane.
_IMAGES_ARCSEC, _LEFT_OVER = 3.0, 0.3


def require_file(path: str, key: str) -> None:
    """Refuse a path of the configuration where no file is."""
    if not Path(path).is_file():
        raise InputError(f"configuration key {key}", f"the path {path!r}, where no file is", "an existing file",
                         "Paths are relative to the folder in which snakemake runs.")  # fmt: skip


def _check_lens_files(key: str, lens: dict[str, Any]) -> None:
    for entry, path in lens_paths(lens).items():
        require_file(path, f"{key}.{entry}")
    samples = lens.get("samples")
    for number, sample in enumerate(samples if isinstance(samples, list) else (), start=1):
        for entry, path in lens_paths(sample).items():
            require_file(path, f"{key}.samples, entry {number}, {entry}")


def check_lens(key: str, lens: dict[str, Any], galaxies: Table | None) -> list[str]:
    """Read a lens model and see that it is the one of these galaxies.

    Parameters
    ----------
    key : str
        Of the configuration, for messages.
    lens : dict
        Its section.
    galaxies : Table or None
        ra, dec [deg] and z of the sources, where they are known.

    Returns
    -------
    list of str
        What is unlikely about it.

    Raises
    ------
    InputError
        If a file is missing or cannot be read, or the model is that of another part of the sky.
    """
    _check_lens_files(key, lens)
    if lens.get("kind", "none") == "none":
        return []
    from .lensing import read_lens
    from .lensing.files.maps import MapModel

    model, path = read_lens(lens), next(iter(lens_paths(lens).values()))
    if galaxies is None:
        return []
    ra, dec = (np.asarray(galaxies[name], dtype=float) for name in ("ra", "dec"))
    if lens["kind"] == "lenstool":
        nearest = float(np.min(np.hypot(*model.offsets(ra, dec)))) / 3600.0
        if nearest > _FAR_DEG:
            raise InputError(
                f"{path} (configuration key {key})",
                f"a model of RA {model.reference[0]:.4f}, Dec {model.reference[1]:.4f}, {nearest:.3g} degrees from the nearest source",
                "the lens in front of the sources", "Take the model of this field, or check its reference and the positions (degrees).",
            )  # fmt: skip
    elif not np.isfinite(model.covered(ra, dec)).any():
        raise InputError(
            f"{path} (configuration key {key})", f"maps that cover none of the {len(galaxies)} sources", "the lens in front of the sources",
            "Take the maps of this field, or check their WCS and the positions (degrees).",
        )  # fmt: skip
    behind = np.asarray(galaxies["z"], dtype=float) > model.z_lens
    told = (
        []
        if behind.any()
        else [f"{path} ({key}): a lens at z = {model.z_lens:g}, behind all {len(galaxies)} sources"]
    )
    if 0 < model.n_samples < _FEW_SAMPLES and "samples" in lens:
        told.append(
            f"{key}.samples: {model.n_samples} realisations tell little of the magnification's errors"
        )
    if isinstance(model, MapModel):
        told += _check_maps(model, ra, dec, f"{path} (configuration key {key})")
    return told + _check_systems(model, galaxies, f"{path} ({key})")


def _check_maps(model: "MapModel", ra: np.ndarray, dec: np.ndarray, where: str) -> list[str]:
    """Hold the maps of one model against each other around the sources, and their values against what is possible.

    The deflection's derivatives along the pixels' axes are the convergence and the shear (Schneider, Ehlers & Falco 1992).
    """
    around = np.array([(x, y) for x in _AROUND_ARCSEC for y in _AROUND_ARCSEC])
    chosen = np.unique(np.linspace(0, len(ra) - 1, min(len(ra), _SOURCES)).astype(int))
    x, y = model.offsets(ra[chosen], dec[chosen])
    places = np.column_stack([x, y])[:, None, :] + around
    column, row = model.wcs.all_world2pix(*model.sky(*places.reshape(-1, 2).T), 0)
    values = {name: model.maps[name].values for name in model.maps}
    if "magnification" in values:
        mu = np.abs(values["magnification"](row, column))
        mu = mu[np.isfinite(mu)]
        if mu.size < _FEW_PLACES or np.mean(mu < 0.99) <= _DEMAGNIFIED:
            return []
        return [
            f"{where}: |mu| is below 1 at {np.mean(mu < 0.99):.0%} of places near the sources: is the map that of the magnification,"
            " not of its inverse or logarithm?"
        ]
    kappa, gamma1, gamma2 = (values[name](row, column) for name in ("kappa", "gamma1", "gamma2"))
    known = np.isfinite(kappa + gamma1 + gamma2)
    if known.sum() < _FEW_PLACES:
        return []
    typical, largest = float(np.median(kappa[known])), float(np.max(np.abs(kappa[known])))
    if typical < _LOWEST_KAPPA or largest > _HIGHEST_KAPPA:
        raise InputError(
            where, f"a convergence of {typical:.3g} (median), {largest:.3g} at most, near the sources",
            "numbers from 0 to a few: surface density over the critical one", "Check the map, its sign and its unit.",
        )  # fmt: skip
    if not model.traces:
        return []
    # Central differences over one pixel to both sides.
    steps = {}
    for name in ("deflection_x", "deflection_y"):
        at = values[name](
            np.concatenate([row, row, row + 1.0, row - 1.0]),
            np.concatenate([column + 1.0, column - 1.0, column, column]),
        )
        right, left, up, down = np.split(at, 4)
        steps[name] = (right - left) / 2.0 / model.pixel_arcsec, (up - down) / 2.0 / model.pixel_arcsec
    (xx, xy), (yx, yy) = steps["deflection_x"], steps["deflection_y"]
    found = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), 0.5 * (xy + yx))
    size = np.hypot(kappa, np.hypot(gamma1, gamma2))
    off = np.hypot(found[0] - kappa, found[1] - np.hypot(gamma1, gamma2)) / size
    known &= np.isfinite(off)
    if known.sum() < _FEW_PLACES or (typical := float(np.median(off[known]))) <= _UNLIKE_MAPS:
        return []
    ratio = float(np.median(found[0][known]) / np.median(kappa[known]))
    text = f"deflections whose derivatives differ by {typical:.0%} from convergence and shear ({ratio:.3g} times the convergence)"
    if typical > _OTHER_MAPS:
        raise InputError(
            where, text, "maps of one lens, on one scale",
            "Deflections are along the pixels' x and y, in arcsec or pixels (lens.deflection_unit), for the D_LS / D_S of kappa and gamma; the"
            " source lies at the image minus the deflection.",
        )  # fmt: skip
    return [f"{where}: {text}"]


def _check_systems(model: "LensModel", galaxies: Table, where: str) -> list[str]:
    """Tell if images that the catalogue says are of one source do not come together in the source plane."""
    if "system" not in galaxies.colnames or not getattr(model, "traces", True):
        return []
    names = np.array([str(name) for name in galaxies["system"]])  # a masked cell is "--"
    left_over = {}
    for name in [name for name in dict.fromkeys(names) if name not in ("", "--")]:
        own = np.flatnonzero(names == name)
        ra, dec = (np.asarray(galaxies[column][own], dtype=float) for column in ("ra", "dec"))
        z = float(np.median(np.asarray(galaxies["z"][own], dtype=float)))
        image, source = model.offsets(ra, dec), model.source_position(ra, dec, z)
        on_sky, behind = (float(np.sqrt(np.var(place[0]) + np.var(place[1]))) for place in (image, source))
        if len(own) > 1 and z > model.z_lens and on_sky > _IMAGES_ARCSEC and np.isfinite(behind):
            left_over[name] = behind / on_sky
    if not left_over or (typical := float(np.median(list(left_over.values())))) <= _LEFT_OVER:
        return []
    return [
        f"{where}: images of one source ({', '.join(list(left_over)[:3])}) stay {typical:.0%} as far apart in the source plane as they are on the sky:"
        " is it this cluster's lens, with its reference, axes, units and redshifts as they should be?"
    ]
