"""A configuration from a folder of mosaics: what headers and names tell, and marks at what they do not."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from astropy.io import fits

from .catalogues import LAYOUTS
from .errors import InputError
from .files import PACKED_ENDINGS
from .filters import get_filter, resolve_filter
from .images.mosaic import open_mosaic
from .images.streaming import find_packed_plane
from .tables import read_table

__all__ = ["describe_folder"]

# Words in file names that tell what an image is, by our keys.
_ROLES = {
    "sci": ("sci", "drz", "drc", "i2d", "mosaic"),
    "wht": ("wht", "weight", "ivar"),
    "err": ("err", "error", "rms", "sigma", "noise"),
    "exp": ("exp", "exptime"),
    "psf": ("psf", "psfs"),
    "background": ("background", "bkg"),
    "mask": ("mask",),
    "segmentation": ("seg", "segm", "segmap", "segmentation"),
    "kappa": ("kappa",),
    "gamma1": ("gamma1",),
    "gamma2": ("gamma2",),
    "magnification": ("magnif", "magnification"),
}
# Words of deflection maps, along which axis, and in which unit.
_DEFLECTION = ("deflect", "deflection", "alpha")
_UNITS = {"arcsec": "arcsec", "arcsecs": "arcsec", "pixel": "pixel", "pixels": "pixel", "pix": "pixel"}
_MAPS = ("kappa", "gamma1", "gamma2", "magnification", "deflection_x", "deflection_y")
_UNKNOWN = "# ?"


@dataclass
class _Image:
    """One filter's files, and what is to be said of them."""

    files: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def describe_folder(folder: str | os.PathLike, name: str | None = None) -> str:
    """Text of a commented configuration for the mosaics, tables and lens model in a folder.

    Parameters
    ----------
    folder : path-like
        Looked through with the folders in it.
    name : str, optional
        Of the field; that of the folder.

    Returns
    -------
    str
        YAML; what could not be told from headers and names is marked ``# ?``.

    Raises
    ------
    InputError
        If there is no folder, or no science image of a known filter in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(str(folder), "no such folder", "a folder with mosaics")
    # What lies in the folder itself goes before what lies in folders of it.
    files = sorted(
        (path for path in folder.rglob("*") if path.is_file()), key=lambda path: (len(path.parts), path)
    )
    images, tables, other, notes = _sort(files, folder)
    if not any("sci" in image.files for image in images.values()):
        raise InputError(
            str(folder), f"{len(files)} files, none a science image of a known filter",
            "FITS images whose header (FILTER) or name tells the filter, such as *-f150w-clear_drc_sci.fits",
        )  # fmt: skip
    label = re.sub(r"[^A-Za-z0-9_.-]", "_", name or folder.resolve().name).lstrip("_.-") or "field"
    lines = [
        "# Written by `clumpscope init`. At `# ?` is what headers and names did not tell: nothing was guessed in its place.",
        "# Every key is explained in config/README.md.",
        "fields:",
        f"  {label}:",
        "    images:",
    ]
    for band in sorted(images, key=lambda band: get_filter(band).pivot_angstrom):
        if "sci" in images[band].files:
            lines += _image_lines(band, images[band])
        else:
            notes.append(f"{', '.join(images[band].files.values())}: no science image of {band}")
    lines += _galaxy_lines(tables, folder)
    if "segmentation" in other:
        lines.append(f"    segmentation: {other['segmentation']}")
    lines += _lens_lines(files, other)
    lines.append(
        f"    # reddening: {{ebv: 0.01}} {_UNKNOWN} E(B-V) towards the field; without it fluxes stay as they are"
    )
    lines += [f"{_UNKNOWN} {note}" for note in notes]
    return "\n".join(lines) + "\n"


def _sort(
    files: list[Path], folder: Path
) -> tuple[dict[str, _Image], dict[str, list[str]], dict[str, str], list[str]]:
    """Images by filter, tables (path -> columns), maps without a filter, and what was left out."""
    images: dict[str, _Image] = {}
    tables, other, notes, left = {}, {}, [], []
    for path in files:
        if path.suffix.lower() in (".ecsv", ".csv"):
            tables[str(path)] = _columns(path)
        elif re.search(r"\.((fits|fit)(\.(gz|bz2|xz|fz))?|npy)$", path.name.lower()):
            role = _role(path.relative_to(folder))
            found = (fits.Header(), []) if role == "psf" else None if path.suffix == ".npy" else _header(path)
            if found is None:
                tables[str(path)] = _columns(path)
                continue
            header, extensions = found
            band, said = _band(str(path.relative_to(folder)), header)
            if role in ("background", "mask"):
                notes.append(f"{path}: a {role}, left out")
            elif role in ("segmentation", *_MAPS):
                other[role] = str(path)
            elif band is None:
                left.append(str(path))
            else:
                _add(images.setdefault(band, _Image()), role, path, extensions, said, notes)
    if left:
        notes.append(f"neither header (FILTER) nor name tells one filter, left out: {', '.join(left)}")
    return images, {path: columns for path, columns in tables.items() if columns}, other, notes


def _add(image: _Image, role: str, path: Path, extensions: list[str], said: str, notes: list[str]) -> None:
    if role in image.files:
        notes.append(f"{path}: a second {role} beside {image.files[role]}, left out")
        return
    image.files[role] = str(path)
    if role == "sci":
        image.notes += [said] if said else []
        for key in ("err", "wht"):
            if key.upper() in extensions and not {"err", "wht"} & set(image.files):
                image.files[key] = str(path)


def _columns(path: Path) -> list[str]:
    try:
        return read_table(path).colnames
    except InputError:
        return []


def _header(path: Path) -> tuple[fits.Header, list[str]] | None:
    """Header of a file's science (or first 2-D) image with the primary's cards, and the names of its images."""
    try:
        if path.suffix.lower() in PACKED_ENDINGS:
            _, header, primary = find_packed_plane(path, "SCI")
            return _joined(header, primary), []
        with fits.open(path) as hdus:
            planes = [hdu for hdu in hdus if hdu.is_image and len(hdu.shape) == 2]
            named = [hdu for hdu in planes if hdu.name == "SCI"]
            if not planes:
                return None
            return _joined((named or planes)[0].header, hdus[0].header), [hdu.name for hdu in planes]
    except (InputError, OSError):
        return None


def _joined(header: fits.Header, primary: fits.Header) -> fits.Header:
    joined = header.copy()
    joined.extend(((card, primary[card]) for card in primary if card and card not in header), strip=True)
    return joined


def _role(path: Path) -> str:
    words = re.split(r"[^a-z0-9]+", str(path).lower())
    if set(words) & set(_DEFLECTION) and len(axes := [axis for axis in "xy" if axis in words]) == 1:
        return f"deflection_{axes[0]}"
    for role in [key for key in _ROLES if key != "sci"]:
        if any(word in _ROLES[role] for word in words):
            return role
    return "sci"


def _band(name: str, header: fits.Header) -> tuple[str | None, str]:
    """Filter of an image by its header, else by its name; and what there is to say of it."""
    cards = [
        str(header[card])
        for card in ("INSTRUME", "DETECTOR", "PUPIL", "FILTER", "FILTER1", "FILTER2")
        if card in header
    ]
    found = []
    for text in (" ".join(cards), name):
        try:
            found.append(resolve_filter(text).name)
        except InputError:
            found.append(None)
    by_header, by_name = found
    if by_header and by_name and by_header != by_name:
        return by_name, f"{_UNKNOWN} the header says {by_header}, the name {by_name}"
    band = by_header or by_name
    return band, ""


def _image_lines(band: str, image: _Image) -> list[str]:
    files = {key: image.files[key] for key in ("sci", "err", "wht", "exp", "psf") if key in image.files}
    if "err" in files:
        for key in ("wht", "exp"):
            files.pop(key, None)
    if "wht" not in files:
        files.pop("exp", None)
    lines = [f"      {band}: {image.notes[0]}".rstrip() if image.notes else f"      {band}:"]
    lines += [f"        {key}: {path}" for key, path in files.items()]
    if not {"err", "wht"} & set(files):
        lines.append(
            f"        {_UNKNOWN} no error or weight map found: errors will be the scatter of the sky alone"
        )
    maps = {key: files[key] for key in ("sci", "err", "wht", "exp") if key in files}
    taken: dict[str, str | float] = {}
    while True:
        try:
            mosaic = open_mosaic(**maps, name=band, forward=True, **taken)
        except InputError as error:
            # All that is missing is asked for at once: what comes behind it is seen with something in its place.
            if "unit" in error.found and "unit" in error.remedy and "unit" not in taken:
                taken["unit"] = "nJy"
                lines.append(
                    f"        # unit: 10 nJy {_UNKNOWN} neither BUNIT nor PHOTFNU in the header: say which unit pixels have"
                )
            elif "no celestial WCS" in error.found and "pixel_scale" not in taken:
                taken["pixel_scale"] = 0.04
                lines += [
                    f"        # pixel_scale: 0.04 {_UNKNOWN} no WCS in the header: the side of its pixels [arcsec]",
                    f"        # reference: [180.0, 0.0] {_UNKNOWN} RA and Dec of its centre [deg], as the catalogue counts them",
                ]
            else:
                return [*lines, f"        {_UNKNOWN} {error}"]
        else:
            break
    if not taken:
        unit = mosaic.header.get("BUNIT") or "PHOTFNU of the header"
        lines.append(
            f"        # {mosaic.shape[1]} x {mosaic.shape[0]} pixels of {mosaic.pixel_scale_arcsec:.4g} arcsec, unit: {unit}"
        )
    return lines


def _galaxy_lines(tables: dict[str, list[str]], folder: Path) -> list[str]:
    """The galaxy catalogue, and stars, among the tables of a folder."""
    lower = {path: {name.lower() for name in columns} for path, columns in tables.items()}
    lines = []
    for path, columns in lower.items():
        layout = _layout(columns)
        if {"id", "ra", "dec", "z"} <= columns and layout is None:
            lines = [f"    galaxies: {path}"]
        elif layout and not lines:
            lines = [f"    galaxies: {path}", f"    catalogue: {{format: {layout}}}"]
            other = [p for p, names in lower.items() if p != path and {"z_phot", "z160", "z840"} <= names]
            if layout == "dja" and other:
                lines[1] = f"    catalogue: {{format: dja, redshifts: {other[0]}}}"
            elif layout == "dja":
                lines[1] += f" {_UNKNOWN} redshifts: the field's eazypy.zout"
    stars = [path for path in tables if "star" in Path(path).name.lower() and {"ra", "dec"} <= lower[path]]
    if not lines:
        lines = [
            f"    galaxies: {folder / 'galaxies.csv'} {_UNKNOWN} no catalogue found: a table with id, ra, dec, z"
        ]
    return lines + [f"    stars: {path}" for path in stars[:1]]


def _layout(columns: set[str]) -> str | None:
    """Format of a public catalogue by its columns."""
    if set(LAYOUTS["super"].cuts) <= columns:
        return "super"
    if any(name.endswith("_tot_1") for name in columns):
        return "dja"
    return "muse" if {"iden", "zconf"} <= columns else None


def _lens_lines(files: list[Path], maps: dict[str, str]) -> list[str]:
    models = [str(path) for path in files if path.suffix == ".par"]
    samples = [str(path) for path in files if path.name.lower().startswith("bayes") and path.suffix == ".dat"]
    if models:
        best = next((path for path in models if "best" in Path(path).name), models[0])
        lines = ["    lens:", "      kind: lenstool", f"      model: {best}"]
        # Samples in another folder are those of another model.
        own = [path for path in samples if Path(path).parent == Path(best).parent]
        others = [path for path in (*models, *samples) if path not in (best, *own[:1])]
        lines += (
            [f"      samples: {own[0]}"]
            if own
            else [f"      {_UNKNOWN} no bayes.dat beside it: no errors of the magnification"]
        )
        return lines + [f"      {_UNKNOWN} also there: {', '.join(others)}"] * bool(others)
    if {"kappa", "gamma1", "gamma2"} <= set(maps):
        used = [key for key in _MAPS if key in maps and key != "magnification"]
        lines = ["    lens:", "      kind: maps", *(f"      {key}: {maps[key]}" for key in used)]
        if {"deflection_x", "deflection_y"} <= set(maps):
            words = re.split(r"[^a-z]+", Path(maps["deflection_x"]).name.lower())
            units = {_UNITS[word] for word in words if word in _UNITS}
            lines.append(f"      deflection_unit: {units.pop()}" if len(units) == 1 else f"      # deflection_unit: arcsec {_UNKNOWN} or pixel")  # fmt: skip
        else:
            lines.append(f"      {_UNKNOWN} no deflection maps: no source plane, no distances in it")
        return [
            *lines,
            f"      # normalisation: {{dls_ds: 1}} {_UNKNOWN} or {{z_source: ...}}, what the maps are for",
            f"      # z_lens: 0.3 {_UNKNOWN} redshift of the lens",
        ]
    if "magnification" in maps:
        return [
            "    lens:",
            "      kind: maps",
            f"      magnification: {maps['magnification']}",
            f"      # normalisation: {{z_source: 2.0}} {_UNKNOWN} redshift of the sources that the map is for",
            f"      # z_lens: 0.3 {_UNKNOWN} redshift of the lens",
        ]
    return [f"    lens: {{kind: none}} {_UNKNOWN} no lens model found: every magnification is 1"]
