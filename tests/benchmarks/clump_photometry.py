"""Accuracy and speed of the clump fit, side by side with its lmfit reference, photutils and lenstronomy, on one thread.

Isolated clumps and pairs are drawn behind a diffraction PSF (of the mock images, sampled five times finer than the
pixels) in white noise. Every engine gets the same images, starting positions, 9x9 boxes and kernel. Prints tables and
writes them as CSV. lenstronomy is no dependency of the project: to compare with it, install it with this project's
dependencies into an environment of its own and use that environment's Python.

    python tests/benchmarks/clump_photometry.py [--clumps 400] [--peer-clumps 30]
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from astropy.table import Table  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "workflow"), str(Path(__file__).parent)]

from clump_photometry_peers import PEERS, Missing  # noqa: E402
from clumpscope.flags import has  # noqa: E402
from clumpscope.images.profiles import fwhm_px  # noqa: E402
from clumpscope.mock.optics import OVERSAMPLING, make_psf  # noqa: E402
from clumpscope.photometry import fit_clumps  # noqa: E402
from clumpscope.photometry.model import SpectralPSF, covariance_of  # noqa: E402

SIDE = 41
SIGMAS = ((0.0, 0.0), (0.4, 0.4), (1.0, 0.7), (2.0, 1.5), (3.0, 2.2))
SNRS = (10, 20, 50)
SUSPECT = ("few_pixels", "fit_failed", "at_bound", "size_undetermined", "low_snr")


class Optics:
    """A PSF finer than the pixels, and the clumps drawn behind it."""

    def __init__(self, name: str) -> None:
        fine = make_psf(name, 1)
        half = fine.shape[0] // 2
        step = OVERSAMPLING
        edge = half // step
        middle = np.arange(-edge, edge + 1) * step + half
        self.kernel = fine[np.ix_(middle, middle)] * step**2
        size = (2 * edge + 1) * step  # the wings of the next period reach no tile
        padded = np.zeros((size, size))
        padded[: fine.shape[0], : fine.shape[1]] = fine * step**2
        self._transform = np.fft.fft2(np.roll(padded, (-half, -half), axis=(0, 1)))
        self._wave = 2 * np.pi * np.fft.fftfreq(size) * step

    def draw(self, x: float, y: float, sigma_x: float, sigma_y: float, theta_deg: float) -> np.ndarray:
        """A clump of unit flux on a tile of SIDE pixels."""
        xx, yy, xy = covariance_of(sigma_x, sigma_y, theta_deg)
        v, u = self._wave[None, :], self._wave[:, None]
        blur = np.exp(-0.5 * (xx * v**2 + yy * u**2 + 2 * xy * u * v) - 1j * (u * y + v * x))
        image = np.fft.ifft2(self._transform * blur).real
        return image[::OVERSAMPLING, ::OVERSAMPLING][:SIDE, :SIDE]


@dataclass
class Sky:
    """One image of many clumps, each (or each pair) on a tile of its own."""

    image: np.ndarray
    error: np.ndarray
    x: np.ndarray
    y: np.ndarray
    truth: Table

    def part(self, n_tiles: int, per_tile: int = 1) -> "Sky":
        """The first tiles only."""
        n, rows = n_tiles * per_tile, slice(0, n_tiles * SIDE)
        return Sky(self.image[rows], self.error[rows], self.x[:n], self.y[:n], self.truth[:n])


def make_sky(
    optics: Optics, tiles: list[list[tuple[float, ...]]], snr: float, rng: np.random.Generator
) -> Sky:
    """Tiles in a column; a clump is (dx, dy, sigma_x, sigma_y, theta, flux); S/N is that of a known shape, flux 1."""
    rows, truth = [], []
    noise = np.sqrt((optics.draw(SIDE // 2, SIDE // 2, *tiles[0][0][2:5]) ** 2).sum()) / snr
    for number, clumps in enumerate(tiles):
        tile = np.zeros((SIDE, SIDE))
        for dx, dy, sigma_x, sigma_y, theta, flux in clumps:
            x, y = SIDE // 2 + dx, SIDE // 2 + dy
            tile += flux * optics.draw(x, y, sigma_x, sigma_y, theta)
            truth.append((x, y + number * SIDE, sigma_x, sigma_y, theta, flux))
        rows.append(np.stack([tile + rng.normal(0.3 * noise, noise, tile.shape), np.full(tile.shape, noise)]))
    image, error = np.concatenate(rows, axis=1)
    table = Table(rows=truth, names=("x", "y", "sigma_x_px", "sigma_y_px", "theta_deg", "flux"))
    x, y = np.asarray(table["x"]), np.asarray(table["y"])
    return Sky(image, error, x + rng.normal(0, 0.2, x.size), y + rng.normal(0, 0.2, x.size), table)


def cramer_rao(sky: Sky, kernel: np.ndarray, box: int, forced: bool) -> float:
    """Smallest standard deviation of an unbiased flux in the box: mean over the clumps."""
    bounds = []
    for row in sky.truth[:60]:
        half = box // 2
        columns = np.arange(round(row["x"]) - half, round(row["x"]) + half + 1)
        rows = np.arange(round(row["y"]) - half, round(row["y"]) + half + 1)
        covariance = covariance_of(row["sigma_x_px"], row["sigma_y_px"], row["theta_deg"])
        parts = SpectralPSF(kernel, half + 2).images(row["x"], row["y"], covariance, columns, rows, 6)
        derivatives = [part.ravel() for part in (parts[:3] if forced else parts)]
        slope = np.linspace(-0.5, 0.5, box)
        plane = [np.ones((box, box)), np.tile(slope, (box, 1)), np.tile(slope[:, None], (1, box))]
        matrix = np.array(derivatives + [term.ravel() for term in plane])
        matrix = matrix / sky.error[rows[0], columns[0]]
        bounds.append(np.sqrt(np.linalg.inv(matrix @ matrix.T)[0, 0]))
    return float(np.mean(bounds))


def adaptive_side(kernel: np.ndarray, sigma: float) -> int:
    """Side of the adaptive box of a clump of known size."""
    return 2 * int(np.ceil(1.5 * np.hypot(fwhm_px(kernel), 2.3548 * sigma))) + 1


def ours(method: str, box: int | str = 9) -> Callable[[Sky, np.ndarray, bool], Table]:
    """The project's fit."""

    def measure(sky: Sky, kernel: np.ndarray, forced: bool) -> Table:
        shape = sky.truth["sigma_x_px", "sigma_y_px", "theta_deg"] if forced else None
        return fit_clumps(sky.image, sky.error, kernel, sky.x, sky.y, box=box, shape=shape, method=method)

    return measure


def peer(name: str) -> Callable[[Sky, np.ndarray, bool], Table]:
    """Another package's fit of the same model."""

    def measure(sky: Sky, kernel: np.ndarray, forced: bool) -> Table:
        shape = sky.truth["sigma_x_px", "sigma_y_px", "theta_deg"] if forced else None
        groups = np.rint(sky.y).astype(int) // SIDE
        flux, error = PEERS[name](sky.image, sky.error, kernel, sky.x, sky.y, shape, groups)
        return Table({"flux": flux, "flux_err": error, "flags": np.zeros(flux.size, dtype=int)})

    return measure


def robust(values: np.ndarray) -> float:
    """Standard deviation from the median absolute deviation."""
    values = values[np.isfinite(values)]
    return float(1.4826 * np.median(np.abs(values - np.median(values)))) if values.size else np.nan


def score(fitted: Table, flux: np.ndarray, bound: float, seconds: float) -> dict[str, float]:
    """What the table shows of one engine on one kind of clump."""
    ratio = np.asarray(fitted["flux"]) / flux
    missing = ~(np.isfinite(fitted["flux_err"]) & (np.asarray(fitted["flux_err"]) > 0))
    wrong = ~((ratio > 0.5) & (ratio < 2.0))
    flagged = has(fitted["flags"], SUSPECT)
    pull = (ratio - 1.0) * flux / np.where(missing, np.nan, fitted["flux_err"])
    return {
        "bias": float(np.nanmedian(ratio) - 1.0),
        "bias_err": 1.2533 * robust(ratio) / np.sqrt(ratio.size),
        "scatter_over_bound": robust(ratio) / bound,
        "bound": bound,
        "wrong_2x": float(wrong.mean()),
        "wrong_2x_unflagged": float((wrong & ~flagged).mean()),
        "no_error": float(missing.mean()),
        "pull": robust(pull),
        "ms": 1e3 * seconds / len(flux),
    }


def timed(measure: Callable, sky: Sky, kernel: np.ndarray, forced: bool) -> tuple[Table, float]:
    """A fit and its wall time."""
    start = time.perf_counter()
    fitted = measure(sky, kernel, forced)
    return fitted, time.perf_counter() - start


def isolated(optics: Optics, engines: dict[str, tuple[Callable, int]]) -> Table:
    """Score of every engine on isolated clumps."""
    rng = np.random.default_rng(1)
    n_largest = max(n_clumps for _, n_clumps in engines.values())
    rows = []
    for sigma_x, sigma_y in SIGMAS:
        for snr in SNRS:
            tiles = [
                [(*rng.uniform(-0.5, 0.5, 2), sigma_x, sigma_y, rng.uniform(-90, 90), 1.0)]
                for _ in range(n_largest)
            ]
            sky = make_sky(optics, tiles, snr, rng)
            for forced in (False, True):
                bounds = {
                    "9": cramer_rao(sky, optics.kernel, 9, forced),
                    "adaptive": cramer_rao(sky, optics.kernel, adaptive_side(optics.kernel, sigma_x), forced),
                }
                for name, (measure, n_clumps) in engines.items():
                    part = sky.part(n_clumps)
                    bound = bounds["adaptive" if "adaptive" in name else "9"]
                    fitted, seconds = timed(measure, part, optics.kernel, forced)
                    rows.append({"engine": name, "fit": "forced" if forced else "free", "sigma_px": sigma_x, "snr": snr,
                                 "n": len(part.x), **score(fitted, np.ones(len(part.x)), bound, seconds)})  # fmt: skip
    return Table(rows)


def pairs(optics: Optics, engines: dict[str, tuple[Callable, int]]) -> Table:
    """Score of every engine on 60 pairs closer than 4 px: fluxes wrong by more than 3x."""
    rng = np.random.default_rng(2)
    tiles = []
    for _ in range(60):
        distance, angle = rng.uniform(2.5, 4.0), rng.uniform(0, 2 * np.pi)
        step = 0.5 * distance * np.array([np.cos(angle), np.sin(angle)])
        sizes = rng.uniform(0, 1.2, (2, 2))
        tiles.append([(*(sign * step), max(size), min(size), rng.uniform(-90, 90), flux)
                      for sign, size, flux in zip((-1, 1), sizes, (1.0, rng.uniform(0.3, 1.0)), strict=True)])  # fmt: skip
    sky = make_sky(optics, tiles, 30, rng)
    rows = []
    for name, (measure, n_clumps) in engines.items():
        part = sky.part(60 if n_clumps > 10 else n_clumps, 2)
        for forced in (False, True):
            fitted, seconds = timed(measure, part, optics.kernel, forced)
            ratio = np.asarray(fitted["flux"] / part.truth["flux"])
            wrong = ~((ratio > 1 / 3) & (ratio < 3)).reshape(-1, 2).all(axis=1)
            rows.append({"engine": name, "fit": "forced" if forced else "free", "pairs": wrong.size, "wrong_3x": int(wrong.sum()),
                         "ms_per_clump": 1e3 * seconds / ratio.size})  # fmt: skip
    return Table(rows)


def summary(table: Table) -> Table:
    """One row an engine and fit: medians and worst over the kinds of clumps."""
    rows = []
    for group in table.group_by(["engine", "fit"]).groups:
        small = group[(group["sigma_px"] <= 2.0) & (group["snr"] > 15)]
        rows.append({"engine": group["engine"][0], "fit": group["fit"][0],
                     "bias (S/N > 15, <= 2 px)": np.abs(small["bias"]).max(), "+-": np.median(small["bias_err"]),
                     "scatter / bound (worst)": small["scatter_over_bound"].max(),
                     "wrong 2x": group["wrong_2x"].mean(), "of these unflagged": group["wrong_2x_unflagged"].mean(),
                     "no error": group["no_error"].mean(), "pull": np.median(group["pull"]),
                     "ms a clump": np.median(group["ms"])})  # fmt: skip
    return Table(rows)


def main() -> None:
    """Run the comparison and report it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--filter", default="F200W")
    parser.add_argument("--clumps", type=int, default=400, help="of every kind, for the fast fit")
    parser.add_argument("--peer-clumps", type=int, default=30, help="of every kind, for the peers")
    parser.add_argument("--lmfit-clumps", type=int, default=4, help="of every kind, for lmfit, at 2 s each")
    parser.add_argument("--engines", nargs="+", help="names of those to run; default all")
    options = parser.parse_args()
    optics = Optics(options.filter)
    engines = {
        "9x9": (ours("projection"), options.clumps),
        "adaptive": (ours("projection", "adaptive"), options.clumps),
        "lmfit 9x9": (ours("lmfit"), options.lmfit_clumps),
    }
    engines |= {name: (peer(name), options.peer_clumps) for name in PEERS}
    engines = {name: engine for name, engine in engines.items() if name in (options.engines or engines)}
    warm = make_sky(optics, [[(0.1, 0.2, 1.0, 0.7, 20.0, 1.0)]] * 2, 30, np.random.default_rng(0))
    for name in list(engines):
        try:
            for forced in (False, True):  # compiled, or read from the cache
                engines[name][0](warm, optics.kernel, forced)
        except Missing as missing:
            print(f"{missing}: no comparison with it")
            del engines[name]
    folder = ROOT / "tests" / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    tables = {"isolated": isolated(optics, engines)}
    tables["summary"] = summary(tables["isolated"])
    tables["pairs"] = pairs(optics, engines)
    for name, table in tables.items():
        for column in table.itercols():
            if column.dtype.kind == "f":
                column.info.format = ".3g"
        print(f"\n{name}")
        table.pprint(max_lines=-1, max_width=-1)
        table.write(folder / f"clump_photometry_{name}.csv", overwrite=True)


if __name__ == "__main__":
    main()
