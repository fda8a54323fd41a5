"""A real-looking field, and what astronomers bring in its place: wrong units, signs, references, frames, columns.

Unlike `broken_inputs`, which breaks files at random, every case here is sound to a reader of files, and wrong to one who
knows what the numbers mean: images hold sources, the maps of the lens are those of its parameters, images of one source
lie where the lens puts them. A case is judged by what is said before the first job.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from broken_inputs import MODEL
from clumpscope.checking import check_configuration
from clumpscope.lensing import read_lenstool

CENTRE = (150.0, 2.0)
PLACE = (CENTRE[0] - 16.0 / 3600.0, CENTRE[1] + 4.0 / 3600.0)  # of the mosaics, where the lens magnifies
SCALES = {"F115W": 0.03, "F150W": 0.03, "F200W": 0.03, "F277W": 0.06, "F356W": 0.06, "F444W": 0.06}
FWHM = {"F115W": 0.06, "F150W": 0.065, "F200W": 0.075, "F277W": 0.11, "F356W": 0.13, "F444W": 0.16}  # arcsec
SIDE = 15.0  # arcsec
SIGMA = 0.5  # nJy a pixel of 0.03 arcsec
MAP_SCALE, MAP_SIZE = 0.4, 161
LENS = MODEL.replace("10.0 -30.0", f"{CENTRE[0]} {CENTRE[1]}")


def sky(shape: tuple[int, int], scale: float, centre=PLACE, turn: float = 0.0, flip: int = 1) -> WCS:
    """A tangential WCS centred on a place; `flip` -1 has East on the right."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], list(centre)
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    angle = np.deg2rad(turn)
    matrix = np.array([[-flip * np.cos(angle), np.sin(angle)], [flip * np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = matrix * scale / 3600.0
    wcs.wcs.radesys = "ICRS"
    return wcs


def gaussian(shape: tuple[int, int], x: float, y: float, fwhm: float) -> np.ndarray:
    """A round Gaussian of unit sum [pix]."""
    rows, columns = np.indices(shape)
    sigma = fwhm / 2.3548
    return np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / sigma**2) / (2 * np.pi * sigma**2)


@cache
def sources() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """RA, Dec [deg], flux [nJy] and width [arcsec] of everything on the sky: eight galaxies of a disc and three clumps, and five stars."""
    rng = np.random.default_rng(11)
    east, north = rng.uniform(-5.5, 5.5, (2, 13))
    rows = [(east[k], north[k], 400.0, 0.0) for k in range(8, 13)]
    for k in range(8):
        rows.append((east[k], north[k], 300.0, 0.35))
        rows += [(east[k] + a, north[k] + b, 40.0, 0.0) for a, b in rng.normal(0.0, 0.3, (3, 2))]
    east, north, flux, width = np.array(rows).T
    return PLACE[0] + east / 3600 / np.cos(np.deg2rad(PLACE[1])), PLACE[1] + north / 3600, flux, width


def noise(n: int, scale: float) -> np.ndarray:
    """Standard deviation [nJy] of every pixel: the right half has a quarter of the exposure."""
    columns = np.arange(n) >= n // 2
    return np.broadcast_to(SIGMA * scale / 0.03 * (1.0 + columns), (n, n))


def mosaic(band: str, wcs: WCS | None = None, scale: float | None = None, seed: int = 1) -> np.ndarray:
    """Image [nJy] of all sources in one filter, with noise."""
    scale = scale or SCALES[band]
    n = round(SIDE / scale)
    wcs = wcs or sky((n, n), scale)
    ra, dec, flux, width = sources()
    x, y = wcs.all_world2pix(ra, dec, 0)
    image = np.random.default_rng([seed, list(SCALES).index(band)]).normal(0.0, 1.0, (n, n)) * noise(n, scale)
    for k in range(len(ra)):
        image += flux[k] * gaussian((n, n), x[k], y[k], np.hypot(FWHM[band], width[k]) / scale)
    return image


def lensed_images(path: Path, z: float) -> list[tuple[float, float]]:
    """RA and Dec of the outer images of one source behind the lens, found on a grid."""
    model = read_lenstool(path)
    axis = np.arange(-40.0, 40.0, 0.1)
    x, y = np.meshgrid(axis, axis)
    alpha = model.deflection(x, y, z)
    away = np.hypot(x - alpha[0] - 4.0, y - alpha[1] - 1.0)
    places = []
    for near in (x > 5.0, x < -5.0):
        row, column = np.unravel_index(np.argmin(np.where(near, away, np.inf)), away.shape)
        assert away[row, column] < 0.1
        places.append(tuple(map(float, model.sky(axis[column], axis[row]))))
    return places


@dataclass
class HostileField:
    """The sound field's files in a folder, and its configuration."""

    folder: Path
    config: dict

    def path(self, name: str) -> Path:
        return self.folder / name

    @property
    def field(self) -> dict:
        return self.config["fields"]["a"]

    def image(self, band: str = "F150W", key: str = "sci") -> tuple[np.ndarray, fits.Header]:
        with fits.open(self.path(f"{band}_{key}.fits")) as hdus:
            return np.array(hdus[0].data), hdus[0].header.copy()

    def write(self, data, header, band: str = "F150W", key: str = "sci") -> None:
        fits.writeto(self.path(f"{band}_{key}.fits"), data, header, overwrite=True)

    def table(self, name: str = "galaxies.csv") -> Table:
        return Table.read(self.path(name), format="ascii.csv", converters={"id": str, "galaxy": str})

    def put(self, table: Table, name: str = "galaxies.csv") -> None:
        table.write(self.path(name), format="ascii.csv", overwrite=True)

    def said(self) -> tuple[list[str], list[str]]:
        """Errors and doubts before the first job."""
        path = self.path("config.yaml")
        path.write_text(yaml.safe_dump(self.config, sort_keys=False))
        found = check_configuration(path)
        return found.errors, found.doubts


def sound_field(folder: Path) -> HostileField:
    """Write the sound field."""
    images = {}
    for band, scale in SCALES.items():
        data = mosaic(band)
        header = sky(data.shape, scale).to_header()
        header["BUNIT"] = "nJy"
        fits.writeto(folder / f"{band}_sci.fits", data, header)
        fits.writeto(folder / f"{band}_err.fits", noise(len(data), scale), header)
        size = 2 * round(1.2 / scale) + 1
        psf = gaussian((size, size), size // 2, size // 2, FWHM[band] / scale)
        fits.writeto(folder / f"{band}_psf.fits", psf)
        images[band] = {key: str(folder / f"{band}_{key}.fits") for key in ("sci", "err", "psf")}
    (folder / "best.par").write_text(LENS)
    model = read_lenstool(folder / "best.par")
    frame = sky((MAP_SIZE, MAP_SIZE), MAP_SCALE, CENTRE)
    rows, columns = np.indices((MAP_SIZE, MAP_SIZE))
    x, y = model.offsets(*frame.all_pix2world(columns, rows, 0))
    far = 1.0 / model.distance_ratio(3.0)  # the maps are for D_LS / D_S = 1
    kappa, gamma1, gamma2 = (far * plane for plane in model.convergence_shear(x, y, 3.0))
    alpha_x, alpha_y = (far * plane for plane in model.deflection(x, y, 3.0))
    planes = {
        "kappa": kappa,
        "gamma1": gamma1,
        "gamma2": gamma2,
        "deflection_x": alpha_x,
        "deflection_y": alpha_y,
    }
    for name, plane in planes.items():
        fits.writeto(folder / f"{name}.fits", plane, frame.to_header())
    maps = {name: str(folder / f"{name}.fits") for name in planes}
    lens = [
        {"kind": "lenstool", "model": str(folder / "best.par")},
        {
            "kind": "maps",
            "z_lens": 0.4,
            "normalisation": {"dls_ds": 1.0},
            "deflection_unit": "arcsec",
            **maps,
        },
    ]
    ra, dec, flux, width = sources()
    own = np.flatnonzero(width > 0)
    images_of_one = lensed_images(folder / "best.par", 2.0)
    n = len(own)
    galaxies = Table({
        "id": [f"g{k}" for k in range(n + len(images_of_one))], "ra": [*ra[own], *(p[0] for p in images_of_one)],
        "dec": [*dec[own], *(p[1] for p in images_of_one)], "z": [*np.linspace(1.1, 3.5, n), *[2.0] * len(images_of_one)],
        "radius_arcsec": [1.0] * (n + len(images_of_one)), "system": [*[""] * n, *["s1"] * len(images_of_one)],
        "f_F150W": [420.0] * (n + len(images_of_one)), "e_F150W": [20.0] * (n + len(images_of_one)),
    })  # fmt: skip
    galaxies.write(folder / "galaxies.csv", format="ascii.csv")
    stars = np.flatnonzero(flux > 350)
    Table({"ra": ra[stars], "dec": dec[stars]}).write(folder / "stars.csv", format="ascii.csv")
    (folder / "edits.csv").write_text(f"galaxy,action,ra,dec\ng0,add,{ra[own[0]]:.7f},{dec[own[0]]:.7f}\n")
    bands = list(SCALES)
    rng = np.random.default_rng(5)
    clusters = Table({"id": [f"c{k}" for k in range(12)], "ra": [PLACE[0]] * 12, "dec": [PLACE[1]] * 12})
    for band in bands:
        clusters[f"{band}_njy"] = np.round(rng.lognormal(2.5, 0.4, 12), 3)
        clusters[f"{band}_err_njy"] = np.round(rng.uniform(0.8, 1.2, 12), 3)
    clusters["mu"] = 3.0
    clusters.write(folder / "clusters.csv", format="ascii.csv")
    Table(
        {"r_eff_pc": [30.0, 60.0, 100.0], "log_mass": [6.0, 7.0, 7.5], "m_v_ab": [-14.0, -15.0, -17.0]}
    ).write(folder / "sample.csv", format="ascii.csv")
    config = {
        "fields": {
            "a": {"images": images, "galaxies": str(folder / "galaxies.csv"), "lens": lens, "stars": str(folder / "stars.csv"), "edits": str(folder / "edits.csv")},
            "b": {"photometry": str(folder / "clusters.csv"), "redshift": 0.39, "lens": {"kind": "none"}},
        },
        "figures": {"tables": {"theirs": str(folder / "sample.csv")}},
    }  # fmt: skip
    return HostileField(folder, config)


CASES: dict[str, tuple[Callable[[HostileField], None], str]] = {}
"""Name -> what is done to the sound field, and what must become of it: refused, told, or right."""


def case(name: str, verdict: str) -> Callable:
    """Register a case."""

    def take(function: Callable[[HostileField], None]) -> Callable:
        CASES[name] = (function, verdict)
        return function

    return take


# -- lens models --------------------------------------------------------------------------------------------------


def _rewrite(case: HostileField, old: str, new: str) -> None:
    text = case.path("best.par").read_text()
    assert old in text
    case.path("best.par").write_text(text.replace(old, new))


def _planes(case: HostileField, **changed: Callable[[dict], np.ndarray]) -> None:
    names = ("kappa", "gamma1", "gamma2", "deflection_x", "deflection_y")
    planes, header = {}, None
    for name in names:
        with fits.open(case.path(f"{name}.fits")) as hdus:
            planes[name], header = np.array(hdus[0].data), hdus[0].header.copy()
    for name, make in changed.items():
        fits.writeto(case.path(f"{name}.fits"), make(planes), header, overwrite=True)


@case("lens: v_disp in m/s", "refused")
def _(case):
    _rewrite(case, "v_disp 800", "v_disp 800000")


@case("lens: redshift of a cluster behind the sources", "told")
def _(case):
    _rewrite(case, "z_lens 0.4", "z_lens 4.0")
    case.field["lens"] = case.field["lens"][:1]


@case("lens: mirrored, x to the East", "told")
def _(case):
    _rewrite(case, "x_centre 1.0", "x_centre -12.0")
    case.field["lens"] = case.field["lens"][:1]


@case("lens: reference 30 arcsec off", "told")
def _(case):
    _rewrite(case, f"reference 3 {CENTRE[0]}", f"reference 3 {CENTRE[0] - 30 / 3600}")
    case.field["lens"] = case.field["lens"][:1]


@case("lens: reference in hours", "refused")
def _(case):
    _rewrite(case, f"reference 3 {CENTRE[0]}", f"reference 3 {CENTRE[0] / 15}")


@case("maps: deflections swapped", "refused")
def _(case):
    _planes(case, deflection_x=lambda p: p["deflection_y"], deflection_y=lambda p: p["deflection_x"])


@case("maps: deflections in pixels, said to be arcsec", "refused")
def _(case):
    _planes(case, **{n: (lambda p, n=n: p[n] / MAP_SCALE) for n in ("deflection_x", "deflection_y")})


@case("maps: deflections in degrees", "refused")
def _(case):
    _planes(case, **{n: (lambda p, n=n: p[n] / 3600) for n in ("deflection_x", "deflection_y")})


@case("maps: deflections of the opposite sign", "refused")
def _(case):
    _planes(case, **{n: (lambda p, n=n: -p[n]) for n in ("deflection_x", "deflection_y")})


@case("maps: deflection_x to the East", "refused")
def _(case):
    _planes(case, deflection_x=lambda p: -p["deflection_x"])


@case("maps: deflections for another source than kappa", "refused")
def _(case):
    _planes(case, **{n: (lambda p, n=n: 0.55 * p[n]) for n in ("deflection_x", "deflection_y")})


@case("maps: upside down without its header", "refused")
def _(case):
    _planes(case, **{n: (lambda p, n=n: p[n][::-1]) for n in ("deflection_x", "deflection_y")})


@case("maps: surface density in place of kappa", "refused")
def _(case):
    _planes(case, kappa=lambda p: 2e9 * p["kappa"])
    for name in ("deflection_x", "deflection_y", "deflection_unit"):
        case.field["lens"][1].pop(name)


@case("maps: kappa below zero", "refused")
def _(case):
    _planes(case, kappa=lambda p: -p["kappa"])
    for name in ("deflection_x", "deflection_y", "deflection_unit"):
        case.field["lens"][1].pop(name)


@case("maps: kappa and gamma1 swapped", "refused")
def _(case):
    _planes(case, kappa=lambda p: p["gamma1"], gamma1=lambda p: p["kappa"])


def _magnification(case: HostileField, make: Callable) -> None:
    def plane(p):
        ratio = read_lenstool(case.path("best.par")).distance_ratio(2.0)
        gamma2 = p["gamma1"] ** 2 + p["gamma2"] ** 2
        return make((1 - ratio * p["kappa"]) ** 2 - ratio**2 * gamma2)

    _planes(case, kappa=plane)
    lens = {"kind": "maps", "z_lens": 0.4, "normalisation": {"z_source": 2.0}}
    case.field["lens"][1] = lens | {"magnification": str(case.path("kappa.fits"))}


@case("maps: magnification", "right")
def _(case):
    _magnification(case, lambda inverse: 1 / inverse)


@case("maps: inverse magnification", "told")
def _(case):
    _magnification(case, lambda inverse: inverse)


@case("maps: magnification in magnitudes", "unseen")
def _(case):
    _magnification(case, lambda inverse: -2.5 * np.log10(np.abs(1 / inverse)))


# -- PSFs ---------------------------------------------------------------------------------------------------------


@case("PSF: five pixels off its middle", "right")
def _(case):
    psf, header = case.image(key="psf")
    case.write(np.roll(psf, (5, -4), (0, 1)), header, key="psf")


@case("PSF: sum of 1.85", "right")
def _(case):
    psf, header = case.image(key="psf")
    case.write(1.85 * psf, header, key="psf")


@case("PSF: on pixels of half the size, unsaid", "told")
def _(case):
    n = 161
    case.write(gaussian((n, n), n // 2, n // 2, FWHM["F150W"] / 0.015), fits.Header(), key="psf")


@case("PSF: on pixels of twice the size, unsaid", "refused")
def _(case):
    case.write(gaussian((61, 61), 30, 30, FWHM["F444W"] / 0.12), fits.Header(), "F444W", "psf")


@case("PSF: of the reddest filter in the bluest", "told")
def _(case):
    case.write(gaussian((81, 81), 40, 40, FWHM["F444W"] / 0.03), fits.Header(), "F115W", "psf")


@case("PSF: of the bluest filter in the reddest", "refused")
def _(case):
    case.write(gaussian((61, 61), 30, 30, FWHM["F115W"] / 0.06), fits.Header(), "F444W", "psf")


@case("PSF: a star on its sky", "refused")
def _(case):
    psf, header = case.image(key="psf")
    case.write(400 * psf + 0.3, header, key="psf")


@case("PSF: with a neighbour", "told")
def _(case):
    psf, header = case.image(key="psf")
    case.write(psf + 0.5 * np.roll(psf, 10, 1), header, key="psf")


@case("PSF: the science image", "refused")
def _(case):
    case.field["images"]["F150W"]["psf"] = case.field["images"]["F150W"]["sci"]


@case("PSF: logarithms of a PSF", "told")
def _(case):
    psf, header = case.image(key="psf")
    case.write(np.log10(psf + 1e-12) + 12, header, key="psf")


# -- mosaics ------------------------------------------------------------------------------------------------------


def _again(case: HostileField, band: str, **frame) -> None:
    scale = frame.pop("scale", SCALES[band])
    n = round(SIDE / scale)
    wcs = sky((n, n), scale, **frame)
    header = wcs.to_header()
    header["BUNIT"] = "nJy"
    case.write(mosaic(band, wcs, scale), header, band)
    case.write(noise(n, scale), header, band, "err")
    size = 2 * round(1.2 / scale) + 1
    case.write(gaussian((size, size), size // 2, size // 2, FWHM[band] / scale), None, band, "psf")


@case("mosaic: rotated by 40 degrees", "right")
def _(case):
    _again(case, "F277W", turn=40.0)


@case("mosaic: East on the right", "right")
def _(case):
    _again(case, "F277W", flip=-1)


@case("mosaic: pixels of 0.04 arcsec, half a pixel aside", "right")
def _(case):
    _again(case, "F277W", scale=0.04, centre=(PLACE[0] + 0.02 / 3600, PLACE[1] + 0.02 / 3600))


@case("mosaic: flipped without its header", "told")
def _(case):
    data, header = case.image()
    case.write(data[:, ::-1], header)


@case("mosaic: half a LW pixel off, as naive rebinning leaves it", "told")
def _(case):
    _, header = case.image("F277W")
    data = mosaic("F277W", sky((250, 250), 0.06, (PLACE[0] + 0.09 / 3600, PLACE[1])))
    case.write(data, header, "F277W")


@case("mosaic: one pixel off, counting from 0", "told")
def _(case):
    data, header = case.image("F444W")
    header["CRPIX1"] -= 1
    header["CRPIX2"] -= 1
    case.write(data, header, "F444W")


@case("mosaic: in the frame of B1950", "refused")
def _(case):
    data, header = case.image()
    header["RADESYS"], header["EQUINOX"] = "FK4", 1950.0
    case.write(data, header)


@case("mosaic: MJy/sr without PIXAR_SR", "right")
def _(case):
    data, header = case.image()
    header["BUNIT"] = "MJy/sr"
    scale = 1e-15 / (np.pi / 180 / 3600 * 0.03) ** 2
    case.write(scale * data, header)
    case.write(scale * case.image(key="err")[0], header, key="err")


@case("mosaic: nJy said to be MJy/sr", "told")
def _(case):
    data, header = case.image()
    header["BUNIT"] = "MJy/sr"
    case.write(data, header)
    table = case.table()
    table.remove_columns(["f_F150W", "e_F150W"])
    case.put(table)


@case("mosaic: all in counts said to be nJy", "told")
def _(case):
    for band in SCALES:
        data, header = case.image(band)
        case.write(1e-3 * data, header, band)
        case.write(1e-3 * case.image(band, "err")[0], header, band, "err")


@case("mosaic: the same pixels under two filters", "told")
def _(case):
    case.write(*case.image("F150W"), "F200W")
    case.write(case.image("F150W", "psf")[0], None, "F200W", "psf")


@case("mosaic: magnitudes an arcsec2", "refused")
def _(case):
    data, header = case.image()
    header["BUNIT"] = "mag(AB)"
    case.write(-2.5 * np.log10(np.abs(data) + 1e-9) + 31.4, header)


@case("errors: variances", "told")
def _(case):
    errors, header = case.image(key="err")
    case.write(errors**2, header, key="err")


@case("weights: variances", "told")
def _(case):
    errors, header = case.image(key="err")
    case.write(errors**2, header, key="err")
    image = case.field["images"]["F150W"]
    image["wht"] = image.pop("err")


@case("weights: inverse variances", "right")
def _(case):
    errors, header = case.image(key="err")
    case.write(errors**-2, header, key="err")
    image = case.field["images"]["F150W"]
    image["wht"] = image.pop("err")


@case("weights: exposure times", "refused")
def _(case):
    errors, header = case.image(key="err")
    case.write(5000.0 * (errors.min() / errors) ** 2, header, key="err")
    image = case.field["images"]["F150W"]
    image["wht"] = image.pop("err")


@case("weights: relative ones", "unseen")
def _(case):
    errors, header = case.image(key="err")
    case.write((errors.min() / errors) ** 2, header, key="err")
    image = case.field["images"]["F150W"]
    image["wht"] = image.pop("err")


@case("errors: the science image", "refused")
def _(case):
    case.field["images"]["F150W"]["err"] = case.field["images"]["F150W"]["sci"]


@case("errors: upside down", "told")
def _(case):
    errors, header = case.image(key="err")
    case.write(errors[:, ::-1], header, key="err")


# -- catalogues ---------------------------------------------------------------------------------------------------


def _column(case: HostileField, name: str, make: Callable, file: str = "galaxies.csv") -> None:
    table = case.table(file)
    table[name] = make(table)
    case.put(table, file)


@case("catalogue: RA in hours", "refused")
def _(case):
    _column(case, "ra", lambda t: t["ra"] / 15)


@case("catalogue: RA in hours in half of the rows", "told")
def _(case):
    _column(case, "ra", lambda t: np.where(np.arange(len(t)) % 2, t["ra"] / 15, t["ra"]))


@case("catalogue: RA and Dec exchanged", "refused")
def _(case):
    table = case.table()
    table["ra"], table["dec"] = table["dec"].copy(), table["ra"].copy()
    case.put(table)


@case("catalogue: sexagesimal places", "refused")
def _(case):
    _column(case, "ra", lambda t: ["10:00:03.1"] * len(t))


@case("catalogue: pixels for places", "refused")
def _(case):
    _column(case, "ra", lambda t: 100.0 + np.arange(len(t)))
    _column(case, "dec", lambda t: 20.0 + np.arange(len(t)))


@case("catalogue: magnitudes under z", "told")
def _(case):
    _column(case, "z", lambda t: np.linspace(16.0, 19.5, len(t)))


@case("catalogue: magnitudes to 26 under z", "refused")
def _(case):
    _column(case, "z", lambda t: np.linspace(20.0, 26.0, len(t)))


@case("catalogue: redshifts of -99", "refused")
def _(case):
    _column(case, "z", lambda t: np.where(np.arange(len(t)) == 3, -99.0, t["z"]))


@case("catalogue: errors of redshift for its ends", "refused")
def _(case):
    _column(case, "z_lo", lambda t: [0.1] * len(t))
    _column(case, "z_hi", lambda t: [0.1] * len(t))


@case("catalogue: fluxes in uJy", "told")
def _(case):
    for name in ("f_F150W", "e_F150W"):
        _column(case, name, lambda t, name=name: t[name] / 1000)


@case("catalogue: fluxes in uJy, said so", "right")
def _(case):
    table = case.table()
    for name in ("f_F150W", "e_F150W"):
        table[name] = table[name] / 1000
        table[name].unit = "uJy"
    table.write(case.path("galaxies.ecsv"), format="ascii.ecsv")
    case.field["galaxies"] = str(case.path("galaxies.ecsv"))


@case("catalogue: magnitudes for fluxes", "told")
def _(case):
    _column(case, "f_F150W", lambda t: 31.4 - 2.5 * np.log10(t["f_F150W"]))
    _column(case, "e_F150W", lambda t: [0.05] * len(t))


@case("catalogue: fluxes of -99", "told")
def _(case):
    _column(case, "f_F150W", lambda t: np.where(np.arange(len(t)) < 3, -99.0, t["f_F150W"]))
    _column(case, "e_F150W", lambda t: [1.0] * len(t))


@case("catalogue: ids that differ by blanks", "refused")
def _(case):
    _column(case, "id", lambda t: ["a", "a ", *t["id"][2:]])


@case("catalogue: ids with spaces", "refused")
def _(case):
    _column(case, "id", lambda t: [f"g {k}" for k in range(len(t))])


@case("catalogue: ids in Greek", "refused")
def _(case):
    _column(case, "id", lambda t: ["\u03b1", *t["id"][1:]])


@case("catalogue: ids with leading zeros", "right")
def _(case):
    _column(case, "id", lambda t: ["001", "01", "1", *t["id"][3:]])
    (case.path("edits.csv")).write_text("galaxy,action,ra,dec\n001,inspected,,\n01,comment,,\n")


@case("catalogue: ids that differ by case", "right")
def _(case):
    _column(case, "id", lambda t: [t["id"][0], t["id"][0].upper(), *t["id"][2:]])


@case("catalogue: the same galaxy under two ids", "told")
def _(case):
    table = case.table()
    table.add_row(dict(zip(table.colnames, table[0], strict=True)) | {"id": "again"})
    case.put(table)


@case("catalogue: semicolons", "refused")
def _(case):
    path = case.path("galaxies.csv")
    path.write_text(path.read_text().replace(",", ";"))


@case("catalogue: decimal commas", "refused")
def _(case):
    path = case.path("galaxies.csv")
    path.write_text(path.read_text().replace(",", ";").replace(".", ","))


@case("catalogue: columns in capitals", "refused")
def _(case):
    table = case.table()
    table.rename_columns(["ra", "dec"], ["RA", "DEC"])
    case.put(table)


@case("catalogue: radius in degrees", "refused")
def _(case):
    _column(case, "radius_arcsec", lambda t: [1.0 / 3600] * len(t))


@case("catalogue: radius in pixels", "told")
def _(case):
    _column(case, "radius_arcsec", lambda t: [33.0] * len(t))


@case("catalogue: mu below zero", "right")
def _(case):
    _column(case, "mu", lambda t: [-3.0] * len(t))


# -- stars, edits, other tables -----------------------------------------------------------------------------------


@case("stars: pixels for places", "refused")
def _(case):
    table = case.table("stars.csv")
    table["ra"], table["dec"] = np.arange(5) + 100.0, np.arange(5) + 30.0
    case.put(table, "stars.csv")
    for image in case.field["images"].values():
        image.pop("psf")


@case("edits: RA in hours", "refused")
def _(case):
    _column(case, "ra", lambda t: t["ra"] / 15, "edits.csv")


@case("edits: action in capitals", "refused")
def _(case):
    _column(case, "action", lambda t: ["ADD"], "edits.csv")


@case("edits: an id without its zeros", "refused")
def _(case):
    _column(case, "id", lambda t: ["001", *t["id"][1:]])
    _column(case, "galaxy", lambda t: ["1"], "edits.csv")


@case("edits: nothing but names", "right")
def _(case):
    case.path("edits.csv").write_text("galaxy,action,ra,dec\n")


@case("edits: a place with spaces around it", "right")
def _(case):
    lines = case.path("edits.csv").read_text().splitlines()
    case.path("edits.csv").write_text("\n".join([lines[0], lines[1].replace(",", " , "), "", ""]))


@case("comparison: sizes in kpc", "refused")
def _(case):
    _column(case, "r_eff_pc", lambda t: t["r_eff_pc"] / 1000, "sample.csv")


@case("comparison: masses for their logarithms", "refused")
def _(case):
    _column(case, "log_mass", lambda t: 10 ** t["log_mass"], "sample.csv")


@case("comparison: apparent magnitudes", "refused")
def _(case):
    _column(case, "m_v_ab", lambda t: t["m_v_ab"] + 44.0, "sample.csv")


@case("comparison: a column in another unit", "refused")
def _(case):
    table = case.table("sample.csv")
    table["r_eff_pc"].unit = "kpc"
    table.write(case.path("sample.ecsv"), format="ascii.ecsv")
    case.config["figures"]["tables"]["theirs"] = str(case.path("sample.ecsv"))


@case("clusters: fluxes in uJy", "told")
def _(case):
    for name in case.table("clusters.csv").colnames:
        if name.endswith("_njy"):
            _column(case, name, lambda t, name=name: t[name] / 1000, "clusters.csv")


@case("clusters: magnitudes with their errors", "told")
def _(case):
    for band in SCALES:
        _column(case, f"{band}_njy", lambda t, b=band: 31.4 - 2.5 * np.log10(t[f"{b}_njy"]), "clusters.csv")
        _column(case, f"{band}_err_njy", lambda t: [0.08] * len(t), "clusters.csv")


@case("clusters: fluxes of -99", "told")
def _(case):
    _column(
        case, "F444W_njy", lambda t: np.where(np.arange(len(t)) < 2, -99.0, t["F444W_njy"]), "clusters.csv"
    )


@case("clusters: zeros where nothing was measured", "refused")
def _(case):
    for name in ("F444W_njy", "F444W_err_njy"):
        _column(case, name, lambda t: [0.0] * len(t), "clusters.csv")


@case("clusters: relative errors", "told")
def _(case):
    for band in SCALES:
        _column(case, f"{band}_err_njy", lambda t: [0.05] * len(t), "clusters.csv")


@case("reddening: A_V in place of E(B-V), of another field", "told")
def _(case):
    case.field["reddening"] = {"ebv": 3.1}


@case("catalogue: images of one source at other redshifts", "told")
def _(case):
    _column(case, "z", lambda t: np.where(np.arange(len(t)) == len(t) - 1, 3.4, t["z"]))


@case("catalogue: systems by number, some empty", "right")
def _(case):
    table = case.table()
    table["system"] = np.ma.masked_array(
        np.where(table["system"] == "s1", 1, 0), mask=table["system"] != "s1"
    )
    table.write(case.path("galaxies.fits"))
    case.field["galaxies"] = str(case.path("galaxies.fits"))


@case("catalogue: a FITS table with an empty redshift", "refused")
def _(case):
    table = case.table()
    table["z"] = np.ma.masked_array(table["z"], mask=np.arange(len(table)) == 2)
    table.write(case.path("galaxies.fits"))
    case.field["galaxies"] = str(case.path("galaxies.fits"))


@case("catalogue: big-endian numbers and padded ids", "right")
def _(case):
    table = case.table()
    columns = [fits.Column("id", "12A", array=np.char.ljust(np.asarray(table["id"], str), 12))]
    columns += [fits.Column(n, "D", array=np.asarray(table[n], ">f8")) for n in ("ra", "dec", "z")]
    fits.BinTableHDU.from_columns(columns).writeto(case.path("galaxies.fits"))
    case.field["galaxies"] = str(case.path("galaxies.fits"))


@case("catalogue: vectors under z", "refused")
def _(case):
    table = case.table()
    table["z"] = np.stack([table["z"], table["z"]], axis=1)
    table.write(case.path("galaxies.fits"))
    case.field["galaxies"] = str(case.path("galaxies.fits"))


@case("catalogue: ids that are fractions", "refused")
def _(case):
    table = case.table()
    table["id"] = np.arange(len(table)) + 1.0
    table.write(case.path("galaxies.fits"))
    case.field["galaxies"] = str(case.path("galaxies.fits"))


@case("catalogue: RA from -180", "refused")
def _(case):
    _column(case, "ra", lambda t: t["ra"] - 360.0)


@case("catalogue: text among radii", "refused")
def _(case):
    _column(case, "radius_arcsec", lambda t: ["small", *[1.0] * (len(t) - 1)])


@case("catalogue: infinite fluxes", "refused")
def _(case):
    _column(case, "f_F150W", lambda t: np.where(np.arange(len(t)) == 1, np.inf, t["f_F150W"]))


def _segments(case: HostileField, make: Callable) -> None:
    _column(case, "id", lambda t: [str(k + 1) for k in range(len(t))])
    case.path("edits.csv").write_text("galaxy,action,ra,dec\n1,inspected,,\n")
    data, header = case.image()
    del header["BUNIT"]
    table = case.table()
    x, y = WCS(header).all_world2pix(table["ra"], table["dec"], 0)
    rows, columns = np.indices(data.shape)
    plane = np.zeros(data.shape, np.int32)
    for number in range(len(table)):
        plane[np.hypot(rows - y[number], columns - x[number]) < 20] = number + 1
    # What overlaps is the nearest one's.
    for number in range(len(table)):
        plane[np.hypot(rows - y[number], columns - x[number]) < 4] = number + 1
    fits.writeto(case.path("segments.fits"), make(plane), header)
    case.field["segmentation"] = str(case.path("segments.fits"))


@case("segmentation: as the catalogue's", "right")
def _(case):
    _segments(case, lambda plane: plane)


@case("segmentation: of another catalogue's ids", "told")
def _(case):
    _segments(case, lambda plane: np.where(plane > 0, plane + 100, 0))


@case("segmentation: upside down", "told")
def _(case):
    _segments(case, lambda plane: plane[::-1])


@case("segmentation: no image", "refused")
def _(case):
    _segments(case, lambda plane: plane)
    case.path("segments.fits").write_text("nothing")


def _exposures(case: HostileField, seconds: float) -> None:
    data, header = case.image()
    header["PHOTMJSR"], header["PIXAR_SR"] = 2.0, 2.1e-14
    case.write(data, header)
    errors, _ = case.image(key="err")
    case.write(errors**-2, header, key="wht")
    case.write(np.full(data.shape, seconds), header, key="exp")
    image = case.field["images"]["F150W"]
    image.pop("err")
    image |= {key: str(case.path(f"F150W_{key}.fits")) for key in ("wht", "exp")}


@case("exposures: seconds", "right")
def _(case):
    _exposures(case, 5000.0)


@case("exposures: how many there were", "told")
def _(case):
    _exposures(case, 8.0)


@case("exposures: Julian dates", "unseen")
def _(case):
    _exposures(case, 2459800.0)


def _clumps(case: HostileField, columns: dict, **changed) -> None:
    table = Table({"host": ["h1", "h1", "h2"], "z": [1.5, 1.5, 2.0], "M": [6.5, 7.0, 8.0], "R": [50.0, 80.0, 120.0], "age": [7.0, 8.0, 8.5], "MV": [-14.0, -15.0, -17.0]})  # fmt: skip
    for name, values in changed.items():
        table[name] = values
    case.put(table, "clumps.csv")
    columns = {"galaxy": "host", "z": "z", "log_mass": "M", "r_eff_pc": "R", "log_age_mw_yr": "age", "m_v_ab": "MV"} | columns  # fmt: skip
    case.config["fields"]["c"] = {"clumps": {"table": str(case.path("clumps.csv")), "columns": columns}}


@case("clumps: as they should be", "right")
def _(case):
    _clumps(case, {})


@case("clumps: masses in Msun, said so", "right")
def _(case):
    _clumps(case, {"log_mass": {"column": "M", "unit": "Msun"}}, M=[1e6, 1e7, 1e8])


@case("clumps: masses for their logarithms", "refused")
def _(case):
    _clumps(case, {}, M=[1e6, 1e7, 1e8])


@case("clumps: ages in Myr for logarithms", "refused")
def _(case):
    _clumps(case, {}, age=[10.0, 50.0, 300.0])


@case("clumps: apparent magnitudes", "refused")
def _(case):
    _clumps(case, {}, MV=[28.0, 29.0, 30.0])


@case("clumps: sizes below zero", "told")
def _(case):
    _clumps(case, {}, R=[-99.0, 80.0, 120.0])


@case("clumps: a column that is not there", "refused")
def _(case):
    _clumps(case, {"log_mass": "logM"})


@case("clumps: two redshifts of one host", "refused")
def _(case):
    _clumps(case, {}, z=[1.5, 1.6, 2.0])
