"""The public fields from a server on this machine: small mosaics in the same names and formats, only the host replaced.

`python tests/integration/public_fields.py elgordo FOLDER` runs one configuration end to end (`make fields` runs all).
"""

import gzip
import http.server
import io
import os
import re
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import yaml
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

ROOT = Path(__file__).resolve().parents[2]
MOCK = {"n_galaxies": 3, "n_clumps": 12, "n_stars": 8, "size_arcsec": 26}
# Where a configuration names positions of the real sky, the synthetic field lies about the real lens.
LENSES = {"smacs0723": "real/lens/smacs0723_mahler2022/ICLv1"}
SHARED = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
LENS_FILES = {"model": "best.par", "samples": "bayes.dat", "relations": "bestopt.par"}
_MAP_ARCSEC = 0.2
CATS = ("kappa", "gamma1", "gamma2", "deflection_x", "deflection_y")


def configuration(name: str, host: str, text: str | None = None) -> str:
    """A shipped configuration (or `text`) with its hosts replaced; checksums and sizes are those of the real files, and go."""
    text = (ROOT / f"config/{name}.yaml").read_text() if text is None else text
    text = re.sub(
        r"#(sha256|md5|bytes)=[0-9a-f]+(&(?!member)\w+=\w+)*(&member=)?",
        lambda m: "#member=" if m[3] else "",
        text,
    )
    return text.replace("https://", f"{host}/")


@contextmanager
def served(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a folder on loopback; gives its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _place(root: Path, url: str) -> Path:
    parts = urlsplit(url)
    path = root / parts.netloc / unquote(parts.path).lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def uncommented(text: str) -> str:
    """A configuration with the alternatives that stand in it as comments: lines of keys."""
    return re.sub(r"^( +)# ( *(?:- )?\w+: \S.*)$", r"\1\2", text, flags=re.MULTILINE)


def contents(name: str, mock: Path, text: str | None = None) -> dict[str, Callable[[], bytes]]:
    """What lies at each address of a configuration, made when asked for: small files of a synthetic field (`mock`).

    `text` is the configuration, where it is not the one that is shipped. Maps of lens models that it names by paths are here by these.
    """
    made: dict[str, Callable[[], bytes]] = {}
    text = (ROOT / f"config/{name}.yaml").read_text() if text is None else text
    for field in yaml.safe_load(text)["fields"].values():
        for band, image in field["images"].items():
            for key in {"sci", "wht", "exp"} & {*image}:
                made[image[key]] = partial(_map, mock, band, key)
        if "catalogue" not in field:
            continue
        layout = {"super": _super, "dja": _dja}[field["catalogue"]["format"]]
        made[field["galaxies"]] = lambda layout=layout: _fits(layout(Table.read(mock / "galaxies.ecsv"))[0])
        if "redshifts" in field["catalogue"]:
            table = {"super": _stellar_populations, "dja": _redshifts}[field["catalogue"]["format"]]
            made[field["catalogue"]["redshifts"]] = partial(table, mock, field["catalogue"]["redshifts"])
        for lens in field["lens"] if isinstance(field["lens"], list) else [field["lens"]]:
            for key, source in LENS_FILES.items():
                if key in lens:
                    made[lens[key]] = (mock / "lens" / source).read_bytes
            if lens["kind"] == "maps":
                for key in CATS:
                    made[lens[key]] = partial(_lens_map, mock / "lens/best.par", key, lens["deflection_unit"])
    return made


def publish(name: str, root: Path, mock: Path) -> None:
    """Put small files where a configuration's addresses are."""
    write_contents(contents(name, mock), root)


def write_contents(files: dict[str, Callable[[], bytes]], root: Path, here: Path = Path()) -> None:
    """Put files where their addresses are below `root`, those of paths below `here`."""
    for name, make in files.items():
        path = _place(root, name) if "://" in name else here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make())


def _fits(table: Table) -> bytes:
    stream = io.BytesIO()
    table.write(stream, format="fits")
    return stream.getvalue()


def _map(mock: Path, band: str, key: str) -> bytes:
    """A gzipped mosaic in 10 nJy with grizli's weights and binned exposure maps, for every filter."""
    with fits.open(mock / f"images/{band}_sci.fits") as hdus:
        header, data = hdus[0].header.copy(), hdus[0].data.astype(np.float32)
    factor = 1.0 if header["BUNIT"] == "10 nJy" else 0.1
    weights = mock / f"images/{band}_wht.fits"
    header.update({"BUNIT": "10.0*nanoJansky", "PHOTMJSR": 1.9, "PIXAR_SR": 2.29e-14, "PHOTSCAL": 1.0})
    if key == "sci":
        pixels = np.nan_to_num(data * np.float32(factor))
    elif key == "exp":
        given = mock / f"images/{band}_exp.fits"
        pixels = (
            fits.getdata(given) if given.exists() else np.full(-(-np.array(data.shape) // 4), 3e4, np.float32)
        )
    elif weights.exists():
        pixels = fits.getdata(weights) / np.float32(factor**2)
    else:
        error = fits.getdata(mock / f"images/{band}_err.fits") * factor
        pixels = np.where(np.isfinite(error) & np.isfinite(data), error**-2.0, 0.0).astype(np.float32)
    stream = io.BytesIO()
    fits.PrimaryHDU(pixels, None if key == "exp" else header).writeto(stream)
    return gzip.compress(stream.getvalue(), 1)


def _redshift_columns(galaxies: Table) -> dict:
    spectroscopic = np.asarray(galaxies["z_spec"], dtype=bool)
    return {
        "z_spec": np.where(spectroscopic, galaxies["z"], -1.0), "z_phot": galaxies["z"],
        "z160": galaxies["z_lo"], "z840": galaxies["z_hi"],
    }  # fmt: skip


def _super(galaxies: Table) -> tuple[Table, None]:
    n = len(galaxies)
    columns = {
        "id": np.arange(1, n + 1),
        "ra": galaxies["ra"],
        "dec": galaxies["dec"],
        **_redshift_columns(galaxies),
    }
    columns |= {key: np.full(n, value) for key, value in
                {"use_phot": 1, "flag_star": 0, "flag_artifact": 0, "flag_nearbcg": 0}.items()}  # fmt: skip
    for name in galaxies.colnames:
        if name[:2] in ("f_", "e_"):
            columns[name.lower()] = np.asarray(galaxies[name]) / 10.0
    return Table({key: np.asarray(value) for key, value in columns.items()}), None


def _dja(galaxies: Table) -> tuple[Table, Table]:
    ids = np.arange(1, len(galaxies) + 1)
    columns = {"id": ids, "ra": np.asarray(galaxies["ra"]), "dec": np.asarray(galaxies["dec"])}
    for name in galaxies.colnames:
        if name[:2] in ("f_", "e_"):
            kind = {"f": "tot", "e": "etot"}[name[0]]
            columns[f"{name[2:].lower()}-clear_{kind}_1"] = np.asarray(galaxies[name]) / 1e3
    redshifts = {key: np.asarray(value) for key, value in _redshift_columns(galaxies).items()}
    return Table(columns), Table({"id": ids, **redshifts})


def _redshifts(mock: Path, url: str) -> bytes:
    """The table of redshifts; in a tar archive where the address names a member."""
    table, member = _fits(_dja(Table.read(mock / "galaxies.ecsv"))[1]), url.partition("member=")[2]
    if not member:
        return table
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        info = tarfile.TarInfo(member)
        info.size = len(table)
        archive.addfile(info, io.BytesIO(table))
    return stream.getvalue()


def _stellar_populations(mock: Path, url: str) -> bytes:
    """The table of stellar populations beside the SUPER catalogue, of its ids in another order."""
    galaxies = _super(Table.read(mock / "galaxies.ecsv"))[0]
    names = {"id": "id", "ra": "ra", "dec": "dec", "z_spec": "z_spec", "z_50": "z_phot", "z_16": "z160", "z_84": "z840"}  # fmt: skip
    return _fits(Table({own: galaxies[other] for own, other in names.items()})[::-1])


def _lens_map(model_file: Path, key: str, unit: str) -> bytes:
    """A map of a Lenstool model for D_LS / D_S = 1; deflections in the unit."""
    stream = io.BytesIO()
    own = _maps(model_file)[key]
    scale = _MAP_ARCSEC if unit == "pixel" and key.startswith("deflection") else 1.0
    fits.PrimaryHDU(own.data / scale, own.header).writeto(stream)
    return stream.getvalue()


@cache
def _maps(model_file: Path) -> dict[str, fits.PrimaryHDU]:
    """Maps of a Lenstool model for D_LS / D_S = 1."""
    from clumpscope.lensing import read_lenstool

    model, n, scale, far = read_lenstool(model_file), 401, _MAP_ARCSEC, 20.0
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], model.reference
    wcs.wcs.crpix, wcs.wcs.cdelt = [(n + 1) / 2] * 2, [-scale / 3600, scale / 3600]
    x, y = (np.array(own) for own in np.meshgrid(*[(np.arange(n) - n // 2) * scale] * 2))
    whole = model.distance_ratio(far)
    planes = (*model.convergence_shear(x, y, far), *model.deflection(x, y, far))
    return {
        key: fits.PrimaryHDU(plane / whole, wcs.to_header()) for key, plane in zip(CATS, planes, strict=True)
    }


def make_mock(name: str, folder: Path, lens: Path | None = None, filters: list[str] | None = None) -> Path:
    """A synthetic field in a configuration's filters, or some; about a given Lenstool model, where its positions matter."""
    from clumpscope.mock import make_field

    fields = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())["fields"]
    keys = dict(MOCK)
    if lens is not None:
        keys |= {
            "size_arcsec": 60,
            "lens_model": str(lens / "best.par"),
            "lens_samples": str(lens / "bayes.dat"),
        }
    make_field(folder, seed=3, filters=filters or list(next(iter(fields.values()))["images"]), **keys)
    if lens is not None:
        (folder / "lens").mkdir(exist_ok=True)
        for file in LENS_FILES.values():
            (folder / "lens" / file).write_bytes((lens / file).read_bytes())
    return folder


def run(name: str, folder: Path, *arguments: str, lens: Path | None = None) -> subprocess.CompletedProcess:
    """Serve a field's files and run its configuration in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "public").exists():
        publish(name, folder / "public", make_mock(name, folder / "mock", lens))
    for own in ("Snakefile", "rules", "workflow", "resources", "profiles", "envs", "config"):
        if not (folder / own).exists():
            (folder / own).symlink_to(ROOT / own)
    # The same address in a second run, which then has nothing to download.
    kept = folder / "port"
    with served(folder / "public", int(kept.read_text()) if kept.exists() else 0) as host:
        kept.write_text(host.rsplit(":", 1)[1])
        (folder / f"{name}.yaml").write_text(configuration(name, host))
        command = [sys.executable, "-m", "snakemake", *arguments, "--configfile", f"{name}.yaml"]
        return subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


def main(which: str, where: str) -> int:
    """Run one configuration end to end; print what it says."""
    lens = SHARED / LENSES[which] if which in LENSES else None
    if lens is not None and not lens.is_dir():
        print(f"{which}: skipped, {lens} is not there (set SHARED_DATA)")
        return 0
    done = run(which, Path(where), "--cores", "2", lens=lens)
    print(done.stdout)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
