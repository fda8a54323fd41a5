"""Making a mock field on disk."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from ..errors import InputError
from ..files import replacing
from ..filters import get_filter
from ..images.photons import electrons_per_njy_s
from ..randomness import generator
from ..tables import write_table
from .catalogue import edits_table, galaxy_catalogue, star_table
from .images import Mosaics, draw_mosaics
from .lens_files import write_lens
from .scene import design_scene, nircam_filters
from .truth import clump_truth, galaxy_truth, psf_truth

__all__ = ["REFERENCE", "error_kind", "make_field"]

REFERENCE = (3.5875, -30.3966)  # RA, Dec [deg] of the field's centre
# Cards of a real mosaic of F200W.
_CALIBRATION = {"PHOTMJSR": 1.8917, "PIXAR_SR": 2.29e-14, "PHOTSCAL": 1.0}
_BINNING = 4
_UNITS = {"sw": ("10 nJy", 0.1), "lw": ("nJy", 1.0)}


def error_kind(name: str) -> str:
    """``wht`` (with ``exp``) for broad filters, ``err`` for medium ones, so that a run uses both."""
    return "wht" if get_filter(name).kind == "broad" else "err"


def make_field(
    out_dir: str | os.PathLike,
    seed: int = 20250101,
    size_arcsec: float = 40.0,
    filters: Sequence[str] | None = None,
    n_galaxies: int = 13,
    n_clumps: int = 66,
    n_stars: int = 14,
) -> Table:
    """Make the input of an imaging field: images, lens model, catalogues, and the truth about them.

    Parameters
    ----------
    out_dir : path-like
        Folder to fill: ``images/{F}_sci.fits`` with ``{F}_wht.fits`` and ``{F}_exp.fits`` (broad) or
        ``{F}_err.fits`` (medium filters), ``lens/best.par``, ``lens/bayes.dat``, ``galaxies.ecsv``, ``stars.ecsv``, ``edits.ecsv``,
        ``truth/{clumps,galaxies,psf,stars}.ecsv`` and ``mock.png``.
    seed : int
        The same seed gives the same bytes.
    size_arcsec : float
        Side of the square field; the lens grows with it.
    filters : sequence of str, optional
        NIRCam filters; default all 20 of C25.
    n_galaxies : int
        Lensed galaxies to measure; above 4, four more that the selection must reject are added.
    n_clumps : int
        Clumps of those galaxies in the source plane; multiple images add to them.
    n_stars : int
        Stars; every seventh saturates.

    Returns
    -------
    astropy.table.Table
        The truth of the clumps, one row an image.

    Raises
    ------
    InputError
        If a filter is not a NIRCam one, or the objects do not fit into the field.
    """
    folder = Path(out_dir)
    names = nircam_filters() if filters is None else list(filters)
    for name in names:
        if get_filter(name, "filters of the mock field").channel not in ("sw", "lw"):
            raise InputError("filters of the mock field", repr(name), "NIRCam filters")
    scene = design_scene(seed, size_arcsec, names, n_galaxies, n_clumps, n_stars)
    mosaics = draw_mosaics(scene)
    for mosaic in mosaics:
        for name in mosaic.filters:
            _write_image(folder / "images", mosaic, name)
    write_lens(
        folder / "lens", scene.lens, generator(seed, "mock", "lens samples"), REFERENCE, size_arcsec / 40.0
    )
    wcs = _wcs(round(size_arcsec / 0.02), 0.02)
    truth = clump_truth(scene, mosaics, wcs)
    measured = [image.id for galaxy in scene.galaxies for image in galaxy.images if galaxy.fate == "selected"]
    write_table(galaxy_catalogue(scene, wcs), folder / "galaxies.ecsv")
    write_table(star_table(scene, wcs), folder / "stars.ecsv")
    write_table(edits_table(truth[np.isin(truth["galaxy"], measured)]), folder / "edits.ecsv")
    write_table(truth, folder / "truth" / "clumps.ecsv")
    write_table(galaxy_truth(scene, wcs), folder / "truth" / "galaxies.ecsv")
    write_table(psf_truth(mosaics), folder / "truth" / "psf.ecsv")
    write_table(star_table(scene, wcs), folder / "truth" / "stars.ecsv")
    from .picture import draw_picture  # matplotlib takes 0.5 s to import

    draw_picture(folder / "mock.png", scene, mosaics, truth)
    return truth


def _wcs(n: int, scale: float) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = REFERENCE
    wcs.wcs.crpix = [(n + 1) / 2, (n + 1) / 2]
    wcs.wcs.cd = np.diag([-scale, scale]) / 3600.0
    return wcs


def _write_image(folder: Path, mosaic: Mosaics, name: str) -> None:
    image, error = mosaic.observe(name)
    unit, factor = _UNITS[mosaic.channel]
    header = _wcs(mosaic.n, mosaic.scale).to_header()
    header["BUNIT"] = unit
    header["FILTER"] = name
    header["TELESCOP"], header["INSTRUME"] = "JWST (mock)", "NIRCAM"
    planes = {"sci": image * np.float32(factor), "err": error * np.float32(factor)}
    if error_kind(name) == "wht":
        # As grizli's mosaics have it: weights of the sky alone, none where there is no good exposure, and exposure maps
        # of fewer pixels.
        header.update(_CALIBRATION)
        sky, electrons = mosaic.exposure(name)
        good = np.isfinite(error)
        seconds = electrons / electrons_per_njy_s(header, name, name)
        planes = {
            "sci": np.nan_to_num(planes["sci"], nan=0.0),
            "wht": np.where(good, (sky * factor) ** -2.0, 0.0).astype(np.float32),
            "exp": seconds[2::_BINNING, 2::_BINNING].astype(np.float32),
        }
    for ending, pixels in planes.items():
        with replacing(folder / f"{name}_{ending}.fits") as path:
            fits.PrimaryHDU(pixels, header if ending != "exp" else None).writeto(path)
