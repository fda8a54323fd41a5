"""Products of a small field whose names and comments are hostile, made by the library without a workflow."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table, vstack
from astropy.wcs import WCS
from clumpscope.images.cutouts import Cutout, write_cutouts
from clumpscope.images.detection import detect_clumps, write_segmentation
from clumpscope.images.selection import galaxy_rows, select_galaxies
from clumpscope.inputs import read_edits
from clumpscope.inspect.field import write_field
from clumpscope.inspect.galaxy import GalaxyProducts, write_galaxy
from clumpscope.inspect.pages import copy_static
from clumpscope.photometry.residuals import write_residuals
from clumpscope.tables import write_table

HOSTILE = (
    '<script>document.title="owned"</script><img src=x onerror=document.title="owned">"\' , # \U0001f52d '
    + "x" * 9900
)
FILTERS = {"F115W": 0.02, "F150W": 0.02, "F277W": 0.04}
PIVOTS = {"F115W": 11543.0, "F150W": 15007.0, "F277W": 27617.0}
SIDE_ARCSEC, NOISE, FWHM_ARCSEC = 3.2, 1.0, 0.05
CENTRES = {"1": (40.0, -20.0), "g-2": (40.01, -20.0), "faint": (40.02, -20.0)}
# East and north of the centre [arcsec], and peak [noise].
CLUMPS = {"1": [(0.3, 0.2, 60.0), (-0.4, 0.3, 40.0), (0.1, -0.5, 25.0)], "g-2": [(0.0, 0.0, 50.0), (0.5, 0.1, 30.0)], "faint": [(0.0, 0.1, 30.0)]}  # fmt: skip


def wcs_of(centre, scale, rotation_deg=0.0):
    n = round(SIDE_ARCSEC / scale)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = centre, ((n + 1) / 2, (n + 1) / 2)
    angle = np.deg2rad(rotation_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = turn @ np.diag([-scale, scale]) / 3600.0
    return wcs, (n, n)


def place(centre, east, north):
    return centre[0] + east / 3600.0 / np.cos(np.deg2rad(centre[1])), centre[1] + north / 3600.0


def cutouts_of(galaxy, rotation_deg=30.0):
    """Cutouts and the clumps in them, round Gaussians on smooth light and noise."""
    rng = np.random.default_rng(len(galaxy))
    cutouts, models = {}, {}
    for k, (name, scale) in enumerate(FILTERS.items()):
        wcs, shape = wcs_of(CENTRES[galaxy], scale, rotation_deg * (k > 1))
        y, x = np.indices(shape)
        model = np.zeros(shape)
        for east, north, peak in CLUMPS[galaxy]:
            u, v = wcs.all_world2pix(*place(CENTRES[galaxy], east, north), 0)
            model += peak * NOISE * np.exp(-((x - u) ** 2 + (y - v) ** 2) / 2 / (0.05 / scale) ** 2)
        middle = (shape[0] - 1) / 2
        smooth = 5.0 * NOISE * np.exp(-np.hypot(x - middle, y - middle) * scale / 0.5)
        data = model + smooth + rng.normal(scale=NOISE, size=shape)
        data[:2, :3] = np.nan
        cutouts[name] = Cutout(data, np.full(shape, NOISE), wcs, 100, 200, scale, name)
        models[name] = model
    return cutouts, models


def make_galaxy(folder: Path, row) -> Table:
    """Write the products of one galaxy as the workflow does, with its edits; gives the photometry, empty for `faint`."""
    galaxy = row["id"]
    own = folder / "galaxies" / galaxy
    own.mkdir(parents=True, exist_ok=True)
    cutouts, models = cutouts_of(galaxy)
    reference = cutouts["F150W"]
    write_cutouts(own / "cutouts.fits", cutouts, galaxy, row["z"], "F150W")
    edits = Table(row["edits"]) if row["edits"] else None
    detection = detect_clumps(
        reference, galaxy, row["ra"], row["dec"], row["radius_arcsec"], FWHM_ARCSEC, edits=edits
    )
    write_segmentation(own / "segmentation.fits", detection, reference)
    write_table(detection.table, own / "clumps.ecsv")
    if galaxy == "faint":
        return detection.table[:0]
    table = detection.table["id", "galaxy", "ra", "dec", "x", "y", "snr", "flags"].copy()
    table["sigma_x_px"], table["sigma_y_px"], table["theta_deg"] = 2.5, 2.0, 30.0
    table["filter_ref"], table["z"], table["mu"] = "F150W", row["z"], 3.0
    for name in FILTERS:
        table[f"flux_{name}_njy"], table[f"flux_{name}_err_njy"] = 10.0 + np.arange(len(table)), 1.0
    table["log_mass_p50"], table["n_bands_snr3"] = 6.5, 4
    write_table(table, own / "photometry.ecsv")
    none = Table({"x": [], "y": [], "moments": np.zeros((0, 3)), "flux": []})
    write_residuals(own / "residuals.fits", cutouts, models, dict.fromkeys(models, none))
    x = np.indices(reference.data.shape)[1]
    with np.errstate(divide="ignore"):
        mu = 3.0 / (1.0 - x / 120.0)
    fits.writeto(
        own / "magnification_map.fits", mu.astype(np.float32), reference.wcs.to_header(), overwrite=True
    )
    return table


def make_pages(folder: Path, edits: Path | None, field: str = HOSTILE[:60]) -> dict[str, Table]:
    """Measure every galaxy with the edits, and write all pages; gives the clumps of each galaxy."""
    galaxies = Table(
        {
            "id": list(CENTRES), "ra": [c[0] for c in CENTRES.values()], "dec": [c[1] for c in CENTRES.values()],
            "z": [1.0, 2.0, 3.0], "system": ["1", HOSTILE, "faint"], "radius_arcsec": [1.2] * 3,
        }
    )  # fmt: skip
    read = read_edits(str(edits), galaxies) if edits else None
    rejected = set() if read is None else set(read["galaxy"][read["action"] == "reject"])
    selection = select_galaxies(galaxies, [4.0, 5.0, 6.0], list(FILTERS), rejected=rejected)
    write_table(selection, folder / "selection.ecsv")
    rows, pages = galaxy_rows(selection, read), folder / "inspect"
    tables = {}
    for galaxy, row in rows.items():
        tables[galaxy] = make_galaxy(folder, row)
        own = folder / "galaxies" / galaxy
        later = {} if galaxy == "faint" else {"photometry": own / "photometry.ecsv"} | {
            name: own / f"{name}.fits" for name in ("residuals", "magnification_map")
        }  # fmt: skip
        products = GalaxyProducts(
            own / "cutouts.fits", own / "clumps.ecsv", own / "segmentation.fits", **later
        )
        write_galaxy(
            pages / f"{galaxy}.html", pages / "data" / f"{galaxy}.js", pages / "thumbnails" / f"{galaxy}.jpg", field,
            row, products, PIVOTS,
        )  # fmt: skip
    catalogue = vstack([table for table in tables.values() if len(table)])
    catalogue["mu_models"] = np.stack([np.ones(len(catalogue)), np.full(len(catalogue), np.nan)], axis=1)
    write_table(catalogue, folder / "catalogue.ecsv")
    detections = {galaxy: folder / "galaxies" / galaxy / "clumps.ecsv" for galaxy in rows}
    write_field(
        pages,
        field,
        folder / "catalogue.ecsv",
        folder / "selection.ecsv",
        edits=edits,
        detections=detections,
    )
    copy_static(pages / "static")
    return tables
