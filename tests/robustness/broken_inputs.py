"""Inputs broken in every way that a seed can choose, and what becomes of them when a run starts.

A case takes a sound imaging field, photometry field, lens model, posterior or address, and breaks one thing. It is judged
by its outcome alone: *refused* with place, value and expectation; *told* in doubt; *traceback*; or *silent*.
"""

import copy
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from clumpscope import config as configuration
from clumpscope.addresses import is_address, parse_address
from clumpscope.checking import check_selection, check_settings
from clumpscope.errors import InputError
from clumpscope.field_checks import check_field
from clumpscope.sed.products.store import read_posterior

CENTRE = (10.0, -30.0)
MODEL = """runmode
  reference 3 10.0 -30.0
  end
potentiel O1
  profil 81
  x_centre 1.0
  y_centre 0.5
  ellipticite 0.1
  angle_pos 40
  core_radius 4
  cut_radius 200
  v_disp 800
  z_lens 0.4
  end
cosmologie
  H0 70
  omegaM 0.3
  omegaX 0.7
  end
fini
"""
COLUMNS = ("Nsample", "ln(Lhood)", "O1 : x (arcsec)", "O1 : y (arcsec)", "O1 : sigma (km/s)")


@dataclass(frozen=True)
class Outcome:
    """What became of one case: its number, kind and change, the verdict and the message."""

    number: int
    kind: str
    change: str
    verdict: str
    message: str


class Field:
    """A sound configuration with its files, of which each case gets its own copy."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.folder, self.rng, self.change = folder, rng, ""
        self.config = {"fields": {"a": self._imaging(), "b": self._photometry()}}
        self.text: str | None = None

    def _imaging(self) -> dict:
        image = {name: f"{self.folder}/{name}.fits" for name in ("sci", "err", "psf")}
        second = {"sci": f"{self.folder}/sci2.fits", "wht": f"{self.folder}/wht2.fits"}
        lens = {"kind": "lenstool", "model": f"{self.folder}/best.par", "samples": f"{self.folder}/bayes.dat"}
        maps = {name: f"{self.folder}/{name}.fits" for name in ("kappa", "gamma1", "gamma2")}
        other = {"kind": "maps", "z_lens": 0.4, "normalisation": {"dls_ds": 1.0}, **maps}
        return {
            "images": {"F150W": image, "F277W": second}, "galaxies": f"{self.folder}/galaxies.ecsv", "lens": [lens, other],
            "stars": f"{self.folder}/stars.csv", "edits": f"{self.folder}/edits.csv", "reddening": {"ebv": 0.01},
        }  # fmt: skip

    def _photometry(self) -> dict:
        return {"photometry": f"{self.folder}/clusters.csv", "redshift": 0.39, "lens": {"kind": "none"}}

    def write(self) -> None:
        """The files of the sound field."""
        rng = np.random.default_rng(1)
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], CENTRE, [75, 75]
        wcs.wcs.cdelt = [-0.04 / 3600, 0.04 / 3600]
        header = wcs.to_header()
        for name, band in (("sci", "F150W"), ("sci2", "F277W")):
            cards = fits.Header({"BUNIT": "10 nJy", "FILTER": band, "PUPIL": "CLEAR"})
            fits.writeto(self.folder / f"{name}.fits", rng.normal(size=(150, 150)), header + cards)
        for name in ("err", "wht2"):
            fits.writeto(self.folder / f"{name}.fits", np.ones((150, 150)), header)
        axis = np.arange(41) - 20
        fits.writeto(self.folder / "psf.fits", np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / 0.9**2))
        wcs.wcs.cdelt, wcs.wcs.crpix = [-0.2 / 3600, 0.2 / 3600], [20, 20]
        for name in ("kappa", "gamma1", "gamma2"):
            fits.writeto(self.folder / f"{name}.fits", np.full((40, 40), 0.3), wcs.to_header())
        step = 1.0 / 3600
        galaxies = Table({
            "id": ["g1", "g2"], "ra": [10.0, 10.0 + step], "dec": [-30.0, -30.0 - step], "z": [1.5, 2.5], "z_lo": [1.4, 2.4], "z_hi": [1.6, 2.6],
            "radius_arcsec": [1.0, 1.5], "f_F150W": [100.0, 50.0], "e_F150W": [1.0, 2.0],
        })  # fmt: skip
        galaxies.write(self.folder / "galaxies.ecsv")
        (self.folder / "stars.csv").write_text(f"ra,dec\n10.0,{-30 + step}\n")
        (self.folder / "edits.csv").write_text(f"galaxy,action,ra,dec\ng1,add,10.0,{-30 + step / 2}\n")
        (self.folder / "clusters.csv").write_text(
            "id,ra,dec,F150W_njy,F150W_err_njy,F277W_njy,F277W_err_njy,mu,mu_lo,mu_hi\n"
            "c1,10.0,-30.0,5.0,1.0,4.0,1.0,3.0,2.5,3.5\nc2,10.0,-30.0,-1.0,1.0,6.0,1.0,4.0,3.5,4.5\n"
        )
        (self.folder / "best.par").write_text(MODEL)
        rows = [
            f"{k} -10 {x:.3f} {y:.3f} {v:.2f}"
            for k, (x, y, v) in enumerate(rng.normal((1.0, 0.5, 800.0), (0.2, 0.2, 9.0), (40, 3)), 1)
        ]
        (self.folder / "bayes.dat").write_text("\n".join([*(f"#{name}" for name in COLUMNS), *rows, ""]))

    def file(self, name: str) -> Path:
        return self.folder / name

    def pick(self, values: list | tuple | str):
        return values[int(self.rng.integers(len(values)))]

    def start(self) -> list[str]:
        """What the Snakefile does before the first job; gives what it tells in doubt."""
        path = self.folder / "config.yaml"
        path.write_text(self.text or yaml.safe_dump(self.config, sort_keys=False))
        configuration.refuse_repeated_keys(path)
        config, _ = configuration.name_filters(yaml.safe_load(path.read_text()))
        configuration.validate(config)
        doubts = []
        for name, field in config["fields"].items():
            for key, value in configuration.texts(field, f"fields.{name}"):
                if is_address(value):
                    parse_address(value, f"configuration key {key}")
            doubts += check_field(name, {"images": {}, "lens": {"kind": "none"}, **field})
            settings = configuration.field_settings(config, name)
            doubts += check_settings(name, field, settings)
            check_selection(field, settings["selection"])
        return doubts


# -- configuration ------------------------------------------------------------------------------------------------

WRONG = (float("nan"), float("inf"), -1e30, {"x": 1}, [[None]], "no such thing", None)


def _places(value, path=()) -> Iterator[tuple]:
    for key, part in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield (*path, key)
        yield from _places(part, (*path, key))


def _at(config, path):
    for key in path:
        config = config[key]
    return config


def wrong_value(case: Field) -> None:
    path = case.pick(list(_places(case.config)))
    value = case.pick(WRONG)
    _at(case.config, path[:-1])[path[-1]] = copy.deepcopy(value)
    case.change = f"{'.'.join(map(str, path))} = {value!r}"


def wrong_setting(case: Field) -> None:
    schema = yaml.safe_load(configuration.SCHEMA_PATH.read_text())["$defs"]
    section = case.pick([*configuration.METHOD_SECTIONS, *configuration.COMMON_SECTIONS])
    key = case.pick(list(schema[section]["properties"]))
    value = case.pick((float("nan"), float("-inf"), {"x": {"y": 1}}, [[None]]))
    case.config[section] = {key: value}
    case.change = f"{section}.{key} = {value!r}"


def misspelt_key(case: Field) -> None:
    path = case.pick(
        [
            p
            for p in _places(case.config)
            if isinstance(p[-1], str) and p not in (("fields", "a"), ("fields", "b"))
        ]
    )
    own, key = _at(case.config, path[:-1]), path[-1]
    place = int(case.rng.integers(len(key)))
    other = key[:place] + case.pick(string.ascii_lowercase + "_") + key[place + 1 :]
    other = other if other.lower() != key.lower() else key + "x"  # filters may be called by small letters
    own[other] = own.pop(key)
    case.change = f"{'.'.join(map(str, path))} is called {other}"


def lost_key(case: Field) -> None:
    needed = [("fields",), ("fields", "a", "images"), ("fields", "a", "galaxies"), ("fields", "b", "photometry"), ("fields", "b", "redshift"),
              ("fields", "a", "lens", 0, "kind"), ("fields", "a", "lens", 0, "model"), ("fields", "a", "lens", 1, "z_lens"),
              ("fields", "a", "lens", 1, "kappa"), ("fields", "a", "lens", 1, "normalisation"), ("fields", "a", "images", "F150W", "sci")]  # fmt: skip
    path = case.pick(needed)
    del _at(case.config, path[:-1])[path[-1]]
    case.change = f"{'.'.join(map(str, path))} is lost"


def broken_yaml(case: Field) -> None:
    lines = yaml.safe_dump(case.config, sort_keys=False).splitlines()
    row = int(case.rng.integers(1, len(lines)))
    how = case.pick(("repeated", "number", "word"))
    if how == "repeated":
        row = case.pick([k for k, line in enumerate(lines) if ": " in line and "- " not in line])
        lines.insert(row, lines[row])
    else:
        lines.append({"number": "2744: {}", "word": "no: {}"}[how])
    case.text, case.change = "\n".join(lines) + "\n", f"line {row}: {how} key"


def wrong_choice(case: Field) -> None:
    images, field = case.config["fields"]["a"]["images"], case.config["fields"]["a"]
    changes: dict[str, Callable] = {
        "one file twice": lambda: images["F277W"].update(sci=images["F150W"]["sci"]),
        "err and wht": lambda: images["F150W"].update(wht=images["F277W"]["wht"]),
        "sha256 of a file": lambda: images["F150W"].update(sha256="0" * 64),
        "unknown filter": lambda: images.update(F151W=images.pop("F150W")),
        "another filter": lambda: images.update(F200W=images.pop("F150W")),
        "unit of no flux": lambda: images["F150W"].update(unit=case.pick(("kg", "Jy s", "furlong", "m/s"))),
        "another unit": lambda: images["F150W"].update(unit=case.pick(("uJy", "Jy", "MJy/sr"))),
        "pixel scale": lambda: images["F150W"].update(pixel_scale=float(case.rng.uniform(0.05, 1.0))),
        "reddening of one": lambda: field.update(reddening={"F150W": 0.1}),
        "swapped maps": lambda: images["F150W"].update(sci=images["F150W"]["err"], err=images["F150W"]["sci"]),
        "lens of another z": lambda: field["lens"][0].update(z_lens=0.8),
        "a source's redshift": lambda: field["lens"][1].update(normalisation={"z_source": 0.1}),
        "bins": lambda: case.config.update(population={"redshift_bins": [3.0, 1.0]}),
        "reference SFH": lambda: case.config.update(sed={"sfh": ["ssp"], "reference_sfh": "const"}),
        "bounds": lambda: case.config.update(sed={"bounds": {"a_v": [3.0, 1.0]}}),
        "bounds beyond": lambda: case.config.update(sed={"bounds": {"log_z_zsun": [-9.0, 0.0]}}),
        "even box": lambda: case.config.update(fit={"box": 8}),
        "coarse PSF": lambda: images["F150W"].update(psf_oversampling=0.5),
        "oversampled PSF": lambda: images["F150W"].update(psf_oversampling=4.0),
    }  # fmt: skip
    case.change = case.pick(list(changes))
    changes[case.change]()


def wrong_address(case: Field) -> None:
    text = case.pick(("http://far.org/x.fits", "https://", "https://h:99999/x.fits", "https://h/x.fits#sha256=12", "https://h/x.fits#md6=1",
                      "https://h/x.fits#bytes=many", "https://h/\nx.fits", "https://[::1/x.fits", "ftp://h/x.fits", "file:///etc/passwd"))  # fmt: skip
    field = case.config["fields"]["a"]
    key = case.pick(("sci", "galaxies", "model"))
    {"sci": field["images"]["F150W"], "galaxies": field, "model": field["lens"][0]}[key][key] = text
    case.change = f"{key}: {text!r}"


# -- tables -------------------------------------------------------------------------------------------------------


def wrong_cell(case: Field) -> None:
    name, columns = case.pick((
        ("galaxies.ecsv", ("ra", "dec", "z", "z_lo", "f_F150W", "e_F150W", "radius_arcsec")), ("stars.csv", ("ra", "dec")), ("edits.csv", ("ra", "dec", "galaxy", "action")),
        ("clusters.csv", ("ra", "dec", "F150W_njy", "F150W_err_njy", "mu", "mu_lo", "mu_hi")),
    ))  # fmt: skip
    table = Table.read(case.file(name), format="ascii.ecsv" if name.endswith("ecsv") else "ascii.csv")
    column, row = case.pick(columns), int(case.rng.integers(len(table)))
    value = case.pick(("inf", "-inf", "many", "1e400", "0x10", "1,5"))
    table[column] = [str(cell) for cell in table[column]]
    table[column] = table[column].astype("U20")
    table[column][row] = value
    table.write(
        case.file(name), overwrite=True, format="ascii.ecsv" if name.endswith("ecsv") else "ascii.csv"
    )
    case.change = f"{name}, {column}, row {row + 1}: {value}"


def wrong_table(case: Field) -> None:
    galaxies, clusters = Table.read(case.file("galaxies.ecsv")), Table.read(case.file("clusters.csv"))
    changes: dict[str, Callable] = {
        "id twice": lambda: galaxies["id"].__setitem__(1, "g1"),
        "id with a slash": lambda: galaxies["id"].__setitem__(1, "/"),
        "id of nothing": lambda: galaxies["id"].__setitem__(1, ""),
        "no rows": lambda: galaxies.remove_rows([0, 1]),
        "ra and dec swapped": lambda: (galaxies.rename_columns(["ra", "dec"], ["dec_", "ra"]), galaxies.rename_column("dec_", "dec")),
        "elsewhere": lambda: galaxies["dec"].__iadd__(float(case.rng.uniform(0.01, 60))),
        "hours": lambda: galaxies.replace_column("ra", galaxies["ra"] / 15.0),
        "degrees as arcsec": lambda: setattr(galaxies["ra"], "unit", "arcsec"),
        "radii in pixels": lambda: galaxies["radius_arcsec"].__imul__(25.0),
        "radius below zero": lambda: galaxies["radius_arcsec"].__imul__(-1.0),
        "radius of nothing": lambda: galaxies["radius_arcsec"].__imul__(0.0),
        "z outside": lambda: galaxies["z_hi"].__setitem__(0, 1.45),
        "z of 40": lambda: galaxies["z"].__setitem__(1, 40.0),
        "z below zero": lambda: galaxies["z"].__setitem__(1, -1.0),
        "z in front": lambda: galaxies.replace_column("z", galaxies["z"] * 0.0 + 0.1),
        "error of nothing": lambda: galaxies["e_F150W"].__setitem__(0, 0.0),
        "error below zero": lambda: galaxies["e_F150W"].__imul__(-1.0),
        "flux alone": lambda: galaxies.remove_column("e_F150W"),
        "error alone": lambda: galaxies.remove_column("f_F150W"),
        "unknown filter": lambda: galaxies.rename_columns(["f_F150W", "e_F150W"], ["f_F151W", "e_F151W"]),
        "vectors": lambda: galaxies.replace_column("z", np.ones((2, 3))),
        "mu over its end": lambda: clusters["mu_hi"].__setitem__(0, 2.9),
        "errors for ends": lambda: clusters.replace_column("mu_lo", clusters["mu"] + 0.5),
        "mu of nothing": lambda: clusters["mu"].__setitem__(0, 0.0),
        "cluster twice": lambda: clusters["id"].__setitem__(1, "c1"),
        "cluster's flux alone": lambda: clusters.remove_column("F150W_err_njy"),
        "cluster's error alone": lambda: clusters.remove_column("F150W_njy"),
        "cluster in mJy": lambda: clusters.rename_columns(["F150W_njy", "F150W_err_njy"], ["F150W_mjy", "F150W_err_mjy"]),
        "no cluster": lambda: clusters.remove_rows([0, 1]),
        "cluster without place": lambda: clusters.remove_column("ra"),
    }  # fmt: skip
    case.change = case.pick(list(changes))
    for column in ("radius_arcsec", "e_F150W"):
        galaxies[column] = galaxies[column].astype(float)
    changes[case.change]()
    galaxies.write(case.file("galaxies.ecsv"), overwrite=True)
    clusters.write(case.file("clusters.csv"), overwrite=True)


def lost_column(case: Field) -> None:
    name, column = case.pick((("galaxies.ecsv", "id"), ("galaxies.ecsv", "ra"), ("galaxies.ecsv", "z"), ("stars.csv", "ra"), ("edits.csv", "action"),
                              ("edits.csv", "galaxy"), ("clusters.csv", "id"), ("clusters.csv", "dec")))  # fmt: skip
    kind = "ascii.ecsv" if name.endswith("ecsv") else "ascii.csv"
    table = Table.read(case.file(name), format=kind)
    table.rename_column(column, column + case.pick("_xq1"))
    table.write(case.file(name), overwrite=True, format=kind)
    case.change = f"{name} without {column}"


# -- bytes --------------------------------------------------------------------------------------------------------

FILES = ("sci.fits", "err.fits", "psf.fits", "sci2.fits", "wht2.fits", "kappa.fits", "gamma1.fits", "galaxies.ecsv", "stars.csv", "edits.csv",
         "clusters.csv", "best.par", "bayes.dat")  # fmt: skip


def wrong_content(case: Field) -> None:
    name = case.pick(FILES)
    content = {
        "nothing": b"", "a page": b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n", "zeros": bytes(4000),
        "noise": case.rng.bytes(4000), "text": "Größe – 1\n".encode("latin-1", "replace") * 9, "gone": None,
    }  # fmt: skip
    what = case.pick(list(content))
    case.change = f"{name} is {what}"
    if content[what] is None:
        case.file(name).unlink()
    else:
        case.file(name).write_bytes(content[what])


def cut_file(case: Field) -> None:
    name = case.pick([name for name in FILES if name.endswith(".fits")] + ["galaxies.ecsv", "best.par"])
    content = case.file(name).read_bytes()
    whole = (
        len(content)
        if name.endswith(".fits")
        else content.index(b"id ra" if name.endswith("ecsv") else b"fini")
    )
    end = int(case.rng.integers(1, whole - 2880 if name.endswith(".fits") else whole))
    case.file(name).write_bytes(content[:end])
    case.change = f"{name} ends after {end} of {len(content)} bytes"


# -- images -------------------------------------------------------------------------------------------------------


def wrong_header(case: Field) -> None:
    name = case.pick(("sci.fits", "sci2.fits"))
    cards = case.pick((
        {"BUNIT": "DN"}, {"BUNIT": "DN/s"}, {"BUNIT": "nonsense"}, {"BUNIT": ""}, {"BUNIT": "kg"}, {"BUNIT": "mJy"}, {"CTYPE1": "FREQ"}, {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"},
        {"CTYPE1": None}, {"CDELT1": 0.0}, {"CDELT1": 1e-3}, {"CDELT2": 5e-6}, {"PC1_2": 1.0, "PC2_1": 1.0}, {"CRVAL1": 190.0}, {"CRVAL2": 89.0}, {"CRPIX1": 1e7},
        {"FILTER": "F090W"}, {"PUPIL": "F162M"}, {"FILTER": "F444W"}, {"CRVAL1": "text"},
    ))  # fmt: skip
    with fits.open(case.file(name), mode="update") as hdus:
        for key, value in cards.items():
            if value is None:
                del hdus[0].header[key]
            else:
                hdus[0].header[key] = value
    case.change = f"{name}: {cards}"


def wrong_pixels(case: Field) -> None:
    name = case.pick(
        ("sci.fits", "err.fits", "psf.fits", "sci2.fits", "wht2.fits", "kappa.fits", "gamma2.fits")
    )
    with fits.open(case.file(name)) as hdus:
        data, header = np.array(hdus[0].data), hdus[0].header
    changes: dict[str, Callable] = {
        "NaN": lambda: data * np.nan, "a line": lambda: data.ravel(), "another size": lambda: data[:-7, :-3],
        "a cube": lambda: np.stack([data, data]), "one pixel": lambda: data[:1, :1],
    }  # fmt: skip
    if not name.startswith(("kappa", "gamma")):
        changes |= {
            "zeros": lambda: data * 0.0,
            "negative": lambda: -np.abs(data),
            "tiny": lambda: data * 1e-6 if name != "psf.fits" else data * 0.0,
        }
    how = case.pick(list(changes))
    if name == "psf.fits" and how in ("another size", "a cube"):
        how = "NaN"
    if name.startswith("sci") and how == "negative":
        how = "zeros"
    fits.writeto(case.file(name), changes[how](), header, overwrite=True, output_verify="silentfix")
    case.change = f"{name}: {how}"


def wrong_psf(case: Field) -> None:
    axis = np.arange(81) - 40
    round_one = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / 0.9**2)
    image, cards = case.pick((
        (round_one[35:46, 35:46], {}), (np.where(round_one > 0.9, np.nan, round_one), {}), (round_one, {"PIXSCALE": 0.08}), (round_one, {"PIXSCALE": 0.01}),
        (round_one**30, {}), (-round_one, {}), (np.zeros((41, 41)), {}), (round_one, {"PIXSCALE": "small"}),
    ))  # fmt: skip
    fits.writeto(case.file("psf.fits"), image, fits.Header(cards), overwrite=True)
    case.change = f"psf.fits: {image.shape}, {cards}, sum {np.sum(image):.3g}"


# -- lens models --------------------------------------------------------------------------------------------------


def wrong_model(case: Field) -> None:
    lines = MODEL.splitlines()
    how = case.pick(("lost", "number", "misspelt", "changed"))
    if how == "lost":
        row = case.pick(
            [
                k
                for k, line in enumerate(lines)
                if line.split()[0] in ("reference", "profil", "v_disp", "z_lens", "end", "fini")
            ]
        )
        case.change = f"best.par without line {row + 1}, {lines.pop(row).strip()!r}"
    elif how == "number":
        row = case.pick(
            [
                k
                for k, line in enumerate(lines)
                if line.split()[0] in ("profil", "x_centre", "core_radius", "v_disp", "z_lens", "angle_pos")
            ]
        )
        lines[row] = f"  {lines[row].split()[0]} {case.pick(('nan', 'inf', 'wide', '', '1,5'))}"
        case.change = f"best.par, line {row + 1}: {lines[row]}"
    elif how == "misspelt":
        row = case.pick(
            [
                k
                for k, line in enumerate(lines)
                if line.split()[0] in ("x_centre", "core_radius", "v_disp", "z_lens", "ellipticite")
            ]
        )
        lines[row] = lines[row].replace("e", "", 1) if "e" in lines[row] else lines[row].replace("_", "", 1)
        case.change = f"best.par, line {row + 1}: {lines[row]}"
    else:
        old, new = case.pick((("10.0 -30.0", "200.0 40.0"), ("10.0 -30.0", "10.0"), ("3 10.0", "7 10.0"), ("profil 81", "profil 999"), ("z_lens 0.4", "z_lens -1"),
                              ("z_lens 0.4", "z_lens 6.0"), ("v_disp 800", "v_disp -800"), ("core_radius 4", "core_radius -4"), ("ellipticite 0.1", "ellipticite 1.5"),
                              ("cut_radius 200", "cut_radius 1")))  # fmt: skip
        lines = MODEL.replace(old, new).splitlines()
        case.change = f"best.par: {old} -> {new}"
    case.file("best.par").write_text("\n".join(lines) + "\n")


def wrong_samples(case: Field) -> None:
    lines = case.file("bayes.dat").read_text().splitlines()
    first = len(COLUMNS)
    row = int(case.rng.integers(first, len(lines) - 1))
    words = lines[row].split()
    changes: dict[str, Callable] = {
        "a word": lambda: lines.__setitem__(row, " ".join([*words[:-1], "fast"])),
        "NaN": lambda: lines.__setitem__(row, " ".join([*words[:-1], "nan"])),
        "a lost word": lambda: lines.__setitem__(row, " ".join(words[:-1])),
        "below zero": lambda: lines.__setitem__(row, " ".join([*words[:-1], "-800"])),
        "a column twice": lambda: lines.__setitem__(2, lines[3]),
        "a column of none": lambda: lines.__setitem__(2, "#O9 : x (arcsec)"),
        "an unknown column": lambda: lines.__setitem__(2, "#O1 : colour (mag)"),
        "another unit": lambda: lines.__setitem__(2, "#O1 : x (pc)"),
        "no names": lambda: lines.__delitem__(slice(0, first)),
        "a name too few": lambda: lines.__delitem__(1),
        "two rows": lambda: lines.__delitem__(slice(first + 2, None)),
        "no rows": lambda: lines.__delitem__(slice(first, None)),
        "another cluster's": lambda: lines.__setitem__(slice(first, None), [f"{k} -10 {40 + 0.01 * k} {30 + 0.01 * k} {1500 + k}" for k in range(40)]),
    }  # fmt: skip
    case.change = case.pick(list(changes))
    changes[case.change]()
    case.file("bayes.dat").write_text("\n".join(lines) + "\n")
    case.change = f"bayes.dat: {case.change}"


def wrong_map(case: Field) -> None:
    name = case.pick(("kappa.fits", "gamma1.fits", "gamma2.fits"))
    with fits.open(case.file(name), mode="update") as hdus:
        header = hdus[0].header
        card, value = case.pick(
            (
                ("CRVAL1", 200.0),
                ("CRVAL2", 60.0),
                ("CDELT1", 1.0 / 3600),
                ("CTYPE1", "FREQ"),
                ("CRPIX1", 400.0),
            )
        )
        if name != "kappa.fits" and card == "CTYPE1":
            card, value = "CRPIX2", -300.0
        header[card] = value
    case.change = f"{name}: {card} = {value}"


# -- posteriors ---------------------------------------------------------------------------------------------------


def wrong_posterior(case: Field) -> None:
    path = case.file("posterior.nc")
    content = bytearray(path.read_bytes())
    how = case.pick(("cut", "noise", "empty", "absent id", "flipped"))
    case.change = f"posterior.nc: {how}"
    if how == "cut":
        content = content[: int(case.rng.integers(len(content)))]
    elif how == "noise":
        content = bytearray(case.rng.bytes(2000))
    elif how == "empty":
        content = bytearray()
    elif how == "flipped":
        content[int(case.rng.integers(8))] ^= 1 << int(case.rng.integers(8))
    path.write_bytes(content)
    read_posterior(path, id="nobody")


CHANGES: dict[str, tuple[Callable, int]] = {
    "configuration": (wrong_value, 6), "settings": (wrong_setting, 6), "keys": (misspelt_key, 4), "lost keys": (lost_key, 2), "YAML": (broken_yaml, 2),
    "choices": (wrong_choice, 4), "addresses": (wrong_address, 2), "cells": (wrong_cell, 4), "tables": (wrong_table, 5), "columns": (lost_column, 1),
    "content": (wrong_content, 4), "cut files": (cut_file, 3), "headers": (wrong_header, 3), "pixels": (wrong_pixels, 4), "PSFs": (wrong_psf, 1),
    "lens models": (wrong_model, 4), "lens samples": (wrong_samples, 3), "lens maps": (wrong_map, 1), "posteriors": (wrong_posterior, 2),
}  # fmt: skip
"""Kind of case -> what breaks it, and how often among others."""


def judge(number: int, seed: int, folder: Path) -> Outcome:
    """Break one thing in the sound field of `folder` (whose files are the case's own) and start a run."""
    rng = np.random.default_rng([seed, number])
    kinds = [kind for kind, (_, weight) in CHANGES.items() for _ in range(weight)]
    kind = kinds[number % len(kinds)]
    case = Field(folder, rng)
    try:
        CHANGES[kind][0](case)
        doubts = case.start()
    except InputError as error:
        clear = bool(error.where and error.found and error.expected)
        return Outcome(number, kind, case.change, "refused" if clear else "unclear", str(error))
    except Exception as error:
        return Outcome(number, kind, case.change, "traceback", f"{type(error).__name__}: {error}")
    return Outcome(number, kind, case.change, "told" if doubts else "silent", "; ".join(doubts))
