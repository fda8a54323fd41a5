"""Clumps on smooth hosts: injected into the real sky around El Gordo, on exponential discs, fitted free and forced.

Discs are drawn finely, seen through the band's PSF, with a peak of 20 times the noise of a pixel; clumps are point
sources and Gaussians of 0.7 px of signal-to-noise 30 at random places inside two scales (20 px at most). Prints, by filter, scale and
fit: median bias, scatter over the least-squares bound of clump and plane in a 9x9 box, width of the pulls (16 to 84 %),
their median, and the share inside 95 % intervals; of those flagged `host_dominated`, their number alone.

    python tests/benchmarks/clumps_on_hosts.py DATA [--noise white] [--host-fwhm 0] [--seed 1] [--clumps 100]

DATA is the folder of the El Gordo arc (Background/, PSF_model/).
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from astropy.table import Table  # noqa: E402
from scipy.ndimage import convolve, fourier_shift  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "tests" / "unit" / "photometry")]

from clumpscope.flags import FLAGS, has  # noqa: E402
from clumpscope.images.depth import measure_depth  # noqa: E402
from clumpscope.images.mosaic import open_mosaic  # noqa: E402
from clumpscope.images.psf_given import load_psf  # noqa: E402
from clumpscope.photometry import fit_clumps  # noqa: E402
from test_real_noise import local_noise  # noqa: E402

SIDE, FINE = 49, 3
PEAK, SNR = 20.0, 30.0
SHAPES = ((0.0, 0.0), (0.7, 0.7))


def seen(kernel: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """An image on pixels of 1/FINE, seen through a PSF on whole pixels: its spectrum is the kernel's, and nothing beyond."""
    size = fine.shape[0]
    padded = np.zeros((size // FINE,) * 2)
    half = kernel.shape[0] // 2
    cut = min(half, padded.shape[0] // 2 - 1)
    padded[: 2 * cut + 1, : 2 * cut + 1] = kernel[half - cut : half + cut + 1, half - cut : half + cut + 1]
    transfer = np.fft.fft2(np.roll(padded, (-cut, -cut), axis=(0, 1)))
    wave = np.rint(np.fft.fftfreq(size, 1.0 / size)).astype(int)
    low = np.abs(wave) < padded.shape[0] // 2
    wide = np.zeros((size, size), dtype=complex)
    wide[np.ix_(low, low)] = transfer[np.ix_(wave[low], wave[low])]
    return np.fft.ifft2(np.fft.fft2(fine) * wide).real[FINE // 2 :: FINE, FINE // 2 :: FINE]


def disc(kernel: np.ndarray, scale: float, dx: float, dy: float) -> np.ndarray:
    """Exponential disc of peak 1 with its centre at (dx, dy) from the tile's middle."""
    grid = (np.arange(2 * SIDE * FINE) - FINE // 2) / FINE - SIDE
    image = seen(kernel, np.exp(-np.hypot(grid - dx, grid[:, None] - dy) / scale))
    start = SIDE - SIDE // 2
    return image[start : start + SIDE, start : start + SIDE] / image.max()


def clump(kernel: np.ndarray, dx: float, dy: float, sigma: float) -> np.ndarray:
    """Round Gaussian of unit flux behind the PSF, near the tile's middle: the kernel blurred and shifted by its spectrum."""
    padded = np.zeros((2 * SIDE,) * 2)
    half = min(kernel.shape[0] // 2, SIDE - 1)
    middle = kernel.shape[0] // 2
    padded[SIDE - half : SIDE + half + 1, SIDE - half : SIDE + half + 1] = kernel[
        middle - half : middle + half + 1, middle - half : middle + half + 1
    ]
    wave = 2 * np.pi * np.fft.fftfreq(2 * SIDE)
    spectrum = np.fft.fft2(padded) * np.exp(-0.5 * sigma**2 * (wave**2 + wave[:, None] ** 2))
    image = np.fft.ifft2(fourier_shift(spectrum, (dy, dx))).real
    start = SIDE - SIDE // 2
    return image[start : start + SIDE, start : start + SIDE]


def bound(kernel: np.ndarray, sigma: float, free: bool, rho: np.ndarray | None, box: int = 9) -> float:
    """Standard deviation of a flux fitted beside a plane by least squares in noise of 1, by differences of drawn images."""
    half, step = box // 2, 0.05
    part = np.s_[SIDE // 2 - half : SIDE // 2 + half + 1, SIDE // 2 - half : SIDE // 2 + half + 1]

    def drawn(dx: float = 0.0, dy: float = 0.0) -> np.ndarray:
        return clump(kernel, dx, dy, sigma)

    terms = [drawn(), drawn(step) - drawn(-step), drawn(0, step) - drawn(0, -step)]
    if free:
        laplace = drawn(step) + drawn(-step) + drawn(0, step) + drawn(0, -step) - 4 * drawn()
        terms += [laplace]
        if sigma > 0:
            terms += [drawn(step) + drawn(-step) - drawn(0, step) - drawn(0, -step)]
            terms += [drawn(step, step) + drawn(-step, -step) - drawn(step, -step) - drawn(-step, step)]
    slope = np.tile(np.arange(-half, half + 1), (box, 1))
    matrix = np.array(
        [term[part].ravel() for term in terms] + [np.ones(box**2), slope.ravel(), slope.T.ravel()]
    )
    inverse = np.linalg.pinv(matrix.T)[0].reshape(box, box)
    if rho is None:
        return float(np.sqrt(np.sum(inverse**2)))
    return float(np.sqrt(np.sum(inverse * convolve(inverse, rho, mode="constant"))))


def empty_tiles(sky: np.ndarray, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Pieces of a sky in standard deviations with hardly a missing pixel, and nothing brighter than the noise in their middle."""
    found, edge = [], SIDE // 2 + 1
    for _ in range(100 * n):
        row, column = rng.integers(edge, np.array(sky.shape) - edge)
        tile = sky[row - SIDE // 2 : row + SIDE // 2 + 1, column - SIDE // 2 : column + SIDE // 2 + 1]
        core = tile[SIDE // 2 - 9 : SIDE // 2 + 10, SIDE // 2 - 9 : SIDE // 2 + 10]
        if np.isfinite(core).all() and np.abs(core - np.median(core)).max() < 5:
            found.append(tile)
        if len(found) == n:
            return found
    raise SystemExit("not enough empty sky")


def half_width(values: np.ndarray) -> float:
    low, high = np.nanpercentile(values, [15.87, 84.13])
    return (high - low) / 2


def campaign(folder: Path, name: str, options: argparse.Namespace) -> list[dict[str, object]]:
    """Rows of the table of one filter."""
    (path,) = folder.glob(f"Background/*{name.lower()}*")
    (psf_path,) = folder.glob(f"PSF_model/*{name.lower()}*")
    mosaic = open_mosaic(path, pixel_scale=0.04, name=name)
    psf = load_psf(psf_path, 0.04, name)
    kernel, rng, rows = psf.kernel, np.random.default_rng([options.seed, int(name[1:4])]), []
    sky = mosaic.read(*(slice(0, size) for size in mosaic.shape))[0]
    sky -= np.nanmedian(sky)
    sky /= local_noise(sky)
    rho = measure_depth(mosaic, psf).rho if options.noise == "real" else None
    for scale in options.scales:
        for sigma in SHAPES:
            tiles = empty_tiles(sky, options.clumps, rng) if rho is not None else [None] * options.clumps
            flux = SNR / np.sqrt(np.sum(clump(kernel, 0, 0, sigma[0]) ** 2))
            fits = {True: [], False: []}
            seconds = {True: 0.0, False: 0.0}
            for tile in tiles:
                dx, dy = rng.uniform(-0.5, 0.5, 2)
                distance, angle = min(2 * scale, 20.0) * np.sqrt(rng.uniform()), rng.uniform(0, 2 * np.pi)
                image = flux * clump(kernel, dx, dy, sigma[0])
                if scale > 0:
                    image += PEAK * disc(kernel, scale, distance * np.cos(angle), distance * np.sin(angle))
                if tile is None:
                    image += rng.normal(0, 1, image.shape)
                else:
                    image += tile
                x, y = SIDE // 2 + dx, SIDE // 2 + dy
                for free in (True, False):
                    shape = (
                        None
                        if free
                        else Table({"sigma_x_px": [sigma[0]], "sigma_y_px": [sigma[1]], "theta_deg": [0.0]})
                    )
                    begin = time.perf_counter()
                    fits[free].append(fit_clumps(image, np.where(np.isfinite(image), 1.0, np.nan), kernel, [x + rng.normal(0, 0.2)],
                                                 [y + rng.normal(0, 0.2)], shape=shape, rho=rho, host_fwhm=options.host_fwhm)[0])  # fmt: skip
                    seconds[free] += time.perf_counter() - begin
            for free, fitted in fits.items():
                ratio = np.array([row["flux"] for row in fitted]) / flux
                error = np.array([row["flux_err"] for row in fitted]) / flux
                flags = np.array([row["flags"] for row in fitted])
                kept = np.isfinite(ratio)
                if "host_dominated" in FLAGS:
                    kept &= ~has(flags, "host_dominated")
                pull = ((ratio - 1) / error)[kept]
                least = bound(kernel, sigma[0], free, rho) / flux
                rows.append({"filter": name, "scale": scale, "sigma": sigma[0], "fit": "free" if free else "forced", "n": kept.sum(),
                             "bias_%": 100 * (np.median(ratio[kept]) - 1), "+-": 125 * half_width(ratio[kept]) / np.sqrt(kept.sum()),
                             "scatter/bound": half_width(ratio[kept]) / least, "error/bound": np.median(error[kept]) / least,
                             "pull": half_width(pull), "median": np.median(pull),
                             "in_95": np.mean(np.abs(pull) < 1.96), "poor": np.mean(has(flags, "poor_model")),
                             "ms": 1e3 * seconds[free] / len(fitted)})  # fmt: skip
    return rows


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--filters", nargs="+", default=["F200W", "F277W", "F356W", "F444W"])
    parser.add_argument(
        "--scales", nargs="+", type=float, default=[4.0, 8.0, 15.0], help="of the discs [px]; 0: none"
    )
    parser.add_argument("--noise", choices=["real", "white"], default="real")
    parser.add_argument("--host-fwhm", type=float, default=4.0)
    parser.add_argument("--clumps", type=int, default=100, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rows = [row for name in options.filters for row in campaign(options.folder, name, options)]
    table = Table(rows)
    for column in table.itercols():
        if column.dtype.kind == "f":
            column.info.format = ".2f"
    table.pprint(max_lines=-1, max_width=-1)


if __name__ == "__main__":
    main()
