"""Pairs of clumps on diffuse light: deblended by the project's flood, and by photutils with C25's parameters.

photutils' deblending needs scikit-image, which is no dependency of the project: install it with this project's
dependencies into an environment of its own and use that environment's Python. Prints a table and writes it as CSV.

    python tests/benchmarks/deblending.py
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from astropy.table import Table  # noqa: E402
from scipy import ndimage  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "workflow"), str(Path(__file__).parent)]

from clump_photometry import SIDE, Optics  # noqa: E402
from clumpscope.images.deblend import deblend  # noqa: E402
from clumpscope.images.profiles import fwhm_px  # noqa: E402

N_SCENES, N_PIXELS, THRESHOLD = 60, 4, 3.0


def flood(ratio: np.ndarray, islands: np.ndarray) -> np.ndarray:
    """Peaks (n, 2) as (y, x) of the project's deblending."""
    peaks = deblend(ratio, islands)
    return np.column_stack([peaks.y, peaks.x])


def photutils(ratio: np.ndarray, islands: np.ndarray) -> np.ndarray:
    """The same of photutils, 64 levels and contrast 0.005."""
    from photutils.segmentation import SegmentationImage, deblend_sources

    labels = deblend_sources(ratio, SegmentationImage(islands), N_PIXELS, n_levels=64, contrast=0.005,
                             progress_bar=False).data  # fmt: skip
    return np.array(ndimage.maximum_position(ratio, labels, np.arange(1, labels.max() + 1)))


def main() -> None:
    """Run the comparison and report it."""
    from photutils.segmentation import detect_sources

    try:
        import skimage  # noqa: F401
    except ImportError:
        sys.exit("scikit-image is not installed here: no comparison with photutils")
    optics, rng = Optics("F200W"), np.random.default_rng(3)
    fwhm, middle = fwhm_px(optics.kernel), SIDE // 2
    rows, columns = np.indices((SIDE, SIDE)) - middle
    point = optics.draw(middle, middle, 0, 0, 0)
    methods = {
        "flood": (flood, 0.2),
        "photutils, image as for flood": (photutils, 0.2),
        "photutils, smoother": (photutils, 0.3),
    }
    table = []
    for snr in (15, 40):
        noise = np.sqrt((point**2).sum()) / snr
        for host in (0, 6, 15):
            for separation in (1.25, 1.5, 2.0):
                count = {name: [0, 0] for name in methods}
                for _ in range(N_SCENES):
                    angle = rng.uniform(0, 2 * np.pi)
                    step = 0.5 * separation * fwhm * np.array([np.cos(angle), np.sin(angle)])
                    truth = middle + np.array([step, -step])
                    image = optics.draw(*truth[0], 0.5, 0.3, 0) + 0.7 * optics.draw(*truth[1], 0.5, 0.3, 0)
                    image += host * noise * np.exp(-np.hypot(rows, columns) / 10)
                    image += rng.normal(0, noise, image.shape)
                    image -= ndimage.median_filter(image, 2 * int(2.5 * fwhm) + 1, mode="nearest")

                    def ratio(width: float, image=image, noise=noise) -> np.ndarray:
                        kernel = ndimage.gaussian_filter(np.eye(1, 961, 480).reshape(31, 31), width)
                        return ndimage.gaussian_filter(image, width) / noise / np.sqrt((kernel**2).sum())

                    islands = detect_sources(ratio(0.3 * fwhm), THRESHOLD, N_PIXELS)
                    for name, (method, width) in methods.items():
                        peaks = method(ratio(width * fwhm), islands.data)[:, ::-1]
                        peaks = peaks[np.hypot(*(peaks - middle).T) < 12]
                        apart = np.hypot(*(peaks[:, None] - truth).T)
                        count[name][0] += len(peaks) > 1 and bool((apart.min(axis=1) < 1.5).all())
                        count[name][1] += max(len(peaks) - 2, 0)
                table += [
                    {"snr": snr, "host_per_noise": host, "separation_fwhm": separation, "method": name,
                     "both_found": both / N_SCENES, "false_per_scene": false / N_SCENES}
                    for name, (both, false) in count.items()
                ]  # fmt: skip
    table = Table(table)
    for name in ("both_found", "false_per_scene"):
        table[name].info.format = ".2f"
    table.pprint(max_lines=-1, max_width=-1)
    folder = ROOT / "tests" / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    table.write(folder / "deblending.csv", overwrite=True)


if __name__ == "__main__":
    main()
