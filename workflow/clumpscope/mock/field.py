"""Making a mock field on disk."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from ..errors import InputError
from ..files import replacing
from ..filters import get_filter
from ..images.photons import electrons_per_njy_s
from ..processes import in_processes
from ..randomness import generator
from ..tables import write_table
from .catalogue import edits_table, galaxy_catalogue, star_table
from .images import Mosaics, mosaic_groups
from .lens_files import write_lens
from .picture import draw_picture, thumbnail
from .relations import true_relations
from .scene import REFERENCE, design_scene, nircam_filters
from .settings import Settings
from .truth import Drawn, clump_truth, galaxy_truth

__all__ = ["REFERENCE", "error_kind", "make_field"]

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
    filters: Sequence[str] | None = None,
    n_processes: int = 1,
    **keys: Any,
) -> Table:
    """Make the input of an imaging field: images, lens model, catalogues, and the truth about them.

    Parameters
    ----------
    out_dir : path-like
        Folder to fill: ``images/{F}_sci.fits`` with ``{F}_wht.fits`` and ``{F}_exp.fits`` (broad) or
        ``{F}_err.fits`` (medium filters), ``lens/best.par``, ``lens/bayes.dat`` (unless a model is given), ``galaxies.ecsv``, ``stars.ecsv``, ``edits.ecsv``,
        ``truth/{clumps,galaxies,psf,stars}.ecsv``, ``truth/population.yaml`` and ``mock.png``.
    seed : int
        The same seed gives the same bytes.
    filters : sequence of str, optional
        NIRCam filters; default all 20 of C25.
    n_processes : int
        That draw images at the same time; the bytes are the same.
    **keys
        Of the configuration's `mock`, see `clumpscope.mock.settings.Settings`.

    Returns
    -------
    astropy.table.Table
        The truth of the clumps, one row an image.

    Raises
    ------
    InputError
        If a filter is not one of C25's, or the objects do not fit into the field.
    """
    folder = Path(out_dir)
    names = nircam_filters() if filters is None else list(filters)
    for name in names:
        if name not in nircam_filters():
            raise InputError("filters of the mock field", repr(name), f"of {', '.join(nircam_filters())}")
    settings = Settings.read(keys)
    scene = design_scene(seed, names, settings)
    wcs = _wcs(round(settings.size_arcsec / 0.02), 0.02, scene.reference)
    # Before any image: what galaxies look like is traced once, not by every process.
    galaxies = galaxy_truth(scene, wcs)

    def draw(together: list[str]) -> tuple[Drawn, dict[str, np.ndarray]]:
        mosaic, small, noted = Mosaics(scene, together), {}, Drawn()
        mosaic.draw()
        for name in together:
            image, error = mosaic.observe(name)
            del mosaic.noiseless[name]
            small[name] = thumbnail(image, mosaic.scale, settings.size_arcsec)
            _write_image(folder / "images", mosaic, name, image, error)
            del image, error  # a large field's images are a gigabyte
        noted.note(mosaic)
        return noted, small

    drawn, thumbnails = Drawn(), {}
    for noted, small in in_processes(draw, mosaic_groups(scene), n_processes):
        drawn.add(noted)
        thumbnails |= small
    if settings.lens_model is None:
        rng = generator(seed, "mock", "chi-squared")
        write_lens(folder / "lens", scene.best, scene.posterior, rng, scene.reference)
    truth = clump_truth(scene, drawn, galaxies, wcs)
    measured = galaxies["id"][galaxies["fate"] == "selected"]
    write_table(galaxy_catalogue(scene, wcs), folder / "galaxies.ecsv")
    write_table(star_table(scene, wcs), folder / "stars.ecsv")
    write_table(edits_table(truth[np.isin(truth["galaxy"], measured)]), folder / "edits.ecsv")
    write_table(truth, folder / "truth" / "clumps.ecsv")
    write_table(galaxies, folder / "truth" / "galaxies.ecsv")
    write_table(Table(drawn.psf), folder / "truth" / "psf.ecsv")
    write_table(star_table(scene, wcs), folder / "truth" / "stars.ecsv")
    with replacing(folder / "truth" / "population.yaml") as path:
        path.write_text(yaml.safe_dump(true_relations(scene, galaxies, truth), sort_keys=False))
    draw_picture(folder / "mock.png", scene, thumbnails)
    return truth


def _wcs(n: int, scale: float, reference: tuple[float, float]) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = reference
    wcs.wcs.crpix = [(n + 1) / 2, (n + 1) / 2]
    wcs.wcs.cd = np.diag([-scale, scale]) / 3600.0
    return wcs


def _write_image(folder: Path, mosaic: Mosaics, name: str, image: np.ndarray, error: np.ndarray) -> None:
    """Write a filter's maps; `image` and `error` [nJy] are used up."""
    unit, factor = _UNITS[mosaic.channel]
    header = _wcs(mosaic.n, mosaic.scale, mosaic.scene.reference).to_header()
    header["BUNIT"] = unit
    header["FILTER"] = name
    header["TELESCOP"], header["INSTRUME"] = "JWST (mock)", "NIRCAM"

    def write(kind: str, pixels: np.ndarray, header: fits.Header | None) -> None:
        with replacing(folder / f"{name}_{kind}.fits") as path:
            fits.PrimaryHDU(pixels, header).writeto(path)

    image *= np.float32(factor)
    if error_kind(name) == "err":
        write("sci", image, header)
        error *= np.float32(factor)
        write("err", error, header)
        return
    # As grizli's mosaics have it: weights of the sky alone, none where there is no good exposure, and exposure maps
    # of fewer pixels.
    header.update(_CALIBRATION)
    write("sci", np.nan_to_num(image, copy=False, nan=0.0), header)
    weight, electrons = mosaic.exposure(name)
    seconds = electrons[2::_BINNING, 2::_BINNING] / electrons_per_njy_s(header, name, name)
    del electrons
    write("exp", seconds.astype(np.float32), None)
    weight *= factor
    np.power(weight, -2.0, out=weight)
    weight[~np.isfinite(error)] = 0.0
    write("wht", weight, header)
